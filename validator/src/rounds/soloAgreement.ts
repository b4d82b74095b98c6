/**
 * Agreement of a set of one. It makes the same signed tips, value and final certificate as a larger set would, by the
 * same rules, and keeps the same votes; only nobody else is asked.
 */
import assert from "node:assert/strict";
import { CodedError } from "../../../node/src/host/codedError.ts";
import type { Clock } from "../../../node/src/host/types.ts";
import {
  assembleSignatures,
  fixedSets,
  type ValidatorSet,
  type VerifySignature,
} from "../../../protocol/src/agreement/certificates.ts";
import { computeCut } from "../../../protocol/src/agreement/cut.ts";
import {
  type AvailabilityCert,
  computeValueDigest,
  encodeFinalCert,
  encodeTips,
  encodeValue,
  encodeVoteBody,
  type FinalCert,
  type SignedTips,
  type Tips,
  type Value,
} from "../../../protocol/src/agreement/rounds.ts";
import { checkValue } from "../../../protocol/src/agreement/valueRules.ts";
import type { SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { epochOfRound, type Parameters } from "../../../protocol/src/network/parameters.ts";
import type { Signer } from "../signer.ts";
import type { Agreement, Executed, Finalized } from "./agreement.ts";
import type { Vote, Votes } from "./votes.ts";

/** Views count from 1, and nobody can fail to lead the first. */
const FIRST_VIEW = 1;

export type SoloAgreementOptions = {
  readonly parameters: Parameters;
  readonly domains: SigningDomains;
  readonly set: ValidatorSet;
  /** Round 0 begins then at the earliest. */
  readonly genesisTimeMs: number;
  /** The newest decided round; null before round 0. */
  readonly last: Finalized | null;
};
export type SoloAgreementModules = {
  readonly clock: Clock;
  readonly votes: Pick<Votes, "recordVotes">;
  readonly signer: Signer;
  readonly verify: VerifySignature;
  /** The own lane's newest certificate. */
  readonly laneTip: (epoch: number) => AvailabilityCert | null;
  readonly executed: () => Executed | null;
  readonly onFinalized: (finalized: Finalized) => void;
  /** A vote contradicts one that was cast, or the disk failed: the validator must stop. */
  readonly onFailure: (error: Error) => void;
};

/** Creates the agreement of a set of one; anything else is a bug in whoever composes it. */
export function createSoloAgreement(options: SoloAgreementOptions, modules: SoloAgreementModules): Agreement {
  assert(options.set.keys.length === 1 && options.set.positionOf(modules.signer.publicKey) === 0);
  return new SoloAgreement(options, modules);
}

class SoloAgreement implements Agreement {
  #options: SoloAgreementOptions;
  #modules: SoloAgreementModules;
  #last: Finalized | null;
  #lastTipsAtMs: number;
  #cancel: (() => void) | null = null;
  #isRunning = false;

  constructor(options: SoloAgreementOptions, modules: SoloAgreementModules) {
    this.#options = options;
    this.#modules = modules;
    this.#last = options.last;
    // A clock that was set back since must not make the next round wait for the old time to come again.
    const lastTimeMs = options.last?.value.tips[0]?.tips.timeMs ?? 0;
    this.#lastTipsAtMs = Math.min(lastTimeMs, modules.clock.nowMs());
  }

  start = (): void => {
    this.#isRunning = true;
    this.#schedule();
  };

  stop = (): void => {
    this.#isRunning = false;
    this.#cancel?.();
  };

  newestRound = (): number => this.#last?.round ?? -1;

  /** A round comes ROUND_MS after the own tips before (B0). Time that was missed is not made up for by a burst. */
  #schedule(): void {
    if (!this.#isRunning) return;
    const earliestMs = Math.max(
      this.#options.genesisTimeMs,
      this.#lastTipsAtMs + this.#options.parameters.roundMs,
    );
    const delayMs = Math.max(0, earliestMs - this.#modules.clock.nowMs());
    this.#cancel = this.#modules.clock.after(delayMs, () => this.#runRound());
  }

  #runRound(): void {
    // A clock that was set back, or a timer that came early, must not begin round 0 before its time.
    const nowMs = this.#modules.clock.nowMs();
    const round = this.newestRound() + 1;
    const executed = this.#modules.executed();
    const lagRounds = round - 1 - (executed?.round ?? -1);
    this.#lastTipsAtMs = nowMs;
    if (nowMs >= this.#options.genesisTimeMs && lagRounds <= this.#options.parameters.execLagRounds) {
      try {
        this.#decide(round, nowMs, executed);
      } catch (error) {
        this.stop();
        this.#modules.onFailure(error instanceof Error ? error : new Error(String(error)));
        return;
      }
    }
    this.#schedule();
  }

  #decide(round: number, nowMs: number, executed: Executed | null): void {
    const signedTips = this.#signTips(round, nowMs, executed);
    const value = this.#buildValue(round, signedTips);
    const valueBytes = encodeValue(value);
    const x = computeValueDigest(valueBytes);
    const cert = this.#finalize(round, x);
    const certBytes = encodeFinalCert(cert);
    const votes: Vote[] = [
      { round, view: 0, kind: "tips", digest: sha256(encodeTips(signedTips.tips)) },
      { round, view: 0, kind: "value", digest: x },
      { round, view: FIRST_VIEW, kind: "propose", digest: x },
      { round, view: FIRST_VIEW, kind: "notarize", digest: x },
      { round, view: FIRST_VIEW, kind: "finalize", digest: x },
    ];
    // Value and votes in one commit, before any of them is used: a decided value must survive its leader.
    const verdict = this.#modules.votes.recordVotes(votes, { round, value: valueBytes, cert: certBytes });
    if (verdict !== "recorded") throw new CodedError("votes_conflict", `round ${round} was voted on before`);
    this.#last = { round, value, valueBytes, cert, certBytes };
    this.#modules.onFinalized(this.#last);
  }

  #signTips(round: number, nowMs: number, executed: Executed | null): SignedTips {
    const { signer } = this.#modules;
    const tip = this.#modules.laneTip(epochOfRound(this.#options.parameters, round));
    const tips: Tips = {
      round,
      validator: signer.publicKey,
      timeMs: nowMs,
      tips: tip === null ? [] : [{ lane: tip.lane, seq: tip.seq, digest: tip.digest }],
      executedRound: executed?.round ?? 0,
      executedDigest: executed?.digest ?? new Uint8Array(32),
    };
    return { tips, signature: signer.sign("tips", encodeTips(tips)) };
  }

  #buildValue(round: number, signedTips: SignedTips): Value {
    const { parameters, domains, set } = this.#options;
    const sets = fixedSets(set);
    const last = this.#last;
    const own = this.#modules.laneTip(epochOfRound(parameters, round));
    const cut = computeCut([signedTips], last?.value.cut ?? [], () => own);
    assert(cut !== null);
    const value: Value = {
      round,
      tips: [signedTips],
      cut: [...cut],
      previousFinal: last === null ? [] : [last.cert],
      evidence: [],
    };
    const previous = last === null ? null : { cut: last.value.cut, value: last.cert.value };
    const fault = checkValue(value, {
      round,
      parameters,
      sets,
      domains,
      verify: this.#modules.verify,
      previous,
    });
    assert(fault === null, `the own value breaks the rule ${fault}`);
    return value;
  }

  #finalize(round: number, x: Uint8Array): FinalCert {
    const body = { round, view: FIRST_VIEW, value: x };
    const signature = this.#modules.signer.sign("finalize", encodeVoteBody(body));
    return { ...body, ...assembleSignatures(new Map([[0, signature]]), this.#options.set) };
  }
}
