/**
 * Evidence on its way into a round: what this validator saw others sign twice, or was told of, durable until a decided
 * value holds a piece against the same offender. Everyone is told of it, again after every round that passes it over, so
 * that one honest leader is enough; whoever leads puts what it has into its value, and nobody waits for it.
 */
import { CodedError } from "../../../node/src/host/codedError.ts";
import type { Log } from "../../../node/src/host/types.ts";
import type { VerifySignature } from "../../../protocol/src/agreement/certificates.ts";
import { checkEvidence, evidenceKindOf, isEvidenceOld } from "../../../protocol/src/agreement/evidence.ts";
import {
  decodeEvidence,
  type Evidence,
  encodeEvidence,
  MAX_VALUE_EVIDENCE,
  type Value,
} from "../../../protocol/src/agreement/rounds.ts";
import { compareBytes, equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { epochOfRound, MAX_VALIDATORS, type Parameters } from "../../../protocol/src/network/parameters.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { Votes } from "./votes.ts";

/** One piece an offender convicts it for ever; the sets of four epochs, whose members are listened to, have fewer. */
const MAX_PIECES = 3 * MAX_VALIDATORS;

export type EvidencePoolOptions = {
  readonly parameters: Parameters;
  readonly domains: SigningDomains;
  readonly self: Uint8Array;
};
export type EvidencePoolModules = {
  readonly votes: Pick<Votes, "recordEvidence" | "forgetEvidence" | "evidence">;
  readonly verify: VerifySignature;
  readonly log: Log;
  /** Whether the offender was punished already: nothing more can come of a second piece. */
  readonly isTombstoned: (validator: Uint8Array) => boolean;
  /** Who has a seat in the running epoch, the one before or the next. */
  readonly isMember: (key: Uint8Array) => boolean;
  /** The round after the newest decided one. */
  readonly nextRound: () => number;
  readonly mesh: Pick<Mesh, "broadcast">;
  readonly onEvidence: (evidence: Evidence) => void;
  readonly onFailure: (error: Error) => void;
};

export class EvidencePool {
  readonly #options: EvidencePoolOptions;
  readonly #modules: EvidencePoolModules;
  /** By offender. */
  readonly #pieces = new Map<string, Evidence>();
  /** Members that a decided value has a piece against: execution is about to punish them, and may lag behind. */
  readonly #settled = new Set<string>();

  constructor(options: EvidencePoolOptions, modules: EvidencePoolModules) {
    this.#options = options;
    this.#modules = modules;
    for (const bytes of modules.votes.evidence()) {
      const evidence = decodeEvidence(bytes);
      if (evidence === null)
        throw new CodedError("file_corrupt", "a piece of evidence in the votes is damaged");
      // What an earlier program took for a proof would spoil every value that this one proposes.
      if (this.#proves(evidence)) this.#pieces.set(encodeHex(evidence.offender), evidence);
      else modules.votes.forgetEvidence(evidence.offender);
    }
  }

  /**
   * Takes what convicts a validator, the first piece against each that is not too old to be used.
   * @returns false for a piece that proves nothing: a bug of its finder here, a lie of another validator.
   */
  add = (evidence: Evidence): boolean => {
    const { self } = this.#options;
    const { votes, mesh, log, onEvidence, onFailure } = this.#modules;
    const offender = encodeHex(evidence.offender);
    if (!this.#isWanted(evidence) || this.#pieces.size >= MAX_PIECES) return true;
    if (!this.#proves(evidence)) return false;
    const kind = evidenceKindOf(evidence);
    if (equalBytes(evidence.offender, self)) {
      onFailure(new CodedError("key_in_use", `another process signs with this validator's key: ${kind}`));
      return true;
    }
    votes.recordEvidence(evidence.offender, encodeEvidence(evidence));
    this.#pieces.set(offender, evidence);
    log.warn("A validator signed what no honest one signs", { validator: offender, kind });
    mesh.broadcast({ type: "evidence", evidence });
    onEvidence(evidence);
    return true;
  };

  /**
   * Takes what another validator says convicts one. Only against those who have a seat, or anybody could fill the pool
   * with the contradictions of keys made up for it; verified like an own find, and passed on once.
   * @returns false for a piece that proves nothing.
   */
  hear(evidence: Evidence): boolean {
    return !this.#modules.isMember(evidence.offender) || this.add(evidence);
  }

  #proves(evidence: Evidence): boolean {
    const { domains } = this.#options;
    return checkEvidence(evidence, { domains, verify: this.#modules.verify }) === null;
  }

  /** Whether something may come of a piece, and of none that is here already. */
  #isWanted(evidence: Evidence): boolean {
    const { parameters } = this.#options;
    const { isTombstoned, nextRound } = this.#modules;
    const name = encodeHex(evidence.offender);
    if (this.#pieces.has(name) || this.#settled.has(name) || isTombstoned(evidence.offender)) return false;
    return !isEvidenceOld(evidence, parameters, epochOfRound(parameters, nextRound()));
  }

  /** What a value of this round may hold, by offender, as its rules ask. */
  listFor(round: number): Evidence[] {
    const { parameters } = this.#options;
    const epoch = epochOfRound(parameters, round);
    return [...this.#pieces.values()]
      .filter((evidence) => !isEvidenceOld(evidence, parameters, epoch))
      .filter(({ offender }) => !this.#modules.isTombstoned(offender))
      .sort((a, b) => compareBytes(a.offender, b.offender))
      .slice(0, MAX_VALUE_EVIDENCE);
  }

  /**
   * What a decided value holds will be executed, and is said no more; what it passes over is said again. What can be
   * used no more is forgotten, or it would keep out whatever its offender signs later.
   */
  onDecided({ round, evidence }: Value): void {
    const { parameters } = this.#options;
    const { isTombstoned, isMember, mesh } = this.#modules;
    for (const { offender } of evidence) {
      // A value may hold contradictions of keys made up for it: they must not take the members' places.
      if (this.#settled.size < MAX_PIECES && isMember(offender)) this.#settled.add(encodeHex(offender));
      this.#forget(offender);
    }
    const epoch = epochOfRound(parameters, round + 1);
    for (const piece of this.#pieces.values())
      if (isTombstoned(piece.offender) || isEvidenceOld(piece, parameters, epoch))
        this.#forget(piece.offender);
    for (const piece of this.listFor(round + 1)) mesh.broadcast({ type: "evidence", evidence: piece });
  }

  #forget(offender: Uint8Array): void {
    this.#pieces.delete(encodeHex(offender));
    this.#modules.votes.forgetEvidence(offender);
  }
}
