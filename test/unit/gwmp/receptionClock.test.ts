/** When a frame was received, out of a counter that wraps, datagrams that come late, and clocks that jump. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ReceptionClock } from "../../../node/src/radio/gwmp/receptionClock.ts";

const START_MS = 1_763_000_000_000;
/** GPS began at 1980-01-06 and knows no leap seconds, of which there were 18 until 2017. */
const GPS_START_MS = Date.UTC(1980, 0, 6) - 18_000;

/** A concentrator whose counter runs this much slower than the wall clock, and began with this value. */
function createCounter({ ppm = 0, startUs = 0 } = {}) {
  return (atMs: number) => Math.round(startUs + (atMs - START_MS) * 1_000 * (1 - ppm / 1e6)) % 2 ** 32;
}

const plain = (tmstUs: number) => ({ tmstUs, tmms: null, ftimeNs: null });

describe("by the counter", () => {
  test("a late datagram's frame has its own time, within 3 ms of the promptest, however the crystals drift", () => {
    const seconds = 30 * 60;
    const delays = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 30, maxLength: 30 });
    const blocked = fc.array(fc.boolean(), { minLength: 30, maxLength: 30 });
    fc.assert(
      fc.property(
        fc.integer({ min: -40, max: 40 }),
        fc.nat(2 ** 32 - 1),
        delays,
        blocked,
        (ppm, startUs, fetch, push) => {
          const counter = createCounter({ ppm, startUs });
          const clock = new ReceptionClock();
          let worstMs = 0;
          for (let second = 0; second < seconds; second++) {
            const endedMs = START_MS + second * 1_000;
            const arrivedMs = endedMs + fetch[second % 30]! + (push[(second * 7) % 30]! ? 100 : 0);
            const { receivedAtMs } = clock.stamp(plain(counter(endedMs)), arrivedMs);
            expect(receivedAtMs).toBeLessThanOrEqual(arrivedMs);
            // The first minutes have no slope yet.
            if (second > 300) worstMs = Math.max(worstMs, Math.abs(receivedAtMs - endedMs));
          }
          // Where every datagram had been blocked, nothing could tell: there is none that came at once.
          const leastMs = Math.min(...fetch.map((ms, i) => ms + (push[(i * 7) % 30]! ? 100 : 0)));
          expect(worstMs).toBeLessThanOrEqual(leastMs + 3);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("the drift is told once it is known, and the delay always", () => {
    const counter = createCounter({ ppm: 20 });
    const clock = new ReceptionClock();
    expect(clock.status(START_MS)).toBeNull();
    for (let second = 0; second < 600; second++) {
      const endedMs = START_MS + second * 1_000;
      clock.stamp(plain(counter(endedMs)), endedMs + (second % 3) * 5);
    }
    expect(clock.status(START_MS)).toMatchObject({
      source: "counter",
      gpsSkewMs: null,
      restarts: 0,
      latencyMs: 10,
    });
    expect(clock.status(START_MS)!.driftPpm).toBeCloseTo(20, 0);
  });

  test("the counter's wrap is no event, nor is a silence of hours", () => {
    const counter = createCounter({ startUs: 2 ** 32 - 5_000_000 });
    const clock = new ReceptionClock();
    for (const second of [0, 4, 6, 10, 4_400, 4_401, 13_000]) {
      const endedMs = START_MS + second * 1_000;
      const { receivedAtMs } = clock.stamp(plain(counter(endedMs)), endedMs + (second === 10 ? 90 : 0));
      expect(receivedAtMs).toBe(endedMs);
    }
    expect(clock.status(START_MS)!.restarts).toBe(0);
  });

  test("a forwarder that starts anew, and a wall clock that is set, begin a new line", () => {
    for (const jump of ["counter", "clock ahead", "clock back"] as const) {
      const clock = new ReceptionClock();
      const before = createCounter({ startUs: 7_000_000 });
      for (let s = 0; s < 100; s++) clock.stamp(plain(before(START_MS + s * 1_000)), START_MS + s * 1_000);
      const setMs = jump === "clock ahead" ? 60_000 : jump === "clock back" ? -60_000 : 0;
      const after = createCounter({ startUs: jump === "counter" ? 3_000_000_000 : 7_000_000 });
      for (let s = 100; s < 110; s++) {
        const endedMs = START_MS + s * 1_000;
        const arrivedMs = endedMs + setMs + 20;
        const { receivedAtMs, timeSource } = clock.stamp(plain(after(endedMs)), arrivedMs);
        // Until it is sure, the arrival is the honest answer.
        expect(Math.abs(receivedAtMs - arrivedMs)).toBeLessThanOrEqual(20);
        expect(timeSource).toBe(s < 103 ? "arrival" : "counter");
      }
      expect(clock.status(START_MS)!.restarts).toBe(1);
    }
  });

  test("one absurd counter among good ones changes nothing", () => {
    const counter = createCounter();
    const clock = new ReceptionClock();
    for (let s = 0; s < 50; s++) {
      const endedMs = START_MS + s * 1_000;
      if (s % 10 === 5) {
        const { timeSource } = clock.stamp(plain((counter(endedMs) + 2 ** 31) % 2 ** 32), endedMs + 3);
        expect(timeSource).toBe("arrival");
      }
      expect(clock.stamp(plain(counter(endedMs)), endedMs + 3).receivedAtMs).toBe(endedMs + 3);
    }
    expect(clock.status(START_MS)!.restarts).toBe(0);
  });

  test("any numbers give a whole time that is not after the arrival", () => {
    const element = fc.record({
      tmstUs: fc.nat(2 ** 32 - 1),
      tmms: fc.constant(null),
      ftimeNs: fc.option(fc.nat(999_999_999)),
    });
    const steps = fc.array(fc.tuple(element, fc.integer({ min: -10_000, max: 5_000_000 })), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, (list) => {
        const clock = new ReceptionClock();
        let nowMs = START_MS;
        for (const [stamps, stepMs] of list) {
          nowMs += stepMs;
          const { receivedAtMs } = clock.stamp(stamps, nowMs);
          expect(Number.isSafeInteger(receivedAtMs)).toBe(true);
          expect(receivedAtMs).toBeLessThanOrEqual(nowMs);
          expect(nowMs - receivedAtMs).toBeLessThanOrEqual(1_501);
        }
      }),
    );
  });
});

describe("by GPS", () => {
  test("tmms is the time, whatever this machine's clock says, and the difference shows", () => {
    const counter = createCounter();
    const clock = new ReceptionClock();
    for (let s = 0; s < 10; s++) {
      const endedMs = START_MS + s * 1_000;
      const tmms = endedMs - GPS_START_MS;
      // This machine is four seconds ahead.
      const arrivedMs = endedMs + 4_000 + (s % 2) * 100;
      const time = clock.stamp({ tmstUs: counter(endedMs), tmms, ftimeNs: null }, arrivedMs);
      // By the first datagram, which was not blocked, and its clock: so it compares with a forwarder without GPS.
      expect(time).toEqual({ receivedAtMs: endedMs, timeSource: "gps", hostTimeMs: endedMs + 4_000 });
    }
    expect(clock.status(START_MS)).toMatchObject({ source: "gps", gpsSkewMs: 4_000 });
  });

  test("a known GPS time: 2024-01-01T00:00:00Z was 1,388,102,418 s of GPS time", () => {
    const utcMs = Date.UTC(2024, 0, 1);
    const { receivedAtMs } = new ReceptionClock().stamp(
      { tmstUs: 1, tmms: 1_388_102_418_000, ftimeNs: null },
      utcMs + 7,
    );
    expect(receivedAtMs).toBe(utcMs);
  });

  test("ftime says where within a second", () => {
    const clock = new ReceptionClock();
    const tmms = START_MS + 250 - GPS_START_MS;
    expect(clock.stamp({ tmstUs: 1, tmms, ftimeNs: 253_400_000 }, START_MS + 300)).toEqual({
      receivedAtMs: START_MS + 253,
      timeSource: "gps",
      hostTimeMs: START_MS + 300,
    });
    // Across the second's end, and without tmms, by the counter's line.
    expect(
      clock.stamp({ tmstUs: 700_001, tmms: null, ftimeNs: 998_000_000 }, START_MS + 1_010).receivedAtMs,
    ).toBe(START_MS + 998);
  });

  test("a difference that is over is told no more: after its minutes, and at once where the clock was set", () => {
    const counter = createCounter();
    const clock = new ReceptionClock();
    const hear = (endedMs: number, aheadMs: number, hasGps = true) => {
      const tmms = hasGps ? endedMs - GPS_START_MS : null;
      clock.stamp({ tmstUs: counter(endedMs), tmms, ftimeNs: null }, endedMs + aheadMs);
      return clock.status(endedMs + aheadMs)!.gpsSkewMs;
    };
    expect(hear(START_MS, 4_000)).toBe(4_000);
    // The receiver has lost its satellites; then somebody sets the clock right.
    expect(hear(START_MS + 30_000, 4_000, false)).toBe(4_000);
    expect(hear(START_MS + 120_000, 4_000, false)).toBeNull();
    expect(hear(START_MS + 121_000, 4_000)).toBe(4_000);
    for (const second of [122, 123, 124]) hear(START_MS + second * 1_000, 0);
    expect(hear(START_MS + 125_000, 0)).toBe(0);
    // A forwarder of which nothing is heard any more says nothing of the clock either.
    expect(clock.status(START_MS + 300_000)!.gpsSkewMs).toBeNull();
  });

  test("a receiver whose week has rolled over is not believed", () => {
    const clock = new ReceptionClock();
    const tmms = START_MS - GPS_START_MS - 1_024 * 7 * 86_400_000;
    expect(clock.stamp({ tmstUs: 1, tmms, ftimeNs: null }, START_MS)).toEqual({
      receivedAtMs: START_MS,
      timeSource: "arrival",
      hostTimeMs: START_MS,
    });
    expect(clock.status(START_MS)!.gpsSkewMs).toBeNull();
  });
});
