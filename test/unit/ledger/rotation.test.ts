/** Rotation: a hotspot goes on under another key, and nothing of what it was, sent or earned is lost or gained by it. */
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { compareBytes, uint64Bytes } from "../../../protocol/src/bytes/bytes.ts";
import { computeProof } from "../../../protocol/src/evidence/commitReveal.ts";
import { placeAt } from "../../../protocol/src/ledger/registry.ts";
import { challengeOf } from "../../../protocol/src/ledger/reports.ts";
import { ROTATION_EPOCHS } from "../../../protocol/src/ledger/rotation.ts";
import { decodeLedger, encodeLedger } from "../../../protocol/src/ledger/snapshot.ts";
import { SortedKeys } from "../../../protocol/src/ledger/sortedKeys.ts";
import type { LedgerMessage } from "../../../protocol/src/ledger/types.ts";
import type { GenesisHotspot } from "../../../protocol/src/network/genesis.ts";
import { epochOfRound } from "../../../protocol/src/network/parameters.ts";
import { encodeMeasurement } from "../../../protocol/src/wire/reports.ts";
import { keyOf, witnessBeacon } from "../../sim/ledgerWorld.ts";
import { earlySlotted, inRow, Scenario, WINDOWS } from "./scenario.ts";

const NEW = keyOf("the new key");
const EPOCH_ROUNDS = WINDOWS.roundsPerEpoch;

let scenario: Scenario;
let hotspot: GenesisHotspot;
let other: GenesisHotspot;
beforeEach(() => {
  scenario = new Scenario(inRow(12));
  [hotspot, other] = earlySlotted(scenario, 2) as [GenesisHotspot, GenesisHotspot];
});

type Change = { readonly from?: Uint8Array; readonly owner?: Uint8Array };

/** Puts a rotation into a round. The signatures were checked before it came into a cut. */
function rotateAt(round: number, newKey = NEW, change: Change = {}): LedgerMessage {
  const epoch = epochOfRound(scenario.genesis.parameters, round);
  const { from = hotspot.key, owner = hotspot.owner } = change;
  const nonce = scenario.ledger.accounts.find(owner)?.nonce ?? 0;
  return scenario.transact(round, owner, {
    ...{ kind: "rotate", epoch, nonce, hotspot: from, newKey },
    ...{ hotspotSignature: new Uint8Array(64), newSignature: new Uint8Array(64) },
  });
}

/** Executes up to the round of a rotation and gives its reason. */
function reasonAt(round: number, newKey?: Uint8Array, change?: Change): string | null {
  const { id } = rotateAt(round, newKey, change);
  const outcome = scenario.runTo(round).transactions.find((transaction) => transaction.id === id);
  return outcome!.reason;
}

describe("a rotated hotspot", () => {
  test("keeps everything but its key", () => {
    const before = scenario.ledger.registry.find(hotspot.key)!;
    const { index, owner, bond, registeredEpoch } = before;
    const place = placeAt(before, 0);
    expect(reasonAt(3)).toBeNull();
    const { registry } = scenario.ledger;
    expect(registry.find(hotspot.key)).toBeNull();
    const after = registry.find(NEW)!;
    expect(after).toMatchObject({ index, owner, bond, registeredEpoch, key: NEW, rotatedEpoch: 0 });
    expect(placeAt(after, 0)).toEqual(place);
    expect(registry.list).toHaveLength(12);
  });

  test("is told of as one that has gone and one that is there", () => {
    rotateAt(3);
    const { hotspotsChanged } = scenario.runTo(3);
    expect(hotspotsChanged.map(({ key }) => key)).toEqual([hotspot.key, NEW]);
    const [gone, there] = hotspotsChanged;
    expect(gone).toMatchObject({ assertion: null, bond: 0n, leavingUntilEpoch: -1 });
    expect(there).toMatchObject({ owner: hotspot.owner, leavingUntilEpoch: null });
    expect(there!.assertion).toMatchObject({ cell: hotspot.cell });
  });

  test("reports under the new key in the round after, and no more under the old one", () => {
    const beacon = scenario.beacon(other, 0);
    const { slotRound } = scenario.challenge(other, 0);
    scenario.at(slotRound, other, { beacons: [beacon.report] });
    rotateAt(slotRound);
    const renewed = { ...hotspot, key: NEW };
    const late = scenario.at(slotRound + 1, hotspot, { witnesses: [witnessBeacon(beacon, hotspot)] });
    const good = scenario.at(slotRound + 1, renewed, { witnesses: [witnessBeacon(beacon, renewed)] });
    scenario.at(slotRound + WINDOWS.witnessWindowRounds + 1, other, scenario.revealOf(beacon));
    scenario.closeEpoch();
    expect(scenario.history(late)).toEqual(["refused unknown_hotspot"]);
    expect(scenario.history(good).at(-1)).toMatch(/^accepted/);
  });

  test("has what it sent under the old key judged as ever", () => {
    // Its beacon is open, and its report of another's beacon waits, while the key is changed.
    const own = scenario.beacon(hotspot, 0);
    const heard = scenario.beacon(other, 0);
    const ownSlot = scenario.challenge(hotspot, 0).slotRound;
    const heardSlot = scenario.challenge(other, 0).slotRound;
    const last = Math.max(ownSlot, heardSlot) + 1;
    const sent = scenario.at(ownSlot, hotspot, { beacons: [own.report] });
    scenario.at(heardSlot, other, { beacons: [heard.report] });
    const report = scenario.at(heardSlot, hotspot, { witnesses: [witnessBeacon(heard, hotspot)] });
    const witness = scenario.at(ownSlot, other, { witnesses: [witnessBeacon(own, other)] });
    rotateAt(last);
    // It reveals with the new key, as the beaconer that it is.
    const revealRound = ownSlot + WINDOWS.witnessWindowRounds + 1;
    const revealed = scenario.at(Math.max(revealRound, last + 1), NEW, scenario.revealOf(own));
    const heardReveal = heardSlot + WINDOWS.witnessWindowRounds + 1;
    scenario.at(Math.max(heardReveal, last + 1), other, scenario.revealOf(heard));
    scenario.closeEpoch();
    expect(scenario.history(revealed)).toEqual(["accepted"]);
    expect(scenario.history(sent).at(-1)).toBe("accepted");
    for (const message of [report, witness]) expect(scenario.history(message).at(-1)).toMatch(/^accepted/);
  });

  test("cannot have a proof that neither of its keys made", () => {
    const heard = scenario.beacon(other, 0);
    const { slotRound } = scenario.challenge(other, 0);
    scenario.at(slotRound, other, { beacons: [heard.report] });
    const report = witnessBeacon(heard, hotspot);
    const forged = computeProof(keyOf("no secret").slice(0, 16), NEW, encodeMeasurement(report.measurement));
    rotateAt(slotRound);
    const message = scenario.at(slotRound + 1, NEW, { witnesses: [{ ...report, proof: forged }] });
    scenario.at(slotRound + WINDOWS.witnessWindowRounds + 1, other, scenario.revealOf(heard));
    scenario.closeEpoch();
    expect(scenario.history(message).at(-1)).toBe("refused proof_mismatch");
  });

  test("is not challenged before the second epoch after, for which no seed was known", () => {
    reasonAt(3);
    const renewed = scenario.ledger.registry.find(NEW)!;
    const others = scenario.ledger.registry.find(other.key)!;
    for (const epoch of [0, 1, 2]) {
      while (epochOfRound(scenario.genesis.parameters, scenario.round) < epoch) scenario.step();
      const place = placeAt(renewed, epoch)!;
      expect(challengeOf(scenario.ledger, others, placeAt(others, epoch)!, epoch)).not.toBeNull();
      expect(challengeOf(scenario.ledger, renewed, place, epoch) === null).toBe(epoch < 2);
    }
  });

  test("chooses nothing in an epoch's last round, in which all secrets are public: no seed, and not whom it draws", () => {
    const drawnWith = (renewed: GenesisHotspot | null, newKey: Uint8Array) => {
      scenario = new Scenario(inRow(12), { witnessCap: 3 });
      for (const beaconer of [hotspot, other]) {
        const beacon = scenario.beacon(beaconer, 0);
        const { slotRound } = scenario.challenge(beaconer, 0);
        scenario.at(slotRound, beaconer, { beacons: [beacon.report] });
        for (const witness of scenario.genesis.hotspots) {
          if (witness === beaconer) continue;
          scenario.at(slotRound, witness, { witnesses: [witnessBeacon(beacon, witness)] });
        }
        scenario.at(slotRound + WINDOWS.witnessWindowRounds + 1, beaconer, scenario.revealOf(beacon));
      }
      if (renewed !== null) rotateAt(EPOCH_ROUNDS - 1, newKey, { from: renewed.key, owner: renewed.owner });
      const { nextSeed, lines } = scenario.closeEpoch();
      const { registry } = scenario.ledger;
      const paid = lines.filter(({ witnessPaid }) => witnessPaid > 0n);
      return { nextSeed, paid: new Set(paid.map((line) => registry.find(line.hotspot)!.index)) };
    };
    const before = drawnWith(null, NEW);
    expect(before.paid.size).toBeLessThan(7);
    for (const [i, renewed] of scenario.genesis.hotspots.entries()) {
      expect(drawnWith(renewed, keyOf(`ground ${i}`))).toEqual(before);
    }
  });

  test("comes back whole from a snapshot, retired keys too", () => {
    reasonAt(3);
    const bytes = encodeLedger(scenario.ledger);
    const restored = decodeLedger(scenario.genesis, bytes);
    expect(encodeLedger(restored)).toEqual(bytes);
    expect(restored.registry.isRetired(hotspot.key)).toBe(true);
    const kept = scenario.ledger;
    const round = EPOCH_ROUNDS + 1;
    rotateAt(round, hotspot.key, { from: NEW });
    const first = scenario.runTo(round);
    scenario.ledger = restored;
    rotateAt(round, hotspot.key, { from: NEW });
    const again = scenario.runTo(round);
    expect(again.stateDigest).toEqual(first.stateDigest);
    expect(encodeLedger(restored)).toEqual(encodeLedger(kept));
  });
});

describe("a rotation is refused", () => {
  test.each<[string, Uint8Array | undefined, () => Change]>([
    ["not_registered", undefined, () => ({ from: keyOf("nobody") })],
    ["not_owner", undefined, () => ({ owner: other.owner })],
  ])("as %s", (reason, newKey, change) => {
    expect(reasonAt(3, newKey, change())).toBe(reason);
    expect(scenario.ledger.registry.find(hotspot.key)).not.toBeNull();
  });

  test("onto a key that is a hotspot's, its own or one that ever was", () => {
    expect(reasonAt(3, other.key)).toBe("already_registered");
    expect(reasonAt(4, hotspot.key)).toBe("already_registered");
    expect(reasonAt(5)).toBeNull();
    expect(reasonAt(6, hotspot.key, { from: other.key, owner: other.owner })).toBe("already_registered");
  });

  test("while the key before the last may still be needed", () => {
    const [second, third] = [keyOf("second"), keyOf("third")];
    expect(reasonAt(3, second)).toBeNull();
    for (let epoch = 0; epoch < ROTATION_EPOCHS; epoch++) {
      const round = Math.max(4, epoch * EPOCH_ROUNDS);
      expect(reasonAt(round, third, { from: second })).toBe("rotated_lately");
    }
    expect(reasonAt(ROTATION_EPOCHS * EPOCH_ROUNDS, third, { from: second })).toBeNull();
    expect(scenario.ledger.registry.find(third)!.formerKeys).toEqual([hotspot.key, second]);
  });

  test("of a hotspot that is leaving; and a retired key is never registered again", () => {
    const { owner } = hotspot;
    reasonAt(3);
    const registration = { hotspot: hotspot.key, owner, epoch: 0 };
    scenario.transact(4, owner, {
      ...{ kind: "register", epoch: 0, nonce: 1, registration },
      ...{ hotspotSignature: new Uint8Array(64), ownerSignature: new Uint8Array(64) },
    });
    scenario.transact(5, owner, { kind: "deregister", epoch: 0, nonce: 2, hotspot: NEW });
    expect(scenario.runTo(4).transactions.map(({ reason }) => reason)).toEqual(["already_registered"]);
    expect(scenario.runTo(5).transactions.map(({ reason }) => reason)).toEqual([null]);
    expect(reasonAt(6, keyOf("another"), { from: NEW })).toBe("not_registered");
  });
});

describe("the order of keys", () => {
  test("is that of the keys that there are, whichever were replaced when", () => {
    const key = fc.uint8Array({ minLength: 32, maxLength: 32 });
    const keys = fc.uniqueArray(key, { minLength: 2, maxLength: 20, selector: (bytes) => bytes.join() });
    fc.assert(
      fc.property(keys, fc.array(fc.nat(), { maxLength: 10 }), (all, picks) => {
        const present = all.slice(0, Math.ceil(all.length / 2));
        const fresh = all.slice(present.length);
        const order = new SortedKeys();
        for (const [index, one] of present.entries()) order.add(one, index);
        for (const [turn, pick] of picks.slice(0, fresh.length).entries()) {
          const index = pick % present.length;
          present[index] = fresh.pop()!;
          order.replace(present[index], index);
          expect(order.count).toBe(present.length);
          // Several may be replaced, and one several times, before anybody asks.
          if (turn % 3 !== 0) continue;
          const expected = [...present.keys()].sort((a, b) => compareBytes(present[a]!, present[b]!));
          expect([...order.list()]).toEqual(expected);
          expect(order.placeOf(present[index])).toBe(expected.indexOf(index));
        }
      }),
    );
  });

  test("is made once for any number of replaced keys", { timeout: 15_000 }, () => {
    // A merge for each would take some twenty seconds.
    const hotspots = 20_000;
    const order = new SortedKeys();
    for (let i = 0; i < hotspots; i++) order.add(uint64Bytes(2 * i), i);
    order.list();
    for (let i = 0; i < hotspots / 4; i++) order.replace(uint64Bytes(2 * i + 1), i);
    expect(order.ranks()).toHaveLength(hotspots);
  });
});
