/** What a validator makes of what others hold of its word: only what it really signed counts. */
import { describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { verifySignature } from "../../../node/src/host/verify.ts";
import { createValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import {
  encodeBatchBody,
  encodeBitmap,
  encodeTips,
  type FinalCert,
  type SignedTips,
} from "../../../protocol/src/agreement/rounds.ts";
import { encodeStanding, type Standing } from "../../../protocol/src/agreement/standing.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import type { Finalized } from "../../../validator/src/rounds/agreement.ts";
import { RestoreGuard } from "../../../validator/src/rounds/restoreGuard.ts";
import { type AuthoredBatch, openVotes } from "../../../validator/src/rounds/votes.ts";
import { ManualClock } from "./support/manualClock.ts";
import { contextOf, createTestGenesis, keyNamed, signBody } from "./support/network.ts";

const context = contextOf(createTestGenesis(0));
const keys = [0, 1, 2, 3].map((index) => keyNamed(`guarded ${index}`));
const [SELF] = keys as [(typeof keys)[number]];
const set = createValidatorSet(keys.map(({ publicKey }) => publicKey));
/** Before it has a seat. */
const WITHOUT_SELF = createValidatorSet(keys.slice(1).map(({ publicKey }) => publicKey));
const NEXT_ROUND = 20;
const RETRY_MS = 100;

const tipsOf = (round: number, signer = SELF, author = SELF): SignedTips => {
  const zeros = new Uint8Array(32);
  const tips = {
    round,
    validator: author.publicKey,
    timeMs: 7,
    tips: [],
    executedRound: 0,
    executedDigest: zeros,
  };
  return { tips, signature: signBody(context, signer, "tips", encodeTips(tips)) };
};
const batchOf = (seq: number, signer = SELF): Standing["batch"][number] => {
  const place = { lane: SELF.publicKey, seq, digest: new Uint8Array(32).fill(seq) };
  return { place, signature: signBody(context, signer, "batch", encodeBatchBody(place)) };
};
const NOTHING: Standing = { rounds: NEXT_ROUND, tips: [], batch: [] };

/** Claims of so many rounds are lies. */
const LIE = 1_000;
const showTruth = (claimed: number): number => (claimed < LIE ? claimed : 0);

function openGuard(
  answers: readonly (Standing | null | Uint8Array)[],
  change: {
    readonly isMarkedRestored?: boolean;
    readonly set?: typeof set;
    readonly nextRound?: number;
    readonly isEmpty?: boolean;
    /** What one of the others shows of what it claims; all of it where nothing is said. */
    readonly showRounds?: (claimed: number) => number | null;
  } = {},
) {
  const clock = new ManualClock(0);
  const votes = openVotes(":memory:", { network: context.networkId, validator: SELF.publicKey });
  const known = { round: 10, view: 0, kind: "tips", digest: sha256(encodeTips(tipsOf(10).tips)) } as const;
  if (change.isEmpty !== true) votes.recordJournal(10, [], [known]);
  const at = { round: change.nextRound ?? NEXT_ROUND, set: change.set ?? set };
  const adopted: AuthoredBatch[] = [];
  const failures: Error[] = [];
  const counts = { restored: 0, firstSignings: 0 };
  const names = keys.map(({ publicKey }) => encodeHex(publicKey));
  const said = [...answers];
  const guard = new RestoreGuard(
    {
      self: SELF.publicKey,
      domains: context.domains,
      retryMs: RETRY_MS,
      isMarkedRestored: change.isMarkedRestored ?? false,
    },
    {
      mesh: {
        connected: () => names.filter((_, position) => position > 0 && (said[position - 1] ?? null) !== null),
        fetch: async (name) => {
          const answer = said[names.indexOf(name) - 1] ?? null;
          return answer === null || answer instanceof Uint8Array ? answer : encodeStanding(answer);
        },
      },
      sets: { setOfRound: () => at.set },
      votes,
      verify: verifySignature,
      clock,
      log: createSilentLog(),
      nextRound: () => at.round,
      showRounds: async (_, claimed) => (change.showRounds ?? showTruth)(claimed),
      lane: {
        isUnknown: ({ seq }) => seq > (adopted.at(-1)?.seq ?? 0),
        isBehind: () => false,
        extend: (place) => void adopted.push(place),
      },
      onProgress: () => {},
      onRestored: () => counts.restored++,
      onFirstSigning: () => counts.firstSignings++,
      onFailure: (error) => failures.push(error),
    },
  );
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const start = async () => {
    guard.start();
    await settle();
  };
  const later = async () => {
    clock.advance(RETRY_MS);
    await settle();
  };
  return { guard, votes, at, said, adopted, failures, counts, start, later };
}

const decided = (
  round: number,
  change: Partial<Finalized["value"]> = {},
  cert: Partial<FinalCert> = {},
): Finalized =>
  ({
    round,
    value: { round, tips: [], cut: [], previousFinal: [], evidence: [], ...change },
    cert: {
      round,
      view: 1,
      value: new Uint8Array(32),
      bitmap: encodeBitmap([1, 2, 3], 4),
      signatures: [],
      ...cert,
    },
  }) as unknown as Finalized;

describe("a validator after its start", () => {
  test("signs once a quorum, itself among it, holds nothing that it does not know", async () => {
    const { guard, said, start, later, counts } = openGuard([{ ...NOTHING, tips: [tipsOf(10)] }, null, null]);
    await start();
    expect([guard.maySign(NEXT_ROUND), guard.mayAuthor()]).toEqual([false, false]);
    expect(guard.describe()).toMatch(/has not heard from a quorum/);
    said[2] = NOTHING;
    await later();
    expect([guard.maySign(NEXT_ROUND), guard.mayAuthor(), counts.restored]).toEqual([true, true, 0]);
    expect(guard.describe()).toBeNull();
  });

  test("signs nothing where it may have signed, up to one round beyond the highest of a quorum of others", async () => {
    const { guard, said, start, later, counts } = openGuard([
      { ...NOTHING, tips: [tipsOf(15)] },
      NOTHING,
      null,
    ]);
    await start();
    expect(counts.restored).toBe(1);
    await later();
    expect(guard.describe()).toMatch(/older than what other validators hold/);
    expect(guard.maySign(1_000)).toBe(false);
    said[2] = { ...NOTHING, rounds: NEXT_ROUND + 3 };
    await later();
    await later();
    expect([NEXT_ROUND + 3, NEXT_ROUND + 4, NEXT_ROUND + 5].map(guard.maySign.bind(guard))).toEqual([
      false,
      false,
      true,
    ]);
    expect(guard.describe()).toContain(`before round ${NEXT_ROUND + 5}`);
  });

  test("restored is silenced by nobody who claims rounds that it cannot show", async () => {
    const liar = { ...NOTHING, rounds: LIE };
    const { guard, start, later } = openGuard([NOTHING, liar, NOTHING], { isMarkedRestored: true });
    await start();
    // An honest one may fail to show what it has once.
    await later();
    expect(guard.maySign(LIE + 2)).toBe(false);
    await later();
    expect([21, 22].map((round) => guard.maySign(round))).toEqual([false, true]);
  });

  test("restored believes a single one that shows what it claims, since nobody else may have seen its votes", async () => {
    const ahead = { ...NOTHING, rounds: NEXT_ROUND + 9 };
    const behind = { ...NOTHING, rounds: 2 };
    const { guard, start } = openGuard([behind, ahead, behind], { isMarkedRestored: true });
    await start();
    const signsFrom = NEXT_ROUND + 9 + 2;
    expect([signsFrom - 1, signsFrom].map((round) => guard.maySign(round))).toEqual([false, true]);
  });

  test("restored asks again who shows no more than the sets that it knows let it, or does not answer", async () => {
    const far = { ...NOTHING, rounds: 90 };
    let shown: number | null = 40;
    const { guard, start, later } = openGuard([NOTHING, far, NOTHING], {
      isMarkedRestored: true,
      showRounds: () => shown,
    });
    await start();
    for (let tries = 0; tries < 4; tries++) await later();
    shown = null;
    for (let tries = 0; tries < 4; tries++) await later();
    expect(guard.maySign(LIE)).toBe(false);
    shown = 90;
    await later();
    expect([91, 92].map((round) => guard.maySign(round))).toEqual([false, true]);
  });

  test("restored for so long that nobody can show it anything takes several claims for the truth", async () => {
    const far = { ...NOTHING, rounds: 90 };
    const { guard, start, later } = openGuard([NOTHING, far, far], {
      isMarkedRestored: true,
      showRounds: () => 0,
    });
    await start();
    for (let tries = 0; tries < 4; tries++) await later();
    expect([91, 92].map((round) => guard.maySign(round))).toEqual([false, true]);
  });

  test("is stopped by nobody who cannot show its signature", async () => {
    const [, other] = keys as [unknown, (typeof keys)[number]];
    const forged = { ...NOTHING, tips: [tipsOf(19, other)], batch: [batchOf(9, other)] };
    const foreign = { ...NOTHING, tips: [tipsOf(19, other, other)] };
    const { guard, start, counts, adopted } = openGuard([forged, foreign, Uint8Array.of(1, 2, 3)]);
    await start();
    expect([guard.maySign(NEXT_ROUND), counts.restored, adopted.length]).toEqual([true, 0, 0]);
  });

  test("restored from a backup needs nobody to find it out, and trusts its votes from its first signature on", async () => {
    const { guard, said, start, later, counts } = openGuard([NOTHING, { ...NOTHING, rounds: 20 }, null], {
      isMarkedRestored: true,
    });
    await start();
    // Unmarked, two of three would do: a quorum together with itself.
    expect([counts.restored, guard.maySign(NEXT_ROUND)]).toEqual([1, false]);
    expect(guard.describe()).toMatch(/before a quorum of the others answers/);
    said[2] = NOTHING;
    await later();
    expect([21, 22].map((round) => guard.maySign(round))).toEqual([false, true]);
    guard.onSigning(22);
    guard.onSigning(23);
    expect(counts).toEqual({ restored: 1, firstSignings: 1 });
  });

  test("restored without a seat is still restored when it gets one, and lacks nothing until then", async () => {
    const { guard, at, start, later, counts } = openGuard([NOTHING, NOTHING, NOTHING], {
      isMarkedRestored: true,
      set: WITHOUT_SELF,
    });
    await start();
    await later();
    expect([guard.maySign(NEXT_ROUND), guard.describe(), counts.restored]).toEqual([false, null, 0]);
    at.set = set;
    await later();
    const signsFrom = NEXT_ROUND + 2;
    expect([signsFrom - 1, signsFrom].map((round) => guard.maySign(round))).toEqual([false, true]);
    expect(counts.restored).toBe(1);
  });

  test("lost, and begun with a state of before its seat, sees first what was decided with it", async () => {
    const early = { isEmpty: true, nextRound: 0, set: WITHOUT_SELF };
    const { guard, at, start, later, counts, failures } = openGuard([NOTHING, NOTHING, NOTHING], early);
    await start();
    at.round = 3;
    at.set = set;
    expect(guard.maySign(3)).toBe(false);
    await later();
    expect([3, NEXT_ROUND].map((round) => guard.maySign(round))).toEqual([false, false]);
    expect(guard.describe()).toMatch(/not seen all they decided/);
    guard.onDecided(decided(3, { tips: [tipsOf(3)] }));
    at.round = 4;
    await later();
    const signsFrom = NEXT_ROUND + 2;
    expect([4, signsFrom - 1, signsFrom].map((round) => guard.maySign(round))).toEqual([false, false, true]);
    expect([counts.restored, failures]).toEqual([1, []]);
  });

  test("restored where there is no quorum without it goes by what the others hold", async () => {
    const three = createValidatorSet(keys.slice(0, 3).map(({ publicKey }) => publicKey));
    const { guard, start, counts } = openGuard([NOTHING, NOTHING], { isMarkedRestored: true, set: three });
    await start();
    expect([counts.restored, guard.maySign(NEXT_ROUND)]).toEqual([0, true]);
  });

  test("restored where there is no quorum without it leaves out no round that nobody else could decide", async () => {
    const three = createValidatorSet(keys.slice(0, 3).map(({ publicKey }) => publicKey));
    const alone = createValidatorSet([SELF.publicKey]);
    const ahead = { ...NOTHING, rounds: NEXT_ROUND + 3 };
    for (const [members, answers, reached] of [
      [alone, [], NEXT_ROUND],
      [three, [NOTHING, ahead], NEXT_ROUND + 3],
    ] as const) {
      const { guard, start, counts } = openGuard(answers, { set: members });
      guard.onDecided(decided(15, { tips: [tipsOf(15)] }));
      await start();
      expect([counts.restored, guard.maySign(reached - 1), guard.maySign(reached)]).toEqual([1, false, true]);
    }
  });

  test("restored where there is no quorum without it contradicts no tips that the others hold", async () => {
    const three = createValidatorSet(keys.slice(0, 3).map(({ publicKey }) => publicKey));
    const { guard, start } = openGuard([NOTHING, { ...NOTHING, tips: [tipsOf(NEXT_ROUND)] }], { set: three });
    guard.onDecided(decided(15, { tips: [tipsOf(15)] }));
    await start();
    expect([NEXT_ROUND, NEXT_ROUND + 1].map((round) => guard.maySign(round))).toEqual([false, true]);
  });

  test("with empty votes sees first what the others decided, and finds in it that it took part", async () => {
    const empty = { isEmpty: true, nextRound: 0 };
    const { guard, at, start, later, counts, failures } = openGuard([NOTHING, NOTHING, NOTHING], empty);
    await start();
    expect([0, NEXT_ROUND].map((round) => guard.maySign(round))).toEqual([false, false]);
    at.round = 4;
    guard.onDecided(decided(3, { tips: [tipsOf(3)] }));
    expect(counts.restored).toBe(1);
    await later();
    const signsFrom = NEXT_ROUND + 2;
    expect([4, signsFrom - 1, signsFrom].map((round) => guard.maySign(round))).toEqual([false, false, true]);
    expect(failures).toEqual([]);
  });

  test("with empty votes and no word of it anywhere is new, and is needed where another one is down", async () => {
    const empty = { isEmpty: true, nextRound: NEXT_ROUND - 1 };
    const { guard, at, start, later, counts } = openGuard([NOTHING, NOTHING, null], empty);
    await start();
    expect(guard.maySign(NEXT_ROUND - 1)).toBe(false);
    at.round = NEXT_ROUND;
    await later();
    expect([guard.maySign(NEXT_ROUND), counts.restored]).toEqual([true, 0]);
  });

  test("with empty votes asks a third where one of two is behind", async () => {
    const behind = { ...NOTHING, rounds: 7 };
    const { guard, said, start, later } = openGuard([NOTHING, behind, null], { isEmpty: true, nextRound: 7 });
    await start();
    expect(guard.maySign(7)).toBe(false);
    said[2] = NOTHING;
    await later();
    expect(guard.maySign(7)).toBe(false);
  });

  test("with empty votes signs the first round of a network, whatever one of the others claims", async () => {
    const fresh = { ...NOTHING, rounds: 0 };
    const empty = { isEmpty: true, nextRound: 0 };
    const two = openGuard([fresh, fresh, null], empty);
    await two.start();
    expect(two.guard.maySign(0)).toBe(true);
    const liar = { ...NOTHING, rounds: LIE };
    const { guard, said, start, later } = openGuard([liar, fresh, null], empty);
    await start();
    for (let tries = 0; tries < 4; tries++) await later();
    expect(guard.maySign(0)).toBe(false);
    said[2] = fresh;
    await later();
    expect(guard.maySign(0)).toBe(true);
  });

  test("sees first what was decided without it, as far as an honest one of the others has come", async () => {
    const { guard, at, start, later, failures, counts } = openGuard([
      { ...NOTHING, rounds: NEXT_ROUND + 5 },
      { ...NOTHING, rounds: LIE },
      null,
    ]);
    await start();
    await later();
    await later();
    expect(guard.maySign(NEXT_ROUND)).toBe(false);
    at.round = NEXT_ROUND + 5;
    await later();
    expect([guard.maySign(at.round), counts.restored, failures.length]).toEqual([true, 0, 0]);
  });

  test("continues its lane behind what others hold", async () => {
    const { guard, start, later, adopted } = openGuard([
      { ...NOTHING, batch: [batchOf(4)] },
      { ...NOTHING, batch: [batchOf(6)] },
      NOTHING,
    ]);
    await start();
    await later();
    expect(adopted.at(-1)!.seq).toBe(6);
    expect(guard.mayAuthor()).toBe(true);
    expect(guard.maySign(NEXT_ROUND + 2)).toBe(true);
  });

  test("finds its own signatures in decided rounds", async () => {
    const self = { bitmap: encodeBitmap([0, 1, 2], 4) };
    for (const round of [decided(15, { tips: [tipsOf(15)] }), decided(15, {}, self)]) {
      const { guard, start, counts } = openGuard([NOTHING, NOTHING, null]);
      await start();
      guard.onDecided(decided(10, { tips: [tipsOf(10)] }));
      guard.onDecided(decided(14));
      expect([counts.restored, guard.maySign(NEXT_ROUND)]).toEqual([0, true]);
      guard.onDecided(round);
      expect([counts.restored, guard.maySign(NEXT_ROUND)]).toEqual([1, false]);
    }
  });

  test("marked, and finding its signatures before it starts, says once that it was restored", async () => {
    const { guard, start, counts } = openGuard([NOTHING, NOTHING, NOTHING], { isMarkedRestored: true });
    guard.onDecided(decided(15, { tips: [tipsOf(15)] }));
    await start();
    expect([counts.restored, guard.maySign(NEXT_ROUND + 1), guard.maySign(NEXT_ROUND + 2)]).toEqual([
      1,
      false,
      true,
    ]);
  });

  test("stops when another process signs with its key in rounds that are its own", async () => {
    const { guard, start, failures } = openGuard([NOTHING, NOTHING, NOTHING]);
    await start();
    guard.onSigning(NEXT_ROUND);
    guard.onDecided(decided(NEXT_ROUND, { tips: [tipsOf(NEXT_ROUND)] }));
    expect(failures).toMatchObject([{ code: "key_in_use" }]);
  });
});
