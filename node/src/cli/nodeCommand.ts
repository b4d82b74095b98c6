/** `hexbeacon node`: the commands of someone who runs a hotspot. */
import { Command } from "commander";
import { createBackupCommand, createRestoreCommand } from "./backupCommand.ts";
import { createBindCommand } from "./bindCommand.ts";
import { createConfigCommand } from "./configCommand.ts";
import { createDeviceKeyCommand } from "./deviceKeyCommand.ts";
import { createDoctorCommand } from "./doctorCommand.ts";
import { createInfoCommand } from "./infoCommand.ts";
import { createInitCommand } from "./initCommand.ts";
import { type NodeIo, useIo } from "./io.ts";
import { createDeregisterCommand, createUnbindCommand } from "./ownerCommands.ts";
import { createPassphraseCommand } from "./passphraseCommand.ts";
import { createRegisterCommand } from "./registerCommand.ts";
import { createRotateCommand } from "./rotateCommand.ts";
import { createRunCommand } from "./runCommand.ts";
import { createStatusCommand } from "./statusCommand.ts";

/** Creates the command with its parts. @param io where they write, and how they end. */
export function createNodeCommand(io: NodeIo): Command {
  const node = useIo(new Command("node"), io).description("run a hotspot");
  const parts = [
    createInitCommand(io),
    createRegisterCommand(io),
    createRunCommand(io),
    createStatusCommand(io),
    createInfoCommand(io),
    createDoctorCommand(io),
    createConfigCommand(io),
    createBackupCommand(io),
    createRestoreCommand(io),
    createPassphraseCommand(io),
    createRotateCommand(io),
    createDeviceKeyCommand(io),
    createBindCommand(io),
    createUnbindCommand(io),
    createDeregisterCommand(io),
  ];
  for (const part of parts) node.addCommand(useIo(part, io));
  return node;
}
