/**
 * The two lists of rules. One case a rule breaks that rule alone, so that each rule's removal makes its row fail; and a
 * list with a rule that no row breaks fails too.
 */
import { describe, expect, test } from "vitest";
import { BEACON_RULES, type BeaconCase, checkBeacon } from "../../../protocol/src/evidence/beaconRules.ts";
import {
  decodeReason,
  encodeReason,
  isUnpaidReason,
  REASONS,
} from "../../../protocol/src/evidence/reasons.ts";
import {
  checkWitness,
  WITNESS_RULES,
  type WitnessCase,
} from "../../../protocol/src/evidence/witnessRules.ts";
import type { LinkMeasurement } from "../../../protocol/src/radio/gates.ts";
import { REGION_PLANS } from "../../../protocol/src/radio/regions.ts";

const PLAN = REGION_PLANS.EU868;
const FREQ_HZ = PLAN.beaconFreqsHz[3]!;
const OTHER_FREQ_HZ = PLAN.beaconFreqsHz[4]!;

const REPORT: BeaconCase["report"] = {
  commit: new Uint8Array(32),
  freqHz: FREQ_HZ,
  spreadingFactor: 9,
  bandwidthHz: 125_000,
  powerCentiDbm: 1_300,
  timeMs: 1_000,
};
const BEACON: BeaconCase = {
  report: REPORT,
  includedRound: 103,
  latestTimeMs: 1_000,
  toleranceRounds: 3,
  hasBeaconed: false,
  isCosigned: true,
  place: { plan: PLAN, gainCentiDbi: 300 },
  challenge: { slotRound: 100, freqHz: FREQ_HZ, spreadingFactor: 9, bandwidthHz: 125_000, powerStepDb: 0 },
};
const report = (change: Partial<BeaconCase["report"]>) => ({ report: { ...REPORT, ...change } });

const BEACON_BREACHES: readonly (readonly [string, string, Partial<BeaconCase>])[] = [
  ["future_dated", "a millisecond beyond the tolerance", { latestTimeMs: 999 }],
  ["not_asserted", "no place in force", { place: null, challenge: null }],
  ["not_cosigned", "nothing of the device that is bound", { isCosigned: false }],
  ["duplicate_beacon", "a second beacon of one challenge", { hasBeaconed: true }],
  ["not_challenged", "no challenge", { challenge: null }],
  ["out_of_slot", "a round before the slot", { includedRound: 99 }],
  ["out_of_slot", "a round after the tolerance", { includedRound: 104 }],
  ["region_violated", "a channel beside the plan's", report({ freqHz: PLAN.beaconFreqsHz[0]! - 100_001 })],
  ["region_violated", "another bandwidth", report({ bandwidthHz: 250_000 })],
  ["region_violated", "a spreading factor that the plan lacks", report({ spreadingFactor: 6 })],
  ["over_eirp", "a hundredth of a dB over the plan", report({ powerCentiDbm: 1_301 })],
  ["challenge_unmet", "another channel", report({ freqHz: OTHER_FREQ_HZ })],
  ["challenge_unmet", "another spreading factor", report({ spreadingFactor: 10 })],
  ["challenge_unmet", "more than a dB too weak", report({ powerCentiDbm: 1_199 })],
];

describe("beacon rules", () => {
  test("what was asked for passes, up to the edges of its tolerances", () => {
    expect(checkBeacon(BEACON)).toBeNull();
    expect(checkBeacon({ ...BEACON, includedRound: 100 })).toBeNull();
    expect(
      checkBeacon({ ...BEACON, ...report({ freqHz: FREQ_HZ + 100_000, powerCentiDbm: 1_200 }) }),
    ).toBeNull();
  });

  test.each(BEACON_BREACHES)("%s: %s", (reason, _, change) => {
    expect(checkBeacon({ ...BEACON, ...change })).toBe(reason);
  });

  test("every rule has its row", () => {
    expect(new Set(BEACON_BREACHES.map(([reason]) => reason))).toEqual(
      new Set(BEACON_RULES.map(({ reason }) => reason)),
    );
  });
});

const LINK: LinkMeasurement = {
  rssiDeciDbm: -1_000,
  snrCentiDb: 500,
  spreadingFactor: 9,
  bandwidthHz: 125_000,
  freqHz: FREQ_HZ,
  eirpCentiDbm: 1_600,
  rxGainCentiDbi: 300,
  distanceM: 2_000,
  region: PLAN,
  challenge: { freqHz: FREQ_HZ, spreadingFactor: 9, bandwidthHz: 125_000 },
};
const WITNESS: WitnessCase = {
  includedRound: 110,
  windowEndRound: 110,
  isSelf: false,
  isDuplicate: false,
  isRegistered: true,
  beaconPlan: PLAN,
  witnessPlan: PLAN,
  link: LINK,
  lacksReciprocity: false,
  graphPpm: 100_000,
  trustPaidMinPpm: 100_000,
  ownerHasNoPlace: false,
};
const link = (change: Partial<LinkMeasurement>) => ({ link: { ...LINK, ...change } });

const WITNESS_BREACHES: readonly (readonly [string, string, Partial<WitnessCase>])[] = [
  ["late", "a round after the window", { includedRound: 111 }],
  ["self_witness", "the beaconer itself", { isSelf: true }],
  ["duplicate_witness", "a second verifying report", { isDuplicate: true }],
  ["unknown_hotspot", "registered after the epoch began", { isRegistered: false }],
  ["not_asserted", "no place in force", { witnessPlan: null, link: null }],
  ["region_mismatch", "another region's plan", { witnessPlan: REGION_PLANS.US915 }],
  ["rssi_out_of_range", "stronger than any receiver prints", link({ rssiDeciDbm: -99 })],
  ["snr_out_of_range", "17 dB of SNR", link({ snrCentiDb: 1_700 })],
  ["snr_off_grid", "a tenth that no modem measures", link({ snrCentiDb: 510 })],
  ["frequency_mismatch", "another channel", link({ freqHz: OTHER_FREQ_HZ })],
  ["data_rate_mismatch", "another spreading factor", link({ spreadingFactor: 8 })],
  ["snr_below_demodulation", "SF9 at -17 dB", link({ snrCentiDb: -1_700 })],
  [
    "rssi_below_noise",
    "more SNR than the noise leaves room for",
    link({ rssiDeciDbm: -1_210, snrCentiDb: 575 }),
  ],
  ["rssi_above_ceiling", "louder than free space", link({ rssiDeciDbm: -600 })],
  ["too_close", "299 m", link({ distanceM: 299 })],
  ["too_far", "100,001 m", link({ distanceM: 100_001, rssiDeciDbm: -1_150 })],
  ["not_reciprocal", "never heard the other way round", { lacksReciprocity: true }],
  ["below_trust", "a millionth short of trust", { graphPpm: 99_999 }],
  ["over_owner_cap", "the beaconer's owner, with one place in all", { ownerHasNoPlace: true }],
];

describe("witness rules", () => {
  test("an honest reception passes", () => expect(checkWitness(WITNESS)).toBeNull());

  test.each(WITNESS_BREACHES)("%s: %s", (reason, _, change) => {
    expect(checkWitness({ ...WITNESS, ...change })).toBe(reason);
  });

  test("every rule has its row", () => {
    expect(new Set(WITNESS_BREACHES.map(([reason]) => reason))).toEqual(
      new Set(WITNESS_RULES.map(({ reason }) => reason)),
    );
  });

  test("what is refused comes before what is only unpaid", () => {
    const unpaid = WITNESS_RULES.map(({ reason }) => isUnpaidReason(reason));
    expect(unpaid).toEqual([...unpaid].sort());
  });
});

describe("the table of reasons", () => {
  test("has each once, and its numbers go there and back", () => {
    expect(new Set(REASONS).size).toBe(REASONS.length);
    for (const reason of REASONS) expect(decodeReason(encodeReason(reason))).toBe(reason);
    expect(decodeReason(encodeReason(null))).toBeNull();
    expect(decodeReason(REASONS.length + 1)).toBeUndefined();
  });

  test("keeps the numbers it has given out", () => {
    // A reason is its place in the table on the wire: rows are added at the end and never move.
    expect(REASONS[0]).toBe("oversized");
    expect(encodeReason("unknown_hotspot")).toBe(13);
    expect(encodeReason("no_witness")).toBe(25);
    expect(encodeReason("over_witness_cap")).toBe(47);
    expect(encodeReason("epoch_mismatch")).toBe(59);
  });
});
