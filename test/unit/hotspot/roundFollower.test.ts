import { describe, expect, test } from "vitest";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import { createSilentLog } from "../../../node/src/host/log.ts";
import type { GossipHandler, PeerRef } from "../../../node/src/host/types.ts";
import { RoundFollower } from "../../../node/src/hotspot/roundFollower.ts";
import {
  createValidatorSet,
  fixedSets,
  type ValidatorSets,
} from "../../../protocol/src/agreement/certificates.ts";
import {
  encodeAnnouncement,
  encodeBitmap,
  encodeSignedAnnouncement,
  encodeVoteBody,
} from "../../../protocol/src/agreement/rounds.ts";
import { createSigningDomains, signingMessage } from "../../../protocol/src/crypto/domain.ts";
import { type Ed25519KeyPair, sign } from "../../../protocol/src/crypto/ed25519.ts";
import { epochOfRound } from "../../../protocol/src/network/parameters.ts";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { eventually } from "../host/eventually.ts";
import { newKey } from "./fakeValidator.ts";

const parameters = PRESETS.test;
const committee = [newKey(), newKey(), newKey(), newKey()];
const domains = createSigningDomains(new Uint8Array(32));
const peer: PeerRef = { peerId: "peer", publicKey: null };

/** A round's announcement by one validator of four, certified by all, with a seed that it claims. */
function announce(round: number, by: number, seedByte: number, seats = committee): Uint8Array {
  const vote = { round, view: 1, value: new Uint8Array(32) };
  const message = signingMessage(domains, "finalize", encodeVoteBody(vote));
  const signatures = seats.map(({ secretSeed }) => sign(secretSeed, message));
  const places = seats.map((_, place) => place);
  const announcement = {
    round,
    timeMs: round,
    epoch: epochOfRound(parameters, round + 1),
    seed: new Uint8Array(32).fill(seedByte),
    final: { ...vote, bitmap: encodeBitmap(places, seats.length), signatures },
  };
  const { publicKey, secretSeed } = seats[by]!;
  const signature = sign(secretSeed, signingMessage(domains, "round", encodeAnnouncement(announcement)));
  return encodeSignedAnnouncement({ validator: publicKey, announcement, signature });
}

const setOf = (seats: readonly Ed25519KeyPair[]) =>
  createValidatorSet(seats.map(({ publicKey }) => publicKey));

function createFollower(answer: Uint8Array | null = null, sets: ValidatorSets = fixedSets(setOf(committee))) {
  const wanted: number[] = [];
  const handlers: GossipHandler[] = [];
  const ticks: (() => void)[] = [];
  let nowMs = 0;
  let setByMs = 0;
  let asked = 0;
  const follower = new RoundFollower(
    {
      judge: { domains, parameters, sets },
      roundsTopic: "rounds",
      anchor: null,
    },
    {
      network: {
        onGossip: (_, handler) => handlers.push(handler),
        request: async () => {
          asked++;
          if (answer === null) throw new Error("no answer");
          return answer;
        },
        disconnect: async () => undefined,
      },
      links: { connected: () => [peer], onConnected: () => undefined },
      setFollower: { want: (epoch) => void wanted.push(epoch), onRound: () => undefined },
      clock: {
        ...createSystemClock(),
        nowMs: () => nowMs,
        elapsedMs: () => nowMs - setByMs,
        every: (_, callback) => {
          ticks.push(callback);
          return () => undefined;
        },
      },
      log: createSilentLog(),
    },
  );
  follower.start(new AbortController().signal);
  return {
    follower,
    hear: (bytes: Uint8Array) => handlers[0]!(peer, bytes),
    /** Lets time pass, and the follower look at it. */
    pass: (ms: number) => {
      nowMs += ms;
      for (const tick of ticks) tick();
    },
    /** Sets the wall clock: no time passes. */
    set: (byMs: number) => {
      nowMs += byMs;
      setByMs += byMs;
    },
    asked: () => asked,
    wanted,
  };
}

describe("following rounds", () => {
  test("keeps the newest, forwards what is new, ignores what is known, rejects what is false", () => {
    const { follower, hear } = createFollower();
    const rounds: number[] = [];
    follower.onRound(({ round }) => rounds.push(round));
    expect(hear(announce(3, 0, 1))).toBe("accept");
    expect(hear(announce(3, 1, 1))).toBe("accept");
    // Two of four agree on the seed: one of them is honest, and the third has nothing new to say.
    expect(hear(announce(3, 2, 1))).toBe("ignore");
    expect(hear(announce(2, 0, 1))).toBe("ignore");
    expect(hear(announce(5, 0, 1))).toBe("accept");
    const forged = announce(7, 0, 1);
    forged[forged.length - 1]! ^= 1;
    expect(hear(forged)).toBe("reject");
    expect(hear(new Uint8Array(300))).toBe("reject");
    expect(rounds).toEqual([3, 5]);
    expect(follower.newest()).toMatchObject({ round: 5, epoch: 0 });
    expect(follower.counts()).toEqual({ new_round: 3, known: 2, unknown_set: 0, refused: 2 });
  });

  test("believes a seed when f + 1 validators say the same, each of them once", () => {
    const { follower, hear } = createFollower();
    hear(announce(3, 0, 66));
    hear(announce(4, 0, 66));
    hear(announce(5, 0, 67));
    expect(follower.seedOf(0)).toBe(null);
    hear(announce(5, 1, 1));
    expect(follower.seedOf(0)).toBe(null);
    hear(announce(5, 2, 1));
    expect(follower.seedOf(0)).toEqual(new Uint8Array(32).fill(1));
    // Seeds of the present and the last epoch are kept.
    for (const validator of [0, 1]) hear(announce(parameters.roundsPerEpoch, validator, 2));
    for (const validator of [0, 1]) hear(announce(2 * parameters.roundsPerEpoch, validator, 3));
    expect([0, 1, 2].map((epoch) => follower.seedOf(epoch)?.[0] ?? null)).toEqual([null, 2, 3]);
  });

  test("asks a validator when gossip is silent, and only then", async () => {
    const { follower, hear, pass, asked } = createFollower(announce(9, 0, 1));
    hear(announce(3, 0, 1));
    pass(parameters.roundMs);
    expect(asked()).toBe(0);
    pass(2 * parameters.roundMs);
    expect(asked()).toBe(1);
    await eventually(() => follower.newest()?.round).toBe(9);
    expect(follower.isFresh()).toBe(true);
    pass(60_000);
    expect(follower.isFresh()).toBe(false);
    expect(follower.estimateRound()).toBe(9 + 60_000 / parameters.roundMs);
    expect(follower.estimateMsUntil(9)).toBe(0);
  });
});

describe("a clock that is set", () => {
  const DAY_MS = 86_400_000;

  test.each([-2 * DAY_MS, 2 * DAY_MS])("by %d ms makes no round older or younger", async (byMs) => {
    const { follower, hear, pass, set, asked } = createFollower(announce(9, 0, 1));
    hear(announce(3, 0, 1));
    set(byMs);
    expect(follower.ageMs()).toBe(0);
    expect([follower.isFresh(), follower.estimateRound()]).toEqual([true, 3]);
    pass(3 * parameters.roundMs);
    expect(asked()).toBe(1);
    await eventually(() => follower.newest()?.round).toBe(9);
    expect(follower.estimateMsUntil(11)).toBe(2 * parameters.roundMs);
  });
});

describe("following rounds over a change of the set", () => {
  const newcomer = newKey();
  const grown = [...committee, newcomer];
  const { roundsPerEpoch } = parameters;
  /** The fifth has a seat from epoch 1 on; of epoch 2 the set is not known. */
  const changing: ValidatorSets = { setOf: (epoch) => [setOf(committee), setOf(grown)][epoch] ?? null };

  test("judges a round by its own epoch's set, and its announcer by that of the epoch announced", () => {
    const { follower, hear } = createFollower(null, changing);
    const last = roundsPerEpoch - 1;
    expect(hear(announce(last - 1, 0, 1, grown))).toBe("reject");
    expect(hear(announce(last - 1, 0, 1))).toBe("accept");
    // The last round is decided by four, and its next one's seed told by whoever has a seat then.
    const boundary = announce(last, 3, 2);
    expect(hear(boundary)).toBe("accept");
    expect(hear(announce(last + 1, 4, 2, grown))).toBe("accept");
    // Three are a quorum of four, and none of five.
    expect(hear(announce(last + 2, 0, 2, committee.slice(0, 3)))).toBe("reject");
    expect(follower.seedOf(1)).toEqual(new Uint8Array(32).fill(2));
    expect(follower.newest()).toMatchObject({ round: last + 1, epoch: 1 });
  });

  test("refuses nobody for a set that is not known: it asks for it", () => {
    const { follower, hear, wanted } = createFollower(null, changing);
    expect(hear(announce(2 * roundsPerEpoch, 0, 3, grown))).toBe("ignore");
    // The last round of epoch 1 tells the seed of epoch 2.
    expect(hear(announce(2 * roundsPerEpoch - 1, 0, 3, grown))).toBe("ignore");
    expect(wanted).toEqual([2, 2]);
    expect(follower.newest()).toBeNull();
    expect(follower.counts()).toMatchObject({ unknown_set: 2, refused: 0 });
  });

  test("believes a seed by the faulty that the present set may have", () => {
    const seven = [...committee, newKey(), newKey(), newKey()];
    const { follower, hear } = createFollower(null, fixedSets(setOf(seven)));
    for (const [index, round] of [3, 4].entries()) hear(announce(round, index, 9, seven));
    expect(follower.seedOf(0)).toBeNull();
    hear(announce(5, 6, 9, seven));
    expect(follower.seedOf(0)).toEqual(new Uint8Array(32).fill(9));
  });
});
