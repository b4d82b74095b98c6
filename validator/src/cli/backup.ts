/** `validator backup` and `restore`: a home's copies. */
import { basename, join, resolve } from "node:path";
import { readGenesis } from "../../../node/src/cli/config.ts";
import { ConfigErrors, type NodeIo, printJson, printLine } from "../../../node/src/cli/io.ts";
import { openArchive } from "../backup/archive.ts";
import { restoreHome } from "../backup/restore.ts";
import { homePaths } from "../home.ts";
import { createIdentity } from "../identity.ts";
import type { AdminFlags } from "./adminAccess.ts";
import { askInWords } from "./adminCommand.ts";
import { keepGenesis, readHomeFlag, readKey } from "./configuration.ts";

/** Some gigabytes over a slow disk. */
const BACKUP_TIMEOUT_MS = 3_600_000;

/** Has the validator of a home, which runs, copy itself into a new folder. */
export async function backUp(folder: string, flags: AdminFlags, io: NodeIo): Promise<void> {
  const order = { folder: resolve(folder) };
  const { json } = await askInWords(io, flags, "POST", "backup", order, BACKUP_TIMEOUT_MS);
  if (flags.json === true) printJson(io, json);
  else {
    const { round, files, bytes, milliseconds } = json;
    printLine(
      io,
      `Copied ${files} files, ${bytes} bytes, up to round ${round}, in ${milliseconds} ms: ${json.folder}`,
    );
    printLine(io, "The keys are not in it. Keep the copy where the validator's disk is not.");
  }
}

export type RestoreFlags = { readonly home?: string; readonly genesis?: string };

/** Puts a backup into a home that has its key. */
export async function restore(folder: string, flags: RestoreFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const home = readHomeFlag(flags, faults);
  const keyPair = home === "" ? null : await readKey(home, faults);
  if (faults.length > 0 || keyPair === null) throw new ConfigErrors(faults);
  // Before anything in the folder is believed.
  const archive = await openArchive(folder);
  const genesis = await readGenesis(flags.genesis ?? join(folder, basename(homePaths(home).genesis)));
  if (!genesis.ok) throw new ConfigErrors(genesis.faults);
  await keepGenesis(home, genesis.value);
  await restoreHome(archive, home, createIdentity(genesis.value, keyPair.secretSeed));
  const { round, time } = archive.manifest;
  printLine(io, `Restored the backup of ${time}, up to round ${round}.`);
  printLine(
    io,
    "Among four validators or more it signs nothing after its start until the others have told it what it may have signed since; see /readyz.",
  );
}
