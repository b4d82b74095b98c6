/**
 * Escrow: what hotspots would have been paid while they were suspended from pay. It waits for `escrowEpochs`; if the
 * finding is reversed in that time all of it goes to whom it was earned by, else it returns to the pools it came from, so
 * that those who were honest get it. One entry for a hotspot, an owner and an interval between computations of trust.
 */
import type { Parameters } from "../network/parameters.ts";

export type EscrowEntry = {
  /** Index of the hotspot, and of the account that owned it when it earned. */
  readonly hotspot: number;
  readonly owner: number;
  /** The last epoch in which a reversal releases it; with the next one's rewards it returns. */
  readonly untilEpoch: number;
  /** Base units from the two pools. */
  beacons: bigint;
  witnesses: bigint;
};

/** Base units from the beacons' and the witnesses' pools. */
export type EscrowAmounts = { readonly beacons: bigint; readonly witnesses: bigint };

export class Escrow {
  /** In the order of their ends, then of their making. */
  #entries: EscrowEntry[] = [];
  /** By hotspot, so that thousands who are suspended are not looked for in thousands of entries each epoch. */
  readonly #byHotspot = new Map<number, EscrowEntry[]>();

  get entries(): readonly EscrowEntry[] {
    return this.#entries;
  }

  /** All that is held. */
  get total(): bigint {
    return this.#entries.reduce((sum, { beacons, witnesses }) => sum + beacons + witnesses, 0n);
  }

  /** Whether anything is held for a hotspot. */
  holdsFor(hotspot: number): boolean {
    return this.#byHotspot.has(hotspot);
  }

  /** What is held for a hotspot, in the order of its ends. */
  entriesOf(hotspot: number): readonly Readonly<EscrowEntry>[] {
    return this.#byHotspot.get(hotspot) ?? [];
  }

  /** Withholds what a hotspot would have been paid in an epoch. */
  withhold(hotspot: number, owner: number, amounts: EscrowAmounts, untilEpoch: number): void {
    const known = this.#byHotspot
      .get(hotspot)
      ?.findLast((entry) => entry.owner === owner && entry.untilEpoch === untilEpoch);
    if (known === undefined) this.restore({ hotspot, owner, untilEpoch, ...amounts });
    else {
      known.beacons += amounts.beacons;
      known.witnesses += amounts.witnesses;
    }
  }

  /** Adds an entry that ends no earlier than those before it; a snapshot's reader does. */
  restore(entry: EscrowEntry): void {
    const last = this.#entries.at(-1);
    if (last !== undefined && last.untilEpoch > entry.untilEpoch) throw new RangeError("escrow out of order");
    const added = { ...entry };
    this.#entries.push(added);
    const ofHotspot = this.#byHotspot.get(entry.hotspot);
    if (ofHotspot === undefined) this.#byHotspot.set(entry.hotspot, [added]);
    else ofHotspot.push(added);
  }

  /** Takes out what a hotspot's reversal releases. */
  release(hotspots: ReadonlySet<number>): EscrowEntry[] {
    return this.#take(({ hotspot }) => hotspots.has(hotspot));
  }

  /** Takes out what ended before an epoch: what ends with it, an appeal that the epoch's end decides may still release. */
  expire(epoch: number): EscrowEntry[] {
    return this.#take(({ untilEpoch }) => untilEpoch < epoch);
  }

  #take(isTaken: (entry: EscrowEntry) => boolean): EscrowEntry[] {
    const taken = this.#entries.filter(isTaken);
    if (taken.length === 0) return taken;
    this.#entries = this.#entries.filter((entry) => !isTaken(entry));
    for (const hotspot of new Set(taken.map((entry) => entry.hotspot))) {
      const left = this.#byHotspot.get(hotspot)!.filter((entry) => !isTaken(entry));
      if (left.length === 0) this.#byHotspot.delete(hotspot);
      else this.#byHotspot.set(hotspot, left);
    }
    return taken;
  }
}

/** The last epoch of what is withheld in an epoch: `escrowEpochs` after the interval in which it was earned. */
export function computeEscrowEnd({ trustIntervalEpochs, escrowEpochs }: Parameters, epoch: number): number {
  const intervalEnd = (Math.floor(epoch / trustIntervalEpochs) + 1) * trustIntervalEpochs - 1;
  return intervalEnd + escrowEpochs;
}
