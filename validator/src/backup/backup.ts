/**
 * Copies a home while its validator runs. The order makes the copy one that recovery accepts: first the store, as it is at
 * one instant; then the votes, which therefore know at least every round that the store has; then the bodies of batches,
 * which are written before anything names them. Nothing is given up by retention meanwhile, so nothing that the first
 * copies name is gone when the last are made. Keys are never in it.
 */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { CodedError } from "../../../node/src/host/codedError.ts";
import { isThere, makePrivateFolder, readFileIfAny, syncFolder } from "../../../node/src/host/durableFile.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { homePaths } from "../home.ts";
import type { Identity } from "../identity.ts";
import type { Votes } from "../rounds/votes.ts";
import type { OpenedStorage } from "../storage.ts";
import { isBodyPath } from "../store/batchStore.ts";
import {
  BACKUP_FORMAT,
  type BackupManifest,
  type BackupSum,
  encodeSums,
  hashFile,
  listFiles,
  MANIFEST_FILE,
  SUMS_FILE,
} from "./archive.ts";

export type BackupOptions = {
  readonly home: string;
  readonly identity: Pick<Identity, "networkId" | "signer">;
  readonly version: string;
};
export type BackupModules = {
  readonly storage: {
    readonly votes: Pick<Votes, "copyTo">;
    readonly holdPruning: OpenedStorage["holdPruning"];
  };
  readonly nowMs: () => number;
};
export type BackupSummary = {
  readonly folder: string;
  readonly round: number | null;
  readonly files: number;
  readonly bytes: number;
  readonly milliseconds: number;
};

/** A step of four megabytes: some milliseconds of a disk that votes wait for as well. */
const PAGES_PER_STEP = 1_024;

/** Makes backups of one home, one at a time. */
export class Backups {
  readonly #options: BackupOptions;
  readonly #modules: BackupModules;
  readonly #stopped = new AbortController();
  #running: Promise<unknown> | null = null;

  constructor(options: BackupOptions, modules: BackupModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /**
   * Makes a backup in a new folder, which has its name only once it is whole.
   * @throws CodedError "file_exists", "file_unwritable", "file_corrupt" where a batch is damaged, "backup_busy", "stopped".
   */
  backUp = async (folder: string): Promise<BackupSummary> => {
    if (this.#running !== null) throw new CodedError("backup_busy", "a backup is being made already");
    const release = this.#modules.storage.holdPruning();
    const running = this.#copyAll(resolve(folder)).finally(() => {
      release();
      this.#running = null;
    });
    this.#running = running.catch(() => undefined);
    return await running;
  };

  /** Gives up the backup that is being made. */
  stop = async (): Promise<void> => {
    this.#stopped.abort(new CodedError("stopped", "the validator ends"));
    await this.#running;
  };

  async #copyAll(folder: string): Promise<BackupSummary> {
    const startMs = this.#modules.nowMs();
    // One name for all of this validator's, so that the next one takes away what a power cut left of any.
    const key = encodeHex(this.#options.identity.signer.publicKey).slice(0, 16);
    const partial = join(dirname(folder), `.backup-${key}.partial`);
    try {
      await makeEmptyFolder(folder, partial);
      const copied = await this.#copyInto(partial);
      await rename(partial, folder);
      await syncFolder(dirname(folder));
      return { folder, ...copied, milliseconds: Math.max(0, this.#modules.nowMs() - startMs) };
    } catch (cause) {
      await rm(partial, { recursive: true, force: true });
      if (cause instanceof CodedError) throw cause;
      throw new CodedError("file_unwritable", `cannot make the backup ${folder}: ${String(cause)}`, cause);
    }
  }

  async #copyInto(partial: string): Promise<Pick<BackupSummary, "round" | "files" | "bytes">> {
    const { home, identity, version } = this.#options;
    const paths = homePaths(home);
    const { signal } = this.#stopped;
    const round = await copyStore(paths.store, join(partial, basename(paths.store)), signal);
    await this.#modules.storage.votes.copyTo(join(partial, basename(paths.votes)));
    for (const path of [paths.genesis, paths.bans, paths.audit]) {
      const bytes = await readFileIfAny(path);
      if (bytes !== null) await writeFile(join(partial, basename(path)), bytes, { mode: 0o600, flush: true });
    }
    const sums: BackupSum[] = [];
    let bytes = 0;
    for (const path of await listFiles(partial)) {
      const found = await hashFile(join(partial, path), signal);
      sums.push({ path, sha256: found.sha256 });
      bytes += found.bytes;
    }
    const batches = basename(paths.batches);
    const folders = new Set<string>();
    for (const path of (await listFiles(paths.batches)).filter(isBodyPath)) {
      signal.throwIfAborted();
      const to = join(partial, batches, path);
      await mkdir(dirname(to), { recursive: true, mode: 0o700 });
      folders.add(dirname(to)).add(join(partial, batches));
      bytes += await copyBatch(join(paths.batches, path), to);
      sums.push({ path: `${batches}/${path}`, sha256: basename(path) });
    }
    for (const folder of folders) await syncFolder(folder);
    const manifest: BackupManifest = {
      format: BACKUP_FORMAT,
      networkId: encodeHex(identity.networkId),
      validator: encodeDidKey(identity.signer.publicKey),
      round,
      time: new Date(this.#modules.nowMs()).toISOString(),
      version,
      files: sums.length,
      bytes,
    };
    await writeSums(partial, sums, manifest);
    return { round, files: sums.length, bytes };
  }
}

async function makeEmptyFolder(folder: string, partial: string): Promise<void> {
  await makePrivateFolder(dirname(folder));
  // What a crash has left of an earlier try.
  await rm(partial, { recursive: true, force: true });
  await mkdir(partial, { mode: 0o700 });
  if (await isThere(folder))
    throw new CodedError("file_exists", `${folder} exists: a backup is never written over another`);
}

/**
 * The store as it is now, over a connection of its own: the transaction stays open, so that rounds that are committed
 * meanwhile neither show nor make SQLite begin again, and the validator's own connection is never waited for.
 * @param signal ends it between two steps, by its reason.
 * @returns the newest round in it.
 */
export async function copyStore(from: string, to: string, signal: AbortSignal): Promise<number | null> {
  const source = new DatabaseSync(from, { readOnly: true, timeout: 5_000 });
  try {
    source.exec("BEGIN");
    const { round } = source.prepare("SELECT max(round) AS round FROM rounds").get() as {
      round: number | null;
    };
    await backup(source, to, { rate: PAGES_PER_STEP, progress: () => signal.throwIfAborted() });
    signal.throwIfAborted();
    return round;
  } finally {
    source.close();
  }
}

/** @returns its length. @throws CodedError "file_corrupt" where the content does not have the digest of its name. */
async function copyBatch(from: string, to: string): Promise<number> {
  const body = await readFile(from);
  await writeFile(to, body, { mode: 0o600, flush: true });
  // What is read back is what counts: a disk may have given anything, or taken anything.
  const { sha256 } = await hashFile(to);
  if (sha256 === basename(from)) return body.length;
  throw new CodedError("file_corrupt", `the batch ${basename(from)} is damaged on the disk`);
}

async function writeSums(
  partial: string,
  sums: readonly BackupSum[],
  manifest: BackupManifest,
): Promise<void> {
  const path = join(partial, MANIFEST_FILE);
  await writeFile(path, `${JSON.stringify(manifest, null, 1)}\n`, { mode: 0o600, flush: true });
  const all = [...sums, { path: MANIFEST_FILE, sha256: (await hashFile(path)).sha256 }];
  await writeFile(join(partial, SUMS_FILE), encodeSums(all), { mode: 0o600, flush: true });
  await syncFolder(partial);
}
