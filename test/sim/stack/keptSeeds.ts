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
  {
    validators: 4,
    profile: "seats",
    seed: 0,
    found:
      "a certificate for the epoch to come took the place of the one that tips named, and nobody could use them",
  },
  {
    validators: 4,
    profile: "seats",
    seed: 32,
    found: "after a power cut everywhere nobody had the certificates of what tips named",
  },
  {
    validators: 4,
    profile: "seats",
    seed: 1,
    found: "who had left was no member any more when rounds waited for its word on its last epoch",
  },
  {
    validators: 4,
    profile: "restore",
    seed: 112,
    found:
      "a batch that was certified and in no cut for two epochs, as its author was cut off, never came into one",
  },
  {
    validators: 4,
    profile: "restore",
    seed: 97,
    found: "a batch of an author that had left was acknowledged, when bodies that it rests on were deleted",
  },
  {
    validators: 4,
    profile: "restore",
    seed: 32,
    found: "a restored validator acknowledged other batches under the numbers that it had acknowledged",
  },
];
