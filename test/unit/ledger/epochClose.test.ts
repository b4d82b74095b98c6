/** The epoch's end: who is paid by what, what the record says, and what is forgotten. */
import { expect, test } from "vitest";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { executeRound } from "../../../protocol/src/ledger/execute.ts";
import { createLedger } from "../../../protocol/src/ledger/state.ts";
import type { EpochClose } from "../../../protocol/src/ledger/types.ts";
import type { GenesisHotspot } from "../../../protocol/src/network/genesis.ts";
import { PPM } from "../../../protocol/src/network/parameters.ts";
import {
  computeLinesDigest,
  computeRecordDigest,
  decodeEpochRecord,
} from "../../../protocol/src/reward/epochRecord.ts";
import { createGenesis, keyOf, siteAt, witnessBeacon } from "../../sim/ledgerWorld.ts";
import { RING, runEpoch } from "./ring.ts";
import { inRow, Scenario, WINDOWS } from "./scenario.ts";

const { witnessWindowRounds: W, roundsPerEpoch } = WINDOWS;

/** Sends the beaconer's beacon of an epoch, whose slot must leave room, and has these witness it. */
function beaconIn(
  scenario: Scenario,
  epoch: number,
  beaconer: GenesisHotspot,
  witnesses: readonly GenesisHotspot[],
): boolean {
  const { slotRound } = scenario.challenge(beaconer, epoch);
  if (slotRound + W + 1 > epoch * roundsPerEpoch + roundsPerEpoch - 1) return false;
  const sent = scenario.beacon(beaconer, epoch);
  scenario.at(slotRound, beaconer, { beacons: [sent.report] }, epoch);
  for (const witness of witnesses) {
    scenario.at(slotRound, witness, { witnesses: [witnessBeacon(sent, witness)] }, epoch);
  }
  scenario.at(slotRound + W + 1, beaconer, scenario.revealOf(sent), epoch);
  return true;
}

test("a validator is paid by the rounds it took part in, each counted once, in full from half of them", () => {
  const genesis = createGenesis([], WINDOWS);
  const paidFor = (rounds: number, participants: Uint8Array[]): bigint => {
    const ledger = createLedger(genesis);
    let close: EpochClose | null = null;
    for (let round = 0; round < roundsPerEpoch; round++) {
      const input = { round, timeMs: genesis.timeMs + round, messages: [], evidence: [], lanes: [] };
      close = executeRound(ledger, { ...input, participants: round < rounds ? participants : [] }).epochClose;
    }
    expect(close!.validatorsPaid).toMatchObject([
      { rounds: participants.length === 0 ? 0 : rounds, amount: close!.pools.validators.paid },
    ]);
    return close!.pools.validators.paid;
  };
  const self = keyOf("validator");
  const full = paidFor(roundsPerEpoch, [self]);
  expect(full).toBe(10_000_000_000n);
  expect(paidFor(roundsPerEpoch / 2, [self])).toBe(full);
  expect(paidFor(roundsPerEpoch / 4, [self])).toBe(full / 2n);
  // Whoever is named twice counts once, and who is not in the set counts nothing.
  expect(paidFor(roundsPerEpoch / 4, [self, self, keyOf("stranger")])).toBe(full / 2n);
  expect(paidFor(0, [self])).toBe(0n);
});

test("the record says what the close says, and its digests cover the lines", () => {
  const scenario = new Scenario(inRow(6));
  scenario.corroborate();
  const beaconer = scenario.genesis.hotspots.find((hotspot) => beaconIn(scenario, 0, hotspot, []))!;
  scenario.closeEpoch();
  const others = scenario.genesis.hotspots.filter((hotspot) => hotspot !== beaconer);
  for (const hotspot of others) beaconIn(scenario, 1, hotspot, [beaconer]);
  const close = scenario.closeEpoch();
  const record = decodeEpochRecord(close.record)!;
  expect(close.lines.length).toBeGreaterThan(1);
  expect(record).toMatchObject({
    epoch: 1,
    firstRound: 40,
    lastRound: 79,
    startTimeMs: scenario.genesis.timeMs + 40 * 200,
    endTimeMs: scenario.genesis.timeMs + 79 * 200,
    pools: close.pools,
    beacons: close.beaconsClosed,
    witnessesAccepted: close.witnessesAccepted,
    accounts: close.accounts,
    rewardRoot: close.rewardRoot,
    seed: scenario.closes[0]!.nextSeed,
    nextSeed: close.nextSeed,
  });
  expect(computeRecordDigest(record)).toEqual(close.recordDigest);
  expect(computeLinesDigest(close.lines)).toEqual(record.linesDigest);
  const paid = close.lines.reduce((sum, line) => sum + line.beaconPaid + line.witnessPaid, 0n);
  expect(paid).toBe(close.pools.beacons.paid + close.pools.witnesses.paid);
});

test("what a pool cannot pay is carried into the same pool's next epoch", () => {
  const scenario = new Scenario(inRow(3));
  const first = scenario.closeEpoch();
  const second = scenario.closeEpoch();
  expect(first.pools.beacons).toMatchObject({
    carriedIn: 0n,
    paid: 0n,
    carriedOut: first.pools.beacons.emitted,
  });
  expect(second.pools.beacons.carriedIn).toBe(first.pools.beacons.carriedOut);
  expect(second.pools.witnesses.carriedOut).toBe(2n * first.pools.witnesses.emitted);
});

test("a neighbour thins out the reward for as long as it counts as active", () => {
  // Two stand 20 m apart; only one of them goes on witnessing a third, two kilometres away.
  const sites = [
    siteAt(0, 0),
    siteAt(20, 0),
    siteAt(2_000, 0),
    siteAt(2_020, 0),
    siteAt(2_040, 0),
    siteAt(2_060, 0),
  ];
  const scenario = new Scenario(
    sites.map((site, i) => ({ name: `hotspot ${i}`, site })),
    { activityEpochs: 2, scoreVersion: 1 },
  );
  const [stays, leaves, ...beaconers] = scenario.genesis.hotspots as [GenesisHotspot, GenesisHotspot];
  const scaleIn = (epoch: number, witnesses: readonly GenesisHotspot[]): number => {
    expect(beaconers.some((beaconer) => beaconIn(scenario, epoch, beaconer, witnesses))).toBe(true);
    const close = scenario.closeEpoch();
    return close.lines.find(({ hotspot }) => equalBytes(hotspot, stays.key))!.scalePpm;
  };
  const crowded = scaleIn(0, [stays, leaves]);
  expect(crowded).toBeLessThan(1_000_000);
  expect(scaleIn(1, [stays])).toBe(crowded);
  expect(scaleIn(2, [stays])).toBe(1_000_000);
});

test("seeds are known for the running epoch and the one before it", () => {
  const scenario = new Scenario(inRow(1));
  while (scenario.ledger.nextEpoch < 3) scenario.closeEpoch();
  expect([1, 2, 3, 4].map((epoch) => scenario.ledger.seedOf(epoch) !== null)).toEqual([
    false,
    true,
    true,
    false,
  ]);
  expect(scenario.ledger.seedOf(3)).toEqual(scenario.closes.at(-1)!.nextSeed);
  expect(scenario.ledger.lastClosedEpoch).toBe(2);
});

test("rounds follow one another, and time never goes back", () => {
  const genesis = createGenesis([], WINDOWS);
  const ledger = createLedger(genesis);
  const input = { messages: [], participants: [], evidence: [], lanes: [] };
  expect(() => executeRound(ledger, { ...input, round: 1, timeMs: genesis.timeMs })).toThrow(/cannot follow/);
  executeRound(ledger, { ...input, round: 0, timeMs: genesis.timeMs + 5 });
  expect(() => executeRound(ledger, { ...input, round: 1, timeMs: genesis.timeMs })).toThrow(/never less/);
});

test("every round moves the digest, and empty rounds of other times move it elsewhere", () => {
  const genesis = createGenesis([], WINDOWS);
  const empty = { messages: [], participants: [], evidence: [], lanes: [] };
  const digestAt = (timeMs: number): Uint8Array =>
    executeRound(createLedger(genesis), { ...empty, round: 0, timeMs }).stateDigest;
  expect(digestAt(genesis.timeMs)).toEqual(digestAt(genesis.timeMs));
  expect(digestAt(genesis.timeMs)).not.toEqual(digestAt(genesis.timeMs + 1));
});

test("the coverage map shows what the trusted hear of the trusted: four strangers who hear each other cover nothing", () => {
  const scenario = new Scenario(RING);
  const isStranger = (hotspot: number): boolean => hotspot < 4;
  const mostOf = ({ coverage }: EpochClose, among: (hotspot: number) => boolean): number =>
    Math.max(
      ...coverage.filter(({ hotspots }) => hotspots.every(among)).map(({ counterparts }) => counterparts),
    );
  expect(mostOf(runEpoch(scenario), isStranger)).toBeGreaterThan(3);
  runEpoch(scenario);
  const graphPpm = Uint32Array.from(RING, (_, hotspot) => (isStranger(hotspot) ? 0 : PPM));
  scenario.ledger.trust.turn({
    ...{ fromEpoch: scenario.ledger.nextEpoch, newcomerPpm: 0, graphPpm, beliefPpm: graphPpm },
    ...{ trustPpm: graphPpm, creditPpm: graphPpm },
    standingPpm: new Float64Array(RING.length),
  });
  const close = runEpoch(scenario);
  expect(mostOf(close, isStranger)).toBe(0);
  expect(mostOf(close, (hotspot) => !isStranger(hotspot))).toBe(5);
});
