/**
 * Attestation of epochs: the shell of `attestation.ts` in the protocol. What was attested is durable before it leaves,
 * certificates are kept for ever, and an epoch that has none yet is attested again and again.
 */

import { CodedError } from "../../../node/src/host/codedError.ts";
import type { Clock, Log } from "../../../node/src/host/types.ts";
import {
  decodeRewardCert,
  encodeAttest,
  encodeRewardCert,
  type RewardCert,
  type SignedAttest,
} from "../../../protocol/src/agreement/attest.ts";
import {
  type AttestationEffect,
  type AttestationEvent,
  type AttestationState,
  type ClosedEpoch,
  createAttestation,
  GATHERED_EPOCHS,
  stepAttestation,
} from "../../../protocol/src/agreement/attestation/index.ts";
import type { ValidatorSets, VerifySignature } from "../../../protocol/src/agreement/certificates.ts";
import type { DropReason } from "../../../protocol/src/agreement/drops.ts";
import { decodePeerMessage, encodePeerMessage } from "../../../protocol/src/agreement/peerMessages.ts";
import type { Evidence } from "../../../protocol/src/agreement/rounds.ts";
import type { SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { MAX_VALIDATORS } from "../../../protocol/src/network/parameters.ts";
import type { Mesh, PeerName } from "../mesh/mesh.ts";
import type { Signer } from "../signer.ts";
import { toError } from "../toError.ts";
import type { Votes } from "./votes.ts";

export type AttestorOptions = {
  readonly sets: ValidatorSets;
  readonly domains: SigningDomains;
  readonly parametersHash: Uint8Array;
  readonly repeatMs: number;
};
export type AttestorModules = {
  readonly mesh: Pick<Mesh, "broadcast" | "send" | "fetch" | "connected">;
  readonly signer: Signer;
  readonly verify: VerifySignature;
  readonly votes: Pick<Votes, "recordAttest" | "recordRewardCert" | "rewardCert" | "openAttests">;
  readonly clock: Clock;
  readonly log: Log;
  readonly onRewardCert: (cert: RewardCert) => void;
  /** Two validators attested differently of one epoch; told once an epoch. */
  readonly onSplit: (epoch: number) => void;
  /** A validator attested two things of one epoch. */
  readonly onConflict: (evidence: Evidence) => void;
  readonly onDropped: (message: "attest" | "rewardCert", reason: DropReason) => void;
  readonly onFailure: (error: Error) => void;
};

export class Attestor {
  readonly #options: AttestorOptions;
  readonly #modules: AttestorModules;
  #state: AttestationState;
  /** Epochs known to have a certificate, so that most questions need no disk. */
  readonly #certified = new Set<number>();
  /** Whose turn it is to be asked for a certificate. */
  #turn = 0;
  #cancel: (() => void) | null = null;

  constructor(options: AttestorOptions, modules: AttestorModules) {
    this.#options = options;
    this.#modules = modules;
    const { signer, verify } = modules;
    this.#state = createAttestation({ ...options, self: signer.publicKey, verify, sign: signer.sign }, -1);
  }

  /** Takes up the attestations that had no certificate when the validator ended. @param newestEpoch -1 for none. */
  start(newestEpoch: number): void {
    this.#state = createAttestation(this.#state.config, newestEpoch);
    for (const bytes of this.#modules.votes.openAttests(0)) {
      const message = decodePeerMessage(bytes, MAX_VALIDATORS);
      if (message?.type === "attest") this.#post({ type: "recall", signed: message.signed });
    }
    this.#cancel ??= this.#modules.clock.every(this.#options.repeatMs, () => this.#post({ type: "repeat" }));
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
  }

  hasRewardCert(epoch: number): boolean {
    if (this.#certified.has(epoch)) return true;
    const isKept = this.#modules.votes.rewardCert(epoch) !== null;
    if (isKept) this.#certified.add(epoch);
    return isKept;
  }

  rewardCert(epoch: number): RewardCert | null {
    const bytes = this.#modules.votes.rewardCert(epoch);
    return bytes && decodeRewardCert(bytes);
  }

  /** Execution closed an epoch: signs what it gave. The same epoch may be told of again. */
  onEpochClosed({ epoch, rewardRoot, stateRoot }: ClosedEpoch): void {
    const closed = { epoch, rewardRoot, stateRoot };
    this.#post({ type: "closed", closed, kept: this.#keptOf(epoch) });
  }

  onAttest(from: PeerName, signed: SignedAttest): void {
    this.#post({ type: "attest", from, signed, kept: this.#keptOf(signed.attest.epoch) });
  }

  onRewardCert(cert: RewardCert): void {
    this.#post({ type: "rewardCert", cert, kept: this.#keptOf(cert.attest.epoch) });
  }

  #keptOf(epoch: number): RewardCert | null {
    return this.hasRewardCert(epoch) ? this.rewardCert(epoch) : null;
  }

  /** What was attested otherwise before is never said: nothing behind it is carried out. */
  #post(event: AttestationEvent): void {
    const { state, effects } = stepAttestation(this.#state, event);
    this.#state = state;
    for (const effect of effects) if (!this.#carryOut(event, effect)) return;
  }

  #carryOut(event: AttestationEvent, effect: AttestationEffect): boolean {
    const { mesh, log, onSplit, onConflict, onDropped, onFailure } = this.#modules;
    switch (effect.type) {
      case "persist":
        return this.#persist(effect.signed);
      case "broadcast":
        mesh.broadcast({ type: "attest", signed: effect.signed });
        break;
      case "broadcastCert":
        mesh.broadcast({ type: "rewardCert", cert: effect.cert });
        break;
      case "sendCert":
        mesh.send(effect.to, { type: "rewardCert", cert: effect.cert });
        break;
      case "askCert":
        if (!this.hasRewardCert(effect.epoch))
          this.#ask(effect.epoch).catch((error: unknown) => onFailure(toError(error)));
        break;
      case "keep":
        this.#keep(effect.cert);
        break;
      case "split":
        log.error("Validators attested differently of one epoch", { epoch: effect.epoch });
        onSplit(effect.epoch);
        break;
      case "evidence":
        onConflict(effect.evidence);
        break;
      case "drop":
        onDropped(event.type === "rewardCert" ? "rewardCert" : "attest", effect.reason);
    }
    return true;
  }

  /** Asks one of those that are connected, each time another. */
  async #ask(epoch: number): Promise<void> {
    const { mesh } = this.#modules;
    const peers = mesh.connected();
    const peer = peers[this.#turn++ % Math.max(1, peers.length)];
    const bytes = peer === undefined ? null : await mesh.fetch(peer, { type: "rewardCert", epoch });
    const cert = bytes && decodeRewardCert(bytes);
    if (cert !== null && cert.attest.epoch === epoch && this.#cancel !== null) this.onRewardCert(cert);
  }

  #persist(signed: SignedAttest): boolean {
    const { votes, onFailure } = this.#modules;
    const { attest } = signed;
    const bytes = encodePeerMessage({ type: "attest", signed }, MAX_VALIDATORS);
    if (votes.recordAttest(attest.epoch, sha256(encodeAttest(attest)), bytes) !== "conflict") return true;
    onFailure(new CodedError("votes_conflict", `epoch ${attest.epoch} was attested otherwise before`));
    return false;
  }

  #keep(cert: RewardCert): void {
    const { epoch } = cert.attest;
    this.#modules.votes.recordRewardCert(epoch, encodeRewardCert(cert));
    this.#certified.add(epoch);
    for (const old of this.#certified) if (old < epoch - GATHERED_EPOCHS) this.#certified.delete(old);
    this.#modules.onRewardCert(cert);
  }
}
