/**
 * Availability certificates that this validator holds: of every lane, those beyond the last decided cut. They are what
 * Tips name and what a leader puts into a cut (specification A4).
 */
import {
  checkAvailabilityCert,
  type ValidatorSet,
  type VerifySignature,
} from "../../../protocol/src/agreement/certificates.ts";
import type { Cut } from "../../../protocol/src/agreement/cut.ts";
import type { AvailabilityCert, LaneTip } from "../../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { MAX_UNCUT_BATCHES } from "./lane.ts";

/** A lane certifies at most this many beyond a cut, and a validator may be as many behind with its cuts. */
const MAX_SEQ_AHEAD = 2 * MAX_UNCUT_BATCHES;

export type AvailabilityOptions = {
  readonly set: ValidatorSet;
  readonly domains: SigningDomains;
  readonly verify: VerifySignature;
  /** The last decided cut. */
  readonly cut: Cut;
};

type LaneCerts = { cutSeq: number; readonly bySeq: Map<number, AvailabilityCert>; newest: number };

export class AvailabilityBook {
  readonly #options: AvailabilityOptions;
  readonly #lanes = new Map<string, LaneCerts>();

  constructor(options: AvailabilityOptions) {
    this.#options = options;
    for (const key of options.set.keys) {
      this.#lanes.set(encodeHex(key), { cutSeq: 0, bySeq: new Map(), newest: 0 });
    }
    this.onCut(options.cut);
  }

  /** Takes a certificate, the own ones too. @returns whether it is valid and new. */
  put(cert: AvailabilityCert): boolean {
    const lane = this.#lanes.get(encodeHex(cert.lane));
    if (lane === undefined || cert.seq <= lane.cutSeq || cert.seq > lane.cutSeq + MAX_SEQ_AHEAD) return false;
    const held = lane.bySeq.get(cert.seq);
    // No second digest can get a certificate; a later epoch's replaces one that may soon be too old for a cut.
    if (held !== undefined && held.epoch >= cert.epoch) return false;
    const { set, domains, verify } = this.#options;
    if (checkAvailabilityCert(cert, set, domains, verify) !== null) return false;
    lane.bySeq.set(cert.seq, cert);
    lane.newest = Math.max(lane.newest, cert.seq);
    return true;
  }

  /** The certificate of exactly this batch, or null. */
  certificateOf(tip: LaneTip): AvailabilityCert | null {
    const cert = this.#lanes.get(encodeHex(tip.lane))?.bySeq.get(tip.seq);
    return cert !== undefined && equalBytes(cert.digest, tip.digest) ? cert : null;
  }

  /** Whether a cut holds the batch already, so that no certificate is needed for it. */
  isCut(tip: LaneTip): boolean {
    return tip.seq <= (this.#lanes.get(encodeHex(tip.lane))?.cutSeq ?? 0);
  }

  /** The newest of each lane that a cut of this epoch may take in. */
  newest(epoch: number): AvailabilityCert[] {
    const certs: AvailabilityCert[] = [];
    for (const { bySeq, newest } of this.#lanes.values()) {
      const cert = bySeq.get(newest);
      if (cert !== undefined && cert.epoch >= epoch - 1 && cert.epoch <= epoch) certs.push(cert);
    }
    return certs;
  }

  /** A decided cut settles what it holds. */
  onCut(cut: Cut): void {
    for (const { lane: key, seq } of cut) {
      const lane = this.#lanes.get(encodeHex(key));
      if (lane === undefined || seq <= lane.cutSeq) continue;
      lane.cutSeq = seq;
      for (const held of lane.bySeq.keys()) if (held <= seq) lane.bySeq.delete(held);
    }
  }
}
