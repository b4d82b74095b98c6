/**
 * Gathers the others' acknowledgements of own batches until a quorum makes a certificate. What is lost on the way is
 * sent again, to those whose acknowledgement is missing; nobody in particular is waited for.
 */
import type { Clock } from "../../../node/src/host/types.ts";
import {
  assembleSignatures,
  type ValidatorSet,
  type VerifySignature,
} from "../../../protocol/src/agreement/certificates.ts";
import type { Ack } from "../../../protocol/src/agreement/peerMessages.ts";
import {
  type AvailabilityCert,
  encodeAckBody,
  encodeBatchBody,
} from "../../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { type SigningDomains, signingMessage } from "../../../protocol/src/crypto/domain.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { AuthoredBatch } from "../rounds/votes.ts";
import type { Signer } from "../signer.ts";

/** The oldest batches without a certificate, sent again at once: the others wait for these in any case. */
const RESENT_AT_ONCE = 4;

export type AckGathererOptions = {
  readonly set: ValidatorSet;
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
};

type Pending = AuthoredBatch & {
  readonly encoded: Uint8Array;
  readonly signature: Uint8Array;
  epoch: number;
  readonly acks: Map<number, Uint8Array>;
};

export class AckGatherer {
  readonly #options: AckGathererOptions;
  readonly #modules: AckGathererModules;
  /** By number: as many as the lane lets be in flight. */
  readonly #pending = new Map<number, Pending>();
  readonly #self: number;
  #cancel: (() => void) | null = null;

  constructor(options: AckGathererOptions, modules: AckGathererModules) {
    this.#options = options;
    this.#modules = modules;
    this.#self = options.set.positionOf(modules.signer.publicKey)!;
  }

  start(): void {
    this.#cancel ??= this.#modules.clock.every(this.#options.resendMs, () => this.#resend());
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  /** Asks for acknowledgements of a batch that is durable under its number. */
  request = ({ seq, digest }: AuthoredBatch, encoded: Uint8Array): void => {
    const { signer, epoch } = this.#modules;
    const signature = signer.sign("batch", encodeBatchBody({ lane: signer.publicKey, seq, digest }));
    const pending: Pending = { seq, digest, encoded, signature, epoch: epoch(), acks: new Map() };
    this.#pending.set(seq, pending);
    this.#acknowledge(pending);
    this.#modules.mesh.broadcast({
      type: "batch",
      signed: { epoch: pending.epoch, batch: encoded, signature },
    });
  };

  onAck = ({ ack, validator, signature }: Ack): void => {
    const { signer, verify } = this.#modules;
    const pending = this.#pending.get(ack.seq);
    if (pending === undefined || pending.epoch !== ack.epoch || pending.acks.has(validator)) return;
    if (!equalBytes(ack.lane, signer.publicKey) || !equalBytes(ack.digest, pending.digest)) return;
    const key = this.#options.set.keys[validator];
    const message = signingMessage(this.#options.domains, "ack", encodeAckBody(ack));
    if (key === undefined || !verify(key, message, signature)) return;
    pending.acks.set(validator, signature);
    this.#certifyIfQuorum(pending);
  };

  /** A cut holds the own lane up to here. */
  onCut(seq: number): void {
    for (const each of this.#pending.keys()) if (each <= seq) this.#pending.delete(each);
  }

  #acknowledge(pending: Pending): void {
    const { signer } = this.#modules;
    const { seq, digest, epoch } = pending;
    const body = encodeAckBody({ lane: signer.publicKey, seq, digest, epoch });
    pending.acks.set(this.#self, signer.sign("ack", body));
  }

  #certifyIfQuorum(pending: Pending): void {
    const { set } = this.#options;
    if (pending.acks.size < set.quorum) return;
    const { seq, digest, epoch, acks } = pending;
    // An acknowledgement covers the lane up to its batch, so a certificate settles the batches before it too.
    this.onCut(seq);
    const lane = this.#modules.signer.publicKey;
    const cert = { lane, seq, digest, epoch, ...assembleSignatures(acks, set) };
    this.#modules.mesh.broadcast({ type: "availability", cert });
    this.#modules.onCertificate(cert);
  }

  #resend(): void {
    const oldest = [...this.#pending.values()].sort((a, b) => a.seq - b.seq).slice(0, RESENT_AT_ONCE);
    const epoch = this.#modules.epoch();
    for (const pending of oldest) {
      if (pending.epoch !== epoch) {
        // All of a certificate's acknowledgements name one epoch, and a cut takes the current or the one before.
        pending.epoch = epoch;
        pending.acks.clear();
        this.#acknowledge(pending);
      }
      const { encoded: batch, signature, acks } = pending;
      for (const position of this.#options.set.keys.keys()) {
        if (acks.has(position)) continue;
        this.#modules.mesh.send(position, { type: "batch", signed: { epoch, batch, signature } });
      }
    }
  }
}
