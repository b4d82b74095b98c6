/**
 * The seam between a validator and what it keeps: one write a round, reads for recovery, reads for the HTTP API. Every
 * implementation passes test/unit/store/compliance.ts. Methods are asynchronous because a store may be another process.
 *
 * A store is written by one process. What it stores of a round it takes from the `RoundResult` alone, and it relies on
 * two things of it: every report of a new bundle has an outcome (perhaps `pending`) in the round of its inclusion unless
 * it is over quota, and an outcome speaks of a bundle that was included in its own epoch or one of the two before.
 */
import type {
  AccountView,
  BeaconUnits,
  ClosedBeacon,
  EpochClose,
  HotspotView,
  ReportId,
  ReportOutcome,
  RoundResult,
  TransactionOutcome,
  TrustRow,
  ValidatorView,
} from "../../../protocol/src/ledger/types.ts";
import type { EpochLine } from "../../../protocol/src/reward/epochRecord.ts";
import type { MessageStatus } from "../../../protocol/src/wire/receipts.ts";
import type { HotspotStatus, StatusEpochs } from "./hotspotStatus.ts";
import type { ValidatorQueries } from "./validatorRows.ts";

/** The batches `firstSeq` to `lastSeq` of one lane, both in the round's cut. */
export type BatchSpan = { readonly lane: Uint8Array; readonly firstSeq: number; readonly lastSeq: number };

/**
 * What one round adds. `value` and `finalCert`: their encodings. `batchDigests`: the digests of the cut's batches in the
 * order of their execution, as many as the spans count, span after span.
 */
export type RoundCommit = {
  readonly value: Uint8Array;
  readonly finalCert: Uint8Array;
  readonly result: RoundResult;
  readonly batchDigests: readonly Uint8Array[];
  readonly batchSpans: readonly BatchSpan[];
};

/** The ledger's encoding after the last round of `epoch`. */
export type Snapshot = { readonly epoch: number; readonly bytes: Uint8Array; readonly stateRoot: Uint8Array };

/** `committed` now, or all of it already there with the same values, certificates and states. */
export type CommitOutcome = "committed" | "already_committed";

/** What a new store starts with: the ledger's view of its genesis. */
export type GenesisViews = {
  readonly hotspots: readonly HotspotView[];
  readonly accounts: readonly AccountView[];
  readonly validators: readonly ValidatorView[];
  /** Keys of the first two epochs' set, or of the checkpoint's, in the order of seats. */
  readonly seats: readonly Uint8Array[];
};

/** Where a store begins that does not begin with round 0: a checkpoint's last round, and the snapshot after it. */
export type StoreBase = {
  readonly round: {
    readonly round: number;
    readonly epoch: number;
    readonly timeMs: number;
    readonly value: Uint8Array;
    readonly finalCert: Uint8Array;
    readonly stateDigest: Uint8Array;
  };
  readonly snapshot: Snapshot;
  /** The sets that the checkpoint's state fixes, by epoch. */
  readonly sets: readonly { readonly epoch: number; readonly keys: readonly Uint8Array[] }[];
};

/** A round as it was committed; `reports` and `transactions` count what became included in it. */
export type RoundRow = {
  readonly round: number;
  readonly epoch: number;
  readonly timeMs: number;
  readonly value: Uint8Array;
  readonly valueDigest: Uint8Array;
  readonly finalCert: Uint8Array;
  readonly stateDigest: Uint8Array;
  readonly batchDigests: readonly Uint8Array[];
  readonly batchSpans: readonly BatchSpan[];
  readonly messages: number;
  readonly reports: number;
  readonly transactions: number;
  readonly beaconsClosed: number;
};

/** An epoch's record without its long lists, which are asked for page by page. */
export type EpochRow = Omit<
  EpochClose,
  "lines" | "beaconUnits" | "coverage" | "nextValidators" | "trustRows" | "renamedTrust" | "releases"
>;

/**
 * A reward line with what it paid in all, and its place in the epoch by that, 1 for the best paid; equal pay is in the
 * record's order.
 */
export type RankedLine = EpochLine & { readonly rank: number; readonly paid: bigint };

/** A line whose keys are lower-case hexadecimal: for a copy of everything, in which each key is needed as text. */
export type PlainLine = Omit<RankedLine, "hotspot" | "owner" | "penalties"> & {
  readonly hotspot: string;
  readonly owner: string;
};

/** What a hotspot earned; all but units and scale in base units. */
export type HotspotSums = {
  readonly beaconUnitsPpm: number;
  readonly witnessUnitsPpm: number;
  /** Only of one epoch: a scale has no sum. */
  readonly scalePpm: number | null;
  readonly beaconPaid: bigint;
  readonly witnessPaid: bigint;
  /** Of the two pools. */
  readonly paid: bigint;
  /** Put into escrow instead, and paid after all from escrow, perhaps for epochs long before. */
  readonly withheld: bigint;
  readonly released: bigint;
  /** `paid` and `released`. */
  readonly earned: bigint;
};

/** What an account earned, in base units; `lines` counts its hotspots' lines. */
export type AccountSums = {
  readonly lines: number;
  readonly beaconPaid: bigint;
  readonly witnessPaid: bigint;
  /** For its seat as a validator. */
  readonly validatorPaid: bigint;
  /** From escrow, what was withheld before. */
  readonly released: bigint;
  /** All of it: over all epochs what the chain says that the account has earned. */
  readonly earned: bigint;
};

/** Sums over the epochs of a period, of which `epochs` have a row: `firstEpoch` is the first, `lastEpoch` the last. */
export type EarningBucket<Sums> = Sums & {
  /** The epoch's number, the date as 2026-10-31, or the month as 2026-10. */
  readonly period: string;
  /** The epoch's own start, or the first instant of the day or month in its zone. */
  readonly startTimeMs: number;
  readonly firstEpoch: number;
  readonly lastEpoch: number;
  readonly epochs: number;
};
export type RewardBucket = EarningBucket<HotspotSums>;
export type AccountBucket = EarningBucket<AccountSums>;
export const REWARD_BUCKETS = ["epoch", "day", "month"] as const;
export type RewardBucketSize = (typeof REWARD_BUCKETS)[number];
/** `zone`: an IANA time zone that `openCalendar` knows; UTC where none is given. */
export type RewardPeriods = { readonly size: RewardBucketSize; readonly zone?: string };

/** A hotspot and its place in the order of registration, which never changes. */
export type HotspotRow = HotspotView & { readonly position: number };

/** `cellFrom` and `cellTo`: the lowest and highest resolution-12 cell looked for. */
export type HotspotFilter = {
  readonly owner?: Uint8Array;
  readonly cellFrom?: bigint;
  readonly cellTo?: bigint;
  readonly status?: HotspotStatus;
  /** The epochs by which a status is told; needed with `status`. */
  readonly statusEpochs?: StatusEpochs;
};
/** Where a page of hotspots ended; `cell` only in a listing by cell. */
export type HotspotCursor = { readonly cell: bigint | null; readonly position: number };

/** A report as the store shows it: the outcome with the newest verdict. */
export type ReportRow = Omit<ReportOutcome, "beaconReport"> & {
  readonly beaconReport: ReportOutcome["beaconReport"];
};

/** A valid witness report of a closed beacon, seen from one of its ends. `isHeard`: that end is the witness. */
export type ReceptionRow = {
  readonly reportId: ReportId;
  readonly counterpart: Uint8Array;
  readonly isHeard: boolean;
  readonly closedEpoch: number;
  readonly beacon: ReportId;
  /** What the witness's report and the beacon were worth, once the closing epoch has ended. */
  readonly unitsPpm: number | null;
  readonly beaconerPpm: number | null;
};

/** What became of a beacon at its close, and what it was worth once its epoch had ended. */
export type BeaconClosing = Omit<ClosedBeacon, "reportId" | "hotspot" | "includedRound" | "report"> & {
  readonly units: Omit<BeaconUnits, "reportId"> | null;
};

/** A witness report in a beacon's evidence; `scalePpm` is the hotspot's in the closing epoch, once that has ended. */
export type WitnessRow = ReportRow & { readonly scalePpm: number | null };

/** The whole evidence of a beacon. `closing` is null while it is open, and for a beacon refused at once. */
export type BeaconRow = {
  readonly report: ReportRow;
  readonly closing: BeaconClosing | null;
  readonly scalePpm: number | null;
  readonly witnesses: readonly WitnessRow[];
  /** Whether there are more witness reports than `MAX_EVIDENCE_WITNESSES`. */
  readonly truncated: boolean;
};

/** Where a page of activity ended: the store's own number of a report. */
export type ActivityCursor = number;

/** Cells of the coverage map; `cells` counts resolution-8 cells, the other numbers are sums or maxima over them. */
export type CoverageCell = {
  readonly cell: bigint;
  readonly cells: number;
  readonly hotspots: number;
  readonly counterpartsMax: number;
  readonly coveragePpmMax: number;
};

export type TransactionRow = TransactionOutcome & { readonly round: number };

/** A page of rows, and where the next one starts: null at the end. A page may be short and yet have a next one. */
export type Page<Row, Cursor> = { readonly rows: readonly Row[]; readonly next: Cursor | null };

/**
 * What to keep. `keepEpochs`: reports, evidence, coverage and batch bodies of that many closed epochs stay. Whatever a
 * replay from the oldest snapshot that remains needs stays too. Rounds, epochs, reward lines stay for ever. Of the
 * snapshots stay the newest, the oldest from which a kept epoch replays, those of the newest `SNAPSHOTS_RECENT` epochs and
 * of every `SNAPSHOT_SPACING_EPOCHS`th.
 */
export type RetentionPolicy = { readonly keepEpochs: number };
/** `batchDigests`: bodies that nobody needs any more. `done`: false where more is left for the next call. */
export type Pruned = { readonly batchDigests: readonly Uint8Array[]; readonly done: boolean };

/** A snapshot is as large as the ledger: a validator that starts again needs a recent one, a replay one within a day. */
export const SNAPSHOTS_RECENT = 3;
export const SNAPSHOT_SPACING_EPOCHS = 24;
/** Rows in one page of anything; the API's own limit is the same. */
export const MAX_PAGE_ROWS = 1_000;
/** Rows looked at for one page where a filter has no index of its own: some 10 ms of the one thread. */
export const MAX_SCAN_ROWS = 10_000;
/** Epochs in one question for a hotspot's rewards: a year of mainnet's hourly epochs. */
export const MAX_REWARD_RANGE_EPOCHS = 8_784;
/** Witness reports shown with a beacon; the paid ones are at most the witness cap, the rest is for looking into. */
export const MAX_EVIDENCE_WITNESSES = 500;
/** Rows that one call of `prune` deletes: it shares the thread with everything else. */
export const PRUNE_ROWS_PER_CALL = 20_000;

/** What a validator writes and needs to start again. */
export type RoundStore = {
  /**
   * Writes a round, and a snapshot with it, in one durable transaction. Rounds come in order from 0.
   * Throws `store_conflict` where the round is there with other content, `store_gap` where it is not the next one.
   */
  readonly commitRound: (commit: RoundCommit, snapshot?: Snapshot) => Promise<CommitOutcome>;
  /** The same for rounds that follow each other, all in one transaction or none. The snapshot is the last one's. */
  readonly commitRounds: (commits: readonly RoundCommit[], snapshot?: Snapshot) => Promise<CommitOutcome>;
  readonly latestRound: () => Promise<RoundRow | null>;
  readonly getRound: (round: number) => Promise<RoundRow | null>;
  /** Up to `limit` rounds from `fromRound` on, ascending. */
  readonly listRounds: (fromRound: number, limit: number) => Promise<readonly RoundRow[]>;
  /** The newest snapshot of an epoch not above `epoch`. */
  readonly snapshotAtOrBefore: (epoch: number) => Promise<Snapshot | null>;
  /** Whether there is a snapshot of exactly this epoch; reads nothing of it. */
  readonly hasSnapshot: (epoch: number) => Promise<boolean>;
  /**
   * The first epoch that can be replayed from here: 0 where every round and body since genesis is here, else the one after
   * the oldest snapshot; null where there is neither.
   */
  readonly oldestReplayable: () => Promise<number | null>;
  /** Deletes what the policy no longer keeps, a bounded part a call. */
  readonly prune: (policy: RetentionPolicy) => Promise<Pruned>;
};

/** What the API and the receipt stream read. Lists take a limit of at most `MAX_PAGE_ROWS`. */
export type QueryStore = {
  readonly getEpoch: (epoch: number) => Promise<EpochRow | null>;
  readonly latestEpoch: () => Promise<EpochRow | null>;
  /** The first closed epoch that is here: 0, or what a store that began at a checkpoint closed first; null for none yet. */
  readonly oldestEpoch: () => Promise<number | null>;
  /** Closed epochs, newest first, below `beforeEpoch`. */
  readonly listEpochs: (beforeEpoch: number | null, limit: number) => Promise<Page<EpochRow, number>>;
  /** An epoch's lines by rank, after `afterRank` (0 for the start). */
  readonly listRewardLines: (
    epoch: number,
    afterRank: number,
    limit: number,
  ) => Promise<Page<RankedLine, number>>;
  /** The same lines in the same order at a fifth of the cost. */
  readonly listPlainLines: (
    epoch: number,
    afterRank: number,
    limit: number,
  ) => Promise<Page<PlainLine, number>>;
  readonly getRewardLine: (epoch: number, hotspot: Uint8Array) => Promise<RankedLine | null>;
  /**
   * A hotspot's rewards over closed epochs, both ends included, at most `MAX_REWARD_RANGE_EPOCHS`; ascending, periods
   * without a line or a release left out.
   */
  readonly listHotspotRewards: (
    hotspot: Uint8Array,
    fromEpoch: number,
    toEpoch: number,
    periods: RewardPeriods,
  ) => Promise<readonly RewardBucket[]>;
  /** What an account earned over closed epochs, in the same way. */
  readonly listAccountRewards: (
    account: Uint8Array,
    fromEpoch: number,
    toEpoch: number,
    periods: RewardPeriods,
  ) => Promise<readonly AccountBucket[]>;
  readonly countHotspots: () => Promise<number>;
  readonly getHotspot: (key: Uint8Array) => Promise<HotspotRow | null>;
  /** By cell where a cell is given, else in the order of registration. */
  readonly listHotspots: (
    filter: HotspotFilter,
    after: HotspotCursor | null,
    limit: number,
  ) => Promise<Page<HotspotRow, HotspotCursor>>;
  /** A hotspot's own reports, newest first; nothing after a cursor that came from another hotspot's. */
  readonly listActivity: (
    hotspot: Uint8Array,
    before: ActivityCursor | null,
    limit: number,
  ) => Promise<Page<ReportRow, ActivityCursor>>;
  /**
   * Valid receptions between a hotspot and others, both ways, of beacons that closed in `fromEpoch` to `toEpoch`, as far as
   * they are kept: by the newest `maxEnvelopes` (by default `MAX_SCAN_ROWS`) of its envelopes that can have any.
   */
  readonly listReceptions: (
    hotspot: Uint8Array,
    fromEpoch: number,
    toEpoch: number,
    maxEnvelopes?: number,
  ) => Promise<readonly ReceptionRow[]>;
  readonly getBeacon: (id: ReportId) => Promise<BeaconRow | null>;
  /**
   * A hotspot's trust, newest first, one row for each computation by which it was not wholly trusted or became so.
   * @param beforeEpoch rows that came into force before it; null for all.
   */
  readonly listTrust: (
    hotspot: Uint8Array,
    beforeEpoch: number | null,
    limit: number,
  ) => Promise<Page<TrustRow, number>>;
  readonly getAccount: (key: Uint8Array) => Promise<AccountView | null>;
  /** The newest epoch that has a coverage map. */
  readonly latestCoverageEpoch: () => Promise<number | null>;
  /**
   * The map of an epoch at resolution 0 to 8, ascending by cell, within the cells `from` to `to` of that resolution.
   * @param after the last cell of the page before.
   */
  readonly listCoverage: (
    epoch: number,
    resolution: number,
    range: { readonly from: bigint; readonly to: bigint },
    after: bigint | null,
    limit: number,
  ) => Promise<Page<CoverageCell, bigint>>;
  /**
   * State of each id, in order: `included` with verdicts, or `unknown`. Ids are remembered in the epoch of their inclusion
   * and the two after it.
   */
  readonly messageStatus: (ids: readonly Uint8Array[]) => Promise<readonly MessageStatus[]>;
  /** The reports of an envelope, by its id, in the order of their places; none where it is unknown or has none. */
  readonly listReports: (id: Uint8Array) => Promise<readonly ReportRow[]>;
  readonly getTransaction: (id: Uint8Array) => Promise<TransactionRow | null>;
  /** Bytes on disk, 0 where there is none, for the metrics. */
  readonly sizeBytes: () => Promise<number>;
};

export type Store = RoundStore & QueryStore & ValidatorQueries & { readonly close: () => Promise<void> };
