/** `tool units`: what a beacon with so many witnesses is worth, by HIP-15. */
import type { Command } from "commander";
import { computeUnits, UNITS_WITNESSES_MAX } from "../../../../protocol/src/score/units.ts";
import { printJson } from "../io.ts";
import { type ToolIo, wholeNumber } from "./toolInput.ts";

const PPM_PER_PRINTED_STEP = 100;
const PRINTED_STEPS = 10_000;

/** Adds the sub-command; it prints `{"perWitness", "beaconer"}` in units, rounded to 4 decimals, halves up. */
export function addUnitsCommand(tool: Command, io: ToolIo): void {
  tool
    .command("units")
    .description("reward units of a beacon and of each of its witnesses (HIP-15)")
    .requiredOption(
      "--witnesses <count>",
      "paid witnesses of the beacon",
      wholeNumber(0, UNITS_WITNESSES_MAX),
    )
    .action(({ witnesses }: { witnesses: number }) => {
      const { perWitnessPpm, beaconerPpm } = computeUnits(witnesses);
      printJson(io, { perWitness: roundPpm(perWitnessPpm), beaconer: roundPpm(beaconerPpm) });
    });
}

const roundPpm = (ppm: number): number => Math.round(ppm / PPM_PER_PRINTED_STEP) / PRINTED_STEPS;
