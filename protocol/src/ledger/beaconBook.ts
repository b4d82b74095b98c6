/**
 * The beacons that are open and the witness reports that wait for them. Tags are hints: any number of beacons may share
 * one, and only a reveal tells whose report is whose. Refused beacon reports stay as stubs for the time they would have
 * been open, so that who named one learns that it was refused.
 */
import type { Challenge } from "../evidence/challenge.ts";
import type { Reason } from "../evidence/reasons.ts";
import type { BeaconReport, WitnessReport } from "../wire/reports.ts";
import type { ReportId } from "./types.ts";

/** A beacon report between inclusion and close. `challenge` is null in the stub of a refused one. */
export type Candidate = {
  readonly reportId: ReportId;
  /** Index of the beaconer. */
  readonly hotspot: number;
  readonly challengeEpoch: number;
  readonly includedRound: number;
  readonly tag: string;
  readonly report: BeaconReport;
  readonly challenge: Challenge | null;
  readonly eirpCentiDbm: number;
  /** The secret of a valid reveal in this round; the beacon closes at the round's end. */
  secret: Uint8Array | null;
};

/** What became of the candidates a report has outlived; the strongest statement about them is its reason at the end. */
export const FATES = [
  "no_beacon",
  "beacon_refused",
  "never_revealed",
  "proof_mismatch",
] as const satisfies Reason[];
export type Fate = (typeof FATES)[number];

/** A witness report that has no verdict yet. */
export type Waiting = {
  readonly reportId: ReportId;
  /** Index of the witness. */
  readonly witness: number;
  readonly includedRound: number;
  readonly tag: string;
  readonly report: WitnessReport;
  fate: Fate;
  /** The beacon report that the fate is about. */
  fateBeacon: ReportId | null;
};

/** Whether a hotspot has beaconed for an epoch's challenge, and what became of it. */
export type BeaconMark = {
  readonly hotspot: number;
  readonly challengeEpoch: number;
  readonly tag: string;
  readonly state: "open" | "revealed" | "never_revealed";
};

/**
 * An honest witness has one report for a tag, or a few where tags collide. Verifying a proof costs a hash for each pair
 * of a waiting report and a revealed beacon with its tag, so both sides of that product need a bound: this, and one
 * beacon a challenge.
 */
export const WAITING_PER_TAG = 4;

/**
 * How many others' open beacons of its tag a reveal is held against, a hash each; the sender's own always is. An honest
 * tag is one beacon's alone. Anyone with a challenge may post a commit under it, and so bring in a candidate that was
 * never on air, but pays for each with silence.
 */
export const OTHERS_PER_REVEAL = 16;

/**
 * Refused reports are remembered so that their witnesses get a good answer, which any one of them gives; beyond so many
 * candidates of a tag another is not worth the time that going through the tag's reports takes at its close.
 */
export const STUBS_PER_TAG = 16;

/** A beacon closes at most two epochs after its own: three epochs in a row have marks, and four slots part them. */
const MARK_SLOTS = 4;

export class BeaconBook {
  /** Open beacons and stubs, in the order of inclusion, which is that of closing too. */
  readonly candidates = new Set<Candidate>();
  /** Witness reports without a verdict, in finalized order. */
  readonly waiting = new Set<Waiting>();
  /** Those of them for which a beacon could still come. */
  readonly early = new Set<Waiting>();
  readonly marks = new Map<number, BeaconMark>();
  /** How many of the marks by tag say "revealed". */
  readonly #revealedByTag = new Map<string, number>();
  readonly #candidatesByTag = new Map<string, Candidate[]>();
  readonly #waitingByTag = new Map<string, Waiting[]>();

  addCandidate(candidate: Candidate): void {
    this.candidates.add(candidate);
    append(this.#candidatesByTag, candidate.tag, candidate);
    if (candidate.challenge !== null) this.mark({ ...candidate, state: "open" });
  }

  removeCandidate(candidate: Candidate): void {
    this.candidates.delete(candidate);
    remove(this.#candidatesByTag, candidate.tag, candidate);
  }

  candidatesOf(tag: string): readonly Candidate[] {
    return this.#candidatesByTag.get(tag) ?? [];
  }

  addWaiting(waiting: Waiting, isEarly: boolean): void {
    this.waiting.add(waiting);
    if (isEarly) this.early.add(waiting);
    append(this.#waitingByTag, waiting.tag, waiting);
  }

  removeWaiting(waiting: Waiting): void {
    this.waiting.delete(waiting);
    this.early.delete(waiting);
    remove(this.#waitingByTag, waiting.tag, waiting);
  }

  waitingOf(tag: string): readonly Waiting[] {
    return this.#waitingByTag.get(tag) ?? [];
  }

  /** Goes through a tag's waiting reports in finalized order and removes those for which `settle` answers true. */
  settleWaiting(tag: string, settle: (waiting: Waiting) => boolean): void {
    const list = this.#waitingByTag.get(tag);
    if (list === undefined) return;
    const kept: Waiting[] = [];
    for (const waiting of list) {
      if (settle(waiting)) {
        this.waiting.delete(waiting);
        this.early.delete(waiting);
      } else kept.push(waiting);
    }
    if (kept.length === 0) this.#waitingByTag.delete(tag);
    else this.#waitingByTag.set(tag, kept);
  }

  /** What is known of a hotspot's beacon for an epoch's challenge, or null. */
  findMark(hotspot: number, challengeEpoch: number): BeaconMark | null {
    const mark = this.marks.get(markKey(hotspot, challengeEpoch));
    return mark !== undefined && mark.challengeEpoch === challengeEpoch ? mark : null;
  }

  /** Notes what became of a hotspot's beacon for an epoch's challenge. */
  mark({ hotspot, challengeEpoch, tag, state }: BeaconMark): void {
    this.marks.set(markKey(hotspot, challengeEpoch), { hotspot, challengeEpoch, tag, state });
    if (state === "revealed") this.#revealedByTag.set(tag, (this.#revealedByTag.get(tag) ?? 0) + 1);
  }

  /** Whether a beacon with this tag was revealed and is still remembered. */
  wasRevealed(tag: string): boolean {
    return this.#revealedByTag.has(tag);
  }

  /** Forgets closed beacons of challenges before an epoch. */
  forgetBefore(epoch: number): void {
    for (const [key, mark] of this.marks) {
      if (mark.state === "open" || mark.challengeEpoch >= epoch) continue;
      this.marks.delete(key);
      if (mark.state === "revealed") this.#forgetRevealed(mark.tag);
    }
  }

  #forgetRevealed(tag: string): void {
    const left = this.#revealedByTag.get(tag)! - 1;
    if (left === 0) this.#revealedByTag.delete(tag);
    else this.#revealedByTag.set(tag, left);
  }
}

function markKey(hotspot: number, challengeEpoch: number): number {
  return hotspot * MARK_SLOTS + (challengeEpoch % MARK_SLOTS);
}

function append<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

function remove<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list === undefined) return;
  if (list.length === 1) {
    if (list[0] === item) lists.delete(key);
    return;
  }
  const place = list.indexOf(item);
  if (place !== -1) list.splice(place, 1);
}
