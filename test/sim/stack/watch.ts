/**
 * What must hold of the whole stack after every event, seen from outside: by what honest validators say, decide, store
 * and execute. Rules of its own, and nothing shared with what it watches but the forms of messages.
 */
import { hash } from "node:crypto";
import type { Attest } from "../../../protocol/src/agreement/attest.ts";
import { encodeAttest } from "../../../protocol/src/agreement/attest.ts";
import type { PeerMessage } from "../../../protocol/src/agreement/peerMessages.ts";
import {
  type AvailabilityCert,
  decodeValue,
  encodeTips,
  MAX_VALUE_EVIDENCE,
  peekBatchPlace,
} from "../../../protocol/src/agreement/rounds.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";

export const STACK_VIOLATIONS = [
  "disagreement",
  "two_certificates",
  "not_durable",
  "false_acknowledgement",
  "false_certificate",
  "two_reward_certificates",
  "state_differs",
  "sets_differ",
  "honest_double_sign",
  "honest_accused",
  "evidence_withheld",
  "unbounded",
  "not_live",
  "lost_message",
  "failed",
  "threw",
] as const;
export type StackViolation = (typeof STACK_VIOLATIONS)[number];

export type WatchOptions = {
  readonly isHonest: (validator: number) => boolean;
  /** Whether a certificate is signed by a quorum; true of everything else. */
  readonly isProven: (message: PeerMessage) => boolean;
  /** The same for two epochs with the same seats. */
  readonly nameSet: (epoch: number) => string;
  /** How many honest validators hold the batch durably, and how many must: a quorum of its set without the bad ones. */
  readonly countHolders: (cert: AvailabilityCert) => { readonly held: number; readonly needed: number };
};

export class StackWatch {
  readonly #options: WatchOptions;
  /** By what must be one: the first that was seen. */
  readonly #facts = new Map<string, string>();
  /**
   * Who must hold evidence against whom, and the first round whose values must have it: one is begun after the round
   * before is decided, and used in all views of its round.
   */
  readonly #told = new Map<string, number>();
  /** The newest round that each validator has decided. */
  readonly #decided = new Map<number, number>();
  readonly #convicted = new Set<string>();
  readonly #saidEvidence = new Set<string>();
  /** Who lost a home: what it acknowledged in the epochs before, it does not know. */
  readonly #lost = new Set<number>();
  violation: StackViolation | null = null;
  detail = "";

  constructor(options: WatchOptions) {
    this.#options = options;
  }

  report(violation: StackViolation, detail: string): void {
    if (this.violation !== null) return;
    this.violation = violation;
    this.detail = detail;
  }

  /** A message leaves a validator; honest ones never contradict themselves, also across crashes. */
  onSaid(from: number, message: PeerMessage): void {
    if (!this.#options.isHonest(from)) return;
    if (!this.#options.isProven(message))
      this.report("false_certificate", `validator ${from}: a ${message.type} that nobody signed`);
    if (message.type === "availability") this.onCertified(message.cert);
    const statement = statementOf(message);
    const isNew =
      statement !== null &&
      this.#once("honest_double_sign", `validator ${from}: ${statement.name}`, statement.value);
    if (message.type === "proposal" && message.value !== null && isNew)
      this.#onFreshValue(from, message.value);
    if (message.type === "evidence") this.#saidEvidence.add(nameOf(from, message.evidence.offender));
    if (message.type === "vote") this.#onVote(from, message);
    if (message.type === "ack" && !this.#lost.has(from)) {
      const { lane, seq, digest } = message.ack.ack;
      const name = `validator ${from}: ack of ${nameOfBatch(lane, seq)} in any epoch`;
      this.#once("honest_double_sign", name, encodeHex(digest));
    }
  }

  /**
   * A certificate of availability that is valid: the only one of its number and epoch, and durable with f + 1 honest; and
   * where nobody has lost a home, the only one of its set. (Two sets may certify two digests of a Byzantine author; see
   * docs/decisions/validator-set.md.)
   */
  onCertified(cert: AvailabilityCert): void {
    const { lane, seq, digest, epoch } = cert;
    const batch = nameOfBatch(lane, seq);
    const name = `${batch} in epoch ${epoch}`;
    const isNew = this.#once("two_certificates", name, encodeHex(digest));
    if (!isNew) return;
    const set = this.#options.nameSet(epoch);
    if (this.#lost.size === 0) this.#once("two_certificates", `${batch} of set ${set}`, encodeHex(digest));
    const { held, needed } = this.#options.countHolders(cert);
    if (held < needed)
      this.report("not_durable", `${name} is certified and durable with ${held} honest validators`);
  }

  /** @param value its encoding. */
  onDecided(validator: number, round: number, value: Uint8Array): void {
    this.#decided.set(validator, round);
    this.#once("disagreement", `round ${round}`, hash("sha256", value, "hex"), `validator ${validator}`);
  }

  onExecuted(validator: number, round: number, digest: Uint8Array): void {
    this.#once("state_differs", `state after round ${round}`, encodeHex(digest), `validator ${validator}`);
  }

  onSet(validator: number, epoch: number, keys: readonly Uint8Array[]): void {
    this.#once("sets_differ", `set of epoch ${epoch}`, keys.map(encodeHex).join(), `validator ${validator}`);
  }

  onRewardCert(validator: number, attest: Attest): void {
    const said = hash("sha256", encodeAttest(attest), "hex");
    this.#once("two_reward_certificates", `epoch ${attest.epoch}`, said, `validator ${validator}`);
  }

  /** An honest validator convicts somebody: never an honest one. */
  onEvidence(accuser: number, offender: number, kind: string): void {
    if (this.#options.isHonest(accuser) && this.#options.isHonest(offender))
      this.report("honest_accused", `validator ${accuser} accuses validator ${offender} of ${kind}`);
  }

  /** An honest validator found evidence, or was told what it did not know: it has passed it on by now. */
  onHeld(validator: number, offender: Uint8Array): void {
    const name = nameOf(validator, offender);
    this.onTold(validator, offender);
    if (!this.#saidEvidence.has(name))
      this.report("evidence_withheld", `validator ${validator} keeps evidence to itself`);
  }

  /** An honest validator was told of evidence that proves something. */
  onTold(validator: number, offender: Uint8Array): void {
    const name = nameOf(validator, offender);
    if (!this.#convicted.has(name) && !this.#told.has(name))
      this.#told.set(name, (this.#decided.get(validator) ?? -1) + 2);
  }

  /** A validator lost what it was told, with its home. */
  onLost(validator: number): void {
    this.#lost.add(validator);
    for (const name of this.#told.keys()) if (name.startsWith(`${validator} `)) this.#told.delete(name);
  }

  /** A validator decided a value with evidence against the offender: nothing more need be said of it. */
  onConvicted(validator: number, offender: Uint8Array): void {
    const name = nameOf(validator, offender);
    this.#convicted.add(name);
    this.#told.delete(name);
  }

  /** A fresh value of an honest leader holds what the leader was told of. */
  #onFreshValue(from: number, bytes: Uint8Array): void {
    const { round, evidence } = decodeValue(bytes)!;
    const inIt = new Set(evidence.map(({ offender }) => nameOf(from, offender)));
    if (evidence.length >= MAX_VALUE_EVIDENCE) return;
    for (const [name, fromRound] of this.#told)
      if (name.startsWith(`${from} `) && round >= fromRound && !inIt.has(name))
        this.report("evidence_withheld", `validator ${from} proposes without the evidence that it has`);
  }

  /** NULLIFY with FINALIZE, and NOTARIZE x with FINALIZE y, of one view. */
  #onVote(from: number, { round, vote }: Extract<PeerMessage, { type: "vote" }>): void {
    const place = `validator ${from}: round ${round} view ${vote.view}`;
    if (vote.kind !== "notarize") this.#once("honest_double_sign", `${place} last word`, vote.kind);
    if (vote.kind !== "nullify") this.#once("honest_double_sign", `${place} value`, `${vote.value}`);
  }

  /** Whether it was the first of its name; another value under one name breaks the rule. */
  #once(violation: StackViolation, name: string, value: string, where = ""): boolean {
    const before = this.#facts.get(`${violation} ${name}`);
    if (before === undefined) {
      this.#facts.set(`${violation} ${name}`, value);
      return true;
    }
    if (before !== value)
      this.report(violation, `${name}: ${before.slice(0, 16)}, then ${value.slice(0, 16)} ${where}`);
    return false;
  }
}

const nameOf = (validator: number, offender: Uint8Array): string => `${validator} ${encodeHex(offender)}`;

const nameOfBatch = (lane: Uint8Array, seq: number): string =>
  `batch ${seq} of lane ${encodeHex(lane.subarray(0, 4))}`;

/** What a message makes its author say once only, by name. */
function statementOf(message: PeerMessage): { readonly name: string; readonly value: string } | null {
  switch (message.type) {
    case "tips": {
      const { tips } = message.signed;
      return { name: `tips of round ${tips.round}`, value: hash("sha256", encodeTips(tips), "hex") };
    }
    case "vote": {
      const { view, kind, value } = message.vote;
      return { name: `${kind} of round ${message.round} view ${view}`, value: `${value}` };
    }
    case "proposal": {
      const { view, parent, value } = message.proposal;
      return { name: `proposal of round ${message.round} view ${view}`, value: `${parent} ${value}` };
    }
    case "batch": {
      const { seq } = peekBatchPlace(message.signed.batch)!;
      return { name: `batch ${seq}`, value: hash("sha256", message.signed.batch, "hex") };
    }
    case "ack": {
      const { lane, seq, digest, epoch } = message.ack.ack;
      return { name: `ack of ${nameOfBatch(lane, seq)} in epoch ${epoch}`, value: encodeHex(digest) };
    }
    case "attest": {
      const { attest } = message.signed;
      return {
        name: `attestation of epoch ${attest.epoch}`,
        value: hash("sha256", encodeAttest(attest), "hex"),
      };
    }
    default:
      return null;
  }
}
