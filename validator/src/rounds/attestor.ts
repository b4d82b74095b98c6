/**
 * Attestation of epochs: what execution computed is signed once, durable before it leaves, and a quorum of equal
 * attestations is kept as the epoch's reward certificate. An epoch that has none yet is attested again and again.
 */

import { CodedError } from "../../../node/src/host/codedError.ts";
import type { Clock, Log } from "../../../node/src/host/types.ts";
import {
  type Attest,
  checkRewardCert,
  computeValidatorsHash,
  decodeRewardCert,
  encodeAttest,
  encodeRewardCert,
  type RewardCert,
  RULES_VERSION,
  type SignedAttest,
  verifyAttest,
} from "../../../protocol/src/agreement/attest.ts";
import {
  assembleSignatures,
  type ValidatorSet,
  type VerifySignature,
} from "../../../protocol/src/agreement/certificates.ts";
import { decodePeerMessage, encodePeerMessage } from "../../../protocol/src/agreement/peerMessages.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import type { EpochClose } from "../../../protocol/src/ledger/types.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { Signer } from "../signer.ts";
import type { Votes } from "./votes.ts";

/** Epochs, around the newest, of which attestations are gathered: a validator that catches up is asked about the rest. */
const GATHERED_EPOCHS = 8;

export type AttestorOptions = {
  readonly set: ValidatorSet;
  readonly domains: SigningDomains;
  readonly parametersHash: Uint8Array;
  readonly repeatMs: number;
};
export type AttestorModules = {
  readonly mesh: Pick<Mesh, "broadcast" | "send">;
  readonly signer: Signer;
  readonly verify: VerifySignature;
  readonly votes: Pick<Votes, "recordAttest" | "recordRewardCert" | "rewardCert" | "openAttests">;
  readonly clock: Clock;
  readonly log: Log;
  readonly onRewardCert: (cert: RewardCert) => void;
  /** Two validators attested differently of one epoch; told once an epoch. */
  readonly onSplit: (epoch: number) => void;
  readonly onFailure: (error: Error) => void;
};

/** Attestations of one epoch by what they say, with the positions of those who said so. */
type Gathered = { readonly byBody: Map<string, Map<number, SignedAttest>>; isSplit: boolean };

export class Attestor {
  readonly #options: AttestorOptions;
  readonly #modules: AttestorModules;
  readonly #self: number;
  readonly #gathered = new Map<number, Gathered>();
  readonly #certified = new Set<number>();
  #newestEpoch = -1;
  #cancel: (() => void) | null = null;

  constructor(options: AttestorOptions, modules: AttestorModules) {
    this.#options = options;
    this.#modules = modules;
    this.#self = options.set.positionOf(modules.signer.publicKey)!;
  }

  /** Takes up the attestations that had no certificate when the validator ended. @param newestEpoch -1 for none. */
  start(newestEpoch: number): void {
    this.#newestEpoch = newestEpoch;
    for (const bytes of this.#modules.votes.openAttests(0)) {
      const message = decodePeerMessage(bytes, this.#options.set.keys.length);
      if (message?.type === "attest") this.#gather(message.signed);
    }
    this.#cancel ??= this.#modules.clock.every(this.#options.repeatMs, () => this.#repeat());
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

  /** Execution closed an epoch: signs what it gave. */
  onEpochClosed({ epoch, rewardRoot, stateRoot }: EpochClose): void {
    const { set, parametersHash } = this.#options;
    const { signer, votes, mesh, onFailure } = this.#modules;
    this.#newestEpoch = Math.max(this.#newestEpoch, epoch);
    const attest: Attest = {
      epoch,
      rewardRoot,
      stateRoot,
      nextValidatorsHash: computeValidatorsHash(set),
      parametersHash,
      rulesVersion: RULES_VERSION,
    };
    const body = encodeAttest(attest);
    const signed = { attest, validator: this.#self, signature: signer.sign("attest", body) };
    const message = { type: "attest", signed } as const;
    if (votes.recordAttest(epoch, sha256(body), encodePeerMessage(message, set.keys.length)) === "conflict") {
      onFailure(new CodedError("votes_conflict", `epoch ${epoch} was attested otherwise before`));
      return;
    }
    if (this.hasRewardCert(epoch)) return;
    mesh.broadcast(message);
    this.#gather(signed);
  }

  onAttest(from: number, signed: SignedAttest): void {
    const { set, domains } = this.#options;
    const { epoch } = signed.attest;
    const cert = this.hasRewardCert(epoch) ? this.rewardCert(epoch) : null;
    if (cert !== null) {
      // Whoever still attests has not got the certificate; its author gets it, and a different word is still noticed.
      this.#modules.mesh.send(from, { type: "rewardCert", cert });
      return;
    }
    if (Math.abs(epoch - this.#newestEpoch) > GATHERED_EPOCHS) return;
    if (verifyAttest(signed, set, domains, this.#modules.verify)) this.#gather(signed);
  }

  onRewardCert(cert: RewardCert): void {
    const { set, domains } = this.#options;
    if (this.hasRewardCert(cert.attest.epoch)) return;
    if (checkRewardCert(cert, set, domains, this.#modules.verify) === null) this.#keep(cert);
  }

  #gather(signed: SignedAttest): void {
    const { attest, validator } = signed;
    const gathered = this.#gathered.get(attest.epoch) ?? { byBody: new Map(), isSplit: false };
    this.#gathered.set(attest.epoch, gathered);
    const body = encodeHex(encodeAttest(attest));
    const equal = gathered.byBody.get(body) ?? new Map<number, SignedAttest>();
    if ([...gathered.byBody.values()].some((others) => others !== equal && others.has(validator))) return;
    gathered.byBody.set(body, equal.set(validator, signed));
    if (gathered.byBody.size > 1 && !gathered.isSplit) {
      gathered.isSplit = true;
      this.#modules.log.error("Validators attested differently of one epoch", { epoch: attest.epoch });
      this.#modules.onSplit(attest.epoch);
    }
    if (equal.size < this.#options.set.quorum) return;
    const signatures = new Map([...equal].map(([position, { signature }]) => [position, signature]));
    const cert = { attest, ...assembleSignatures(signatures, this.#options.set) };
    this.#modules.mesh.broadcast({ type: "rewardCert", cert });
    this.#keep(cert);
  }

  #keep(cert: RewardCert): void {
    const { epoch } = cert.attest;
    this.#modules.votes.recordRewardCert(epoch, encodeRewardCert(cert));
    this.#certified.add(epoch);
    for (const old of this.#certified) if (old < epoch - GATHERED_EPOCHS) this.#certified.delete(old);
    this.#gathered.delete(epoch);
    this.#modules.onRewardCert(cert);
  }

  #repeat(): void {
    for (const { byBody } of this.#gathered.values()) {
      for (const equal of byBody.values()) {
        const own = equal.get(this.#self);
        if (own !== undefined) this.#modules.mesh.broadcast({ type: "attest", signed: own });
      }
    }
  }
}
