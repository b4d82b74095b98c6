/** What a seed means: how many validators, who of them is bad and how, and what the network does to messages. */
import { Prng } from "../prng.ts";

/** How a Byzantine validator behaves; `twins` runs the honest code twice with one key. */
export const BEHAVIOURS = [
  "silent",
  "equivocator",
  "unjustified",
  "nullifier",
  "doubleVoter",
  "withholder",
  "replayer",
  "flooder",
  "forger",
  "mixed",
  "twins",
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

/**
 * `loss` keeps losing 20 to 40 of 100 messages for ever, in half of the seeds with f adversaries. `chaos` has f
 * adversaries, loss, duplicates, long delays, partitions, crashes and skewed clocks until the network heals.
 */
export const PROFILES = ["loss", "chaos"] as const;
export type Profile = (typeof PROFILES)[number];

/** Messages from `from` to `to` (bit masks of positions) are lost between two moments. */
export type Cut = {
  readonly startMs: number;
  readonly endMs: number;
  readonly from: number;
  readonly to: number;
};
export type Crash = { readonly validator: number; readonly atMs: number; readonly upAtMs: number };

export type Scenario = {
  readonly seed: number;
  readonly validators: number;
  readonly leaders: readonly number[];
  /** The behaviour of each position, or null for an honest validator. */
  readonly behaviours: readonly (Behaviour | null)[];
  /** After this nothing is cut, crashed or slower than `DELAY_MS`; in `chaos` nothing is lost either. */
  readonly healMs: number;
  readonly lossPpm: number;
  readonly healedLossPpm: number;
  readonly duplicatePpm: number;
  /** The slowest message before the network heals. */
  readonly maxDelayMs: number;
  readonly cuts: readonly Cut[];
  readonly crashes: readonly Crash[];
  /** How fast each validator's timers run, in parts per thousand. */
  readonly clockPpt: readonly number[];
  /** How long a disk takes to make records durable. */
  readonly syncMs: number;
  /** How many more times a power cut hits a validator whose disk is at work. */
  readonly crashesWriting: number;
};

/** d of the simulated network. */
export const DELAY_MS = 100;
/** Virtual time in which everything must be decided once the network has healed: ten of the longest views. */
export const PATIENCE_MS = 600_000;

/** The scenario of a seed. */
export function createScenario(seed: number, validators: number, profile: Profile): Scenario {
  const prng = new Prng(Math.imul(seed, 0x85eb_ca6b) ^ Math.imul(validators, 0xc2b2_ae35));
  const positions = Array.from({ length: validators }, (_, position) => position);
  const leaders = prng.shuffle([...positions]);
  const faulty = Math.floor((validators - 1) / 3);
  const adversaries = profile === "chaos" || prng.oneIn(2) ? faulty : 0;
  const bad = new Set(prng.shuffle([...positions]).slice(0, adversaries));
  const behaviours = positions.map((position) => (bad.has(position) ? prng.pick(BEHAVIOURS) : null));
  const base = { seed, validators, leaders, behaviours };
  if (profile === "loss") {
    const lossPpm = 200_000 + prng.below(200_001);
    return {
      ...base,
      healMs: 0,
      lossPpm,
      healedLossPpm: lossPpm,
      duplicatePpm: 20_000,
      maxDelayMs: DELAY_MS,
      cuts: [],
      crashes: [],
      clockPpt: positions.map(() => 1_000),
      syncMs: 0,
      crashesWriting: 0,
    };
  }
  const healMs = 500 + prng.below(5_000);
  return {
    ...base,
    healMs,
    lossPpm: prng.below(400_001),
    healedLossPpm: 0,
    duplicatePpm: prng.below(100_001),
    maxDelayMs: DELAY_MS * (1 + prng.below(8)),
    cuts: Array.from({ length: prng.below(4) }, () => createCut(prng, validators, healMs)),
    crashes: Array.from({ length: prng.below(5) }, () => createCrash(prng, validators, healMs)),
    clockPpt: positions.map(() => 800 + prng.below(401)),
    syncMs: prng.pick([0, 1, 5, 40, 150]),
    crashesWriting: prng.below(5),
  };
}

/** Half of the cuts are partitions, the others silence one direction only. */
function createCut(prng: Prng, validators: number, healMs: number): Cut {
  const all = 2 ** validators - 1;
  const from = prng.below(all + 1);
  const startMs = prng.below(healMs);
  return {
    startMs,
    endMs: startMs + prng.below(healMs - startMs),
    from,
    to: prng.oneIn(2) ? all & ~from : all,
  };
}

function createCrash(prng: Prng, validators: number, healMs: number): Crash {
  const atMs = prng.below(healMs);
  return { validator: prng.below(validators), atMs, upAtMs: atMs + 1 + prng.below(healMs - atMs) };
}
