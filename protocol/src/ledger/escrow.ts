/**
 * Escrow: what hotspots would have been paid while they were suspended from pay. It waits for `escrowEpochs`; if findings
 * are reversed in that time it goes to whom it was earned by, all of it or the part that what still stands leaves, else it
 * returns to the pools it came from, so that those who were honest get it. One entry for a hotspot, an owner and an end.
 */
import { type Parameters, PPM } from "../network/parameters.ts";

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

  /**
   * Takes out what hotspots' reversals in an epoch release: of each a share, rounded down, and only where that leaves
   * something. The rest ends with the epoch, so that it returns with the next one's rewards, and no later reversal releases
   * more of it.
   * @param sharesPpm by hotspot, in parts per million.
   */
  release(sharesPpm: ReadonlyMap<number, number>, epoch: number): EscrowEntry[] {
    const taken = this.#take(({ hotspot }) => sharesPpm.has(hotspot));
    const released = taken.map((entry) => {
      const sharePpm = BigInt(sharesPpm.get(entry.hotspot)!);
      const part = (amount: bigint): bigint => (amount * sharePpm) / BigInt(PPM);
      return { ...entry, beacons: part(entry.beacons), witnesses: part(entry.witnesses) };
    });
    this.#end(
      taken.map((entry, i) => ({
        ...{ ...entry, untilEpoch: epoch },
        beacons: entry.beacons - released[i]!.beacons,
        witnesses: entry.witnesses - released[i]!.witnesses,
      })),
    );
    return released.filter(isSome);
  }

  /** Takes out what ended before an epoch: what ends with it, an appeal that the epoch's end decides may still release. */
  expire(epoch: number): EscrowEntry[] {
    return this.#take(({ untilEpoch }) => untilEpoch < epoch);
  }

  /** Puts back what ends before all that is held. */
  #end(entries: readonly EscrowEntry[]): void {
    const left = entries.filter(isSome);
    if (left.length === 0) return;
    const later = this.#take(() => true);
    for (const { hotspot, owner, untilEpoch, ...amounts } of left)
      this.withhold(hotspot, owner, amounts, untilEpoch);
    for (const entry of later) this.restore(entry);
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

function isSome({ beacons, witnesses }: EscrowAmounts): boolean {
  return beacons + witnesses > 0n;
}

/** The last epoch of what is withheld in an epoch: `escrowEpochs` after the interval in which it was earned. */
export function computeEscrowEnd({ trustIntervalEpochs, escrowEpochs }: Parameters, epoch: number): number {
  const intervalEnd = (Math.floor(epoch / trustIntervalEpochs) + 1) * trustIntervalEpochs - 1;
  return intervalEnd + escrowEpochs;
}
