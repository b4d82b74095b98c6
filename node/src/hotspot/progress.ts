/**
 * Whether a hotspot makes the progress that it could make: health follows what is received and which rounds are heard,
 * not that the process answers. What a restart cannot mend is no stall: an outage, or a forwarder that was never right.
 */
import type { ServiceHealth } from "../host/serviceManager.ts";
import type { HotspotStatus } from "./status.ts";

/** A forwarder reports statistics every 30 s even where nothing is on the air: twenty of them missing. */
const RECEPTION_STALL_MS = 600_000;
/** A report that waits is offered at the latest every half minute, to one validator or another. */
const DELIVERY_STALL_MS = 600_000;
/** Mainnet's rounds come every 5 s, and a network that stands still is not mended by its hotspots. */
const ROUNDS_STALL_MS = 600_000;

/** One thing that should go on while there is somebody to go on with. Its count is null while it is not known yet. */
type Track = { count: number | null; sinceMs: number; everMoved: boolean };

export class ProgressWatch {
  readonly #reception: Track;
  readonly #rounds: Track;
  readonly #delivery: Track;

  constructor(elapsedMs: number) {
    this.#reception = { count: 0, sinceMs: elapsedMs, everMoved: false };
    // The first round that a validator tells is where the network stands, and none that came: one that stands still moves none.
    this.#rounds = { count: null, sinceMs: elapsedMs, everMoved: false };
    this.#delivery = { count: 0, sinceMs: elapsedMs, everMoved: false };
  }

  /** Judges the status now; to be asked every minute or so. @param elapsedMs by a clock that nobody sets. */
  judge(status: HotspotStatus, elapsedMs: number): ServiceHealth {
    const { radio, rounds, validators, problems, next, spool, delivery } = status;
    const pushes = radio.datagrams.push_data + radio.datagrams.body_malformed;
    const pulled = radio.forwarders.some(({ alive }) => alive);
    const linked = validators.some(({ connected }) => connected);
    const silent = isStalled(this.#reception, pushes, pulled, elapsedMs, RECEPTION_STALL_MS);
    const standing = isStalled(this.#rounds, rounds?.round ?? null, linked, elapsedMs, ROUNDS_STALL_MS);
    const tries = Object.values(delivery.submissions).reduce((sum, count) => sum + count, 0);
    const isKept = linked && delivery.waiting > 0 && (spool.oldestMs ?? 0) >= DELIVERY_STALL_MS;
    const stuck = isStalled(this.#delivery, tries, isKept, elapsedMs, DELIVERY_STALL_MS);
    if (silent) {
      return { words: "The forwarder asks for frames, but its reports have ceased.", stalled: true };
    }
    if (standing) {
      return { words: "A validator is connected, but no new round is heard.", stalled: true };
    }
    if (stuck) {
      return { words: "Reports wait and a validator is connected, but none is offered.", stalled: true };
    }
    return { words: problems[0] ?? next[0] ?? "Running.", stalled: false };
  }
}

/** Notes a count; stalled is one that moved before, could move, and has not for so long. */
function isStalled(
  track: Track,
  count: number | null,
  couldMove: boolean,
  elapsedMs: number,
  limitMs: number,
): boolean {
  if (count !== track.count) {
    track.everMoved ||= track.count !== null;
    track.count = count;
    track.sinceMs = elapsedMs;
  }
  if (!couldMove) track.sinceMs = elapsedMs;
  return track.everMoved && elapsedMs - track.sinceMs >= limitMs;
}
