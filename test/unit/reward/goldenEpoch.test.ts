/**
 * One epoch frozen from units to root. Its figures are this implementation's own, so they say nothing about right or
 * wrong: they say that what was paid once is paid again, on any machine and by any later version of the code.
 */
import { expect, test } from "vitest";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { computeLinesDigest } from "../../../protocol/src/reward/epochRecord.ts";
import { computeEpochReward } from "../../../protocol/src/reward/epochReward.ts";
import { EMPTY_POOLS } from "../../../protocol/src/reward/pools.ts";
import { createRewardTree } from "../../../protocol/src/reward/rewardTree.ts";
import { computeScore } from "../../../protocol/src/score/score.ts";
import { HIP17_POPULATION } from "../../vectors/hip17Density.ts";
import { createEvidence, type Link } from "../score/evidence.ts";

const cells = HIP17_POPULATION.flatMap(([cell, hotspots]) => Array<string>(hotspots).fill(cell.toString(16)));
const count = cells.length;

/** Everyone beacons once; hotspot i is heard by the 1 + i mod 14 after it. */
const links = cells.map(
  (_, i): Link => [i, Array.from({ length: 1 + (i % 14) }, (_unused, step) => (i + step + 1) % count)],
);
const keyOf = (hotspot: number) => new Uint8Array(32).fill(hotspot + 1);

test("the frozen epoch pays what it paid", () => {
  const score = computeScore(1, { ...createEvidence(cells, links), active: new Uint8Array(count).fill(1) });
  const reward = computeEpochReward({
    parameters: PRESETS.mainnet,
    epoch: 17_520,
    carriedIn: { ...EMPTY_POOLS, witnesses: 123_456_789n },
    score,
    // Two hotspots an owner, whose key is the first one's.
    hotspotOwner: Uint32Array.from({ length: count }, (_, hotspot) => hotspot >> 1),
    ownerCount: count / 2,
    validators: [3, 1, 2].map((first) => ({ key: keyOf(first), participationPpm: first * 300_000 })),
  });
  const lines = cells.map((_, hotspot) => ({
    hotspot: keyOf(hotspot),
    owner: keyOf(hotspot & ~1),
    beaconUnitsPpm: score.beaconUnitsPpm[hotspot]!,
    witnessUnitsPpm: score.witnessUnitsPpm[hotspot]!,
    scalePpm: score.scalePpm[hotspot]!,
    beaconPaid: reward.beaconAmounts[hotspot]!,
    witnessPaid: reward.witnessAmounts[hotspot]!,
    trustPpm: 1_000_000,
    penalties: 0,
    beaconWithheld: 0n,
    witnessWithheld: 0n,
  }));
  const accounts = new Uint8Array((count / 2) * 32);
  for (let owner = 0; owner < count / 2; owner++) accounts.set(keyOf(owner * 2), owner * 32);

  expect(reward.pools).toMatchInlineSnapshot(`
    {
      "beacons": {
        "carriedIn": 0n,
        "carriedOut": 8863307800n,
        "emitted": 9000000000n,
        "paid": 136692200n,
      },
      "data": {
        "carriedIn": 0n,
        "carriedOut": 0n,
        "emitted": 0n,
        "paid": 0n,
      },
      "validators": {
        "carriedIn": 0n,
        "carriedOut": 666666667n,
        "emitted": 5000000000n,
        "paid": 4333333333n,
      },
      "witnesses": {
        "carriedIn": 123456789n,
        "carriedOut": 35784493589n,
        "emitted": 36000000000n,
        "paid": 338963200n,
      },
    }
  `);
  expect(reward.validatorAmounts).toMatchInlineSnapshot(`
    [
      1666666666n,
      1000000000n,
      1666666667n,
    ]
  `);
  expect(encodeHex(computeLinesDigest(lines))).toMatchInlineSnapshot(
    `"b2ff816b00320c7295b6db433d996218db6b2a2df45e20430eb44bc7d37910c2"`,
  );
  expect(encodeHex(createRewardTree(accounts, reward.ownerAmounts).root)).toMatchInlineSnapshot(
    `"aaaeb1be55cdde2ee4cd7d49ab1dd1ea548e779f26a5dab9e7b770e27e040069"`,
  );
});
