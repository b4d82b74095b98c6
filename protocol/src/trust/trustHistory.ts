/** All that trust remembers between its computations: links and receivers, fed together and forgotten together. */
import { LinkHistory } from "./linkHistory.ts";
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

  /** Adds a judged report; epochs never decrease. A link beyond the witness's bound still says how its receiver works. */
  record(entry: HistoryEntry): void {
    this.links.record(entry);
    this.receivers.record(entry);
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
