/** Votes: durable, unique under their name, and one process's at a time. */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { CodedError } from "../../../node/src/host/codedError.ts";
import { openVotes, VOTE_KINDS, type Vote } from "../../../validator/src/rounds/votes.ts";

const bytes = (fill: number) => new Uint8Array(32).fill(fill);
const binding = { network: bytes(1), validator: bytes(2) };
const vote = (change: Partial<Vote> = {}): Vote => ({
  round: 3,
  view: 1,
  kind: "notarize",
  digest: bytes(7),
  ...change,
});

describe("votes", () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "votes-"));
  });
  const open = () => openVotes(join(home, "votes.sqlite"), binding);

  test("are refused where they contradict one that was cast, also after a restart", () => {
    const first = open();
    expect(first.recordJournal(3, [], [vote()])).toBe("recorded");
    expect(first.recordJournal(3, [], [vote()])).toBe("recorded");
    expect(first.recordJournal(3, [], [vote({ digest: bytes(8) })])).toBe("conflict");
    first.close();
    const again = open();
    expect(again.recordJournal(3, [], [vote({ digest: bytes(8) })])).toBe("conflict");
    expect(again.recordJournal(3, [], [vote()])).toBe("recorded");
    const others = [vote({ kind: "finalize" }), vote({ view: 2, digest: bytes(8) })];
    expect(again.recordJournal(3, [], others)).toBe("recorded");
    again.close();
  });

  test("are recorded all or none", () => {
    const votes = open();
    votes.recordJournal(3, [], [vote()]);
    expect(votes.recordJournal(3, [], [vote({ round: 4 }), vote({ digest: bytes(8) })])).toBe("conflict");
    expect(votes.highestRound()).toBe(3);
    expect(votes.recordJournal(4, [], [vote({ round: 4, digest: bytes(9) })])).toBe("recorded");
    votes.close();
  });

  test("keep decided rounds until they are pruned, and the newest for good", () => {
    const votes = open();
    for (const round of [0, 1, 2]) {
      votes.recordJournal(round, [], [vote({ round })]);
      votes.recordDecided([{ round, value: bytes(round), cert: bytes(9) }]);
    }
    expect(votes.decidedFrom(1).map(({ round }) => round)).toEqual([1, 2]);
    votes.prune(10, 10);
    expect(votes.decidedFrom(0).map(({ round }) => round)).toEqual([2]);
    // What was pruned may not be voted on anew.
    expect(votes.recordJournal(1, [], [vote({ round: 1, digest: bytes(30) })])).toBe("conflict");
    votes.close();
  });

  test("hold a lane without gaps and with one digest a number", () => {
    const votes = open();
    expect(votes.lastBatch()).toBeNull();
    expect(
      votes.recordBatches([
        { seq: 1, digest: bytes(1) },
        { seq: 2, digest: bytes(2) },
      ]),
    ).toBe("recorded");
    expect(votes.recordBatches([{ seq: 4, digest: bytes(4) }])).toBe("conflict");
    expect(votes.recordBatches([{ seq: 2, digest: bytes(3) }])).toBe("conflict");
    expect(
      votes.recordBatches([
        { seq: 2, digest: bytes(2) },
        { seq: 3, digest: bytes(3) },
      ]),
    ).toBe("recorded");
    votes.prune(0, 3);
    expect(votes.lastBatch()).toEqual({ seq: 3, digest: bytes(3) });
    expect(votes.recordBatches([{ seq: 1, digest: bytes(1) }])).toBe("conflict");
    votes.close();
  });

  test("belong to one network and one validator", () => {
    open().close();
    expect(() => openVotes(join(home, "votes.sqlite"), { ...binding, network: bytes(3) })).toThrow(
      CodedError,
    );
    expect(() => openVotes(join(home, "votes.sqlite"), { ...binding, validator: bytes(3) })).toThrow(
      CodedError,
    );
  });

  test("are one process's at a time", () => {
    const first = open();
    expect(() => open()).toThrow(expect.objectContaining({ code: "home_in_use" }));
    first.close();
    open().close();
  });

  test("never hold two digests under one name, whatever is asked in whatever order", () => {
    const step = fc.record({
      round: fc.nat(3),
      view: fc.nat(2),
      kind: fc.constantFrom(...VOTE_KINDS),
      digest: fc.nat(1).map(bytes),
    });
    fc.assert(
      fc.property(fc.array(fc.array(step, { minLength: 1, maxLength: 3 }), { maxLength: 30 }), (requests) => {
        const votes = openVotes(":memory:", binding);
        const cast = new Map<string, number>();
        for (const request of requests) {
          const verdict = votes.recordJournal(0, [], request);
          if (verdict === "conflict") continue;
          for (const { round, view, kind, digest } of request) {
            const name = `${round}/${view}/${kind}`;
            if (cast.has(name)) expect(cast.get(name)).toBe(digest[0]);
            cast.set(name, digest[0]!);
          }
        }
        votes.close();
      }),
      { numRuns: 50 },
    );
  });

  test("keep a round's journal in order, with its votes or not at all", () => {
    const votes = open();
    const entry = (kind: "tips" | "value" | "vote", fill: number) => ({ kind, bytes: bytes(fill) });
    expect(votes.recordJournal(5, [entry("tips", 1)], [vote({ view: 0, kind: "tips" })])).toBe("recorded");
    expect(votes.recordJournal(5, [entry("value", 2), entry("vote", 3)], [vote()])).toBe("recorded");
    expect(votes.recordJournal(5, [entry("vote", 4)], [vote({ digest: bytes(9) })])).toBe("conflict");
    expect(votes.journalOf(6)).toEqual([]);
    votes.close();
    const again = open();
    expect(again.journalOf(5)).toEqual([entry("tips", 1), entry("value", 2), entry("vote", 3)]);
    again.prune(6, 0);
    expect(again.journalOf(5)).toEqual([]);
    again.close();
  });

  test("name one digest for an acknowledged batch and one for an attested epoch", () => {
    const votes = open();
    const ack = { lane: bytes(1), seq: 3, digest: bytes(2) };
    expect([votes.recordAck(ack), votes.recordAck(ack)]).toEqual(["recorded", "repeated"]);
    expect(votes.recordAck({ ...ack, digest: bytes(3) })).toBe("conflict");
    expect(votes.recordAck({ ...ack, seq: 4, digest: bytes(3) })).toBe("recorded");
    votes.pruneAcks(ack.lane, 4);
    expect(votes.recordAck({ ...ack, seq: 4 })).toBe("conflict");
    // The number below is forgotten; the conflict has not undone that.
    expect(votes.recordAck({ ...ack, digest: bytes(9) })).toBe("recorded");
    for (const epoch of [0, 1, 2]) votes.recordAttest(epoch, bytes(epoch), bytes(10 + epoch));
    expect(votes.recordAttest(1, bytes(1), bytes(11))).toBe("repeated");
    expect(votes.recordAttest(1, bytes(7), bytes(11))).toBe("conflict");
    votes.recordRewardCert(1, bytes(20));
    votes.recordRewardCert(1, bytes(21));
    expect(votes.rewardCert(1)).toEqual(bytes(20));
    expect([votes.rewardCert(0), votes.openAttests(0)]).toEqual([null, [bytes(10), bytes(12)]]);
    votes.close();
  });

  test("keep rounds that others decided, and count them as the newest", () => {
    const votes = open();
    const decided = [7, 8].map((round) => ({ round, value: bytes(round), cert: bytes(round) }));
    votes.recordDecided(decided);
    votes.recordDecided([{ round: 8, value: bytes(9), cert: bytes(9) }]);
    expect([votes.decidedFrom(7), votes.highestRound()]).toEqual([decided, 8]);
    votes.close();
  });
});
