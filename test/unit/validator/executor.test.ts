/** Which rounds share a transaction: those whose batches are here, and none that would wait for the network. */
import { expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { LANE_START } from "../../../protocol/src/agreement/cut.ts";
import { computeBatchDigest, encodeBatch, type Value } from "../../../protocol/src/agreement/rounds.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { createLedger } from "../../../protocol/src/ledger/state.ts";
import { createExecutor } from "../../../validator/src/execution/executor.ts";
import type { Finalized } from "../../../validator/src/rounds/agreement.ts";
import { contextOf, createTestGenesis, signReports, VALIDATOR } from "./support/network.ts";

const genesis = createTestGenesis(1);
const context = contextOf(genesis);
const LANE = VALIDATOR.publicKey;
const ROUNDS = 4;
/** Batch number n of the lane is new in round n - 1. */
const BATCHES = listBatches();

function listBatches() {
  const batches: { readonly digest: Uint8Array; readonly bytes: Uint8Array }[] = [];
  for (let seq = 1; seq <= ROUNDS; seq++) {
    const prev = batches.at(-1)?.digest ?? LANE_START;
    const bytes = encodeBatch({
      lane: LANE,
      seq,
      prev,
      messages: [signReports(context, 0, 0, seq)],
    });
    batches.push({ digest: computeBatchDigest(bytes), bytes });
  }
  return batches;
}

function decided(round: number): Finalized {
  const tips = { round, validator: LANE, timeMs: genesis.timeMs + round, tips: [], executedRound: 0 };
  const certified = { lane: LANE, seq: round + 1, digest: BATCHES[round]!.digest, epoch: 0 };
  const value: Value = {
    round,
    tips: [{ tips: { ...tips, executedDigest: LANE_START }, signature: new Uint8Array(64) }],
    cut: [{ ...certified, bitmap: new Uint8Array(1), signatures: [] }],
    previousFinal: [],
    evidence: [],
  };
  return { round, value } as unknown as Finalized;
}

/** An executor over a disk that holds these rounds' batches, and a network that gives the others when it is asked. */
function openExecutor(roundsOnDisk: readonly number[]) {
  const disk = new Map(
    roundsOnDisk.map((round) => [encodeHex(BATCHES[round]!.digest), BATCHES[round]!.bytes]),
  );
  const commits: number[][] = [];
  const fetched: { readonly round: number; readonly stored: number }[] = [];
  const getBatch = async (digest: Uint8Array) => disk.get(encodeHex(digest)) ?? null;
  const executor = createExecutor(
    { retention: { keepEpochs: 1 }, snapshotEpochs: 1 },
    {
      domains: context.domains,
      ledger: createLedger(genesis),
      log: createSilentLog(),
      store: {
        commitRounds: async (rounds) => {
          commits.push(rounds.map(({ result }) => result.round));
          return "committed";
        },
        prune: async () => ({ done: true, batchDigests: [] }),
      },
      batches: { getBatch, deleteBatches: async () => {} },
      source: {
        getBatch: async (digest) => {
          const round = BATCHES.findIndex((batch) => encodeHex(batch.digest) === encodeHex(digest));
          if (!disk.has(encodeHex(digest))) fetched.push({ round, stored: commits.flat().length });
          return BATCHES[round]!.bytes;
        },
      },
      onExecuted: () => {},
      onFailure: () => {},
      elapsedMs: () => 0,
    },
  );
  const run = async () => {
    for (let round = 0; round < ROUNDS; round++) executor.enqueue(decided(round));
    await executor.idle();
  };
  return { run, executor, commits, fetched };
}

test("rounds that wait share a transaction where their batches are on the disk", async () => {
  const { run, executor, commits } = openExecutor([0, 1, 2, 3]);
  await run();
  expect(commits).toEqual([[0, 1, 2, 3]]);
  expect([executor.backlog(), executor.executed()?.round]).toEqual([0, 3]);
});

test("what is executed is stored before the network is asked for a later round's batch", async () => {
  const { run, commits, fetched } = openExecutor([0, 1, 3]);
  await run();
  expect(fetched).toEqual([{ round: 2, stored: 2 }]);
  expect(commits).toEqual([
    [0, 1],
    [2, 3],
  ]);
});
