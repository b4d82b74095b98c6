/**
 * A network's parameters: every number that validators must agree on, with its unit in its name. They stand in the
 * genesis file and are hashed into the network id; relations between them are checked when they are read.
 */
import { ContainerType, ListBasicType } from "@chainsafe/ssz";
import { sha256 } from "../crypto/sha256.ts";
import { Uint8, Uint64, UintBig64 } from "../wire/ssz.ts";

/** Base units in a token. */
export const BASE_UNITS_PER_TOKEN = 100_000_000n;
/** Parts per million in a whole. */
export const PPM = 1_000_000;
/** Validators are connected in a full mesh, whose cost grows with the square; the specification stops at 100. */
export const MAX_VALIDATORS = 100;
/**
 * Lanes of one cut, and of tips: everybody's with a seat now or in the epoch before. Between two epochs at most a third
 * of the seats change hands (`computeSeatChanges`), so a full set and those who have just left it.
 */
export const MAX_LANES = MAX_VALIDATORS + Math.floor(MAX_VALIDATORS / 3);

/** Counts, rounds, epochs, milliseconds and parts per million. */
const NUMBER_FIELDS = [
  "roundMs",
  "roundsPerEpoch",
  "beaconIntervalEpochs",
  "beaconToleranceRounds",
  "challengeAirtimeMaxMs",
  "witnessWindowRounds",
  "revealWindowRounds",
  "waitRounds",
  "waitingPerHotspot",
  "reportsPerEpoch",
  "witnessCap",
  "ownerWitnessCap",
  "reciprocityEpochs",
  "silenceEpochs",
  "activityEpochs",
  "execLagRounds",
  "clockToleranceMs",
  "halvingEpochs",
  "beaconsPoolPpm",
  "witnessesPoolPpm",
  "dataPoolPpm",
  "validatorsPoolPpm",
  "unbondEpochs",
  "validatorSeats",
  "slashPpm",
  "evidenceMaxAgeEpochs",
  "scoreVersion",
  "trustIntervalEpochs",
  "trustWindowEpochs",
  "trustFromEpoch",
  "trustPaidMinPpm",
  "penaltyEpochs",
  "escrowEpochs",
] as const;
/** Amounts in base units. */
const AMOUNT_FIELDS = [
  "epochEmission",
  "maxPayPerUnit",
  "hotspotBond",
  "assertFee",
  "txFee",
  "validatorStake",
] as const;

type NumberField = (typeof NUMBER_FIELDS)[number];
type AmountField = (typeof AMOUNT_FIELDS)[number];

/** See the table in docs/protocol.md for what each one governs. `powerStepsDb`: dB below the plan's maximum. */
export type Parameters = Readonly<Record<NumberField, number>> &
  Readonly<Record<AmountField, bigint>> & { readonly powerStepsDb: readonly number[] };

/** Parameters as the genesis file writes them: amounts are decimal strings of base units. */
export type ParametersJson = Record<NumberField, number> &
  Record<AmountField, string> & { powerStepsDb: number[] };

/** Versions of the score, see score/score.ts. */
const SCORE_VERSIONS_MAX = 2;
/** Beacons of a window on average: trust's history sums the first 63 of a pair, and what a window has beyond is not summed. */
const BEACONS_PER_WINDOW_MAX = 60;
/** What hotspots of a new region begin with (trust/startTrust.ts). */
const TRUST_PAID_MIN_PPM_MAX = PPM / 5;

/** Steps of transmit power that fit one byte of challenge; more would thin out the evidence for each. */
const MAX_POWER_STEPS = 8;

export const ParametersSsz = new ContainerType(
  {
    ...(Object.fromEntries(NUMBER_FIELDS.map((field) => [field, Uint64])) as Record<
      NumberField,
      typeof Uint64
    >),
    ...(Object.fromEntries(AMOUNT_FIELDS.map((field) => [field, UintBig64])) as Record<
      AmountField,
      typeof UintBig64
    >),
    powerStepsDb: new ListBasicType(Uint8, MAX_POWER_STEPS),
  },
  { typeName: "Parameters" },
);

/** SHA-256 of the SSZ encoding: what the epoch record and the attestation name the rules' numbers by. */
export function computeParametersHash(parameters: Parameters): Uint8Array {
  return sha256(ParametersSsz.serialize({ ...parameters, powerStepsDb: [...parameters.powerStepsDb] }));
}

/** The epoch of a round: rounds count from 0, and an epoch is `roundsPerEpoch` of them. */
export function epochOfRound(parameters: Pick<Parameters, "roundsPerEpoch">, round: number): number {
  return Math.floor(round / parameters.roundsPerEpoch);
}

/** The first round of an epoch. */
export function firstRoundOfEpoch(parameters: Parameters, epoch: number): number {
  return epoch * parameters.roundsPerEpoch;
}

/** Writes parameters for a genesis file. */
export function encodeParametersJson(parameters: Parameters): ParametersJson {
  const amounts = Object.fromEntries(AMOUNT_FIELDS.map((field) => [field, parameters[field].toString()]));
  return {
    ...parameters,
    ...amounts,
    powerStepsDb: [...parameters.powerStepsDb],
  } as unknown as ParametersJson;
}

/** A decimal string of base units below 2^64, or null. */
export function parseAmount(text: unknown): bigint | null {
  if (typeof text !== "string" || !/^(0|[1-9][0-9]{0,19})$/.test(text)) return null;
  const amount = BigInt(text);
  return amount < 1n << 64n ? amount : null;
}

/**
 * Reads parameters from a genesis file's JSON.
 * @param errors every fault found is added, in words; the result is null if there was any.
 */
export function decodeParametersJson(json: unknown, errors: string[]): Parameters | null {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    errors.push("parameters: must be an object");
    return null;
  }
  const given = json as Record<string, unknown>;
  const before = errors.length;
  const parameters: Record<string, unknown> = {};
  for (const field of NUMBER_FIELDS) {
    const value = given[field];
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) parameters[field] = value;
    else errors.push(`parameters.${field}: must be a whole number of at least 0`);
  }
  for (const field of AMOUNT_FIELDS) {
    const amount = parseAmount(given[field]);
    if (amount === null) errors.push(`parameters.${field}: must be a decimal string of base units`);
    parameters[field] = amount;
  }
  const steps = given.powerStepsDb;
  const stepsFit =
    Array.isArray(steps) &&
    steps.length >= 1 &&
    steps.length <= MAX_POWER_STEPS &&
    steps.every((step) => Number.isInteger(step) && step >= 0 && step <= 30);
  if (stepsFit) parameters.powerStepsDb = steps;
  else
    errors.push(
      `parameters.powerStepsDb: must be a list of 1 to ${MAX_POWER_STEPS} whole numbers from 0 to 30`,
    );
  const known = new Set<string>([...NUMBER_FIELDS, ...AMOUNT_FIELDS, "powerStepsDb"]);
  for (const field of Object.keys(given)) {
    if (!known.has(field)) errors.push(`parameters.${field}: is not a parameter`);
  }
  if (errors.length > before) return null;
  for (const fault of checkParameterRelations(parameters as Parameters)) errors.push(`parameters: ${fault}`);
  return errors.length > before ? null : (parameters as Parameters);
}

/** The relations that must hold between parameters, in words where they do not. */
export function checkParameterRelations(p: Parameters): string[] {
  const rounds = p.beaconToleranceRounds + p.witnessWindowRounds + p.revealWindowRounds;
  const rules: readonly (readonly [boolean, string])[] = [
    [p.roundMs >= 50, "roundMs must be at least 50: a round costs a durable write"],
    [p.roundsPerEpoch >= 4, "roundsPerEpoch must be at least 4"],
    [p.beaconIntervalEpochs >= 1, "beaconIntervalEpochs must be at least 1"],
    [
      p.beaconToleranceRounds < p.roundsPerEpoch,
      "beaconToleranceRounds must be less than roundsPerEpoch: a body may be one epoch old, not two",
    ],
    [
      p.witnessWindowRounds >= 1 && p.revealWindowRounds >= 2,
      "a witness window of 1 and a reveal window of 2 rounds is the least",
    ],
    [
      p.witnessWindowRounds + p.revealWindowRounds <= p.roundsPerEpoch,
      "witnessWindowRounds + revealWindowRounds must fit an epoch: a beacon closes at most two epochs after its own",
    ],
    [
      rounds <= 2 * p.roundsPerEpoch,
      "tolerance and windows together must fit two epochs, for which ids are remembered",
    ],
    [p.waitRounds <= p.roundsPerEpoch, "waitRounds must not exceed roundsPerEpoch"],
    [
      p.waitingPerHotspot >= 1 && p.waitingPerHotspot <= p.reportsPerEpoch,
      "waitingPerHotspot must lie within reportsPerEpoch",
    ],
    [p.witnessCap >= 1 && p.ownerWitnessCap >= 1, "witnessCap and ownerWitnessCap must be at least 1"],
    [p.activityEpochs >= p.beaconIntervalEpochs, "activityEpochs must be at least beaconIntervalEpochs"],
    [
      p.unbondEpochs >= 3,
      "unbondEpochs must be at least 3: a hotspot's last evidence closes two epochs after its own",
    ],
    [
      p.validatorSeats >= 1 && p.validatorSeats <= MAX_VALIDATORS,
      `validatorSeats must be from 1 to ${MAX_VALIDATORS}: validators are connected in a full mesh`,
    ],
    [p.slashPpm <= PPM, "slashPpm must be at most 1,000,000: a stake cannot lose more than itself"],
    [
      p.evidenceMaxAgeEpochs >= 1 && p.evidenceMaxAgeEpochs < p.unbondEpochs,
      "evidenceMaxAgeEpochs must lie within unbondEpochs: a stake stays locked for as long as it can be slashed",
    ],
    [p.halvingEpochs >= 1, "halvingEpochs must be at least 1"],
    [
      p.beaconsPoolPpm + p.witnessesPoolPpm + p.dataPoolPpm + p.validatorsPoolPpm === PPM,
      "the four pools must add up to 1,000,000 parts per million",
    ],
    [p.maxPayPerUnit >= 1n, "maxPayPerUnit must be at least 1 base unit"],
    // Twice the first period's emission bounds all that is ever emitted; 2^62 leaves room for genesis balances.
    [
      p.epochEmission * BigInt(p.halvingEpochs) * 2n < 1n << 62n,
      "epochEmission x halvingEpochs x 2 must stay below 2^62 base units",
    ],
    [
      SCORE_VERSIONS_MAX >= p.scoreVersion && p.scoreVersion >= 1,
      "scoreVersion must be 1 or 2: no other exists",
    ],
    [
      p.trustIntervalEpochs >= 2,
      "trustIntervalEpochs must be at least 2: a beacon closes two epochs after its own, and two generations are kept",
    ],
    [
      p.trustWindowEpochs >= p.trustIntervalEpochs &&
        p.trustWindowEpochs <= BEACONS_PER_WINDOW_MAX * p.beaconIntervalEpochs,
      `trustWindowEpochs must be from trustIntervalEpochs to ${BEACONS_PER_WINDOW_MAX} beaconIntervalEpochs: of more beacons a window not all are summed`,
    ],
    [
      p.trustPaidMinPpm >= 1 && p.trustPaidMinPpm <= TRUST_PAID_MIN_PPM_MAX,
      "trustPaidMinPpm must be from 1 to 200,000: no new region would begin if start trust were not paid",
    ],
    [p.penaltyEpochs >= p.trustIntervalEpochs, "penaltyEpochs must be at least trustIntervalEpochs"],
    [
      p.escrowEpochs >= p.trustIntervalEpochs &&
        p.escrowEpochs + p.trustIntervalEpochs <= p.trustWindowEpochs,
      "escrowEpochs must be at least trustIntervalEpochs, and with it at most trustWindowEpochs: an appeal is decided while it lasts, over a record that still holds all that was withheld for",
    ],
  ];
  return rules.filter(([holds]) => !holds).map(([, fault]) => fault);
}
