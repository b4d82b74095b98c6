/** What a hotspot makes of being known: from which epoch on it can be challenged, where nobody has told it. */
import { randomBytes } from "node:crypto";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { createHotspotEmitter } from "../../../node/src/hotspot/events.ts";
import {
  FIRST_CHALLENGE_FILE,
  type FirstChallenge,
  openFirstChallenge,
  saveFirstChallenge,
} from "../../../node/src/hotspot/firstChallenge.ts";
import type { NewestRound } from "../../../node/src/hotspot/roundFollower.ts";
import { Standing } from "../../../node/src/hotspot/standing.ts";
import type { Reason } from "../../../protocol/src/evidence/reasons.ts";
import type { RevealReport, WitnessReport } from "../../../protocol/src/wire/reports.ts";

const NETWORK_ID = new Uint8Array(32).fill(1);
let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "hexbeacon-standing-"));
});

type World = {
  readonly standing: Standing;
  readonly firstChallenge: FirstChallenge;
  readonly asked: number[];
  /** What it has asked with. */
  readonly reveals: RevealReport[];
  hear(epoch: number): void;
  answer(reason: Reason | null): void;
  /** One validator's receipt, which need not be believed. */
  receipt(reason: Reason | null): void;
};

async function begin({ isNamed = false, hasBeaconed = false } = {}): Promise<World> {
  const firstChallenge = await openFirstChallenge(home, NETWORK_ID);
  const events = createHotspotEmitter();
  const callbacks: ((round: NewestRound) => void)[] = [];
  const asked: number[] = [];
  const reveals: RevealReport[] = [];
  const id = new Uint8Array(32);
  let newest: NewestRound | null = null;
  const standing = new Standing(isNamed, {
    follower: { newest: () => newest, onRound: (callback) => callbacks.push(callback) },
    bundler: {
      addReveal: (reveal) => {
        asked.push(newest!.epoch);
        reveals.push(reveal);
        return null;
      },
    },
    events,
    firstChallenge,
    log: createSilentLog(),
    hasBeaconed: () => hasBeaconed,
    random: randomBytes,
  });
  standing.start();
  return {
    standing,
    firstChallenge,
    asked,
    reveals,
    hear: (epoch) => {
      newest = { round: 0, timeMs: 0, epoch, heardAtMs: 0 };
      for (const callback of callbacks) callback(newest);
    },
    answer: (reason) => void events.emit("submitted", { id, kinds: [], reason }),
    receipt: (reason) =>
      void events.emit("receipted", { id, validator: new Uint8Array(32), round: 0, reason }),
  };
}

describe("a hotspot that genesis does not name", () => {
  test("counts on a challenge no sooner than its place can count, from when it is known", async () => {
    const world = await begin();
    world.hear(7);
    world.answer("unknown_sender");
    expect([world.standing.state(), world.firstChallenge.epoch, world.asked]).toEqual(["unknown", 0, [7]]);
    world.hear(8);
    world.answer(null);
    expect([world.standing.state(), world.firstChallenge.epoch]).toEqual(["known", 12]);
    // Being known is not news again.
    world.hear(20);
    world.answer(null);
    expect(world.firstChallenge.epoch).toBe(12);
    // The note outlives a hotspot that is stopped at once.
    await world.standing.stop();
    expect((await openFirstChallenge(home, NETWORK_ID)).epoch).toBe(12);
    const next = await begin();
    next.hear(21);
    next.answer(null);
    expect(next.firstChallenge.epoch).toBe(12);
  });

  test("is called unknown by one validator's word, where nobody has said that it is known", async () => {
    const world = await begin();
    world.hear(7);
    world.receipt("busy");
    expect(world.standing.state()).toBe("unasked");
    world.receipt("unknown_sender");
    expect(world.standing.state()).toBe("unknown");
    world.answer(null);
    world.receipt("unknown_sender");
    expect(world.standing.state()).toBe("known");
    world.answer("unknown_sender");
    expect(world.standing.state()).toBe("unknown");
    // Whether it is known again the submitter tells, not a receipt.
    world.receipt(null);
    expect(world.standing.state()).toBe("unknown");
  });

  test("waits for a round to tell the epoch where it is known before one is heard", async () => {
    const world = await begin();
    world.answer(null);
    expect(world.firstChallenge.epoch).toBe(0);
    world.hear(30);
    expect([world.firstChallenge.epoch, world.asked]).toEqual([34, []]);
  });

  test("goes by the note of the command that has seen its registration through", async () => {
    await saveFirstChallenge(home, NETWORK_ID, 5);
    const world = await begin();
    world.hear(3);
    world.answer(null);
    expect(world.firstChallenge.epoch).toBe(5);
  });

  test("goes by no note of another network, and by one of before notes named theirs", async () => {
    await saveFirstChallenge(
      home,
      NETWORK_ID.map(() => 2),
      40_003,
    );
    const world = await begin();
    world.hear(3);
    expect(world.firstChallenge.epoch).toBe(0);
    // Nor does it keep the hotspot from noting what it learns itself.
    world.answer(null);
    expect(world.firstChallenge.epoch).toBe(7);
    await writeFile(join(home, FIRST_CHALLENGE_FILE), "5\n");
    expect((await openFirstChallenge(home, NETWORK_ID)).epoch).toBe(5);
  });

  test("goes on where it has beaconed before", async () => {
    const world = await begin({ hasBeaconed: true });
    world.hear(3);
    world.answer(null);
    expect(world.firstChallenge.epoch).toBe(0);
  });
});

test("a hotspot knows the reports that it has asked with, while they can count, and takes no other for one", async () => {
  const { standing, hear, reveals } = await begin();
  const ids = [10, 11, 12].map((epoch) => {
    hear(epoch);
    const id = randomBytes(32);
    const other = { tag: randomBytes(6), secret: randomBytes(16) };
    standing.noteReported(id, {
      epoch,
      beacons: [],
      witnesses: [{} as WitnessReport],
      reveals: [other, reveals.at(-1)!],
    });
    return id;
  });
  const indexes = [0, 1, 2, 3];
  const known = ids.map((id) => indexes.filter((index) => standing.isQuestion(id, index)));
  expect(known).toEqual([[], [2], [2]]);
  expect(standing.isQuestion(randomBytes(32), 2)).toBe(false);
});

test("a hotspot that genesis names asks nobody, and is challenged from the start", async () => {
  const world = await begin({ isNamed: true });
  world.hear(0);
  world.answer(null);
  expect([world.standing.state(), world.firstChallenge.epoch, world.asked]).toEqual(["known", 0, []]);
});
