/** All that trust remembers between its computations: links and receivers, fed together and forgotten together. */
import { LinkHistory, PAIRS_PER_WITNESS_MAX, PAIRS_WITH_UNTRUSTED_MAX } from "./linkHistory.ts";
import type { HistoryEntry, LinkRecord } from "./linkRecord.ts";
import { ReceiverHistory } from "./receiverHistory.ts";

export class TrustHistory {
  readonly links: LinkHistory;
  readonly receivers: ReceiverHistory;

  /** @param windowEpochs evidence counts for at least so many epochs and at most twice as many. */
  constructor(
    windowEpochs: number,
    links = new LinkHistory(windowEpochs),
    receivers = new ReceiverHistory(windowEpochs),
  ) {
    this.links = links;
    this.receivers = receivers;
  }

  /**
   * Adds a judged report; epochs never decrease. A link with a trusted beaconer, if beyond the witness's bound, still says
   * how its receiver works.
   * @param isTrusted whether the beaconer is: only such have all of the witness's places, and show how it receives. Who
   *   invents hotspots could else have it hear what it is then judged by.
   * @returns whether the link is on record.
   */
  record(entry: HistoryEntry, isTrusted = true): boolean {
    if (isTrusted) this.receivers.record(entry);
    return this.links.record(entry, isTrusted ? PAIRS_PER_WITNESS_MAX : PAIRS_WITH_UNTRUSTED_MAX);
  }

  /** Counts a revealed beacon: what shows that a hotspot could have been heard. */
  countBeacon(hotspot: number, epoch: number): void {
    this.receivers.countBeacon(hotspot, epoch);
  }

  /** Forgets a hotspot, both ways: it has another place, antenna or owner. */
  forget(hotspot: number): void {
    this.links.forget(hotspot);
    this.receivers.forget(hotspot);
  }

  /** What a witness heard of a beaconer, or null. */
  find(witness: number, beaconer: number, epoch: number): LinkRecord | null {
    return this.links.find(witness, beaconer, epoch);
  }
}
