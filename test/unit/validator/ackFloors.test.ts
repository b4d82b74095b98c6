/** What a home that was lost or restored may acknowledge: nothing that it may have acknowledged before. */
import { describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { createValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import { MAX_UNCUT_BATCHES } from "../../../protocol/src/agreement/lanes/index.ts";
import { AckFloors } from "../../../validator/src/lanes/ackFloors.ts";
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
const END = 40;
/** The highest number that an earlier home may have acknowledged. */
const FLOOR = END + MAX_UNCUT_BATCHES;

const newVotes = (): Votes => openVotes(":memory:", { network: new Uint8Array(32), validator: SELF });
const restoredVotes = (): Votes => {
  const votes = newVotes();
  votes.markRestored();
  return votes;
};

function open({ votes = newVotes(), set = FOUR, firstKnownEpoch = 0, seat = FOUR } = {}) {
  const list = [{ key: AUTHOR, laneEnd: { seq: END } }];
  const ledger = { round: 20, nextEpoch: 7, laneEndOf: () => list[0]!.laneEnd, validators: { list } };
  const at = { freshRound: null as number | null, set };
  const floors = new AckFloors(
    { self: SELF },
    {
      votes,
      sets: {
        setOf: (epoch) => (epoch === firstKnownEpoch ? seat : at.set),
        firstKnownEpoch: () => firstKnownEpoch,
        members: () => [SELF, AUTHOR, OTHER],
      },
      ledger,
      freshRound: () => at.freshRound,
      log: createSilentLog(),
    },
  );
  const may = (seq: number, lane = AUTHOR) => floors.mayAcknowledge({ lane, seq, epoch: 7 });
  const execute = (round: number) => {
    ledger.round = round;
    floors.onExecuted();
  };
  /** Asks the others, and goes on to a round that the home before cannot have seen. */
  const settle = () => {
    at.freshRound = 21;
    execute(21);
  };
  return { floors, votes, list, at, may, execute, settle };
}

describe("a home that does not know what it acknowledged", () => {
  test("acknowledges nothing that the one before may have acknowledged", () => {
    const { floors, list, may, execute, at } = open({ votes: restoredVotes() });
    execute(21);
    expect(may(FLOOR + 1)).toBe(false);
    expect(floors.countHeldBack()).toBe(2);
    at.freshRound = 23;
    execute(22);
    expect(may(FLOOR + 1)).toBe(false);
    execute(23);
    expect([may(END + 1), may(FLOOR), may(FLOOR + 1)]).toEqual([false, false, true]);
    expect(floors.countHeldBack()).toBe(1);
    list[0]!.laneEnd.seq = FLOOR;
    expect(floors.countHeldBack()).toBe(0);
    // Who staked later had no lane before.
    expect(may(1, OTHER)).toBe(true);
  });

  test("remembers it across its ends, whatever was known when", () => {
    const { votes } = open({ votes: restoredVotes() });
    votes.unmarkRestored();
    const again = open({ votes });
    expect(again.may(FLOOR + 1)).toBe(false);
    again.settle();
    // Where the lane has got to meanwhile makes no difference: what is acknowledged now is known.
    const third = open({ votes });
    third.list[0]!.laneEnd.seq = FLOOR;
    third.settle();
    expect([third.may(FLOOR), third.may(FLOOR + 1)]).toEqual([false, true]);
  });

  test("is found by the others as well, and never lowers what it holds back", () => {
    const { floors, list, may, settle } = open();
    expect(may(END + 1)).toBe(true);
    floors.onLost();
    expect(may(FLOOR + 1)).toBe(false);
    settle();
    expect(may(FLOOR + 1)).toBe(true);
    list[0]!.laneEnd.seq = END - 1;
    floors.onLost();
    settle();
    expect([may(FLOOR), may(FLOOR + 1)]).toEqual([false, true]);
  });

  test("is one that begins with a seat and without a vote, and no other", () => {
    const vote = { round: 3, view: 0, kind: "tips", digest: keyOf(7) } as const;
    const voted = newVotes();
    voted.recordVotes([vote]);
    const without = setOf(AUTHOR, OTHER, FOURTH, keyOf(5));
    expect(open({ firstKnownEpoch: 3 }).may(END + 1)).toBe(false);
    expect(open({ firstKnownEpoch: 3, seat: without }).may(END + 1)).toBe(true);
    expect(open({ firstKnownEpoch: 3, votes: voted }).may(END + 1)).toBe(true);
    expect(open().may(END + 1)).toBe(true);
  });

  test("gives its word to members of a set that has no quorum without it, and not to who has left", () => {
    const { may, at, settle } = open({ votes: restoredVotes(), set: setOf(SELF, AUTHOR, OTHER) });
    expect([may(END + 1), may(END + 1, FOURTH)]).toEqual([true, false]);
    settle();
    at.set = FOUR;
    expect([may(FLOOR), may(FLOOR + 1)]).toEqual([false, true]);
  });
});
