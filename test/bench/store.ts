/**
 * What the embedded store costs: the durable commit of a round at 10,000 reports a second with one report an envelope,
 * the worst case of the intake's figure, and the answers that the API gives most. Learned here: the statements for an
 * envelope and its hotspot's head cost more than its report's row and verdict together, so bundles pay off here too.
 * Both indexes on reports are written at the warm end of the file, so the last rounds cost no more than the first.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { asciiBytes, uint64Bytes } from "../../protocol/src/bytes/bytes.ts";
import { sha256 } from "../../protocol/src/crypto/sha256.ts";
import type { HotspotView, ReportOutcome, RoundResult } from "../../protocol/src/ledger/types.ts";
import { openSqliteStore } from "../../validator/src/store/sqliteStore/sqliteStore.ts";
import type { GenesisViews, RoundCommit, Store } from "../../validator/src/store/store.ts";
import { atLeast, atMost, type BenchRow } from "./benchRow.ts";

const HOTSPOTS = 100_000;
const ROUNDS = 60;
/** A second of the intake's figure. */
const REPORTS_PER_ROUND = 10_000;
/** Every so many reports are a beacon. */
const REPORTS_PER_BEACON = 50;
const READS = 5_000;

const idOf = (round: number, n: number): Uint8Array => sha256(uint64Bytes(round * REPORTS_PER_ROUND + n));
const keyOf = (n: number): Uint8Array => sha256(asciiBytes("hotspot"), uint64Bytes(n));

/** Reports of a round by hotspots all over the registry: outcomes as they are at inclusion. */
function hearRound(round: number, keys: readonly Uint8Array[]): ReportOutcome[] {
  return Array.from({ length: REPORTS_PER_ROUND }, (_, n): ReportOutcome => {
    const isBeacon = n % REPORTS_PER_BEACON === 0;
    const radio = {
      freqHz: 868_100_000,
      spreadingFactor: 9,
      bandwidthHz: 125_000,
      timeMs: 1_800_000_000_000 + round,
    };
    return {
      reportId: { envelopeId: idOf(round, n), index: 0 },
      hotspot: keys[(n * 7_919 + round * 104_729) % HOTSPOTS]!,
      kind: isBeacon ? "beacon" : "witness",
      includedRound: round,
      state: "pending",
      reason: null,
      selectionPending: false,
      beacon: null,
      beaconReport: isBeacon ? { commit: idOf(round, n), powerCentiDbm: 1_400, ...radio } : null,
      measurement: isBeacon ? null : { rssiDeciDbm: -1_100, rssiKind: "signal", snrCentiDb: -250, ...radio },
      distanceM: null,
      ceilingCentiDbm: null,
      unitsPpm: null,
    };
  });
}

/** The verdicts of a round's reports: each witness is judged with the beacon before it. */
function judgeRound(heard: readonly ReportOutcome[]): ReportOutcome[] {
  return heard.map((outcome, n) => ({
    ...outcome,
    state: "accepted",
    beacon: heard[n - (n % REPORTS_PER_BEACON)]!.reportId,
    distanceM: 4_000,
    ceilingCentiDbm: -6_000,
  }));
}

function commitOf(
  round: number,
  heard: readonly ReportOutcome[],
  judged: readonly ReportOutcome[],
): RoundCommit {
  const result: RoundResult = {
    round,
    epoch: 0,
    timeMs: 1_800_000_000_000 + round,
    included: heard.map(({ reportId }) => reportId.envelopeId),
    notExecuted: [],
    outcomes: [...heard, ...judged],
    beaconsClosed: [],
    transactions: [],
    overQuota: [],
    hotspotsChanged: [],
    accountsChanged: [],
    validatorsChanged: [],
    evidence: [],
    epochClose: null,
    stateDigest: idOf(round, 0),
  };
  return {
    value: uint64Bytes(round),
    finalCert: uint64Bytes(round),
    result,
    batchDigests: [],
    batchSpans: [],
  };
}

function createHotspots(): HotspotView[] {
  return Array.from({ length: HOTSPOTS }, (_, n) => ({
    key: keyOf(n),
    owner: keyOf(n % 1_000),
    registeredEpoch: -2,
    bond: 0n,
    assertion: null,
    device: null,
    lastActiveEpoch: null,
    silentUntilEpoch: null,
    leavingUntilEpoch: null,
  }));
}

const nowMs = (): number => performance.now();
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

async function writeRounds(store: Store, keys: readonly Uint8Array[]): Promise<number[]> {
  const durations: number[] = [];
  let before: ReportOutcome[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const heard = hearRound(round, keys);
    const commit = commitOf(round, heard, judgeRound(before));
    const start = nowMs();
    await store.commitRound(commit);
    durations.push(nowMs() - start);
    before = heard;
  }
  return durations;
}

/** Answers a second to one question asked again and again. */
/** A genesis with nobody in it. */
const NOBODY: GenesisViews = { hotspots: [], accounts: [], validators: [], seats: [] };

async function rateOf(ask: (n: number) => Promise<unknown>): Promise<number> {
  const start = nowMs();
  for (let n = 0; n < READS; n++) await ask(n);
  return (1_000 * READS) / (nowMs() - start);
}

export async function run(): Promise<readonly BenchRow[]> {
  const directory = mkdtempSync(join(tmpdir(), "hexbeacon-bench-store-"));
  const options = { path: join(directory, "store.sqlite"), networkId: keyOf(0) };
  try {
    const hotspots = createHotspots();
    const keys = hotspots.map(({ key }) => key);
    const store = await openSqliteStore({ ...options, genesis: { ...NOBODY, hotspots } });
    const durations = await writeRounds(store, keys);
    const sizeBytes = await store.sizeBytes();
    const beacons = await rateOf((n) =>
      store.getBeacon({ envelopeId: idOf(n % (ROUNDS - 1), REPORTS_PER_BEACON * (n % 200)), index: 0 }),
    );
    const activity = await rateOf((n) => store.listActivity(keys[(n * 31) % HOTSPOTS]!, null, 100));
    const single = await rateOf((n) => store.getHotspot(keys[(n * 31) % HOTSPOTS]!));
    const statuses = await rateOf((n) => store.messageStatus([idOf(n % ROUNDS, n % REPORTS_PER_ROUND)]));
    await store.close();
    const start = nowMs();
    await (await openSqliteStore({ ...options, genesis: NOBODY })).close();
    const reports = ROUNDS * REPORTS_PER_ROUND;
    return [
      atMost(
        "commit of 10,000 new reports and 10,000 verdicts, last ten rounds",
        mean(durations.slice(-10)),
        "ms",
        500,
      ),
      atMost(
        "the same against the first ten",
        mean(durations.slice(-10)) / mean(durations.slice(0, 10)),
        "x",
        1.5,
      ),
      atMost("file a report", sizeBytes / reports, "bytes", 400),
      atMost(`opening after ${reports.toLocaleString("en")} reports`, nowMs() - start, "ms", 3_000),
      atLeast("a hotspot by key", single, "1/s", 20_000),
      atLeast("a message's status", statuses, "1/s", 20_000),
      atLeast("a hotspot's activity", activity, "1/s", 2_000),
      atLeast("a beacon's evidence, 49 witnesses", beacons, "1/s", 500),
    ];
  } finally {
    rmSync(directory, { recursive: true });
  }
}
