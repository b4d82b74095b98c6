/** Validators in the store of plain maps and arrays: see memoryStore.ts. */
import { equalBytes } from "../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../protocol/src/bytes/hex.ts";
import type { RoundResult, ValidatorView } from "../../protocol/src/ledger/types.ts";
import type { EpochRow, Page } from "../../validator/src/store/store.ts";
import {
  type ConvictionRow,
  type ParticipationRow,
  SET_LEAD_EPOCHS,
  type SetChange,
  type ValidatorQueries,
  type ValidatorRow,
} from "../../validator/src/store/validatorRows.ts";

export type MemoryValidators = {
  readonly queries: ValidatorQueries;
  readonly writeRound: (result: RoundResult) => void;
};

/** @param epochs the closed epochs, as the store goes on to fill them. */
export function createMemoryValidators(
  genesis: { readonly validators: readonly ValidatorView[]; readonly seats: readonly Uint8Array[] },
  epochs: readonly EpochRow[],
): MemoryValidators {
  const validators = new Map<string, ValidatorRow>();
  const sets: SetChange[] = [{ fromEpoch: 0, keys: genesis.seats }];
  const participation: (ParticipationRow & { readonly key: Uint8Array })[] = [];
  const convictions: ConvictionRow[] = [];
  const write = (view: ValidatorView): void => {
    const key = encodeHex(view.key);
    validators.set(key, { ...view, position: validators.get(key)?.position ?? validators.size + 1 });
  };
  for (const validator of genesis.validators) write(validator);
  return {
    writeRound: ({ round, epoch, validatorsChanged, evidence, epochClose }) => {
      for (const validator of validatorsChanged) write(validator);
      for (const piece of evidence)
        convictions.push({ ...piece, position: convictions.length + 1, round, epoch });
      if (epochClose === null) return;
      const { validatorsPaid, nextValidators, firstRound, lastRound } = epochClose;
      const epochRounds = lastRound - firstRound + 1;
      for (const [seat, { key, rounds, amount: paid }] of validatorsPaid.entries()) {
        if (validators.has(encodeHex(key)))
          participation.push({ key, epoch, seat, rounds, epochRounds, paid });
      }
      const newest = sets.at(-1)!.keys;
      const isSame =
        newest.length === nextValidators.length &&
        newest.every((key, i) => equalBytes(key, nextValidators[i]!));
      if (!isSame) sets.push({ fromEpoch: epoch + SET_LEAD_EPOCHS, keys: nextValidators });
    },
    queries: {
      getValidator: async (key) => validators.get(encodeHex(key)) ?? null,
      listValidators: async (after, limit) =>
        cut([...validators.values()].slice(after), limit, (row) => row.position),
      findSet: async (epoch) => {
        const newest = epochs.at(-1)?.epoch ?? -1;
        if (epoch > newest + SET_LEAD_EPOCHS) return null;
        return sets.findLast(({ fromEpoch }) => fromEpoch <= epoch) ?? null;
      },
      listSetChanges: async (after, upTo, limit) =>
        sets.filter(({ fromEpoch }) => fromEpoch > after && fromEpoch <= upTo).slice(0, limit),
      listParticipation: async (key, beforeEpoch, limit) => {
        const own = participation.filter(
          (row) => equalBytes(row.key, key) && (beforeEpoch === null || row.epoch < beforeEpoch),
        );
        const rows = own.reverse().map(({ key: _, ...row }) => row);
        return cut(rows, limit, (row) => row.epoch);
      },
      listConvictions: async (offender, before, limit) => {
        const asked = convictions.filter(
          (row) =>
            (offender === null || equalBytes(row.offender, offender)) &&
            (before === null || row.position < before),
        );
        return cut(asked.reverse(), limit, (row) => row.position);
      },
    },
  };
}

function cut<Row>(rows: readonly Row[], limit: number, cursorOf: (row: Row) => number): Page<Row, number> {
  const shown = rows.slice(0, limit);
  return { rows: shown, next: rows.length > limit ? cursorOf(shown[limit - 1]!) : null };
}
