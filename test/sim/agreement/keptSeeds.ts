/** Seeds that once failed, kept for ever: each is run by `npm test`. Add a line, never take one away. */
import type { Profile } from "./scenario.ts";

export type KeptSeed = {
  readonly validators: number;
  readonly profile: Profile;
  readonly seed: number;
  /** What it found. */
  readonly found: string;
};

export const KEPT_SEEDS: readonly KeptSeed[] = [
  {
    validators: 4,
    profile: "chaos",
    seed: 983,
    found: "values written before a crash, without the vote that was to follow, were remembered for ever",
  },
  { validators: 4, profile: "chaos", seed: 1_727, found: "the same" },
  {
    validators: 4,
    profile: "chaos",
    seed: 13_858,
    found:
      "a decision must wait for the disk like a message: it may rest on an own vote that a crash takes back",
  },
  { validators: 4, profile: "chaos", seed: 63_569, found: "the same, of two notarizations" },
];
