/**
 * Availability certificates that a validator holds: of every lane, those beyond the last decided cut. They are what
 * Tips name and what a leader puts into a cut (rule A4).
 */
import { equalBytes } from "../../bytes/bytes.ts";
import { encodeHex } from "../../bytes/hex.ts";
import { checkAvailabilityCert } from "../certificates.ts";
import type { Cut } from "../cut.ts";
import { DROPPED, type DropEffect, type DropReason } from "../drops.ts";
import type { AvailabilityCert, LaneTip } from "../rounds.ts";
import type { LaneConfig } from "./config.ts";
import { MAX_CERTIFIED_AHEAD } from "./limits.ts";

export type LaneCerts = {
  readonly cutSeq: number;
  readonly bySeq: ReadonlyMap<number, AvailabilityCert>;
  /** The highest number with a certificate; 0 for none. */
  readonly newest: number;
};

/** By lane, its key in hexadecimal. A quorum stands behind every certificate, so strangers' lanes do not get in. */
export type AvailabilityState = {
  readonly config: Pick<LaneConfig, "sets" | "domains" | "verify">;
  readonly lanes: ReadonlyMap<string, LaneCerts>;
};

export type AvailabilityEvent =
  | { readonly type: "certificate"; readonly cert: AvailabilityCert }
  | { readonly type: "cut"; readonly cut: Cut };

export type AvailabilityStep = {
  readonly state: AvailabilityState;
  /** `available`: a certificate that is valid and new, a tip may name it. */
  readonly effects: readonly ({ readonly type: "available"; readonly cert: AvailabilityCert } | DropEffect)[];
};

const EMPTY_LANE: LaneCerts = { cutSeq: 0, bySeq: new Map(), newest: 0 };

/** Holding nothing. @param cut the last decided one. */
export function createAvailability(config: AvailabilityState["config"], cut: Cut): AvailabilityState {
  return settleCut({ config, lanes: new Map() }, cut);
}

/** One step of the book. */
export function stepAvailability(state: AvailabilityState, event: AvailabilityEvent): AvailabilityStep {
  if (event.type === "cut") return { state: settleCut(state, event.cut), effects: [] };
  return takeCertificate(state, event.cert);
}

/**
 * A4 a certificate counts when a quorum of its own epoch's set signed it. No second digest can get one (A3); a later
 * epoch's replaces one that may soon be too old for a cut.
 */
function takeCertificate(state: AvailabilityState, cert: AvailabilityCert): AvailabilityStep {
  const { sets, domains, verify } = state.config;
  const name = encodeHex(cert.lane);
  const lane = state.lanes.get(name) ?? EMPTY_LANE;
  const dropped = (reason: DropReason) => ({ state, effects: DROPPED[reason] });
  if (cert.seq <= lane.cutSeq) return dropped("past");
  if (cert.seq > lane.cutSeq + MAX_CERTIFIED_AHEAD) return dropped("far_ahead");
  const held = lane.bySeq.get(cert.seq);
  if (held !== undefined && held.epoch >= cert.epoch) return dropped("repeated");
  const set = sets.setOf(cert.epoch);
  if (set === null) return dropped("unknown_set");
  if (checkAvailabilityCert(cert, set, domains, verify) !== null) return dropped("bad_signature");
  const next = {
    ...lane,
    bySeq: new Map(lane.bySeq).set(cert.seq, cert),
    newest: Math.max(lane.newest, cert.seq),
  };
  return {
    state: { ...state, lanes: new Map(state.lanes).set(name, next) },
    effects: [{ type: "available", cert }],
  };
}

/** A decided cut settles what it holds. */
function settleCut(state: AvailabilityState, cut: Cut): AvailabilityState {
  const lanes = new Map(state.lanes);
  for (const { lane: key, seq } of cut) {
    const name = encodeHex(key);
    const lane = lanes.get(name) ?? EMPTY_LANE;
    if (seq <= lane.cutSeq) continue;
    lanes.set(name, {
      cutSeq: seq,
      bySeq: new Map([...lane.bySeq].filter(([held]) => held > seq)),
      newest: lane.newest,
    });
  }
  return { ...state, lanes };
}

/** The certificate of exactly this batch, or null. */
export function certificateOf({ lanes }: AvailabilityState, tip: LaneTip): AvailabilityCert | null {
  const cert = lanes.get(encodeHex(tip.lane))?.bySeq.get(tip.seq);
  return cert !== undefined && equalBytes(cert.digest, tip.digest) ? cert : null;
}

/** Whether a cut holds the batch already, so that no certificate is needed for it. */
export function isCut({ lanes }: AvailabilityState, tip: LaneTip): boolean {
  return tip.seq <= (lanes.get(encodeHex(tip.lane))?.cutSeq ?? 0);
}

/** What own Tips name: the newest of each lane that a cut of this epoch may take in. */
export function listNewest({ lanes }: AvailabilityState, epoch: number): AvailabilityCert[] {
  const certs: AvailabilityCert[] = [];
  for (const { bySeq, newest } of lanes.values()) {
    const cert = bySeq.get(newest);
    if (cert !== undefined && cert.epoch >= epoch - 1 && cert.epoch <= epoch) certs.push(cert);
  }
  return certs;
}
