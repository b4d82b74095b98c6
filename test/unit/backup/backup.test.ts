import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CodedError } from "../../../node/src/host/codedError.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { hashFile, openArchive } from "../../../validator/src/backup/archive.ts";
import { Backups, copyStore } from "../../../validator/src/backup/backup.ts";
import { restoreHome } from "../../../validator/src/backup/restore.ts";
import { homePaths } from "../../../validator/src/home.ts";
import { createIdentity, type Identity } from "../../../validator/src/identity.ts";
import { type OpenedStorage, openStorage } from "../../../validator/src/storage.ts";
import { createRandom } from "../../ether/prng.ts";
import { createTestGenesis, keyNamed, VALIDATOR } from "../validator/support/network.ts";

let folder: string;
let home: string;
let storage: OpenedStorage;
let identity: Identity;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "hexbeacon-backup-"));
  home = join(folder, "home");
  identity = createIdentity(createTestGenesis(1), VALIDATOR.secretSeed);
  storage = await openStorage(home, identity);
});
afterEach(() => storage.close().catch(() => undefined));

const open = () =>
  new Backups({ home, identity, version: "0.0.0" }, { storage, nowMs: () => 1_700_000_000_000 });
const digestOf = (seed: number) => sha256(Uint8Array.of(seed));
/** A batch's body, durable before anything names it, as the lane does it. */
async function putBatch(seq: number): Promise<void> {
  const body = new Uint8Array(1_000).fill(seq & 255);
  await storage.batches.putBatch(sha256(body), body);
  storage.votes.recordBatches([{ seq, digest: sha256(body) }]);
}

async function makeBackup(): Promise<string> {
  for (let seq = 1; seq <= 3; seq++) await putBatch(seq);
  storage.votes.recordJournal(5, [], [{ round: 5, view: 0, kind: "tips", digest: digestOf(5) }]);
  const target = join(folder, "backup");
  await open().backUp(target);
  return target;
}

describe("a backup", () => {
  test("has all but the keys, each file with its sum, in the form of sha256sum", async () => {
    writeFileSync(homePaths(home).key, "secret");
    writeFileSync(homePaths(home).operatorKey, "secret");
    writeFileSync(homePaths(home).genesis, "{}");
    const target = await makeBackup();
    expect(readdirSync(target).sort()).toEqual(
      ["SHA256SUMS", "batches", "genesis.json", "manifest.json", "store.sqlite", "votes.sqlite"].sort(),
    );
    execFileSync("sha256sum", ["--check", "--strict", "--quiet", "SHA256SUMS"], { cwd: target });
    const { manifest } = await openArchive(target);
    expect(manifest).toMatchObject({ round: null, files: 6, time: "2023-11-14T22:13:20.000Z" });
    await expect(open().backUp(target)).rejects.toMatchObject({ code: "file_exists" });
    expect(readdirSync(folder).filter((name) => name.endsWith(".partial"))).toEqual([]);
  });

  test("takes away what a power cut has left of an earlier one", async () => {
    const listUnfinished = () => readdirSync(folder).filter((name) => name.endsWith(".partial"));
    // Its time is read while it is made, too.
    const unfinished = new Set<string>();
    const nowMs = (): number => {
      for (const name of listUnfinished()) unfinished.add(name);
      return 0;
    };
    await new Backups({ home, identity, version: "0.0.0" }, { storage, nowMs }).backUp(join(folder, "old"));
    expect([unfinished.size, listUnfinished()]).toEqual([1, []]);
    for (const name of unfinished) {
      mkdirSync(join(folder, name));
      writeFileSync(join(folder, name, "store.sqlite"), "half of it");
    }
    await makeBackup();
    expect(listUnfinished()).toEqual([]);
  });

  test("is given up while it is hashed, too", async () => {
    const file = join(folder, "large");
    writeFileSync(file, new Uint8Array(1_000_000));
    const stopped = AbortSignal.abort(new CodedError("stopped", "the validator ends"));
    await expect(hashFile(file, stopped)).rejects.toMatchObject({ code: "stopped" });
  });

  test("has every batch that its votes name, whatever is written while it is made", async () => {
    for (let seq = 1; seq <= 20; seq++) await putBatch(seq);
    const target = join(folder, "backup");
    let isDone = false;
    const making = open()
      .backUp(target)
      .finally(() => {
        isDone = true;
      });
    let seq = 20;
    while (!isDone) await putBatch(++seq);
    await making;
    await storage.close();
    const restored = join(folder, "restored");
    await restoreHome(await openArchive(target), restored, identity);
    storage = await openStorage(restored, identity);
    const last = storage.votes.lastBatch()!;
    expect(last.seq).toBeGreaterThanOrEqual(20);
    expect(await storage.batches.getBatch(last.digest)).not.toBeNull();
  });

  test("holds back what retention gives up, and only until it is made", async () => {
    await putBatch(1);
    const body = new Uint8Array(1_000).fill(1);
    const release = storage.holdPruning();
    let isDeleted = false;
    const deleting = storage.batches.deleteBatches([sha256(body)]).then(() => {
      isDeleted = true;
    });
    for (const round of [3, 4])
      storage.votes.recordJournal(round, [], [{ round, view: 0, kind: "tips", digest: digestOf(round) }]);
    storage.votes.prune(4, 0);
    await putBatch(2);
    expect([isDeleted, storage.votes.lowestRound()]).toEqual([false, 3]);
    expect(await storage.batches.getBatch(sha256(body))).not.toBeNull();
    release();
    await deleting;
    expect([await storage.batches.getBatch(sha256(body)), storage.votes.lowestRound()]).toEqual([null, 4]);
  });

  test("of a large store ends between two steps of its copy when the validator does", async () => {
    const from = homePaths(home).store;
    const db = new DatabaseSync(from);
    db.exec("CREATE TABLE large (bytes BLOB); INSERT INTO large VALUES (zeroblob(10000000))");
    db.close();
    const reason = new Error("the validator ends");
    const to = join(folder, "copy.sqlite");
    await expect(copyStore(from, to, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(statSync(to).size).toBeLessThan(10_000_000);
  });

  test("is one at a time, and leaves nothing where it fails", async () => {
    await putBatch(1);
    const backups = open();
    const first = backups.backUp(join(folder, "first"));
    await expect(backups.backUp(join(folder, "second"))).rejects.toMatchObject({ code: "backup_busy" });
    await first;
    const [batches] = readdirSync(homePaths(home).batches);
    const [name] = readdirSync(join(homePaths(home).batches, batches!));
    appendFileSync(join(homePaths(home).batches, batches!, name!), "x");
    await expect(backups.backUp(join(folder, "third"))).rejects.toMatchObject({ code: "file_corrupt" });
    await backups.stop();
    await expect(backups.backUp(join(folder, "fourth"))).rejects.toMatchObject({ code: "stopped" });
    expect(readdirSync(folder).sort()).toEqual(["first", "home"]);
  });
});

describe("a restored home", () => {
  test("has what there was, and its votes say that they are old", async () => {
    const target = await makeBackup();
    await storage.close();
    const restored = join(folder, "restored");
    const archive = await openArchive(target);
    expect(archive.manifest).toMatchObject({ round: null });
    await restoreHome(archive, restored, identity);
    storage = await openStorage(restored, identity);
    expect(storage.votes.isRestored()).toBe(true);
    expect(storage.votes.voteOf(5, 0, "tips")).toEqual(digestOf(5));
    expect(storage.votes.lastBatch()?.seq).toBe(3);
    for (let seq = 1; seq <= 3; seq++)
      expect(await storage.batches.getBatch(sha256(new Uint8Array(1_000).fill(seq)))).not.toBeNull();
    storage.votes.unmarkRestored();
    expect(storage.votes.isRestored()).toBe(false);
    await expect(restoreHome(archive, restored, identity)).rejects.toMatchObject({ code: "home_exists" });
  });

  test("never has a log of what lay there before replayed over it", async () => {
    const archive = await openArchive(await makeBackup());
    const restored = join(folder, "restored");
    const { store, votes } = homePaths(restored);
    mkdirSync(restored);
    for (const left of [store, votes].flatMap((path) => [`${path}-wal`, `${path}-shm`])) {
      writeFileSync(left, "of another database");
      await expect(restoreHome(archive, restored, identity)).rejects.toMatchObject({
        ...{ code: "home_exists", message: expect.stringContaining(left) },
      });
      rmSync(left);
    }
    // An earlier try that a crash ended between its copy of the votes and their mark.
    writeFileSync(`${votes}.restoring-wal`, "of another database");
    await restoreHome(archive, restored, identity);
    expect(readdirSync(restored).sort()).toEqual(["batches", "store.sqlite", "votes.sqlite"]);
  });

  test("takes only bodies into its batches, and nothing beside them", async () => {
    const target = await makeBackup();
    const archive = await openArchive(target);
    const body = archive.paths.find((path) => path.startsWith("batches/"))!;
    const strange = ["elsewhere/file", "batches/readme", body.replace("batches/", "batches/x")];
    const restored = join(folder, "restored");
    await restoreHome({ ...archive, paths: [...archive.paths, ...strange] }, restored, identity);
    const found = readdirSync(join(restored, "batches"), { recursive: true, withFileTypes: true });
    expect(found.filter((entry) => entry.isFile())).toHaveLength(3);
  });

  test("is its own key's and network's only", async () => {
    const target = await makeBackup();
    const other = createIdentity(createTestGenesis(1), keyNamed("other").secretSeed);
    const archive = await openArchive(target);
    const elsewhere = createIdentity(createTestGenesis(2), VALIDATOR.secretSeed);
    for (const [who, words] of [
      [other, "and the home's key is"],
      [elsewhere, "of another network"],
    ] as const) {
      await expect(restoreHome(archive, join(folder, "x"), who)).rejects.toMatchObject({
        ...{ code: "backup_malformed", message: expect.stringContaining(words) },
      });
      expect(existsSync(join(folder, "x", "store.sqlite"))).toBe(false);
    }
  });

  test("never comes of a backup with anything changed in it", async () => {
    const target = await makeBackup();
    const { paths } = await openArchive(target);
    const files = [...paths, "manifest.json", "SHA256SUMS"];
    const random = createRandom(3);
    const damaged = join(folder, "damaged");
    const refusal = async (): Promise<unknown> => await openArchive(damaged).catch((error: unknown) => error);
    for (const file of files) {
      for (const damage of ["flip", "cut", "remove"] as const) {
        cpSync(target, damaged, { recursive: true });
        const path = join(damaged, file);
        const bytes = readFileSync(path);
        if (damage === "flip") bytes[Math.floor(random() * bytes.length)]! ^= 1 << Math.floor(random() * 8);
        if (damage === "remove") rmSync(path);
        else writeFileSync(path, damage === "cut" ? bytes.subarray(0, bytes.length - 1) : bytes);
        expect([file, damage, await refusal()]).toMatchObject([file, damage, { code: "backup_malformed" }]);
        rmSync(damaged, { recursive: true });
      }
    }
    // A file that goes together with its sum is missed by the manifest.
    cpSync(target, damaged, { recursive: true });
    const sums = readFileSync(join(damaged, "SHA256SUMS"), "utf8").split("\n");
    const gone = sums.findIndex((line) => line.includes("batches/"));
    rmSync(join(damaged, sums[gone]!.slice(66)));
    writeFileSync(join(damaged, "SHA256SUMS"), sums.toSpliced(gone, 1).join("\n"));
    expect(await refusal()).toMatchObject({ message: expect.stringContaining("files of") });
    renameSync(damaged, join(folder, "gone"));
    expect(await refusal()).toMatchObject({ message: expect.stringContaining("it is no backup") });
  });
});
