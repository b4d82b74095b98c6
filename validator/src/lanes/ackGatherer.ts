/**
 * Gathers the others' acknowledgements of own batches until a quorum makes a certificate: the shell of `gather.ts` in
 * the protocol. Bodies that may have to be sent again, the timer and the streams are here.
 */
import type { Clock } from "../../../node/src/host/types.ts";
import type { ValidatorSets, VerifySignature } from "../../../protocol/src/agreement/certificates.ts";
import type { DropReason } from "../../../protocol/src/agreement/drops.ts";
import {
  createGather,
  type GatherEffect,
  type GatherEvent,
  type GatherState,
  stepGather,
} from "../../../protocol/src/agreement/lanes/index.ts";
import type { Ack } from "../../../protocol/src/agreement/peerMessages.ts";
import type { AvailabilityCert, Evidence } from "../../../protocol/src/agreement/rounds.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { AuthoredBatch } from "../rounds/votes.ts";
import type { Signer } from "../signer.ts";

export type AckGathererOptions = {
  readonly sets: ValidatorSets;
  readonly domains: SigningDomains;
  /** How long acknowledgements may take before a batch is sent again. */
  readonly resendMs: number;
};
export type AckGathererModules = {
  readonly mesh: Pick<Mesh, "broadcast" | "send">;
  readonly signer: Signer;
  readonly verify: VerifySignature;
  readonly clock: Clock;
  /** The epoch of the round that is decided next. */
  readonly epoch: () => number;
  readonly onCertificate: (cert: AvailabilityCert) => void;
  /** A validator acknowledged two batches of one number in one epoch. */
  readonly onConflict: (evidence: Evidence) => void;
  readonly onDropped: (message: "ack", reason: DropReason) => void;
};

export class AckGatherer {
  readonly #options: AckGathererOptions;
  readonly #modules: AckGathererModules;
  #state: GatherState;
  /** Bodies by number, as long as they may have to be sent again: as many as the lane lets be in flight. */
  readonly #bodies = new Map<number, Uint8Array>();
  #cancel: (() => void) | null = null;

  constructor(options: AckGathererOptions, modules: AckGathererModules) {
    this.#options = options;
    this.#modules = modules;
    const { signer, verify } = modules;
    this.#state = createGather({ ...options, self: signer.publicKey, verify, sign: signer.sign });
  }

  start(): void {
    this.#cancel ??= this.#modules.clock.every(this.#options.resendMs, () => {
      this.#post({ type: "resend", epoch: this.#modules.epoch() });
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** Asks for acknowledgements of a batch that is durable under its number. */
  request = ({ seq, digest }: AuthoredBatch, encoded: Uint8Array): void => {
    this.#bodies.set(seq, encoded);
    this.#post({ type: "offer", place: { seq, digest }, epoch: this.#modules.epoch() });
  };

  onAck = (ack: Ack): void => this.#post({ type: "ack", ack });

  /** A cut holds the own lane up to here. */
  onCut(seq: number): void {
    this.#post({ type: "cut", seq });
  }

  #post(event: GatherEvent): void {
    const { state, effects } = stepGather(this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: GatherEffect): void {
    const { mesh, onCertificate, onConflict, onDropped } = this.#modules;
    switch (effect.type) {
      case "sendBatch": {
        const { to, place, epoch, signature } = effect;
        const batch = this.#bodies.get(place.seq);
        if (batch === undefined) return;
        const message = { type: "batch", signed: { epoch, batch, signature } } as const;
        if (to === null) mesh.broadcast(message);
        else mesh.send(encodeHex(to), message);
        break;
      }
      case "certificate":
        mesh.broadcast({ type: "availability", cert: effect.cert });
        onCertificate(effect.cert);
        break;
      case "forget":
        for (const seq of this.#bodies.keys()) if (seq <= effect.seq) this.#bodies.delete(seq);
        break;
      case "evidence":
        onConflict(effect.evidence);
        break;
      case "drop":
        onDropped("ack", effect.reason);
    }
  }
}
