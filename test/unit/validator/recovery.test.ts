/** A validator that ended, in good order or not, goes on as if it had not; one whose home does not fit itself does not. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PassThrough } from "node:stream";
import { beforeEach, describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { verifySignature } from "../../../node/src/host/verify.ts";
import { concatBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { computeBooks } from "../../../protocol/src/ledger/books.ts";
import { encodeLedger } from "../../../protocol/src/ledger/snapshot.ts";
import { encodeGenesisJson } from "../../../protocol/src/network/genesis.ts";
import { encodeParcel } from "../../../protocol/src/wire/envelope.ts";
import { replay } from "../../../validator/src/cli/replay.ts";
import { type Core, createCore } from "../../../validator/src/core.ts";
import { replayEpochs } from "../../../validator/src/execution/replay.ts";
import { createIdentity } from "../../../validator/src/identity.ts";
import { LEDGER_MODULES } from "../../../validator/src/ledgerModules.ts";
import { type Recovered, recover } from "../../../validator/src/recovery.ts";
import { KnownSets } from "../../../validator/src/rounds/validatorSets.ts";
import { openStorage, type Storage } from "../../../validator/src/storage.ts";
import type { Store } from "../../../validator/src/store/store.ts";
import { ManualClock } from "./support/manualClock.ts";
import { contextOf, createTestGenesis, signReports, VALIDATOR } from "./support/network.ts";
import { certifyAttest } from "./support/rewardCerts.ts";
import { SILENT_MESH } from "./support/silentMesh.ts";

const GENESIS_MS = 1_700_000_000_000;
const context = contextOf(createTestGenesis(2, GENESIS_MS));
const { roundMs, roundsPerEpoch, execLagRounds } = context.parameters;
const identity = createIdentity(context.genesis, VALIDATOR.secretSeed);
const log = createSilentLog();
const ROOTS = {
  rewardRoot: new Uint8Array(32),
  stateRoot: new Uint8Array(32),
  nextValidatorsHash: new Uint8Array(32),
  parametersHash: new Uint8Array(32),
};

/** A validator's core over a real home, on a clock that the test moves. */
type Running = {
  readonly core: Core;
  readonly storage: Storage;
  readonly recovered: Recovered;
  readonly failures: Error[];
  readonly rounds: (count: number) => Promise<void>;
  readonly submit: (epoch: number, salt: number) => Promise<string>;
  readonly end: () => Promise<void>;
};

describe("a validator that ended", () => {
  let home: string;
  let clock: ManualClock;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), "hexbeacon-recovery-"));
    clock = new ManualClock(GENESIS_MS);
  });

  const modulesOf = (storage: Storage) => ({
    ...storage,
    ...identity,
    validator: VALIDATOR.publicKey,
    ledgerModules: LEDGER_MODULES,
    log,
  });

  async function start(
    change: { commitRounds?: (store: Store) => Store["commitRounds"]; keepEpochs?: number } = {},
  ): Promise<Running> {
    const storage = await openStorage(home, identity);
    const recovered = await recover(modulesOf(storage));
    const failures: Error[] = [];
    const store =
      change.commitRounds === undefined
        ? storage.store
        : { ...storage.store, commitRounds: change.commitRounds(storage.store) };
    const sets = new KnownSets(context.parameters, { ledger: recovered.ledger, votes: storage.votes });
    const core = createCore(
      { ...identity, retention: { keepEpochs: change.keepEpochs ?? 100 }, snapshotEpochs: 2 },
      {
        clock,
        log,
        recovered,
        sets,
        mesh: SILENT_MESH,
        storage: { ...storage, store },
        verifier: {
          canAcceptWork: () => true,
          verify: async (claims) =>
            Uint8Array.from(claims, ({ publicKey, message, signature }) =>
              verifySignature(publicKey, concatBytes(...message), signature) ? 1 : 0,
            ),
        },
        observer: {
          onAdmitted: () => {},
          onRefused: () => {},
          onBatch: () => {},
          onRoundDecided: () => {},
          onViewChanges: () => {},
          onEvidence: () => {},
          onRestored: () => {},
          onRewardCert: () => {},
          onSplitAttestation: () => {},
          onDropped: () => {},
          onRoundExecuted: () => {},
        },
        onFailure: (error) => failures.push(error),
      },
    );
    await core.catchUp();
    await core.executor.idle();
    core.agreement.start();
    const rounds = async (count: number) => {
      for (let i = 0; i < count; i++) {
        clock.advance(roundMs);
        await core.executor.idle();
      }
    };
    const submit = async (epoch: number, salt: number) => {
      const answer = core.intake.submit("peer", encodeParcel([signReports(context, 0, epoch, salt)]));
      // The batch waits for the clock, the receipt for the disk.
      const flush = setInterval(() => clock.advance(1), 1);
      const [item] = await answer;
      clearInterval(flush);
      expect(item!.reason).toBeNull();
      return encodeHex(item!.id);
    };
    const end = async () => {
      await core.close();
      await storage.close();
    };
    return { core, storage, recovered, failures, rounds, submit, end };
  }

  test("because its disk failed says so, also where a peer's message was what it could not keep", async () => {
    const { core, storage, failures } = await start();
    storage.votes.close();
    const attest = { epoch: 0, ...ROOTS, rulesVersion: 1 };
    const cert = certifyAttest(identity.domains, attest, [VALIDATOR]);
    core.handlers.onMessage(encodeHex(VALIDATOR.publicKey), { type: "rewardCert", cert });
    expect(failures).toMatchObject([{ code: "ERR_INVALID_STATE" }]);
  });

  test("in good order goes on with the same ledger, and executes what was on its way", async () => {
    const first = await start();
    await first.rounds(5);
    const executed = await first.submit(0, 1);
    await first.rounds(roundsPerEpoch * 3 + 4);
    const waiting = await first.submit(3, 2);
    const before = encodeLedger(first.recovered.ledger);
    const { round } = first.recovered.ledger;
    await first.end();

    const second = await start();
    expect(second.recovered.ledger.round).toBe(round);
    expect(encodeLedger(second.recovered.ledger)).toEqual(before);
    expect(second.recovered.lane.waitingIds.map(encodeHex)).toEqual([waiting]);
    const statuses = await second.storage.store.messageStatus(
      [executed, waiting].map((hex) => Buffer.from(hex, "hex")),
    );
    expect(statuses.map(({ state }) => state)).toEqual(["unknown", "unknown"]);
    const again = await second.core.intake.submit("peer", encodeParcel([signReports(context, 0, 3, 2)]));
    expect(again[0]!.reason).toBe("duplicate_message");
    await second.rounds(2);
    expect((await second.storage.store.messageStatus([Buffer.from(waiting, "hex")]))[0]!.state).toBe(
      "included",
    );
    await second.end();
  });

  test("between a decision and its execution executes it first, and decides no round twice", async () => {
    const first = await start();
    await first.rounds(3);
    await first.end();
    // From here on nothing is stored: the state of a crash after the votes' commit and before the store's.
    const crashing = await start({
      commitRounds: () => () => Promise.reject(new Error("the power is gone")),
    });
    const id = await crashing.submit(0, 7);
    clock.advance(roundMs * 3);
    await expect(crashing.core.executor.idle()).rejects.toThrow("the power is gone");
    expect(crashing.failures.length).toBeGreaterThan(0);
    const decided = crashing.core.agreement.newestRound();
    await crashing.end();

    const second = await start();
    expect(second.recovered.undone.at(-1)!.round).toBe(decided);
    expect(second.recovered.undone.length).toBeLessThanOrEqual(execLagRounds + 1);
    expect(second.recovered.ledger.round).toBe(decided);
    expect((await second.storage.store.messageStatus([Buffer.from(id, "hex")]))[0]!.state).toBe("included");
    await second.rounds(2);
    expect(second.failures).toEqual([]);
    expect(second.core.agreement.newestRound()).toBe(decided + 2);
    expect(computeBooks(second.recovered.ledger).isBalanced).toBe(true);
    await second.end();
  });

  test("before it looked at what it had decided finds its own word in it at the start, and goes on", async () => {
    const crashing = await start({
      commitRounds: () => () => Promise.reject(new Error("the power is gone")),
    });
    clock.advance(roundMs * 3);
    await expect(crashing.core.executor.idle()).rejects.toThrow("the power is gone");
    await crashing.end();
    const votes = new DatabaseSync(join(home, "votes.sqlite"));
    votes.exec("DELETE FROM vote WHERE round > 0");
    votes.close();

    const second = await start();
    expect(second.recovered.undone.length).toBeGreaterThan(1);
    const restoredAt = second.core.agreement.newestRound();
    await second.rounds(2);
    expect([second.core.agreement.newestRound(), second.failures]).toEqual([restoredAt + 2, []]);
    expect(second.storage.votes.acksKnownFrom()).not.toBe(0);
    await second.end();
  });

  test("rounds that wait for execution are stored together, up to the end of their epoch", async () => {
    const together: number[][] = [];
    const gate = Promise.withResolvers<void>();
    const slow = await start({
      commitRounds: (store) => async (commits, snapshot) => {
        together.push(commits.map(({ result }) => result.round));
        await gate.promise;
        return await store.commitRounds(commits, snapshot);
      },
    });
    clock.advance(roundMs * (roundsPerEpoch + 2));
    expect(slow.core.executor.executed()).toBeNull();
    gate.resolve();
    await slow.core.executor.idle();
    const upTo = (first: number, last: number) =>
      Array.from({ length: last - first + 1 }, (_, i) => first + i);
    const newest = slow.core.agreement.newestRound();
    expect(newest).toBeGreaterThan(roundsPerEpoch);
    // Sixteen at most, and an epoch's last round ends its group.
    const groups = [upTo(0, 15), upTo(16, roundsPerEpoch - 1), upTo(roundsPerEpoch, newest)];
    expect(together).toEqual(groups);
    expect((await slow.storage.store.latestRound())?.round).toBe(newest);
    expect(slow.core.executor.executed()?.round).toBe(newest);
    expect(slow.failures).toEqual([]);
    await slow.end();
  });

  test("replays every epoch to the stored record and roots", async () => {
    const { rounds, submit, storage, end } = await start();
    await rounds(2);
    await submit(0, 1);
    await rounds(roundsPerEpoch * 4);
    for (const first of [0, 1, 3]) {
      const replayed = [];
      for await (const epoch of replayEpochs(first, 3, modulesOf(storage))) replayed.push(epoch);
      expect(replayed.map(({ epoch, equal }) => [epoch, equal])).toEqual(
        [0, 1, 2, 3].filter((epoch) => epoch >= first).map((epoch) => [epoch, true]),
      );
    }
    await end();
  });

  test("replays from the oldest state that retention has left", async () => {
    const { rounds, submit, end } = await start({ keepEpochs: 2 });
    for (let epoch = 0; epoch < 7; epoch++) {
      await submit(epoch, epoch);
      await rounds(roundsPerEpoch);
    }
    await end();
    const genesisFile = join(home, "genesis.json");
    writeFileSync(genesisFile, encodeGenesisJson(context.genesis));
    const stdout = new PassThrough();
    const io = { stdout, stderr: process.stderr };
    expect(await replay({ home, all: true }, io)).toBe(0);
    const { equal, epochs } = JSON.parse(String(stdout.read()));
    expect(equal).toBe(true);
    expect(epochs.at(-1).epoch).toBeGreaterThanOrEqual(5);
    expect(epochs[0].epoch).toBeGreaterThan(0);
    expect(epochs.length).toBeGreaterThanOrEqual(2);
    await expect(replay({ home, epoch: "0" }, io)).rejects.toMatchObject({ code: "batch_missing" });
  });

  test("without a word of its batches goes on behind the last that a cut has, and counts as restored", async () => {
    const first = await start();
    await first.rounds(2);
    await first.submit(0, 1);
    await first.rounds(2);
    await first.submit(0, 2);
    await first.rounds(2);
    const left = first.storage.votes.lastBatch()!;
    await first.end();
    const votes = new DatabaseSync(join(home, "votes.sqlite"));
    votes.exec("DELETE FROM batch");
    votes.close();

    const second = await start();
    expect(second.recovered.lane).toMatchObject({ isForgotten: true, last: left, end: left });
    expect([second.storage.votes.isRestored(), second.storage.votes.lastBatch()]).toEqual([true, left]);
    await second.submit(0, 3);
    expect(second.storage.votes.lastBatch()!.seq).toBe(left.seq + 1);
    await second.end();

    const third = await start();
    expect(third.recovered.lane).toMatchObject({ isForgotten: false, end: left });
    await third.rounds(2);
    expect([third.recovered.ledger.laneEndOf(VALIDATOR.publicKey).seq, third.failures]).toEqual([3, []]);
    await third.end();
  });

  test("while it waited for an own batch that others hold numbers none, and decides rounds", async () => {
    const first = await start();
    first.storage.votes.recordFoundBatch({ seq: 9, digest: new Uint8Array(32).fill(9) });
    await first.end();
    const second = await start();
    await second.rounds(2);
    expect([second.core.guard.mayAuthor(), second.core.agreement.newestRound()]).toEqual([false, 2]);
    await second.end();
    expect(second.failures).toEqual([]);
  });

  test("with votes older than its store does not start", async () => {
    const first = await start();
    await first.rounds(3);
    await first.end();
    rmSync(join(home, "votes.sqlite"));
    const storage = await openStorage(home, identity);
    await expect(recover(modulesOf(storage))).rejects.toMatchObject({ code: "votes_conflict" });
    await storage.close();
  });

  test("with a damaged batch does not start, and says so", async () => {
    const first = await start();
    await first.rounds(2);
    await first.submit(0, 1);
    await first.end();
    rmSync(join(home, "batches"), { recursive: true });
    const storage = await openStorage(home, identity);
    await expect(recover(modulesOf(storage))).rejects.toMatchObject({ code: "batch_missing" });
    await storage.close();
  });

  test("whose store gives another state stops at the round in which it differs", async () => {
    const first = await start();
    await first.rounds(4);
    await first.end();
    const storage = await openStorage(home, identity);
    const damaged = {
      ...storage.store,
      listRounds: async (from: number, limit: number) =>
        (await storage.store.listRounds(from, limit)).map((row) =>
          row.round === 2 ? { ...row, stateDigest: new Uint8Array(32) } : row,
        ),
    };
    await expect(recover({ ...modulesOf(storage), store: damaged })).rejects.toMatchObject({
      code: "state_diverged",
      message: expect.stringContaining("round 2"),
    });
    await storage.close();
  });
});
