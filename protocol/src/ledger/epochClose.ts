/**
 * The end of an epoch: the next seed, the witness caps drawn with it, the score, the reward, its credit to accounts,
 * the books, the record and the reward root; then the ledger turns to the next epoch.
 */
import { requireSet } from "../agreement/certificates.ts";
import { computeNextSeed } from "../evidence/commitReveal.ts";
import { firstRoundOfEpoch, PPM } from "../network/parameters.ts";
import {
  computeLinesDigest,
  computeRecordDigest,
  EPOCH_RECORD_VERSION,
  type EpochLine,
  encodeEpochRecord,
} from "../reward/epochRecord.ts";
import { computeEpochReward, type EpochReward } from "../reward/epochReward.ts";
import type { PoolAmounts } from "../reward/pools.ts";
import { sumWeights } from "../reward/split.ts";
import { computeCoverage } from "../score/coverage.ts";
import { computeScore, type ScoreOutput } from "../score/score.ts";
import { computeUnits } from "../score/units.ts";
import type { Account } from "./accounts.ts";
import { computeBooks } from "./books.ts";
import { computeEscrowEnd, type EscrowEntry } from "./escrow.ts";
import { dismiss } from "./registry.ts";
import { rewardTreeOf } from "./rewardTotals.ts";
import type { RoundLog } from "./roundLog.ts";
import {
  createCoverageEvidence,
  createScoreInputV1,
  createScoreInputV2,
  listOwners,
  listPlaces,
} from "./scoreEvidence.ts";
import { type SelectedBeacon, selectPaid } from "./selection.ts";
import { fillSeats, returnStakes } from "./stakes.ts";
import { createTally, type EpochTally, type Ledger } from "./state.ts";
import { closeTrust, encodePenalties, listRenamed } from "./trustClose.ts";
import type { BeaconUnits, EpochClose, EscrowRelease, ReportOutcome } from "./types.ts";

/** Closes an epoch in its last round, which the ledger stands at. The state root is the caller's, once all is written. */
export function closeEpoch(ledger: Ledger, log: RoundLog, epoch: number): Omit<EpochClose, "stateRoot"> {
  const { tally, parameters } = ledger;
  const seed = ledger.seeds.get(epoch)!;
  const nextSeed = computeNextSeed(seed, listSecrets(tally));
  const places = listPlaces(ledger, epoch);
  const { beacons: selected, unpaid } = selectPaid(ledger, nextSeed, places);
  const createInput = parameters.scoreVersion >= 2 ? createScoreInputV2 : createScoreInputV1;
  const score = computeScore(parameters.scoreVersion, createInput(ledger, places, selected, epoch));
  const worths = listWorths(selected, score);
  for (const { outcomes } of worths) log.outcomes.push(...outcomes);
  const escrowBefore = ledger.escrow.total;
  const returned = returnEscrow(ledger, epoch);
  const covering = createCoverageEvidence(ledger, places, selected);
  const reward = rewardEpoch(ledger, epoch, score);
  const withheld = withhold(ledger, epoch, reward);
  credit(ledger, log, epoch, reward);
  const lines = listLines(ledger, epoch, score, reward);
  const renamedTrust = listRenamed(ledger, epoch);
  const trust = closeTrust(ledger, epoch, nextSeed);
  const releases = releaseEscrow(ledger, log, trust.released);
  const { root: rewardRoot, leafCount: accounts } = rewardTreeOf(ledger);
  const witnessesAccepted = selected.reduce((sum, { valid }) => sum + valid.length, 0);
  const shared = {
    epoch,
    firstRound: firstRoundOfEpoch(parameters, epoch),
    lastRound: ledger.round,
    startTimeMs: tally.startTimeMs,
    endTimeMs: ledger.timeMs,
    seed,
    nextSeed,
    inputsDigest: tally.inputsDigest,
    pools: reward.pools,
    witnessesAccepted,
    accounts,
    rewardRoot,
    escrow: {
      carriedIn: escrowBefore,
      withheld,
      released: releases.reduce((sum, { amount }) => sum + amount, 0n),
      returned,
      carriedOut: ledger.escrow.total,
    },
  };
  const record = {
    ...shared,
    version: EPOCH_RECORD_VERSION,
    scoreVersion: score.version,
    parametersHash: ledger.parametersHash,
    beacons: tally.beaconsClosed,
    witnessesRefused: sumCounts(tally.witnessesRefused),
    linesDigest: computeLinesDigest(lines, ledger.modules.createHash),
  };
  const close = {
    ...shared,
    lines,
    shares: { beacons: sumWeights(score.beaconShares), witnesses: sumWeights(score.witnessShares) },
    validatorsPaid: listValidatorsPaid(ledger, epoch, reward),
    beaconUnits: worths.flatMap(({ units }) => (units === null ? [] : [units])),
    trustRows: trust.rows,
    renamedTrust,
    releases,
    coverage: computeCoverage(covering, places.isAsserted),
    beaconsClosed: tally.beaconsClosed,
    witnessesUnpaid: Object.fromEntries(unpaid),
    witnessesRefused: Object.fromEntries(tally.witnessesRefused),
    beaconsRefused: Object.fromEntries(tally.beaconsRefused),
    record: encodeEpochRecord(record),
    recordDigest: computeRecordDigest(record),
  };
  returnBonds(ledger, log, epoch);
  const nextValidators = fillSeats(ledger, epoch);
  returnStakes(ledger, log, epoch);
  assertBooks(ledger);
  turnEpoch(ledger, epoch, nextSeed);
  return { ...close, nextValidators };
}

/** The secrets that the next seed follows from: of beacons closed in this epoch with an accepted witness. */
function listSecrets({ beacons }: EpochTally) {
  return beacons.filter(({ witnesses }) => witnesses.some(({ reason }) => reason === null));
}

function rewardEpoch(ledger: Ledger, epoch: number, score: ScoreOutput): EpochReward {
  const { parameters, registry, accounts, tally, validators } = ledger;
  // Who is convicted by now is not paid for what it did besides. Its part is carried: shared, it would pay for accusing.
  const roundsOf = (key: Uint8Array, position: number): number =>
    validators.find(key)!.isTombstoned ? 0 : tally.participation[position]!;
  return computeEpochReward({
    parameters,
    epoch,
    carriedIn: ledger.carried,
    score,
    hotspotOwner: listOwners(ledger),
    isWithheld: Uint8Array.from(registry.list, ({ index }) =>
      ledger.trust.trustAt(index, epoch).isSuspended ? 1 : 0,
    ),
    ownerCount: accounts.list.length,
    hotspotKeyRank: ledger.hotspotOrder.ranks(),
    validators: requireSet(ledger, epoch).keys.map((key, position) => ({
      key,
      participationPpm: Math.floor((roundsOf(key, position) * PPM) / parameters.roundsPerEpoch),
    })),
  });
}

/** Puts what suspended hotspots would have been paid into escrow. */
function withhold(ledger: Ledger, epoch: number, reward: EpochReward): bigint {
  let withheld = 0n;
  for (const { index, owner } of ledger.registry.list) {
    const [beacons, witnesses] = [reward.beaconAmounts[index]!, reward.witnessAmounts[index]!];
    if (beacons + witnesses === 0n || !ledger.trust.trustAt(index, epoch).isSuspended) continue;
    const untilEpoch = computeEscrowEnd(ledger.parameters, epoch);
    ledger.escrow.withhold(index, owner, { beacons, witnesses }, untilEpoch);
    withheld += beacons + witnesses;
  }
  return withheld;
}

/** Gives what nobody's reversal released in time back to its pools, which pay it with this epoch's. */
function returnEscrow(ledger: Ledger, epoch: number): bigint {
  let returned = 0n;
  for (const { beacons, witnesses } of ledger.escrow.expire(epoch)) {
    const { carried } = ledger;
    ledger.carried = {
      ...carried,
      beacons: carried.beacons + beacons,
      witnesses: carried.witnesses + witnesses,
    };
    returned += beacons + witnesses;
  }
  return returned;
}

/** Pays what was withheld of the acquitted, to whom it was earned by. */
function releaseEscrow(ledger: Ledger, log: RoundLog, entries: readonly EscrowEntry[]): EscrowRelease[] {
  const releases = entries.map(({ hotspot, owner, beacons, witnesses }) => {
    const account = ledger.accounts.list[owner]!;
    const amount = beacons + witnesses;
    creditAccount(ledger, log, account, amount);
    return { hotspot: ledger.registry.list[hotspot]!.key, owner: account.key, amount };
  });
  ledger.rewardTree = null;
  return releases;
}

/** Pays the reward out: to the hotspots' owners, and to the accounts of the validators' keys. */
function credit(ledger: Ledger, log: RoundLog, epoch: number, reward: EpochReward): void {
  const { accounts } = ledger;
  const { keys } = requireSet(ledger, epoch);
  for (const [owner, amount] of reward.ownerAmounts.entries()) {
    creditAccount(ledger, log, accounts.list[owner]!, amount);
  }
  for (const [position, amount] of reward.validatorAmounts.entries()) {
    if (amount > 0n) creditAccount(ledger, log, accounts.open(keys[position]!), amount);
  }
  const { beacons, witnesses, data, validators } = reward.pools;
  const carried: PoolAmounts = {
    beacons: beacons.carriedOut,
    witnesses: witnesses.carriedOut,
    data: data.carriedOut,
    validators: validators.carriedOut,
  };
  ledger.carried = carried;
  ledger.emitted += reward.total.emitted;
  ledger.rewardTree = null;
}

/** Credits earnings. Nothing makes nobody an earner: a snapshot tells those who are by what they have earned. */
function creditAccount(ledger: Ledger, log: RoundLog, account: Account, amount: bigint): void {
  if (amount === 0n) return;
  if (account.earned === 0n) ledger.earnerOrder.add(account.key, account.index);
  account.balance += amount;
  account.earned += amount;
  log.touchAccount(account);
}

/** Lines of hotspots with units or pay, ascending by key. */
function listLines(ledger: Ledger, epoch: number, score: ScoreOutput, reward: EpochReward): EpochLine[] {
  const lines: EpochLine[] = [];
  const { trust } = ledger;
  for (const index of ledger.hotspotOrder.list()) {
    const beaconUnitsPpm = score.beaconUnitsPpm[index]!;
    const witnessUnitsPpm = score.witnessUnitsPpm[index]!;
    if (beaconUnitsPpm === 0 && witnessUnitsPpm === 0) continue;
    const { key: hotspot, ownerKey: owner } = ledger.registry.list[index]!;
    const { trustPpm, isSuspended } = trust.trustAt(index, epoch);
    const [beacon, witness] = [reward.beaconAmounts[index]!, reward.witnessAmounts[index]!];
    lines.push({
      hotspot,
      owner,
      beaconUnitsPpm,
      witnessUnitsPpm,
      scalePpm: score.scalePpm[index]!,
      beaconPaid: isSuspended ? 0n : beacon,
      witnessPaid: isSuspended ? 0n : witness,
      trustPpm,
      penalties: encodePenalties(trust.findings.get(index) ?? []),
      beaconWithheld: isSuspended ? beacon : 0n,
      witnessWithheld: isSuspended ? witness : 0n,
    });
  }
  return lines;
}

/** Every seat, in its order, with the rounds that it helped to finalize and its pay for them. */
function listValidatorsPaid(ledger: Ledger, epoch: number, { validatorAmounts }: EpochReward) {
  const { participation } = ledger.tally;
  return requireSet(ledger, epoch).keys.map((key, position) => ({
    key,
    rounds: participation[position]!,
    amount: validatorAmounts[position]!,
  }));
}

/** What a beacon and its receptions were worth, and with that the last outcomes of its accepted witnesses. */
type Worth = { readonly units: BeaconUnits | null; readonly outcomes: readonly ReportOutcome[] };

/** Version 1 gives every witness of a beacon the same; version 2 says one by one, for beacons with accepted witnesses. */
function listWorths(selected: readonly SelectedBeacon[], { detail }: ScoreOutput): Worth[] {
  let [beacon, reception] = [0, 0];
  return selected.map(({ reportId, accepted, paid }): Worth => {
    if (accepted.length === 0) return { units: null, outcomes: [] };
    const equal = detail === undefined ? computeUnits(paid.length) : null;
    const outcomes = accepted.map(({ outcome, isPaid }) => {
      const detailed = detail?.receptionUnitsPpm[reception++] ?? 0;
      return { ...outcome, unitsPpm: isPaid ? (equal?.perWitnessPpm ?? detailed) : 0 };
    });
    const beaconerPpm = equal?.beaconerPpm ?? detail!.beaconUnitsPpm[beacon++]!;
    if (paid.length === 0) return { units: null, outcomes };
    const sum = outcomes.reduce((total, { unitsPpm }) => total + unitsPpm, 0);
    const perWitnessPpm = Math.floor(sum / paid.length);
    return { units: { reportId, paidWitnesses: paid.length, perWitnessPpm, beaconerPpm }, outcomes };
  });
}

function sumCounts(counts: ReadonlyMap<unknown, number>): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}

function assertBooks(ledger: Ledger): void {
  if (!computeBooks(ledger).isBalanced) throw new Error("the books do not balance at the epoch's end");
}

/** Lets those go whose unbonding ends with the epoch, and returns their bonds to who paid them. */
function returnBonds({ registry, accounts, trust }: Ledger, log: RoundLog, epoch: number): void {
  for (const hotspot of registry.list) {
    if (hotspot.isGone || hotspot.leaving?.untilEpoch !== epoch) continue;
    const payer = accounts.list[hotspot.payer]!;
    payer.balance += hotspot.bond;
    dismiss(hotspot);
    // Without a place nothing would be found against it.
    trust.appealed.delete(hotspot.index);
    log.touchHotspot(hotspot);
    log.touchAccount(payer);
  }
}

/** Forgets what no later round can ask for, and begins the next epoch's tally. */
function turnEpoch(ledger: Ledger, epoch: number, nextSeed: Uint8Array): void {
  ledger.seeds.set(epoch + 1, nextSeed);
  for (const known of ledger.seeds.keys()) if (known < epoch) ledger.seeds.delete(known);
  ledger.seen.forgetBefore(epoch);
  ledger.book.forgetBefore(epoch - 1);
  for (const hotspot of ledger.registry.list) hotspot.reportsInEpoch = 0;
  ledger.tally = createTally(ledger.timeMs, requireSet(ledger, epoch + 1).keys.length);
}
