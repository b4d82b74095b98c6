import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { computeAirtimeUs } from "../../../protocol/src/radio/airtime.ts";
import {
  checkTransmission,
  computeDutyUse,
  computeDwellUse,
  createUsedUpLedger,
  recordTransmission,
  type Transmission,
} from "../../../protocol/src/radio/dutyCycle.ts";
import { REGION_NAMES, REGION_PLANS, type RegionPlan } from "../../../protocol/src/radio/regions.ts";

const { EU868, US915, AU915 } = REGION_PLANS;
const T0 = 1_700_000_000_000;
const MINUTE_MS = 60_000;

const sent = (freqHz: number, startMs: number, airtimeMs: number, eirpCentiDbm = 1_400): Transmission => ({
  freqHz,
  startMs,
  airtimeUs: Math.round(airtimeMs * 1_000),
  eirpCentiDbm,
});

function reasonOf(plan: RegionPlan, ledger: readonly Transmission[], candidate: Transmission): string | null {
  const verdict = checkTransmission(plan, ledger, candidate);
  return verdict.ok ? null : verdict.reason;
}

// The cases of ChirpStack's concentratord and of Helium's retired miner, as published with their sources.
describe("Europe", () => {
  test("a band's budget may be used up exactly, and not passed", () => {
    expect(reasonOf(EU868, [], sent(864_000_000, T0, 3_600))).toBeNull();
    expect(reasonOf(EU868, [], sent(864_000_000, T0, 3_601))).toBe("over_duty_cycle");
    expect(reasonOf(EU868, [], sent(868_300_000, T0, 36_000))).toBeNull();
    expect(reasonOf(EU868, [], sent(868_300_000, T0, 36_001))).toBe("over_duty_cycle");
  });

  test("bands have budgets of their own", () => {
    const ledger = [sent(867_500_000, T0, 36_000)];
    expect(reasonOf(EU868, ledger, sent(868_300_000, T0 + 40_000, 36_000))).toBeNull();
    expect(reasonOf(EU868, ledger, sent(867_100_000, T0 + 40_000, 0.001))).toBe("over_duty_cycle");
  });

  test("fourteen beacons of 52 bytes at SF12 fit an hour, and a fifteenth does not", () => {
    const airtimeMs =
      computeAirtimeUs({ spreadingFactor: 12, bandwidthHz: 125_000, payloadBytes: 52 }) / 1_000;
    let ledger: Transmission[] = [];
    for (let i = 0; i < 14; i++) {
      const beacon = sent(867_100_000 + (i % 5) * 200_000, T0 + i * MINUTE_MS, airtimeMs);
      expect(reasonOf(EU868, ledger, beacon)).toBeNull();
      ledger = recordTransmission(EU868, ledger, beacon);
    }
    const fifteenth = sent(867_900_000, T0 + 14 * MINUTE_MS, airtimeMs);
    expect(checkTransmission(EU868, ledger, fifteenth)).toEqual({
      ok: false,
      reason: "over_duty_cycle",
      earliestStartMs: T0 + 60 * MINUTE_MS,
    });
    expect(reasonOf(EU868, ledger, sent(868_100_000, T0 + 14 * MINUTE_MS, airtimeMs))).toBeNull();
    expect(reasonOf(EU868, ledger, { ...fifteenth, startMs: T0 + 60 * MINUTE_MS })).toBeNull();
  });

  test("what is queued for later counts too", () => {
    const ledger = [sent(868_300_000, T0 + MINUTE_MS, 36_000)];
    expect(reasonOf(EU868, ledger, sent(868_300_000, T0, 1))).toBe("over_duty_cycle");
  });

  test("frequency and power belong to a band", () => {
    expect(reasonOf(EU868, [], sent(920_000_000, T0, 1))).toBe("out_of_band");
    expect(reasonOf(EU868, [], sent(863_000_000, T0, 1, 1_700))).toBe("over_eirp");
    // Quiet packets draw on P', which has no limit; louder ones on Q, which has 1 %.
    expect(reasonOf(EU868, [], sent(869_800_000, T0, 40_000, 900))).toBeNull();
    expect(reasonOf(EU868, [], sent(869_800_000, T0, 40_000, 901))).toBe("over_duty_cycle");
  });

  test("what was sent too loud has used the budget of its frequency all the same", () => {
    const tooLoud = [sent(868_300_000, T0, 36_000, 1_900)];
    expect(reasonOf(EU868, tooLoud, sent(868_500_000, T0 + MINUTE_MS, 1))).toBe("over_duty_cycle");
    const use = computeDutyUse(EU868, tooLoud, T0).find(({ band }) => band === "M");
    expect(use).toMatchObject({ usedUs: 36_000_000 });
    // Of two bands the one with the lesser budget: Q's 1 % and not P', which has none.
    const onBoth = [sent(869_800_000, T0, 36_000, 3_000)];
    expect(reasonOf(EU868, onBoth, sent(869_800_000, T0 + MINUTE_MS, 1, 1_600))).toBe("over_duty_cycle");
    expect(reasonOf(EU868, onBoth, sent(869_800_000, T0 + MINUTE_MS, 1, 900))).toBeNull();
  });

  test("what is left is there to see", () => {
    const ledger = [
      sent(867_500_000, T0, 300),
      sent(869_800_000, T0, 500, 900),
      sent(864_000_000, T0 - 60 * MINUTE_MS, 9),
    ];
    const use = computeDutyUse(EU868, ledger, T0);
    expect(use.map(({ band }) => band)).toEqual(["K", "L", "M", "N", "P", "Q"]);
    expect(use[0]).toEqual({ band: "K", usedUs: 0, limitUs: 3_600_000, windowMs: 3_600_000 });
    expect(use[1]).toEqual({ band: "L", usedUs: 300_000, limitUs: 36_000_000, windowMs: 3_600_000 });
  });
});

describe("America", () => {
  const CHANNEL_0_HZ = 903_900_000;
  const CHANNEL_1_HZ = 904_100_000;

  test("400 ms block their channel for 20 s, and no other", () => {
    const ledger = [sent(CHANNEL_0_HZ, T0, 400)];
    const next = sent(CHANNEL_0_HZ, T0 + 19_999, 1);
    expect(checkTransmission(US915, ledger, next)).toEqual({
      ok: false,
      reason: "over_dwell",
      earliestStartMs: T0 + 20_000,
    });
    expect(reasonOf(US915, ledger, { ...next, startMs: T0 + 20_000 })).toBeNull();
    expect(reasonOf(US915, ledger, sent(CHANNEL_1_HZ, T0 + 500, 200))).toBeNull();
    expect(
      reasonOf(US915, [...ledger, sent(CHANNEL_1_HZ, T0 + 500, 200)], sent(CHANNEL_1_HZ, T0 + 800, 200)),
    ).toBeNull();
  });

  test("what a channel has left is there to see", () => {
    const limits = { limitUs: 400_000, windowMs: 20_000 };
    expect(computeDwellUse(US915, [], T0)).toEqual([{ band: "each channel", usedUs: 0, ...limits }]);
    const ledger = [
      sent(CHANNEL_1_HZ, T0 - 1_000, 100),
      sent(CHANNEL_0_HZ, T0 - 19_999, 200),
      sent(CHANNEL_0_HZ, T0, 150),
    ];
    expect(computeDwellUse(US915, ledger, T0)).toEqual([
      { band: "903.9 MHz", usedUs: 350_000, ...limits },
      { band: "904.1 MHz", usedUs: 100_000, ...limits },
    ]);
    expect(computeDwellUse(US915, ledger, T0 + 1)[0]!.usedUs).toBe(150_000);
    // Nothing to use up where each transmission is limited by itself, or none is.
    expect([AU915, EU868].flatMap((plan) => computeDwellUse(plan, ledger, T0))).toEqual([]);
  });

  test("401 ms never go, and a beacon of 52 bytes only up to SF9", () => {
    expect(checkTransmission(US915, [], sent(CHANNEL_0_HZ, T0, 401))).toEqual({
      ok: false,
      reason: "over_dwell",
      earliestStartMs: null,
    });
    expect(reasonOf(US915, [], sent(CHANNEL_0_HZ, T0, 616.448))).toBe("over_dwell");
    const ledger = [sent(CHANNEL_0_HZ, T0, 328.704)];
    expect(reasonOf(US915, [], ledger[0]!)).toBeNull();
    expect(reasonOf(US915, ledger, sent(CHANNEL_0_HZ, T0 + 10_000, 328.704))).toBe("over_dwell");
    expect(reasonOf(US915, ledger, sent(CHANNEL_0_HZ, T0 + 20_000, 328.704))).toBeNull();
  });

  test("a limit on each transmission by itself forgets the one before", () => {
    expect(reasonOf(AU915, [sent(916_800_000, T0, 400)], sent(916_800_000, T0 + 500, 400))).toBeNull();
    expect(reasonOf(AU915, [], sent(916_800_000, T0, 401))).toBe("over_dwell");
  });
});

describe("a ledger that was lost", () => {
  test.each(REGION_NAMES)("is taken for used up until the windows are past: %s", (name) => {
    const plan = REGION_PLANS[name];
    const ledger = createUsedUpLedger(plan, T0);
    const hourly = plan.dutyBands.filter(({ dutyPpm }) => dutyPpm < 1_000_000);
    const limitedMs = hourly.length > 0 ? 60 * MINUTE_MS : (plan.dwellWindowMs ?? 0);
    for (const freqHz of plan.beaconFreqsHz) {
      const beacon = { ...sent(freqHz, T0, 60), eirpCentiDbm: plan.maxEirpCentiDbm };
      if (limitedMs > 0)
        expect(reasonOf(plan, ledger, { ...beacon, startMs: T0 + limitedMs - 1 })).not.toBeNull();
      expect(reasonOf(plan, ledger, { ...beacon, startMs: T0 + limitedMs })).toBeNull();
    }
    for (const { usedUs, limitUs } of computeDutyUse(plan, ledger, T0)) expect(usedUs).toBe(limitUs);
  });
});

describe("any sequence of attempts", () => {
  const attempts = fc.array(
    fc.record({
      gapMs: fc.integer({ min: 0, max: 400_000 }),
      channel: fc.integer({ min: 0, max: 7 }),
      airtimeMs: fc.integer({ min: 1, max: 4_000 }),
    }),
    { maxLength: 120 },
  );

  test.each([EU868, US915])(
    "$name: what was allowed keeps every window's budget, and `earliest` is allowed",
    (plan) => {
      fc.assert(
        fc.property(attempts, (list) => {
          let ledger: Transmission[] = [];
          const all: Transmission[] = [];
          let nowMs = T0;
          for (const { gapMs, channel, airtimeMs } of list) {
            nowMs += gapMs;
            const candidate = sent(plan.beaconFreqsHz[channel]!, nowMs, airtimeMs);
            const verdict = checkTransmission(plan, ledger, candidate);
            // Pruning must not change a verdict.
            expect(checkTransmission(plan, all, candidate)).toEqual(verdict);
            if (verdict.ok) {
              ledger = recordTransmission(plan, ledger, candidate);
              all.push(candidate);
            } else if (verdict.earliestStartMs !== null) {
              expect(verdict.earliestStartMs).toBeGreaterThan(nowMs);
              expect(reasonOf(plan, ledger, { ...candidate, startMs: verdict.earliestStartMs })).toBeNull();
            }
          }
          for (const { startMs } of all) {
            for (const { usedUs, limitUs } of computeDutyUse(
              plan,
              all.filter((t) => t.startMs <= startMs),
              startMs,
            )) {
              expect(usedUs).toBeLessThanOrEqual(limitUs);
            }
          }
        }),
      );
    },
  );
});
