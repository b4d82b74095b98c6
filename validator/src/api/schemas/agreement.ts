/** What the API says of agreement: certificates, validators, and evidence against them. */
import { type Static, Type } from "typebox";
import { EVIDENCE_KINDS } from "../../../../protocol/src/agreement/evidence.ts";
import { MAX_SET_STEPS } from "../../../../protocol/src/agreement/rewardEvidence.ts";
import {
  Amount,
  Count,
  EpochNumber,
  Hash,
  Hex,
  Key,
  Name,
  object,
  oneOf,
  orNull,
  RoundNumber,
  TimeMs,
} from "./common.ts";

const Keys = Type.Array(Key, { description: "The set's keys, in the order of seats." });

export const RewardCertificate = object(
  {
    attest: object({
      epoch: EpochNumber,
      rewardRoot: Hash,
      stateRoot: Hash,
      nextValidatorsHash: Hash,
      parametersHash: Hash,
      rulesVersion: Count,
    }),
    validators: Keys,
    quorum: Count,
    signers: Type.Array(Key, { description: "Who attested, in the order of their seats." }),
    signatures: Type.Array(Hex, { description: "One of 64 bytes a signer, in the same order." }),
    bytes: object({ certificate: Hex, attest: Hex }, "The exact bytes: the whole, and what was signed."),
  },
  "That a quorum of the epoch's validators computed the same rewards.",
);
export type RewardCertificateJson = Static<typeof RewardCertificate>;

export const Checkpoint = object(
  { networkId: Hash, epoch: EpochNumber, validators: Keys, nextValidators: Keys },
  "The sets of an epoch and of the next: what `hexbeacon verify --checkpoint` begins from, if you trust who gave it.",
);

export const Proof = object(
  {
    account: Key,
    total: Amount,
    epoch: EpochNumber,
    index: Count,
    leafCount: Count,
    branch: Type.Array(Hash),
    root: Hash,
    networkId: Hash,
    certificate: orNull(Hex),
    setHistory: Type.Array(object({ certificate: Hex, validators: Keys }), { maxItems: MAX_SET_STEPS }),
  },
  "That an account has earned `total` up to the end of `epoch`: what `hexbeacon verify` reads. `certificate` is null for the moment between an epoch's end and its certificate.",
);

export const ValidatorSeat = object({
  seat: Count,
  id: Key,
  name: Name,
  stake: Amount,
  multiaddrs: Type.Array(Type.String()),
  connected: orNull(
    Type.Boolean({ description: "Whether this validator has a link to it; null for itself." }),
  ),
});
export type ValidatorSeatJson = Static<typeof ValidatorSeat>;

export const Validators = object({
  epoch: EpochNumber,
  fromEpoch: Type.Integer({ minimum: 0, description: "Since when the set is the same." }),
  quorum: Count,
  items: Type.Array(ValidatorSeat),
});

export const VALIDATOR_STATUSES = ["seated", "waiting", "leaving", "gone", "tombstoned"] as const;
const ValidatorStatusText = oneOf(
  VALIDATOR_STATUSES,
  "seated: has a seat in the running epoch; waiting: staked, without a seat; leaving: unstaked, its stake still locked; gone: its stake has returned; tombstoned: convicted, for ever.",
);

const stakeFields = {
  id: Key,
  name: Name,
  owner: Key,
  status: ValidatorStatusText,
  stake: Amount,
  sinceEpoch: EpochNumber,
  unbondingUntilEpoch: orNull(EpochNumber),
  multiaddrs: Type.Array(Type.String()),
} as const;

export const Stake = object(stakeFields, "A validator on record, with a seat or without.");
export type StakeJson = Static<typeof Stake>;

export const Participation = object(
  { epoch: EpochNumber, seat: Count, rounds: Count, epochRounds: Count, paid: Amount },
  "What a validator did with a seat: it helped to finalize `rounds` of the epoch's `epochRounds`.",
);
export type ParticipationJson = Static<typeof Participation>;

export const LedRounds = object(
  {
    items: Type.Array(
      object({
        round: RoundNumber,
        epoch: EpochNumber,
        timeMs: TimeMs,
        view: Type.Integer({ minimum: 1, description: "The view that it led; a round's first is 1." }),
        decided: Type.Boolean({
          description: "Whether that view was decided; otherwise it was passed over.",
        }),
      }),
    ),
  },
  "The newest rounds of which a validator led a view, newest first.",
);
export type LedRoundsJson = Static<typeof LedRounds>;

export const Conviction = object(
  {
    networkId: Hash,
    round: RoundNumber,
    epoch: EpochNumber,
    offender: Key,
    name: Name,
    kind: oneOf(EVIDENCE_KINDS),
    sentence: Type.String({ description: "What the two statements convict of, in words." }),
    slashed: Amount,
    first: Hex,
    second: Hex,
  },
  "Two signed statements that no honest validator signs both: what `hexbeacon tool verify-evidence` reads.",
);
export type ConvictionJson = Static<typeof Conviction>;

export const Validator = object(
  {
    ...stakeFields,
    connected: ValidatorSeat.properties.connected,
    seats: Type.Array(object({ epoch: EpochNumber, seat: orNull(Count) }), {
      description: "Its seat in the running epoch and in those whose sets are fixed already.",
    }),
    participation: Type.Array(Participation, {
      description: "The newest epochs in which it had a seat, newest first; the rest is at /participation.",
    }),
    evidence: Type.Array(Conviction, {
      description: "What convicted it, newest first; all is at /v1/evidence.",
    }),
  },
  "A validator: what it has at stake, where it sits, what it did and was paid, and what was found against it.",
);
export type ValidatorJson = Static<typeof Validator>;
