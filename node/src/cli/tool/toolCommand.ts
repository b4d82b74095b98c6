/**
 * `hexbeacon tool`: the protocol's own arithmetic for people and for checks. JSON on standard output; a message on
 * standard error and status 1 on bad input. No calculator has arithmetic of its own.
 */
import { Command } from "commander";
import { addAirtimeCommand } from "./airtime.ts";
import { addDensityCommand } from "./density.ts";
import { addJudgeCommand } from "./judge.ts";
import { addRegionCommand } from "./region.ts";
import type { ToolIo } from "./toolInput.ts";
import { addUnitsCommand } from "./units.ts";
import { addVerifyEvidenceCommand } from "./verifyEvidence.ts";
import { addVerifyProofCommand } from "./verifyProof.ts";

/** The `tool` command with its calculators. */
export function createToolCommand(io: ToolIo): Command {
  const tool = new Command("tool").description("calculators that share the protocol's code");
  // Before the sub-commands are made: they inherit it then.
  tool.configureOutput({
    writeOut: (text) => void io.stdout.write(text),
    writeErr: (text) => void io.stderr.write(text),
  });
  addUnitsCommand(tool, io);
  addDensityCommand(tool, io);
  addAirtimeCommand(tool, io);
  addRegionCommand(tool, io);
  addJudgeCommand(tool, io);
  addVerifyProofCommand(tool, io);
  addVerifyEvidenceCommand(tool, io);
  return tool;
}
