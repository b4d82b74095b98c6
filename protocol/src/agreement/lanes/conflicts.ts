/**
 * Evidence about lanes: two batches that one author signed under one number, and two batches of one number that one
 * validator acknowledged. Each pair is kept with its signatures, so that anyone can verify it later.
 */
import { equalBytes } from "../../bytes/bytes.ts";
import type { Ack } from "../peerMessages.ts";
import type { LaneTip } from "../rounds.ts";

/** A batch as its author signed it, under the domain `batch`. */
export type SignedTip = { readonly tip: LaneTip; readonly signature: Uint8Array };

export type LaneConflict =
  | {
      readonly reason: "double_batch";
      readonly offender: Uint8Array;
      readonly first: SignedTip;
      readonly second: SignedTip;
    }
  | {
      readonly reason: "double_ack";
      readonly offender: Uint8Array;
      readonly first: Ack;
      readonly second: Ack;
    };

/** Whether two signed places of one lane convict who signed both: one number, two digests (A2, A3). */
export function areConflicting(a: LaneTip, b: LaneTip): boolean {
  return a.seq === b.seq && equalBytes(a.lane, b.lane) && !equalBytes(a.digest, b.digest);
}
