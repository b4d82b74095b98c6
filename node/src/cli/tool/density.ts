/** `tool density`: how much a hotspot's reward is scaled for the company it keeps, by HIP-17. */
import type { Command } from "commander";
import { type Cell, cellFromText, resolutionOf } from "../../../../protocol/src/geo/cell.ts";
import { computeDensityScales } from "../../../../protocol/src/score/density.ts";
import { printJson } from "../io.ts";
import { readJson, runTool, ToolInputError, type ToolIo } from "./toolInput.ts";

// A million hotspots' indexes in quotes, with room for blanks: the size the protocol itself is built for.
const POPULATION_MAX_BYTES = 64 * 1024 * 1024;
/** The finest level that density counts at: a coarser cell would not say in which one the hotspot is. */
const RESOLUTION_MIN = 10;

/** Adds the sub-command; it prints `{"<index as given>": scale}` with scales of 4 decimals. */
export function addDensityCommand(tool: Command, io: ToolIo): void {
  const command = tool.command("density");
  command
    .description("density scale of each cell of a population (HIP-17 with HIP-104's parameters)")
    .addHelpText("after", "\nReads a JSON array of H3 indexes from standard input, one entry a hotspot.")
    .action(() =>
      runTool(command, async () => {
        const texts = readPopulation(await readJson(io, POPULATION_MAX_BYTES));
        const scales = computeDensityScales(texts.map(readCell));
        printJson(io, Object.fromEntries(texts.map((text, i) => [text, scales[i]!])));
      }),
    );
}

function readPopulation(json: unknown): string[] {
  if (!Array.isArray(json)) throw new ToolInputError("the input must be a JSON array of H3 indexes");
  for (const [i, entry] of json.entries()) {
    // A JSON number cannot hold a 64-bit index exactly, so only strings will do.
    if (typeof entry !== "string") throw new ToolInputError(`entry ${i + 1}: an H3 index must be a string`);
  }
  return json as string[];
}

function readCell(text: string, i: number): Cell {
  const cell = cellFromText(text);
  if (cell === null) throw new ToolInputError(`entry ${i + 1}: no H3 cell index in hexadecimal or decimal`);
  if (resolutionOf(cell) < RESOLUTION_MIN) {
    throw new ToolInputError(
      `entry ${i + 1}: resolution ${resolutionOf(cell)}, where at least ${RESOLUTION_MIN} is needed`,
    );
  }
  return cell;
}
