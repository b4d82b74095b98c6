/**
 * Region plans: where, how loud and how often a hotspot may beacon. One row a region; adding one is adding a row.
 * Channels and numbers of the regions are Helium's (lorawan-h3, `region` enumeration), which existing gateways are set
 * up for, save EU433's, whose table there says 43 MHz; powers, bands and dwell times are the LoRaWAN regional
 * parameters' (RP002-1.0.4, India's power 1.0.5's); the European bands and their duty cycles are those of ETSI EN 300
 * 220-2, annex B, as ChirpStack's concentratord enforces them. Where sources differ the stricter is taken: a beacon needs
 * little. By that rule two of Helium's regions are others of these: CD900-1A is EU868 in channels and power, and AS923-1C
 * is AS923-1, since its 30 dBm are not the regional parameters'.
 */
import { computeAirtimeUs } from "./airtime.ts";
import { FRAME_BYTES } from "./frame.ts";

export const REGION_NAMES = [
  "EU868",
  "US915",
  "AU915",
  "AS923-1",
  "IN865",
  "AS923-2",
  "AS923-3",
  "AS923-4",
  "KR920",
  "RU864",
  "CN470",
  "EU433",
  "AS923-1B",
  "AU915-SB1",
] as const;
export type RegionName = (typeof REGION_NAMES)[number];

/** A stretch of spectrum with its own budget of time on air. Both edges belong to it; of two, the first counts. */
export type DutyBand = {
  readonly name: string;
  readonly fromHz: number;
  readonly toHz: number;
  /** Time on air in any window, in parts per million of it. */
  readonly dutyPpm: number;
  readonly windowMs: number;
  readonly maxEirpCentiDbm: number;
};

/**
 * Where a regulator lets nobody transmit who has not listened first. Only the concentrator can do it: GWMP has no word
 * for it, so this is what its forwarder must be configured to, and what people are told.
 */
export type ListenBeforeTalk = {
  readonly country: string;
  readonly listenUs: number;
  /** A channel with more than this, in hundredths of a dBm, is taken. */
  readonly thresholdCentiDbm: number;
};

export type RegionPlan = {
  readonly name: RegionName;
  /** The region's number on the wire. */
  readonly id: number;
  readonly beaconFreqsHz: readonly number[];
  readonly bwHz: number;
  readonly maxEirpCentiDbm: number;
  /** An asserted antenna gain above this counts as this. */
  readonly maxGainCentiDbi: number;
  /** Spreading factors that the region allows for uplinks at `bwHz`. */
  readonly dataRates: readonly number[];
  /** The longest a transmission may be on one channel, or null. */
  readonly dwellMs: number | null;
  /** Where the dwell limit counts all transmissions on a channel within a window, its length; null: each by itself. */
  readonly dwellWindowMs: number | null;
  readonly dutyBands: readonly DutyBand[];
  /** The countries of the plan in which a transmitter must listen first; none where no such rule is known. */
  readonly listenBeforeTalk: readonly ListenBeforeTalk[];
};

const HOUR_MS = 3_600_000;
/** The `dutyPpm` of a band whose use is not limited in time. */
export const NO_DUTY_LIMIT_PPM = 1_000_000;
const BW_HZ = 125_000;
// The highest gain that Helium's hotspots could assert; few honest antennas have more, and each dBi is room for a lie.
const MAX_GAIN_CENTI_DBI = 1_500;
const ALL_RATES = [7, 8, 9, 10, 11, 12] as const;

const channels = (firstHz: number, count: number, stepHz: number): number[] =>
  Array.from({ length: count }, (_, i) => firstHz + i * stepHz);

const band = (
  name: string,
  fromHz: number,
  toHz: number,
  dutyPpm: number,
  maxEirpCentiDbm: number,
): DutyBand => ({
  name,
  fromHz,
  toHz,
  dutyPpm,
  windowMs: HOUR_MS,
  maxEirpCentiDbm,
});

/** The AS923 plans differ only in their offset (RP002-1.0.4, 2.11): channels move, and with them the countries' band. */
const createAs923Plan = (
  name: RegionName,
  id: number,
  firstHz: number,
  [fromHz, toHz]: readonly [number, number],
  listenBeforeTalk: readonly ListenBeforeTalk[] = [],
): RegionPlan => ({
  name,
  id,
  beaconFreqsHz: channels(firstHz, 8, 200_000),
  bwHz: BW_HZ,
  maxEirpCentiDbm: 1_600,
  maxGainCentiDbi: MAX_GAIN_CENTI_DBI,
  dataRates: ALL_RATES,
  dwellMs: 400,
  dwellWindowMs: null,
  // Some of its countries ask for 1 %, so all keep it.
  dutyBands: [band("AS", fromHz, toHz, 10_000, 1_600)],
  listenBeforeTalk,
});

/** The sub-bands of Australia's plan differ in their channels alone. */
const createAu915Plan = (name: RegionName, id: number, firstHz: number): RegionPlan => ({
  name,
  id,
  beaconFreqsHz: channels(firstHz, 8, 200_000),
  bwHz: BW_HZ,
  maxEirpCentiDbm: 3_000,
  maxGainCentiDbi: MAX_GAIN_CENTI_DBI,
  dataRates: ALL_RATES,
  dwellMs: 400,
  dwellWindowMs: null,
  dutyBands: [band("AU", 915_000_000, 928_000_000, NO_DUTY_LIMIT_PPM, 3_000)],
  listenBeforeTalk: [],
});

export const REGION_PLANS: Readonly<Record<RegionName, RegionPlan>> = {
  EU868: {
    name: "EU868",
    id: 1,
    beaconFreqsHz: channels(867_100_000, 8, 200_000),
    bwHz: BW_HZ,
    maxEirpCentiDbm: 1_600,
    maxGainCentiDbi: MAX_GAIN_CENTI_DBI,
    dataRates: ALL_RATES,
    dwellMs: null,
    dwellWindowMs: null,
    dutyBands: [
      band("K", 863_000_000, 865_000_000, 1_000, 1_600),
      band("L", 865_000_000, 868_000_000, 10_000, 1_600),
      band("M", 868_000_000, 868_600_000, 10_000, 1_600),
      band("N", 868_700_000, 869_200_000, 1_000, 1_600),
      band("P", 869_400_000, 869_650_000, 100_000, 2_900),
      band("P'", 869_700_000, 870_000_000, NO_DUTY_LIMIT_PPM, 900),
      band("Q", 869_700_000, 870_000_000, 10_000, 1_600),
    ],
    listenBeforeTalk: [],
  },
  US915: {
    name: "US915",
    id: 0,
    beaconFreqsHz: channels(903_900_000, 8, 200_000),
    bwHz: BW_HZ,
    maxEirpCentiDbm: 3_600,
    maxGainCentiDbi: MAX_GAIN_CENTI_DBI,
    dataRates: [7, 8, 9, 10],
    // 47 CFR 15.247(a)(1)(i): 0.4 s within 20 s on a channel narrower than 250 kHz.
    dwellMs: 400,
    dwellWindowMs: 20_000,
    dutyBands: [band("US", 902_000_000, 928_000_000, NO_DUTY_LIMIT_PPM, 3_600)],
    listenBeforeTalk: [],
  },
  AU915: createAu915Plan("AU915", 5, 916_800_000),
  "AS923-1": createAs923Plan(
    "AS923-1",
    6,
    923_200_000,
    [920_000_000, 928_000_000],
    [
      // ARIB STD-T108.
      { country: "Japan", listenUs: 5_000, thresholdCentiDbm: -8_000 },
    ],
  ),
  IN865: {
    name: "IN865",
    id: 8,
    beaconFreqsHz: [865_062_500, 865_402_500, 865_985_000],
    bwHz: BW_HZ,
    // RP002-1.0.4 and Helium have 30 dBm.
    maxEirpCentiDbm: 2_920,
    maxGainCentiDbi: MAX_GAIN_CENTI_DBI,
    dataRates: ALL_RATES,
    dwellMs: null,
    dwellWindowMs: null,
    dutyBands: [band("IN", 865_000_000, 868_000_000, NO_DUTY_LIMIT_PPM, 2_920)],
    listenBeforeTalk: [],
  },
  "AS923-2": createAs923Plan("AS923-2", 9, 921_400_000, [920_000_000, 923_000_000]),
  "AS923-3": createAs923Plan("AS923-3", 10, 916_600_000, [915_000_000, 921_000_000]),
  "AS923-4": createAs923Plan("AS923-4", 11, 917_300_000, [917_000_000, 920_000_000]),
  KR920: {
    name: "KR920",
    id: 7,
    beaconFreqsHz: channels(922_100_000, 7, 200_000),
    bwHz: BW_HZ,
    maxEirpCentiDbm: 1_400,
    maxGainCentiDbi: MAX_GAIN_CENTI_DBI,
    dataRates: ALL_RATES,
    dwellMs: null,
    dwellWindowMs: null,
    dutyBands: [
      band("KR low", 920_800_000, 922_000_000, NO_DUTY_LIMIT_PPM, 1_000),
      band("KR high", 922_000_000, 923_400_000, NO_DUTY_LIMIT_PPM, 1_400),
    ],
    listenBeforeTalk: [{ country: "South Korea", listenUs: 6_000, thresholdCentiDbm: -6_500 }],
  },
  RU864: {
    name: "RU864",
    id: 14,
    beaconFreqsHz: [...channels(864_100_000, 5, 200_000), 868_900_000, 869_100_000],
    bwHz: BW_HZ,
    maxEirpCentiDbm: 1_600,
    maxGainCentiDbi: MAX_GAIN_CENTI_DBI,
    dataRates: ALL_RATES,
    dwellMs: null,
    dwellWindowMs: null,
    // Sources give 1 % or, below 865 MHz, 0.1 %: that is two beacons an hour even at SF12.
    dutyBands: [
      band("RU low", 864_000_000, 865_000_000, 1_000, 1_600),
      band("RU high", 868_700_000, 869_200_000, 10_000, 1_600),
    ],
    listenBeforeTalk: [],
  },
  CN470: {
    name: "CN470",
    id: 4,
    beaconFreqsHz: channels(486_300_000, 8, 200_000),
    bwHz: BW_HZ,
    maxEirpCentiDbm: 1_915,
    maxGainCentiDbi: MAX_GAIN_CENTI_DBI,
    dataRates: ALL_RATES,
    // China's rules for short-range devices: no transmission over a second, so that SF12 is out.
    dwellMs: 1_000,
    dwellWindowMs: null,
    dutyBands: [band("CN", 470_000_000, 510_000_000, NO_DUTY_LIMIT_PPM, 1_915)],
    listenBeforeTalk: [],
  },
  EU433: {
    name: "EU433",
    id: 2,
    // lorawan-h3 divides its first digits wrongly and has 43.3175 MHz and so on; these are the channels that it means.
    beaconFreqsHz: channels(433_175_000, 3, 200_000),
    bwHz: BW_HZ,
    maxEirpCentiDbm: 1_215,
    maxGainCentiDbi: MAX_GAIN_CENTI_DBI,
    dataRates: ALL_RATES,
    dwellMs: null,
    dwellWindowMs: null,
    // RP002's 1 %; ETSI grants 10 % in parts of the band.
    dutyBands: [band("433", 433_050_000, 434_790_000, 10_000, 1_215)],
    listenBeforeTalk: [],
  },
  // AS923-1 on lower channels, within the same band.
  "AS923-1B": createAs923Plan("AS923-1B", 12, 922_000_000, [920_000_000, 928_000_000]),
  "AU915-SB1": createAu915Plan("AU915-SB1", 21, 915_200_000),
};

/** The plan of a region by name, or null: names come from files, command lines and peers. */
export function findRegionPlan(name: string): RegionPlan | null {
  return Object.hasOwn(REGION_PLANS, name) ? REGION_PLANS[name as RegionName] : null;
}

/** The plan of a region by its number on the wire, or null. */
export function findRegionPlanById(id: number): RegionPlan | null {
  for (const name of REGION_NAMES) if (REGION_PLANS[name].id === id) return REGION_PLANS[name];
  return null;
}

/** The bands of a plan that hold a frequency, in the plan's order; none where the plan does not reach. */
export function findDutyBands(plan: RegionPlan, freqHz: number): DutyBand[] {
  return plan.dutyBands.filter(({ fromHz, toHz }) => freqHz >= fromHz && freqHz <= toHz);
}

/**
 * The spreading factors, ascending, at which a beacon's 24 bytes are on air for at most `airtimeMaxMs` and within the
 * plan's dwell limit.
 */
export function beaconSpreadingFactors(plan: RegionPlan, airtimeMaxMs: number): number[] {
  const limitUs = Math.min(airtimeMaxMs, plan.dwellMs ?? airtimeMaxMs) * 1_000;
  return plan.dataRates.filter(
    (spreadingFactor) =>
      computeAirtimeUs({ spreadingFactor, bandwidthHz: plan.bwHz, payloadBytes: FRAME_BYTES }) <= limitUs,
  );
}

/** What the rest of the protocol takes for granted of every row. */
function assertPlan(plan: RegionPlan): void {
  const fail = (fault: string): never => {
    throw new Error(`region plan ${plan.name}: ${fault}`);
  };
  if (findRegionPlan(plan.name) !== plan || findRegionPlanById(plan.id) !== plan)
    fail("name or id is not its own");
  if (plan.beaconFreqsHz.length === 0) fail("no beacon channel");
  if (beaconSpreadingFactors(plan, plan.dwellMs ?? HOUR_MS).length === 0)
    fail("no beacon fits its dwell limit");
  for (const [i, freqHz] of plan.beaconFreqsHz.entries()) {
    if (i > 0 && freqHz - plan.beaconFreqsHz[i - 1]! < plan.bwHz)
      fail("channels overlap or are out of order");
    const bands = findDutyBands(plan, freqHz);
    if (!bands.some((band) => band.maxEirpCentiDbm >= plan.maxEirpCentiDbm)) {
      fail(`no band allows the plan's power at ${freqHz} Hz`);
    }
  }
  for (const [i, sf] of plan.dataRates.entries()) {
    if (i > 0 && sf <= plan.dataRates[i - 1]!) fail("data rates are not ascending");
  }
  for (const { name, fromHz, toHz, dutyPpm } of plan.dutyBands) {
    if (fromHz >= toHz || dutyPpm <= 0 || dutyPpm > NO_DUTY_LIMIT_PPM)
      fail(`band ${name} is empty or absurd`);
  }
  for (const { country, listenUs } of plan.listenBeforeTalk) {
    if (country === "" || listenUs <= 0) fail("a rule to listen first says nothing");
  }
  if (plan.dwellMs === null && plan.dwellWindowMs !== null) fail("a dwell window without a dwell limit");
}
for (const name of REGION_NAMES) assertPlan(REGION_PLANS[name]);
