/**
 * Gossip reaches every validator, and each batch of a message costs everybody bytes. So what came by gossip only is
 * batched by the two validators nearest to its id, and held by the others until they would have seen it in a cut
 * (specification A6). Nothing here is promised to anybody: who needs certainty submits.
 */
import type { Parameters } from "../../../protocol/src/network/parameters.ts";
import type { Candidate } from "./candidate.ts";
import { MAX_QUEUE_BYTES } from "./inbox.ts";

/** One would lose a message with itself; a third would add a copy that only two losses at once make worth its bytes. */
const NEAREST_SEATS = 2;
/**
 * The nearest batch at once: the round that is under way may have its tips already, the next one takes the batch in, and
 * its execution shows it here. That is two rounds; the third is for a cut whose quorum of tips left the batch out.
 */
const HOLD_ROUNDS_MAX = 3;

/**
 * k: how many rounds a held message is waited for in a cut. Never more than half of the window in which a witness report
 * counts, so that a held report is still in time when its nearest validators are both lost.
 */
export function computeHoldRounds({ witnessWindowRounds }: Pick<Parameters, "witnessWindowRounds">): number {
  return Math.min(HOLD_ROUNDS_MAX, Math.floor(witnessWindowRounds / 2));
}

/**
 * Whether a seat is among the two nearest to an id. Seats stand evenly on a ring, and an id, which is a hash, falls
 * between two neighbours: these are they. Everybody with the same set of validators says the same.
 * @param id 32 bytes.
 * @param seats how many there are; with two or fewer everybody is nearest.
 */
export function isNearest(id: Uint8Array, seat: number, seats: number): boolean {
  const place = Buffer.from(id.buffer, id.byteOffset, 4).readUInt32BE() / 2 ** 32;
  const before = Math.floor(place * seats);
  return (seat - before + seats) % seats < NEAREST_SEATS;
}

type Held = { readonly candidate: Candidate; readonly round: number };

/** Messages with valid signatures that others should batch, oldest first. */
export class HeldGossip {
  readonly #maxBytes: number;
  readonly #held = new Map<string, Held>();
  #bytes = 0;

  /** @param maxBytes beyond it the oldest go: the lane could not take more at once when their time comes. */
  constructor(maxBytes = MAX_QUEUE_BYTES) {
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#held.size;
  }

  has(idKey: string): boolean {
    return this.#held.has(idKey);
  }

  /** Holds a message from this round on, the one that is decided next. */
  put(candidate: Candidate, round: number): void {
    this.forget(candidate.idKey);
    this.#held.set(candidate.idKey, { candidate, round });
    this.#bytes += candidate.bytes.length;
    // Looked for only where it is wanted: the way to a map's oldest entry passes over all that were taken out before.
    if (this.#bytes <= this.#maxBytes) return;
    for (const idKey of this.#held.keys()) {
      this.forget(idKey);
      if (this.#bytes <= this.#maxBytes) return;
    }
  }

  forget(idKey: string): void {
    this.#bytes -= this.#held.get(idKey)?.candidate.bytes.length ?? 0;
    this.#held.delete(idKey);
  }

  /** Takes out at most so many that have been held since this round or longer. */
  takeSince(round: number, most: number): Candidate[] {
    const due: Candidate[] = [];
    for (const { candidate, round: since } of this.#held.values()) {
      if (since > round || due.length === most) break;
      due.push(candidate);
    }
    for (const { idKey } of due) this.forget(idKey);
    return due;
  }
}
