/**
 * The transmit queue of a real forwarder (its "just in time" queue), as a pure structure: 32 frames deep, one after
 * the other, refusing what is late, early, in another frame's slot, or where a beacon of the gateway's own is due. Times
 * and limits are those observed of lora_pkt_fwd 2.1.0. The caller brings the time and sets its own timer.
 */

export const JIT_QUEUE_DEPTH = 32;
const TX_START_DELAY_US = 1_500;
const TX_MARGIN_US = 1_000;
const TX_JIT_DELAY_US = 40_000;
/** What cannot be programmed in time. */
const LEAST_ADVANCE_US = TX_START_DELAY_US + TX_MARGIN_US + TX_JIT_DELAY_US;
/** Where an immediate frame starts if nothing is queued. */
const IMMEDIATE_ADVANCE_US = 2 * TX_JIT_DELAY_US;
const MOST_ADVANCE_US = 512_000_000;
const TMST_PERIOD_US = 2 ** 32;
/** Nothing begins or lasts into this before a beacon, nor into this from its start on. */
const BEACON_GUARD_US = 3_000_000;
const BEACON_RESERVED_US = 2_120_000;

export type JitRefusal = "TOO_LATE" | "TOO_EARLY" | "COLLISION_PACKET" | "COLLISION_BEACON";

/** Beacons of class B that the gateway sends itself: one each period, on the clock that the queue is given. */
export type GatewayBeacons = { readonly firstUs: number; readonly periodUs: number };

type Slot<Frame> = { readonly frame: Frame; readonly startUs: number; readonly endUs: number };

export class JitQueue<Frame> {
  /** In order of their start. */
  #slots: Slot<Frame>[] = [];
  /** When the frame that was taken last has left the air. */
  #busyUntilUs = 0;
  readonly #beacons: GatewayBeacons | null;

  constructor(beacons: GatewayBeacons | null = null) {
    this.#beacons = beacons;
  }

  /**
   * Queues a frame as early as it fits.
   * @param nowUs a clock in microseconds that never wraps; slots are given in it.
   */
  offerImmediate(frame: Frame, airtimeUs: number, nowUs: number): JitRefusal | null {
    if (this.#slots.length >= JIT_QUEUE_DEPTH) return "COLLISION_PACKET";
    let startUs = Math.max(nowUs + IMMEDIATE_ADVANCE_US, this.#busyUntilUs + LEAST_ADVANCE_US);
    startUs = this.#behindBeacon(startUs, airtimeUs);
    for (const slot of this.#slots) {
      if (startUs + airtimeUs + LEAST_ADVANCE_US <= slot.startUs) break;
      startUs = this.#behindBeacon(Math.max(startUs, slot.endUs + LEAST_ADVANCE_US), airtimeUs);
    }
    this.#insert({ frame, startUs, endUs: startUs + airtimeUs });
    return null;
  }

  /**
   * Queues a frame for a moment of the concentrator's counter. One in the past looks far ahead, since the counter
   * wraps, and is called too early.
   */
  offerTimestamped(frame: Frame, airtimeUs: number, tmstUs: number, nowUs: number): JitRefusal | null {
    if (this.#slots.length >= JIT_QUEUE_DEPTH) return "COLLISION_PACKET";
    const aheadUs = (((tmstUs - nowUs) % TMST_PERIOD_US) + TMST_PERIOD_US) % TMST_PERIOD_US;
    if (aheadUs < LEAST_ADVANCE_US) return "TOO_LATE";
    if (aheadUs > MOST_ADVANCE_US) return "TOO_EARLY";
    const slot = { frame, startUs: nowUs + aheadUs, endUs: nowUs + aheadUs + airtimeUs };
    const isTaken = this.#slots.some(
      ({ startUs, endUs }) =>
        slot.startUs < endUs + LEAST_ADVANCE_US && startUs < slot.endUs + LEAST_ADVANCE_US,
    );
    if (isTaken || slot.startUs < this.#busyUntilUs) return "COLLISION_PACKET";
    if (this.#behindBeacon(slot.startUs, airtimeUs) !== slot.startUs) return "COLLISION_BEACON";
    this.#insert(slot);
    return null;
  }

  /** When the next frame starts, or null. After a timer that ran late, not before the frame ahead of it has ended. */
  nextStartUs(): number | null {
    const first = this.#slots[0];
    return first === undefined ? null : Math.max(first.startUs, this.#busyUntilUs);
  }

  /** Takes the next frame out where its time has come, or gives null. */
  take(nowUs: number): Frame | null {
    const startUs = this.nextStartUs();
    if (startUs === null || startUs > nowUs) return null;
    const { frame, startUs: plannedUs, endUs } = this.#slots.shift()!;
    this.#busyUntilUs = nowUs + (endUs - plannedUs);
    return frame;
  }

  /** The start itself, or where the beacon that is in its way has ended. A frame is shorter than a period. */
  #behindBeacon(startUs: number, airtimeUs: number): number {
    if (this.#beacons === null) return startUs;
    const { firstUs, periodUs } = this.#beacons;
    const next = Math.ceil((startUs - BEACON_RESERVED_US - firstUs) / periodUs);
    const beaconUs = firstUs + Math.max(0, next) * periodUs;
    const isInTheWay =
      startUs + airtimeUs > beaconUs - BEACON_GUARD_US && startUs < beaconUs + BEACON_RESERVED_US;
    return isInTheWay ? beaconUs + BEACON_RESERVED_US : startUs;
  }

  #insert(slot: Slot<Frame>): void {
    const index = this.#slots.findIndex(({ startUs }) => startUs > slot.startUs);
    if (index < 0) this.#slots.push(slot);
    else this.#slots.splice(index, 0, slot);
  }
}
