/** What a hotspot still knows of the rounds when it comes up with nobody in reach. */
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import {
  loadRoundAnchor,
  ROUND_ANCHOR_FILE,
  RoundAnchorKeeper,
} from "../../../node/src/hotspot/roundAnchor.ts";
import { type NewestRound, RoundFollower } from "../../../node/src/hotspot/roundFollower.ts";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { ManualClock } from "../validator/support/manualClock.ts";

const parameters = PRESETS.mainnet;
const START_MS = 1_790_000_000_000;
let home: string;
let clock: ManualClock;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "hexbeacon-anchor-"));
  clock = new ManualClock(START_MS);
});

function createFollower(anchor: Awaited<ReturnType<typeof loadRoundAnchor>>): RoundFollower {
  const nobody = { connected: () => [], onConnected: () => undefined };
  return new RoundFollower(
    { judge: { domains: {} as never, parameters, sets: { setOf: () => null } }, roundsTopic: "", anchor },
    { clock, log: createSilentLog(), links: nobody, network: {} as never, setFollower: null as never },
  );
}

test("keeps the first round, one an hour, and the last", async () => {
  const state = { newest: null as NewestRound | null };
  let heardAfterMs = 0;
  const callbacks: ((round: NewestRound) => void)[] = [];
  const keeper = new RoundAnchorKeeper(home, {
    clock,
    log: createSilentLog(),
    follower: {
      newest: () => state.newest,
      ageMs: () => clock.elapsedMs() - heardAfterMs,
      onRound: (callback) => void callbacks.push(callback),
    },
  });
  keeper.start();
  await keeper.stop();
  expect(await loadRoundAnchor(home)).toBeNull();
  const hear = (round: number) => {
    state.newest = { round, epoch: 0, timeMs: 0, heardAtMs: clock.nowMs() };
    heardAfterMs = clock.elapsedMs();
    for (const callback of callbacks) callback(state.newest);
  };
  hear(1_000);
  await expect.poll(() => loadRoundAnchor(home)).toEqual({ round: 1_000, heardAtMs: START_MS });
  for (let round = 1_001; round < 1_700; round++) {
    clock.advance(5_000);
    hear(round);
  }
  // Within the hour nothing was written.
  expect(JSON.parse(await readFile(join(home, ROUND_ANCHOR_FILE), "utf8")).round).toBe(1_000);
  clock.advance(600_000);
  hear(1_820);
  await expect.poll(async () => (await loadRoundAnchor(home))?.round).toBe(1_820);
  clock.advance(5_000);
  hear(1_821);
  // The clock was two days ahead, and NTP sets it right: the round was heard a second ago all the same.
  clock.set(-2 * 86_400_000);
  clock.advance(1_000);
  await keeper.stop();
  expect(await loadRoundAnchor(home)).toEqual({ round: 1_821, heardAtMs: clock.nowMs() - 1_000 });
});

test.each([
  "",
  "{",
  "null",
  "[]",
  '{"round":-1,"heardAtMs":1}',
  '{"round":"7","heardAtMs":1}',
  '{"round":1}',
])("a damaged file is as good as none: %j", async (text) => {
  await writeFile(join(home, ROUND_ANCHOR_FILE), text);
  expect(await loadRoundAnchor(home)).toBeNull();
});

test("the epoch goes on at the rounds' pace, over the end of an epoch and of days", () => {
  expect(createFollower(null).estimateEpoch()).toBeNull();
  const { roundsPerEpoch, roundMs } = parameters;
  const follower = createFollower({ round: roundsPerEpoch - 3, heardAtMs: START_MS });
  expect(follower.estimateEpoch()).toBe(0);
  clock.advance(2 * roundMs - 1);
  expect(follower.estimateEpoch()).toBe(0);
  clock.advance(1);
  // The round that comes next is the first of its epoch.
  expect(follower.estimateEpoch()).toBe(1);
  clock.advance(24 * roundsPerEpoch * roundMs);
  expect(follower.estimateEpoch()).toBe(25);
  // A machine without a clock of its own wakes up in the past: the last that was known is the best guess.
  clock.jump(START_MS - 86_400_000);
  expect(follower.estimateEpoch()).toBe(0);
});
