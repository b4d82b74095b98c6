import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ed25519 } from "@noble/curves/ed25519.js";
import { p256 } from "@noble/curves/nist.js";
import sodium from "sodium-native";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { verifyDeviceSignature } from "../../../node/src/host/verify.ts";
import { asciiBytes, concatBytes } from "../../../protocol/src/bytes/bytes.ts";
import { createKeyPair, sign } from "../../../protocol/src/crypto/ed25519.ts";
import { createP256KeyPair, signP256 } from "../../../protocol/src/crypto/p256.ts";
import type { SignatureClaim, VerifyDetached } from "../../../validator/src/verify/signatureJob.ts";
import { checkDeviceRule, checkVerificationRule } from "../../../validator/src/verify/verificationRule.ts";
import {
  createVerifierPool,
  type VerifierPool,
  type VerifierPoolOptions,
} from "../../../validator/src/verify/verifierPool.ts";
import { createTorsionVectors } from "../../vectors/ed25519-torsion.ts";

const pair = createKeyPair(new Uint8Array(32).fill(5));
const pools: VerifierPool[] = [];

function openPool(options: VerifierPoolOptions = {}): VerifierPool {
  const pool = createVerifierPool({ threads: 2, ...options });
  pools.push(pool);
  return pool;
}

afterEach(() => Promise.all(pools.splice(0).map((pool) => pool.close())));

/** A claim whose signature is right, or one bit off. */
function claimOf(text: string | Uint8Array, isValid = true): SignatureClaim {
  const message = typeof text === "string" ? asciiBytes(text) : text;
  const signature = sign(pair.secretSeed, message);
  if (!isValid) signature[40]! ^= 1;
  return { publicKey: pair.publicKey, message: [message], signature };
}

/** `count` claims with a pattern of right and wrong ones, and the answers they must get. */
function mixedBatch(count: number): { batch: SignatureClaim[]; expected: Uint8Array } {
  const [right, wrong] = [claimOf("right"), claimOf("wrong", false)];
  const isRight = (at: number) => (at * at + (at >> 3)) % 3 !== 0;
  const batch = Array.from({ length: count }, (_, at) => (isRight(at) ? right : wrong));
  return { batch, expected: Uint8Array.from(batch, (claim) => (claim === right ? 1 : 0)) };
}

describe("verifier pool", () => {
  test.each([1, 7, 64, 65, 1000])("%i signatures are answered in their order", async (count) => {
    const { batch, expected } = mixedBatch(count);
    expect(await openPool().verify(batch)).toEqual(expected);
  });

  test("keys of both curves are told apart by their length, and each judged by its own rule", async () => {
    const device = createP256KeyPair(new Uint8Array(32).fill(6));
    const message = [asciiBytes("both")];
    const own = { publicKey: device.publicKey, message, signature: signP256(device.secret, message[0]!) };
    const zeroFirst = { ...own, publicKey: concatBytes(Uint8Array.of(0), pair.publicKey) };
    const swapped = { ...claimOf("both"), publicKey: device.publicKey };
    const batch = [own, claimOf("both"), zeroFirst, swapped, { ...own, publicKey: pair.publicKey }, own];
    expect([...(await openPool({ threads: 1 }).verify(batch))]).toEqual([1, 1, 0, 0, 0, 1]);
  });

  test("many batches at once each get their own answers", async () => {
    const pool = openPool({ threads: 3 });
    const batches = Array.from({ length: 60 }, (_, at) => mixedBatch(1 + ((at * 7) % 40)));
    const answers = await Promise.all(batches.map(({ batch }) => pool.verify(batch)));
    expect(answers).toEqual(batches.map(({ expected }) => expected));
    expect(pool.pending).toBe(0);
  });

  test("judges the torsion vectors by the network's rule", async () => {
    const vectors = createTorsionVectors();
    const answers = await openPool().verify(
      vectors.map(({ publicKey, message, signature }) => ({ publicKey, message: [message], signature })),
    );
    expect([...answers]).toEqual(vectors.map(({ valid }) => (valid ? 1 : 0)));
  });

  test("joins a message's parts", async () => {
    const message = asciiBytes("hexbeacon/reports/ and a body");
    const { publicKey, signature } = claimOf(message);
    const splits = [
      [message],
      [message.subarray(0, 18), message.subarray(18)],
      [new Uint8Array(0), message.subarray(0, 1), message.subarray(1), new Uint8Array(0)],
    ];
    const swapped = [message.subarray(18), message.subarray(0, 18)];
    const batch = [...splits, swapped, []].map((parts) => ({ publicKey, message: parts, signature }));
    expect([...(await openPool().verify(batch))]).toEqual([1, 1, 1, 0, 0]);
  });

  test("wrong lengths are invalid, and nothing of an earlier job shines through", async () => {
    const pool = openPool({ threads: 1 });
    const good = claimOf("good");
    const bad = [
      { ...good, publicKey: good.publicKey.subarray(1) },
      { ...good, publicKey: concatBytes(good.publicKey, Uint8Array.of(0)) },
      { ...good, publicKey: new Uint8Array(0) },
      { ...good, signature: good.signature.subarray(1) },
      { ...good, signature: concatBytes(good.signature, Uint8Array.of(0)) },
      { ...good, signature: new Uint8Array(0) },
    ];
    for (let round = 0; round < 3; round++) {
      expect([...(await pool.verify(new Array(8).fill(good)))]).toEqual(new Array(8).fill(1));
      expect([...(await pool.verify(bad))]).toEqual(new Array(6).fill(0));
    }
  });

  test("takes empty, long and very long messages", async () => {
    const pool = openPool();
    const sizes = [0, 1, 65_535, 65_536, 65_537, 300_000, 10];
    const batch = sizes.map((size) => claimOf(new Uint8Array(size).fill(3)));
    expect([...(await pool.verify(batch))]).toEqual(sizes.map(() => 1));
    expect(await pool.verify([])).toEqual(new Uint8Array(0));
  });

  test("says when it is full, takes the batch that fills it, and refuses the next", async () => {
    const pool = openPool({ threads: 1, maxQueued: 10 });
    const { batch, expected } = mixedBatch(25);
    expect(pool.canAcceptWork()).toBe(true);
    const answers = pool.verify(batch);
    expect(pool.pending).toBe(25);
    expect(pool.canAcceptWork()).toBe(false);
    await expect(pool.verify([claimOf("one more")])).rejects.toMatchObject({ code: "verifier_pool_full" });
    expect(await answers).toEqual(expected);
    expect(pool.canAcceptWork()).toBe(true);
  });

  test("refuses limits below one", () => {
    for (const options of [{ threads: 0 }, { threads: 1.5 }, { maxQueued: 0 }]) {
      expect(() => createVerifierPool(options)).toThrow(RangeError);
    }
  });

  test("closing rejects what has no answer, and everything after", async () => {
    const pool = openPool();
    await pool.whenReady();
    expect(pool.state).toBe("ready");
    const left = [pool.verify(mixedBatch(500).batch), pool.verify(mixedBatch(3).batch)];
    const outcomes = Promise.allSettled(left);
    await pool.close();
    await pool.close();
    for (const outcome of await outcomes) {
      expect(outcome).toMatchObject({ status: "rejected", reason: { code: "verifier_pool_closed" } });
    }
    await expect(pool.verify([claimOf("late")])).rejects.toMatchObject({ code: "verifier_pool_closed" });
    expect([pool.state, pool.pending, pool.canAcceptWork()]).toEqual(["closed", 0, false]);
  });

  test("closing before the threads are up ends the wait for them", async () => {
    const pool = openPool();
    const ready = expect(pool.whenReady()).rejects.toMatchObject({ code: "verifier_pool_closed" });
    await pool.close();
    await ready;
  });
});

describe("verifier pool with failing threads", () => {
  const workerUrl = new URL("./mortalWorker.ts", import.meta.url);
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "hexbeacon-verify-"));
  });

  test("a thread that dies is replaced and its work done again", async () => {
    const pool = openPool({ workerUrl, threads: 1 });
    const { batch, expected } = mixedBatch(200);
    const unlucky = claimOf(`die once ${join(folder, "died")}`);
    const answers = await Promise.all([pool.verify(batch), pool.verify([unlucky]), pool.verify(batch)]);
    expect(answers).toEqual([expected, Uint8Array.of(1), expected]);
    expect(pool.restarts).toBe(1);
    expect(pool.state).toBe("ready");
  });

  test("work that kills twice is given up; its neighbours are not", async () => {
    const pool = openPool({ workerUrl, threads: 1 });
    const { batch, expected } = mixedBatch(64);
    const before = pool.verify(batch);
    // As many claims as a job holds, so that no neighbour travels with it.
    const deadly = pool.verify(new Array(64).fill(claimOf("die")));
    const after = pool.verify(batch);
    await expect(deadly).rejects.toMatchObject({
      code: "verifier_thread_died",
      cause: { message: "died as told" },
    });
    expect(await before).toEqual(expected);
    expect(await after).toEqual(expected);
    expect([pool.restarts, pool.pending]).toEqual([2, 0]);
  });

  test("threads that only die make the pool fail, with the cause", async () => {
    const pool = openPool({ workerUrl: new URL("./stillbornWorker.ts", import.meta.url) });
    const waiting = expect(pool.verify([claimOf("x")])).rejects.toMatchObject({
      code: "verifier_pool_failed",
      cause: { message: "no library here" },
    });
    await expect(pool.whenReady()).rejects.toMatchObject({ code: "verifier_pool_failed" });
    await waiting;
    expect([pool.state, pool.pending, pool.canAcceptWork()]).toEqual(["failed", 0, false]);
    await expect(pool.verify([claimOf("x")])).rejects.toMatchObject({ code: "verifier_pool_failed" });
  });

  test("a libsodium with another rule stops the pool at once", async () => {
    const pool = openPool({ workerUrl: new URL("./heterodoxWorker.ts", import.meta.url) });
    await expect(pool.whenReady()).rejects.toMatchObject({ code: "verifier_rule_mismatch" });
    await expect(pool.verify([claimOf("x")])).rejects.toMatchObject({ code: "verifier_rule_mismatch" });
  });
});

describe("the threads' check of the rule", () => {
  test("passes this libsodium and fails verifiers that follow another rule", () => {
    const viaSodium = (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) =>
      sodium.crypto_sign_verify_detached(
        Buffer.from(signature),
        Buffer.from(message),
        Buffer.from(publicKey),
      );
    expect(checkVerificationRule(viaSodium)).toBe(true);
    for (const zip215 of [true, false]) {
      expect(checkVerificationRule((...claim) => ed25519.verify(...claim, { zip215 }))).toBe(false);
    }
    expect(checkVerificationRule(() => true)).toBe(false);
    expect(checkVerificationRule(() => false)).toBe(false);
  });

  test("passes this OpenSSL, and fails one that takes both halves of s or does not have the curve", () => {
    expect(checkDeviceRule((signature, message, key) => verifyDeviceSignature(key, message, signature))).toBe(
      true,
    );
    const both: VerifyDetached = (signature, message, key) =>
      p256.verify(signature, message, key, { prehash: true, lowS: false, format: "compact" });
    expect(checkDeviceRule(both)).toBe(false);
    expect(checkDeviceRule(() => false)).toBe(false);
  });
});
