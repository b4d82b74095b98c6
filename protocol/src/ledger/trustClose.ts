/**
 * Trust at an epoch's end: every `trustIntervalEpochs` epochs it is computed anew from the history, seeds rotate, appeals
 * are decided by the same arithmetic over the fuller record, and what was withheld of the acquitted is released.
 */
import { PPM } from "../network/parameters.ts";
import { PENALTY_REASONS } from "../trust/finding.ts";
import type { Findings, NamedFinding } from "../trust/findingTable.ts";
import { computeNetworkTrust, type NetworkTrust } from "../trust/networkTrust.ts";
import { rotateSeeds } from "../trust/seeds.ts";
import type { EscrowEntry } from "./escrow.ts";
import { hasEnded, placeAt } from "./registry.ts";
import { listOwners, listPlaces } from "./scoreEvidence.ts";
import type { Ledger } from "./state.ts";
import type { TrustRow } from "./types.ts";

/** What the end of an epoch made of trust. */
export type TrustClose = {
  /** Hotspots whose trust or findings changed, by index; null where trust was not computed. */
  readonly rows: readonly TrustRow[] | null;
  readonly released: readonly EscrowEntry[];
};

/** Computes trust in the epochs that end an interval, for the epochs from the next one on. */
export function closeTrust(ledger: Ledger, epoch: number, nextSeed: Uint8Array): TrustClose {
  const { trust, parameters } = ledger;
  const fromEpoch = epoch + 1;
  if (parameters.scoreVersion < 2 || fromEpoch % parameters.trustIntervalEpochs !== 0) {
    return { rows: null, released: [] };
  }
  const usesGraph = trust.seeds.length > 0 && fromEpoch >= parameters.trustFromEpoch;
  const terms = {
    epoch: fromEpoch,
    penaltyEpochs: parameters.penaltyEpochs,
    youngEpochs: Math.floor(parameters.trustWindowEpochs / 2),
  };
  const network = {
    history: trust.history,
    ...listPlaces(ledger, fromEpoch),
    paidMinPpm: parameters.trustPaidMinPpm,
    owner: listOwners(ledger),
    seeds: Uint32Array.from(usesGraph ? trust.seeds : []),
  };
  const { appealed } = trust;
  const before = trust.findings;
  const computed = computeNetworkTrust(network, terms, { findings: before, appealed });
  trust.turn({ fromEpoch, newcomerPpm: usesGraph ? 0 : PPM, ...computed });
  trust.findings = computed.findings;
  // Who is not reached by the graph is not suspended either, and has not been shown to be honest.
  const acquitted = new Set([...appealed].filter((hotspot) => trust.isTrusted(hotspot, fromEpoch)));
  const released = ledger.escrow.release(acquitted);
  const rows = listRows(ledger, computed, before, fromEpoch);
  trust.appealed.clear();
  for (const [hotspot, until] of trust.barredUntil) if (until < fromEpoch) trust.barredUntil.delete(hotspot);
  if (usesGraph) trust.seeds = rotate(ledger, computed, fromEpoch, nextSeed);
  return { rows, released };
}

/** The rows of hotspots that are not wholly trusted, or were not until now. */
function listRows(
  { trust, registry }: Ledger,
  { findings }: NetworkTrust,
  before: Findings,
  fromEpoch: number,
): TrustRow[] {
  const rows: TrustRow[] = [];
  const previous = trust.generations[0]!;
  for (const { index, key, isGone } of registry.list) {
    const { graphPpm, trustPpm, isSuspended } = trust.trustAt(index, fromEpoch);
    const found = findings.get(index) ?? [];
    // Who is wholly trusted and always was has nothing to be shown; who has become so has.
    const wasPpm = previous.trustPpm[index] ?? previous.newcomerPpm;
    const isPlain = trustPpm === PPM && wasPpm === PPM && found.length === 0 && !before.has(index);
    if (isGone || isPlain) continue;
    rows.push({
      hotspot: key,
      fromEpoch,
      graphPpm,
      trustPpm,
      isSuspended,
      isAppealed: trust.appealed.has(index),
      findings: found.map(({ evidence, ...finding }) => ({
        ...finding,
        evidence: evidence.map(({ counterpart, ...epochs }) => ({
          ...epochs,
          counterpart: registry.list[counterpart]!.key,
        })),
      })),
    });
  }
  return rows;
}

function rotate(ledger: Ledger, { findings }: NetworkTrust, epoch: number, epochSeed: Uint8Array): number[] {
  const { trust, registry } = ledger;
  const stakers = listStakers(ledger);
  const stands = (index: number): boolean => {
    const hotspot = registry.list[index]!;
    return !hotspot.isGone && !hasEnded(hotspot, epoch) && placeAt(hotspot, epoch) !== null;
  };
  const mayServe = (index: number): boolean => stands(index) && !findings.has(index);
  return rotateSeeds({
    seeds: trust.seeds,
    places: Math.max(ledger.genesis.trustSeeds?.length ?? 0, trust.seeds.length),
    candidates: registry.list
      .filter(({ index, owner }) => stakers.has(owner) && mayServe(index))
      .map(({ index }) => index)
      .filter((index) => trust.trustAt(index, epoch).trustPpm === PPM),
    ownerOf: (hotspot) => registry.list[hotspot]!.owner,
    mayServe,
    epochSeed,
  });
}

/** The accounts that stake for a validator. */
function listStakers({ validators }: Ledger): ReadonlySet<number> {
  return new Set(validators.list.filter(({ stake }) => stake > 0n).map(({ owner }) => owner.index));
}

/** The findings of a hotspot as a line of the record has them: bit i - 1 for the penalty of number i. */
export function encodePenalties(findings: readonly Pick<NamedFinding, "reason">[]): number {
  return findings.reduce((bits, { reason }) => bits | (1 << PENALTY_REASONS.indexOf(reason)), 0);
}
