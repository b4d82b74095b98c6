/** Seeds of the full stack that once found something, kept for ever; what each found is for who wonders. */
import type { StackProfile } from "./scenario.ts";

export type KeptStackSeed = {
  readonly validators: number;
  readonly profile: StackProfile;
  readonly seed: number;
  readonly found: string;
};

export const KEPT_STACK_SEEDS: readonly KeptStackSeed[] = [
  {
    validators: 4,
    profile: "chaos",
    seed: 117,
    found: "an epoch that was stored before a crash, and not yet attested to, was never attested to",
  },
];
