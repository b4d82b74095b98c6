/**
 * What a validator holds of another's word, for that one to ask after a start: the newest tips and the newest batch that
 * it signed. A validator whose own record of them is older was restored from a backup, and could contradict itself.
 */
import { ContainerType, ListCompositeType, type ValueOf } from "@chainsafe/ssz";
import { Bytes64, decodeStrict, Uint64 } from "../wire/ssz.ts";
import { LaneTipSsz, SignedTipsSsz } from "./rounds.ts";

const SignedPlaceSsz = new ContainerType(
  { place: LaneTipSsz, signature: Bytes64 },
  { typeName: "SignedPlace" },
);
const StandingSsz = new ContainerType(
  {
    rounds: Uint64,
    tips: new ListCompositeType(SignedTipsSsz, 1),
    batch: new ListCompositeType(SignedPlaceSsz, 1),
  },
  { typeName: "Standing" },
);

/** A batch's place in its lane, as its author signed it under the domain `batch`. */
export type SignedPlace = ValueOf<typeof SignedPlaceSsz>;
/** `rounds`: decided by whoever answers, and so the number of the round that it is in. Both lists hold one or none. */
export type Standing = ValueOf<typeof StandingSsz>;

/** Tips that name every lane are the longest part. */
export const MAX_STANDING_BYTES = StandingSsz.maxSize;

export const encodeStanding = (standing: Standing): Uint8Array => StandingSsz.serialize(standing);
/** Strictly decodes an answer; null where malformed. Its signatures are the caller's to verify. */
export const decodeStanding = (bytes: Uint8Array): Standing | null =>
  decodeStrict(StandingSsz, bytes, MAX_STANDING_BYTES);
