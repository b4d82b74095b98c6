/** What the API says of agreement: reward certificates and validators. */
import { type Static, Type } from "typebox";
import { Amount, Count, EpochNumber, Hash, Hex, Key, Name, object, orNull } from "./common.ts";

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
    signers: Type.Array(Key, { description: "Who attested, in the order of their seats." }),
    signatures: Type.Array(Hex, { description: "One of 64 bytes a signer, in the same order." }),
    bytes: object({ certificate: Hex, attest: Hex }, "The exact bytes: the whole, and what was signed."),
  },
  "That a quorum of validators computed the same rewards.",
);
export type RewardCertificateJson = Static<typeof RewardCertificate>;

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
  quorum: Count,
  items: Type.Array(ValidatorSeat),
});
