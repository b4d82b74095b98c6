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
import type { LaneConfig, Place } from "./config.ts";
import { MAX_CERTIFIED_AHEAD } from "./limits.ts";

/**
 * Of a number, certificates of so many epochs are kept: of the running one and the one before, which a cut may take, and
 * of the one after, which may come early. Each stays beside the others, of whatever digest: tips name what their author
 * held when it signed them, and a leader must be able to use them whatever came since.
 */
const KEPT_EPOCHS = 3;

export type LaneCerts = {
  readonly cutSeq: number;
  /** One an epoch, the newest first. */
  readonly bySeq: ReadonlyMap<number, readonly AvailabilityCert[]>;
  /** The highest number with a certificate; 0 for none. */
  readonly newest: number;
};

/**
 * By lane, its key in hexadecimal: of those in the last cut and of those whose authors have a seat about now. A quorum
 * stands behind every certificate, so strangers' lanes do not get in.
 */
export type AvailabilityState = {
  readonly config: Pick<LaneConfig, "sets" | "domains" | "verify"> & {
    /** Where the executed cuts have left a lane: one that is in no cut, as its author had no seat, goes on there. */
    readonly laneEndOf: (lane: Uint8Array) => Pick<Place, "seq">;
  };
  readonly lanes: ReadonlyMap<string, LaneCerts>;
};

export type AvailabilityEvent =
  | { readonly type: "certificate"; readonly cert: AvailabilityCert }
  /** `epoch`: of the round after the one that decided it. */
  | { readonly type: "cut"; readonly cut: Cut; readonly epoch: number };

export type AvailabilityStep = {
  readonly state: AvailabilityState;
  /** `available`: a certificate that is valid and new, a tip may name it. */
  readonly effects: readonly ({ readonly type: "available"; readonly cert: AvailabilityCert } | DropEffect)[];
};

/** Holding nothing. @param cut the last decided one. */
export function createAvailability(config: AvailabilityState["config"], cut: Cut): AvailabilityState {
  return settleCut({ config, lanes: new Map() }, cut);
}

const createLaneCerts = (cutSeq: number): LaneCerts => ({ cutSeq, bySeq: new Map(), newest: 0 });

/** One step of the book. */
export function stepAvailability(state: AvailabilityState, event: AvailabilityEvent): AvailabilityStep {
  if (event.type === "cut")
    return { state: forgetLeft(settleCut(state, event.cut), event.cut, event.epoch), effects: [] };
  return takeCertificate(state, event.cert);
}

/**
 * A4 a certificate counts when a quorum of its own epoch's set signed it, and one an epoch. No second digest can get one
 * there (A3); the next epoch's may be of another, where the set has changed, or somebody lost a home, and the author is bad.
 */
function takeCertificate(state: AvailabilityState, cert: AvailabilityCert): AvailabilityStep {
  const { sets, domains, verify, laneEndOf } = state.config;
  const name = encodeHex(cert.lane);
  const lane = state.lanes.get(name) ?? createLaneCerts(laneEndOf(cert.lane).seq);
  const dropped = (reason: DropReason) => ({ state, effects: DROPPED[reason] });
  if (cert.seq <= lane.cutSeq) return dropped("past");
  if (cert.seq > lane.cutSeq + MAX_CERTIFIED_AHEAD) return dropped("far_ahead");
  const held = lane.bySeq.get(cert.seq) ?? [];
  const same = held.find(({ epoch }) => epoch === cert.epoch);
  if (same !== undefined) return dropped(equalBytes(same.digest, cert.digest) ? "repeated" : "conflict");
  const kept = [...held, cert].sort((a, b) => b.epoch - a.epoch).filter(isRecent);
  if (!kept.includes(cert)) return dropped("past");
  const set = sets.setOf(cert.epoch);
  if (set === null) return dropped("unknown_set");
  if (checkAvailabilityCert(cert, set, domains, verify) !== null) return dropped("bad_signature");
  const next = {
    ...lane,
    bySeq: new Map(lane.bySeq).set(cert.seq, kept),
    newest: Math.max(lane.newest, cert.seq),
  };
  return {
    state: { ...state, lanes: new Map(state.lanes).set(name, next) },
    effects: [{ type: "available", cert }],
  };
}

const isRecent = ({ epoch }: AvailabilityCert, _: number, [newest]: readonly AvailabilityCert[]): boolean =>
  epoch > newest!.epoch - KEPT_EPOCHS;

/** A decided cut settles what it holds. */
function settleCut(state: AvailabilityState, cut: Cut): AvailabilityState {
  const lanes = new Map(state.lanes);
  for (const { lane: key, seq } of cut) {
    const name = encodeHex(key);
    const lane = lanes.get(name) ?? createLaneCerts(0);
    if (seq <= lane.cutSeq) continue;
    lanes.set(name, {
      cutSeq: seq,
      bySeq: new Map([...lane.bySeq].filter(([held]) => held > seq)),
      newest: lane.newest,
    });
  }
  return { ...state, lanes };
}

/** Forgets lanes that are not in the cut and whose authors have no seat about now, so that no cut to come has them. */
function forgetLeft(state: AvailabilityState, cut: Cut, epoch: number): AvailabilityState {
  const { sets } = state.config;
  const seated = [epoch - 1, epoch, epoch + 1].flatMap((each) => sets.setOf(each)?.keys ?? []);
  const live = new Set([...cut.map(({ lane }) => lane), ...seated].map(encodeHex));
  return { ...state, lanes: new Map([...state.lanes].filter(([name]) => live.has(name))) };
}

/** The certificate of exactly this batch, of the newest epoch that a cut of this one may take; null where none is held. */
export function certificateOf(
  { lanes }: AvailabilityState,
  tip: LaneTip,
  epoch: number,
): AvailabilityCert | null {
  const held = lanes.get(encodeHex(tip.lane))?.bySeq.get(tip.seq) ?? [];
  return held.find((cert) => isOfEpoch(cert, epoch) && equalBytes(cert.digest, tip.digest)) ?? null;
}

/** Whether a cut of an epoch may take a certificate: of this epoch, or of the one before. */
const isOfEpoch = (cert: AvailabilityCert, epoch: number): boolean =>
  cert.epoch === epoch || cert.epoch === epoch - 1;

/** What own Tips name: the newest of each lane that a cut of this epoch may take in. */
export function listNewest({ lanes }: AvailabilityState, epoch: number): AvailabilityCert[] {
  const certs: AvailabilityCert[] = [];
  for (const { bySeq, newest } of lanes.values()) {
    const cert = bySeq.get(newest)?.find((each) => isOfEpoch(each, epoch));
    if (cert !== undefined) certs.push(cert);
  }
  return certs;
}
