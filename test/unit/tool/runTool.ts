/** Runs `hexbeacon tool ...` inside the test: given text on standard input, what it printed and its exit status. */
import { PassThrough, Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { CommanderError } from "commander";
import { createToolCommand } from "../../../node/src/cli/tool/toolCommand.ts";

export type ToolRun = { readonly stdout: string; readonly stderr: string; readonly status: number };

export async function runTool(
  args: readonly string[],
  input: string | readonly Uint8Array[] = "",
): Promise<ToolRun> {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const printed = Promise.all([text(stdout), text(stderr)]);
  const stdin = Readable.from(typeof input === "string" ? [Buffer.from(input)] : input);
  const tool = createToolCommand({ stdin, stdout, stderr });
  for (const command of [tool, ...tool.commands]) command.exitOverride();
  let status = 0;
  try {
    await tool.parseAsync([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    status = error.exitCode;
  }
  stdout.end();
  stderr.end();
  const [out, err] = await printed;
  return { stdout: out, stderr: err, status };
}

/** As `runTool`, for a run that must succeed and print one JSON value. */
export async function runToolJson(args: readonly string[], input?: string): Promise<unknown> {
  const { stdout, stderr, status } = await runTool(args, input);
  if (status !== 0) throw new Error(`status ${status}: ${stderr}`);
  return JSON.parse(stdout);
}
