/** What happens to a hotspot, for whoever watches it: the devnet's view, tests, the status. */
import { EventEmitter } from "node:events";
import type { Reason } from "../../../protocol/src/evidence/reasons.ts";
import type { GuardReason } from "./guard.ts";

export const REPORT_KINDS = ["beacon", "witness", "reveal"] as const;
export type ReportKind = (typeof REPORT_KINDS)[number];

/** A round that Q validators have finalized. `epoch`: of the round that comes next. */
export type RoundHeard = { readonly round: number; readonly timeMs: number; readonly epoch: number };
export type BeaconSent = {
  readonly epoch: number;
  readonly slotRound: number;
  readonly freqHz: number;
  readonly spreadingFactor: number;
  readonly powerDbm: number;
  readonly commit: Uint8Array;
};
/** A beacon that was due and was not asked for. */
export type BeaconHeldBack = { readonly epoch: number; readonly reason: GuardReason };
export type WitnessHeard = {
  readonly tag: Uint8Array;
  readonly rssiDeciDbm: number;
  readonly snrCentiDb: number;
};
/** A validator's receipt for one envelope; a reason says that it was not admitted. */
export type Submitted = {
  readonly id: Uint8Array;
  readonly kinds: readonly ReportKind[];
  readonly reason: Reason | null;
};
/** One validator's receipt for one envelope; a reason says that it did not take it. */
export type Receipted = {
  readonly id: Uint8Array;
  readonly validator: Uint8Array;
  /** The newest round that it named. */
  readonly round: number;
  readonly reason: Reason | null;
};
/** An envelope that is on the disk, and when it was signed. */
export type Spooled = { readonly id: Uint8Array; readonly timeMs: number };
export type Included = {
  readonly id: Uint8Array;
  readonly round: number;
  readonly kinds: readonly ReportKind[];
};
/** One report's verdict; null is "accepted". */
export type Verdict = {
  readonly id: Uint8Array;
  readonly index: number;
  readonly kind: ReportKind;
  readonly reason: Reason | null;
};

export type HotspotEvents = {
  round: [RoundHeard];
  beaconSent: [BeaconSent];
  beaconHeldBack: [BeaconHeldBack];
  witnessHeard: [WitnessHeard];
  spooled: [Spooled];
  receipted: [Receipted];
  submitted: [Submitted];
  included: [Included];
  verdict: [Verdict];
};
export type HotspotEmitter = EventEmitter<HotspotEvents>;

/** Creates the emitter that a hotspot's parts share. */
export function createHotspotEmitter(): HotspotEmitter {
  return new EventEmitter<HotspotEvents>();
}
