/** The one command, `hexbeacon`: what a hotspot's owner, a validator's operator and someone with a question run. */
import { Command } from "commander";
import { useIo } from "../../../node/src/cli/io.ts";
import { createNodeCommand } from "../../../node/src/cli/nodeCommand.ts";
import { createToolCommand } from "../../../node/src/cli/tool/toolCommand.ts";
import { createValidatorCommand } from "./validatorCommand.ts";
import { VERSION } from "./version.ts";

const { stdin, stdout, stderr } = process;
const io = { stdin, stdout, stderr };
const program = useIo(new Command("hexbeacon"), io)
  .description("an open Proof-of-Coverage network")
  .version(VERSION)
  .addCommand(createNodeCommand(io))
  .addCommand(createValidatorCommand(io))
  .addCommand(createToolCommand(io));
await program.parseAsync();
