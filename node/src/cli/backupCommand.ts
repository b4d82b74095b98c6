/** `node backup` and `node restore`: a hotspot's key, configuration and beacon state, out of a home and into a new one. */
import { Command } from "commander";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import { ConfigErrors, type NodeIo, printLine, runAction } from "./io.ts";
import { readNewPassphrase, readPassphrase } from "./passphrase.ts";
import { addSettings, findSettings } from "./settings/options.ts";

type BackupFlags = { readonly out?: string };
type RestoreFlags = { readonly in?: string };

/** Creates the command that writes a backup; the hotspot may be running. */
export function createBackupCommand(io: NodeIo): Command {
  const command = new Command("backup")
    .description("put key, configuration and beacon state into one encrypted file")
    .option("--out <file>", "the file to create");
  return addSettings(command, ["home", "passphraseFile"]).action((flags: BackupFlags) =>
    runAction(io, () => backUp(flags, io)),
  );
}

/** Creates the command that makes a home of a backup. */
export function createRestoreCommand(io: NodeIo): Command {
  const command = new Command("restore")
    .description("make a hotspot's home of a backup")
    .option("--in <file>", "the backup");
  return addSettings(command, ["home", "passphraseFile"]).action((flags: RestoreFlags) =>
    runAction(io, () => restore(flags, io)),
  );
}

async function backUp(flags: BackupFlags, io: NodeIo): Promise<void> {
  const { settings, faults } = await findSettings(flags, io);
  const { home } = settings;
  const { out } = flags;
  // What is wrong in a file is kept as it is: a backup is no check.
  const wrong = faults.filter(({ inFile }) => !inFile).map(({ words }) => words);
  if (home === null) wrong.push("--home must name a hotspot's folder");
  if (out === undefined) wrong.push("--out must name a file");
  if (home === null || out === undefined || wrong.length > 0) throw new ConfigErrors(wrong);
  const { readBackup, writeBackup } = await import("./backup.ts");
  // A key that has a passphrase lends it to the backup: one to remember, and one to be asked for.
  let keyPassphrase: string | null = null;
  const backup = await readBackup(home, async () => {
    keyPassphrase = await readPassphrase(settings, io);
    return keyPassphrase;
  });
  await writeBackup(out, backup, keyPassphrase ?? (await readNewPassphrase(settings, io)));
  printLine(io, `wrote ${out}; without its passphrase nobody can open it, you included`);
}

async function restore(flags: RestoreFlags, io: NodeIo): Promise<void> {
  const { settings, faults } = await findSettings(flags, io);
  const { home } = settings;
  const { in: path } = flags;
  const wrong = faults.filter(({ inFile }) => !inFile).map(({ words }) => words);
  if (home === null) wrong.push("--home must name a folder");
  if (path === undefined) wrong.push("--in must name a backup");
  if (home === null || path === undefined || wrong.length > 0) throw new ConfigErrors(wrong);
  const { openBackup, restoreHome } = await import("./backup.ts");
  let passphrase = "";
  const backup = await openBackup(path, async () => {
    passphrase = await readPassphrase(settings, io);
    return passphrase;
  });
  const publicKey = await restoreHome(home, backup, passphrase);
  printLine(io, encodeDidKey(publicKey));
  printLine(io, computeName(publicKey));
  printLine(io, "run it in one place only: two with one key beacon twice, and the second is refused");
}
