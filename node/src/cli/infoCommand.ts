/** `node info`: says who a home's hotspot is, without running it. */
import { publicKeyFromRaw } from "@libp2p/crypto/keys";
import { peerIdFromPublicKey } from "@libp2p/peer-id";
import { Command } from "commander";
import { encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import { cellToHex } from "../../../protocol/src/geo/cell.ts";
import { computeNetworkId } from "../../../protocol/src/network/genesis.ts";
import { findCell, readGenesis } from "./config.ts";
import { askFor, findGenesisFile, readHome } from "./home.ts";
import { ConfigErrors, type NodeIo, printJson, runAction } from "./io.ts";
import { isGiven } from "./settings/layers.ts";
import { addSettings, findSettings, HOME_KEYS } from "./settings/options.ts";

type InfoFlags = Readonly<Record<string, unknown>>;

/** Creates the command; it prints one JSON object. */
export function createInfoCommand(io: NodeIo): Command {
  return addSettings(new Command("info").description("say who a hotspot is"), HOME_KEYS).action(
    (flags: InfoFlags) => runAction(io, () => printInfo(flags, io)),
  );
}

async function printInfo(flags: InfoFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const resolution = await findSettings(flags, io);
  const opened = await readHome(resolution, faults, askFor(resolution, io));
  if (opened === null || faults.length > 0) throw new ConfigErrors(faults);
  const { config, keyPair } = opened;
  const genesis = await readGenesis(findGenesisFile(resolution)!);
  // A home without a network is one that has just been made; a genesis file that was named must be there.
  if (!genesis.ok && isGiven(resolution, "genesis")) throw new ConfigErrors(genesis.faults);
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
