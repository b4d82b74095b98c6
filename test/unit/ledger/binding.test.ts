/** Bindings: whose beacons need a device's co-signature, from when, until when, and which device may stand beside which hotspot. */
import { beforeEach, describe, expect, test } from "vitest";
import { deviceKeyAt } from "../../../protocol/src/ledger/registry.ts";
import { decodeLedger, encodeLedger } from "../../../protocol/src/ledger/snapshot.ts";
import type { LedgerMessage } from "../../../protocol/src/ledger/types.ts";
import type { GenesisHotspot } from "../../../protocol/src/network/genesis.ts";
import { epochOfRound } from "../../../protocol/src/network/parameters.ts";
import { keyOf } from "../../sim/ledgerWorld.ts";
import { earlySlotted, inRow, Scenario, WINDOWS } from "./scenario.ts";

/** Ledgers take signatures as verified, so any 33 bytes are a device's key here. */
const deviceOf = (name: string): Uint8Array => Uint8Array.of(2, ...keyOf(name));
const [DEVICE, ANOTHER] = [deviceOf("a device"), deviceOf("another device")];
const SIGNATURE = new Uint8Array(64);
const EPOCH_ROUNDS = WINDOWS.roundsPerEpoch;

let scenario: Scenario;
let hotspot: GenesisHotspot;
let other: GenesisHotspot;
beforeEach(() => {
  scenario = new Scenario(inRow(12));
  [hotspot, other] = earlySlotted(scenario, 2) as [GenesisHotspot, GenesisHotspot];
});

type Change = { readonly to?: GenesisHotspot; readonly owner?: Uint8Array };

function nonceOf(owner: Uint8Array): number {
  return scenario.ledger.accounts.find(owner)?.nonce ?? 0;
}

function bindAt(round: number, deviceKey = DEVICE, { to = hotspot, owner = to.owner }: Change = {}) {
  const epoch = epochOfRound(scenario.genesis.parameters, round);
  return scenario.transact(round, owner, {
    ...{ kind: "bind", epoch, nonce: nonceOf(owner), hotspot: to.key, deviceKey },
    ...{ hotspotSignature: SIGNATURE, deviceSignature: SIGNATURE },
  });
}

/** Executes up to the round of a binding and gives its reason. */
function reasonAt(round: number, deviceKey?: Uint8Array, change?: Change): string | null {
  const { id } = bindAt(round, deviceKey, change);
  const outcome = scenario.runTo(round).transactions.find((transaction) => transaction.id === id);
  return outcome!.reason;
}

/** Executes up to the round of an unbinding and gives its reason. */
function unbindAt(round: number, { to = hotspot, owner = to.owner }: Change = {}): string | null {
  const epoch = epochOfRound(scenario.genesis.parameters, round);
  const unbinding = { kind: "unbind", epoch, nonce: nonceOf(owner), hotspot: to.key } as const;
  const { id } = scenario.transact(round, owner, unbinding);
  return scenario.runTo(round).transactions.find((transaction) => transaction.id === id)!.reason;
}

/** A beacon of the hotspot in its slot of an epoch, co-signed by a device or by none. */
function beaconIn(epoch: number, deviceKey?: Uint8Array, late = 0): LedgerMessage {
  const { report } = scenario.beacon(hotspot, epoch);
  const { slotRound } = scenario.challenge(hotspot, epoch);
  const cosignature = deviceKey && { cosignature: { deviceKey, signature: SIGNATURE } };
  return scenario.at(slotRound + late, hotspot, { beacons: [report], ...cosignature }, epoch);
}

/** What became of a beacon when it was included. */
function fateOf(message: LedgerMessage): string {
  while (scenario.history(message).length === 0) scenario.step();
  return scenario.history(message)[0]!;
}

describe("a bound hotspot", () => {
  test("needs no co-signature in the epoch of the binding", () => {
    expect(reasonAt(0)).toBeNull();
    expect(fateOf(beaconIn(0))).toBe("pending");
  });

  test("may have it from the start, and one that is not bound from any device", () => {
    expect(fateOf(beaconIn(0, ANOTHER))).toBe("pending");
  });

  test("needs it from the next epoch on, of that very device; and a refusal does not use up the challenge", () => {
    reasonAt(0);
    scenario.closeEpoch();
    expect(fateOf(beaconIn(1))).toBe("refused not_cosigned");
    expect(fateOf(beaconIn(1, ANOTHER, 1))).toBe("refused not_cosigned");
    expect(fateOf(beaconIn(1, DEVICE, 2))).toBe("pending");
  });

  test("is judged by the device of the beacon's own epoch, also where that one is the epoch before", () => {
    reasonAt(0);
    scenario.closeEpoch();
    expect(reasonAt(EPOCH_ROUNDS, ANOTHER)).toBeNull();
    const { registry } = scenario.ledger;
    while (scenario.round < 2 * EPOCH_ROUNDS - 1) scenario.step();
    expect(deviceKeyAt(registry.find(hotspot.key)!, 1)).toEqual(DEVICE);
    expect(deviceKeyAt(registry.find(hotspot.key)!, 2)).toEqual(ANOTHER);
    // Whether it is in its slot is looked at only where it has the right co-signature.
    const late = 2 * EPOCH_ROUNDS - scenario.challenge(hotspot, 1).slotRound;
    const newer = beaconIn(1, ANOTHER, late);
    const former = beaconIn(1, DEVICE, late + 1);
    expect(fateOf(newer)).toBe("refused not_cosigned");
    expect(fateOf(former)).not.toBe("refused not_cosigned");
    expect(fateOf(beaconIn(2, DEVICE, 2))).toBe("refused not_cosigned");
  });

  test("remembers at most three devices, and of one epoch's bindings the last", () => {
    for (let epoch = 0; epoch < 6; epoch++) {
      reasonAt(Math.max(1, epoch * EPOCH_ROUNDS), deviceOf(`first of ${epoch}`));
      expect(reasonAt(epoch * EPOCH_ROUNDS + 2, deviceOf(`last of ${epoch}`))).toBeNull();
    }
    const { devices } = scenario.ledger.registry.find(hotspot.key)!;
    const expected = [4, 5, 6].map((fromEpoch) => ({ key: deviceOf(`last of ${fromEpoch - 1}`), fromEpoch }));
    expect(devices).toEqual(expected);
  });

  test("comes back from a snapshot with its devices, and whom they belong to", () => {
    reasonAt(0);
    reasonAt(EPOCH_ROUNDS, ANOTHER);
    const bytes = encodeLedger(scenario.ledger);
    const restored = decodeLedger(scenario.genesis, bytes);
    expect(encodeLedger(restored)).toEqual(bytes);
    expect(restored.registry.findByDevice(ANOTHER)!.key).toEqual(hotspot.key);
    expect(restored.registry.findByDevice(DEVICE)).toBeNull();
    expect(restored.registry.find(hotspot.key)!.devices).toHaveLength(2);
  });

  test("keeps its device under another key of its own", () => {
    reasonAt(0);
    const newKey = keyOf("a new key");
    scenario.transact(1, hotspot.owner, {
      ...{ kind: "rotate", epoch: 0, nonce: 1, hotspot: hotspot.key, newKey },
      ...{ hotspotSignature: SIGNATURE, newSignature: SIGNATURE },
    });
    scenario.runTo(1);
    expect(deviceKeyAt(scenario.ledger.registry.find(newKey)!, 1)).toEqual(DEVICE);
  });
});

describe("a binding is refused", () => {
  test("of no hotspot, and by whom it does not belong to", () => {
    expect(reasonAt(0, DEVICE, { to: { ...hotspot, key: keyOf("nobody") } })).toBe("not_registered");
    expect(reasonAt(1, DEVICE, { owner: other.owner })).toBe("not_owner");
    expect(scenario.ledger.registry.findByDevice(DEVICE)).toBeNull();
  });

  test("of a device that is another hotspot's, until that one has another or leaves", () => {
    reasonAt(0);
    expect(reasonAt(1, DEVICE, { to: other })).toBe("device_taken");
    expect(reasonAt(2)).toBeNull();
    expect(reasonAt(3, ANOTHER)).toBeNull();
    expect(reasonAt(4, DEVICE, { to: other })).toBeNull();
    expect(reasonAt(5)).toBe("device_taken");
    const nonce = nonceOf(other.owner);
    scenario.transact(6, other.owner, { kind: "deregister", epoch: 0, nonce, hotspot: other.key });
    expect(scenario.runTo(6).transactions.map(({ reason }) => reason)).toEqual([null]);
    expect(reasonAt(7)).toBeNull();
    expect(reasonAt(8, ANOTHER, { to: other })).toBe("not_registered");
    // When the one that left is gone, the device stays with whom it is now.
    const { unbondEpochs } = scenario.genesis.parameters;
    for (let epoch = 0; epoch <= unbondEpochs; epoch++) scenario.closeEpoch();
    expect(scenario.ledger.registry.findByDevice(DEVICE)!.key).toEqual(hotspot.key);
    expect(scenario.ledger.registry.list.find(({ key }) => key === other.key)?.devices ?? []).toEqual([]);
  });
});

describe("an unbinding", () => {
  test("ends the need of a co-signature with the epoch, and only for beacons of the next", () => {
    reasonAt(0);
    scenario.closeEpoch();
    expect(unbindAt(EPOCH_ROUNDS)).toBeNull();
    expect(scenario.ledger.viewHotspot(hotspot.key)!.device).toBeNull();
    expect(fateOf(beaconIn(1, undefined, 1))).toBe("refused not_cosigned");
    expect(fateOf(beaconIn(1, DEVICE, 2))).toBe("pending");
    scenario.closeEpoch();
    expect(fateOf(beaconIn(2))).toBe("pending");
  });

  test("is the owner's alone: whoever has the hotspot's key, or another account, cannot shed the device", () => {
    reasonAt(0);
    // One that holds the hotspot's key, and tokens of his own to pay with.
    const bank = keyOf("bank");
    scenario.transact(1, bank, {
      ...{ kind: "transfer", epoch: 0, nonce: 0, to: hotspot.key, amount: 1_000_000_000n },
    });
    scenario.runTo(1);
    expect(unbindAt(2, { owner: hotspot.key })).toBe("not_owner");
    expect(unbindAt(3, { owner: other.owner })).toBe("not_owner");
    expect(unbindAt(4, { to: { ...hotspot, key: keyOf("nobody") } })).toBe("not_registered");
    expect(scenario.ledger.viewHotspot(hotspot.key)!.device).toEqual({ key: DEVICE, fromEpoch: 1 });
  });

  test("frees the device for another hotspot, and is refused where there is none", () => {
    expect(unbindAt(0)).toBe("not_bound");
    reasonAt(1);
    expect(unbindAt(2)).toBeNull();
    expect(unbindAt(3)).toBe("not_bound");
    expect(reasonAt(4, DEVICE, { to: other })).toBeNull();
    // Of several in one epoch the last counts, whichever it is.
    expect(reasonAt(5, ANOTHER)).toBeNull();
    scenario.closeEpoch();
    expect(deviceKeyAt(scenario.ledger.registry.find(hotspot.key)!, 1)).toEqual(ANOTHER);
  });

  test("comes back from a snapshot, in which zeros stand for no device and nothing else does", () => {
    reasonAt(0);
    scenario.closeEpoch();
    unbindAt(EPOCH_ROUNDS);
    const bytes = encodeLedger(scenario.ledger);
    const restored = decodeLedger(scenario.genesis, bytes);
    expect(encodeLedger(restored)).toEqual(bytes);
    expect(restored.registry.find(hotspot.key)!.devices).toEqual([
      { key: DEVICE, fromEpoch: 1 },
      { key: null, fromEpoch: 2 },
    ]);
    expect(restored.registry.findByDevice(DEVICE)).toBeNull();
    // The entry after the device's is its end: 33 zeros and the epoch.
    const damaged = Uint8Array.from(bytes);
    const at = Buffer.from(bytes).indexOf(DEVICE) + DEVICE.length + 8;
    expect(damaged.subarray(at, at + 33)).toEqual(new Uint8Array(33));
    damaged[at + 1] = 1;
    expect(() => decodeLedger(scenario.genesis, damaged)).toThrow(RangeError);
  });
});
