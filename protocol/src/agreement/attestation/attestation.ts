/**
 * Attestation of epochs (specification C): what execution computed is signed once, and a quorum of equal attestations
 * is the epoch's reward certificate. A pure state machine: the votes database, the timer and the streams are the
 * shell's.
 *
 * The shell carries effects out in order. A `persist` is durable, and no conflict, before anything behind it leaves.
 */
import { encodeHex } from "../../bytes/hex.ts";
import { type SignedKind, type SigningDomains, signingMessage } from "../../crypto/domain.ts";
import {
  type Attest,
  checkRewardCert,
  computeValidatorsHash,
  encodeAttest,
  type RewardCert,
  RULES_VERSION,
  type SignedAttest,
} from "../attest.ts";
import {
  assembleSignatures,
  type ValidatorSet,
  type ValidatorSets,
  type VerifySignature,
} from "../certificates.ts";
import { type DropEffect, type DropReason, drop } from "../drops.ts";
import { createEvidence } from "../evidence.ts";
import { decodeBitmap, type Evidence } from "../rounds.ts";

/** Epochs, around the newest, of which attestations are gathered: a validator that catches up is asked about the rest. */
export const GATHERED_EPOCHS = 8;

export type AttestationConfig = {
  /** This validator's key. */
  readonly self: Uint8Array;
  readonly sets: ValidatorSets;
  readonly domains: SigningDomains;
  readonly verify: VerifySignature;
  readonly sign: (kind: SignedKind, body: Uint8Array) => Uint8Array;
  readonly parametersHash: Uint8Array;
};

/** Attestations of one epoch: the first of each validator, by position, and whether they all say the same. */
export type Gathered = {
  readonly signed: ReadonlyMap<number, SignedAttest>;
  readonly isSplit: boolean;
};

export type AttestationState = {
  readonly config: AttestationConfig;
  /** The newest closed epoch, or -1. */
  readonly newestEpoch: number;
  /** By epoch, those without a certificate; at most `GATHERED_EPOCHS` to either side of the newest. */
  readonly gathered: ReadonlyMap<number, Gathered>;
  /** Keys of the convicted; one piece of evidence each is enough. */
  readonly convicted: ReadonlySet<string>;
};

/** What an epoch's execution gave. */
export type ClosedEpoch = {
  readonly epoch: number;
  readonly rewardRoot: Uint8Array;
  readonly stateRoot: Uint8Array;
};

/** `kept`: the epoch's certificate, where the shell keeps one. */
export type AttestationEvent =
  | { readonly type: "closed"; readonly closed: ClosedEpoch; readonly kept: RewardCert | null }
  /** An own attestation of before a crash that no certificate is kept for. */
  | { readonly type: "recall"; readonly signed: SignedAttest }
  | {
      readonly type: "attest";
      readonly from: string;
      readonly signed: SignedAttest;
      readonly kept: RewardCert | null;
    }
  | { readonly type: "rewardCert"; readonly cert: RewardCert; readonly kept: RewardCert | null }
  | { readonly type: "repeat" };

export type AttestationEffect =
  /** The name of the epoch is this attestation's, for ever. Another one under it is fatal. */
  | { readonly type: "persist"; readonly signed: SignedAttest }
  | { readonly type: "broadcast"; readonly signed: SignedAttest }
  | { readonly type: "broadcastCert"; readonly cert: RewardCert }
  | { readonly type: "sendCert"; readonly to: string; readonly cert: RewardCert }
  /** Ask somebody for the epoch's certificate, where none is kept. */
  | { readonly type: "askCert"; readonly epoch: number }
  /** Keep the epoch's certificate for ever. */
  | { readonly type: "keep"; readonly cert: RewardCert }
  /** Validators attested differently of one epoch; told once an epoch. */
  | { readonly type: "split"; readonly epoch: number }
  | { readonly type: "evidence"; readonly evidence: Evidence }
  | DropEffect;

export type AttestationStep = {
  readonly state: AttestationState;
  readonly effects: readonly AttestationEffect[];
};

type Draft = { -readonly [Key in keyof AttestationState]: AttestationState[Key] } & {
  readonly effects: AttestationEffect[];
};

/** @param newestEpoch the newest closed epoch, or -1. */
export function createAttestation(config: AttestationConfig, newestEpoch: number): AttestationState {
  return { config, newestEpoch, gathered: new Map(), convicted: new Set() };
}

/** One step. */
export function stepAttestation(state: AttestationState, event: AttestationEvent): AttestationStep {
  const draft: Draft = { ...state, effects: [] };
  switch (event.type) {
    case "closed":
      attest(draft, event.closed, event.kept);
      break;
    case "recall":
      gather(draft, event.signed);
      break;
    case "attest":
      drop(draft, takeAttest(draft, event.from, event.signed, event.kept));
      break;
    case "rewardCert":
      drop(draft, takeCertificate(draft, event.cert, event.kept));
      break;
    case "repeat":
      repeat(draft);
  }
  const { effects, ...next } = draft;
  return { state: next, effects };
}

/**
 * C1 at an epoch's end: a validator with a seat in the epoch attests to what execution gave, and to the set of the
 * epoch after the next, which the close has fixed. Durable first: a second, different one would convict it.
 */
function attest(draft: Draft, closed: ClosedEpoch, kept: RewardCert | null): void {
  const { epoch, rewardRoot, stateRoot } = closed;
  const { self, sets, sign, parametersHash } = draft.config;
  draft.newestEpoch = Math.max(draft.newestEpoch, epoch);
  forgetOld(draft);
  const validator = sets.setOf(epoch)?.positionOf(self);
  const next = sets.setOf(epoch + 2);
  if (validator === undefined || next === null) return;
  const nextValidatorsHash = computeValidatorsHash(next);
  const said: Attest = {
    epoch,
    rewardRoot,
    stateRoot,
    nextValidatorsHash,
    parametersHash,
    rulesVersion: RULES_VERSION,
  };
  const signed = { attest: said, validator, signature: sign("attest", encodeAttest(said)) };
  draft.effects.push({ type: "persist", signed });
  if (kept !== null) {
    if (!isSame(kept.attest, said)) draft.effects.push({ type: "split", epoch });
    return;
  }
  draft.effects.push({ type: "broadcast", signed });
  gather(draft, signed);
}

/**
 * C2 whoever still attests has not got the certificate, so it is sent; a different word is noticed all the same.
 * Attestations of epochs far away are neither gathered nor noticed: evidence of them may be too old to be used, and
 * one piece is made against a validator.
 */
function takeAttest(
  draft: Draft,
  from: string,
  signed: SignedAttest,
  kept: RewardCert | null,
): DropReason | null {
  const { epoch } = signed.attest;
  const set = draft.config.sets.setOf(epoch);
  if (kept !== null) draft.effects.push({ type: "sendCert", to: from, cert: kept });
  if (set === null) return "unknown_set";
  if (set.keys[signed.validator] === undefined) return "unentitled";
  if (epoch < draft.newestEpoch - GATHERED_EPOCHS) return "past";
  if (epoch > draft.newestEpoch + GATHERED_EPOCHS) return "far_ahead";
  if (kept !== null) {
    if (isSame(kept.attest, signed.attest)) return "repeated";
    if (!isSigned(draft, signed, set)) return "bad_signature";
    const first = findSigned(kept, signed.validator, set);
    if (first !== null) convict(draft, first, signed, set);
    return "conflict";
  }
  const held = draft.gathered.get(epoch)?.signed.get(signed.validator);
  if (held !== undefined && isSame(held.attest, signed.attest)) return "repeated";
  return isSigned(draft, signed, set) ? gather(draft, signed) : "bad_signature";
}

/** C3 a certificate that a quorum of its epoch's set signed is kept, wherever it comes from. */
function takeCertificate(draft: Draft, cert: RewardCert, kept: RewardCert | null): DropReason | null {
  const { sets, domains, verify } = draft.config;
  if (kept !== null) return "repeated";
  const set = sets.setOf(cert.attest.epoch);
  if (set === null) return "unknown_set";
  if (checkRewardCert(cert, set, domains, verify) !== null) return "bad_signature";
  for (const [position, held] of draft.gathered.get(cert.attest.epoch)?.signed ?? []) {
    const other = isSame(held.attest, cert.attest) ? null : findSigned(cert, position, set);
    if (other !== null) convict(draft, held, other, set);
  }
  keep(draft, cert);
  return null;
}

/**
 * C4 until an epoch has its certificate, its attestation is said again. C5 who has none to say, for want of a seat in the
 * epoch or of the votes of that time, asks for the certificate: without it no round of the epoch after the next begins.
 */
function repeat(draft: Draft): void {
  const { self: key, sets } = draft.config;
  for (const epoch of [draft.newestEpoch - 1, draft.newestEpoch]) {
    const set = sets.setOf(epoch);
    const isSaid = draft.gathered.get(epoch)?.signed.has(set?.positionOf(key) ?? -1) ?? false;
    if (set !== null && !isSaid) draft.effects.push({ type: "askCert", epoch });
  }
  for (const [epoch, { signed }] of draft.gathered) {
    const self = draft.config.sets.setOf(epoch)?.positionOf(draft.config.self);
    const own = self === undefined ? undefined : signed.get(self);
    if (own !== undefined) draft.effects.push({ type: "broadcast", signed: own });
  }
}

/** C3 a validator's first word counts; a quorum of equal ones is the certificate. A second, other word convicts. */
function gather(draft: Draft, signed: SignedAttest): DropReason | null {
  const { epoch } = signed.attest;
  const set = draft.config.sets.setOf(epoch);
  if (set === null) return "unknown_set";
  const before = draft.gathered.get(epoch) ?? { signed: new Map<number, SignedAttest>(), isSplit: false };
  const held = before.signed.get(signed.validator);
  if (held !== undefined) {
    convict(draft, held, signed, set);
    return "conflict";
  }
  const all = new Map(before.signed).set(signed.validator, signed);
  const equal = [...all].filter(([, each]) => isSame(each.attest, signed.attest));
  const isSplit = equal.length < all.size;
  if (isSplit && !before.isSplit) draft.effects.push({ type: "split", epoch });
  draft.gathered = new Map(draft.gathered).set(epoch, { signed: all, isSplit });
  if (equal.length < set.quorum) return null;
  const signatures = new Map(equal.map(([position, { signature }]) => [position, signature]));
  const cert = { attest: signed.attest, ...assembleSignatures(signatures, set) };
  draft.effects.push({ type: "broadcastCert", cert });
  keep(draft, cert);
  return null;
}

function keep(draft: Draft, cert: RewardCert): void {
  const gathered = new Map(draft.gathered);
  gathered.delete(cert.attest.epoch);
  draft.gathered = gathered;
  draft.effects.push({ type: "keep", cert });
}

/** What lies too far behind the newest closed epoch is nobody's question any more but a certificate's. */
function forgetOld(draft: Draft): void {
  const isNear = ([epoch]: readonly [number, Gathered]) => epoch >= draft.newestEpoch - GATHERED_EPOCHS;
  draft.gathered = new Map([...draft.gathered].filter(isNear));
}

/** Evidence: one validator that attested two things of one epoch. */
function convict(draft: Draft, first: SignedAttest, second: SignedAttest, set: ValidatorSet): void {
  const offender = set.keys[second.validator];
  if (offender === undefined || draft.convicted.has(encodeHex(offender))) return;
  const [a, b] = [first, second].map(({ attest: said, signature }) => ({
    kind: "attest" as const,
    body: encodeAttest(said),
    signature,
  }));
  const evidence = createEvidence(offender, a!, b!);
  if (evidence === null) return;
  draft.convicted = new Set([...draft.convicted, encodeHex(offender)]);
  draft.effects.push({ type: "evidence", evidence });
}

/** One validator's part in a certificate, as if it had come alone; null where it has none. */
function findSigned(cert: RewardCert, validator: number, set: ValidatorSet): SignedAttest | null {
  const place = decodeBitmap(cert.bitmap, set.keys.length)?.indexOf(validator) ?? -1;
  const signature = cert.signatures[place];
  return signature === undefined ? null : { attest: cert.attest, validator, signature };
}

const isSame = (a: Attest, b: Attest): boolean => encodeHex(encodeAttest(a)) === encodeHex(encodeAttest(b));

function isSigned(
  { config }: Draft,
  { attest: said, validator, signature }: SignedAttest,
  set: ValidatorSet,
): boolean {
  const key = set.keys[validator];
  const message = signingMessage(config.domains, "attest", encodeAttest(said));
  return key !== undefined && config.verify(key, message, signature);
}
