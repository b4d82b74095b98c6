/** `tool region`: a region's plan as the protocol has it. */
import type { Command } from "commander";
import { findRegionPlan, REGION_NAMES } from "../../../../protocol/src/radio/regions.ts";
import { printJson } from "../io.ts";
import { runTool, ToolInputError, type ToolIo } from "./toolInput.ts";

/** Adds the sub-command; it prints the plan with its own names: units last, centi-dBm, Hz, ms and ppm. */
export function addRegionCommand(tool: Command, io: ToolIo): void {
  const command = tool.command("region");
  command
    .description(`a region's channels, powers and limits: ${REGION_NAMES.join(", ")}`)
    .argument("<name>", "the region's name")
    .action((name: string) =>
      runTool(command, () => {
        const plan = findRegionPlan(name);
        if (plan === null) throw new ToolInputError(`unknown region; there are ${REGION_NAMES.join(", ")}`);
        printJson(io, plan);
      }),
    );
}
