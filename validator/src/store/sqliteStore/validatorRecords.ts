/** Validators in the embedded store: their tables, what a round writes into them, and the questions they answer. */
import type { DatabaseSync } from "node:sqlite";
import { EVIDENCE_KINDS } from "../../../../protocol/src/agreement/evidence.ts";
import { equalBytes } from "../../../../protocol/src/bytes/bytes.ts";
import type {
  Conviction,
  EpochClose,
  RoundResult,
  ValidatorView,
} from "../../../../protocol/src/ledger/types.ts";
import { MAX_PAGE_ROWS } from "../store.ts";
import {
  type ConvictionRow,
  type ParticipationRow,
  SET_LEAD_EPOCHS,
  type SetChange,
  type ValidatorQueries,
  type ValidatorRow,
} from "../validatorRows.ts";
import { askPage } from "./askPage.ts";
import {
  decodeDigests,
  encodeDigests,
  readAmount,
  readBytes,
  readNumber,
  readNumberOrNull,
  type SqlRow,
  toSigned,
} from "./columns.ts";
import { prepareReading } from "./prepareReading.ts";

/** Part of the schema: a change here counts `SCHEMA_VERSION` up. */
export const VALIDATOR_TABLES = `
CREATE TABLE validators (
  position INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, owner BLOB NOT NULL, stake INTEGER NOT NULL,
  since_epoch INTEGER NOT NULL, unbonding_until_epoch INTEGER, is_tombstoned INTEGER NOT NULL, multiaddrs TEXT NOT NULL
) STRICT;
CREATE TABLE validator_sets (from_epoch INTEGER PRIMARY KEY, keys BLOB NOT NULL) STRICT;
CREATE TABLE participation (
  validator INTEGER NOT NULL, epoch INTEGER NOT NULL, seat INTEGER NOT NULL, rounds INTEGER NOT NULL, paid INTEGER NOT NULL,
  PRIMARY KEY (validator, epoch)
) STRICT, WITHOUT ROWID;
CREATE TABLE convictions (
  position INTEGER PRIMARY KEY, round INTEGER NOT NULL, epoch INTEGER NOT NULL, offender BLOB NOT NULL,
  kind INTEGER NOT NULL, slashed INTEGER NOT NULL, first BLOB NOT NULL, second BLOB NOT NULL
) STRICT;
CREATE INDEX convictions_by_offender ON convictions (offender, position);
`;

export class ValidatorWriter {
  readonly #sql: ReturnType<typeof prepareStatements>;

  constructor(db: DatabaseSync) {
    this.#sql = prepareStatements(db);
  }

  /** What a new store starts with. @param sets that are fixed already, by epoch, without a gap. */
  writeStart(
    validators: readonly ValidatorView[],
    sets: readonly { readonly epoch: number; readonly keys: readonly Uint8Array[] }[],
  ): void {
    for (const validator of validators) this.#writeValidator(validator);
    for (const { epoch, keys } of sets) this.#writeSet(epoch, keys);
  }

  writeRound({ round, epoch, validatorsChanged, evidence, epochClose }: RoundResult): void {
    for (const validator of validatorsChanged) this.#writeValidator(validator);
    for (const { offender, kind, slashed, first, second } of evidence) {
      const number = EVIDENCE_KINDS.indexOf(kind);
      this.#sql.conviction.run(round, epoch, offender, number, toSigned(slashed), first, second);
    }
    if (epochClose !== null) this.#closeEpoch(epochClose);
  }

  #writeValidator(view: ValidatorView): void {
    const { key, owner, stake, sinceEpoch, unbondingUntilEpoch, isTombstoned, multiaddrs } = view;
    this.#sql.validator.run(
      key,
      owner,
      toSigned(stake),
      sinceEpoch,
      unbondingUntilEpoch,
      isTombstoned ? 1 : 0,
      JSON.stringify(multiaddrs),
    );
  }

  #closeEpoch({ epoch, validatorsPaid, nextValidators }: EpochClose): void {
    for (const [seat, { key, rounds, amount }] of validatorsPaid.entries()) {
      this.#sql.participation.run(epoch, seat, rounds, toSigned(amount), key);
    }
    this.#writeSet(epoch + SET_LEAD_EPOCHS, nextValidators);
  }

  /** Only changes of the set are kept: on most days there is none. */
  #writeSet(fromEpoch: number, keys: readonly Uint8Array[]): void {
    const newest = this.#sql.newestSet.get();
    const encoded = encodeDigests(keys);
    if (newest === undefined || !equalBytes(newest.keys as Uint8Array, encoded)) {
      this.#sql.set.run(fromEpoch, encoded);
    }
  }
}

const prepareStatements = (db: DatabaseSync) => ({
  validator:
    db.prepare(`INSERT INTO validators (key, owner, stake, since_epoch, unbonding_until_epoch, is_tombstoned,
    multiaddrs) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO UPDATE SET owner = excluded.owner,
    stake = excluded.stake, since_epoch = excluded.since_epoch, unbonding_until_epoch = excluded.unbonding_until_epoch,
    is_tombstoned = excluded.is_tombstoned, multiaddrs = excluded.multiaddrs`),
  set: db.prepare("INSERT INTO validator_sets VALUES (?, ?)"),
  newestSet: db.prepare("SELECT keys FROM validator_sets ORDER BY from_epoch DESC LIMIT 1"),
  participation: db.prepare(
    "INSERT INTO participation SELECT position, ?, ?, ?, ? FROM validators WHERE key = ?",
  ),
  conviction: db.prepare(
    "INSERT INTO convictions (round, epoch, offender, kind, slashed, first, second) VALUES (?, ?, ?, ?, ?, ?, ?)",
  ),
});

function readValidator(row: SqlRow): ValidatorRow {
  return {
    position: readNumber(row, "position"),
    key: readBytes(row, "key"),
    owner: readBytes(row, "owner"),
    stake: readAmount(row, "stake"),
    sinceEpoch: readNumber(row, "since_epoch"),
    unbondingUntilEpoch: readNumberOrNull(row, "unbonding_until_epoch"),
    isTombstoned: readNumber(row, "is_tombstoned") === 1,
    multiaddrs: JSON.parse(row.multiaddrs as string) as string[],
  };
}

const readSet = (row: SqlRow): SetChange => ({
  fromEpoch: readNumber(row, "from_epoch"),
  keys: decodeDigests(readBytes(row, "keys")),
});

const readParticipation = (row: SqlRow): ParticipationRow => ({
  epoch: readNumber(row, "epoch"),
  seat: readNumber(row, "seat"),
  rounds: readNumber(row, "rounds"),
  epochRounds: readNumber(row, "epoch_rounds"),
  paid: readAmount(row, "paid"),
});

function readConviction(row: SqlRow): ConvictionRow {
  const kind: Conviction["kind"] | undefined = EVIDENCE_KINDS[readNumber(row, "kind")];
  if (kind === undefined) throw new RangeError(`the store has evidence of kind ${row.kind}`);
  return {
    position: readNumber(row, "position"),
    round: readNumber(row, "round"),
    epoch: readNumber(row, "epoch"),
    offender: readBytes(row, "offender"),
    kind,
    slashed: readAmount(row, "slashed"),
    first: readBytes(row, "first"),
    second: readBytes(row, "second"),
  };
}

export function createValidatorQueries(db: DatabaseSync): ValidatorQueries {
  const one = prepareReading(db, "SELECT * FROM validators WHERE key = ?");
  const all = prepareReading(db, "SELECT * FROM validators WHERE position > ? ORDER BY position LIMIT ?");
  const fixedUpTo = prepareReading(
    db,
    `SELECT max(
       (SELECT coalesce(max(epoch), -1) FROM epochs) + ${SET_LEAD_EPOCHS},
       coalesce((SELECT epoch + 1 FROM rounds ORDER BY round DESC LIMIT 1), 0)) AS epoch`,
  );
  const setAt = prepareReading(
    db,
    "SELECT * FROM validator_sets WHERE from_epoch <= ? ORDER BY from_epoch DESC LIMIT 1",
  );
  const changes = prepareReading(
    db,
    "SELECT * FROM validator_sets WHERE from_epoch > ? AND from_epoch <= ? ORDER BY from_epoch LIMIT ?",
  );
  const participation = prepareReading(
    db,
    `SELECT p.*, e.last_round - e.first_round + 1 AS epoch_rounds FROM participation p JOIN epochs e USING (epoch)
     WHERE p.validator = (SELECT position FROM validators WHERE key = ?) AND p.epoch < ? ORDER BY p.epoch DESC LIMIT ?`,
  );
  const convictions = prepareReading(
    db,
    "SELECT * FROM convictions WHERE position < ? ORDER BY position DESC LIMIT ?",
  );
  const convictionsOf = prepareReading(
    db,
    "SELECT * FROM convictions WHERE offender = ? AND position < ? ORDER BY position DESC LIMIT ?",
  );
  const before = (cursor: number | null) => cursor ?? Number.MAX_SAFE_INTEGER;
  return {
    getValidator: async (key) => one.one(readValidator, key),
    listValidators: async (afterPosition, limit) =>
      askPage(
        limit,
        (rows) => all.all(readValidator, afterPosition, rows),
        ({ position }) => position,
      ),
    findSet: async (epoch) => {
      if (epoch > fixedUpTo.one((row) => readNumber(row, "epoch"))!) return null;
      return setAt.one(readSet, epoch);
    },
    listSetChanges: async (after, upTo, limit) =>
      changes.all(readSet, after, upTo, Math.min(limit, MAX_PAGE_ROWS)),
    listParticipation: async (key, beforeEpoch, limit) =>
      askPage(
        limit,
        (rows) => participation.all(readParticipation, key, before(beforeEpoch), rows),
        ({ epoch }) => epoch,
      ),
    listConvictions: async (offender, beforePosition, limit) =>
      askPage(
        limit,
        (rows) =>
          offender === null
            ? convictions.all(readConviction, before(beforePosition), rows)
            : convictionsOf.all(readConviction, offender, before(beforePosition), rows),
        ({ position }) => position,
      ),
  };
}
