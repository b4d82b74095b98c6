/** SIGKILL at random moments: nothing that was acknowledged is lost, and the books balance to the base unit. */
import { once } from "node:events";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { HotspotEmitter } from "../../node/src/hotspot/events.ts";
import { encodeHex } from "../../protocol/src/bytes/hex.ts";
import { type Devnet, startDevnet } from "../devnet/src/devnet.ts";
import { createRandom } from "../ether/prng.ts";

const KILLS = 20;
/** Two of them are processes of their own and get killed too. */
const ISOLATED = 2;
const SEED = 20;
/** Rounds between two kills: at least one, so that there is something to lose. */
const MOST_ROUNDS_BETWEEN = 5;

let folder: string;
let devnet: Devnet;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hexbeacon-crash-"));
  const options = { hotspots: 6, isolate: ISOLATED, seed: SEED, port: 0, epochs: null, summaryFile: null };
  const one = { validators: 1, faults: [] };
  devnet = await startDevnet({ ...options, ...one, dataDir: folder, preset: "test" }, () => {});
});
afterAll(() => devnet?.stop());

/** The next rounds that a hotspot hears of. */
async function rounds(events: HotspotEmitter, count: number): Promise<void> {
  for (let heard = 0; heard < count; heard++) await once(events, "round");
}

test(`${KILLS} SIGKILLs of validator and hotspots lose nothing`, async () => {
  const emitters = devnet.readHotspots().flatMap(({ events }) => events ?? []);
  const acknowledged = new Set<string>();
  const included = new Set<string>();
  for (const events of emitters) {
    events.on("submitted", ({ id, reason }) => reason === null && acknowledged.add(encodeHex(id)));
    events.on("included", ({ id }) => included.add(encodeHex(id)));
  }
  const random = createRandom(SEED);
  const observer = emitters[0]!;
  for (let kill = 0; kill < KILLS; kill++) {
    await rounds(observer, 1 + Math.floor(random() * MOST_ROUNDS_BETWEEN));
    // Every second kill is the validator's, with hotspots in between: both must come back from any instant.
    const role = kill % 2 === 0 ? devnet.validator : devnet.hotspots[Math.floor(random() * ISOLATED)]!;
    await role.kill();
    await role.start();
  }

  // Whatever a validator acknowledged, before or after a crash, comes into a round.
  const missing = () => [...acknowledged].filter((id) => !included.has(id));
  const { roundsPerEpoch } = devnet.genesis.parameters;
  for (let waited = 0; waited < 2 * roundsPerEpoch && missing().length > 0; waited++)
    await rounds(observer, 1);
  expect(acknowledged.size).toBeGreaterThan(0);
  expect(missing()).toEqual([]);

  const epochs = await devnet.epochs(-1);
  expect(epochs.length).toBeGreaterThan(0);
  let carried = 0n;
  for (const [index, epoch] of epochs.entries()) {
    expect(epoch.epoch).toBe(index);
    expect(epoch.carriedIn).toBe(carried + epoch.escrowReturned);
    expect(epoch.emitted + epoch.carriedIn).toBe(epoch.paid + epoch.carried);
    carried = epoch.carried;
  }
  await devnet.validator.stop();
  expect(await devnet.replay(0, epochs.at(-1)!.epoch)).toEqual([]);
});
