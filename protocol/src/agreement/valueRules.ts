/**
 * What makes a value valid: the rules that a validator applies to a proposal before it votes, and to a value that it
 * reads back or fetches. They need no batch bodies, so a decision never waits for evidence to arrive.
 */
import { compareBytes, equalBytes } from "../bytes/bytes.ts";
import { encodeHex } from "../bytes/hex.ts";
import { type SigningDomains, signingMessage } from "../crypto/domain.ts";
import { epochOfRound, type Parameters } from "../network/parameters.ts";
import {
  checkAvailabilityCert,
  checkFinalCert,
  requireSet,
  type ValidatorSet,
  type ValidatorSets,
  type VerifySignature,
} from "./certificates.ts";
import { type Cut, computeCut, createLaneFilter } from "./cut.ts";
import { checkEvidence, isEvidenceOld } from "./evidence.ts";
import { type AvailabilityCert, encodeTips, type LaneTip, type Value } from "./rounds.ts";

/** What is known before a round's value: the round before it, as decided. */
export type ValueContext = {
  readonly round: number;
  readonly parameters: Parameters;
  /** Of the round's epoch, and of the one before for what was certified then. */
  readonly sets: ValidatorSets;
  readonly domains: SigningDomains;
  readonly verify: VerifySignature;
  /** The cut and the value digest of the round before; null before round 0. */
  readonly previous: { readonly cut: Cut; readonly value: Uint8Array } | null;
};

/** A context with the set of the round's epoch looked up. */
type RuleContext = ValueContext & { readonly epoch: number; readonly set: ValidatorSet };

type ValueRule = {
  readonly reason: string;
  readonly refuses: (value: Value, context: RuleContext) => boolean;
};

/** Cheapest first; signatures, which cost a hundred times the rest, last. */
const VALUE_RULES = [
  // A value names the round that it is for.
  { reason: "wrong_round", refuses: (value, { round }) => value.round !== round },
  // Exactly Q Tips of the round.
  { reason: "tips_count", refuses: (value, { set }) => value.tips.length !== set.quorum },
  {
    reason: "tips_round",
    refuses: (value, { round }) => value.tips.some(({ tips }) => tips.round !== round),
  },
  // One a validator of the set.
  { reason: "tips_validator", refuses: hasStrangerOrRepeatedValidator },
  // Execution lags by at most EXEC_LAG_ROUNDS: room for two epoch closes, and a bound on what may be undone work.
  { reason: "execution_lag", refuses: hasLaggingExecution },
  // The round before is proven decided; round 0 has none before it.
  { reason: "previous_final", refuses: hasWrongPreviousFinal },
  // The cut is the maximum of the tips, lane by lane, and never below the cut before.
  { reason: "cut_not_maximum", refuses: hasWrongCut },
  // At most one piece of evidence an offender: pieces stand by offender, ascending.
  { reason: "evidence_order", refuses: hasUnorderedEvidence },
  // None older than EVIDENCE_MAX_AGE_EPOCHS: a stake that is free again cannot be slashed.
  { reason: "evidence_age", refuses: hasOldEvidence },
  { reason: "tips_signature", refuses: hasBadTipsSignature },
  { reason: "previous_final_certificate", refuses: hasBadPreviousFinal },
  // Each new entry has a certificate by the current epoch's set or the one before.
  { reason: "cut_certificate", refuses: hasBadCutCertificate },
  // Each piece convicts. Whom it convicted before is execution's to know, which may lag behind agreement.
  { reason: "evidence_invalid", refuses: hasBadEvidence },
] as const satisfies readonly ValueRule[];

export type ValueReason = (typeof VALUE_RULES)[number]["reason"];
export const VALUE_REASONS: readonly ValueReason[] = VALUE_RULES.map(({ reason }) => reason);

/**
 * The first rule that a value breaks, or null for a valid one.
 * @throws Error where the set of the round's epoch is not known, the caller's bug.
 */
export function checkValue(value: Value, context: ValueContext): ValueReason | null {
  const epoch = epochOfRound(context.parameters, context.round);
  const ruleContext = { ...context, epoch, set: requireSet(context.sets, epoch) };
  return VALUE_RULES.find((rule) => rule.refuses(value, ruleContext))?.reason ?? null;
}

function hasStrangerOrRepeatedValidator(value: Value, { set }: RuleContext): boolean {
  const seen = new Set<number>();
  for (const { tips } of value.tips) {
    const position = set.positionOf(tips.validator);
    if (position === undefined || seen.has(position)) return true;
    seen.add(position);
  }
  return false;
}

/**
 * The lag is counted from the round before this one, the newest that could have been executed. Before anything was
 * executed a validator says round 0 with a digest of zeros, which lags like round 0 itself.
 */
function hasLaggingExecution(value: Value, { round, parameters }: ValueContext): boolean {
  return value.tips.some(
    ({ tips }) => tips.executedRound > round || round - tips.executedRound > parameters.execLagRounds + 1,
  );
}

function hasWrongPreviousFinal(value: Value, { round, previous }: ValueContext): boolean {
  if (previous === null) return value.previousFinal.length !== 0;
  const [final] = value.previousFinal;
  return final === undefined || final.round !== round - 1 || !equalBytes(final.value, previous.value);
}

function hasWrongCut(value: Value, { sets, epoch, previous }: RuleContext): boolean {
  const offered = new Map(value.cut.map((entry) => [tipName(entry), entry]));
  const expected = computeCut(
    value.tips,
    previous?.cut ?? [],
    createLaneFilter(sets, epoch),
    (tip) => offered.get(tipName(tip)) ?? null,
  );
  if (expected === null || expected.length !== value.cut.length) return true;
  return expected.some((entry, index) => !equalEntries(entry, value.cut[index]!));
}

function hasBadTipsSignature(value: Value, { domains, verify }: ValueContext): boolean {
  return value.tips.some(
    ({ tips, signature }) =>
      !verify(tips.validator, signingMessage(domains, "tips", encodeTips(tips)), signature),
  );
}

/** The round before was decided by its own epoch's set, which in an epoch's first round is not this one's. */
function hasBadPreviousFinal(value: Value, { parameters, sets, domains, verify }: RuleContext): boolean {
  return value.previousFinal.some((final) => {
    const set = requireSet(sets, epochOfRound(parameters, final.round));
    return checkFinalCert(final, set, domains, verify) !== null;
  });
}

function hasBadCutCertificate(value: Value, context: RuleContext): boolean {
  const { epoch, sets, domains, verify, previous } = context;
  const settled = new Set((previous?.cut ?? []).map(tipName));
  return value.cut.some((entry) => {
    // An idle lane's entry was judged when it came in, and its epoch may lie far back by now.
    if (settled.has(tipName(entry))) return false;
    const timely = entry.epoch === epoch || entry.epoch === epoch - 1;
    return !timely || checkAvailabilityCert(entry, requireSet(sets, entry.epoch), domains, verify) !== null;
  });
}

function hasUnorderedEvidence({ evidence }: Value): boolean {
  return evidence.some(
    ({ offender }, index) => index > 0 && compareBytes(evidence[index - 1]!.offender, offender) >= 0,
  );
}

function hasOldEvidence({ evidence }: Value, { parameters, epoch }: RuleContext): boolean {
  return evidence.some((piece) => isEvidenceOld(piece, parameters, epoch));
}

function hasBadEvidence({ evidence }: Value, context: RuleContext): boolean {
  return evidence.some((piece) => checkEvidence(piece, context) !== null);
}

const tipName = (tip: LaneTip | AvailabilityCert): string =>
  `${encodeHex(tip.lane)}/${tip.seq}/${encodeHex(tip.digest)}`;

/** Byte for byte, certificate included: an entry that is carried over is not judged again, so it may not change. */
const equalEntries = (a: AvailabilityCert, b: AvailabilityCert): boolean =>
  tipName(a) === tipName(b) &&
  a.epoch === b.epoch &&
  equalBytes(a.bitmap, b.bitmap) &&
  a.signatures.length === b.signatures.length &&
  a.signatures.every((signature, index) => equalBytes(signature, b.signatures[index]!));
