/** A hotspot, over real sockets, in a network whose validators are replaced while it runs, and while it does not. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { createHotspot, type Hotspot } from "../../../node/src/hotspot/hotspot.ts";
import { findGenesisPlacement } from "../../../node/src/hotspot/placement.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { firstRoundOfEpoch } from "../../../protocol/src/network/parameters.ts";
import { eventually } from "../host/eventually.ts";
import { FakeRadio } from "./fakeRadio.ts";
import { createTestGenesis, FakeValidator, newKey } from "./fakeValidator.ts";

const [old, young, late] = [newKey(), newKey(), newKey()];
const keyPair = newKey();
const genesis = createTestGenesis([old], [keyPair]);
/** The old one is joined in epoch 2 and gone in 4; from 7 on a third sits alone. */
const seatsOf = (epoch: number) => {
  if (epoch < 2) return [old];
  if (epoch < 4) return [old, young];
  return epoch < 7 ? [young] : [late];
};
const roundIn = (epoch: number) => firstRoundOfEpoch(genesis.parameters, epoch) + 2;

const cleanups: (() => Promise<unknown>)[] = [];
let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "hexbeacon-changed-"));
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function startValidators(): Promise<FakeValidator[]> {
  const validators = await Promise.all(
    [old, young, late].map((key) => FakeValidator.start(key, genesis, seatsOf)),
  );
  const addressOf = (key: Uint8Array): string[] =>
    validators.filter(({ network }) => equalBytes(network.publicKey, key)).map(({ address }) => address);
  for (const validator of validators) {
    validator.sets.multiaddrsOf = addressOf;
    cleanups.push(() => validator.stop());
  }
  return validators;
}

async function startHotspot(validator: FakeValidator): Promise<Hotspot> {
  const radio = new FakeRadio();
  radio.onTransmit = () => ({ status: "failed", reason: "no_forwarder", onAir: "no" });
  const hotspot = createHotspot(
    {
      ...{ home, genesis, keyPair, radio, validators: [validator.address] },
      placement: findGenesisPlacement(genesis, keyPair.publicKey)!,
    },
    { clock: createSystemClock(), log: createSilentLog(), random: randomBytes },
  );
  await hotspot.start();
  cleanups.push(hotspot.stop);
  return hotspot;
}

const connectedTo = (hotspot: Hotspot) =>
  hotspot.status().validators.flatMap(({ address, connected }) => (connected ? [address] : []));

/** Every validator finalizes rounds up to the first that the hotspot hears, beginning with this one. */
async function follow(hotspot: Hotspot, validators: readonly FakeValidator[], round: number): Promise<void> {
  for (const validator of validators) await validator.advanceTo(round);
  await eventually(() => hotspot.status().rounds?.round).toBe(round);
}

/**
 * Rounds go on until the hotspot is connected to these and no others. It asks for the next set when it hears of a round,
 * and not again at once: one round alone may come too soon after its last question.
 */
async function followUntilConnected(
  hotspot: Hotspot,
  { validators, epoch, to }: { validators: readonly FakeValidator[]; epoch: number; to: FakeValidator[] },
): Promise<void> {
  const last = firstRoundOfEpoch(genesis.parameters, epoch + 1) - 1;
  let round = roundIn(epoch);
  const goOn = async () => {
    for (const validator of validators) await validator.advanceTo(round);
    round = Math.min(round + 1, last);
    return connectedTo(hotspot);
  };
  await expect.poll(goOn, { timeout: 20_000, interval: 700 }).toEqual(to.map(({ address }) => address));
}

test("goes from validator to validator as they are replaced, and finds those that it was never told of", async () => {
  const [first, second, third] = (await startValidators()) as [FakeValidator, FakeValidator, FakeValidator];
  const hotspot = await startHotspot(first);
  await eventually(() => connectedTo(hotspot)).toEqual([first.address]);
  await follow(hotspot, [first, second], roundIn(0));
  // The second has a seat from epoch 2 on, and is dialled where the first says that it listens.
  const both = [first, second];
  await followUntilConnected(hotspot, { validators: both, epoch: 1, to: both });
  for (const epoch of [2, 3]) await follow(hotspot, both, roundIn(epoch));
  await followUntilConnected(hotspot, { validators: both, epoch: 4, to: [second] });
  await first.stop();
  for (const epoch of [5, 6]) await follow(hotspot, [second, third], roundIn(epoch));
  await followUntilConnected(hotspot, { validators: [second, third], epoch: 7, to: [third] });
});

test("wakes after many epochs, and goes on from what its home knows, or from genesis where that is gone", async () => {
  const [first, second, third] = (await startValidators()) as [FakeValidator, FakeValidator, FakeValidator];
  const before = await startHotspot(first);
  await eventually(() => connectedTo(before)).toEqual([first.address]);
  for (const epoch of [0, 1, 2]) await follow(before, [first, second], roundIn(epoch));
  await before.stop();
  await first.stop();
  for (const validator of [second, third]) validator.round = roundIn(60);
  // The only address it is given is gone; the second's, which it learned, leads on to the third.
  const after = await startHotspot(first);
  await eventually(() => connectedTo(after)).toEqual([third.address]);
  await eventually(() => after.status().rounds?.round).toBe(roundIn(60));
  await after.stop();
  await rm(join(home, "validators.json"));
  const anew = await startHotspot(third);
  await eventually(() => anew.status().rounds?.round).toBe(roundIn(60));
});

test("says what is missing while nobody shows the certificates, and goes on when somebody does", async () => {
  const [first] = (await startValidators()) as [FakeValidator];
  first.sets.isMissing = () => true;
  first.round = roundIn(3);
  const hotspot = await startHotspot(first);
  await eventually(() => hotspot.status().problems.join()).toContain("whose validators nobody has shown");
  first.sets.isMissing = () => false;
  await eventually(() => hotspot.status().rounds?.round).toBe(roundIn(3));
});
