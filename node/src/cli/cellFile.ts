/**
 * The cell that a home's place lies in, kept beside its configuration. Telling it takes h3-js, which is 6 MB of a small
 * machine's memory for as long as the process lives; so a command that ends tells it once, and a running hotspot reads it.
 */
import { join } from "node:path";
import { type Cell, cellFromHex, cellToHex, resolutionOf } from "../../../protocol/src/geo/cell.ts";
import { readFileIfAny, replaceFile } from "../host/durableFile.ts";
import { ASSERTED_RESOLUTION, findCell, type NodeConfig } from "./config.ts";

const CELL_FILE = "cell";

/**
 * The cell of a configuration's place: the file's where it is of this very place, else told anew and written.
 * @throws CodedError "file_unreadable", "file_unwritable".
 */
export async function findKeptCell(home: string, config: NodeConfig): Promise<Cell> {
  const path = join(home, CELL_FILE);
  const place = `${config.latitude} ${config.longitude}`;
  const text = Buffer.from((await readFileIfAny(path)) ?? new Uint8Array(0)).toString("latin1");
  const [, kept, hex] = /^(\S+ \S+) ([0-9a-f]{15,16})\n$/.exec(text) ?? [];
  const cell = kept === place ? cellFromHex(hex!) : null;
  if (cell !== null && resolutionOf(cell) === ASSERTED_RESOLUTION) return cell;
  const told = await findCell(config);
  await replaceFile(path, `${place} ${cellToHex(told)}\n`);
  return told;
}
