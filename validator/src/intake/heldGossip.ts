/**
 * Gossip reaches every validator, and each batch of a message costs everybody bytes. So what came by gossip only is
 * batched by the two validators nearest to its id, and held by the others until they would have seen it in a cut
 * (specification A6). Where cuts lag behind lanes they would all lose patience at once, so they do so in turn, and who
 * acknowledges a batch that contains a message holds it anew. Nothing here is promised to anybody: who needs certainty submits.
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
 * k: how many rounds a held message is waited for in a cut, before the first turn among those who hold it and after
 * each renewal. Never more than half of the window in which a witness report counts, so that a report is
 * still in time at the first turn when its nearest validators are both lost; a later turn may be too late for it.
 */
export function computeHoldRounds({ witnessWindowRounds }: Pick<Parameters, "witnessWindowRounds">): number {
  return Math.min(HOLD_ROUNDS_MAX, Math.floor(witnessWindowRounds / 2));
}

/**
 * Whose turn it is to batch a message: 0 for the two seats nearest to its id, who do so at once, 1 for the next, and so
 * on. Seats stand evenly on a ring, and an id, which is a hash, falls between two neighbours: these are the nearest.
 * Everybody with the same set of validators says the same.
 * @param id 32 bytes.
 * @param seats how many there are; with two or fewer everybody is nearest.
 */
export function computeTurn(id: Uint8Array, seat: number, seats: number): number {
  const place = Buffer.from(id.buffer, id.byteOffset, 4).readUInt32BE() / 2 ** 32;
  const before = Math.floor(place * seats);
  return Math.max(0, ((seat - before + seats) % seats) - (NEAREST_SEATS - 1));
}

/** `authors`: whose batches it has been seen in. Each renews the hold once, so no author holds a message up for ever. */
type Held = { readonly candidate: Candidate; dueRound: number; readonly authors: Set<string> };

/** Messages with valid signatures that others should batch, oldest first. */
export class HeldGossip {
  readonly #maxBytes: number;
  readonly #held = new Map<string, Held>();
  /** Names of messages by the round in which they are due. */
  readonly #due = new Map<number, Set<string>>();
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

  /** Holds a message until this is the round that is decided next. */
  put(candidate: Candidate, dueRound: number): void {
    this.forget(candidate.idKey);
    const held = { candidate, dueRound, authors: new Set<string>() };
    this.#held.set(candidate.idKey, held);
    this.#schedule(held, dueRound);
    this.#bytes += candidate.bytes.length;
    // Looked for only where it is wanted: the way to a map's oldest entry passes over all that were taken out before.
    if (this.#bytes <= this.#maxBytes) return;
    for (const idKey of this.#held.keys()) {
      this.forget(idKey);
      if (this.#bytes <= this.#maxBytes) return;
    }
  }

  /** Another validator's batch contains the message, and is acknowledged: it is held until this round at least. */
  renew(idKey: string, author: string, dueRound: number): void {
    const held = this.#held.get(idKey);
    if (held === undefined || held.authors.has(author)) return;
    held.authors.add(author);
    if (dueRound > held.dueRound) this.#schedule(held, dueRound);
  }

  forget(idKey: string): void {
    const held = this.#held.get(idKey);
    if (held === undefined) return;
    this.#unschedule(held);
    this.#bytes -= held.candidate.bytes.length;
    this.#held.delete(idKey);
  }

  /** Takes out at most so many that are due in this round or were before. */
  takeDue(round: number, most: number): Candidate[] {
    const due: Candidate[] = [];
    const rounds = [...this.#due.keys()].filter((each) => each <= round).sort((a, b) => a - b);
    for (const each of rounds) {
      for (const idKey of this.#due.get(each)!) {
        if (due.length === most) return due;
        due.push(this.#held.get(idKey)!.candidate);
        this.forget(idKey);
      }
    }
    return due;
  }

  #schedule(held: Held, dueRound: number): void {
    this.#unschedule(held);
    held.dueRound = dueRound;
    const names = this.#due.get(dueRound) ?? new Set();
    this.#due.set(dueRound, names.add(held.candidate.idKey));
  }

  #unschedule({ candidate, dueRound }: Held): void {
    const names = this.#due.get(dueRound);
    names?.delete(candidate.idKey);
    if (names?.size === 0) this.#due.delete(dueRound);
  }
}
