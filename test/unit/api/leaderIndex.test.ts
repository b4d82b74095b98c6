import { describe, expect, test } from "vitest";
import { computeLeaders } from "../../../protocol/src/agreement/leaders.ts";
import { encodeFinalCert } from "../../../protocol/src/agreement/rounds.ts";
import { LED_ROUNDS_MAX, LeaderIndex } from "../../../validator/src/api/explorer/leaderIndex.ts";
import type { EpochRow, RoundRow } from "../../../validator/src/store/store.ts";
import { named } from "../store/history.ts";

const KEYS = [0, 1, 2, 3].map((seat) => named(`seat ${seat}`));
const ROUNDS_PER_EPOCH = 100;
const seedOf = (epoch: number) => named(`seed ${epoch}`);

/** Rounds of which each was decided in the view that `viewOf` says. */
function createChain(viewOf: (round: number) => number) {
  const chain = { newest: -1, read: [] as number[] };
  const row = (round: number): RoundRow | null => {
    const cert = { round, view: viewOf(round), value: named("value") };
    const finalCert = encodeFinalCert({ ...cert, bitmap: Uint8Array.of(7), signatures: [] });
    const epoch = Math.floor(round / ROUNDS_PER_EPOCH);
    return round > chain.newest ? null : ({ round, epoch, timeMs: 1_000 * round, finalCert } as RoundRow);
  };
  const store = {
    latestRound: async () => row(chain.newest),
    getRound: async (round: number) => {
      chain.read.push(round);
      return row(round);
    },
    getEpoch: async (epoch: number) =>
      (epoch + 1) * ROUNDS_PER_EPOCH > chain.newest + 1 ? null : ({ seed: seedOf(epoch) } as EpochRow),
    findSet: async () => ({ fromEpoch: 0, keys: KEYS }),
  };
  return { chain, index: new LeaderIndex(store) };
}

const leadersOf = (round: number): number[] =>
  computeLeaders(seedOf(Math.max(0, Math.floor(round / ROUNDS_PER_EPOCH) - 1)), round, KEYS.length);

describe("who led the newest rounds", () => {
  test("is the first of the round's order, newest round first, and of each round one alone", async () => {
    const { chain, index } = createChain(() => 1);
    chain.newest = 399;
    const all = await Promise.all(KEYS.map((key) => index.listOf(key)));
    for (const [seat, led] of all.entries()) {
      expect(led.map(({ round }) => round)).toEqual(led.map(({ round }) => round).sort((a, b) => b - a));
      for (const { round, epoch, timeMs, view, isDecided } of led) {
        expect([epoch, timeMs]).toEqual([Math.floor(round / ROUNDS_PER_EPOCH), 1_000 * round]);
        expect([leadersOf(round)[0], view, isDecided]).toEqual([seat, 1, true]);
      }
    }
    const rounds = all.flat().map(({ round }) => round);
    expect([rounds.length, Math.min(...rounds)]).toEqual([LED_ROUNDS_MAX, 400 - LED_ROUNDS_MAX]);
    expect(await index.listOf(named("stranger"))).toEqual([]);
  });

  test("are those passed over as well, each once, however many views a round took", async () => {
    const { chain, index } = createChain((round) => (round === 150 ? 3 : round === 151 ? 10 : 1));
    chain.newest = 199;
    const of = async (round: number) =>
      (await Promise.all(KEYS.map((key) => index.listOf(key))))
        .map((led) => led.filter((one) => one.round === round))
        .map(([one]) => (one === undefined ? null : { view: one.view, isDecided: one.isDecided }));
    const order = leadersOf(150);
    const three = await of(150);
    expect(order.map((seat) => three[seat])).toEqual([
      { view: 1, isDecided: false },
      { view: 2, isDecided: false },
      { view: 3, isDecided: true },
      null,
    ]);
    // Views 7 to 10: the second turn ends with the last two seats of the order, and the third begins with the first two.
    const ten = await of(151);
    expect(leadersOf(151).map((seat) => ten[seat])).toEqual([
      { view: 9, isDecided: false },
      { view: 10, isDecided: true },
      { view: 7, isDecided: false },
      { view: 8, isDecided: false },
    ]);
  });

  test("is computed once a round, also where two ask at once, and is untold without the seed", async () => {
    const { chain, index } = createChain(() => 1);
    chain.newest = 60;
    // The first epoch runs: the order is not known here before it has closed.
    expect(await index.listOf(KEYS[0]!)).toEqual([]);
    chain.newest = 120;
    await Promise.all(KEYS.map((key) => index.listOf(key)));
    expect(chain.read).toEqual(Array.from({ length: 121 }, (_, round) => round));
    const led = (await Promise.all(KEYS.map((key) => index.listOf(key)))).flat();
    expect(Math.min(...led.map(({ round }) => round))).toBe(61);
  });
});
