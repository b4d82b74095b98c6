/** A beacon's life in the ledger: inclusion, reveal, close, silence. */
import { beforeEach, describe, expect, test } from "vitest";
import { OTHERS_PER_REVEAL } from "../../../protocol/src/ledger/beaconBook.ts";
import { placeAt } from "../../../protocol/src/ledger/registry.ts";
import { challengeOf } from "../../../protocol/src/ledger/reports.ts";
import type { GenesisHotspot } from "../../../protocol/src/network/genesis.ts";
import { REGION_PLANS } from "../../../protocol/src/radio/regions.ts";
import { keyOf, type SentBeacon, witnessBeacon } from "../../sim/ledgerWorld.ts";
import { earlySlotted, inRow, Scenario, WINDOWS } from "./scenario.ts";

const { witnessWindowRounds: W, revealWindowRounds: R, beaconToleranceRounds } = WINDOWS;

let scenario: Scenario;
let beaconer: GenesisHotspot;
let witness: GenesisHotspot;
let beacon: SentBeacon;
let slot: number;

beforeEach(() => {
  scenario = new Scenario(inRow(12));
  [beaconer, witness] = earlySlotted(scenario, 2) as [GenesisHotspot, GenesisHotspot];
  beacon = scenario.beacon(beaconer, 0);
  slot = scenario.challenge(beaconer, 0).slotRound;
});

const beaconAt = (round: number, epoch?: number) =>
  scenario.at(round, beaconer, { beacons: [beacon.report] }, epoch);
const witnessAt = (round: number) =>
  scenario.at(round, witness, { witnesses: [witnessBeacon(beacon, witness)] });
const revealAt = (round: number, sender = beaconer) => scenario.at(round, sender, scenario.revealOf(beacon));

describe("the honest way", () => {
  test("pending, accepted with the selection pending, then accepted and paid", () => {
    scenario.corroborate();
    const beaconMessage = beaconAt(slot);
    const witnessMessage = witnessAt(slot + 1);
    const reveal = revealAt(slot + W + 1);
    const before = scenario.runTo(slot + W);
    expect(before.outcomes).toEqual([]);
    const closing = scenario.step();
    expect(closing.beaconsClosed).toHaveLength(1);
    expect(closing.beaconsClosed[0]).toMatchObject({
      reason: null,
      witnessesAccepted: 1,
      witnessesUnpaid: 0,
      witnessesRefused: 0,
      includedRound: slot,
      closedRound: slot + W + 1,
      eirpCentiDbm: beacon.report.powerCentiDbm + 300,
    });
    expect(closing.hotspotsChanged.map(({ key }) => key)).toEqual([beaconer.key, witness.key]);
    const close = scenario.closeEpoch();
    expect(scenario.history(beaconMessage)).toEqual(["pending", "accepted"]);
    expect(scenario.history(witnessMessage)).toEqual(["pending", "accepted?", "accepted"]);
    expect(scenario.history(reveal)).toEqual(["accepted"]);
    expect(close.beaconUnits).toEqual([
      {
        reportId: { envelopeId: beaconMessage.id, index: 0 },
        paidWitnesses: 1,
        // One link of three.
        perWitnessPpm: 333_333,
        beaconerPpm: 333_333,
      },
    ]);
    expect(close.lines.map(({ hotspot }) => hotspot).sort()).toEqual([beaconer.key, witness.key].sort());
    expect(close).toMatchObject({
      beaconsClosed: 1,
      witnessesAccepted: 1,
      witnessesRefused: {},
      accounts: 3,
    });
    expect(scenario.ledger.viewAccount(beaconer.owner)!.earned).toBeGreaterThan(0n);
    expect(scenario.ledger.viewHotspot(witness.key)!.lastActiveEpoch).toBe(0);
  });

  test("the secret of a witnessed beacon moves the next seed, one that nobody witnessed does not", () => {
    const seedAfter = (withWitness: boolean, withBeacon: boolean): Uint8Array => {
      scenario = new Scenario(inRow(12));
      if (withBeacon) {
        beaconAt(slot);
        revealAt(slot + W + 1);
      }
      if (withWitness) witnessAt(slot);
      return scenario.closeEpoch().nextSeed;
    };
    const idle = seedAfter(false, false);
    expect(seedAfter(false, true)).toEqual(idle);
    expect(seedAfter(true, true)).not.toEqual(idle);
  });

  test("a beacon that nobody witnessed earns nothing and says so", () => {
    const message = beaconAt(slot);
    revealAt(slot + W + 1);
    const close = scenario.closeEpoch();
    expect(scenario.history(message)).toEqual(["pending", "refused no_witness"]);
    expect(close.lines).toEqual([]);
    expect(close.beaconsRefused).toEqual({ no_witness: 1 });
    expect(scenario.ledger.viewHotspot(beaconer.key)!.lastActiveEpoch).toBeNull();
  });
});

describe("the slot", () => {
  test("ends with the tolerance", () => {
    const message = beaconAt(slot + beaconToleranceRounds + 1);
    scenario.runTo(slot + beaconToleranceRounds + 1);
    expect(scenario.history(message)).toEqual(["refused out_of_slot"]);
  });

  test("may reach into the next epoch, where the bundle's epoch still names the challenge", () => {
    scenario = new Scenario(inRow(60));
    const late = scenario.genesis.hotspots.find((hotspot) => scenario.challenge(hotspot, 0).slotRound >= 36)!;
    beacon = scenario.beacon(late, 0);
    const message = scenario.at(40, late, { beacons: [beacon.report] }, 0);
    const place = scenario.genesis.hotspots.indexOf(late);
    const other = scenario.hotspot(place === 0 ? 1 : place - 1);
    const heard = scenario.at(40, other, { witnesses: [witnessBeacon(beacon, other)] });
    scenario.at(40 + W + 1, late, scenario.revealOf(beacon));
    scenario.closeEpoch();
    const close = scenario.closeEpoch();
    expect(scenario.history(message)).toEqual(["pending", "accepted"]);
    expect(scenario.history(heard)).toEqual(["pending", "accepted?", "accepted"]);
    expect(close.epoch).toBe(1);
    expect(close.beaconUnits).toHaveLength(1);
  });

  test("a bundle of the wrong epoch answers another challenge", () => {
    scenario.runTo(39);
    const message = scenario.at(40, beaconer, { beacons: [beacon.report] }, 1);
    scenario.step();
    // Whatever epoch 1 asks of this hotspot, its slot or its commit is another; nothing is open for epoch 0.
    scenario.at(41, beaconer, scenario.revealOf(beacon), 1);
    expect(scenario.step().outcomes.at(-1)!.reason).toBe("unknown_beacon");
    expect(scenario.history(message)[0]).not.toBe("accepted");
  });

  test("takes one beacon: the second of a challenge is a duplicate, after a refused one there is another try", () => {
    const refused = scenario.at(slot, beaconer, {
      beacons: [{ ...beacon.report, powerCentiDbm: beacon.report.powerCentiDbm + 400 }],
    });
    const first = beaconAt(slot + 1);
    const second = scenario.at(slot + 2, beaconer, {
      beacons: [scenario.beacon(beaconer, 0, "other").report],
    });
    scenario.runTo(slot + 2);
    expect(scenario.history(refused)).toEqual(["refused over_eirp"]);
    expect(scenario.history(first)).toEqual(["pending"]);
    expect(scenario.history(second)).toEqual(["refused duplicate_beacon"]);
  });
});

describe("reveals", () => {
  const reasonOfReveal = (round: number, sender = beaconer): string | null => {
    beaconAt(slot);
    const message = revealAt(round, sender);
    scenario.runTo(round);
    return scenario.last(message).reason;
  };
  const halfEnd = W + Math.floor(R / 2);

  test.each([
    ["the last round of the witness window", W, "early_reveal"],
    ["the first round after it", W + 1, null],
    ["the last round of the reveal window", W + R, null],
    ["the round after that", W + R + 1, "unknown_beacon"],
  ])("by the beaconer in %s", (_, offset, reason) => expect(reasonOfReveal(slot + offset)).toBe(reason));

  test.each([
    ["the last round of the first half", halfEnd, "not_beaconer"],
    ["the first round of the second half", halfEnd + 1, null],
  ])("by another in %s", (_, offset, reason) => expect(reasonOfReveal(slot + offset, witness)).toBe(reason));

  test("an early one changes nothing: the beacon can still be revealed", () => {
    beaconAt(slot);
    witnessAt(slot);
    const early = revealAt(slot + 1);
    // The same bundle again would be the same message: only one that differs comes a second time.
    const again = revealAt(slot + W + 1);
    const witnesses = [witnessBeacon(beacon, witness)];
    const later = scenario.at(slot + W + 2, beaconer, { ...scenario.revealOf(beacon), witnesses });
    expect(scenario.runTo(slot + W + 1).included).toEqual([]);
    expect(again.id).toEqual(early.id);
    scenario.step();
    expect(scenario.history(early)).toEqual(["refused early_reveal"]);
    expect(scenario.history(later, 1)).toEqual(["accepted"]);
  });

  test("with another secret do not fit the commit", () => {
    beaconAt(slot);
    beacon = { ...beacon, secret: scenario.beacon(beaconer, 0, "other").secret };
    const message = revealAt(slot + W + 1);
    scenario.runTo(slot + W + 1);
    expect(scenario.history(message)).toEqual(["refused reveal_mismatch"]);
  });

  test("count once, in the same round and after the close", () => {
    beaconAt(slot);
    const rounds = [slot + W + R - 1, slot + W + R - 1, slot + W + R];
    const messages = rounds.map((round, i) => revealAt(round, scenario.hotspot(i)));
    scenario.runTo(slot + W + R);
    expect(messages.map((message) => scenario.last(message).reason)).toEqual([
      null,
      "already_revealed",
      "already_revealed",
    ]);
  });

  test("of a beacon that closed in the epoch before are still known as such", () => {
    scenario = new Scenario(inRow(60));
    const fits = (hotspot: GenesisHotspot) => {
      const { slotRound } = scenario.challenge(hotspot, 0);
      return slotRound >= 25 && slotRound + W + 1 < 40;
    };
    beaconer = scenario.genesis.hotspots.find(fits)!;
    beacon = scenario.beacon(beaconer, 0);
    slot = scenario.challenge(beaconer, 0).slotRound;
    beaconAt(slot);
    revealAt(slot + W + 1);
    const again = revealAt(40);
    scenario.runTo(40);
    expect(scenario.history(again)).toEqual(["refused already_revealed"]);
  });

  test("of what was never sent are of an unknown beacon", () => {
    const early = revealAt(3);
    beaconAt(slot);
    const unheard = { tag: keyOf("nobody").slice(0, 6), secret: beacon.secret };
    const reveals = [unheard, ...scenario.revealOf(beacon).reveals];
    const message = scenario.at(slot + W + 1, beaconer, { reveals });
    scenario.runTo(slot + W + 1);
    expect(scenario.history(early)).toEqual(["refused unknown_beacon"]);
    expect(scenario.history(message, 0)).toEqual(["refused unknown_beacon"]);
    expect(scenario.history(message, 1)).toEqual(["accepted"]);
  });
});

describe("reveals under a tag that others have copied", () => {
  /** Posts a commit that begins with the beacon's tag and that nobody has a secret for. */
  const copyAt = (round: number, copycat: GenesisHotspot, powerCentiDb = 0) => {
    const { report } = scenario.beacon(copycat, 0);
    const commit = keyOf("no secret");
    commit.set(beacon.tag);
    const powerCentiDbm = report.powerCentiDbm + powerCentiDb;
    return scenario.at(round, copycat, { beacons: [{ ...report, commit, powerCentiDbm }] }, 0);
  };

  test("find the beacon that the secret fits, from the beaconer and from anyone who heard it", () => {
    const copycat = scenario.genesis.hotspots.find((hotspot) => {
      const { slotRound } = scenario.challenge(hotspot, 0);
      return (
        ![beaconer, witness].includes(hotspot) &&
        slotRound <= slot &&
        slotRound + beaconToleranceRounds >= slot
      );
    })!;
    expect(copycat).toBeDefined();
    const copied = copyAt(slot, copycat);
    const genuine = beaconAt(slot);
    const hasty = revealAt(slot + W + 1, copycat);
    const helped = revealAt(slot + W + Math.floor(R / 2) + 1, witness);
    const result = scenario.runTo(slot + W + Math.floor(R / 2) + 1);
    expect(scenario.history(copied)).toEqual(["pending"]);
    expect(scenario.history(hasty)).toEqual(["refused not_beaconer"]);
    expect(scenario.history(helped)).toEqual(["accepted"]);
    expect(scenario.last(helped).beacon).toEqual({ envelopeId: genuine.id, index: 0 });
    expect(result.beaconsClosed.map(({ hotspot }) => hotspot)).toEqual([beaconer.key]);
    // The copy is still open, so that the secret now fits none; once it has ended the genuine one is remembered.
    const bundles = [slot + W + R, slot + W + R + 1].map((round, i) =>
      revealAt(round, scenario.hotspot(i + 8)),
    );
    scenario.runTo(slot + W + R + 1);
    expect(bundles.map((message) => scenario.last(message).reason)).toEqual([
      "reveal_mismatch",
      "already_revealed",
    ]);
  });

  test("of a refused beacon report are of an unknown beacon: nothing was opened", () => {
    const stub = copyAt(slot, beaconer, -1_000);
    const message = revealAt(slot + W + 1);
    scenario.runTo(slot + W + 1);
    expect(scenario.history(stub)).toEqual(["refused challenge_unmet"]);
    expect(scenario.history(message)).toEqual(["refused unknown_beacon"]);
  });

  test("by others are held against the first sixteen only, the beaconer's own against its beacon always", () => {
    scenario = new Scenario(inRow(120), { beaconToleranceRounds: 39 });
    beaconer = scenario.genesis.hotspots.find((hotspot) => scenario.challenge(hotspot, 0).slotRound === 15)!;
    beacon = scenario.beacon(beaconer, 0);
    const due = scenario.genesis.hotspots.filter(
      (hotspot) => scenario.challenge(hotspot, 0).slotRound <= 15 && hotspot !== beaconer,
    );
    const reasonsAfter = (copies: number): string[] => {
      scenario = new Scenario(inRow(120), { beaconToleranceRounds: 39 });
      for (const copycat of due.slice(0, copies)) copyAt(15, copycat);
      beaconAt(15);
      const others = revealAt(15 + W + R, due.at(-1)!);
      const own = revealAt(15 + W + R);
      scenario.runTo(15 + W + R);
      return [others, own].flatMap((message) => scenario.history(message));
    };
    expect(due.length).toBeGreaterThan(OTHERS_PER_REVEAL);
    expect(reasonsAfter(OTHERS_PER_REVEAL - 1)).toEqual(["accepted", "refused already_revealed"]);
    expect(reasonsAfter(OTHERS_PER_REVEAL)).toEqual(["refused reveal_mismatch", "accepted"]);
  });
});

describe("silence", () => {
  test("follows a beacon that is never revealed: not challenged for the epochs after its close", () => {
    const message = beaconAt(slot);
    const heard = witnessAt(slot);
    const closing = scenario.runTo(slot + W + R);
    expect(scenario.history(message)).toEqual(["pending", "refused never_revealed"]);
    expect(scenario.history(heard)).toEqual(["pending", "refused never_revealed"]);
    expect(closing.beaconsClosed[0]).toMatchObject({ reason: "never_revealed", secret: null });
    expect(scenario.ledger.viewHotspot(beaconer.key)!.silentUntilEpoch).toBe(2);
    const reasons: (string | null)[] = [];
    for (let epoch = 1; epoch <= 3; epoch++) {
      if (scenario.round < epoch * 40 - 1) scenario.closeEpoch();
      beacon = scenario.beacon(beaconer, epoch);
      const { slotRound } = scenario.challenge(beaconer, epoch);
      const next = scenario.at(slotRound, beaconer, { beacons: [beacon.report] });
      scenario.runTo(slotRound);
      reasons.push(scenario.last(next).reason);
      if (scenario.round < epoch * 40 + 39) scenario.closeEpoch();
    }
    expect(reasons).toEqual(["not_challenged", "not_challenged", null]);
  });
});

describe("silence over epochs", () => {
  // Where nobody witnesses, seeds follow from one another alone, so slots of later epochs can be looked up beforehand.
  const slotsOf = (hotspots: number): readonly number[][] => {
    const idle = new Scenario(inRow(hotspots));
    const slots = idle.genesis.hotspots.map(() => [] as number[]);
    for (let epoch = 0; epoch < 4; epoch++) {
      for (const [i, hotspot] of idle.genesis.hotspots.entries()) {
        slots[i]!.push(idle.challenge(hotspot, epoch).slotRound);
      }
      idle.closeEpoch();
    }
    return slots;
  };

  test("begins with the epoch after the close, and a second one only lengthens it", () => {
    const slots = slotsOf(120);
    // Its first beacon closes in epoch 1 before its slot there, its second in epoch 2 before its slot there.
    const place = slots.findIndex(
      ([first, second, third]) =>
        first! + W + R >= 40 && second! > first! + W + R && second! + W + R >= 80 && third! > second! + W + R,
    );
    scenario = new Scenario(inRow(120));
    beaconer = scenario.hotspot(place);
    const reasons = slots[place]!.map((slotRound, epoch) => {
      scenario.runTo(slotRound - 1);
      const message = scenario.at(slotRound, beaconer, {
        beacons: [scenario.beacon(beaconer, epoch).report],
      });
      scenario.step();
      return scenario.last(message).reason;
    });
    expect(reasons).toEqual([null, null, "not_challenged", "not_challenged"]);
    expect(scenario.ledger.viewHotspot(beaconer.key)!.silentUntilEpoch).toBe(4);
  });
});

describe("who may beacon", () => {
  test("nobody who is not registered", () => {
    const message = scenario.at(slot, keyOf("stranger"), { beacons: [beacon.report] });
    scenario.runTo(slot);
    expect(scenario.history(message)).toEqual(["refused unknown_hotspot"]);
  });

  test("a hotspot is challenged once registration and assertion were in force at the end of the epoch before last", () => {
    const key = keyOf("newcomer");
    const bank = keyOf("bank");
    const signatures = { hotspotSignature: new Uint8Array(64), ownerSignature: new Uint8Array(64) };
    const registration = { hotspot: key, owner: bank, epoch: 0 };
    scenario.transact(1, bank, { kind: "register", epoch: 0, nonce: 0, registration, ...signatures });
    const { cell, latE7, lngE7 } = scenario.hotspot(0);
    const place = { hotspot: key, cell, latE7, lngE7, gainCentiDbi: 300, elevationM: 5, region: 1, epoch: 0 };
    scenario.transact(1, bank, { kind: "assert", epoch: 0, nonce: 1, assertion: place, ...signatures });
    const newcomer = { ...scenario.hotspot(0), key, owner: bank };
    const reasons: (string | null)[] = [];
    for (let epoch = 0; epoch <= 3; epoch++) {
      const { slotRound } = scenario.challenge(newcomer, epoch);
      const round = Math.max(slotRound, 2);
      const { report } = scenario.beacon(newcomer, epoch);
      const message = scenario.at(round, key, { beacons: [report] }, epoch);
      scenario.runTo(round);
      reasons.push(scenario.last(message).reason);
      if (scenario.round < epoch * 40 + 39) scenario.closeEpoch();
    }
    // Registered in epoch 0; the assertion of epoch 0 is in force from 1 on, so at the end of 1, so for 3.
    expect(reasons).toEqual(["not_asserted", "not_challenged", "not_challenged", null]);
  });

  test("a hotspot that asserts another region is not challenged by a seed that it may have known: it would choose its draws", () => {
    scenario = new Scenario(inRow(12), { assertFee: 0n, txFee: 0n });
    const { key, owner, cell, latE7, lngE7, gainCentiDbi, elevationM } = beaconer;
    const challenged: boolean[] = [];
    for (let epoch = 0; epoch <= 3; epoch++) {
      const hotspot = scenario.ledger.registry.find(key)!;
      challenged.push(challengeOf(scenario.ledger, hotspot, placeAt(hotspot, epoch)!, epoch) !== null);
      if (epoch === 0) {
        const place = { cell, latE7, lngE7, gainCentiDbi, elevationM, region: REGION_PLANS.US915.id };
        const assertion = { hotspot: key, ...place, epoch };
        scenario.transact(1, owner, {
          ...{ kind: "assert", epoch, nonce: 0, assertion, hotspotSignature: new Uint8Array(64) },
        });
      }
      scenario.closeEpoch();
    }
    expect(placeAt(scenario.ledger.registry.find(key)!, 3)!.region).toBe("US915");
    expect(challenged).toEqual([true, false, false, true]);
  });

  test("a clock that runs ahead of the round's time by more than the tolerance is future-dated", () => {
    const timeMs = scenario.genesis.timeMs + slot * 200 + 10_001;
    const ahead = scenario.at(slot, beaconer, { beacons: [{ ...beacon.report, timeMs }] });
    const inTime = scenario.at(slot, beaconer, { beacons: [{ ...beacon.report, timeMs: timeMs - 1 }] });
    scenario.runTo(slot);
    expect(scenario.history(ahead)).toEqual(["refused future_dated"]);
    expect(scenario.history(inTime)).toEqual(["pending"]);
  });
});
