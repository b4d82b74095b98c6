/** `tool judge`: real or imagined receptions held against the radio gates, one link a line, as a stream. */
import { once } from "node:events";
import type { Command } from "commander";
import { isUnpaidReason } from "../../../../protocol/src/evidence/reasons.ts";
import { checkLink, computeLinkCeilingCentiDbm } from "../../../../protocol/src/radio/gates.ts";
import { readLink } from "./linkLine.ts";
import { readLines, runTool, ToolInputError, type ToolIo } from "./toolInput.ts";

// A link is some 300 characters; what is far longer is no link and need not be held in memory.
const LINE_MAX_CHARACTERS = 65_536;

/** Adds the sub-command; it prints one verdict a line and stops at the first line that is no link. */
export function addJudgeCommand(tool: Command, io: ToolIo): void {
  const command = tool.command("judge");
  command
    .description("verdict of the radio gates on each link of a list")
    .addHelpText("after", "\nReads one JSON object a line from standard input.")
    .action(() => runTool(command, () => judgeAll(io)));
}

async function judgeAll(io: ToolIo): Promise<void> {
  let lineNumber = 0;
  // Whoever reads the verdicts may stop reading (`| head`): then there is nothing left to do, and no failure.
  let isOpen = true;
  const close = (): void => {
    isOpen = false;
  };
  io.stdout.on("error", close);
  try {
    for await (const lines of readLines(io.stdin, LINE_MAX_CHARACTERS)) {
      const verdicts: string[] = [];
      try {
        for (const line of lines) {
          lineNumber++;
          if (line.trim() !== "") verdicts.push(judgeLine(line, lineNumber));
        }
      } finally {
        if (isOpen && verdicts.length > 0 && !io.stdout.write(verdicts.join(""))) {
          await once(io.stdout, "drain").catch(close);
        }
      }
      if (!isOpen) return;
    }
  } finally {
    io.stdout.off("error", close);
  }
}

/** One link's verdict as a line of JSON. @throws ToolInputError that names the line. */
function judgeLine(line: string, lineNumber: number): string {
  try {
    const { id, measurement } = readLink(line);
    const reason = checkLink(measurement);
    const ceilingCentiDbm = computeLinkCeilingCentiDbm(measurement);
    const verdict = reason === null || isUnpaidReason(reason) ? "accept" : "refuse";
    return `${JSON.stringify({
      id,
      verdict,
      reason,
      paid: reason === null,
      distanceM: measurement.distanceM,
      ceilingDbm: ceilingCentiDbm === null ? null : ceilingCentiDbm / 100,
    })}\n`;
  } catch (error) {
    if (error instanceof ToolInputError) throw new ToolInputError(`line ${lineNumber}: ${error.message}`);
    throw error;
  }
}
