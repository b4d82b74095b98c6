/** `node passphrase add`, `change` and `remove`: seals a hotspot's key anew; the key itself stays what it is. */
import { join } from "node:path";
import { Command } from "commander";
import { CodedError } from "../host/codedError.ts";
import { KEY_FILE } from "../host/homeFiles.ts";
import { isKeySealed, openKeyFile, resealKeyFile } from "../host/keystore.ts";
import { askFor, findHome } from "./home.ts";
import { ConfigErrors, type NodeIo, printLine, runAction, useIo } from "./io.ts";
import { readNewPassphrase } from "./passphrase.ts";
import { addSettings, findSettings } from "./settings/options.ts";

type NewPassphraseFlags = { readonly newPassphraseFile?: string };
type Change = "add" | "change" | "remove";

const CHANGES: Readonly<Record<Change, string>> = {
  add: "put the key under a passphrase",
  change: "put the key under another passphrase",
  remove: "take the passphrase off the key",
};
const DONE: Readonly<Record<Change, string>> = {
  add: "the key is under a passphrase: every start asks for it",
  change: "the key is under the new passphrase",
  remove: "the key is under no passphrase: whoever can read the file has it",
};

/** Creates the command with its parts; the hotspot may be running, and notices at its next start. */
export function createPassphraseCommand(io: NodeIo): Command {
  const command = new Command("passphrase").description("put the key under a passphrase, or take it off");
  for (const change of Object.keys(CHANGES) as Change[]) {
    const part = addSettings(new Command(change).description(CHANGES[change]), ["home", "passphraseFile"]);
    if (change !== "remove") {
      part.option("--new-passphrase-file <file>", "a file whose first line is the new one; else a prompt");
    }
    part.action((flags: NewPassphraseFlags) => runAction(io, () => changePassphrase(change, flags, io)));
    command.addCommand(useIo(part, io));
  }
  return command;
}

async function changePassphrase(change: Change, flags: NewPassphraseFlags, io: NodeIo): Promise<void> {
  const resolution = await findSettings(flags, io);
  const faults = resolution.faults.filter(({ inFile }) => !inFile).map(({ words }) => words);
  const home = findHome(resolution, faults);
  if (home === null || faults.length > 0) throw new ConfigErrors(faults);
  const path = join(home, KEY_FILE);
  const isSealed = await isKeySealed(path);
  if (isSealed === (change === "add")) {
    const words = isSealed
      ? `${path} is under a passphrase already: say change`
      : `${path} is under no passphrase: say add`;
    throw new CodedError("passphrase_unfit", words);
  }
  const { secretSeed } = await openKeyFile(path, askFor(resolution, io, "the hotspot's key"));
  const passphrase = change === "remove" ? null : await readNew(change, flags, io);
  await resealKeyFile(path, secretSeed, passphrase);
  printLine(io, DONE[change]);
  if (change !== "remove") {
    printLine(io, "older backups keep the passphrase that they were made with; make a new one");
  }
}

/** The environment's passphrase is the present one where there is one; else it may as well be the new one. */
async function readNew(change: Change, flags: NewPassphraseFlags, io: NodeIo): Promise<string> {
  const source = { passphraseFile: flags.newPassphraseFile ?? null };
  if (change === "add") return await readNewPassphrase(source, io);
  return await readNewPassphrase(source, { ...io, env: {} });
}
