/**
 * How lately hotspots of two other owners bore a hotspot out, by hearing it or by being heard: one counterpart's word,
 * however often it is given, says little about a place (2 % of lies of 20 km caught at 1 % false alarms, docs/truth.md),
 * and all hotspots of an owner are one word. The newest owner and two epochs a hotspot say it exactly: who comes after
 * that owner, and is another, makes it the one before.
 */
import { HotspotColumn } from "./hotspotColumn.ts";

export class Corroboration {
  /** The owner of whom the newest word is, as an account's index, and its epoch. */
  readonly newestOwner = new HotspotColumn();
  readonly newestEpoch = new HotspotColumn();
  /** The newest epoch of a word of any other owner. */
  readonly otherEpoch = new HotspotColumn();

  /** Notes that a hotspot of another owner bore this one out. Epochs never decrease from call to call. */
  note(hotspot: number, owner: number, epoch: number): void {
    const newest = this.newestOwner.get(hotspot);
    if (newest !== owner) {
      this.otherEpoch.set(hotspot, this.newestEpoch.get(hotspot));
      this.newestOwner.set(hotspot, owner);
    }
    this.newestEpoch.set(hotspot, epoch);
  }

  /** Whether two other owners' hotspots bore a hotspot out in an epoch or since. */
  isSince(hotspot: number, epoch: number): boolean {
    const other = this.otherEpoch.get(hotspot);
    return other !== NEVER && other >= epoch;
  }

  forget(hotspot: number): void {
    for (const column of [this.newestOwner, this.newestEpoch, this.otherEpoch]) column.set(hotspot, NEVER);
  }
}

const NEVER = -1;
