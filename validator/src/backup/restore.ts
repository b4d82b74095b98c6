/**
 * Puts a backup into a home that has a key and nothing else. What the key has signed since the backup was made is not in
 * its votes, so they are marked: the validator signs nothing before a quorum of the others has told it from which round on
 * it safely can (docs/agreement.md, an own past).
 */
import { access, copyFile, mkdir, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { CodedError } from "../../../node/src/host/codedError.ts";
import { makePrivateFolder, syncFolder } from "../../../node/src/host/durableFile.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { homePaths } from "../home.ts";
import type { Identity } from "../identity.ts";
import { openVotes } from "../rounds/votes.ts";
import { type BackupManifest, openArchive } from "./archive.ts";

/** The batch bodies of a backup lie as in the home. */
const isBatch = (path: string): boolean => path.includes("/");

/**
 * Checks the whole backup, then copies it.
 * @throws CodedError "backup_malformed" where it is damaged or another validator's, "home_exists" where the home has
 *   a store, votes or batches: nothing is restored over what there is.
 */
export async function restoreHome(
  folder: string,
  home: string,
  identity: Pick<Identity, "networkId" | "signer">,
): Promise<BackupManifest> {
  const paths = homePaths(home);
  for (const path of [paths.store, paths.votes, paths.batches]) await refuseExisting(path);
  const { manifest, paths: files } = await openArchive(folder);
  checkOwner(folder, manifest, identity);
  await makePrivateFolder(home);
  const copy = async (path: string, to: string) => {
    await mkdir(dirname(to), { recursive: true, mode: 0o700 });
    await copyFile(join(folder, path), to);
  };
  // Votes come into the home first, and marked: a store without them would not be run, votes without a mark would.
  await restoreVotes(join(folder, basename(paths.votes)), paths.votes, identity);
  for (const path of files.filter(isBatch)) await copy(path, join(home, path));
  for (const path of [paths.bans, paths.audit]) {
    if (files.includes(basename(path)) && !(await isThere(path))) await copy(basename(path), path);
  }
  const restoring = `${paths.store}.restoring`;
  await copy(basename(paths.store), restoring);
  await rename(restoring, paths.store);
  await syncFolder(home);
  return manifest;
}

function checkOwner(
  folder: string,
  { networkId, validator }: BackupManifest,
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
  await rm(restoring, { force: true });
  await copyFile(from, restoring);
  const votes = openVotes(restoring, { network: networkId, validator: signer.publicKey });
  votes.markRestored();
  votes.close();
  await rename(restoring, to);
  await syncFolder(dirname(to));
}

const isThere = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

async function refuseExisting(path: string): Promise<void> {
  if (await isThere(path)) {
    const text = `${path} exists: nothing is restored over a home. Move everything but the key away first`;
    throw new CodedError("home_exists", text);
  }
}
