/**
 * How much of two cores' libsodium the verifier pool delivers, and how that compares with OpenSSL: signatures over
 * 300-byte messages, handed in as parcels of 64. Pool, bare threads and OpenSSL take turns of a second, so that
 * whatever else the machine does meets all three.
 */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { asciiBytes, concatBytes } from "../../protocol/src/bytes/bytes.ts";
import { createKeyPair, sign } from "../../protocol/src/crypto/ed25519.ts";
import { sha256 } from "../../protocol/src/crypto/sha256.ts";
import type { SignatureClaim } from "../../validator/src/verify/signatureJob.ts";
import { createVerifierPool, type VerifierPool } from "../../validator/src/verify/verifierPool.ts";
import { atLeast, atMost, type BenchRow } from "./benchRow.ts";
import type { RawRun } from "./verifyRawWorker.ts";

const THREADS = 2;
const ROUNDS = 4;
const ROUND_MS = 1000;
const PARCEL_CLAIMS = 64;
const CLAIMS = 512;
const MESSAGE_BYTES = 300;

const RAW_SHARE_MIN = 0.8;
const OPENSSL_MULTIPLE_MIN = 1.5;
/** A tenth of what the verification itself takes: beyond it the event loop would be the wall before the threads. */
const MAIN_THREAD_US_MAX = 5;

/** Signatures and the time they took; `busyMs` is the main thread's own CPU time. */
interface Tally {
  verified: number;
  elapsedMs: number;
  busyMs: number;
}

/** About 20 s. Where `openssl` is absent its row is left out, with the reason on stderr. */
export async function run(): Promise<BenchRow[]> {
  const claims = createClaims();
  const { pool, raw, openssl } = await measureInTurns(claims);
  const [poolPerSecond, rawPerSecond] = [computeRate(pool), computeRate(raw)];
  const mainThreadUs = (1000 * pool.busyMs) / pool.verified;
  const rows: BenchRow[] = [
    atLeast(
      `verifier pool, ${poolPerSecond} verify/s, over sodium-native alone on ${THREADS} threads, ${rawPerSecond}`,
      poolPerSecond / rawPerSecond,
      "x",
      RAW_SHARE_MIN,
    ),
    atMost("verifier pool, main thread's CPU time for one signature", mainThreadUs, "us", MAIN_THREAD_US_MAX),
  ];
  if (openssl === null) {
    process.stderr.write("verify: no comparison with OpenSSL, for `openssl speed` does not run here\n");
  } else {
    const opensslPerSecond = computeRate(openssl);
    const name = `verifier pool over openssl speed -multi ${THREADS} ed25519, ${opensslPerSecond} verify/s`;
    rows.push(atLeast(name, poolPerSecond / opensslPerSecond, "x", OPENSSL_MULTIPLE_MIN));
  }
  return rows;
}

function computeRate(tally: Tally): number {
  return Math.round((1000 * tally.verified) / tally.elapsedMs);
}

/** Valid claims over distinct messages by 64 keys, so that no cache of a point helps. */
function createClaims(): SignatureClaim[] {
  const domain = concatBytes(asciiBytes("hexbeacon/reports/"), new Uint8Array(32));
  const pairs = Array.from({ length: 64 }, (_, at) => createKeyPair(sha256(asciiBytes(`bench ${at}`))));
  return Array.from({ length: CLAIMS }, (_, at) => {
    const { publicKey, secretSeed } = pairs[at % pairs.length]!;
    const body = new Uint8Array(MESSAGE_BYTES - domain.length).fill(at);
    return { publicKey, message: [domain, body], signature: sign(secretSeed, concatBytes(domain, body)) };
  });
}

interface Turns {
  readonly pool: Tally;
  readonly raw: Tally;
  readonly openssl: Tally | null;
}

async function measureInTurns(claims: readonly SignatureClaim[]): Promise<Turns> {
  const program = new URL("./verifyRawWorker.ts", import.meta.url);
  const workers = Array.from({ length: THREADS }, () => new Worker(program));
  const verifier = createVerifierPool({ threads: THREADS });
  await verifier.whenReady();
  // One turn before the count warms up caches and compilers.
  await measureRaw(workers, claims);
  await measurePool(verifier, claims);
  const pool: Tally = { verified: 0, elapsedMs: 0, busyMs: 0 };
  const raw: Tally = { verified: 0, elapsedMs: 0, busyMs: 0 };
  let openssl: Tally | null = { verified: 0, elapsedMs: 0, busyMs: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    addTally(raw, await measureRaw(workers, claims));
    addTally(pool, await measurePool(verifier, claims));
    const opensslRound = openssl === null ? null : await measureOpenSsl();
    if (openssl === null || opensslRound === null) openssl = null;
    else addTally(openssl, opensslRound);
  }
  await Promise.all([verifier.close(), ...workers.map((worker) => worker.terminate())]);
  return { pool, raw, openssl };
}

function addTally(sum: Tally, round: Tally): void {
  sum.verified += round.verified;
  sum.elapsedMs += round.elapsedMs;
  sum.busyMs += round.busyMs;
}

/** Keeps the pool fed with parcels while it accepts them, as intake does. */
async function measurePool(pool: VerifierPool, claims: readonly SignatureClaim[]): Promise<Tally> {
  const cpuBefore = process.threadCpuUsage();
  const startMs = performance.now();
  const running = new Set<Promise<void>>();
  let verified = 0;
  const verifyParcel = async (parcel: readonly SignatureClaim[]) => {
    const answers = await pool.verify(parcel);
    if (answers.includes(0)) throw new Error("a valid signature was refused");
    verified += answers.length;
  };
  for (let at = 0; performance.now() - startMs < ROUND_MS; at = (at + PARCEL_CLAIMS) % claims.length) {
    // Two parcels a thread in work and as many at hand.
    if (running.size >= 4 * THREADS) await Promise.race(running);
    const parcel = verifyParcel(claims.slice(at, at + PARCEL_CLAIMS));
    running.add(parcel);
    void parcel.finally(() => running.delete(parcel));
  }
  await Promise.all(running);
  const elapsedMs = performance.now() - startMs;
  const cpu = process.threadCpuUsage(cpuBefore);
  const busyMs = (cpu.user + cpu.system) / 1000;
  return { verified, elapsedMs, busyMs };
}

/** Both threads at once, each its own rate; the longer time counts, as for the pool. */
async function measureRaw(workers: readonly Worker[], claims: readonly SignatureClaim[]): Promise<Tally> {
  const plain = claims.map(({ publicKey, message, signature }) => {
    return { publicKey, message: concatBytes(...message), signature };
  });
  const order: RawRun = { claims: plain, durationMs: ROUND_MS };
  const answers = workers.map(async (worker) => {
    worker.postMessage(order);
    const [tally] = await once(worker, "message");
    return tally as { verified: number; elapsedMs: number };
  });
  const tallies = await Promise.all(answers);
  const verified = tallies.reduce((sum, tally) => sum + tally.verified, 0);
  return { verified, elapsedMs: Math.max(...tallies.map((tally) => tally.elapsedMs)), busyMs: 0 };
}

/**
 * A second of OpenSSL's own benchmark; null where the program is absent or says something else. It is asked for real
 * time: by default it counts processor time, which would spare it what other processes take from the rest.
 */
async function measureOpenSsl(): Promise<Tally | null> {
  const command = ["speed", "-elapsed", "-multi", String(THREADS), "-seconds", "1", "ed25519"];
  try {
    const { stdout } = await promisify(execFile)("openssl", command, { timeout: 60_000 });
    const [, perSecond] = /Ed25519\)\s+\S+s\s+\S+s\s+\S+\s+(\d+(?:\.\d+)?)\s*$/m.exec(stdout) ?? [];
    return perSecond === undefined ? null : { verified: Number(perSecond), elapsedMs: 1000, busyMs: 0 };
  } catch {
    return null;
  }
}
