/** The summary's check of the books, with what escrow gives back to the pools. */
import { expect, test } from "vitest";
import type { EpochTotals } from "../../devnet/src/api.ts";
import { createSummary } from "../../devnet/src/summary.ts";

const epochOf = (epoch: number, books: Partial<EpochTotals>): EpochTotals => ({
  epoch,
  beacons: 3,
  witnessesAccepted: 2,
  witnessesRefused: {},
  emitted: 100n,
  carriedIn: 0n,
  escrowReturned: 0n,
  paid: 70n,
  carried: 30n,
  rewardRoot: `0x${"00".repeat(32)}`,
  accounts: 4,
  nextSeed: new Uint8Array(32),
  ...books,
});
const summarize = (...epochs: EpochTotals[]) =>
  createSummary({
    network: "books",
    validators: 1,
    hotspots: 1,
    rounds: 2,
    epochs,
    differing: [],
    several: { rewardRootsEqual: true, finalizedRounds: 2, viewChanges: 0, validatorsDown: 0 },
  });

test("takes what escrow returned as part of what is carried in", () => {
  const returned = { carriedIn: 42n, escrowReturned: 12n, carried: 72n };
  expect(summarize(epochOf(0, {}), epochOf(1, returned)).epochs[1]).toMatchObject({
    carriedIn: "42",
    escrowReturned: "12",
  });
});

test("refuses books that do not balance, within an epoch or from one to the next", () => {
  expect(() => summarize(epochOf(0, { paid: 71n }))).toThrow("epoch 0: emitted + carried in");
  const kept = epochOf(1, { carriedIn: 42n, carried: 72n });
  expect(() => summarize(epochOf(0, {}), kept)).toThrow("epoch 1: carried in is not what epoch 0 carried");
});
