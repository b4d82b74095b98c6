/**
 * Puts a backup into a home that has a key and nothing else. What the key has signed since the backup was made is not in
 * its votes, so they are marked: the validator signs nothing before a quorum of the others has told it from which round on
 * it safely can (docs/agreement.md, an own past).
 */
import { mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CodedError } from "../../../node/src/host/codedError.ts";
import {
  copyFileDurably,
  isThere,
  makePrivateFolder,
  syncFolder,
} from "../../../node/src/host/durableFile.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { homePaths } from "../home.ts";
import type { Identity } from "../identity.ts";
import { openVotes } from "../rounds/votes.ts";
import { isBodyPath } from "../store/batchStore.ts";
import type { OpenedArchive } from "./archive.ts";

/** What SQLite lays beside a database: a log of another one's would be replayed over what is restored. */
const SQLITE_COMPANIONS = ["-wal", "-shm"] as const;

/**
 * Copies a backup, which has just been checked, into a home.
 * @throws CodedError "backup_malformed" where it is another validator's, "home_exists" where the home has anything of a
 *   store, votes or batches: nothing is restored over what there is.
 */
export async function restoreHome(
  archive: OpenedArchive,
  home: string,
  identity: Pick<Identity, "networkId" | "signer">,
): Promise<void> {
  const paths = homePaths(home);
  const { folder, paths: files } = archive;
  for (const path of [paths.store, paths.votes]) {
    for (const end of ["", ...SQLITE_COMPANIONS]) await refuseExisting(`${path}${end}`);
  }
  await refuseExisting(paths.batches);
  checkOwner(archive, identity);
  await makePrivateFolder(home);
  // Votes come into the home first, and marked: a store without them would not be run, votes without a mark would.
  await restoreVotes(join(folder, basename(paths.votes)), paths.votes, identity);
  await restoreBatches(archive, paths.batches);
  for (const path of [paths.bans, paths.audit]) {
    if (files.includes(basename(path)) && !(await isThere(path)))
      await copyFileDurably(join(folder, basename(path)), path);
  }
  const restoring = `${paths.store}.restoring`;
  await copyFileDurably(join(folder, basename(paths.store)), restoring);
  await rename(restoring, paths.store);
  await syncFolder(home);
}

function checkOwner(
  { folder, manifest: { networkId, validator } }: OpenedArchive,
  identity: Pick<Identity, "networkId" | "signer">,
): void {
  if (networkId !== encodeHex(identity.networkId))
    throw new CodedError("backup_malformed", `${folder} is of another network`);
  const own = encodeDidKey(identity.signer.publicKey);
  if (validator !== own)
    throw new CodedError("backup_malformed", `${folder} is of ${validator}, and the home's key is ${own}`);
}

async function restoreVotes(
  from: string,
  to: string,
  { networkId, signer }: Pick<Identity, "networkId" | "signer">,
): Promise<void> {
  const restoring = `${to}.restoring`;
  for (const end of ["", ...SQLITE_COMPANIONS]) await rm(`${restoring}${end}`, { force: true });
  await copyFileDurably(from, restoring);
  const votes = openVotes(restoring, { network: networkId, validator: signer.publicKey });
  votes.markRestored();
  votes.close();
  await rename(restoring, to);
  await syncFolder(dirname(to));
}

/** The bodies of batches, which lie in a backup as they do in the home. */
async function restoreBatches({ folder, paths }: OpenedArchive, batches: string): Promise<void> {
  const inside = `${basename(batches)}/`;
  const bodies = paths.filter((path) => path.startsWith(inside) && isBodyPath(path.slice(inside.length)));
  const folders = new Set<string>();
  for (const path of bodies) {
    const to = join(dirname(batches), path);
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    folders.add(dirname(to)).add(batches);
    await copyFileDurably(join(folder, path), to);
  }
  for (const each of folders) await syncFolder(each);
}

async function refuseExisting(path: string): Promise<void> {
  if (await isThere(path)) {
    const text = `${path} exists: nothing is restored over a home. Move everything but the key away first`;
    throw new CodedError("home_exists", text);
  }
}
