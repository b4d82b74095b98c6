/** What a home that was lost or restored may acknowledge: nothing for an epoch that it may have acknowledged for before. */
import { describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { createValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import { LostAcks } from "../../../validator/src/lanes/lostAcks.ts";
import { openVotes, type Votes } from "../../../validator/src/rounds/votes.ts";

const keyOf = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const [SELF, AUTHOR, OTHER, FOURTH] = [1, 2, 3, 4].map(keyOf) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const setOf = (...keys: Uint8Array[]) => createValidatorSet(keys);
const FOUR = setOf(SELF, AUTHOR, OTHER, FOURTH);
const parameters = { roundsPerEpoch: 10 };
/** The first round that no earlier home had decided: the last of epoch 6, for which epoch 7 may have been acknowledged. */
const FRESH = 69;

const newVotes = (): Votes => openVotes(":memory:", { network: new Uint8Array(32), validator: SELF });
const restoredVotes = (): Votes => {
  const votes = newVotes();
  votes.markRestored();
  return votes;
};

function open({ votes = newVotes(), set = FOUR, firstKnownEpoch = 0, seat = FOUR } = {}) {
  const at = { freshRound: null as number | null, set };
  const acks = new LostAcks(
    { self: SELF, parameters },
    {
      votes,
      sets: {
        setOf: (epoch) => (epoch === firstKnownEpoch ? seat : at.set),
        firstKnownEpoch: () => firstKnownEpoch,
      },
      freshRound: () => at.freshRound,
      log: createSilentLog(),
    },
  );
  const may = (epoch: number, lane = AUTHOR) => acks.mayAcknowledge({ lane, epoch });
  /** Hears from the others where they are, and executes. */
  const settle = (freshRound = FRESH) => {
    at.freshRound = freshRound;
    acks.onExecuted();
  };
  return { acks, votes, at, may, settle };
}

describe("a home that does not know what it acknowledged", () => {
  test("are missing where an older program has marked the votes, which said no more than that", () => {
    const votes = { ...newVotes(), isRestored: () => true };
    const { may, settle } = open({ votes });
    expect(may(8)).toBe(false);
    settle();
    expect([may(7), may(8)]).toEqual([false, true]);
  });

  test("acknowledges for no epoch that the one before may have acknowledged for, and for all after", () => {
    const { acks, may, settle } = open({ votes: restoredVotes() });
    acks.onExecuted();
    expect([may(7), may(8), may(1_000)]).toEqual([false, false, false]);
    expect(acks.countWaitEpochs(6)).toBe(2);
    settle();
    expect([may(6), may(7), may(8), may(9)]).toEqual([false, false, true, true]);
    expect([6, 7, 8, 9].map((epoch) => acks.countWaitEpochs(epoch))).toEqual([2, 1, 0, 0]);
  });

  test("remembers it across its ends, whatever was known when", () => {
    const { votes } = open({ votes: restoredVotes() });
    votes.unmarkRestored();
    const again = open({ votes });
    expect(again.may(1_000)).toBe(false);
    again.settle();
    // How far the network is meanwhile makes no difference: what is acknowledged now is known.
    const third = open({ votes });
    third.settle(FRESH + 30);
    expect([third.may(7), third.may(8)]).toEqual([false, true]);
  });

  test("waits no longer for starting again before its first signature, and anew when it is restored again", () => {
    const begun = open({ firstKnownEpoch: 3 });
    for (const { votes, settle } of [open({ votes: restoredVotes() }), begun]) {
      settle();
      const again = open({ votes, firstKnownEpoch: 3 });
      expect([again.may(7), again.may(8)]).toEqual([false, true]);
      votes.markRestored();
      expect(open({ votes, firstKnownEpoch: 3 }).may(8)).toBe(false);
    }
  });

  test("is found by the others as well, at any time", () => {
    const { acks, may, settle } = open();
    expect(may(6)).toBe(true);
    acks.onLost();
    expect(may(8)).toBe(false);
    settle();
    expect([may(7), may(8)]).toEqual([false, true]);
    acks.onLost();
    settle(FRESH + 10);
    expect([may(8), may(9)]).toEqual([false, true]);
  });

  test("is one that begins with a seat and without a vote, and no other", () => {
    const vote = { round: 3, view: 0, kind: "tips", digest: keyOf(7) } as const;
    const voted = newVotes();
    voted.recordJournal(3, [], [vote]);
    const without = setOf(AUTHOR, OTHER, FOURTH, keyOf(5));
    expect(open({ firstKnownEpoch: 3 }).may(4)).toBe(false);
    expect(open({ firstKnownEpoch: 3, seat: without }).may(4)).toBe(true);
    expect(open({ firstKnownEpoch: 3, votes: voted }).may(4)).toBe(true);
    expect(open().may(4)).toBe(true);
  });

  test("gives its word to members of a set that has no quorum without it, and not to who has left", () => {
    const { acks, may, at, settle } = open({ votes: restoredVotes(), set: setOf(SELF, AUTHOR, OTHER) });
    expect([may(7), may(7, FOURTH)]).toEqual([true, false]);
    expect(acks.countWaitEpochs(6)).toBe(0);
    settle();
    at.set = FOUR;
    expect([may(7), may(8)]).toEqual([false, true]);
  });
});
