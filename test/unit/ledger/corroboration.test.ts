/** Nobody is paid on one counterpart's word: what two other owners' words are, as a table and through the ledger. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Corroboration } from "../../../protocol/src/ledger/corroboration.ts";
import { decodeLedger, encodeLedger } from "../../../protocol/src/ledger/snapshot.ts";
import type { EpochClose } from "../../../protocol/src/ledger/types.ts";
import type { GenesisHotspot } from "../../../protocol/src/network/genesis.ts";
import { siteAt, witnessBeacon } from "../../sim/ledgerWorld.ts";
import { Scenario, WINDOWS } from "./scenario.ts";

const { witnessWindowRounds: W } = WINDOWS;

describe("words", () => {
  test("are two owners' since an epoch exactly where the list of all words has two", () => {
    const words = fc.array(fc.record({ hotspot: fc.nat(2), owner: fc.nat(3), later: fc.nat(2) }));
    fc.assert(
      fc.property(words, fc.nat(12), fc.option(fc.nat(2)), (list, back, forgotten) => {
        const corroboration = new Corroboration();
        let epoch = 0;
        const noted = list.map(({ later, ...word }) => {
          epoch += later;
          return { ...word, epoch };
        });
        for (const word of noted) corroboration.note(word.hotspot, word.owner, word.epoch);
        if (forgotten !== null) corroboration.forget(forgotten);
        for (const hotspot of [0, 1, 2]) {
          const owners = noted.filter((word) => word.hotspot === hotspot && word.epoch >= epoch - back);
          const count = hotspot === forgotten ? 0 : new Set(owners.map(({ owner }) => owner)).size;
          expect(corroboration.isSince(hotspot, epoch - back)).toBe(count > 1);
        }
      }),
    );
  });
});

/** Hotspots five kilometres around a middle, so that all hear each other and none stands too near. */
const town = (owners: readonly string[]) =>
  owners.map((owner, i) => ({
    ...{ name: `hotspot ${i}`, owner },
    site: siteAt(Math.round(5_000 * Math.cos(i)), Math.round(5_000 * Math.sin(i))),
  }));

/** An epoch in which beacons go out as asked for, each heard by others. */
function runEpoch(
  scenario: Scenario,
  hears: (witness: GenesisHotspot, beaconer: GenesisHotspot) => boolean,
): EpochClose {
  const epoch = scenario.ledger.nextEpoch;
  for (const beaconer of scenario.genesis.hotspots) {
    const { slotRound } = scenario.challenge(beaconer, epoch);
    const sent = scenario.beacon(beaconer, epoch);
    if (slotRound + W + 1 > (epoch + 1) * WINDOWS.roundsPerEpoch - 1) continue;
    scenario.at(slotRound, beaconer, { beacons: [sent.report] }, epoch);
    for (const witness of scenario.genesis.hotspots) {
      if (witness === beaconer || !hears(witness, beaconer)) continue;
      scenario.at(slotRound, witness, { witnesses: [witnessBeacon(sent, witness)] }, epoch);
    }
    scenario.at(slotRound + W + 1, beaconer, scenario.revealOf(sent), epoch);
  }
  return scenario.closeEpoch();
}

const runEpochs = (scenario: Scenario, epochs: number): EpochClose[] =>
  Array.from({ length: epochs }, () => runEpoch(scenario, () => true));

describe("the ledger", () => {
  test.each([
    ["a lone pair", ["ada", "ben"], 0],
    ["a town of one owner's", ["ada", "ada", "ada", "ada"], 0],
    ["one owner's three beside another's one", ["ada", "ada", "ada", "ben"], 0],
    ["three owners' one each", ["ada", "ben", "cyd"], 3],
    ["of three owners' five", ["ada", "ada", "ben", "cyd", "cyd"], 5],
  ])("pays of %s so many: %s gives %i", (_, owners, paid) => {
    const closes = runEpochs(new Scenario(town(owners)), 3);
    const keys = closes.flatMap(({ lines }) => lines.map(({ hotspot }) => String(hotspot)));
    expect(new Set(keys).size).toBe(paid);
    for (const { lines } of closes)
      for (const { beaconPaid, witnessPaid } of lines) expect(beaconPaid + witnessPaid).toBeGreaterThan(0n);
  });

  test("pays whoever has units only after two other owners' words, whoever hears whom", () => {
    const owners = ["ada", "ada", "ben", "ben", "cyd", "dan"];
    const heard = fc.array(fc.tuple(fc.nat(5), fc.nat(5)), { maxLength: 14 });
    let paid = 0;
    fc.assert(
      fc.property(fc.array(heard, { minLength: 1, maxLength: 3 }), (epochs) => {
        const scenario = new Scenario(town(owners));
        const { hotspots } = scenario.genesis;
        const words = hotspots.map(() => new Set<string>());
        for (const pairs of epochs) {
          const close = runEpoch(scenario, (witness, beaconer) =>
            pairs.some(([w, b]) => hotspots[w] === witness && hotspots[b] === beaconer),
          );
          // Some slots leave no room for their beacon: more words are counted here than were given.
          for (const [w, b] of pairs) {
            if (owners[w] === owners[b]) continue;
            words[w]!.add(owners[b]!);
            words[b]!.add(owners[w]!);
          }
          for (const { hotspot } of close.lines) {
            const index = hotspots.findIndex(({ key }) => String(key) === String(hotspot));
            expect(words[index]!.size).toBeGreaterThan(1);
            paid++;
          }
        }
      }),
      { numRuns: 60, seed: 4 },
    );
    expect(paid).toBeGreaterThan(50);
  });

  test("remembers words for as long as reciprocity, and a snapshot does", () => {
    const scenario = new Scenario(town(["ada", "ben", "cyd"]), { reciprocityEpochs: 3, trustFromEpoch: 99 });
    runEpochs(scenario, 1);
    const [ada, ben] = scenario.genesis.hotspots as [GenesisHotspot, GenesisHotspot];
    const pairOnly = (witness: GenesisHotspot, beaconer: GenesisHotspot): boolean =>
      [ada, ben].includes(witness) && [ada, ben].includes(beaconer);
    scenario.ledger = decodeLedger(scenario.genesis, encodeLedger(scenario.ledger));
    const isPaid = Array.from({ length: 6 }, () => runEpoch(scenario, pairOnly).lines.length > 0);
    expect(isPaid.slice(3)).toEqual([false, false, false]);
    expect(isPaid.slice(0, 3)).toContain(true);
  });
});
