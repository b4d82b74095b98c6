/** What every part of a lane is told at its birth: whose it is, who judges and signs, and which sets there are. */
import type { SignedKind, SigningDomains } from "../../crypto/domain.ts";
import type { ValidatorSets, VerifySignature } from "../certificates.ts";

export type LaneConfig = {
  /** This validator's key. */
  readonly self: Uint8Array;
  readonly sets: ValidatorSets;
  readonly domains: SigningDomains;
  readonly verify: VerifySignature;
  /** Signs a body with this validator's key under the domain of its kind: 64 bytes. */
  readonly sign: (kind: SignedKind, body: Uint8Array) => Uint8Array;
};

/** A batch by its number in a lane and its digest. */
export type Place = { readonly seq: number; readonly digest: Uint8Array };
