/**
 * The one command, `hexbeacon`: what a hotspot's owner, a validator's operator and someone with a question run. Only the
 * part that is asked for is loaded: a hotspot on a small machine lives without the validator's 25 MB.
 */
import { Command } from "commander";
import { useIo } from "../../../node/src/cli/io.ts";
import { preferMemoryToSpeed } from "../../../node/src/host/smallHeap.ts";
import { VERSION } from "./version.ts";

const { stdin, stdout, stderr } = process;
const io = { stdin, stdout, stderr };
const PARTS: Readonly<Record<string, () => Promise<Command>>> = {
  node: async () => (await import("../../../node/src/cli/nodeCommand.ts")).createNodeCommand(io),
  account: async () => (await import("../../../node/src/cli/accountCommand.ts")).createAccountCommand(io),
  validator: async () => (await import("./validatorCommand.ts")).createValidatorCommand(io),
  verify: async () => (await import("../../../node/src/cli/verifyCommand.ts")).createVerifyCommand(io),
  tool: async () => (await import("../../../node/src/cli/tool/toolCommand.ts")).createToolCommand(io),
};

const asked = process.argv[2] ?? "";
// Before the modules are loaded: that is when memory is taken.
if (asked === "node") preferMemoryToSpeed();
const program = useIo(new Command("hexbeacon"), io)
  .description("an open Proof-of-Coverage network")
  .version(VERSION);
// Asked for none of them, all are there to be listed.
const names = Object.hasOwn(PARTS, asked) ? [asked] : Object.keys(PARTS);
for (const name of names) program.addCommand(await PARTS[name]!());
await program.parseAsync();
