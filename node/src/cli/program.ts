/**
 * The one command, `hexbeacon`, of the parts that it is given. Only the part that is asked for is loaded: a hotspot on a
 * small machine lives without what the others need.
 */
import { Command } from "commander";
import { preferMemoryToSpeed } from "../host/smallHeap.ts";
import { VERSION } from "../host/version.ts";
import { type NodeIo, useIo } from "./io.ts";

/** The process's own streams. */
type ProcessIo = NodeIo & Required<Pick<NodeIo, "stdin">>;
/** Loads a part, when it is asked for. */
export type LoadPart = (io: ProcessIo) => Promise<Command>;

/** The parts of someone who has a hotspot or an account: what a Raspberry Pi's package holds. */
export const HOTSPOT_PARTS = {
  node: async (io) => (await import("./nodeCommand.ts")).createNodeCommand(io),
  account: async (io) => (await import("./accountCommand.ts")).createAccountCommand(io),
} as const satisfies Readonly<Record<string, LoadPart>>;

/** The parts of someone with a question. */
export const QUESTION_PARTS = {
  verify: async (io) => (await import("./verifyCommand.ts")).createVerifyCommand(io),
  trace: async (io) => (await import("./traceCommand.ts")).createTraceCommand(io),
  tool: async (io) => (await import("./tool/toolCommand.ts")).createToolCommand(io),
} as const satisfies Readonly<Record<string, LoadPart>>;

/** Runs the command on this process's arguments and streams. @param parts in the order in which they are listed. */
export async function runProgram(parts: Readonly<Record<string, LoadPart>>): Promise<void> {
  const { stdin, stdout, stderr } = process;
  const io = { stdin, stdout, stderr };
  // Whoever reads has had enough, as `head` after ten lines: that is no failure, and nobody is left to be told of one.
  stdout.on("error", () => process.exit(0));
  const asked = process.argv[2] ?? "";
  // Before the modules are loaded: that is when memory is taken.
  if (asked === "node") preferMemoryToSpeed();
  const program = useIo(new Command("hexbeacon"), io)
    .description("an open Proof-of-Coverage network")
    .version(VERSION);
  // Asked for none of them, all are there to be listed.
  const names = Object.hasOwn(parts, asked) ? [asked] : Object.keys(parts);
  for (const name of names) program.addCommand(await parts[name]!(io));
  await program.parseAsync();
}
