/** What Prometheus reads of a validator. */
import { execFileSync, spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { createValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import { encodeBitmap } from "../../../protocol/src/agreement/rounds.ts";
import {
  ADMISSION_REASONS,
  UNPAID_REASONS,
  WITNESS_REASONS,
} from "../../../protocol/src/evidence/reasons.ts";
import type { EpochClose } from "../../../protocol/src/ledger/types.ts";
import { PENALTY_REASONS } from "../../../protocol/src/trust/finding.ts";
import type { ExecutedRound } from "../../../validator/src/execution/executor.ts";
import { createValidatorMetrics } from "../../../validator/src/metrics.ts";
import { countersOf, readNetworkHealth, readNewestEpoch } from "../../../validator/src/networkHealth.ts";
import type { RoundCommit } from "../../../validator/src/store/store.ts";
import { createMemoryStore } from "../../store/memoryStore.ts";
import { RING, strike } from "../ledger/ring.ts";
import { Scenario } from "../ledger/scenario.ts";
import { createHistory } from "../store/history.ts";
import { keyNamed } from "./support/network.ts";

const NOBODY_FOUND = countersOf(PENALTY_REASONS);

const createMetrics = () =>
  createValidatorMetrics({
    inboxDepth: () => ({ parcels: 1, bytes: 2 }),
    verifier: () => ({ pending: 3, threads: 2, restarts: 0 }),
    batchesInFlight: () => 0,
    executionBacklog: () => 0,
    peers: () => 5,
    validatorsConnected: () => 3,
    seats: () => ({ count: 4, quorum: 3, own: 2 }),
    roundsBehind: () => 17,
    batchesMissing: () => 1,
    ackWaitEpochs: () => 2,
    clockOffsetMs: () => -250,
    laneWindows: () => [
      { seat: 0, batches: 4 },
      { seat: 2, batches: 32 },
    ],
    storeBytes: async () => 4_096,
    diskFreeBytes: async () => 8_192,
    networkHealth: () => ({
      booksBalanced: true,
      hotspots: { active: 7, idle: 2, silent: 1, unasserted: 0, leaving: 0, gone: 0 },
      suspended: 1,
      foundAgainst: { ...NOBODY_FOUND, snr_grid: 2 },
    }),
  });

function executed({ result, finalCert }: RoundCommit): ExecutedRound {
  const finalized = { cert: finalCert } as unknown as ExecutedRound["finalized"];
  return { finalized, result, messageIds: [], executionMs: 1, commitMs: 1 };
}

const hasPromtool = spawnSync("promtool", ["--version"]).status === 0;

describe("the validator's metrics", () => {
  test("name counters, and only counters, _total", async () => {
    const { text } = await createMetrics().expose();
    const types = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => ({
      name: name!,
      type: type!,
    }));
    expect(types.length).toBeGreaterThan(20);
    for (const { name, type } of types)
      expect([name, name.endsWith("_total")]).toEqual([name, type === "counter"]);
  });

  test("have a series for every reason from the start, and ask their sources when they are read", async () => {
    const { text } = await createMetrics().expose();
    for (const reason of ADMISSION_REASONS) {
      expect(text).toContain(`hexbeacon_messages_refused_total{kind="submission",reason="${reason}"} 0`);
    }
    expect(text).toMatch(/^hexbeacon_peers 5$/m);
    expect(text).toMatch(/^hexbeacon_store_bytes 4096$/m);
    expect(text).toMatch(/^hexbeacon_disk_free_bytes 8192$/m);
    expect(text).toMatch(/^hexbeacon_inbox_bytes\{kind="reports"\} 2$/m);
  });

  test("say how the network fares, from the rounds and epochs themselves", async () => {
    const metrics = createMetrics();
    const { commits } = createHistory("metrics", 3);
    for (const { commit } of commits) metrics.onRoundExecuted(executed(commit), 5);
    const results = commits.map(({ commit }) => commit.result);
    const { text } = await metrics.expose();
    const read = (series: string): number => {
      const line = text.split("\n").find((candidate) => candidate.startsWith(`${series} `));
      return Number(line?.slice(series.length));
    };
    const closes = results.flatMap(({ epochClose }) => epochClose ?? []);
    const newest = closes.at(-1)!;
    expect(read('hexbeacon_hotspots{status="active"}')).toBe(7);
    expect(read('hexbeacon_hotspots{status="unasserted"}')).toBe(0);
    expect(read("hexbeacon_epoch_covered_cells")).toBe(newest.coverage.length);
    expect(read("hexbeacon_epoch_hotspots_paid")).toBe(newest.lines.length);
    const transactions = results.flatMap((result) => result.transactions);
    const refused = transactions.filter(({ reason }) => reason === "wrong_nonce").length;
    expect(refused).toBeGreaterThan(0);
    expect(read('hexbeacon_transactions_refused_total{reason="wrong_nonce"}')).toBe(refused);
    expect(read("hexbeacon_transactions_executed_total")).toBe(transactions.length - refused);
    const surplus = results.flatMap(({ overQuota }) => overQuota.map(({ count }) => count));
    expect(read("hexbeacon_reports_over_quota_total")).toBe(surplus.reduce((sum, count) => sum + count, 0));
    for (const reason of [...WITNESS_REASONS, "never_revealed" as const]) {
      const expected = closes.reduce((sum, close) => sum + (close.witnessesRefused[reason] ?? 0), 0);
      expect([reason, read(`hexbeacon_witnesses_refused_total{reason="${reason}"}`)]).toEqual([
        reason,
        expected,
      ]);
    }
    for (const reason of UNPAID_REASONS) {
      const expected = closes.reduce((sum, close) => sum + (close.witnessesUnpaid[reason] ?? 0), 0);
      expect([reason, read(`hexbeacon_witnesses_unpaid_total{reason="${reason}"}`)]).toEqual([
        reason,
        expected,
      ]);
    }
  });

  test("say what trust withholds and of whom", async () => {
    const metrics = createMetrics();
    const { commits } = createHistory("metrics of trust", 4);
    const closing = commits.find(({ commit }) => commit.result.epochClose !== null)!.commit;
    const close = (escrow: EpochClose["escrow"]): void => {
      const result = { ...closing.result, epochClose: { ...closing.result.epochClose!, escrow } };
      metrics.onRoundExecuted(executed({ ...closing, result }), 5);
    };
    close({ carriedIn: 0n, withheld: 700_000_000n, released: 0n, returned: 0n, carriedOut: 700_000_000n });
    // Half a token and a base unit come out exactly.
    close({
      carriedIn: 700_000_000n,
      withheld: 50_000_000n,
      released: 200_000_001n,
      returned: 100_000_000n,
      carriedOut: 449_999_999n,
    });
    const { text } = await metrics.expose();
    const lines = [
      "hexbeacon_escrow_tokens 4.49999999",
      'hexbeacon_escrow_moved_tokens_total{side="withheld"} 7.5',
      'hexbeacon_escrow_moved_tokens_total{side="released"} 2.00000001',
      'hexbeacon_escrow_moved_tokens_total{side="returned"} 1',
      "hexbeacon_hotspots_suspended 1",
      'hexbeacon_hotspots_found_against{reason="snr_grid"} 2',
      'hexbeacon_hotspots_found_against{reason="owner_cap"} 0',
    ];
    for (const line of lines) expect(text).toContain(`\n${line}\n`);
  });

  test("say after a restart what they said of the newest epoch before it, and have counted nothing", async () => {
    const history = createHistory("metrics", 3);
    const store = createMemoryStore(history.genesis);
    const before = createMetrics();
    for (const { commit } of history.commits) {
      await store.commitRound(commit);
      before.onRoundExecuted(executed(commit), 5);
    }
    const after = createMetrics();
    after.onRecovered(history.commits.length - 1, await readNewestEpoch(store));
    const gauges = async ({ expose }: typeof before) =>
      (await expose()).text
        .split("\n")
        .filter((line) => /^hexbeacon_(?:epoch_|round |escrow_tokens)/.test(line));
    expect((await gauges(before)).length).toBeGreaterThan(15);
    expect(await gauges(after)).toEqual(await gauges(before));
    for (const counter of ["paid_tokens_total", "beacons_closed_total", "rounds_executed_total"])
      expect((await after.expose()).text).toContain(`\nhexbeacon_${counter} 0\n`);

    const first = createMetrics();
    first.onRecovered(0, await readNewestEpoch(createMemoryStore(history.genesis)));
    // Without an epoch nothing is unpaid.
    expect((await first.expose()).text).not.toContain("hexbeacon_epoch_amount_tokens{");
  });

  test("say how agreement fares, with validators named by their seats", async () => {
    const metrics = createMetrics();
    const keys = [0, 1, 2, 3].map((index) => keyNamed(`validator ${index}`).publicKey);
    const set = createValidatorSet(keys);
    const final = (seats: number[]) => ({
      previousFinal: [
        { round: 1, view: 1, value: new Uint8Array(32), bitmap: encodeBitmap(seats, 4), signatures: [] },
      ],
    });
    metrics.onParticipation({ previousFinal: [] }, set);
    metrics.onParticipation(final([0, 1, 2]), set);
    metrics.onParticipation(final([0, 1, 3]), set);
    metrics.onParticipation(final([0, 1, 2]), set);
    metrics.onVote("sent", "notarize");
    metrics.onVote("received", "nullify");
    metrics.onVote("received", "nullify");
    metrics.onViewEnded(0.04);
    metrics.onRoundSettled(0.2);
    const { text } = await metrics.expose();
    for (const line of [
      'hexbeacon_rounds_missed_total{seat="0"} 0',
      'hexbeacon_rounds_missed_total{seat="2"} 1',
      'hexbeacon_rounds_missed_total{seat="3"} 2',
      'hexbeacon_votes_total{way="sent",kind="notarize"} 1',
      'hexbeacon_votes_total{way="sent",kind="finalize"} 0',
      'hexbeacon_votes_total{way="received",kind="nullify"} 2',
      "hexbeacon_view_seconds_count 1",
      "hexbeacon_round_decision_seconds_sum 0.2",
      "hexbeacon_validators 4",
      "hexbeacon_validators_quorum 3",
      "hexbeacon_validator_seat 2",
      "hexbeacon_catch_up_rounds 17",
      'hexbeacon_lane_window_batches{seat="2"} 32',
    ])
      expect(text).toContain(`\n${line}\n`);
  });

  test.skipIf(!hasPromtool)("pass Prometheus's own check (needs promtool)", async () => {
    const { text } = await createMetrics().expose();
    expect(execFileSync("promtool", ["check", "metrics"], { input: text }).toString()).toBe("");
  });
});

describe("a network's health", () => {
  test("names hotspots that are found against, and of them those suspended from pay", () => {
    const scenario = new Scenario(RING);
    const { ledger } = scenario;
    const { parameters } = scenario.genesis;
    const read = () => readNetworkHealth(ledger, parameters, ledger.nextEpoch);
    expect(read()).toMatchObject({ booksBalanced: true, suspended: 0, foundAgainst: NOBODY_FOUND });
    strike(scenario, 1, ledger.nextEpoch + 9);
    const found = { ...NOBODY_FOUND, constant_window: 1, snr_grid: 1 };
    expect(read()).toMatchObject({ suspended: 1, foundAgainst: found });
  });
});
