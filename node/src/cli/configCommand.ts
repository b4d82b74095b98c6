/** `node config`: shows which settings are in force and where each comes from, and what is wrong with them. */
import { Command } from "commander";
import { exit, type NodeIo, printJson, printLine, runAction } from "./io.ts";
import { PASSPHRASE_VARIABLE } from "./passphrase.ts";
import { describeSettings } from "./settings/describe.ts";
import { addSettings, findSettings } from "./settings/options.ts";

type ConfigFlags = { readonly json?: boolean };

/** Creates the command. The status is 2 where a setting is wrong; what is in force is shown all the same. */
export function createConfigCommand(io: NodeIo): Command {
  const command = new Command("config")
    .description("show which settings are in force, and from where")
    .option("--print", "which is what it does")
    .option("--json", "print one JSON object");
  return addSettings(command).action((flags: ConfigFlags) => runAction(io, () => printSettings(flags, io)));
}

async function printSettings(flags: ConfigFlags, io: NodeIo): Promise<void> {
  const resolution = await findSettings(flags, io);
  const { settings, origins, files } = resolution;
  const faults = resolution.faults.map(({ words }) => words);
  if (flags.json === true) printJson(io, { settings, origins, files, faults });
  else {
    printLine(io, `# files, the stronger first: ${files.length === 0 ? "none" : files.join(", ")}`);
    for (const line of describeSettings(resolution)) printLine(io, line);
    const isSet = ((io.env ?? process.env)[PASSPHRASE_VARIABLE] ?? "") !== "";
    if (isSet) printLine(io, `# ${PASSPHRASE_VARIABLE} is set, and is never shown`);
    for (const fault of faults) io.stderr.write(`error: ${fault}\n`);
  }
  if (faults.length > 0) exit(io, 2);
}
