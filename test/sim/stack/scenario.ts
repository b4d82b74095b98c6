/** What a seed of the full stack means: who is bad and how, what the network, the disks and the clocks do, and when. */
import type { Crash, Cut } from "../agreement/scenario.ts";
import { Prng } from "../prng.ts";

/**
 * How a Byzantine validator behaves. `twins` runs the honest code twice with one key; the others run it once, behind a
 * mouth that lies: what it says is changed, doubled, dropped or made up on its way out.
 */
export const STACK_BEHAVIOURS = [
  "silent",
  "equivocator",
  "doubleAuthor",
  "batchWithholder",
  "certificateWithholder",
  "tipsLiar",
  "wrongAttester",
  "ackLiar",
  "flooder",
  "replayer",
  "mixed",
  "twins",
] as const;
/**
 * Besides those that a scenario picks from. Where a home is lost: who lies only about where it is, to one who asks after
 * its start, and who has a lane of its own for each of the others; and, where a seat changes, who certifies its batches
 * for two epochs.
 */
export type StackBehaviour =
  | (typeof STACK_BEHAVIOURS)[number]
  | "standingLiar"
  | "forkingAuthor"
  | "earlyCertifier";

/**
 * `calm` loses a few messages and has nobody bad; `loss` loses more, for ever; `chaos` has everything until it heals;
 * in `seats` a newcomer gets a seat and a validator leaves, and every other time one is bad in one way; in `restore` a
 * validator loses its home.
 */
export const STACK_PROFILES = ["calm", "loss", "chaos", "seats", "restore"] as const;
export type StackProfile = (typeof STACK_PROFILES)[number];

/** Commits of the votes; in the middle of any of them the power may go. */
const CRASHES_ON = [
  "recordJournal",
  "recordDecided",
  "recordAck",
  "recordBatches",
  "recordAttest",
  "recordRewardCert",
] as const;

/** Who loses its home, and who is cut off for a while before, if anybody is. A home of which there is no copy is lost for good. */
export type HomeLossScenario = {
  readonly validator: number;
  readonly bystander: number | null;
  readonly copiedAfterRound: number | null;
  readonly lostAfterRound: number;
};

export type StackScenario = {
  readonly seed: number;
  readonly validators: number;
  /** Members without a seat in genesis, behind the validators; and who of those leaves, where there are candidates. */
  readonly candidates: number;
  readonly leaver: number;
  readonly behaviours: readonly (StackBehaviour | null)[];
  /** After this nothing is cut, crashed or slow; in `chaos` nothing is lost either. */
  readonly healMs: number;
  readonly lossPpm: number;
  readonly healedLossPpm: number;
  readonly duplicatePpm: number;
  readonly maxDelayMs: number;
  readonly cuts: readonly Cut[];
  readonly crashes: readonly Crash[];
  /** How far ahead each validator's clock is, and how fast it runs, in parts per thousand. */
  readonly clockOffsetsMs: readonly number[];
  readonly clockPpt: readonly number[];
  /** The longest that a disk takes for a write. */
  readonly maxSyncMs: number;
  /** Power cuts that come in the middle of a write. */
  readonly crashesWriting: number;
  /** The write in which most of them come. */
  readonly crashesOn: (typeof CRASHES_ON)[number];
  /** Messages that hotspots and accounts submit, and over how long. */
  readonly submissions: number;
  /** Rounds that everybody must have executed at the end: of three epochs, to six. */
  readonly rounds: number;
  readonly homeLoss: HomeLossScenario | null;
  /** Whether who leaves is away when its word on its last epoch is asked for; see `LateLeaver`. */
  readonly isLeaverLate: boolean;
};

/** As slow as a message gets on a healthy network. */
export const STACK_DELAY_MS = 40;
/** Virtual time in which everything must be done once the network has healed. */
export const STACK_PATIENCE_MS = 90_000;
export const ROUNDS_PER_EPOCH = 4;
/** The round in which a validator says that it leaves, where there are candidates. */
export const UNSTAKED_IN_ROUND = 2 * ROUNDS_PER_EPOCH + 1;
/** Homes are lost after so many rounds with a seat at least, since another one is cut off for some rounds before. */
const FIRST_LOSS_ROUND = 5;

/** The scenario of a seed. */
export function createStackScenario(seed: number, validators: number, profile: StackProfile): StackScenario {
  const prng = new Prng(Math.imul(seed, 0xc2b2_ae35) ^ Math.imul(validators, 0x85eb_ca6b) ^ 0x51ac);
  if (profile === "restore")
    return createRestoreScenario(prng, createStackScenario(seed, validators, "calm"));
  const scenario = createCommonScenario(prng, seed, validators, profile);
  if (profile !== "seats") return scenario;
  if (prng.oneIn(2)) return prng.oneIn(4) ? createLateLeaver(prng, scenario) : scenario;
  // Its attack is over before anybody's seat changes, so it may be the one that leaves.
  const behaviours = scenario.behaviours.with(prng.below(validators), "earlyCertifier");
  return prng.oneIn(2) ? { ...scenario, behaviours } : { ...createBlackout(prng, scenario), behaviours };
}

/** Who leaves is away for a while, another one is silent, and all else is well: rounds beyond the wait for its word are in it. */
function createLateLeaver(prng: Prng, scenario: StackScenario): StackScenario {
  const silent = (scenario.leaver + 1 + prng.below(scenario.validators - 1)) % scenario.validators;
  return {
    ...scenario,
    behaviours: scenario.behaviours.with(silent, "silent"),
    lossPpm: 0,
    maxDelayMs: STACK_DELAY_MS,
    cuts: [],
    crashes: [],
    crashesWriting: 0,
    rounds: 6 * ROUNDS_PER_EPOCH,
    isLeaverLate: true,
  };
}

/** The power goes everywhere at once, while every lane has new batches in every round. */
function createBlackout(prng: Prng, scenario: StackScenario): StackScenario {
  const atMs = prng.below(scenario.healMs);
  const crashes = scenario.behaviours.map((_, validator) => ({ validator, atMs, upAtMs: atMs + 1 }));
  return { ...scenario, crashes, submissions: 60 };
}

function createCommonScenario(
  prng: Prng,
  seed: number,
  validators: number,
  profile: Exclude<StackProfile, "restore">,
): StackScenario {
  const isSeats = profile === "seats";
  const candidates = isSeats ? 1 : 0;
  const positions = Array.from({ length: validators + candidates }, (_, position) => position);
  const faulty = Math.floor((validators - 1) / 3);
  const isHostile = profile === "chaos" || (profile === "loss" && prng.oneIn(2));
  const bad = new Set(prng.shuffle([...positions]).slice(0, isHostile ? faulty : 0));
  const behaviours = positions.map((position) => (bad.has(position) ? prng.pick(STACK_BEHAVIOURS) : null));
  const isChaos = profile === "chaos" || isSeats;
  const healMs = isChaos ? 400 + prng.below(2_400) : 0;
  const lossPpm = profile === "loss" ? 50_000 + prng.below(250_001) : isChaos ? prng.below(300_001) : 10_000;
  return {
    seed,
    validators,
    candidates,
    leaver: prng.below(validators),
    behaviours,
    healMs,
    lossPpm,
    healedLossPpm: isChaos ? 0 : lossPpm,
    duplicatePpm: prng.below(50_001),
    maxDelayMs: isChaos ? STACK_DELAY_MS * (1 + prng.below(10)) : STACK_DELAY_MS,
    cuts: isChaos ? Array.from({ length: prng.below(4) }, () => createCut(prng, validators, healMs)) : [],
    crashes: isChaos
      ? Array.from({ length: prng.below(4) }, () => createCrash(prng, validators, healMs))
      : [],
    clockOffsetsMs: positions.map(() => (isChaos ? prng.below(401) - 200 : 0)),
    clockPpt: positions.map(() => (isChaos ? 800 + prng.below(401) : 1_000)),
    maxSyncMs: prng.pick([1, 5, 20, 60]),
    crashesOn: prng.pick(CRASHES_ON),
    crashesWriting: isChaos ? prng.below(5) : 0,
    submissions: 4 + prng.below(12),
    rounds: (isSeats ? 5 : 3) * ROUNDS_PER_EPOCH,
    homeLoss: null,
    isLeaverLate: false,
  };
}

/**
 * A calm network of which one validator loses its home and f are bad. One time in four it is a newcomer that loses its
 * home, and begins again with genesis, which is a state of before its seat. Else, every other time, the bad ones have
 * two batches acknowledged under one number.
 */
function createRestoreScenario(prng: Prng, calm: StackScenario): StackScenario {
  const { validators } = calm;
  const isNewcomer = prng.oneIn(4);
  const candidates = isNewcomer ? 1 : 0;
  const positions = Array.from({ length: validators + candidates }, (_, position) => position);
  const shuffled = prng.shuffle(positions.slice(0, validators));
  const [first, bystander] = shuffled as [number, number];
  const bad = shuffled.slice(2, 2 + Math.floor((validators - 1) / 3));
  // A newcomer that is staked for in the first epoch has its seat in the third.
  const lostAfterRound = (isNewcomer ? 2 * ROUNDS_PER_EPOCH : 0) + FIRST_LOSS_ROUND + prng.below(4);
  const homeLoss: HomeLossScenario = {
    validator: isNewcomer ? validators : first,
    bystander,
    copiedAfterRound: isNewcomer || prng.oneIn(3) ? null : prng.below(lostAfterRound),
    lostAfterRound,
  };
  const isForked = !isNewcomer && prng.oneIn(2);
  const behaviour: StackBehaviour = isForked ? "forkingAuthor" : "standingLiar";
  return {
    ...calm,
    candidates,
    leaver: first,
    behaviours: positions.map((position) => (bad.includes(position) ? behaviour : null)),
    clockOffsetsMs: positions.map(() => 0),
    clockPpt: positions.map(() => 1_000),
    rounds: (isNewcomer ? 5 : 4) * ROUNDS_PER_EPOCH,
    homeLoss: isForked ? createEarlyLoss(prng, homeLoss) : homeLoss,
  };
}

/**
 * A loss that is over when an author that forks its lane loses its seat, in the third epoch at the earliest: without it there may be
 * no quorum but of all. For the same reason nobody is cut off.
 */
function createEarlyLoss(prng: Prng, { validator }: HomeLossScenario): HomeLossScenario {
  const lostAfterRound = 1 + prng.below(ROUNDS_PER_EPOCH / 2);
  return { validator, bystander: null, copiedAfterRound: prng.below(lostAfterRound), lostAfterRound };
}

/** Half of the cuts are partitions, the others silence one direction only. */
function createCut(prng: Prng, validators: number, healMs: number): Cut {
  const all = 2 ** validators - 1;
  const from = prng.below(all + 1);
  const startMs = prng.below(healMs);
  const endMs = startMs + prng.below(healMs - startMs);
  return { startMs, endMs, from, to: prng.oneIn(2) ? all & ~from : all };
}

function createCrash(prng: Prng, validators: number, healMs: number): Crash {
  const atMs = prng.below(healMs);
  return { validator: prng.below(validators), atMs, upAtMs: atMs + 1 + prng.below(healMs - atMs) };
}
