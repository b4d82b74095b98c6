/** The history of links: what it keeps, for how long, and that equal reports make equal bytes. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LINK_RECEPTIONS_MAX } from "../../../protocol/src/trust/linkColumns.ts";
import {
  LinkHistory,
  PAIRS_PER_WITNESS_MAX,
  PAIRS_WITH_UNTRUSTED_MAX,
} from "../../../protocol/src/trust/linkHistory.ts";
import type { HistoryEntry } from "../../../protocol/src/trust/linkRecord.ts";
import { createMoments } from "../../../protocol/src/trust/moments.ts";
import { ReceiverHistory } from "../../../protocol/src/trust/receiverHistory.ts";
import { TrustHistory } from "../../../protocol/src/trust/trustHistory.ts";

const WINDOW_EPOCHS = 10;

const entry = (part: Partial<HistoryEntry>, rssiDeciDbm = -1_000): HistoryEntry => ({
  witness: 1,
  beaconer: 2,
  epoch: 0,
  verdict: "valid",
  distanceM: 1_500,
  marginCentiDb: 1_250,
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
  test("counts epochs once, receptions each, and of refused reports only these", () => {
    const history = new LinkHistory(WINDOW_EPOCHS);
    history.record(entry({ epoch: 0 }));
    history.record(entry({ epoch: 0 }, -1_100));
    history.record(entry({ epoch: 3, distanceM: 1_600 }));
    history.record(entry({ epoch: 4, verdict: "refused" }));
    expect(history.find(1, 2, 4)).toMatchObject({
      firstEpoch: 0,
      lastEpoch: 3,
      epochs: 2,
      distanceM: 1_600,
      count: 4,
      signal: -200 - 300 - 200 - 200,
      power: -24,
      powerSquare: 4 * 36,
      powerSignal: 6 * 900,
      signalSquare: 3 * 200 ** 2 + 300 ** 2,
      marginsDb: 4 * 12,
    });
    // The other direction is of the same pair, and nothing was heard that way.
    expect(history.find(2, 1, 4)).toMatchObject({ firstEpoch: 0, lastEpoch: -1, epochs: 0, count: 0 });
    expect(history.find(2, 3, 4)).toBeNull();
    history.record(entry({ witness: 2, beaconer: 1, epoch: 4 }));
    expect(history.find(2, 1, 4)).toMatchObject({ firstEpoch: 0, lastEpoch: 4, epochs: 1, count: 1 });
    expect(history.find(1, 2, 4)).toMatchObject({ epochs: 2, count: 4 });
    expect(history.size).toBe(1);
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

  test("a pair is opened by a valid report; what is refused counts where there is one", () => {
    const history = new LinkHistory(WINDOW_EPOCHS);
    expect(history.record(entry({ verdict: "refused" }))).toBe(false);
    expect(history.size).toBe(0);
    history.record(entry({}));
    expect(history.record(entry({ verdict: "refused" }))).toBe(true);
    expect(history.find(1, 2, 0)).toMatchObject({ count: 2, epochs: 1 });
  });

  test("half of a witness's places are kept for those that are trusted, who alone show how it receives", () => {
    const history = new TrustHistory(WINDOW_EPOCHS);
    const isKept = (beaconer: number, isTrusted: boolean): boolean =>
      history.record(entry({ witness: 1_000, beaconer }), isTrusted);
    for (let other = 0; other < PAIRS_WITH_UNTRUSTED_MAX; other++) expect(isKept(other, false)).toBe(true);
    expect(isKept(100, false)).toBe(false);
    for (let other = PAIRS_WITH_UNTRUSTED_MAX; other < PAIRS_PER_WITNESS_MAX; other++) {
      expect(isKept(other, true)).toBe(true);
    }
    expect(isKept(100, true)).toBe(false);
    // Who is on record stays there whatever it is trusted.
    expect(isKept(50, false)).toBe(true);
    expect(history.receivers.read(1_000, 0).count).toBe(PAIRS_PER_WITNESS_MAX - PAIRS_WITH_UNTRUSTED_MAX + 1);
  });

  test("a witness's bound is filled by its own reports only", () => {
    const history = new LinkHistory(WINDOW_EPOCHS);
    for (let other = 0; other < 3 * PAIRS_PER_WITNESS_MAX; other++) {
      expect(history.record(entry({ witness: other, beaconer: 1_000 }))).toBe(true);
    }
    expect(history.record(entry({ witness: 1_000, beaconer: 500 }))).toBe(true);
    // A pair that somebody else has opened costs nothing.
    expect(history.record(entry({ witness: 1_000, beaconer: 7 }))).toBe(true);
    expect(history.size).toBe(3 * PAIRS_PER_WITNESS_MAX + 1);
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
    expect(history.size).toBe(1);
    expect(history.record(entry({ witness: 1_000, beaconer: 500, epoch: 2 }))).toBe(true);
    expect(history.find(1_000, 500, 2)?.firstEpoch).toBe(2);
  });

  test("is forgotten also where a window turns before the pass that drops it", () => {
    const history = new LinkHistory(WINDOW_EPOCHS);
    history.record(entry({ witness: 1, beaconer: 2 }));
    history.record(entry({ witness: 3, beaconer: 4 }));
    history.forget(1);
    expect(history.find(3, 4, WINDOW_EPOCHS)?.epochs).toBe(1);
    expect(history.find(2, 1, WINDOW_EPOCHS)).toBeNull();
    expect(history.size).toBe(1);
  });

  test("whoever forgets and asks by turns pays for no pass over all pairs", { timeout: 30_000 }, () => {
    // A pass for each turn would take a minute or two.
    const history = new LinkHistory(WINDOW_EPOCHS);
    for (let witness = 0; witness < 5_000; witness++) {
      for (let other = 1; other <= 10; other++) history.record(entry({ witness, beaconer: witness + other }));
    }
    for (let turn = 0; turn < 10_000; turn++) {
      history.forget(6_000);
      expect(history.find(1, 2, 0)).not.toBeNull();
    }
  });

  test("sums hold as many receptions as fit their bits, at the extremes of what is permitted and beyond", () => {
    for (const [rssiDeciDbm, snrCentiDb] of [
      [-100, 32_000],
      [-32_768, -32_768],
    ] as const) {
      const moments = createMoments({
        ...{ rssiDeciDbm, rssiKind: "signal", snrCentiDb, bandwidthHz: 125_000, powerStepDb: 30 },
      });
      const history = new LinkHistory(WINDOW_EPOCHS);
      for (let i = 0; i < LINK_RECEPTIONS_MAX + 50; i++)
        history.record(entry({ moments, marginCentiDb: 9_999, epoch: 1 }));
      const most = LINK_RECEPTIONS_MAX;
      expect(history.find(1, 2, 1)).toMatchObject({
        count: most,
        power: -30 * most,
        powerSquare: 900 * most,
        signal: moments.signal * most,
        signalSquare: moments.signal ** 2 * most,
        powerSignal: -30 * moments.signal * most,
        marginsDb: 31 * most,
      });
    }
  });

  test("lists every pair at both ends, neighbours ascending", () => {
    const pair = fc.tuple(fc.nat(30), fc.nat(30)).filter(([a, b]) => a !== b);
    fc.assert(
      fc.property(fc.array(pair, { maxLength: 120 }), (pairs) => {
        const history = new LinkHistory(WINDOW_EPOCHS);
        const expected = Array.from({ length: 31 }, () => new Set<number>());
        for (const [witness, beaconer] of pairs) {
          history.record(entry({ witness, beaconer }));
          expected[witness]!.add(beaconer);
          expected[beaconer]!.add(witness);
        }
        const { start, neighbour, row } = history.listRows(31, 0);
        for (let hotspot = 0; hotspot < 31; hotspot++) {
          const found = [...neighbour.subarray(start[hotspot], start[hotspot + 1])];
          expect(found).toEqual([...expected[hotspot]!].sort((a, b) => a - b));
          for (let i = start[hotspot]!; i < start[hotspot + 1]!; i++) {
            const other = neighbour[i]!;
            expect(history.readRow(row[i]!, hotspot < other)).toEqual(history.find(hotspot, other, 0));
          }
        }
      }),
    );
  });

  const reports = fc.array(
    fc.record({
      witness: fc.nat(8),
      beaconer: fc.integer({ min: 9, max: 49 }),
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
          read.listRows(50, epoch);
          read.encode(epoch);
        }
        const bytes = plain.encode(epoch);
        expect(read.encode(epoch)).toEqual(bytes);
        const decoded = LinkHistory.decode(bytes, WINDOW_EPOCHS, epoch)!;
        expect(decoded.encode(epoch)).toEqual(bytes);
        // And goes on as the one that was encoded.
        for (const history of [plain, decoded]) {
          for (const { witness, beaconer } of list)
            history.record(entry({ witness, beaconer, epoch: epoch + 7 }));
        }
        expect(decoded.encode(epoch + 7)).toEqual(plain.encode(epoch + 7));
      }),
      { numRuns: 50 },
    );
  });

  test("is after a hotspot was forgotten as if it had not been heard of before", () => {
    const events = fc.array(
      fc.oneof(
        {
          weight: 8,
          arbitrary: fc.record({ witness: fc.nat(14), beaconer: fc.integer({ min: 15, max: 29 }) }),
        },
        { weight: 1, arbitrary: fc.record({ forget: fc.nat(29) }) },
      ),
      { maxLength: 300 },
    );
    fc.assert(
      fc.property(events, (list) => {
        const history = new LinkHistory(WINDOW_EPOCHS);
        let kept: HistoryEntry[] = [];
        for (const event of list) {
          if ("forget" in event) {
            history.forget(event.forget);
            // Whoever asks about one pair learns it at once, and moves nothing.
            expect(history.find(event.forget, 30, 0)).toBeNull();
            for (const { witness, beaconer } of kept) {
              const isForgotten = witness === event.forget || beaconer === event.forget;
              expect(history.find(witness, beaconer, 0) === null).toBe(isForgotten);
            }
            kept = kept.filter((one) => one.witness !== event.forget && one.beaconer !== event.forget);
          } else {
            history.record(entry(event));
            kept.push(entry(event));
          }
        }
        const expected = new LinkHistory(WINDOW_EPOCHS);
        for (const one of kept) expected.record(one);
        expect(history.size).toBe(expected.size);
        expect(history.encode(0)).toEqual(expected.encode(0));
        for (const { witness, beaconer } of kept) {
          expect(history.find(witness, beaconer, 0)).toEqual(expected.find(witness, beaconer, 0));
        }
        // And every witness has as much room as it would have.
        for (let witness = 0; witness < 15; witness++) {
          for (let other = 100; other < 100 + PAIRS_PER_WITNESS_MAX; other++) {
            const one = entry({ witness, beaconer: other });
            expect(history.record(one)).toBe(expected.record(one));
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test("bytes that are not whole pairs in order are refused", () => {
    const history = new LinkHistory(WINDOW_EPOCHS);
    history.record(entry({ beaconer: 2 }));
    history.record(entry({ beaconer: 3 }));
    const bytes = history.encode(0);
    const half = bytes.length / 2;
    const swapped = new Uint8Array([...bytes.subarray(half), ...bytes.subarray(0, half)]);
    expect(LinkHistory.decode(swapped, WINDOW_EPOCHS, 0)).toBeNull();
    expect(LinkHistory.decode(bytes.subarray(1), WINDOW_EPOCHS, 0)).toBeNull();
    expect(LinkHistory.decode(bytes, WINDOW_EPOCHS, 0, 3)).toBeNull();
    expect(LinkHistory.decode(new Uint8Array(0), WINDOW_EPOCHS, 0)!.size).toBe(0);
  });
});

describe("the history of receivers", () => {
  const step = fc.record({
    witness: fc.nat(70),
    wait: fc.nat(4),
    rssi: fc.integer({ min: -1_400, max: -300 }),
  });

  test("sums what counts, and goes on from its bytes as if nothing had been encoded", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const plain = new ReceiverHistory(WINDOW_EPOCHS);
        const seen: { witness: number; epoch: number }[] = [];
        let epoch = 0;
        for (const { witness, wait, rssi } of steps) {
          epoch += wait;
          plain.record(entry({ witness, epoch }, rssi));
          if (rssi % 3 === 0) plain.countBeacon(witness, epoch);
          seen.push({ witness, epoch });
        }
        const oldest = (Math.floor(epoch / WINDOW_EPOCHS) - 1) * WINDOW_EPOCHS;
        for (const { witness } of seen) {
          const counted = seen.filter((one) => one.witness === witness && one.epoch >= oldest);
          expect(plain.read(witness, epoch).count).toBe(counted.length);
        }
        const bytes = plain.encode(epoch);
        const decoded = ReceiverHistory.decode(bytes, WINDOW_EPOCHS, epoch, 71)!;
        expect(decoded.encode(epoch)).toEqual(bytes);
        expect(decoded.encode(epoch + 9)).toEqual(plain.encode(epoch + 9));
        if (bytes.length > 0) {
          expect(ReceiverHistory.decode(bytes.subarray(1), WINDOW_EPOCHS, epoch, 71)).toBeNull();
          expect(ReceiverHistory.decode(bytes, WINDOW_EPOCHS, epoch, 0)).toBeNull();
        }
      }),
      { numRuns: 50 },
    );
  });
});
