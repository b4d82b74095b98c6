/**
 * What the store keeps of validators: who is on record with which stake, who had a seat in which epoch, how often each
 * took part and what it was paid, and the evidence that convicted some. All of it is kept for ever: it is what light
 * clients and accountants ask about, and a validator is on record only for a stake.
 */
import type { Conviction, ValidatorView } from "../../../protocol/src/ledger/types.ts";
import type { Page } from "./store.ts";

/** A validator and its place in the order of first stakes, which never changes. */
export type ValidatorRow = ValidatorView & { readonly position: number };

/** A validator set, in the order of seats, and the epoch from which it decides, until the next change. */
export type SetChange = { readonly fromEpoch: number; readonly keys: readonly Uint8Array[] };

/** What a validator with a seat did in an epoch of `epochRounds` rounds, and was paid in base units. */
export type ParticipationRow = {
  readonly epoch: number;
  readonly seat: number;
  readonly rounds: number;
  readonly epochRounds: number;
  readonly paid: bigint;
};

/** Evidence that convicted, in the order in which rounds held it: `position` counts from 1. */
export type ConvictionRow = Conviction & {
  readonly position: number;
  readonly round: number;
  readonly epoch: number;
};

/** Lists take a limit of at most `MAX_PAGE_ROWS`. */
export type ValidatorQueries = {
  readonly getValidator: (key: Uint8Array) => Promise<ValidatorRow | null>;
  /** Everyone on record in the order of first stakes, after `afterPosition` (0 for the start). */
  readonly listValidators: (afterPosition: number, limit: number) => Promise<Page<ValidatorRow, number>>;
  /** The set of an epoch; null where no closed epoch has fixed it yet. */
  readonly findSet: (epoch: number) => Promise<SetChange | null>;
  /** Changes of the set in force from an epoch in `after` < epoch <= `upTo`, ascending. */
  readonly listSetChanges: (after: number, upTo: number, limit: number) => Promise<readonly SetChange[]>;
  /** What a validator did with a seat, newest epoch first, below `beforeEpoch`. */
  readonly listParticipation: (
    key: Uint8Array,
    beforeEpoch: number | null,
    limit: number,
  ) => Promise<Page<ParticipationRow, number>>;
  /** Convictions, newest first, before a position; of one validator where a key is given. */
  readonly listConvictions: (
    offender: Uint8Array | null,
    beforePosition: number | null,
    limit: number,
  ) => Promise<Page<ConvictionRow, number>>;
};

/** Sets are fixed this many epochs ahead: those of epochs 0 and 1 are genesis's. */
export const SET_LEAD_EPOCHS = 2;
