/**
 * When a frame was received, by the wall clock. A datagram says it late: the forwarder fetches every 10 ms, waits up to
 * 100 ms for the acknowledgement before, and this process may be busy. The concentrator's counter is stamped at the
 * frame's end, so what is needed is the line from counter to wall clock: its slope is the two crystals' difference, and
 * it runs under all the arrivals, since nothing arrives before it was received. Where the forwarder has GPS, its own
 * time says it directly, and also by how much this machine's clock is wrong. Pure: the caller brings the arrival times.
 */
import type { ForwarderTiming, ReceivedPacket, TimeSource } from "../radio.ts";

const TMST_PERIOD_US = 2 ** 32;
/** Minima of so long each, the last ten of them: crystals drift over minutes, with the temperature. */
const BUCKET_MS = 60_000;
const BUCKETS = 10;
/** A slope needs some minutes' lever, and three of them to tell which one is odd; the newest does not count yet. */
const LEAST_BUCKETS_FOR_SLOPE = 4;
/** Two ordinary crystals differ by 40 ppm at most, a clock that is being slewed by 500. */
const MOST_DRIFT = 500e-6;
/** Later than this, a delay is no delay: the counter or the wall clock has jumped, or this process stood still. */
const JUMP_MS = 1_000;
/** So many jumps in a row are a new line, such as after the forwarder's restart; one is a hiccup. */
const JUMPS_FOR_RESTART = 3;
/** 1980-01-06 in Unix time, and what GPS is ahead of UTC by since 2017 (IERS Bulletin C: no leap second is due). */
const GPS_EPOCH_MS = 315_964_800_000;
const GPS_AHEAD_MS = 18_000;
/** A GPS time further off than this is a receiver's week rollover, or a test bench; the counter then serves. */
const GPS_PLAUSIBLE_MS = 86_400_000;

/** What an element says of its time; null where it does not. */
export type StampedElement = {
  readonly tmstUs: number;
  /** Milliseconds of GPS time. */
  readonly tmms: number | null;
  /** Nanoseconds since the last full second of UTC. */
  readonly ftimeNs: number | null;
};
export type ReceptionTime = Pick<ReceivedPacket, "receivedAtMs" | "timeSource" | "hostTimeMs">;

/** The least offset of a minute: wall clock less counter, both in milliseconds. */
type Bucket = { readonly index: number; counterMs: number; offsetMs: number };

export class ReceptionClock {
  #buckets: Bucket[] = [];
  /** The newest counter, unwrapped, and when it arrived. */
  #last: { readonly counterUs: number; readonly arrivedAtMs: number } | null = null;
  #line = { slope: 0, offsetMs: 0 };
  #jumps = 0;
  #restarts = 0;
  #latencyMs: number | null = null;
  #source: TimeSource = "arrival";
  /** Host less GPS: the least of each of the last two minutes in which GPS was told. */
  #gpsSkews: { index: number; skewMs: number }[] = [];

  /** Takes one element in and says when it was received: whole Unix milliseconds, never after its arrival. */
  stamp(element: StampedElement, arrivedAtMs: number): ReceptionTime {
    const byCounterMs = this.#readCounter(element.tmstUs, arrivedAtMs);
    const hostTimeMs = byCounterMs === null ? arrivedAtMs : Math.min(Math.round(byCounterMs), arrivedAtMs);
    const time = { ...this.#choose(element, byCounterMs, arrivedAtMs), hostTimeMs };
    this.#source = time.timeSource;
    if (byCounterMs !== null) this.#latencyMs = Math.max(0, arrivedAtMs - byCounterMs);
    return time;
  }

  /** How the times were found lately; null before the first. @param nowMs the wall clock that arrivals are told by. */
  status(nowMs: number): ForwarderTiming | null {
    if (this.#last === null) return null;
    const hasSlope = this.#buckets.length >= LEAST_BUCKETS_FOR_SLOPE;
    const skewsMs = this.#gpsSkews.filter(isLately(nowMs)).map(({ skewMs }) => skewMs);
    return {
      source: this.#source,
      latencyMs: this.#latencyMs === null ? null : Math.round(this.#latencyMs),
      driftPpm: hasSlope ? Math.round(this.#line.slope * 1e7) / 10 : null,
      gpsSkewMs: skewsMs.length === 0 ? null : Math.round(Math.min(...skewsMs)),
      restarts: this.#restarts,
    };
  }

  #choose(
    { tmms, ftimeNs }: StampedElement,
    byCounterMs: number | null,
    arrivedAtMs: number,
  ): Omit<ReceptionTime, "hostTimeMs"> {
    const gpsMs = tmms === null ? null : snap(GPS_EPOCH_MS + tmms - GPS_AHEAD_MS, ftimeNs);
    if (gpsMs !== null && Math.abs(arrivedAtMs - gpsMs) < GPS_PLAUSIBLE_MS) {
      this.#noteSkew(arrivedAtMs - gpsMs, arrivedAtMs);
      return { receivedAtMs: Math.round(gpsMs), timeSource: "gps" };
    }
    if (byCounterMs === null) return { receivedAtMs: arrivedAtMs, timeSource: "arrival" };
    const snappedMs = snap(byCounterMs, ftimeNs);
    return { receivedAtMs: Math.min(Math.round(snappedMs), arrivedAtMs), timeSource: "counter" };
  }

  /** The wall clock at this value of the counter; null where the line says nothing about it. */
  #readCounter(tmstUs: number, arrivedAtMs: number): number | null {
    const last = this.#last;
    if (last === null) return this.#restart(tmstUs, arrivedAtMs);
    // Whole turns of the counter since the newest are told by the wall clock.
    const expectedUs = last.counterUs + (arrivedAtMs - last.arrivedAtMs) * 1_000;
    const counterUs = tmstUs + Math.round((expectedUs - tmstUs) / TMST_PERIOD_US) * TMST_PERIOD_US;
    const lateMs = arrivedAtMs - this.#predict(counterUs / 1_000);
    if (Math.abs(lateMs) > JUMP_MS) {
      this.#jumps++;
      if (this.#jumps < JUMPS_FOR_RESTART) return null;
      this.#restarts++;
      return this.#restart(tmstUs, arrivedAtMs);
    }
    this.#jumps = 0;
    if (counterUs > last.counterUs) this.#last = { counterUs, arrivedAtMs };
    this.#learn(counterUs / 1_000, arrivedAtMs);
    return this.#predict(counterUs / 1_000);
  }

  #restart(tmstUs: number, arrivedAtMs: number): null {
    this.#jumps = 0;
    this.#buckets = [];
    // Where it was this machine's clock that jumped, its difference to GPS is another one now.
    this.#gpsSkews = [];
    this.#last = { counterUs: tmstUs, arrivedAtMs };
    this.#learn(tmstUs / 1_000, arrivedAtMs);
    // A line through one point says no more than its arrival.
    return null;
  }

  #predict(counterMs: number): number {
    return counterMs + this.#line.offsetMs + this.#line.slope * counterMs;
  }

  #learn(counterMs: number, arrivedAtMs: number): void {
    const offsetMs = arrivedAtMs - counterMs;
    const index = Math.floor(arrivedAtMs / BUCKET_MS);
    const newest = this.#buckets.at(-1);
    if (newest?.index === index) {
      if (offsetMs >= newest.offsetMs) return;
      newest.counterMs = counterMs;
      newest.offsetMs = offsetMs;
    } else {
      this.#buckets = [...this.#buckets, { index, counterMs, offsetMs }].slice(-BUCKETS);
    }
    this.#line = fitUnder(this.#buckets);
  }

  #noteSkew(skewMs: number, arrivedAtMs: number): void {
    const index = Math.floor(arrivedAtMs / BUCKET_MS);
    const newest = this.#gpsSkews.at(-1);
    if (newest?.index === index) newest.skewMs = Math.min(newest.skewMs, skewMs);
    else this.#gpsSkews = [...this.#gpsSkews, { index, skewMs }].slice(-2);
  }
}

/** Whether a minute is the present one or the one before; after a clock was set back, those ahead are neither. */
function isLately(nowMs: number): (bucket: { readonly index: number }) => boolean {
  const present = Math.floor(nowMs / BUCKET_MS);
  return ({ index }) => index === present || index === present - 1;
}

/** The regression's slope, and the highest offset at which the line runs under all points. */
function fitUnder(points: readonly Bucket[]): { slope: number; offsetMs: number } {
  // The newest minute is still looking for its minimum.
  const slope = points.length < LEAST_BUCKETS_FOR_SLOPE ? 0 : computeSlope(points.slice(0, -1));
  return { slope, offsetMs: Math.min(...points.map((p) => p.offsetMs - slope * p.counterMs)) };
}

/** The median of all pairs' slopes (Theil and Sen's regression): a minute in which everything was late has no say. */
function computeSlope(points: readonly Bucket[]): number {
  const slopes = points.flatMap((a, i) => {
    // A datagram that comes again a minute later has the same counter.
    const later = points.slice(i + 1).filter((b) => b.counterMs !== a.counterMs);
    return later.map((b) => (b.offsetMs - a.offsetMs) / (b.counterMs - a.counterMs));
  });
  const median = slopes.toSorted((a, b) => a - b)[slopes.length >> 1] ?? 0;
  return Math.min(Math.max(median, -MOST_DRIFT), MOST_DRIFT);
}

/** The moment with this fraction of a second that is nearest to a time; the time itself without a fraction. */
function snap(timeMs: number, fractionNs: number | null): number {
  if (fractionNs === null) return timeMs;
  const fractionMs = fractionNs / 1e6;
  return Math.round((timeMs - fractionMs) / 1_000) * 1_000 + fractionMs;
}
