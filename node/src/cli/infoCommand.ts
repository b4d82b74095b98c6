/** `node info`: says who a home's hotspot is, without running it. */
import { join } from "node:path";
import { publicKeyFromRaw } from "@libp2p/crypto/keys";
import { peerIdFromPublicKey } from "@libp2p/peer-id";
import { Command } from "commander";
import { encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import { cellToHex } from "../../../protocol/src/geo/cell.ts";
import { computeNetworkId } from "../../../protocol/src/network/genesis.ts";
import { findCell, GENESIS_FILE, readGenesis } from "./config.ts";
import { readHome } from "./home.ts";
import { ConfigErrors, type NodeIo, printJson, runAction } from "./io.ts";
import { PASSPHRASE_OPTION, readPassphrase } from "./passphrase.ts";

type InfoFlags = { readonly home?: string; readonly genesis?: string; readonly passphraseFile?: string };

/** Creates the command; it prints one JSON object. */
export function createInfoCommand(io: NodeIo): Command {
  return new Command("info")
    .description("say who a hotspot is")
    .option("--home <dir>", "the hotspot's folder")
    .option("--genesis <file>", "the network's genesis file, where the home has none")
    .option(...PASSPHRASE_OPTION)
    .action((flags: InfoFlags) => runAction(io, () => printInfo(flags, io)));
}

async function printInfo(flags: InfoFlags, io: NodeIo): Promise<void> {
  const { home, genesis: genesisFile } = flags;
  const faults: string[] = [];
  const opened = home === undefined ? null : await readHome(home, faults, () => readPassphrase(flags, io));
  if (home === undefined) faults.push("--home must name a hotspot's folder");
  if (opened === null) throw new ConfigErrors(faults);
  const { config, keyPair } = opened;
  const genesis = await readGenesis(genesisFile ?? join(home!, GENESIS_FILE));
  // A home without a network is one that has just been made; a genesis file that was named must be there.
  if (!genesis.ok && genesisFile !== undefined) throw new ConfigErrors(genesis.faults);
  const { publicKey } = keyPair;
  printJson(io, {
    did: encodeDidKey(publicKey),
    name: computeName(publicKey),
    peerId: peerIdFromPublicKey(publicKeyFromRaw(publicKey)).toString(),
    owner: encodeDidKey(config.owner),
    region: config.region,
    cell: cellToHex(await findCell(config)),
    antennaGainDbi: config.gainCentiDbi / 100,
    elevationM: config.elevationM,
    network: genesis.ok
      ? { name: genesis.value.name, id: encodeHex0x(computeNetworkId(genesis.value)) }
      : null,
  });
}
