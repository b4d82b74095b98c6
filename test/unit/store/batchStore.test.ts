/** Bodies of batches on a real disk: durable, whole or refused, and cleared away after a crash. */
import { mkdirSync, mkdtempSync, readdirSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { type BatchStore, openBatchStore } from "../../../validator/src/store/batchStore.ts";
import { named } from "./history.ts";

let directory: string;
let batches: BatchStore;
beforeEach(async () => {
  directory = join(mkdtempSync(join(tmpdir(), "hexbeacon-batches-")), "batches");
  batches = await openBatchStore(directory);
});

const body = new Uint8Array(5_000).map((_, i) => i % 251);
const digest = sha256(body);
const path = () => join(directory, encodeHex(digest).slice(0, 2), encodeHex(digest));

test("gives a body back by its digest, also to the next process", async () => {
  await batches.putBatch(digest, body);
  expect(new Uint8Array((await batches.getBatch(digest))!)).toEqual(body);
  const again = await openBatchStore(directory);
  expect(new Uint8Array((await again.getBatch(digest))!)).toEqual(body);
  expect(await batches.getBatch(named("another"))).toBeNull();
  expect(statSync(path()).mode & 0o077).toBe(0);
});

test("writes a body once, however many offer it at once", async () => {
  await Promise.all(Array.from({ length: 8 }, () => batches.putBatch(digest, body)));
  const { ino } = statSync(path());
  await batches.putBatch(digest, body);
  expect(statSync(path()).ino).toBe(ino);
  expect(readdirSync(join(path(), ".."))).toEqual([encodeHex(digest)]);
});

test("notices a torn or altered file, and takes a good one in its place", async () => {
  for (const damage of [
    () => truncateSync(path(), 100),
    () => truncateSync(path(), 0),
    () => writeFileSync(path(), "x"),
  ]) {
    await batches.putBatch(digest, body);
    damage();
    await expect(batches.getBatch(digest)).rejects.toMatchObject({ code: "file_corrupt" });
    await batches.putBatch(digest, body);
    expect(new Uint8Array((await batches.getBatch(digest))!)).toEqual(body);
  }
});

test("clears away what a crash has left unfinished, and nothing else", async () => {
  await batches.putBatch(digest, body);
  const folder = join(path(), "..");
  writeFileSync(join(folder, `.${encodeHex(digest)}.0a1b.tmp`), "half");
  mkdirSync(join(directory, "lost+found"));
  const again = await openBatchStore(directory);
  expect(readdirSync(folder)).toEqual([encodeHex(digest)]);
  expect(await again.getBatch(digest)).not.toBeNull();
});

test("deletes what it is told to, and minds no unknown digest", async () => {
  await batches.putBatch(digest, body);
  await batches.deleteBatches([digest, named("another")]);
  expect(await batches.getBatch(digest)).toBeNull();
  await batches.putBatch(digest, body);
  expect(await batches.getBatch(digest)).not.toBeNull();
});

test("refuses a body under another digest", async () => {
  await expect(batches.putBatch(named("another"), body)).rejects.toThrow("another digest");
});
