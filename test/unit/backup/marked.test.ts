/** A home that `restore` has marked, among three others over real homes in one process. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { homePaths } from "../../../validator/src/home.ts";
import { openVotes } from "../../../validator/src/rounds/votes.ts";
import { contextOf } from "../validator/support/network.ts";
import { createGenesisOf, SeveralValidators, validatorKey } from "../validator/support/severalValidators.ts";

let several: SeveralValidators;
beforeEach(() => {
  several = new SeveralValidators(createGenesisOf(4, 4));
});
afterEach(() => several.end());

test("votes from a backup are treated as old at once, trusted from the first signature on, and needed again", async () => {
  const newestOf = (position: number) => several.running[position]!.results.at(-1)?.round ?? -1;
  const allReach = (round: number, positions: number[]) =>
    several.until(() => positions.every((position) => newestOf(position) >= round));
  await Promise.all([0, 1, 2, 3].map((position) => several.start(position)));
  await allReach(3, [0, 1, 2, 3]);
  await several.running[3]!.end();
  const restore = several.backUp(3);
  await several.start(3);
  await allReach(newestOf(0) + 3, [0, 1, 2, 3]);
  await several.running[3]!.end();
  restore();
  const { networkId } = contextOf(several.genesis);
  const open = () =>
    openVotes(homePaths(several.homeOf(3)).votes, {
      network: networkId,
      validator: validatorKey(3).publicKey,
    });
  const votes = open();
  votes.markRestored();
  votes.close();
  const again = await several.start(3);
  expect(again.restored()).toBe(1);
  await several.until(() => again.core.guard.describe() === null);
  await several.until(() => !again.core.agreement.describe().isFollowing);
  // Without another one every round needs its vote.
  await several.running[0]!.end();
  await allReach(newestOf(1) + 5, [1, 2, 3]);
  expect(again.failures).toEqual([]);
  await again.end();
  const after = open();
  expect(after.isRestored()).toBe(false);
  after.close();
});
