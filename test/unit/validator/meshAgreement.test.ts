/** Rounds of a set of one, by the code that serves any number; and what a validator does without a seat. */
import { describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { verifySignature } from "../../../node/src/host/verify.ts";
import { checkFinalCert, fixedSets } from "../../../protocol/src/agreement/certificates.ts";
import { decodeFetchedRounds, type Fetch } from "../../../protocol/src/agreement/fetches.ts";
import { type AvailabilityCert, computeValueDigest } from "../../../protocol/src/agreement/rounds.ts";
import { checkValue } from "../../../protocol/src/agreement/valueRules.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { epochOfRound } from "../../../protocol/src/network/parameters.ts";
import { AvailabilityBook } from "../../../validator/src/lanes/availability.ts";
import { decodeDecided, type Executed, type Finalized } from "../../../validator/src/rounds/agreement.ts";
import { answerRounds } from "../../../validator/src/rounds/catchUp.ts";
import { createMeshAgreement } from "../../../validator/src/rounds/meshAgreement.ts";
import { KnownSets } from "../../../validator/src/rounds/validatorSets.ts";
import { openVotes, type Votes } from "../../../validator/src/rounds/votes.ts";
import { createSigner } from "../../../validator/src/signer.ts";
import type { RoundRow } from "../../../validator/src/store/store.ts";
import { ManualClock } from "./support/manualClock.ts";
import { contextOf, createTestGenesis, keyNamed, VALIDATOR } from "./support/network.ts";
import { SILENT_MESH } from "./support/silentMesh.ts";

const GENESIS_MS = 1_700_000_000_000;
const context = contextOf(createTestGenesis(1, GENESIS_MS));
const { parameters, domains, set } = context;
const { roundMs, execLagRounds } = parameters;
const PEER = encodeHex(VALIDATOR.publicKey);

type Change = {
  readonly votes?: Votes;
  readonly mayPropose?: boolean;
  readonly last?: Finalized;
  readonly startMs?: number;
  readonly keys?: typeof VALIDATOR;
  readonly clock?: ManualClock;
  /** Throws where what a decided round has to be passed on to fails. */
  readonly onFinalized?: (round: number) => void;
  /** Where a fetch goes. */
  readonly answer?: (fetch: Fetch) => Promise<Uint8Array | null>;
};

function openAgreement(change: Change = {}) {
  const keys = change.keys ?? VALIDATOR;
  const clock = change.clock ?? new ManualClock(change.startMs ?? GENESIS_MS - 1_000);
  const votes =
    change.votes ?? openVotes(":memory:", { network: context.networkId, validator: keys.publicKey });
  const onDropped = () => {};
  const finalized: Finalized[] = [];
  const failures: Error[] = [];
  let executed: Executed | null = null;
  const ledger = {
    setOf: () => set,
    get nextEpoch() {
      return epochOfRound(parameters, (executed?.round ?? -1) + 1);
    },
  };
  const sets = new KnownSets(parameters, { ledger, votes });
  const { answer } = change;
  const mesh = answer
    ? { ...SILENT_MESH, connected: () => [PEER], fetch: (_: string, fetch: Fetch) => answer(fetch) }
    : SILENT_MESH;
  const agreement = createMeshAgreement(
    { parameters, domains, genesisTimeMs: GENESIS_MS, last: change.last ?? null, delayMs: 50 },
    {
      clock,
      votes,
      sets,
      mesh,
      log: createSilentLog(),
      hear: (_from, take) => take(),
      signer: createSigner(domains, keys.secretSeed),
      verify: verifySignature,
      availability: new AvailabilityBook(
        { sets, domains, verify: verifySignature, laneEndOf: () => ({ seq: 0 }), cut: [] },
        { onDropped },
      ),
      executed: () => executed,
      backlog: () => 0,
      seedOf: () => context.genesis.seed,
      mayPropose: () => change.mayPropose ?? true,
      hasRewardCert: () => true,
      maySign: () => true,
      onSigning: () => {},
      onFinalized: (round) => {
        change.onFinalized?.(round.round);
        finalized.push(round);
        executed = { round: round.round, digest: new Uint8Array(32).fill(round.round) };
        sets.update();
      },
      onViewChanges: () => {},
      listEvidence: () => [],
      onEvidence: () => {},
      onDropped,
      onFailure: (error) => failures.push(error),
    },
  );
  const stall = () => {
    executed = null;
  };
  return { agreement, clock, votes, finalized, failures, stall };
}

describe("agreement of one", () => {
  test("makes no value where it may not propose", () => {
    const { agreement, clock, finalized, failures } = openAgreement({ mayPropose: false });
    agreement.start();
    clock.advance(1_000 + 5 * roundMs);
    expect([finalized, failures]).toEqual([[], []]);
  });

  test("begins at genesis's time and decides a round every ROUND_MS", () => {
    const { agreement, clock, finalized } = openAgreement();
    agreement.start();
    clock.advance(999);
    expect(finalized).toHaveLength(0);
    clock.advance(1);
    expect(finalized.map(({ round }) => round)).toEqual([0]);
    clock.advance(roundMs * 5);
    expect(finalized.map(({ round }) => round)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(finalized.map(({ value }) => value.tips[0]!.tips.timeMs - GENESIS_MS)).toEqual(
      [0, 1, 2, 3, 4, 5].map((round) => round * roundMs),
    );
    expect(agreement.describe()).toMatchObject({ isFollowing: false, isCatchingUp: false });
  });

  test("makes values and certificates that are valid by everyone's rules", () => {
    const { agreement, clock, finalized } = openAgreement();
    agreement.start();
    clock.advance(1_000 + roundMs * 3);
    let previous: { cut: AvailabilityCert[]; value: Uint8Array } | null = null;
    for (const { round, value, valueBytes, cert } of finalized) {
      const rules = { round, parameters, sets: fixedSets(set), domains, verify: verifySignature, previous };
      expect(checkValue(value, rules)).toBeNull();
      expect(checkFinalCert(cert, set, domains, verifySignature)).toBeNull();
      expect(cert.value).toEqual(computeValueDigest(valueBytes));
      previous = { cut: value.cut, value: cert.value };
    }
    expect(finalized).toHaveLength(4);
  });

  test("does not make up for missed time with a burst, and does not wait for a clock that was set back", () => {
    const { agreement, clock, finalized } = openAgreement();
    agreement.start();
    clock.advance(1_000);
    clock.jump(GENESIS_MS + roundMs * 50);
    expect(finalized).toHaveLength(2);
    clock.advance(roundMs - 1);
    expect(finalized).toHaveLength(2);
    clock.advance(1);
    expect(finalized).toHaveLength(3);
  });

  test("waits for execution that lags too far behind", () => {
    const { agreement, clock, finalized, stall } = openAgreement();
    agreement.start();
    clock.advance(1_000);
    for (let i = 0; i < execLagRounds + 20; i++) {
      stall();
      clock.advance(roundMs);
    }
    expect(finalized).toHaveLength(execLagRounds + 1);
  });

  test("goes on after a restart with the round after the last decided one", () => {
    const first = openAgreement();
    first.agreement.start();
    first.clock.advance(1_000 + roundMs * 2);
    first.agreement.stop();
    const kept = first.votes.decidedFrom(0).map(decodeDecided);
    expect(kept.map((round) => round?.certBytes)).toEqual(first.finalized.map(({ certBytes }) => certBytes));
    const second = openAgreement({ votes: first.votes, last: kept.at(-1)!, startMs: first.clock.nowMs() });
    second.agreement.start();
    // The last round's tips are ROUND_MS old first, as if nothing had happened in between.
    second.clock.advance(roundMs - 1);
    expect(second.finalized).toHaveLength(0);
    second.clock.advance(1);
    expect(second.finalized[0]?.round).toBe(3);
    expect(second.finalized[0]?.value.previousFinal[0]).toEqual(kept.at(-1)!.cert);
  });

  test("says again what it had signed where the decision was lost, and nothing else", () => {
    const first = openAgreement();
    first.agreement.start();
    first.clock.advance(1_000);
    // A restart at another time that knows of no decision: by its journal it comes to the same one.
    const second = openAgreement({ votes: first.votes, startMs: GENESIS_MS + 5 });
    second.agreement.start();
    second.clock.advance(1);
    expect(second.finalized[0]!.certBytes).toEqual(first.finalized[0]!.certBytes);
    expect(second.failures).toEqual([]);
  });

  test("stops where its votes say otherwise than its journal", () => {
    const first = openAgreement();
    first.agreement.start();
    first.clock.advance(1_000);
    const { votes } = first;
    // Votes whose journal is gone, as a damaged or a partly restored file may be.
    const second = openAgreement({ votes: { ...votes, journalOf: () => [] }, startMs: GENESIS_MS + 5 });
    second.agreement.start();
    second.clock.advance(roundMs * 3);
    expect(second.finalized).toHaveLength(0);
    expect(second.failures).toMatchObject([{ code: "votes_conflict" }]);
  });
});

describe("a validator without a seat", () => {
  test("follows by certificates and signs nothing", async () => {
    const clock = new ManualClock(GENESIS_MS - 1_000);
    const seated = openAgreement({ clock });
    seated.agreement.start();
    const store = { listRounds: async () => [] };
    const asked: Fetch[] = [];
    const follower = openAgreement({
      clock,
      keys: keyNamed("follower"),
      answer: async (fetch) => {
        asked.push(fetch);
        return fetch.type === "rounds"
          ? await answerRounds(fetch.from, { store, votes: seated.votes })
          : null;
      },
    });
    follower.agreement.start();
    for (let step = 0; step < 60; step++) {
      clock.advance(roundMs / 4);
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(seated.finalized.length).toBeGreaterThan(8);
    expect(seated.finalized.length - follower.finalized.length).toBeLessThanOrEqual(1);
    expect(follower.agreement.describe().isFollowing).toBe(true);
    for (const [index, { certBytes }] of follower.finalized.entries())
      expect(certBytes).toEqual(seated.finalized[index]!.certBytes);
    // Two questions a round, and one more for each answer that had something.
    expect(asked.length).toBeLessThan(4 * seated.finalized.length + 4);
    expect(follower.votes.journalOf(seated.finalized.length)).toEqual([]);
  });

  test("stops where the disk fails over a round that it catches up with, and passes on none behind it", async () => {
    const seated = openAgreement();
    seated.agreement.start();
    seated.clock.advance(1_000 + 5 * roundMs);
    const store = { listRounds: async () => [] };
    const follower = openAgreement({
      keys: keyNamed("follower"),
      answer: async (fetch) =>
        fetch.type === "rounds" ? await answerRounds(fetch.from, { store, votes: seated.votes }) : null,
      onFinalized: (round) => {
        if (round === 2) throw new Error("the disk is full");
      },
    });
    follower.agreement.start();
    for (let step = 0; step < 10; step++) {
      follower.clock.advance(roundMs);
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(follower.failures.map(({ message }) => message)).toEqual(["the disk is full"]);
    expect(follower.finalized.map(({ round }) => round)).toEqual([0, 1]);
    // The next start has them all.
    expect(follower.votes.decidedFrom(0).map(({ round }) => round)).toEqual([0, 1, 2, 3, 4, 5]);
  });

  test("believes rounds that another shows by their certificates, and takes over the next one", async () => {
    const seated = openAgreement();
    seated.agreement.start();
    seated.clock.advance(1_000 + 5 * roundMs);
    const store = { listRounds: async () => [] };
    const answerTruly = async (fetch: Fetch) =>
      fetch.type === "rounds" ? await answerRounds(fetch.from, { store, votes: seated.votes }) : null;
    let answer: (fetch: Fetch) => Promise<Uint8Array | null> = async () => null;
    const { agreement, finalized } = openAgreement({
      keys: keyNamed("follower"),
      answer: (fetch) => answer(fetch),
    });
    agreement.start();
    await new Promise((resolve) => setImmediate(resolve));
    const decided = seated.finalized.length;
    answer = answerTruly;
    expect(await agreement.showRounds(PEER, decided)).toBe(decided);
    expect(await agreement.showRounds(PEER, decided + 1)).toBe(0);
    // It cannot have decided a round of an epoch whose set nobody knows yet, and has not decided the last of those known.
    expect(await agreement.showRounds(PEER, 1_000_000)).toBe(0);
    expect(finalized).toHaveLength(0);
    expect(await agreement.showRounds(PEER, 1)).toBe(1);
    expect(finalized).toHaveLength(1);
    answer = async (fetch) => {
      const bytes = await answerTruly(fetch);
      return bytes?.with(-1, bytes.at(-1)! ^ 1) ?? null;
    };
    expect(await agreement.showRounds(PEER, decided)).toBe(0);
    answer = async () => null;
    expect(await agreement.showRounds(PEER, decided)).toBeNull();
  });
});

test("an answer reads no more rounds than it takes, however many are decided", async () => {
  const value = new Uint8Array(100_000);
  const decided = Array.from({ length: 1_000 }, (_, round) => ({ round, value, cert: Uint8Array.of(round) }));
  let read = 0;
  const votes = {
    decidedFrom: (from: number, limit = 1_000) => {
      const rounds = decided.slice(from, from + limit);
      read += rounds.length;
      return rounds;
    },
  };
  const executed = decided.slice(0, 3).map((row) => ({ ...row, finalCert: row.cert }) as never as RoundRow);
  const store = { listRounds: async (from: number, limit: number) => executed.slice(from, from + limit) };
  const answer = decodeFetchedRounds(await answerRounds(1, { store, votes }))!;
  expect(answer.map(({ cert }) => cert[0])).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
  expect(read).toBeLessThanOrEqual(16);
  expect(decodeFetchedRounds(await answerRounds(1_000, { store, votes }))).toEqual([]);
});
