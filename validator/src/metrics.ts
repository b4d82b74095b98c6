/**
 * What a validator tells Prometheus. Every metric of the role stands in this file, those of agreement in
 * agreementMetrics.ts, those of the API in api/httpMetrics.ts; label sets are closed lists, never a peer or a cell;
 * `_total` is a counter, and seconds and bytes are the units.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import {
  ADMISSION_REASONS,
  type AdmissionReason,
  BEACON_REASONS,
  REPORT_REASONS,
  REVEAL_REASONS,
  TRANSACTION_REASONS,
  UNPAID_REASONS,
  WITNESS_REASONS,
} from "../../protocol/src/evidence/reasons.ts";
import type { EpochClose, RoundResult } from "../../protocol/src/ledger/types.ts";
import { BASE_UNITS_PER_TOKEN } from "../../protocol/src/network/parameters.ts";
import { POOL_NAMES } from "../../protocol/src/reward/pools.ts";
import { PENALTY_REASONS } from "../../protocol/src/trust/finding.ts";
import { type AgreementMetrics, type AgreementSources, createAgreementMetrics } from "./agreementMetrics.ts";
import type { ExecutedRound } from "./execution/executor.ts";
import { INTAKE_KINDS, type IntakeKind } from "./intake/inbox.ts";
import type { EpochFigures, NetworkHealth } from "./networkHealth.ts";
import { HOTSPOT_STATUSES } from "./store/hotspotStatus.ts";

/** What is asked for when Prometheus asks; everything else is counted as it happens. */
export type MetricSources = AgreementSources & {
  readonly inboxDepth: (kind: IntakeKind) => { readonly parcels: number; readonly bytes: number };
  readonly verifier: () => { readonly pending: number; readonly threads: number; readonly restarts: number };
  readonly batchesInFlight: () => number;
  readonly executionBacklog: () => number;
  readonly peers: () => number;
  readonly storeBytes: () => Promise<number>;
  readonly diskFreeBytes: () => Promise<number>;
  readonly networkHealth: () => NetworkHealth;
};

export type ValidatorMetrics = AgreementMetrics & {
  readonly onAdmitted: (kind: IntakeKind, messages: number) => void;
  readonly onRefused: (kind: IntakeKind, reason: AdmissionReason) => void;
  readonly onBatch: (bytes: number, milliseconds: number) => void;
  readonly onRoundDecided: () => void;
  /** Says where a validator stands that has just started. @param epoch the newest closed one; null for none. */
  readonly onRecovered: (round: number, epoch: EpochFigures | null) => void;
  /** @param latencyMs from the round's time to its being stored. */
  readonly onRoundExecuted: (executed: ExecutedRound, latencyMs: number) => void;
  /** The page that Prometheus reads. */
  readonly expose: () => Promise<{ readonly contentType: string; readonly text: string }>;
};

/** Gauges that prom-client's defaults name like counters, which Prometheus's own check refuses. */
const MISNAMED_DEFAULTS = [
  "nodejs_active_resources_total",
  "nodejs_active_handles_total",
  "nodejs_active_requests_total",
] as const;

/** A commit takes 1 to 50 ms; an epoch close of a large network, seconds. */
const DURATION_BUCKETS_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10];
const AMOUNT_SIDES = ["emitted", "carriedIn", "paid", "carriedOut"] as const;
const SIDE_LABELS = {
  emitted: "emitted",
  carriedIn: "carried_in",
  paid: "paid",
  carriedOut: "carried_out",
} as const;

/** Creates the validator's metrics in a registry of their own. */
export function createValidatorMetrics(sources: MetricSources): ValidatorMetrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED_DEFAULTS) registry.removeSingleMetric(name);
  addSources(registry, sources);
  return {
    ...createIntakeMetrics(registry),
    ...createRoundMetrics(registry),
    ...createAgreementMetrics(registry, sources),
    expose: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

/** Tokens as a float, for graphs only: the exact amounts are in the epoch record. */
const toTokens = (baseUnits: bigint): number => Number(baseUnits) / Number(BASE_UNITS_PER_TOKEN);

function createIntakeMetrics(registry: Registry) {
  const registers = [registry];
  const { counter } = createMakers(registry);
  const admitted = new Counter({
    name: "hexbeacon_messages_admitted_total",
    help: "Messages admitted to the own lane, by the way they came.",
    labelNames: ["kind"],
    registers,
  });
  const refused = new Counter({
    name: "hexbeacon_messages_refused_total",
    help: "Messages refused at admission, by the way they came and the reason.",
    labelNames: ["kind", "reason"],
    registers,
  });
  // All series exist from the start, so that the first refusal is a rise from 0 and not a series out of nowhere.
  for (const kind of INTAKE_KINDS) {
    admitted.inc({ kind }, 0);
    for (const reason of ADMISSION_REASONS) refused.inc({ kind, reason }, 0);
  }
  const batches = counter("hexbeacon_batches_total", "Batches certified in the own lane.");
  const batchBytes = counter(
    "hexbeacon_batch_bytes_total",
    "Bytes of the batches certified in the own lane.",
  );
  const batchSeconds = new Histogram({
    name: "hexbeacon_batch_durable_seconds",
    help: "Time from a batch's sealing until it is on disk and certified.",
    buckets: DURATION_BUCKETS_SECONDS,
    registers,
  });
  return {
    onAdmitted: (kind: IntakeKind, messages: number) => admitted.inc({ kind }, messages),
    onRefused: (kind: IntakeKind, reason: AdmissionReason) => refused.inc({ kind, reason }),
    onBatch: (bytes: number, milliseconds: number) => {
      batches.inc();
      batchBytes.inc(bytes);
      batchSeconds.observe(milliseconds / 1_000);
    },
  };
}

function createRoundMetrics(registry: Registry) {
  const registers = [registry];
  const { counter, gauge } = createMakers(registry);
  const durationOf = (name: string, help: string) =>
    new Histogram({ name, help, buckets: DURATION_BUCKETS_SECONDS, registers });
  const decided = counter("hexbeacon_rounds_decided_total", "Rounds decided.");
  const executed = counter("hexbeacon_rounds_executed_total", "Rounds executed and stored.");
  const included = counter("hexbeacon_messages_executed_total", "Messages that finalized rounds newly held.");
  const round = gauge("hexbeacon_round", "The newest executed round.");
  const executionSeconds = durationOf("hexbeacon_round_execution_seconds", "Time to execute a round.");
  const commitSeconds = durationOf("hexbeacon_round_commit_seconds", "Time to store an executed round.");
  const latencySeconds = durationOf(
    "hexbeacon_round_latency_seconds",
    "Time from the round's own time until it is executed and stored.",
  );
  const countVerdicts = createVerdictMetrics(registry);
  const { showEpoch, countEpoch } = createEpochMetrics(registry);
  return {
    onRoundDecided: () => decided.inc(),
    onRecovered: (newest: number, epoch: EpochFigures | null) => {
      round.set(newest);
      if (epoch !== null) showEpoch(epoch);
    },
    onRoundExecuted: ({ result, executionMs, commitMs }: ExecutedRound, latencyMs: number) => {
      executed.inc();
      included.inc(result.included.length);
      countVerdicts(result);
      round.set(result.round);
      executionSeconds.observe(executionMs / 1_000);
      commitSeconds.observe(commitMs / 1_000);
      latencySeconds.observe(Math.max(0, latencyMs) / 1_000);
      if (result.epochClose === null) return;
      const { lines, coverage } = result.epochClose;
      showEpoch({ ...result.epochClose, hotspotsPaid: lines.length, coveredCells: coverage.length });
      countEpoch(result.epochClose);
    },
  };
}

/** Gauges show the newest epoch, whenever it closed; counters count those that close while the validator runs. */
function createEpochMetrics(registry: Registry) {
  const registers = [registry];
  const { counter, gauge } = createMakers(registry);
  const epoch = gauge("hexbeacon_epoch_closed", "The newest closed epoch.");
  const amounts = new Gauge({
    name: "hexbeacon_epoch_amount_tokens",
    help: "Amounts of the newest closed epoch, by pool and side.",
    labelNames: ["pool", "side"],
    registers,
  });
  const imbalance = gauge(
    "hexbeacon_epoch_imbalance_tokens",
    "Emitted plus carried in, less paid and carried out, of the newest closed epoch: always 0.",
  );
  const held = gauge(
    "hexbeacon_escrow_tokens",
    "Rewards that are withheld and wait, after the newest epoch.",
  );
  const coveredCells = gauge(
    "hexbeacon_epoch_covered_cells",
    "Cells of resolution 8 on the coverage map of the newest closed epoch.",
  );
  const hotspotsPaid = gauge(
    "hexbeacon_epoch_hotspots_paid",
    "Hotspots with a line in the record of the newest closed epoch.",
  );
  const paid = counter("hexbeacon_paid_tokens_total", "Rewards paid.");
  const moved = new Counter({
    name: "hexbeacon_escrow_moved_tokens_total",
    help: "Rewards withheld, released to their owners, and returned to the pools.",
    labelNames: ["side"],
    registers,
  });
  const countEvidence = createEvidenceMetrics(registry);
  return {
    showEpoch: (figures: EpochFigures): void => {
      epoch.set(figures.epoch);
      let difference = 0n;
      for (const pool of POOL_NAMES) {
        const books = figures.pools[pool];
        for (const side of AMOUNT_SIDES)
          amounts.set({ pool, side: SIDE_LABELS[side] }, toTokens(books[side]));
        difference += books.emitted + books.carriedIn - books.paid - books.carriedOut;
      }
      imbalance.set(toTokens(difference));
      held.set(toTokens(figures.escrow.carriedOut));
      coveredCells.set(figures.coveredCells);
      hotspotsPaid.set(figures.hotspotsPaid);
    },
    countEpoch: (close: EpochClose): void => {
      for (const pool of POOL_NAMES) paid.inc(toTokens(close.pools[pool].paid));
      for (const side of ["withheld", "released", "returned"] as const)
        moved.inc({ side }, toTokens(close.escrow[side]));
      countEvidence(close);
    },
  };
}

function createEvidenceMetrics(registry: Registry): (close: EpochClose) => void {
  const { counter, byReason } = createMakers(registry);
  const beacons = counter("hexbeacon_beacons_closed_total", "Beacons closed.");
  const witnesses = counter("hexbeacon_witnesses_accepted_total", "Valid witness reports, paid or not.");
  const countBeaconsRefused = byReason(
    "hexbeacon_beacons_refused_total",
    "Beacons refused or closed without units, by reason.",
    [...BEACON_REASONS, ...REPORT_REASONS],
  );
  const countWitnessesUnpaid = byReason(
    "hexbeacon_witnesses_unpaid_total",
    "Valid witness reports that earn nothing, by reason.",
    UNPAID_REASONS,
  );
  const countWitnessesRefused = byReason(
    "hexbeacon_witnesses_refused_total",
    "Witness reports refused, by reason.",
    [...WITNESS_REASONS, ...REPORT_REASONS, "never_revealed"],
  );
  return (close) => {
    beacons.inc(close.beaconsClosed);
    witnesses.inc(close.witnessesAccepted);
    for (const [reason, count] of Object.entries(close.beaconsRefused)) countBeaconsRefused(reason, count);
    for (const [reason, count] of Object.entries(close.witnessesUnpaid)) countWitnessesUnpaid(reason, count);
    for (const [reason, count] of Object.entries(close.witnessesRefused))
      countWitnessesRefused(reason, count);
  };
}

/** What a round makes of transactions, reveals and what it passes over; the epoch's end counts the evidence. */
function createVerdictMetrics(registry: Registry): (result: RoundResult) => void {
  const { counter, byReason } = createMakers(registry);
  const executed = counter("hexbeacon_transactions_executed_total", "Transactions that did what they say.");
  const countRefused = byReason(
    "hexbeacon_transactions_refused_total",
    "Transactions that execution refused, by reason.",
    TRANSACTION_REASONS,
  );
  const countRevealRefused = byReason("hexbeacon_reveals_refused_total", "Reveals refused, by reason.", [
    ...REVEAL_REASONS,
    ...REPORT_REASONS,
  ]);
  const overQuota = counter(
    "hexbeacon_reports_over_quota_total",
    "Reports beyond their hotspot's quota of an epoch, counted and no more.",
  );
  const countPassedOver = byReason(
    "hexbeacon_messages_passed_over_total",
    "Messages of finalized rounds that execution passed over, by reason.",
    ["stale_epoch", "future_epoch", "wrong_nonce", "insufficient_balance"],
  );
  return ({ transactions, outcomes, overQuota: surplus, notExecuted }) => {
    for (const { reason } of transactions) {
      if (reason === null) executed.inc();
      else countRefused(reason, 1);
    }
    for (const { kind, reason } of outcomes) {
      if (kind === "reveal" && reason !== null) countRevealRefused(reason, 1);
    }
    for (const { count } of surplus) overQuota.inc(count);
    for (const { reason } of notExecuted) countPassedOver(reason, 1);
  };
}

/** What makes metrics without labels, and counters by reason, in a registry. */
function createMakers(registry: Registry) {
  const registers = [registry];
  return {
    counter: (name: string, help: string) => new Counter({ name, help, registers }),
    gauge: (name: string, help: string) => new Gauge({ name, help, registers }),
    /** @param reasons every one that there can be, so that each has its series from the start. */
    byReason: (name: string, help: string, reasons: readonly string[]) => {
      const counter = new Counter({ name, help, labelNames: ["reason"], registers });
      for (const reason of reasons) counter.inc({ reason }, 0);
      return (reason: string, count: number): void => counter.inc({ reason }, count);
    },
  };
}

function addSources(registry: Registry, sources: MetricSources): void {
  const gauge = (name: string, help: string, read: () => number | Promise<number>) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        this.set(await read());
      },
    });
  const perKind = (name: string, help: string, read: (kind: IntakeKind) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ["kind"],
      registers: [registry],
      collect() {
        for (const kind of INTAKE_KINDS) this.set({ kind }, read(kind));
      },
    });
  const { inboxDepth, verifier } = sources;
  perKind(
    "hexbeacon_inbox_parcels",
    "Parcels that wait for the verifier.",
    (kind) => inboxDepth(kind).parcels,
  );
  perKind("hexbeacon_inbox_bytes", "Bytes that wait for the verifier.", (kind) => inboxDepth(kind).bytes);
  gauge(
    "hexbeacon_verifier_pending",
    "Signatures handed to the verifier and not answered.",
    () => verifier().pending,
  );
  gauge("hexbeacon_verifier_threads", "Verifier threads.", () => verifier().threads);
  new Counter({
    name: "hexbeacon_verifier_restarts_total",
    help: "Verifier threads replaced since the start.",
    registers: [registry],
    collect() {
      // The pool counts; what was read of it before is in it.
      this.reset();
      this.inc(verifier().restarts);
    },
  });
  gauge(
    "hexbeacon_batches_in_flight",
    "Batches of the own lane without a certificate.",
    sources.batchesInFlight,
  );
  gauge(
    "hexbeacon_execution_backlog_rounds",
    "Rounds decided and not yet executed.",
    sources.executionBacklog,
  );
  gauge("hexbeacon_peers", "Peers connected.", sources.peers);
  gauge("hexbeacon_store_bytes", "Bytes of the store on disk, without batch bodies.", sources.storeBytes);
  gauge("hexbeacon_disk_free_bytes", "Bytes free where the home lies.", sources.diskFreeBytes);
  gauge("hexbeacon_books_balanced", "Whether all money ever made is accounted for: always 1.", () =>
    sources.networkHealth().booksBalanced ? 1 : 0,
  );
  new Gauge({
    name: "hexbeacon_hotspots",
    help: "Registered hotspots at the start of the running epoch, by status.",
    labelNames: ["status"],
    registers: [registry],
    collect() {
      const { hotspots } = sources.networkHealth();
      for (const status of HOTSPOT_STATUSES) this.set({ status }, hotspots[status]);
    },
  });
  gauge(
    "hexbeacon_hotspots_suspended",
    "Hotspots suspended from pay.",
    () => sources.networkHealth().suspended,
  );
  new Gauge({
    name: "hexbeacon_hotspots_found_against",
    help: "Hotspots with a finding in force, by its reason.",
    labelNames: ["reason"],
    registers: [registry],
    collect() {
      const { foundAgainst } = sources.networkHealth();
      for (const reason of PENALTY_REASONS) this.set({ reason }, foundAgainst[reason]);
    },
  });
}
