/** The caps at the epoch's end: who is paid is drawn by a seed that did not exist when they reported. */
import { describe, expect, test } from "vitest";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { GenesisHotspot } from "../../../protocol/src/network/genesis.ts";
import type { Parameters } from "../../../protocol/src/network/parameters.ts";
import { selectWitnesses } from "../../../protocol/src/score/selectWitnesses.ts";
import { type SentBeacon, siteAt, witnessBeacon } from "../../sim/ledgerWorld.ts";
import { earlySlotted, Scenario, WINDOWS } from "./scenario.ts";

const { witnessWindowRounds: W } = WINDOWS;

let scenario: Scenario;
let beaconer: GenesisHotspot;
let beacon: SentBeacon;
let slot: number;

describe("caps at the epoch's end", () => {
  const heardByAll = (
    owners: (index: number) => string | undefined,
    parameters: Partial<Parameters> = {},
  ) => {
    const options = Array.from({ length: 24 }, (_, i) => {
      const owner = owners(i);
      const site = siteAt((i % 6) * 900, Math.floor(i / 6) * 900);
      return { name: `hotspot ${i}`, site, ...(owner === undefined ? {} : { owner }) };
    });
    scenario = new Scenario(options, parameters);
    [beaconer] = earlySlotted(scenario, 1) as [GenesisHotspot];
    beacon = scenario.beacon(beaconer, 0);
    slot = scenario.challenge(beaconer, 0).slotRound;
    scenario.at(slot, beaconer, { beacons: [beacon.report] });
    scenario.at(slot + W + 1, beaconer, scenario.revealOf(beacon));
    const others = scenario.genesis.hotspots.filter((hotspot) => hotspot !== beaconer);
    return others.map((other) => ({
      other,
      message: scenario.at(slot, other, { witnesses: [witnessBeacon(beacon, other)] }),
    }));
  };

  test("fourteen are paid, drawn by the next epoch's seed and not by arrival", () => {
    const heard = heardByAll(() => undefined);
    const close = scenario.closeEpoch();
    const drawn = selectWitnesses(
      close.nextSeed,
      beacon.report.commit,
      heard.map(({ other }) => scenario.ledger.registry.find(other.key)!.index),
      14,
    );
    const paid = heard.flatMap(({ message }, i) => (scenario.history(message)[2] === "accepted" ? [i] : []));
    expect(paid).toEqual(drawn);
    expect(paid).toHaveLength(14);
    for (const { message } of heard) {
      expect(["accepted", "accepted over_witness_cap"]).toContain(scenario.history(message)[2]);
    }
    expect(close).toMatchObject({ witnessesAccepted: 23, witnessesUnpaid: { over_witness_cap: 9 } });
    expect(close.beaconUnits[0]!.paidWitnesses).toBe(14);
  });

  test("two of one owner are paid, and one of the beaconer's own", () => {
    const heard = heardByAll((i) => (i < 8 ? "fleet" : "crowd"));
    const close = scenario.closeEpoch();
    const isOwn = (owner: Uint8Array) => encodeHex(owner) === encodeHex(beaconer.owner);
    const paid = heard.filter(({ message }) => scenario.history(message)[2] === "accepted");
    expect(paid.filter(({ other }) => isOwn(other.owner))).toHaveLength(1);
    expect(paid.filter(({ other }) => !isOwn(other.owner))).toHaveLength(2);
    expect(close.beaconUnits[0]!.paidWitnesses).toBe(3);
    expect(close.witnessesUnpaid).toEqual({ over_owner_cap: 20 });
  });

  test("where an owner has one place, the beaconer has it", () => {
    const heard = heardByAll(() => "fleet", { ownerWitnessCap: 1 });
    const close = scenario.closeEpoch();
    for (const { message } of heard)
      expect(scenario.history(message)).toEqual(["pending", "accepted over_owner_cap"]);
    expect(close.beaconsRefused).toEqual({ no_witness: 1 });
  });

  test("a witness that is unpaid for another reason takes nobody's place under the owner's cap", () => {
    // Six of the fleet stand beside the beaconer, two at a distance.
    const far = new Set([1, 2]);
    const options = Array.from({ length: 9 }, (_, i) => ({
      name: `hotspot ${i}`,
      owner: i === 0 ? "alone" : "fleet",
      site: far.has(i) ? siteAt(3_000 + i, 0) : siteAt(i * 20, 0),
    }));
    scenario = new Scenario(options, { beaconToleranceRounds: 39, roundsPerEpoch: 80, scoreVersion: 1 });
    beaconer = scenario.hotspot(0);
    beacon = scenario.beacon(beaconer, 0);
    slot = scenario.challenge(beaconer, 0).slotRound;
    expect(slot + W + 1).toBeLessThan(80);
    scenario.at(slot, beaconer, { beacons: [beacon.report] });
    for (const other of scenario.genesis.hotspots.slice(1)) {
      scenario.at(slot, other, { witnesses: [witnessBeacon(beacon, other)] });
    }
    scenario.at(slot + W + 1, beaconer, scenario.revealOf(beacon));
    const close = scenario.closeEpoch();
    expect(close.witnessesUnpaid).toEqual({ too_close: 6 });
    expect(close.beaconUnits[0]!.paidWitnesses).toBe(2);
  });
});
