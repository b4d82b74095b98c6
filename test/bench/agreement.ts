/**
 * Four validators as processes on one machine, with the load generator beside them: how long a decision takes, how many
 * reports a second come all the way into executed rounds, how fast a validator that is far behind catches up; and what
 * the certificate of a large set costs.
 */
import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import {
  assembleSignatures,
  checkFinalCert,
  createValidatorSet,
} from "../../protocol/src/agreement/certificates.ts";
import { encodeVoteBody } from "../../protocol/src/agreement/rounds.ts";
import { asciiBytes } from "../../protocol/src/bytes/bytes.ts";
import { createSigningDomains } from "../../protocol/src/crypto/domain.ts";
import { sha256 } from "../../protocol/src/crypto/sha256.ts";
import { MAX_ENVELOPES_PER_PARCEL } from "../../protocol/src/wire/envelope.ts";
import { createSigner } from "../../validator/src/signer.ts";
import { verifyEd25519 } from "../../validator/src/verify/verifyEd25519.ts";
import { fetchState } from "../devnet/src/api.ts";
import { type Fleet, startFleet } from "../devnet/src/fleet/fleet.ts";
import {
  AS_HOTSPOTS,
  type Bringing,
  type Load,
  openLoad,
  type SignedReport,
} from "../devnet/src/fleet/load.ts";
import { computeQuantile, readMetrics } from "../devnet/src/fleet/metricsPage.ts";
import { readCpuMs } from "../devnet/src/fleet/processUsage.ts";
import { validatorName } from "../devnet/src/validators.ts";
import { atLeast, atMost, type BenchRow } from "./benchRow.ts";

const VALIDATORS = 4;
/** Each may send 256 reports an epoch. */
const HOTSPOTS = 1_000;
/** One epoch for a whole measurement, so that what was signed before it counts in it. */
const ONE_EPOCH = { roundsPerEpoch: 100_000 };

/** A hotspot gathers what it hears for some seconds, up to sixteen reports, under one signature: four are few. */
const LATENCY = { reportsPerSecond: 1_000, reportsPerEnvelope: 4, roundMs: 500, seconds: 60, p99MsMax: 300 };
/** A validator answers eight requests of one peer at a time: parcels under way are seven for each. */
const THROUGHPUT = { envelopes: 64_000, roundMs: 1_000, underWay: 7 * VALIDATORS, perSecondMin: 5_000 };
/** Rounds as fast as they may be: how many there are to catch up with matters, and not how long they took. */
const CATCH_UP = { rounds: 1_000, roundMs: 50, reportsPerSecond: 50, secondsMax: 30 };
const CERTIFICATE = { validators: 100, repetitions: 20, msMax: 20 };
const LOOK_MS = 50;
const RETRY_MS = 250;

/** About 4 minutes. */
export async function run(): Promise<BenchRow[]> {
  return [
    ...measureCertificate(),
    ...(await measureLatency()),
    ...(await measureThroughput(1)),
    ...(await measureThroughput(4)),
    ...(await measureCatchUp()),
  ];
}

async function withFleet<Result>(
  parameters: { readonly roundMs: number; readonly roundsPerEpoch?: number },
  work: (fleet: Fleet, load: Load) => Promise<Result>,
  reportsPerEnvelope = 1,
): Promise<Result> {
  const fleet = await startFleet({
    validators: VALIDATORS,
    hotspots: HOTSPOTS,
    seed: 1,
    preset: "devnet",
    parameters: { ...ONE_EPOCH, ...parameters },
  });
  const load = await openLoad(fleet, reportsPerEnvelope);
  try {
    await load.reached(2);
    return await work(fleet, load);
  } finally {
    await load.close();
    await fleet.stop();
  }
}

/** From a validator's own tips to its decision, over all validators and rounds of a minute. */
async function measureLatency(): Promise<BenchRow[]> {
  const { reportsPerSecond, reportsPerEnvelope, roundMs, seconds, p99MsMax } = LATENCY;
  const measure = async ({ validators }: Fleet, load: Load): Promise<BenchRow[]> => {
    const histograms = async () => {
      const pages = await Promise.all(validators.map(readMetrics));
      return pages.map(({ buckets }) => buckets("hexbeacon_round_decision_seconds"));
    };
    const running = load.start(reportsPerSecond, AS_HOTSPOTS);
    // The first seconds compile what the rest runs.
    await load.reached(load.newest().round + 20);
    const before = await histograms();
    const firstRound = load.newest().round;
    await delay(seconds * 1_000);
    const after = await histograms();
    const rounds = load.newest().round - firstRound;
    await running.stop();
    const quantileMs = (share: number) => 1_000 * computeQuantile(share, before, after);
    const name = (which: string) =>
      `${which} of a decision at ${reportsPerSecond} reports/s, ${reportsPerEnvelope} under a signature, ` +
      `${VALIDATORS} validators, ${rounds} rounds`;
    return [
      atMost(name("p50"), quantileMs(0.5), "ms", p99MsMax),
      atMost(name("p99"), quantileMs(0.99), "ms", p99MsMax),
    ];
  };
  return await withFleet({ roundMs }, measure, reportsPerEnvelope);
}

/** Reports that are signed before, each submitted to one validator: from the first parcel to the last execution. */
async function measureThroughput(reportsPerEnvelope: number): Promise<BenchRow[]> {
  const { envelopes, roundMs, underWay, perSecondMin } = THROUGHPUT;
  const measure = async ({ validators }: Fleet, load: Load): Promise<BenchRow[]> => {
    const parcels: SignedReport[][] = [];
    for (let at = 0; at < envelopes; at += MAX_ENVELOPES_PER_PARCEL)
      parcels.push(Array.from({ length: MAX_ENVELOPES_PER_PARCEL }, () => load.sign(0)));
    const total = parcels.length * MAX_ENVELOPES_PER_PARCEL;
    const reports = total * reportsPerEnvelope;
    const cpuBefore = validators.map((role) => readCpuMs(role.pid()));
    const ownBefore = process.cpuUsage();
    const startMs = performance.now();
    await bringAll(load, parcels, underWay);
    for (;;) {
      const executed = (await readMetrics(validators[0]!)).sum("hexbeacon_messages_executed_total");
      if (executed >= total) break;
      await delay(LOOK_MS);
    }
    const seconds = (performance.now() - startMs) / 1_000;
    const { user, system } = process.cpuUsage(ownBefore);
    const cpuMs = validators.map((role, index) => readCpuMs(role.pid()) - cpuBefore[index]!);
    const eachUs = (1_000 * cpuMs.reduce((sum, each) => sum + each, 0)) / VALIDATORS / reports;
    const name =
      `reports, ${reportsPerEnvelope} under a signature, into executed rounds of ${VALIDATORS} validators and their load on one machine ` +
      `(CPU of each validator ${eachUs.toFixed(0)} us a report, of the load ${((user + system) / reports).toFixed(0)})`;
    return [atLeast(name, reports / seconds, "reports/s", perSecondMin)];
  };
  return await withFleet({ roundMs }, measure, reportsPerEnvelope);
}

/** So many parcels under way; one that got no receipt is brought again after a while, as a hotspot would. */
async function bringAll(load: Load, parcels: readonly SignedReport[][], underWay: number): Promise<void> {
  const waiting = [...parcels];
  const once: Bringing = { receipts: 1, isGossiped: false };
  const bringInTurn = async (): Promise<void> => {
    for (let parcel = waiting.pop(); parcel !== undefined; parcel = waiting.pop()) {
      if ((await load.bring(parcel, once)) > 0) continue;
      waiting.push(parcel);
      await delay(RETRY_MS);
    }
  };
  await Promise.all(Array.from({ length: underWay }, bringInTurn));
}

/** One validator gets the home back that it had a thousand rounds before, and meets the others' newest round again. */
async function measureCatchUp(): Promise<BenchRow[]> {
  const { rounds, roundMs, reportsPerSecond, secondsMax } = CATCH_UP;
  return await withFleet({ roundMs, roundsPerEpoch: 100 }, async ({ folder, validators }, load) => {
    const behind = validators.at(-1)!;
    const home = join(folder, validatorName(VALIDATORS - 1));
    await behind.stop();
    await cp(home, `${home}-before`, { recursive: true });
    const from = load.newest().round;
    await behind.start();
    const running = load.start(reportsPerSecond, AS_HOTSPOTS);
    await load.reached(from + rounds);
    await behind.stop();
    await rm(home, { recursive: true });
    await cp(`${home}-before`, home, { recursive: true });
    await behind.start();
    const startMs = performance.now();
    const isThere = async (): Promise<boolean> => {
      const { round } = await fetchState(behind.ready().http).catch(() => ({ round: null }));
      return (round ?? 0) >= load.newest().round - 1;
    };
    while (!(await isThere())) await delay(LOOK_MS);
    const seconds = (performance.now() - startMs) / 1_000;
    const missed = load.newest().round - from;
    await running.stop();
    const name = `to catch up with ${missed} rounds, ${reportsPerSecond} reports/s going on`;
    return [atMost(name, seconds, "s", secondsMax)];
  });
}

/** A quorum of a hundred: every signature over its own vote, by the network's rule, in one thread. */
function measureCertificate(): BenchRow[] {
  const { validators, repetitions, msMax } = CERTIFICATE;
  const domains = createSigningDomains(sha256(asciiBytes("bench network")));
  const signers = Array.from({ length: validators }, (_, at) =>
    createSigner(domains, sha256(asciiBytes(`bench validator ${at}`))),
  );
  const set = createValidatorSet(signers.map(({ publicKey }) => publicKey));
  const vote = { round: 7, view: 1, value: sha256(asciiBytes("value")) };
  const votes = signers
    .slice(0, set.quorum)
    .map((signer, seat) => [seat, signer.sign("finalize", encodeVoteBody(vote))] as const);
  const cert = { ...vote, ...assembleSignatures(new Map(votes), set) };
  const startMs = performance.now();
  for (let turn = 0; turn < repetitions; turn++) {
    const fault = checkFinalCert(cert, set, domains, verifyEd25519);
    if (fault !== null) throw new Error(`the certificate is not valid: ${fault}`);
  }
  const ms = (performance.now() - startMs) / repetitions;
  return [atMost(`certificate of ${set.quorum} of ${validators} verified`, ms, "ms", msMax)];
}
