/** Where and with what a hotspot stands: what its beacons are made by. */
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { type Cell, cellFromBigint } from "../../../protocol/src/geo/cell.ts";
import type { Genesis } from "../../../protocol/src/network/genesis.ts";
import type { RegionName } from "../../../protocol/src/radio/regions.ts";

/** `cell` is null where it is not known. */
export type Placement = {
  readonly region: RegionName;
  readonly gainCentiDbi: number;
  readonly cell: Cell | null;
};

/** The place that genesis gives a hotspot, or null where genesis does not name it. */
export function findGenesisPlacement(genesis: Genesis, hotspot: Uint8Array): Placement | null {
  const key = encodeHex(hotspot);
  const found = genesis.hotspots.find((entry) => encodeHex(entry.key) === key);
  if (found === undefined) return null;
  return { region: found.region, gainCentiDbi: found.gainCentiDbi, cell: cellFromBigint(found.cell) };
}
