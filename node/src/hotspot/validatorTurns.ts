/** Which validator an envelope goes to next: one that has not had it, has not failed lately, and a different one for every hotspot. */
import type { Clock, PeerRef } from "../host/types.ts";
import type { Delivery } from "./delivery.ts";

/** A validator that gave no receipt is asked last for so long: each try costs up to the timeout. */
const SHUN_MS = 30_000;

export class ValidatorTurns {
  readonly #clock: Pick<Clock, "elapsedMs">;
  /** So that hotspots do not all begin with the same one. */
  readonly #first: number;
  /** When a validator last failed to give a receipt, by peer id; bounded by the addresses that are dialled. */
  readonly #failedAtMs = new Map<string, number>();
  /** How often a validator did not know this hotspot: one that is behind, or lies, is not asked again and again. */
  #timesUnknown = 0;

  /** @param publicKey the hotspot's. */
  constructor(publicKey: Uint8Array, modules: { readonly clock: Pick<Clock, "elapsedMs"> }) {
    this.#first = publicKey[0]!;
    this.#clock = modules.clock;
  }

  /**
   * The peer to submit to now; null where every connected one has given its receipt. For a second receipt nobody is
   * asked who failed lately: what waits for its first must not wait behind a timeout.
   */
  choose(
    peers: readonly PeerRef[],
    { receipts, tried }: Pick<Delivery, "receipts" | "tried">,
  ): PeerRef | null {
    if (peers.length === 0) return null;
    const turn = (this.#first + this.#timesUnknown) % peers.length;
    const inTurn = [...peers.slice(turn), ...peers.slice(0, turn)];
    const open = inTurn.filter(({ peerId }) => !receipts.has(peerId));
    const untried = open.filter(({ peerId }) => !tried.has(peerId));
    const candidates = untried.length > 0 ? untried : open;
    const shunnedSinceMs = this.#clock.elapsedMs() - SHUN_MS;
    const isWell = ({ peerId }: PeerRef) =>
      (this.#failedAtMs.get(peerId) ?? Number.NEGATIVE_INFINITY) < shunnedSinceMs;
    const last = receipts.size > 0 ? null : (candidates[0] ?? null);
    return candidates.find(isWell) ?? last;
  }

  /** Notes that a validator gave no receipt. */
  noteFailure(peerId: string): void {
    this.#failedAtMs.set(peerId, this.#clock.elapsedMs());
  }

  noteReceipt(peerId: string): void {
    this.#failedAtMs.delete(peerId);
  }

  /** Notes that a validator did not know this hotspot. */
  noteUnknown(): void {
    this.#timesUnknown++;
  }
}
