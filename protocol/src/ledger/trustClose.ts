/**
 * Trust at an epoch's end: every `trustIntervalEpochs` epochs it is computed anew from the history, seeds rotate, appeals
 * are decided by the same arithmetic over the fuller record, and what was withheld of the acquitted is released.
 */
import { PPM } from "../network/parameters.ts";
import { isCap, PENALTY_REASONS } from "../trust/finding.ts";
import type { Findings, NamedFinding } from "../trust/findingTable.ts";
import { computeNetworkTrust, type NetworkTrust } from "../trust/networkTrust.ts";
import { rotateSeeds } from "../trust/seeds.ts";
import { byteKey } from "./byteKey.ts";
import type { EscrowEntry } from "./escrow.ts";
import { type Hotspot, hasEnded, placeAt } from "./registry.ts";
import { listOwners, listPlaces } from "./scoreEvidence.ts";
import type { Ledger } from "./state.ts";
import type { TrustRow } from "./types.ts";
import { toSeatCandidate } from "./validators.ts";

/** What the end of an epoch made of trust. */
export type TrustClose = {
  /** Hotspots whose trust or findings changed, by index; null where trust was not computed. */
  readonly rows: readonly TrustRow[] | null;
  readonly released: readonly EscrowEntry[];
};

/** Computes trust in the epochs that end an interval, for the epochs from the next one on. */
export function closeTrust(ledger: Ledger, epoch: number, nextSeed: Uint8Array): TrustClose {
  const { trust, parameters, genesis } = ledger;
  const fromEpoch = epoch + 1;
  if (parameters.scoreVersion < 2 || fromEpoch % parameters.trustIntervalEpochs !== 0) {
    return { rows: null, released: [] };
  }
  const usesGraph = (genesis.trustSeeds?.length ?? 0) > 0 && fromEpoch >= parameters.trustFromEpoch;
  // Without a seed trust has nowhere to walk from: what the graph gave last stays until there is one again.
  const held = usesGraph && trust.seeds.length === 0 ? trust.generations.at(-1)! : null;
  const terms = {
    epoch: fromEpoch,
    penaltyEpochs: parameters.penaltyEpochs,
    intervalEpochs: parameters.trustIntervalEpochs,
    youngEpochs: Math.floor(parameters.trustWindowEpochs / 2),
    paidMinPpm: parameters.trustPaidMinPpm,
    epochSeed: nextSeed,
  };
  const network = {
    history: trust.history,
    ...listPlaces(ledger, fromEpoch),
    owner: listOwners(ledger),
    seeds: Uint32Array.from(usesGraph ? trust.seeds : []),
  };
  const { appealed } = trust;
  const before = trust.findings;
  const computed = computeNetworkTrust(network, terms, { findings: before, appealed, held });
  const newcomerPpm = held?.newcomerPpm ?? (usesGraph ? 0 : PPM);
  const standingPpm = keepStanding(ledger, computed, fromEpoch);
  trust.turn({ fromEpoch, newcomerPpm, ...computed, standingPpm });
  trust.findings = computed.findings;
  // Who is not reached by the graph is not suspended either, and has not been shown to be honest.
  const acquitted = [...appealed].filter((hotspot) => trust.isTrusted(hotspot, fromEpoch));
  // What was found again, and stands for too little to suspend, keeps back its part.
  const shareOf = (hotspot: number): number => {
    const { graphPpm, beliefPpm } = trust.trustAt(hotspot, fromEpoch);
    return Math.floor((beliefPpm * PPM) / graphPpm);
  };
  const shares = new Map(acquitted.map((hotspot) => [hotspot, shareOf(hotspot)]));
  const released = ledger.escrow.release(shares, epoch);
  const rows = listRows(ledger, before, fromEpoch);
  trust.appealed.clear();
  for (const [hotspot, until] of trust.barredUntil) if (until < fromEpoch) trust.barredUntil.delete(hotspot);
  if (usesGraph) trust.seeds = rotate(ledger, computed, fromEpoch, nextSeed);
  return { rows, released };
}

/**
 * Standing by the record, but for a window after a move no less than it was: with its record a hotspot would else shed what
 * its receptions are divided by, and asserting a hundredth of a dB before each computation would pay several times over.
 */
function keepStanding(
  { trust, registry, parameters }: Ledger,
  computed: NetworkTrust,
  fromEpoch: number,
): Float64Array {
  const before = trust.generations.at(-1)!.standingPpm;
  const standingPpm = computed.standingPpm.slice();
  for (const { index, movedEpoch } of registry.list) {
    if (movedEpoch === null || fromEpoch > movedEpoch + parameters.trustWindowEpochs) continue;
    standingPpm[index] = Math.max(standingPpm[index]!, before[index] ?? 0);
  }
  return standingPpm;
}

/** The rows of hotspots that are not wholly trusted, or were not until now. */
function listRows(ledger: Ledger, before: Findings, fromEpoch: number): TrustRow[] {
  const { trust, registry } = ledger;
  const previous = trust.generations[0]!;
  return registry.list
    .filter(({ index, isGone }) => {
      // Who is wholly trusted and always was has nothing to be shown; who has become so has.
      const wasPpm = previous.trustPpm[index] ?? previous.newcomerPpm;
      return !isGone && (wasPpm !== PPM || before.has(index) || !isPlain(ledger, index, fromEpoch));
    })
    .map((hotspot) => createRow(ledger, hotspot, fromEpoch));
}

/**
 * What was in force in an epoch of those hotspots that took another key in it, under that one: what they send from then on is
 * judged by a row that stands under the key before. Whether it decided an appeal is told there alone.
 */
export function listRenamed(ledger: Ledger, epoch: number): TrustRow[] {
  const { trust, registry } = ledger;
  const { fromEpoch } = trust.generations[trust.generationAt(epoch)]!;
  return registry.list
    .filter(({ index, rotatedEpoch }) => rotatedEpoch === epoch && !isPlain(ledger, index, fromEpoch))
    .map((hotspot) => ({ ...createRow(ledger, hotspot, fromEpoch), isAppealed: false }));
}

/** Whether a hotspot is wholly trusted from an epoch on, and nothing is found against it. */
const isPlain = ({ trust }: Ledger, hotspot: number, fromEpoch: number): boolean =>
  trust.trustAt(hotspot, fromEpoch).trustPpm === PPM && !trust.findings.has(hotspot);

function createRow({ trust, registry }: Ledger, { index, key }: Hotspot, fromEpoch: number): TrustRow {
  const { graphPpm, trustPpm, isSuspended } = trust.trustAt(index, fromEpoch);
  return {
    ...{ hotspot: key, fromEpoch, graphPpm, trustPpm, isSuspended },
    isAppealed: trust.appealed.has(index),
    findings: (trust.findings.get(index) ?? []).map(({ evidence, ...finding }) => ({
      ...finding,
      evidence: evidence.map(({ counterpart, ...epochs }) => ({
        ...epochs,
        counterpart: registry.list[counterpart]!.key,
      })),
    })),
  };
}

/**
 * The seeds of the next computation. Where nobody is left who may serve or stakes, those of genesis's come back that may
 * serve again, as one does that has asserted another antenna: the network's first word is better than none.
 */
function rotate(
  { trust, registry, genesis, validators, parameters }: Ledger,
  { findings }: NetworkTrust,
  epoch: number,
  epochSeed: Uint8Array,
): number[] {
  const named = new Set(genesis.trustSeeds?.map(byteKey));
  const isNamed = ({ key, formerKeys }: Hotspot): boolean =>
    [key, ...formerKeys].some((one) => named.has(byteKey(one)));
  // Who leaves or was convicted has nothing to lose any more.
  const stakers = new Set(
    validators.list
      .filter((record) => toSeatCandidate(record, parameters.validatorStake).mayHaveSeat)
      .map(({ owner }) => owner.index),
  );
  const stands = (hotspot: Hotspot): boolean =>
    !hotspot.isGone && !hasEnded(hotspot, epoch) && placeAt(hotspot, epoch) !== null;
  // The caps say nothing about honesty, and strangers who come to stand beside it can put them on anyone.
  const isAccused = ({ index }: Hotspot): boolean =>
    findings.get(index)?.some(({ reason }) => !isCap(reason)) ?? false;
  const serving = registry.list.filter((hotspot) => stands(hotspot) && !isAccused(hotspot));
  const staked = serving.filter(({ owner }) => stakers.has(owner));
  const mayServe = new Set([...staked, ...serving.filter(isNamed)].map(({ index }) => index));
  const seeds = rotateSeeds({
    seeds: trust.seeds,
    places: Math.max(named.size, trust.seeds.length),
    candidates: staked
      .map(({ index }) => index)
      .filter((index) => trust.trustAt(index, epoch).graphPpm === PPM),
    ownerOf: (hotspot) => registry.list[hotspot]!.owner,
    mayServe: (hotspot) => mayServe.has(hotspot),
    epochSeed,
  });
  return seeds.length > 0 ? seeds : serving.filter(isNamed).map(({ index }) => index);
}

/** The findings of a hotspot as a line of the record has them: bit i - 1 for the penalty of number i. */
export function encodePenalties(findings: readonly Pick<NamedFinding, "reason">[]): number {
  return findings.reduce((bits, { reason }) => bits | (1 << PENALTY_REASONS.indexOf(reason)), 0);
}
