/** `validator init`: a home with a key, and with the network's genesis where one is given. */
import { readFile } from "node:fs/promises";
import { type Checked, readGenesis } from "../../../node/src/cli/config.ts";
import { ConfigErrors, type NodeIo, printLine } from "../../../node/src/cli/io.ts";
import { CodedError } from "../../../node/src/host/codedError.ts";
import { createFile, makePrivateFolder } from "../../../node/src/host/durableFile.ts";
import { createKeyFile } from "../../../node/src/host/keystore.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import type { Genesis } from "../../../protocol/src/network/genesis.ts";
import { homePaths } from "../home.ts";
import { readHomeFlag } from "./configuration.ts";

export type InitFlags = { readonly home?: string; readonly genesis?: string };

/**
 * Makes the home and says whose it is.
 * @throws CodedError "key_exists" or "home_exists" where something is there already: neither is ever overwritten.
 */
export async function initHome(flags: InitFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const home = readHomeFlag(flags, faults);
  const genesis: Checked<Genesis> | null =
    flags.genesis === undefined ? null : await readGenesis(flags.genesis);
  if (genesis?.ok === false) faults.push(...genesis.faults);
  if (faults.length > 0) throw new ConfigErrors(faults);
  const paths = homePaths(home);
  await makePrivateFolder(home);
  const { publicKey } = await createKeyFile(paths.key);
  printLine(io, `Made the validator ${computeName(publicKey)}`);
  printLine(io, encodeDidKey(publicKey));
  if (genesis?.ok !== true) return;
  if (!(await createFile(paths.genesis, await readFile(flags.genesis!), 0o644))) {
    throw new CodedError("home_exists", `${paths.genesis} exists: a genesis is never overwritten`);
  }
  printLine(io, describeSeat(genesis.value, publicKey));
}

function describeSeat({ name, validators }: Genesis, publicKey: Uint8Array): string {
  const isSeated = validators.some(({ key }) => equalBytes(key, publicKey));
  return isSeated ? `It has a seat in ${name}.` : `It has no seat in ${name}: the genesis names other keys.`;
}
