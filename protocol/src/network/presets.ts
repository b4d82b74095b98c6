/**
 * The three sets of starting values. `test` is fast enough for end-to-end tests, `devnet` shows the whole within
 * minutes while a real concentrator's duty cycle still holds, `mainnet` is meant for roofs.
 */
import { BASE_UNITS_PER_TOKEN, type Parameters } from "./parameters.ts";

export const PRESET_NAMES = ["test", "devnet", "mainnet"] as const;
export type PresetName = (typeof PRESET_NAMES)[number];

const tokens = (count: number): bigint => BigInt(count) * BASE_UNITS_PER_TOKEN;

const COMMON = {
  waitingPerHotspot: 64,
  reportsPerEpoch: 256,
  // HIP-15's successors pay at most fourteen witnesses of a beacon, and two of one owner.
  witnessCap: 14,
  ownerWitnessCap: 2,
  powerStepsDb: [0, 6],
  epochEmission: tokens(1_000),
  beaconsPoolPpm: 120_000,
  witnessesPoolPpm: 480_000,
  dataPoolPpm: 300_000,
  validatorsPoolPpm: 100_000,
  scoreVersion: 2,
  // Below a tenth of full trust nobody is paid: the evaluation's rings stay under it, of honest hotspots one in forty.
  trustPaidMinPpm: 100_000,
  validatorSeats: 100,
  // Half: whoever breaks safety loses more than years of rewards, and an operator who runs a key twice by mistake, the
  // most frequent cause on other networks, is not ruined. The seat is lost for good either way.
  slashPpm: 500_000,
} as const;

export const PRESETS: Readonly<Record<PresetName, Parameters>> = {
  // A frame at SF10 is 371 ms on air and its copies are awaited for 300 ms, so at 200 ms a round the witness window
  // must be several rounds wide even on a busy machine; the epoch is twice the first draft's for the same reason.
  test: {
    ...COMMON,
    roundMs: 200,
    roundsPerEpoch: 20,
    beaconIntervalEpochs: 1,
    beaconToleranceRounds: 6,
    challengeAirtimeMaxMs: 400,
    witnessWindowRounds: 8,
    revealWindowRounds: 8,
    waitRounds: 8,
    reciprocityEpochs: 20,
    silenceEpochs: 2,
    activityEpochs: 4,
    execLagRounds: 20,
    clockToleranceMs: 10_000,
    halvingEpochs: 100,
    maxPayPerUnit: tokens(100),
    hotspotBond: tokens(10),
    assertFee: 0n,
    txFee: 0n,
    unbondEpochs: 10,
    evidenceMaxAgeEpochs: 8,
    trustIntervalEpochs: 2,
    trustWindowEpochs: 10,
    trustFromEpoch: 4,
    penaltyEpochs: 8,
    escrowEpochs: 6,
    validatorStake: tokens(10_000),
  },
  devnet: {
    ...COMMON,
    roundMs: 1_000,
    roundsPerEpoch: 30,
    beaconIntervalEpochs: 2,
    beaconToleranceRounds: 4,
    challengeAirtimeMaxMs: 400,
    witnessWindowRounds: 4,
    revealWindowRounds: 4,
    waitRounds: 4,
    reciprocityEpochs: 20,
    silenceEpochs: 2,
    activityEpochs: 6,
    execLagRounds: 30,
    clockToleranceMs: 10_000,
    halvingEpochs: 1_000,
    maxPayPerUnit: tokens(100),
    hotspotBond: tokens(10),
    assertFee: 0n,
    txFee: 0n,
    unbondEpochs: 10,
    evidenceMaxAgeEpochs: 8,
    trustIntervalEpochs: 4,
    trustWindowEpochs: 20,
    trustFromEpoch: 8,
    penaltyEpochs: 12,
    escrowEpochs: 12,
    validatorStake: tokens(10_000),
  },
  mainnet: {
    ...COMMON,
    roundMs: 5_000,
    roundsPerEpoch: 720,
    beaconIntervalEpochs: 6,
    beaconToleranceRounds: 60,
    challengeAirtimeMaxMs: 1_500,
    witnessWindowRounds: 120,
    revealWindowRounds: 120,
    waitRounds: 120,
    reciprocityEpochs: 336,
    silenceEpochs: 6,
    activityEpochs: 24,
    execLagRounds: 60,
    clockToleranceMs: 60_000,
    halvingEpochs: 17_520,
    maxPayPerUnit: tokens(1),
    hotspotBond: tokens(50),
    assertFee: tokens(5),
    txFee: BASE_UNITS_PER_TOKEN / 1_000n,
    unbondEpochs: 720,
    // A day less than a stake stays locked, so that evidence of the last hour still finds it.
    evidenceMaxAgeEpochs: 696,
    // Once a day: evidence gathers by one beacon in six hours, and no finding needs to be made sooner.
    trustIntervalEpochs: 24,
    // Two windows of a week: two-sided evidence within 14 days, as `reciprocityEpochs` asks of pairs.
    trustWindowEpochs: 168,
    trustFromEpoch: 336,
    penaltyEpochs: 336,
    // A window less the interval in which it was earned: the last appeal still finds the first hour of what it is about.
    escrowEpochs: 144,
    validatorStake: tokens(100_000),
  },
};
