/** Going on behind own batches that the votes do not know: what is fetched for it, and what only has to be named. */
import { hash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { encodeBatch } from "../../../protocol/src/agreement/rounds.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { LaneAdoption } from "../../../validator/src/lanes/laneAdoption.ts";
import { type AuthoredBatch, openVotes } from "../../../validator/src/rounds/votes.ts";
import { contextOf, createTestGenesis, VALIDATOR } from "./support/network.ts";

const { networkId } = contextOf(createTestGenesis(0));
const lane = VALIDATOR.publicKey;

/** The lane as it was before its home was lost, by number from 1 on. */
const PLACES: readonly AuthoredBatch[] = [];
const BODIES = new Map<string, Uint8Array>();
for (let seq = 1, prev: Uint8Array = new Uint8Array(32); seq <= 9; seq++) {
  const body = encodeBatch({ lane, seq, prev, messages: [] });
  prev = hash("sha256", body, "buffer");
  BODIES.set(encodeHex(prev), body);
  (PLACES as AuthoredBatch[]).push({ seq, digest: prev });
}
const placeOf = (seq: number) => PLACES[seq - 1]!;
const certOf = (seq: number) => ({ lane, ...placeOf(seq) });

const newVotes = () => openVotes(":memory:", { network: networkId, validator: lane });

/** @param end the number that the newest decided cut has. */
function openAdoption(end: number, votes = newVotes()) {
  const asked: number[] = [];
  const requested: number[] = [];
  const adopted: number[] = [];
  const progressed = Promise.withResolvers<void>();
  const during = { onBatch: (_seq: number): unknown => undefined };
  const adoption = new LaneAdoption(
    { self: lane, end: end === 0 ? { seq: 0, digest: new Uint8Array(32) } : placeOf(end) },
    {
      votes,
      fetcher: {
        getBatch: async (digest) => {
          const { seq } = PLACES.find((place) => encodeHex(place.digest) === encodeHex(digest))!;
          asked.push(seq);
          await during.onBatch(seq);
          return BODIES.get(encodeHex(digest))!;
        },
      },
      acks: { request: ({ seq }) => void requested.push(seq) },
      lane: () => ({ adopt: ({ seq }) => void adopted.push(seq) }),
      onProgress: () => progressed.resolve(),
      onFailure: progressed.reject,
    },
  );
  const extend = (seq: number) => {
    adoption.extend(placeOf(seq));
    return progressed.promise;
  };
  const { promise: caughtUp } = progressed;
  return { adoption, votes, asked, requested, adopted, during, extend, caughtUp };
}

describe("a lane that was forgotten", () => {
  test("goes on behind what a decided cut has, by its name alone: the others may have deleted it", async () => {
    const { adoption, extend, votes, asked, requested, adopted } = openAdoption(0);
    adoption.onCut([certOf(7)]);
    await extend(7);
    expect([votes.lastBatch()?.seq, adopted, asked, requested]).toEqual([7, [7], [], []]);
  });

  test("fetches back to the cut what the others hold beyond it, and has the newest acknowledged", async () => {
    const { adoption, extend, votes, asked, requested, adopted } = openAdoption(5);
    const extended = extend(9);
    expect([adoption.isBehind(), adoption.isUnknown(placeOf(9))]).toEqual([true, false]);
    await extended;
    expect(adoption.isBehind()).toBe(false);
    expect([votes.lastBatch()?.seq, adopted, asked, requested]).toEqual([9, [9], [9, 8, 7, 6], [9]]);
  });

  test("fetches no further than to what its copy knows, or a cut has taken meanwhile", async () => {
    const { adoption, extend, votes, asked, during } = openAdoption(2);
    votes.adoptBatch(placeOf(4));
    during.onBatch = (seq) => seq === 8 && adoption.onCut([certOf(7)]);
    await extend(9);
    expect(asked).toEqual([9, 8]);
    const copy = openAdoption(2);
    copy.votes.adoptBatch(placeOf(6));
    await copy.extend(9);
    expect(copy.asked).toEqual([9, 8, 7]);
  });

  test("takes no number before all that was found meanwhile is known", async () => {
    const { adoption, extend, votes, adopted, during } = openAdoption(6);
    during.onBatch = (seq) => seq === 7 && adoption.extend(placeOf(9));
    await extend(7);
    expect([votes.lastBatch()?.seq, adopted, adoption.isBehind()]).toEqual([9, [7, 9], false]);
  });

  test("takes no number after a restart either that was found before, whether it is shown again or not", async () => {
    const first = openAdoption(5);
    first.during.onBatch = () => new Promise(() => {});
    first.adoption.extend(placeOf(9));
    first.adoption.stop();
    const { adoption, votes, asked, adopted, caughtUp } = openAdoption(5, first.votes);
    expect([adoption.isBehind(), adoption.isUnknown(placeOf(9))]).toEqual([true, false]);
    adoption.start();
    await caughtUp;
    expect([votes.lastBatch()?.seq, adopted, asked]).toEqual([9, [9], [9, 8, 7, 6]]);
    expect([adoption.isBehind(), votes.foundBatch()]).toEqual([false, null]);
    const third = openAdoption(5, votes);
    third.adoption.start();
    expect([third.adoption.isBehind(), third.asked]).toEqual([false, []]);
  });
});
