/**
 * Where the envelopes of the newest epochs are in the store, by id. Everything that asks for an envelope by its id asks
 * while verdicts can still change, so a map of the current epoch and the two before it stands in for an index on hashes,
 * which would cost ten times the write. Its size is bounded by what execution admits in three epochs, as the ledger's
 * own memory of ids is; an entry is two numbers.
 */

/** Epochs of inclusion that are remembered: execution refuses older bodies, and verdicts come within two epochs. */
export const REMEMBERED_EPOCHS = 3;

/** 48 bits of an id as a number: what the map is keyed by; the whole id is compared in the row found. */
export function computeIdPrefix(id: Uint8Array): number {
  const high = id[0]! * 0x1_0000 + id[1]! * 0x100 + id[2]!;
  const low = id[3]! * 0x1_0000 + id[4]! * 0x100 + id[5]!;
  return high * 0x100_0000 + low;
}

type Generation = { readonly epoch: number; readonly seqs: Map<number, number | number[]> };

export class RecentIds {
  #generations: Generation[] = [];

  /** Remembers an envelope that was included in `epoch`; epochs never go back. */
  add(epoch: number, id: Uint8Array, seq: number): void {
    let newest = this.#generations[0];
    if (newest === undefined || newest.epoch < epoch) {
      newest = { epoch, seqs: new Map() };
      this.#generations = [newest, ...this.#generations].filter((g) => g.epoch > epoch - REMEMBERED_EPOCHS);
    }
    const prefix = computeIdPrefix(id);
    const there = newest.seqs.get(prefix);
    // Two ids with equal prefixes are somebody's work, not chance; they cost that somebody 2^24 hashes and us a list.
    newest.seqs.set(
      prefix,
      there === undefined ? seq : Array.isArray(there) ? [...there, seq] : [there, seq],
    );
  }

  /** Forgets an envelope again, because the transaction that wrote it failed. */
  remove(id: Uint8Array, seq: number): void {
    const prefix = computeIdPrefix(id);
    for (const { seqs } of this.#generations) {
      const there = seqs.get(prefix);
      if (there === seq) seqs.delete(prefix);
      else if (Array.isArray(there))
        seqs.set(
          prefix,
          there.filter((other) => other !== seq),
        );
    }
  }

  /** The rows that may be this id's, newest epoch first; the caller compares the whole id. */
  candidates(id: Uint8Array): readonly number[] {
    const prefix = computeIdPrefix(id);
    const found: number[] = [];
    for (const { seqs } of this.#generations) {
      const there = seqs.get(prefix);
      if (typeof there === "number") found.push(there);
      else if (there !== undefined) found.push(...there);
    }
    return found;
  }
}
