/** `node backup` and `node restore`: a hotspot's key, configuration and beacon state, out of a home and into a new one. */
import { Command } from "commander";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import { ConfigErrors, type NodeIo, printLine, runAction } from "./io.ts";
import { PASSPHRASE_OPTION, readNewPassphrase, readPassphrase } from "./passphrase.ts";

type BackupFlags = { readonly home?: string; readonly out?: string; readonly passphraseFile?: string };
type RestoreFlags = { readonly home?: string; readonly in?: string; readonly passphraseFile?: string };

/** Creates the command that writes a backup; the hotspot may be running. */
export function createBackupCommand(io: NodeIo): Command {
  return new Command("backup")
    .description("put key, configuration and beacon state into one encrypted file")
    .option("--home <dir>", "the hotspot's folder")
    .option("--out <file>", "the file to create")
    .option(...PASSPHRASE_OPTION)
    .action((flags: BackupFlags) => runAction(io, () => backUp(flags, io)));
}

/** Creates the command that makes a home of a backup. */
export function createRestoreCommand(io: NodeIo): Command {
  return new Command("restore")
    .description("make a hotspot's home of a backup")
    .option("--home <dir>", "folder to create")
    .option("--in <file>", "the backup")
    .option(...PASSPHRASE_OPTION)
    .action((flags: RestoreFlags) => runAction(io, () => restore(flags, io)));
}

async function backUp(flags: BackupFlags, io: NodeIo): Promise<void> {
  const { home, out } = flags;
  if (home === undefined || out === undefined) {
    throw new ConfigErrors(
      listAbsent({ "--home must name a hotspot's folder": home, "--out must name a file": out }),
    );
  }
  const { readBackup, writeBackup } = await import("./backup.ts");
  // A key that has a passphrase lends it to the backup: one to remember, and one to be asked for.
  let keyPassphrase: string | null = null;
  const backup = await readBackup(home, async () => {
    keyPassphrase = await readPassphrase(flags, io);
    return keyPassphrase;
  });
  await writeBackup(out, backup, keyPassphrase ?? (await readNewPassphrase(flags, io)));
  printLine(io, `wrote ${out}; without its passphrase nobody can open it, you included`);
}

async function restore(flags: RestoreFlags, io: NodeIo): Promise<void> {
  const { home, in: path } = flags;
  if (home === undefined || path === undefined) {
    throw new ConfigErrors(
      listAbsent({ "--home must name a folder": home, "--in must name a backup": path }),
    );
  }
  const { openBackup, restoreHome } = await import("./backup.ts");
  let passphrase = "";
  const backup = await openBackup(path, async () => {
    passphrase = await readPassphrase(flags, io);
    return passphrase;
  });
  const publicKey = await restoreHome(home, backup, passphrase);
  printLine(io, encodeDidKey(publicKey));
  printLine(io, computeName(publicKey));
  printLine(io, "run it in one place only: two with one key beacon twice, and the second is refused");
}

function listAbsent(values: Readonly<Record<string, string | undefined>>): string[] {
  return Object.keys(values).filter((fault) => values[fault] === undefined);
}
