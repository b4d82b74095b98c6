/** How a command reaches a validator as its operator: by its home, or by what stands in for one on another machine. */
import { ConfigErrors } from "../../../node/src/cli/io.ts";
import { openKeyFile } from "../../../node/src/host/keystore.ts";
import { decodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import type { Ed25519KeyPair } from "../../../protocol/src/crypto/ed25519.ts";
import { computeNetworkId } from "../../../protocol/src/network/genesis.ts";
import type { AdminAddress } from "../admin/client.ts";
import type { AdminTarget } from "../admin/signedRequest.ts";
import { homePaths } from "../home.ts";
import { readGenesisFile } from "./configuration.ts";

export type AdminFlags = {
  readonly home?: string;
  readonly url?: string;
  readonly operatorKey?: string;
  readonly validator?: string;
  readonly genesis?: string;
  readonly json?: boolean;
};
export type AdminAccess = {
  readonly address: AdminAddress;
  readonly target: AdminTarget;
  readonly operator: Ed25519KeyPair;
};

/** @throws ConfigErrors with every fault, or CodedError where a key cannot be read. */
export async function readAdminAccess(flags: AdminFlags): Promise<AdminAccess> {
  const { home } = flags;
  const paths = home === undefined ? null : homePaths(home);
  const faults: string[] = [];
  const address = readAddress(flags, paths?.adminSocket, faults);
  const keyFile = flags.operatorKey ?? paths?.operatorKey;
  if (keyFile === undefined)
    faults.push("--operator-key: name the operator's key, or --home the validator's folder");
  if (flags.genesis === undefined && paths === null)
    faults.push("--genesis: name the network's genesis file");
  const genesis = await readGenesisFile(flags, faults);
  const named = flags.validator === undefined ? null : decodeDidKey(flags.validator);
  if (flags.validator !== undefined && named === null) faults.push("--validator: is no did:key");
  if (flags.validator === undefined && paths === null)
    faults.push("--validator: name the validator by its did:key");
  if (faults.length > 0 || genesis === null) throw new ConfigErrors(faults);
  const validator = named ?? (await openKeyFile(paths!.key)).publicKey;
  const target = { networkId: computeNetworkId(genesis), validator };
  return { address: address!, target, operator: await openKeyFile(keyFile!) };
}

function readAddress({ url }: AdminFlags, socket: string | undefined, faults: string[]): AdminAddress | null {
  if (url === undefined) {
    if (socket === undefined) faults.push("--home: name the validator's folder, or --url where it listens");
    return socket === undefined ? null : { socket };
  }
  if (/^http:\/\//.test(url) && URL.canParse(url)) return { url: new URL(url) };
  faults.push("--url: must be an address such as http://127.0.0.1:4469");
  return null;
}
