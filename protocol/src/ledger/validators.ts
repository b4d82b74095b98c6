/**
 * Validators on record: what each has at stake, until when, and where its lane ended. A record is never removed, since a
 * conviction is for ever and a lane never begins anew; nobody gets one without locking `validatorStake` for at least
 * `unbondEpochs`, which bounds how many there can be by the tokens that there are.
 */
import { LANE_START } from "../agreement/cut.ts";
import type { Account } from "./accounts.ts";
import { byteKey } from "./byteKey.ts";
import type { SeatCandidate } from "./seats.ts";
import type { ValidatorView } from "./types.ts";

/** The last batch that a cut took from a lane; seq 0 before the first. */
export type LaneEnd = { readonly seq: number; readonly digest: Uint8Array };

export type ValidatorRecord = {
  readonly index: number;
  readonly key: Uint8Array;
  /** Who staked last, and gets the stake back. */
  owner: Account;
  /** Base units, those that unbond included. */
  stake: bigint;
  /** Since when its owner has staked for it. */
  sinceEpoch: number;
  /** The last epoch in which the stake of one that leaves is locked; null where it does not leave. */
  unbondingUntilEpoch: number | null;
  isTombstoned: boolean;
  multiaddrs: readonly string[];
  laneEnd: LaneEnd;
};

export class ValidatorBook {
  readonly list: ValidatorRecord[] = [];
  readonly #byKey = new Map<string, ValidatorRecord>();

  /** The record of a key, or null for one that never staked. */
  find(key: Uint8Array): ValidatorRecord | null {
    return this.#byKey.get(byteKey(key)) ?? null;
  }

  /** Opens a record without a stake; the key has none yet. */
  open(key: Uint8Array, owner: Account, sinceEpoch: number): ValidatorRecord {
    const record: ValidatorRecord = {
      index: this.list.length,
      key: key.slice(),
      owner,
      stake: 0n,
      sinceEpoch,
      unbondingUntilEpoch: null,
      isTombstoned: false,
      multiaddrs: [],
      laneEnd: { seq: 0, digest: LANE_START },
    };
    this.list.push(record);
    this.#byKey.set(byteKey(key), record);
    return record;
  }

  /** All stakes, in base units. */
  sumStakes(): bigint {
    return this.list.reduce((sum, { stake }) => sum + stake, 0n);
  }
}

/** Whether a validator has left for good: nothing is locked for it, and another account may stake for its key. */
export function isGone({ stake, unbondingUntilEpoch }: ValidatorRecord): boolean {
  return stake === 0n && unbondingUntilEpoch === null;
}

/** A record as the filling of seats sees it. @param validatorStake what a seat asks for, in base units. */
export function toSeatCandidate(record: ValidatorRecord, validatorStake: bigint): SeatCandidate {
  const { key, stake, isTombstoned, unbondingUntilEpoch } = record;
  const mayHaveSeat = stake >= validatorStake && unbondingUntilEpoch === null && !isTombstoned;
  return { key, stake, mayHaveSeat, isTombstoned };
}

/** What shells store and show of a validator. */
export function viewOfValidator(record: ValidatorRecord): ValidatorView {
  const { key, owner, stake, sinceEpoch, unbondingUntilEpoch, isTombstoned, multiaddrs } = record;
  return { key, owner: owner.key, stake, sinceEpoch, unbondingUntilEpoch, isTombstoned, multiaddrs };
}
