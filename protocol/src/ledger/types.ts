/**
 * What goes into the execution of a finalized round and what comes out. Execution is a function of the ledger and these
 * inputs alone; whatever a shell stores, serves or shows about a round it takes from the `RoundResult`.
 */
import type { EvidenceKind } from "../agreement/evidence.ts";
import type { Evidence, LaneTip } from "../agreement/rounds.ts";
import type { Reason, TransactionReason, UnpaidReason } from "../evidence/reasons.ts";
import type { RegionName } from "../radio/regions.ts";
import type { EpochLine, EscrowBooks } from "../reward/epochRecord.ts";
import type { PoolBooks, PoolName } from "../reward/pools.ts";
import type { CoverageRow } from "../score/coverage.ts";
import type { NamedFinding, Reception } from "../trust/findingTable.ts";
import type { EnvelopeKind } from "../wire/envelope.ts";
import type { BeaconReport, Measurement, ReportBundle } from "../wire/reports.ts";
import type { Transaction, TransactionKind } from "../wire/transactions.ts";

export { POOL_NAMES, type PoolBooks, type PoolName } from "../reward/pools.ts";

/** A decoded message of a cut, in the cut's order. Form and signatures were checked before it came into a batch. */
export type LedgerMessage =
  | {
      readonly kind: "reports";
      readonly id: Uint8Array;
      readonly sender: Uint8Array;
      readonly bundle: ReportBundle;
    }
  | {
      readonly kind: Exclude<EnvelopeKind, "reports">;
      readonly id: Uint8Array;
      readonly sender: Uint8Array;
      readonly transaction: Transaction;
    };

/**
 * What a decided value says of the round. `participants`: keys of the validators whose FINALIZE of the round before it
 * carries; `evidence`: its pieces, each judged with the value; `lanes`: the last batch that it newly takes of each lane.
 */
export type RoundInput = {
  readonly round: number;
  readonly timeMs: number;
  readonly messages: readonly LedgerMessage[];
  readonly participants: readonly Uint8Array[];
  readonly evidence: readonly Evidence[];
  readonly lanes: readonly LaneTip[];
};

/** A report's id: its envelope's, and its place in the bundle (beacons, then witnesses, then reveals). */
export type ReportId = { readonly envelopeId: Uint8Array; readonly index: number };

/** `pending`: no verdict yet, or accepted with the selection at the epoch's end still to come (`selectionPending`). */
export type VerdictState = "pending" | "accepted" | "refused";

/** A verdict, or a change of one. `accepted` with a reason is valid evidence that is not paid, for that reason. */
export type ReportOutcome = {
  readonly reportId: ReportId;
  readonly hotspot: Uint8Array;
  readonly kind: "beacon" | "witness" | "reveal";
  /** The round in which the report was included. */
  readonly includedRound: number;
  readonly state: VerdictState;
  readonly reason: Reason | null;
  /** Whether the witness cap is still to be applied at the epoch's end; only with `accepted`. */
  readonly selectionPending: boolean;
  /** The beacon that the report is, or was judged with. */
  readonly beacon: ReportId | null;
  readonly beaconReport: BeaconReport | null;
  readonly measurement: Measurement | null;
  /** Asserted places' distance in metres and the free-space ceiling that the strength was held against. */
  readonly distanceM: number | null;
  readonly ceilingCentiDbm: number | null;
  /** What a witness's report was worth, in parts per million of a unit; with its last outcome only. */
  readonly unitsPpm: number | null;
};

/** A beacon that has closed, with all that the score needs and the evidence page shows. */
export type ClosedBeacon = {
  readonly reportId: ReportId;
  readonly hotspot: Uint8Array;
  /** The epoch whose challenge it answers, and the one in which it closed and counts. */
  readonly challengeEpoch: number;
  readonly closedEpoch: number;
  readonly includedRound: number;
  readonly closedRound: number;
  readonly reason: Reason | null;
  readonly report: BeaconReport;
  readonly eirpCentiDbm: number;
  readonly secret: Uint8Array | null;
  readonly witnessesAccepted: number;
  readonly witnessesUnpaid: number;
  readonly witnessesRefused: number;
};

export type TransactionOutcome = {
  readonly id: Uint8Array;
  readonly sender: Uint8Array;
  readonly kind: TransactionKind;
  readonly reason: TransactionReason | null;
};

/** Surplus of a hotspot over its quota of the epoch, counted once and not kept one by one. */
export type OverQuota = { readonly hotspot: Uint8Array; readonly count: number };

export type HotspotView = {
  readonly key: Uint8Array;
  readonly owner: Uint8Array;
  readonly registeredEpoch: number;
  readonly bond: bigint;
  /** The newest assertion, and the epoch from whose start it is in force; null while nothing is asserted. */
  readonly assertion: {
    readonly cell: bigint;
    readonly latE7: number;
    readonly lngE7: number;
    readonly gainCentiDbi: number;
    readonly elevationM: number;
    readonly region: RegionName;
    readonly fromEpoch: number;
  } | null;
  /** The newest device, and the epoch from whose start its co-signature is needed; null where there is none, or none any more. */
  readonly device: { readonly key: Uint8Array; readonly fromEpoch: number } | null;
  readonly lastActiveEpoch: number | null;
  readonly silentUntilEpoch: number | null;
  /** The last epoch of a bond whose registration was ended: leaving up to that epoch, gone after it; else null. */
  readonly leavingUntilEpoch: number | null;
};

export type AccountView = {
  readonly key: Uint8Array;
  readonly balance: bigint;
  readonly nonce: number;
  /** All rewards ever credited. */
  readonly earned: bigint;
};

/** A validator on record, with a seat or without. Base units; keys of 32 bytes. */
export type ValidatorView = {
  readonly key: Uint8Array;
  /** The account that staked, and to which the stake returns. */
  readonly owner: Uint8Array;
  /** 0 for one that has left. */
  readonly stake: bigint;
  /** Since when the owner has staked for it. */
  readonly sinceEpoch: number;
  /** The last epoch in which the stake of one that leaves is locked; null where it does not leave, or has left. */
  readonly unbondingUntilEpoch: number | null;
  /** Convicted: it never has a seat again. */
  readonly isTombstoned: boolean;
  readonly multiaddrs: readonly string[];
};

/** Evidence that convicted somebody in this round, and how much of the stake, in base units, it burned. */
export type Conviction = {
  readonly offender: Uint8Array;
  readonly kind: EvidenceKind;
  readonly slashed: bigint;
  readonly first: Uint8Array;
  readonly second: Uint8Array;
};

/** A paid beacon of the epoch: what each of its witnesses and itself were worth. */
export type BeaconUnits = {
  readonly reportId: ReportId;
  readonly paidWitnesses: number;
  /** Every witness's in version 1; in version 2 their mean, rounded down: outcomes have each one's own. */
  readonly perWitnessPpm: number;
  readonly beaconerPpm: number;
};

/** A hotspot's trust from an epoch on, with every finding and its evidence by name. */
export type TrustRow = {
  readonly hotspot: Uint8Array;
  readonly fromEpoch: number;
  readonly graphPpm: number;
  readonly trustPpm: number;
  /** Suspended from pay, never from the protocol. */
  readonly isSuspended: boolean;
  /** Whether this decided an appeal. */
  readonly isAppealed: boolean;
  readonly findings: readonly (Omit<NamedFinding, "evidence"> & {
    readonly evidence: readonly (Omit<Reception, "counterpart"> & { readonly counterpart: Uint8Array })[];
  })[];
};

/** What was withheld of a hotspot and paid after all, in base units, to the account that owned it when it earned. */
export type EscrowRelease = {
  readonly hotspot: Uint8Array;
  readonly owner: Uint8Array;
  readonly amount: bigint;
};

/** What a validator with a seat did in an epoch, and got for it in base units. */
export type ValidatorPay = { readonly key: Uint8Array; readonly rounds: number; readonly amount: bigint };

/** What an epoch's end made. `record`: the encoded epoch record header; `recordDigest` and roots are 32 bytes. */
export type EpochClose = {
  readonly epoch: number;
  readonly firstRound: number;
  readonly lastRound: number;
  readonly startTimeMs: number;
  readonly endTimeMs: number;
  readonly seed: Uint8Array;
  readonly nextSeed: Uint8Array;
  readonly pools: Readonly<Record<PoolName, PoolBooks>>;
  readonly escrow: EscrowBooks;
  /** What the two pools were split by: the sums of all hotspots' units times scale. */
  readonly shares: { readonly beacons: bigint; readonly witnesses: bigint };
  /** Where trust was computed: of every hotspot that is not wholly trusted, or was found against before. */
  readonly trustRows: readonly TrustRow[] | null;
  /** What of trust was in force of those hotspots that took another key in the epoch, under that one; none for the wholly trusted. */
  readonly renamedTrust: readonly TrustRow[];
  /** What `escrow.released` is the sum of. */
  readonly releases: readonly EscrowRelease[];
  readonly lines: readonly EpochLine[];
  /** Every seat of the epoch's set, in its order: rounds that it helped to finalize, and its pay for them. */
  readonly validatorsPaid: readonly ValidatorPay[];
  readonly beaconUnits: readonly BeaconUnits[];
  readonly coverage: readonly CoverageRow[];
  /** Beacons that closed, whatever became of them, and valid witness reports, paid or not. */
  readonly beaconsClosed: number;
  readonly witnessesAccepted: number;
  /** Of the accepted witness reports those that are not paid, by reason. */
  readonly witnessesUnpaid: Readonly<Partial<Record<UnpaidReason, number>>>;
  /** Reports refused in this epoch by reason (witnesses), and beacons by reason. */
  readonly witnessesRefused: Readonly<Partial<Record<Reason, number>>>;
  readonly beaconsRefused: Readonly<Partial<Record<Reason, number>>>;
  readonly accounts: number;
  /** Keys of the set of the epoch after the next, in the order of seats. */
  readonly nextValidators: readonly Uint8Array[];
  readonly record: Uint8Array;
  readonly recordDigest: Uint8Array;
  readonly inputsDigest: Uint8Array;
  readonly rewardRoot: Uint8Array;
  readonly stateRoot: Uint8Array;
};

/**
 * Why a message of a finalized cut is passed over: its epoch is too old or too new, its nonce is from the future, or it
 * pays no fee, for either reason, and its sender has had its unpaid refusals of the epoch.
 */
export type NotExecutedReason = "stale_epoch" | "future_epoch" | "wrong_nonce" | "insufficient_balance";

/** Everything that a round changed. Lists are in execution order; keys occur at most once in the changed lists. */
export type RoundResult = {
  readonly round: number;
  readonly epoch: number;
  readonly timeMs: number;
  /** Ids that were new in this round, in order: they are `included` from here on. */
  readonly included: readonly Uint8Array[];
  /**
   * Messages of the cut that were passed over. Nothing is remembered of them, so they owe no verdict and may come again.
   * Duplicates are not listed.
   */
  readonly notExecuted: readonly { readonly id: Uint8Array; readonly reason: NotExecutedReason }[];
  readonly outcomes: readonly ReportOutcome[];
  readonly beaconsClosed: readonly ClosedBeacon[];
  readonly transactions: readonly TransactionOutcome[];
  readonly overQuota: readonly OverQuota[];
  readonly hotspotsChanged: readonly HotspotView[];
  readonly accountsChanged: readonly AccountView[];
  readonly validatorsChanged: readonly ValidatorView[];
  /** Of the value's evidence what had an effect. */
  readonly evidence: readonly Conviction[];
  readonly epochClose: EpochClose | null;
  /** SHA-256 over the digest before and this round's ordered writes. */
  readonly stateDigest: Uint8Array;
};
