/** When a hotspot reveals another's beacon: once, never too soon, and only where nobody else has. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { computeHelpRounds, HeardSecrets } from "../../../node/src/hotspot/heardSecrets.ts";
import type { NewestRound } from "../../../node/src/hotspot/roundFollower.ts";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import type { RevealReport } from "../../../protocol/src/wire/reports.ts";

const parameters = PRESETS.test;
const { first, end } = computeHelpRounds(parameters);
const ID = new Uint8Array(32).fill(1);
const reveal = (byte: number): RevealReport => ({
  tag: new Uint8Array(6).fill(byte),
  secret: new Uint8Array(16).fill(byte),
});

function createWorld() {
  const sent: RevealReport[] = [];
  const world = {
    sent,
    includedRound: 10 as number | null,
    isFollowed: true,
    waiting: new Set([0, 1]),
    refuses: false,
    tell: (_: number): void => undefined,
  };
  const secrets = new HeardSecrets(parameters, {
    follower: {
      onRound: (callback) => {
        world.tell = (round) => callback({ round } as NewestRound);
      },
    },
    submitter: {
      isFollowed: () => world.isFollowed,
      includedRound: () => world.includedRound,
      isWaiting: (_, index) => world.waiting.has(index),
    },
    bundler: {
      addReveal: (heard) => {
        if (world.refuses) return "over_quota";
        sent.push(heard);
        return null;
      },
    },
  });
  secrets.start();
  return { world, secrets };
}

test("a beacon that nobody reveals is revealed once, when its time has come", () => {
  const { world, secrets } = createWorld();
  secrets.keep(ID, [reveal(1), reveal(2)]);
  for (let round = 10; round < 10 + first; round++) world.tell(round);
  expect(world.sent).toEqual([]);
  // The second one's beacon has closed.
  world.waiting.delete(1);
  for (let round = 10 + first; round < 10 + end + 5; round++) world.tell(round);
  expect(world.sent).toEqual([reveal(1)]);
  expect(secrets.size).toBe(0);
});

test("a report that is in no round yet is waited for, one that was given up is not", () => {
  const { world, secrets } = createWorld();
  secrets.keep(ID, [reveal(1)]);
  world.includedRound = null;
  world.tell(90);
  expect(secrets.size).toBe(1);
  world.isFollowed = false;
  world.tell(91);
  expect(secrets.size).toBe(0);
});

test("where the quota is used up it is tried again until the window has passed", () => {
  const { world, secrets } = createWorld();
  secrets.keep(ID, [reveal(1)]);
  world.refuses = true;
  world.tell(10 + first);
  world.tell(10 + end - 1);
  expect(secrets.size).toBe(1);
  world.refuses = false;
  world.tell(10 + end);
  expect(world.sent).toEqual([]);
  expect(secrets.size).toBe(0);
});

test("memory holds the youngest beacons of two epochs", () => {
  const { world, secrets } = createWorld();
  const limit = 2 * parameters.reportsPerEpoch;
  world.waiting = new Set([0]);
  for (let i = 0; i <= limit; i++) {
    const id = new Uint8Array(32);
    new DataView(id.buffer).setUint32(0, i);
    secrets.keep(id, [reveal(i & 255)]);
  }
  expect(secrets.size).toBe(limit);
  world.tell(10 + first);
  expect(world.sent[0]).toEqual(reveal(1));
});

test("no witness report can count any more when the secret is told, whenever the beacon report was included", () => {
  const rounds = fc.integer({ min: 2, max: 200 });
  fc.assert(
    fc.property(rounds, rounds, rounds, rounds, (tolerance, wait, window, reveals) => {
      const help = computeHelpRounds({
        ...parameters,
        beaconToleranceRounds: tolerance,
        waitRounds: wait,
        witnessWindowRounds: window,
        revealWindowRounds: reveals,
      });
      const latestBeacon = Math.min(tolerance, wait);
      expect(help.first).toBeGreaterThanOrEqual(latestBeacon + window);
      expect(help.first).toBeGreaterThanOrEqual(window + Math.floor(reveals / 2));
      expect(help.first).toBeLessThan(help.end);
    }),
  );
});

test("on mainnet a reveal is in time for beacon reports from 29 rounds before the witness's to 30 after", () => {
  const { mainnet } = PRESETS;
  const included = computeHelpRounds(mainnet).first + 1;
  const isInTime = (b: number): boolean => {
    const windowEnd = b + mainnet.witnessWindowRounds;
    return (
      included > windowEnd + Math.floor(mainnet.revealWindowRounds / 2) &&
      included <= windowEnd + mainnet.revealWindowRounds
    );
  };
  expect([-30, -29, 0, 30, 31].map(isInTime)).toEqual([false, true, true, true, false]);
});
