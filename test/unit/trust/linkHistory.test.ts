/** The history of links: what it keeps, for how long, and that equal reports make equal bytes. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type HistoryEntry,
  LinkHistory,
  PAIRS_PER_WITNESS_MAX,
} from "../../../protocol/src/trust/linkHistory.ts";
import { createMoments, RECEPTIONS_MAX } from "../../../protocol/src/trust/moments.ts";

const WINDOW_EPOCHS = 10;

const entry = (part: Partial<HistoryEntry>, rssiDeciDbm = -1_000): HistoryEntry => ({
  witness: 1,
  beaconer: 2,
  epoch: 0,
  verdict: "valid",
  distanceM: 1_500,
  moments: createMoments({
    rssiDeciDbm,
    rssiKind: "signal",
    snrCentiDb: 500,
    bandwidthHz: 125_000,
    powerStepDb: 6,
  }),
  ...part,
});

describe("the history of links", () => {
  test("counts epochs once, receptions each, and refused reports apart", () => {
    const history = new LinkHistory(WINDOW_EPOCHS);
    history.record(entry({ epoch: 0 }));
    history.record(entry({ epoch: 0 }, -1_100));
    history.record(entry({ epoch: 3, distanceM: 1_600 }));
    history.record(entry({ epoch: 4, verdict: "refused" }));
    expect(history.find(1, 2, 4)).toMatchObject({
      firstEpoch: 0,
      lastEpoch: 3,
      epochs: 2,
      refused: 1,
      distanceM: 1_600,
      moments: { count: 4, rssi: -200 - 300 - 200 - 200, power: -24 },
    });
    expect(history.find(2, 1, 4)).toBeNull();
  });

  test("forgets after two windows at the latest, and keeps for one at least", () => {
    const history = new LinkHistory(WINDOW_EPOCHS);
    history.record(entry({ epoch: 9 }));
    history.record(entry({ epoch: 12 }));
    expect(history.find(1, 2, 19)?.epochs).toBe(2);
    expect(history.find(1, 2, 20)?.epochs).toBe(1);
    expect(history.find(1, 2, 30)).toBeNull();
    // An acquaintance begins anew after a gap, however often one has looked.
    history.record(entry({ epoch: 35 }));
    expect(history.find(1, 2, 35)).toMatchObject({ firstEpoch: 35, epochs: 1 });
  });

  test("is bounded for each witness, and makes room when counterparts expire", () => {
    const history = new LinkHistory(WINDOW_EPOCHS);
    for (let beaconer = 0; beaconer < PAIRS_PER_WITNESS_MAX; beaconer++) {
      expect(history.record(entry({ witness: 1_000, beaconer }))).toBe(true);
    }
    expect(history.record(entry({ witness: 1_000, beaconer: 500 }))).toBe(false);
    expect(history.record(entry({ witness: 1_001, beaconer: 500 }))).toBe(true);
    expect(history.record(entry({ witness: 1_000, beaconer: 500, epoch: 20 }))).toBe(true);
    expect(history.size).toBe(1);
  });

  test("forgets both directions of a hotspot that moved, and makes room for it", () => {
    const history = new LinkHistory(WINDOW_EPOCHS);
    for (let other = 0; other < PAIRS_PER_WITNESS_MAX; other++) {
      history.record(entry({ witness: 1_000, beaconer: other }));
      history.record(entry({ witness: other, beaconer: 1_000 }));
    }
    history.record(entry({ witness: 3, beaconer: 4 }));
    expect(history.record(entry({ witness: 1_000, beaconer: 500 }))).toBe(false);
    history.forget(1_000);
    expect(history.listSorted(0)).toHaveLength(1);
    expect(history.record(entry({ witness: 1_000, beaconer: 500, epoch: 2 }))).toBe(true);
    expect(history.find(1_000, 500, 2)?.firstEpoch).toBe(2);
  });

  test("sums hold as many receptions as fit 31 bits, at the extremes of what is permitted", () => {
    const history = new LinkHistory(WINDOW_EPOCHS);
    const moments = createMoments({
      rssiDeciDbm: -100,
      rssiKind: "signal",
      snrCentiDb: -2_900,
      bandwidthHz: 125_000,
      powerStepDb: 30,
    });
    for (let i = 0; i < RECEPTIONS_MAX + 50; i++) history.record(entry({ moments }));
    const record = history.find(1, 2, 0)!;
    expect(record.moments.count).toBe(RECEPTIONS_MAX);
    expect(record.moments.snrSquare).toBe(RECEPTIONS_MAX * 2_900 ** 2);
    expect(record.moments.snrSquare).toBeLessThan(2 ** 31);
  });

  const reports = fc.array(
    fc.record({
      witness: fc.nat(8),
      beaconer: fc.nat(40),
      wait: fc.nat(4),
      rssi: fc.integer({ min: -1_400, max: -300 }),
    }),
    { maxLength: 200 },
  );

  test("equal reports make equal bytes, whatever was read in between; decoding gives the same history", () => {
    fc.assert(
      fc.property(reports, (list) => {
        const plain = new LinkHistory(WINDOW_EPOCHS);
        const read = new LinkHistory(WINDOW_EPOCHS);
        let epoch = 0;
        for (const { witness, beaconer, wait, rssi } of list) {
          epoch += wait;
          plain.record(entry({ witness, beaconer, epoch }, rssi));
          read.record(entry({ witness, beaconer, epoch }, rssi));
          read.listSorted(epoch);
          read.encode(epoch);
        }
        const bytes = plain.encode(epoch);
        expect(read.encode(epoch)).toEqual(bytes);
        const decoded = LinkHistory.decode(bytes, WINDOW_EPOCHS)!;
        expect(decoded.listSorted(epoch)).toEqual(plain.listSorted(epoch));
        expect(decoded.encode(epoch)).toEqual(bytes);
      }),
      { numRuns: 50 },
    );
  });

  test("bytes that are not whole pairs in order are refused", () => {
    const history = new LinkHistory(WINDOW_EPOCHS);
    history.record(entry({ beaconer: 2 }));
    history.record(entry({ beaconer: 3 }));
    const bytes = history.encode(0);
    const half = bytes.length / 2;
    const swapped = new Uint8Array([...bytes.subarray(half), ...bytes.subarray(0, half)]);
    expect(LinkHistory.decode(swapped, WINDOW_EPOCHS)).toBeNull();
    expect(LinkHistory.decode(bytes.subarray(1), WINDOW_EPOCHS)).toBeNull();
    expect(LinkHistory.decode(new Uint8Array(0), WINDOW_EPOCHS)!.size).toBe(0);
  });
});
