/** The embedded store: the suite, the plain store as its oracle, and what a file may go through. */
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { checkSqliteVersion } from "../../../validator/src/store/sqliteStore/schema.ts";
import { openSqliteStore } from "../../../validator/src/store/sqliteStore/sqliteStore.ts";
import type { Store } from "../../../validator/src/store/store.ts";
import { createMemoryStore } from "../../store/memoryStore.ts";
import { readAnswers } from "./answers.ts";
import { KILLED_EPOCHS } from "./commitForever.ts";
import { commitAll, testStoreCompliance } from "./compliance.ts";
import { createHistory, type History, named, ROUNDS_PER_EPOCH } from "./history.ts";

let directory: string;
let opened: Store[];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "hexbeacon-store-"));
  opened = [];
});
afterEach(async () => {
  for (const store of opened) await store.close();
});

const networkId = named("network");

async function open(history: History | null, id = networkId): Promise<Store> {
  const path = join(directory, "store.sqlite");
  const store = await openSqliteStore({ path, networkId: id, genesis: history?.genesis ?? null });
  opened.push(store);
  return store;
}

async function reopen(history: History | null): Promise<Store> {
  await opened.pop()!.close();
  return open(history);
}

testStoreCompliance("sqlite store", open);

describe("sqlite store: the file", () => {
  const history = createHistory("file", 3);

  test("goes on where it was after every round", async () => {
    let store = await open(history);
    for (const { commit, snapshot } of history.commits) {
      await store.commitRound(commit, snapshot);
      store = await reopen(history);
      expect((await store.latestRound())?.round).toBe(commit.result.round);
    }
    const [status] = await store.messageStatus([history.commits.at(-1)!.commit.result.included[0]!]);
    expect(status?.state).toBe("included");
    await expectEqualAnswers(store, history);
  });

  test("that begins at a checkpoint knows its sets, and claims nothing of what was before", async () => {
    const [first, later] = [[named("one")], [named("one"), named("two")]];
    const state = { value: named("value"), finalCert: named("certificate"), stateDigest: named("state") };
    const store = await openSqliteStore({
      path: join(directory, "joined.sqlite"),
      networkId,
      genesis: history.genesis,
      base: {
        round: { round: 59, epoch: 9, timeMs: 1, ...state },
        snapshot: { epoch: 9, bytes: named("snapshot"), stateRoot: named("root") },
        sets: [
          { epoch: 9, keys: first },
          { epoch: 10, keys: first },
          { epoch: 11, keys: later },
        ],
      },
    });
    opened.push(store);
    expect(await store.findSet(8)).toBeNull();
    for (const epoch of [9, 10]) expect(await store.findSet(epoch)).toEqual({ fromEpoch: 9, keys: first });
    // What the next round's epoch fixes is asked for once a round of it is there.
    expect(await store.findSet(11)).toBeNull();
    expect(await store.listSetChanges(10, 11, 9)).toEqual([{ fromEpoch: 11, keys: later }]);
    expect((await store.listValidators(0, 9)).rows).toMatchObject(history.genesis.validators);
    expect(await store.oldestEpoch()).toBeNull();
    const { commits } = createHistory("file", 15);
    for (const { commit } of commits.slice(10 * ROUNDS_PER_EPOCH)) await store.commitRound(commit);
    expect(await store.oldestEpoch()).toBe(10);
    // It has no rounds before its snapshot: until there is a newer one, it starts and replays from nothing else.
    await store.prune({ keepEpochs: 720 });
    expect((await store.snapshotAtOrBefore(99))?.epoch).toBe(9);
    expect(await store.oldestReplayable()).toBe(10);
  });

  test("leaves others turns on the way back to what a busy hotspot heard long ago", async () => {
    const store = await open(history);
    const { key } = history.genesis.hotspots[0]!;
    const flood = Array.from({ length: 2_000 }, (_, n) => named(`flood ${n}`));
    for (const { commit, snapshot } of history.commits) {
      const { result } = commit;
      const reveal = result.outcomes.find(({ kind }) => kind === "reveal");
      if (result.round !== 2 * ROUNDS_PER_EPOCH || reveal === undefined) {
        await store.commitRound(commit, snapshot);
        continue;
      }
      const flooded = flood.map((envelopeId) => ({
        ...reveal,
        ...{ hotspot: key, reportId: { envelopeId, index: 0 } },
      }));
      const included = [...result.included, ...flood];
      const outcomes = [...result.outcomes, ...flooded];
      await store.commitRound({ ...commit, result: { ...result, included, outcomes } }, snapshot);
    }
    let turns = 0;
    const count = (): void => {
      turns++;
      turn = setImmediate(count);
    };
    let turn = setImmediate(count);
    const receptions = await store.listReceptions(key, 0, 0, 10);
    clearImmediate(turn);
    expect(turns).toBeGreaterThan(2);
    expect(receptions.length).toBeGreaterThan(0);
    const plain = createMemoryStore(history.genesis);
    await commitAll(plain, history);
    expect(receptions).toHaveLength((await plain.listReceptions(key, 0, 0)).length);
  });

  test("answers as the plain store does", async () => {
    for (const seed of ["a", "b", "c"]) {
      const other = createHistory(seed, 2);
      const path = join(directory, `${seed}.sqlite`);
      const store = await openSqliteStore({ path, networkId, genesis: other.genesis });
      opened.push(store);
      await commitAll(store, other);
      await expectEqualAnswers(store, other);
    }
  });

  test("leaves nothing of a round that fails half way", async () => {
    const store = await open(history);
    const { commit } = history.commits[0]!;
    const stranger = {
      ...commit.result.outcomes[0]!,
      reportId: { envelopeId: named("never included"), index: 0 },
    };
    const broken = {
      ...commit,
      result: { ...commit.result, outcomes: [...commit.result.outcomes, stranger] },
    };
    await expect(store.commitRound(broken)).rejects.toThrow("never included");
    expect(await store.latestRound()).toBeNull();
    const second = history.commits[1]!.commit;
    const brokenSecond = {
      ...second,
      result: { ...second.result, outcomes: [...second.result.outcomes, stranger] },
    };
    await expect(store.commitRounds([commit, brokenSecond])).rejects.toThrow("never included");
    expect(await store.latestRound()).toBeNull();
    expect((await store.messageStatus([commit.result.included[0]!]))[0]?.state).toBe("unknown");
    await commitAll(store, history);
    await expectEqualAnswers(store, history);
  });

  test("answers the same where rounds were committed together", async () => {
    const store = await open(history);
    for (let from = 0; from < history.commits.length; from += ROUNDS_PER_EPOCH) {
      const epoch = history.commits.slice(from, from + ROUNDS_PER_EPOCH);
      const commits = epoch.map(({ commit }) => commit);
      await store.commitRounds(commits, epoch.at(-1)!.snapshot);
    }
    await expectEqualAnswers(store, history);
  });

  test("refuses another network's store, another schema and a missing file", async () => {
    await open(history);
    await expect(open(history, named("another"))).rejects.toMatchObject({ code: "store_foreign" });
    const db = new DatabaseSync(join(directory, "store.sqlite"));
    db.exec("PRAGMA user_version = 99");
    db.close();
    await expect(open(history)).rejects.toMatchObject({ code: "store_schema" });
    const path = join(directory, "nothing.sqlite");
    await expect(openSqliteStore({ path, networkId, genesis: null })).rejects.toMatchObject({
      code: "store_missing",
    });
  });

  test("refuses a SQLite whose WAL can lose a commit", () => {
    for (const old of ["3.51.2", "3.50.9", "2.99.99", "nonsense"]) {
      expect(() => checkSqliteVersion(old)).toThrow(expect.objectContaining({ code: "store_sqlite_old" }));
    }
    for (const fit of ["3.51.3", "3.52.0", "3.53.4", "4.0.0"]) checkSqliteVersion(fit);
  });

  test("is read beside its writer, and not written by the reader", async () => {
    const writer = await open(history);
    await commitAll(writer, history);
    const reader = await open(null);
    expect((await reader.latestRound())?.round).toBe(history.commits.length - 1);
    await expect(reader.commitRound(history.commits[0]!.commit)).rejects.toThrow("opened for reading");
    expect(await writer.sizeBytes()).toBeGreaterThan(0);
  });

  test("keeps what it acknowledged when its process is killed at any moment", async () => {
    const killed = createHistory("killed", KILLED_EPOCHS);
    const path = join(directory, "killed.sqlite");
    let kills = 0;
    for (let acknowledged = -1; acknowledged < killed.commits.length - 1; ) {
      // Between 1 and 24 rounds later, at a moment that the program does not choose.
      const target = acknowledged + 1 + ((kills * 7) % 24);
      const said = await commitUntil(path, target);
      acknowledged = Math.max(acknowledged, said);
      const store = await openSqliteStore({ path, networkId, genesis: killed.genesis });
      const latest = (await store.latestRound())?.round ?? -1;
      expect(latest).toBeGreaterThanOrEqual(acknowledged);
      const { commit } = killed.commits[latest]!;
      expect(await store.getRound(latest)).toMatchObject({ stateDigest: commit.result.stateDigest });
      expect((await store.messageStatus(commit.result.included)).every((s) => s.state === "included")).toBe(
        true,
      );
      await store.close();
      acknowledged = latest;
      kills++;
    }
    expect(kills).toBeGreaterThanOrEqual(4);
  });
});

/** Runs the committing program until it has said a round, kills it, and gives the last round that it said. */
function commitUntil(path: string, round: number): Promise<number> {
  const program = join(import.meta.dirname, "commitForever.ts");
  const child = spawn(process.execPath, [program, path], { stdio: ["ignore", "pipe", "inherit"] });
  let text = "";
  child.stdout.setEncoding("ascii").on("data", (chunk: string) => {
    text += chunk;
    const said = text.split("\n").slice(0, -1).at(-1);
    if (said !== undefined && Number(said) >= round) child.kill("SIGKILL");
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", () => resolve(Number(text.split("\n").slice(0, -1).at(-1) ?? -1)));
  });
}

/** Asks a store and the plain one the same questions after the same history. */
async function expectEqualAnswers(store: Store, history: History): Promise<void> {
  const plain = createMemoryStore(history.genesis);
  await commitAll(plain, history);
  const questions = {
    hotspots: history.genesis.hotspots.map(({ key }) => key),
    accounts: [0, 1, 2].map((i) => named(`owner ${i}`)),
    beacons: history.commits.map((_, round) => ({ envelopeId: named(`beacon ${round}`), index: 0 })),
    messages: history.commits.slice(-8).flatMap(({ commit }) => commit.result.included),
  };
  expect(await readAnswers(store, questions)).toEqual(await readAnswers(plain, questions));
}
