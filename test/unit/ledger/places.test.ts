/** Which assertion counts: the one in force at the start of the beacon's own epoch, for as long as a verdict can ask. */
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import {
  assertPlace,
  type Hotspot,
  type Place,
  placeAt,
  Registry,
} from "../../../protocol/src/ledger/registry.ts";
import type { GenesisHotspot } from "../../../protocol/src/network/genesis.ts";
import { assertedAt, keyOf, type SentBeacon, siteAt, witnessBeacon } from "../../sim/ledgerWorld.ts";
import { earlySlotted, inRow, Scenario, WINDOWS } from "./scenario.ts";

const { witnessWindowRounds: W } = WINDOWS;

let scenario: Scenario;
let beaconer: GenesisHotspot;
let witness: GenesisHotspot;
let beacon: SentBeacon;

beforeEach(() => {
  scenario = new Scenario(inRow(12));
  [beaconer, witness] = earlySlotted(scenario, 2) as [GenesisHotspot, GenesisHotspot];
});

describe("what is in force at the start of the beacon's epoch counts", () => {
  const signatures = { hotspotSignature: new Uint8Array(64), ownerSignature: new Uint8Array(64) };
  /** Asserts a place 40 m from a site, in an epoch. */
  const moveNextTo = (
    round: number,
    owner: Uint8Array,
    hotspot: Uint8Array,
    nonce: number,
    eastM: number,
  ): void => {
    const epoch = Math.floor(round / WINDOWS.roundsPerEpoch);
    const place = assertedAt(siteAt(eastM + 40, 0));
    const assertion = { hotspot, ...place, gainCentiDbi: 300, elevationM: 9, region: 1, epoch };
    scenario.transact(round, owner, { kind: "assert", epoch, nonce, assertion, ...signatures });
  };

  test.each([
    ["witness", 1],
    ["beaconer", 0],
  ])("not where the %s moved to before the beacon was included", (_, mover) => {
    scenario = new Scenario(inRow(60));
    const place = scenario.genesis.hotspots.findIndex(
      (hotspot) => scenario.challenge(hotspot, 0).slotRound >= 36,
    );
    const neighbour = place === 0 ? 1 : place - 1;
    beaconer = scenario.hotspot(place);
    witness = scenario.hotspot(neighbour);
    beacon = scenario.beacon(beaconer, 0);
    const [moving, towards] = mover === 1 ? [witness, place] : [beaconer, neighbour];
    moveNextTo(5, moving.owner, moving.key, 0, towards * 2_000);
    scenario.at(40, beaconer, { beacons: [beacon.report] }, 0);
    const message = scenario.at(40, witness, { witnesses: [witnessBeacon(beacon, witness)] }, 0);
    scenario.at(40 + W + 1, beaconer, scenario.revealOf(beacon), 1);
    scenario.runTo(40 + W + 1);
    expect(scenario.ledger.viewHotspot(moving.key)!.assertion!.fromEpoch).toBe(1);
    expect(scenario.history(message)).toEqual(["pending", "accepted?"]);
    expect(scenario.last(message).distanceM).toBeGreaterThan(1_900);
  });

  test("a beacon is challenged by what was in force two epochs before its own, even when included one epoch after", () => {
    scenario = new Scenario(inRow(60));
    const lastEpoch = 3;
    for (let epoch = 0; epoch < lastEpoch; epoch++) scenario.closeEpoch();
    // A slot so late that its report may still be included in the epoch after.
    const late = scenario.genesis.hotspots.findIndex(
      (hotspot) => scenario.challenge(hotspot, lastEpoch).slotRound % WINDOWS.roundsPerEpoch >= 37,
    );
    expect(late).not.toBe(-1);
    const roundIn = (epoch: number): number => epoch * WINDOWS.roundsPerEpoch;
    const run = (assertedIn: readonly number[]): string[] => {
      const again = new Scenario(inRow(60));
      const hotspot = again.hotspot(late);
      for (const [nonce, epoch] of assertedIn.entries()) {
        // Transactions of a round execute after its reports.
        const round = roundIn(epoch);
        again.transact(round, hotspot.owner, {
          ...{ kind: "assert", epoch, nonce, hotspotSignature: new Uint8Array(64) },
          assertion: {
            ...{ hotspot: hotspot.key, gainCentiDbi: hotspot.gainCentiDbi, elevationM: 9, region: 1, epoch },
            ...assertedAt(siteAt(late * 2_000 + 40, 0)),
          },
        });
      }
      while (again.round < roundIn(lastEpoch)) again.step();
      const sent = again.beacon(hotspot, lastEpoch);
      const message = again.at(roundIn(lastEpoch + 1) + 1, hotspot, { beacons: [sent.report] }, lastEpoch);
      again.runTo(roundIn(lastEpoch + 1) + 1);
      return again.history(message);
    };
    expect(run([1])).toEqual(["pending"]);
    expect(run([1, 4])).toEqual(["pending"]);
  });

  test("a newcomer witnesses from the epoch after its registration and assertion on", () => {
    const bank = keyOf("bank");
    const key = keyOf("newcomer");
    const registration = { hotspot: key, owner: bank, epoch: 0 };
    scenario.transact(0, bank, { kind: "register", epoch: 0, nonce: 0, registration, ...signatures });
    moveNextTo(0, bank, key, 1, scenario.genesis.hotspots.indexOf(beaconer) * 2_000 + 1_000);
    const newcomer = { ...witness, ...assertedAt(siteAt(0, 0)), key };
    const verdicts = [0, 1].map((epoch) => {
      const { slotRound } = scenario.challenge(beaconer, epoch);
      const sent = scenario.beacon(beaconer, epoch);
      scenario.at(slotRound, beaconer, { beacons: [sent.report] }, epoch);
      const report = witnessBeacon(sent, newcomer, { rssiDeciDbm: -1_000 });
      const message = scenario.at(slotRound, key, { witnesses: [report] }, epoch);
      scenario.at(slotRound + W + 1, beaconer, scenario.revealOf(sent));
      scenario.runTo(slotRound + W + 1);
      const verdict = scenario.history(message)[1];
      if (scenario.round < epoch * 40 + 39) scenario.closeEpoch();
      return verdict;
    });
    expect(verdicts).toEqual(["refused unknown_hotspot", "accepted?"]);
  });
});

describe("the registry", () => {
  const placeFrom = (fromEpoch: number, elevationM: number): Place => ({
    cellHi: 1,
    cellLo: 2,
    latE7: 3,
    lngE7: 4,
    gainCentiDbi: 5,
    elevationM,
    region: "EU868",
    fromEpoch,
  });

  test("keeps at most five assertions, and all that a challenge three epochs back can ask for", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.nat(3)), { maxLength: 40 }), (steps) => {
        const owner = { owner: 0, ownerKey: keyOf("owner"), registeredEpoch: 0, bond: 0n, payer: 0 };
        const hotspot: Hotspot = new Registry().register({ ...owner, key: keyOf("hotspot") });
        const history: Place[] = [];
        let epoch = 0;
        for (const [later, assertions] of steps) {
          epoch += later;
          for (let i = 0; i < assertions; i++) {
            const place = placeFrom(epoch + 1, history.length);
            history.push(place);
            assertPlace(hotspot, place, epoch);
          }
          expect(hotspot.places.length).toBeLessThanOrEqual(5);
          for (const asked of [epoch - 3, epoch - 2, epoch - 1, epoch, epoch + 1]) {
            const expected = history.findLast(({ fromEpoch }) => fromEpoch <= asked) ?? null;
            expect(placeAt(hotspot, asked)).toEqual(expected);
          }
        }
      }),
    );
  });

  test("takes a key once", () => {
    const registry = new Registry();
    const terms = { owner: 0, ownerKey: keyOf("owner"), registeredEpoch: 0, bond: 0n, payer: 0 };
    const entry = { ...terms, key: keyOf("twice") };
    registry.register(entry);
    expect(() => registry.register(entry)).toThrow(RangeError);
  });
});
