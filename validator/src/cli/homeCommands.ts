/** The commands that copy a home, restore it and bring it to a newer program. */
import { Command } from "commander";
import { type NodeIo, runAction } from "../../../node/src/cli/io.ts";
import type { AdminFlags } from "./adminAccess.ts";
import { backUp, type RestoreFlags, restore } from "./backup.ts";
import { type MigrateFlags, migrate } from "./migrate.ts";

export function createHomeCommands(io: NodeIo): Command[] {
  return [
    new Command("backup")
      .description("copy a home while its validator runs, without its keys")
      .argument("<folder>", "a folder that is made for it, on the validator's machine")
      .option("--home <dir>", "the validator's folder")
      .option("--url <url>", "where it listens to its operators, if not on its socket")
      .option("--json", "print the outcome as one JSON object")
      .action((folder: string, flags: AdminFlags) => runAction(io, () => backUp(folder, flags, io))),
    new Command("restore")
      .description("put a backup into a home that has its key and nothing else")
      .argument("<folder>", "the backup")
      .option("--home <dir>", "the validator's folder")
      .option("--genesis <file>", "the network's genesis file (default: the backup's)")
      .action((folder: string, flags: RestoreFlags) => runAction(io, () => restore(folder, flags, io))),
    new Command("migrate")
      .description("bring an older program's store to this one's schema, with a copy beside it")
      .option("--home <dir>", "the validator's folder")
      .option("--genesis <file>", "the network's genesis file (default: the home's genesis.json)")
      .option("--check", "say what would be done, and do nothing")
      .action((flags: MigrateFlags) => runAction(io, () => migrate(flags, io))),
  ];
}
