/**
 * How far this machine's clock is from the other validators': each says its time once a round, in the tips that it sends
 * over a channel it has proven its key on. Nothing is decided by this; it is for whoever runs the machine.
 */
import { MAX_MEMBERS, type PeerName } from "./mesh/mesh.ts";

/** One who has said nothing for a dozen rounds of mainnet has no say any more. */
const HEARD_WITHIN_MS = 60_000;

/** `offsetMs`: the own clock's time at arrival less the peer's at sending, so the way's delay is in it. */
type Heard = { readonly round: number; readonly atMs: number; readonly offsetMs: number };

export class PeerClocks {
  readonly #heard = new Map<PeerName, Heard>();

  /** A peer's own tips came. Those of a round that it has said already are a repetition, whose time is long past. */
  hear(peer: PeerName, round: number, timeMs: number, nowMs: number): void {
    const before = this.#heard.get(peer);
    if (before !== undefined && before.round >= round) return;
    if (before === undefined && this.#heard.size >= MAX_MEMBERS) this.#heard.clear();
    this.#heard.set(peer, { round, atMs: nowMs, offsetMs: nowMs - timeMs });
  }

  /**
   * How far the own clock is ahead, in milliseconds, by the median of those that were heard lately: fewer than half of
   * them cannot move it beyond what the others say. Null where nobody was.
   */
  computeOffsetMs(nowMs: number): number | null {
    // A clock that was set back makes what was heard before look as if it came from the future.
    const offsets = [...this.#heard.values()]
      .filter(({ atMs }) => Math.abs(nowMs - atMs) <= HEARD_WITHIN_MS)
      .map(({ offsetMs }) => offsetMs)
      .sort((a, b) => a - b);
    if (offsets.length === 0) return null;
    const middle = Math.floor(offsets.length / 2);
    return offsets.length % 2 === 1 ? offsets[middle]! : (offsets[middle - 1]! + offsets[middle]!) / 2;
  }
}
