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
  type EpochLine,
  encodeEpochRecord,
} from "../reward/epochRecord.ts";
import { computeEpochReward, type EpochReward } from "../reward/epochReward.ts";
import type { PoolAmounts } from "../reward/pools.ts";
import { computeCoverage } from "../score/coverage.ts";
import { computeScore, type Evidence, type ScoreOutput } from "../score/score.ts";
import { computeUnits } from "../score/units.ts";
import type { Account } from "./accounts.ts";
import { computeBooks } from "./books.ts";
import { dismiss, placeAt } from "./registry.ts";
import { rewardTreeOf } from "./rewardTotals.ts";
import type { RoundLog } from "./roundLog.ts";
import { type SelectedBeacon, selectPaid } from "./selection.ts";
import { fillSeats, returnStakes } from "./stakes.ts";
import { createTally, type Ledger } from "./state.ts";
import type { BeaconUnits, EpochClose } from "./types.ts";

/** Closes an epoch in its last round, which the ledger stands at. The state root is the caller's, once all is written. */
export function closeEpoch(ledger: Ledger, log: RoundLog, epoch: number): Omit<EpochClose, "stateRoot"> {
  const { tally, parameters } = ledger;
  const seed = ledger.seeds.get(epoch)!;
  const nextSeed = computeNextSeed(seed, listSecrets(ledger));
  const { beacons: selected, unpaid } = selectPaid(ledger, log, nextSeed);
  const places = listPlaces(ledger, epoch);
  const paidEvidence = createEvidence(ledger, places, selected, (beacon) => beacon.paid);
  const score = computeScore(parameters.scoreVersion, { ...paidEvidence, active: listActive(ledger, epoch) });
  const validEvidence = createEvidence(ledger, places, selected, (beacon) => beacon.valid);
  const reward = rewardEpoch(ledger, epoch, score);
  credit(ledger, log, epoch, reward);
  const lines = listLines(ledger, score, reward);
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
  };
  const record = {
    ...shared,
    scoreVersion: score.version,
    parametersHash: ledger.parametersHash,
    beacons: tally.beaconsClosed,
    witnessesRefused: sumCounts(tally.witnessesRefused),
    linesDigest: computeLinesDigest(lines, ledger.modules.createHash),
  };
  const close = {
    ...shared,
    lines,
    validatorsPaid: listValidatorsPaid(ledger, epoch, reward),
    beaconUnits: selected.filter(({ paid }) => paid.length > 0).map(listBeaconUnits),
    coverage: computeCoverage(validEvidence, places.isAsserted),
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
function listSecrets({ tally, registry }: Ledger) {
  return tally.beacons
    .filter(({ witnesses }) => witnesses.some(({ reason }) => reason === null))
    .map(({ challengeEpoch, hotspot, secret }) => ({
      challengeEpoch,
      hotspot: registry.list[hotspot]!.key,
      secret,
    }));
}

type Places = Pick<Evidence, "hotspotCount" | "cellHi" | "cellLo"> & { readonly isAsserted: Uint8Array };

/** Every hotspot's cell in force at the start of the epoch; zeros where nothing is asserted. */
function listPlaces({ registry }: Ledger, epoch: number): Places {
  const hotspotCount = registry.list.length;
  const cellHi = new Uint32Array(hotspotCount);
  const cellLo = new Uint32Array(hotspotCount);
  const isAsserted = new Uint8Array(hotspotCount);
  for (const hotspot of registry.list) {
    const place = placeAt(hotspot, epoch);
    if (place === null) continue;
    cellHi[hotspot.index] = place.cellHi;
    cellLo[hotspot.index] = place.cellLo;
    isAsserted[hotspot.index] = 1;
  }
  return { hotspotCount, cellHi, cellLo, isAsserted };
}

function listActive({ registry, parameters }: Ledger, epoch: number): Uint8Array {
  const active = new Uint8Array(registry.list.length);
  for (const { index, lastActiveEpoch } of registry.list) {
    if (lastActiveEpoch !== null && lastActiveEpoch > epoch - parameters.activityEpochs) active[index] = 1;
  }
  return active;
}

/** Beacons with the witnesses that `witnessesOf` picks; those with none are left out. */
function createEvidence(
  { registry }: Ledger,
  { cellHi, cellLo }: Places,
  beacons: readonly SelectedBeacon[],
  witnessesOf: (beacon: SelectedBeacon) => readonly number[],
): Evidence {
  const counted = beacons.filter((beacon) => witnessesOf(beacon).length > 0);
  const beaconHotspot = Uint32Array.from(counted, ({ hotspot }) => hotspot);
  const beaconWitnessOffset = new Uint32Array(counted.length + 1);
  for (const [i, beacon] of counted.entries()) {
    beaconWitnessOffset[i + 1] = beaconWitnessOffset[i]! + witnessesOf(beacon).length;
  }
  const witnessHotspot = new Uint32Array(beaconWitnessOffset[counted.length]!);
  for (const [i, beacon] of counted.entries())
    witnessHotspot.set(witnessesOf(beacon), beaconWitnessOffset[i]);
  const hotspotCount = registry.list.length;
  return { hotspotCount, cellHi, cellLo, beaconHotspot, beaconWitnessOffset, witnessHotspot };
}

function rewardEpoch(ledger: Ledger, epoch: number, score: ScoreOutput): EpochReward {
  const { parameters, registry, accounts, tally } = ledger;
  return computeEpochReward({
    parameters,
    epoch,
    carriedIn: ledger.carried,
    score,
    hotspotOwner: Uint32Array.from(registry.list, ({ owner }) => owner),
    ownerCount: accounts.list.length,
    hotspotKeyRank: ledger.hotspotOrder.ranks(),
    validators: requireSet(ledger, epoch).keys.map((key, position) => ({
      key,
      participationPpm: Math.floor((tally.participation[position]! * PPM) / parameters.roundsPerEpoch),
    })),
  });
}

/** Pays the reward out: to the hotspots' owners, and to the accounts of the validators' keys. */
function credit(ledger: Ledger, log: RoundLog, epoch: number, reward: EpochReward): void {
  const { accounts } = ledger;
  const { keys } = requireSet(ledger, epoch);
  for (const [owner, amount] of reward.ownerAmounts.entries()) {
    if (amount > 0n) creditAccount(ledger, log, accounts.list[owner]!, amount);
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

function creditAccount(ledger: Ledger, log: RoundLog, account: Account, amount: bigint): void {
  if (account.earned === 0n) ledger.earnerOrder.add(account.key, account.index);
  account.balance += amount;
  account.earned += amount;
  log.touchAccount(account);
}

/** Lines of hotspots with units or pay, ascending by key. */
function listLines(ledger: Ledger, score: ScoreOutput, reward: EpochReward): EpochLine[] {
  const lines: EpochLine[] = [];
  for (const index of ledger.hotspotOrder.list()) {
    const beaconUnitsPpm = score.beaconUnitsPpm[index]!;
    const witnessUnitsPpm = score.witnessUnitsPpm[index]!;
    if (beaconUnitsPpm === 0 && witnessUnitsPpm === 0) continue;
    const { key: hotspot, ownerKey: owner } = ledger.registry.list[index]!;
    lines.push({
      hotspot,
      owner,
      beaconUnitsPpm,
      witnessUnitsPpm,
      scalePpm: score.scalePpm[index]!,
      beaconPaid: reward.beaconAmounts[index]!,
      witnessPaid: reward.witnessAmounts[index]!,
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

function listBeaconUnits({ reportId, paid }: SelectedBeacon): BeaconUnits {
  return { reportId, paidWitnesses: paid.length, ...computeUnits(paid.length) };
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
function returnBonds({ registry, accounts }: Ledger, log: RoundLog, epoch: number): void {
  for (const hotspot of registry.list) {
    if (hotspot.isGone || hotspot.leaving?.untilEpoch !== epoch) continue;
    const payer = accounts.list[hotspot.payer]!;
    payer.balance += hotspot.bond;
    dismiss(hotspot);
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
