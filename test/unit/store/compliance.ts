/** What every store must do. Each implementation's test file calls this with a way to open it. */
import { beforeEach, describe, expect, test } from "vitest";
import { asciiBytes, equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { VERDICT_PENDING, VERDICT_SELECTION_PENDING } from "../../../protocol/src/wire/receipts.ts";
import { computeCellRange, computeWholeRange } from "../../../validator/src/store/cellRange.ts";
import {
  addAccountSums,
  addHotspotSums,
  NO_ACCOUNT_SUMS,
  NO_HOTSPOT_SUMS,
} from "../../../validator/src/store/rewardBuckets.ts";
import type { Page, ReceptionRow, RoundCommit, Store } from "../../../validator/src/store/store.ts";
import { createHistory, type History, named, ROUNDS_PER_EPOCH, START_TIME_MS } from "./history.ts";

const EPOCHS = 4;

export async function commitAll(store: Store, history: History): Promise<void> {
  for (const { commit, snapshot } of history.commits) await store.commitRound(commit, snapshot);
}

/** The epochs of a store's snapshots, newest first. */
async function listSnapshots(store: Store): Promise<number[]> {
  const kept: number[] = [];
  for (let at = 1_000; at >= 0; at = kept.at(-1)! - 1) {
    const found = await store.snapshotAtOrBefore(at);
    if (found === null) break;
    kept.push(found.epoch);
  }
  return kept;
}

/** Reads a list to its end, page by page. */
export async function readAll<Row, Cursor>(
  ask: (after: Cursor | null) => Promise<Page<Row, Cursor>>,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  let after: Cursor | null = null;
  do {
    const page: Page<Row, Cursor> = await ask(after);
    rows.push(...page.rows);
    after = page.next;
  } while (after !== null);
  return rows;
}

type Open = (history: History) => Promise<Store>;

/** What every store must do. @param open an empty one, of the history's genesis. */
export function testStoreCompliance(name: string, open: Open): void {
  testRounds(name, open);
  testQuestions(name, open);
}

/** Prunes part by part until nothing is left to give up. @returns the digests of all bodies that are to go. */
async function pruneAll(store: Store, keepEpochs: number): Promise<Uint8Array[]> {
  const { batchDigests, done } = await store.prune({ keepEpochs });
  return done ? [...batchDigests] : [...batchDigests, ...(await pruneAll(store, keepEpochs))];
}

function testRounds(name: string, open: Open): void {
  describe(`${name}: rounds`, () => {
    const history = createHistory("rounds", EPOCHS);
    let store: Store;
    beforeEach(async () => {
      store = await open(history);
    });

    test("starts empty, with the genesis's hotspots and accounts", async () => {
      expect(await store.latestRound()).toBeNull();
      expect(await store.latestEpoch()).toBeNull();
      expect(await store.oldestEpoch()).toBeNull();
      expect(await store.snapshotAtOrBefore(99)).toBeNull();
      expect(await store.countHotspots()).toBe(history.genesis.hotspots.length);
      for (const hotspot of history.genesis.hotspots) {
        expect(await store.getHotspot(hotspot.key)).toMatchObject(hotspot);
      }
      for (const account of history.genesis.accounts)
        expect(await store.getAccount(account.key)).toEqual(account);
      expect(await store.getAccount(named("nobody"))).toBeNull();
      expect(await store.prune({ keepEpochs: 1 })).toEqual({ batchDigests: [], done: true });
    });

    test("gives a round back as it was committed", async () => {
      await commitAll(store, history);
      const { commit } = history.commits[3]!;
      const row = await store.getRound(3);
      expect(row).toMatchObject({
        round: 3,
        epoch: 0,
        timeMs: commit.result.timeMs,
        value: commit.value,
        finalCert: commit.finalCert,
        stateDigest: commit.result.stateDigest,
        batchDigests: commit.batchDigests,
        batchSpans: commit.batchSpans,
        messages: commit.result.included.length,
        transactions: 1,
        beaconsClosed: 1,
        reports: 6,
      });
      expect((await store.latestRound())?.round).toBe(history.commits.length - 1);
      expect((await store.listRounds(4, 3)).map((r) => r.round)).toEqual([4, 5, 6]);
      expect(await store.getRound(999)).toBeNull();
    });

    test("takes the same round twice, once", async () => {
      const { commit, snapshot } = history.commits[0]!;
      expect(await store.commitRound(commit, snapshot)).toBe("committed");
      expect(await store.commitRound(commit, snapshot)).toBe("already_committed");
      expect(await store.listRounds(0, 10)).toHaveLength(1);
    });

    test("refuses another value or state for a round, and a gap", async () => {
      const [first, second, third] = history.commits;
      await store.commitRound(first!.commit);
      const otherValue: RoundCommit = { ...first!.commit, value: asciiBytes("another") };
      const otherState = {
        ...first!.commit,
        result: { ...first!.commit.result, stateDigest: named("another") },
      };
      await expect(store.commitRound(otherValue)).rejects.toMatchObject({ code: "store_conflict" });
      await expect(store.commitRound(otherState)).rejects.toMatchObject({ code: "store_conflict" });
      await expect(store.commitRound(third!.commit)).rejects.toMatchObject({ code: "store_gap" });
      await expect(store.commitRound({ ...second!.commit, batchDigests: [] })).rejects.toThrow(
        "differ in number",
      );
      expect(await store.commitRound(second!.commit)).toBe("committed");
    });

    test("takes rounds together as it does one by one, those that are there already once", async () => {
      const [first] = history.commits;
      await store.commitRound(first!.commit, first!.snapshot);
      for (let from = 0; from < history.commits.length; from += ROUNDS_PER_EPOCH) {
        const epoch = history.commits.slice(from, from + ROUNDS_PER_EPOCH);
        const commits = epoch.map(({ commit }) => commit);
        expect(await store.commitRounds(commits, epoch.at(-1)!.snapshot)).toBe("committed");
        expect(await store.commitRounds(commits, epoch.at(-1)!.snapshot)).toBe("already_committed");
      }
      const rows = await store.listRounds(0, 1_000);
      expect(rows.map(({ stateDigest }) => stateDigest)).toEqual(
        history.commits.map(({ commit }) => commit.result.stateDigest),
      );
      expect((await store.snapshotAtOrBefore(1_000))?.epoch).toBe(EPOCHS - 1);
    });

    test("takes all of several rounds or none", async () => {
      const [first, second, third, fourth] = history.commits.map(({ commit }) => commit);
      const otherState = { ...third!, result: { ...third!.result, stateDigest: named("another") } };
      await expect(store.commitRounds([first!, second!, fourth!])).rejects.toMatchObject({
        code: "store_gap",
      });
      expect(await store.latestRound()).toBeNull();
      await store.commitRounds([first!, second!, third!]);
      await expect(store.commitRounds([second!, otherState, fourth!])).rejects.toMatchObject({
        code: "store_conflict",
      });
      expect((await store.latestRound())?.round).toBe(2);
    });

    test("finds the newest snapshot at or before an epoch", async () => {
      await commitAll(store, history);
      expect(await store.snapshotAtOrBefore(1)).toEqual(history.commits[2 * ROUNDS_PER_EPOCH - 1]!.snapshot);
      expect((await store.snapshotAtOrBefore(1_000))?.epoch).toBe(EPOCHS - 1);
      expect(await store.snapshotAtOrBefore(-1)).toBeNull();
      const epochs = [-1, 0, 1, EPOCHS - 1, EPOCHS, 1_000];
      const has = await Promise.all(epochs.map((epoch) => store.hasSnapshot(epoch)));
      expect(has).toEqual([false, true, true, true, false, false]);
    });

    test("prunes evidence and bodies, but never what replay from a kept snapshot needs", async () => {
      await commitAll(store, history);
      const batchDigests = await pruneAll(store, 2);
      // Epochs 2 and 3 are kept, so the snapshot after epoch 1 and every body from epoch 2 on must be.
      const released = history.commits
        .slice(0, 2 * ROUNDS_PER_EPOCH)
        .flatMap(({ commit }) => commit.batchDigests);
      expect(batchDigests.map(String).sort()).toEqual(released.map(String).sort());
      expect((await store.snapshotAtOrBefore(1))?.epoch).toBe(1);
      expect(await store.snapshotAtOrBefore(0)).toBeNull();
      expect(await store.getBeacon({ envelopeId: named("beacon 0"), index: 0 })).toBeNull();
      expect(await store.getBeacon({ envelopeId: named("beacon 12"), index: 0 })).not.toBeNull();
      const mapped = [0, 1, 2, 3].map(async (epoch) => {
        const { rows } = await store.listCoverage(epoch, 8, computeWholeRange(8), null, 1);
        return rows.length;
      });
      expect(await Promise.all(mapped)).toEqual([0, 0, 1, 1]);
      // What is promised for ever stays.
      expect(await store.getRound(0)).not.toBeNull();
      expect(await store.getEpoch(0)).not.toBeNull();
      expect((await store.listRewardLines(0, 0, 10)).rows.length).toBeGreaterThan(0);
      expect(await store.prune({ keepEpochs: 2 })).toEqual({ batchDigests: [], done: true });
    });

    test("keeps snapshots to start from and to replay from, and not one an epoch for ever", async () => {
      const long = createHistory("long", 60);
      const other = await open(long);
      await commitAll(other, long);
      await other.prune({ keepEpochs: 50 });
      // The newest three, two of every twenty-fourth, and the one before the oldest kept epoch, which is 10.
      expect(await listSnapshots(other)).toEqual([59, 58, 57, 47, 23, 9]);
      expect(await other.oldestReplayable()).toBe(10);
    });

    test("keeps the newest snapshot and the oldest, where one is made in ten epochs", async () => {
      const long = createHistory("sparse", 36);
      const other = await open(long);
      expect(await other.oldestReplayable()).toBeNull();
      let newest: number | undefined;
      for (const { commit, snapshot } of long.commits) {
        const isMade = snapshot !== undefined && (snapshot.epoch + 1) % 10 === 0;
        if (isMade) newest = snapshot.epoch;
        await other.commitRound(commit, isMade ? snapshot : undefined);
        if (snapshot !== undefined) await other.prune({ keepEpochs: 50 });
        expect((await other.snapshotAtOrBefore(99))?.epoch).toBe(newest);
      }
      expect(await listSnapshots(other)).toEqual([29, 9]);
      // Every body is still here, so genesis serves as well.
      expect(await other.oldestReplayable()).toBe(0);
      await other.prune({ keepEpochs: 20 });
      expect(await listSnapshots(other)).toEqual([29, 9]);
      expect(await other.oldestReplayable()).toBe(10);
    });

    test("goes on after pruning", async () => {
      for (const { commit, snapshot } of history.commits) {
        await store.commitRound(commit, snapshot);
        await store.prune({ keepEpochs: 1 });
      }
      expect((await store.latestRound())?.round).toBe(history.commits.length - 1);
    });
  });
}

function testQuestions(name: string, open: Open): void {
  describe(`${name}: questions`, () => {
    const history = createHistory("questions", EPOCHS);
    let store: Store;
    beforeEach(async () => {
      store = await open(history);
      await commitAll(store, history);
    });

    test("gives epochs back as they closed, newest first", async () => {
      const closes = history.commits.flatMap(({ commit }) => commit.result.epochClose ?? []);
      const epochs = await readAll((before: number | null) => store.listEpochs(before, 3));
      const rows = closes.map(
        ({
          lines: _l,
          beaconUnits: _b,
          coverage: _c,
          nextValidators: _n,
          trustRows: _t,
          renamedTrust: _k,
          releases: _r,
          ...row
        }) => row,
      );
      expect(epochs).toEqual(rows.reverse());
      expect(await store.latestEpoch()).toEqual(epochs[0]);
      expect(await store.oldestEpoch()).toBe(0);
      expect(await store.getEpoch(1)).toEqual(epochs[EPOCHS - 2]);
      expect(await store.getEpoch(EPOCHS)).toBeNull();
    });

    test("keeps each hotspot's trust, newest first, with findings and evidence", async () => {
      const closes = history.commits.flatMap(({ commit }) => commit.result.epochClose ?? []);
      const rows = closes.flatMap(({ trustRows, renamedTrust }) => [...renamedTrust, ...(trustRows ?? [])]);
      expect(rows.length).toBeGreaterThan(3);
      for (const { key } of history.genesis.hotspots) {
        const own = rows.filter(({ hotspot }) => String(hotspot) === String(key)).toReversed();
        expect(await readAll((before: number | null) => store.listTrust(key, before, 1))).toEqual(own);
      }
      expect(await store.listTrust(named("nobody"), null, 5)).toEqual({ rows: [], next: null });
    });

    test("knows every validator on record, in the order of first stakes", async () => {
      const newest = new Map(history.genesis.validators.map((view) => [String(view.key), view]));
      for (const { commit } of history.commits)
        for (const view of commit.result.validatorsChanged) newest.set(String(view.key), view);
      const rows = await readAll((after: number | null) => store.listValidators(after ?? 0, 2));
      expect(rows).toEqual([...newest.values()].map((view, index) => ({ ...view, position: index + 1 })));
      for (const row of rows) expect(await store.getValidator(row.key)).toEqual(row);
      expect(rows[1]).toMatchObject({ isTombstoned: true, stake: 3n, unbondingUntilEpoch: 12 });
      expect(await store.getValidator(named("nobody"))).toBeNull();
    });

    test("knows the validator set of every epoch that is fixed, and its changes", async () => {
      const closes = history.commits.flatMap(({ commit }) => commit.result.epochClose ?? []);
      const { seats } = history.genesis;
      const keys = [seats, seats, ...closes.map(({ nextValidators }) => nextValidators)];
      for (const [epoch, expected] of keys.entries()) {
        expect((await store.findSet(epoch))?.keys).toEqual(expected);
      }
      expect(await store.findSet(keys.length)).toBeNull();
      const changes = await store.listSetChanges(-1, 99, 100);
      expect(changes.map(({ fromEpoch }) => fromEpoch)).toEqual([0, 2, 4]);
      for (const change of changes) expect(change.keys).toEqual(keys[change.fromEpoch]);
      expect(await store.listSetChanges(0, 3, 100)).toEqual([changes[1]]);
      expect(await store.listSetChanges(0, 99, 1)).toEqual([changes[1]]);
    });

    test("tells what each validator did in its seats, newest epoch first", async () => {
      const closes = history.commits.flatMap(({ commit }) => commit.result.epochClose ?? []);
      for (const { key } of await readAll((after: number | null) => store.listValidators(after ?? 0, 9))) {
        const expected = closes
          .flatMap(({ epoch, validatorsPaid }) =>
            validatorsPaid.flatMap((pay, seat) =>
              String(pay.key) === String(key)
                ? [{ epoch, seat, rounds: pay.rounds, epochRounds: ROUNDS_PER_EPOCH, paid: pay.amount }]
                : [],
            ),
          )
          .toReversed();
        expect(expected.length).toBeGreaterThan(1);
        expect(await readAll((before: number | null) => store.listParticipation(key, before, 1))).toEqual(
          expected,
        );
      }
      expect(await store.listParticipation(named("nobody"), null, 5)).toEqual({ rows: [], next: null });
    });

    test("lists convictions, newest first, of everyone or of one", async () => {
      const pieces = history.commits.flatMap(({ commit: { result } }) =>
        result.evidence.map((piece) => ({ ...piece, round: result.round, epoch: result.epoch })),
      );
      expect(pieces.length).toBeGreaterThan(2);
      const rows = pieces.map((piece, index) => ({ ...piece, position: index + 1 })).toReversed();
      expect(await readAll((before: number | null) => store.listConvictions(null, before, 2))).toEqual(rows);
      for (const { offender } of pieces) {
        expect(await readAll((before: number | null) => store.listConvictions(offender, before, 1))).toEqual(
          rows.filter((row) => String(row.offender) === String(offender)),
        );
      }
      expect(await store.listConvictions(named("nobody"), null, 5)).toEqual({ rows: [], next: null });
    });

    test("finds a hotspot's valid receptions, both ways, of any epochs", async () => {
      const { hotspots } = history.genesis;
      const sorted = (list: readonly unknown[]) => list.map((one) => JSON.stringify(one)).sort();
      const ranges = [
        [0, EPOCHS],
        [0, 0],
        [1, EPOCHS - 1],
        [2, 2],
      ] as const;
      let count = 0;
      for (const { key } of hotspots) {
        const expected: ReceptionRow[] = [];
        for (const { commit } of history.commits) {
          for (const { reportId: beacon, hotspot, closedEpoch } of commit.result.beaconsClosed) {
            const row = await store.getBeacon(beacon);
            for (const { reportId, hotspot: witness, state, unitsPpm } of row!.witnesses) {
              const isHeard = equalBytes(witness, key);
              if (state !== "accepted" || !(isHeard || equalBytes(hotspot, key))) continue;
              const counterpart = isHeard ? hotspot : witness;
              const beaconerPpm = row!.closing!.units?.beaconerPpm ?? null;
              expected.push({ reportId, counterpart, isHeard, closedEpoch, beacon, unitsPpm, beaconerPpm });
            }
          }
        }
        count += expected.length;
        for (const [from, to] of ranges) {
          const within = expected.filter(({ closedEpoch }) => closedEpoch >= from && closedEpoch <= to);
          expect(sorted(await store.listReceptions(key, from, to))).toEqual(sorted(within));
        }
      }
      expect(count).toBeGreaterThan(0);
      expect(await store.listReceptions(named("nobody"), 0, EPOCHS)).toEqual([]);
    });

    test("finds receptions of long ago by the messages of then, however many came since", async () => {
      for (const { key } of history.genesis.hotspots) {
        const own = new Set(
          history.commits
            .flatMap(({ commit }) => (commit.result.epoch === 0 ? commit.result.outcomes : []))
            .filter(({ hotspot }) => equalBytes(hotspot, key))
            .map(({ reportId }) => encodeHex(reportId.envelopeId)),
        );
        const receptions = await store.listReceptions(key, 0, 0);
        expect(await store.listReceptions(key, 0, 0, own.size)).toEqual(receptions);
      }
    });

    test("ranks an epoch's lines by pay, without a gap", async () => {
      const close = history.commits[ROUNDS_PER_EPOCH - 1]!.commit.result.epochClose!;
      const lines = await readAll((after: number | null) => store.listRewardLines(0, after ?? 0, 2));
      expect(lines.map((line) => line.rank)).toEqual(close.lines.map((_, index) => index + 1));
      for (const [index, line] of lines.entries()) {
        const next = lines[index + 1];
        if (next === undefined) break;
        expect(line.beaconPaid + line.witnessPaid).toBeGreaterThanOrEqual(next.beaconPaid + next.witnessPaid);
      }
      const plain = await readAll((after: number | null) => store.listPlainLines(0, after ?? 0, 2));
      expect(plain).toEqual(
        lines.map(({ penalties: _, hotspot, owner, ...line }) => ({
          ...line,
          ...{ hotspot: encodeHex(hotspot), owner: encodeHex(owner) },
        })),
      );
      const { rank: _r, paid, ...line } = (await store.getRewardLine(0, lines[1]!.hotspot))!;
      expect(close.lines).toContainEqual(line);
      expect(paid).toBe(line.beaconPaid + line.witnessPaid);
      expect(await store.getRewardLine(0, named("nobody"))).toBeNull();
      expect(await store.listRewardLines(99, 0, 2)).toEqual({ rows: [], next: null });
    });

    test("sums a hotspot's rewards by epoch, day and month, with what escrow gave back", async () => {
      const closes = history.commits.flatMap(({ commit }) => commit.result.epochClose ?? []);
      for (const { key } of history.genesis.hotspots) {
        const isOwn = ({ hotspot }: { hotspot: Uint8Array }) => String(hotspot) === String(key);
        const own = closes.flatMap(({ lines }) => lines.filter(isOwn));
        const paid = own.reduce((sum, line) => sum + line.beaconPaid + line.witnessPaid, 0n);
        const withheld = own.reduce((sum, line) => sum + line.beaconWithheld + line.witnessWithheld, 0n);
        const released = closes.flatMap(({ releases }) => releases.filter(isOwn));
        const total = { paid, withheld, released: released.reduce((sum, { amount }) => sum + amount, 0n) };
        const epochs = closes.filter((c) => c.lines.some(isOwn) || c.releases.some(isOwn));
        for (const size of ["epoch", "day", "month"] as const) {
          const buckets = await store.listHotspotRewards(key, 0, EPOCHS, { size });
          const sums = buckets.reduce(addHotspotSums, NO_HOTSPOT_SUMS);
          expect(sums).toMatchObject({ ...total, earned: total.paid + total.released });
          expect(buckets.reduce((sum, b) => sum + b.epochs, 0)).toBe(epochs.length);
          if (size === "epoch") expect(buckets.map((b) => b.firstEpoch)).toEqual(epochs.map((c) => c.epoch));
          // Epoch 0 alone lies in October.
          else expect(buckets.length).toBeLessThanOrEqual(2);
        }
      }
      const key = closes[0]!.lines.find((l) =>
        closes[1]!.lines.some((m) => String(m.hotspot) === String(l.hotspot)),
      )!.hotspot;
      const months = await store.listHotspotRewards(key, 0, EPOCHS, { size: "month" });
      expect(months.map((m) => [m.period, m.startTimeMs])).toEqual([
        ["2026-10", Date.UTC(2026, 9)],
        ["2026-11", Date.UTC(2026, 10)],
      ]);
      // In Tokyo all of it is in November.
      const tokyo = await store.listHotspotRewards(key, 0, EPOCHS, { size: "month", zone: "Asia/Tokyo" });
      expect(tokyo.map((m) => [m.period, m.startTimeMs])).toEqual([["2026-11", Date.UTC(2026, 9, 31, 15)]]);
      expect(await store.listHotspotRewards(key, 0, 0, { size: "epoch" })).toMatchObject([
        { startTimeMs: START_TIME_MS, period: "0" },
      ]);
      expect(await store.listHotspotRewards(key, 5, 1, { size: "epoch" })).toEqual([]);
    });

    test("sums what an account earned: by its hotspots, as a validator, and from escrow", async () => {
      const closes = history.commits.flatMap(({ commit }) => commit.result.epochClose ?? []);
      const sum = (amounts: readonly bigint[]) => amounts.reduce((a, b) => a + b, 0n);
      for (const label of ["owner 0", "owner 1", "owner 2", "validator 0", "validator 2", "nobody"]) {
        const key = named(label);
        const isOwn = (other: Uint8Array) => String(other) === String(key);
        const lines = closes.flatMap((c) => c.lines.filter(({ owner }) => isOwn(owner)));
        const parts = {
          lines: lines.length,
          beaconPaid: sum(lines.map((line) => line.beaconPaid)),
          witnessPaid: sum(lines.map((line) => line.witnessPaid)),
          validatorPaid: sum(
            closes.flatMap((c) => c.validatorsPaid.filter((p) => isOwn(p.key)).map((p) => p.amount)),
          ),
          released: sum(closes.flatMap((c) => c.releases.filter((r) => isOwn(r.owner)).map((r) => r.amount))),
        };
        const earned = parts.beaconPaid + parts.witnessPaid + parts.validatorPaid + parts.released;
        for (const size of ["epoch", "day", "month"] as const) {
          const buckets = await store.listAccountRewards(key, 0, EPOCHS, { size });
          expect(buckets.reduce(addAccountSums, NO_ACCOUNT_SUMS)).toEqual({ ...parts, earned });
        }
        const [one] = await store.listAccountRewards(key, 1, 1, { size: "epoch" });
        if (one !== undefined) expect(one).toMatchObject({ firstEpoch: 1, lastEpoch: 1, period: "1" });
      }
    });

    test("lists hotspots by owner, by cell of any size and by status, page after page", async () => {
      const all = await readAll((after: Parameters<Store["listHotspots"]>[1]) =>
        store.listHotspots({}, after, 2),
      );
      expect(all.map((h) => h.position)).toEqual(all.map((_, index) => index + 1));
      const owner = named("owner 1");
      const owned = await readAll((after: Parameters<Store["listHotspots"]>[1]) =>
        store.listHotspots({ owner }, after, 2),
      );
      expect(owned.map((h) => h.position)).toEqual([2, 5, 8]);
      // A parent of the cells in Lyon, of resolution 4.
      const { from: cellFrom, to: cellTo } = computeCellRange(0x841f90dffffffffn, 12);
      const filter = { cellFrom, cellTo };
      const inCell = await readAll((after: Parameters<Store["listHotspots"]>[1]) =>
        store.listHotspots(filter, after, 2),
      );
      expect(inCell.map((h) => h.position).sort()).toEqual([1, 2, 3, 6, 7, 8]);
      const both = await store.listHotspots({ ...filter, owner }, null, 10);
      expect(both.rows.map((h) => h.position).sort()).toEqual([2, 8]);
      const statusEpochs = { epoch: EPOCHS, activeSinceEpoch: 0 };
      const counts = [];
      for (const status of ["active", "idle", "silent", "unasserted"] as const) {
        counts.push((await store.listHotspots({ status, statusEpochs }, null, 100)).rows.length);
      }
      expect(counts.reduce((a, b) => a + b)).toBe(all.length);
      expect(counts[0]).toBeGreaterThan(0);
      expect(counts[3]).toBe(1);
    });

    test("shows a hotspot's reports, newest first, with their newest verdicts", async () => {
      const last = new Map<string, unknown>();
      let count = 0;
      for (const { commit } of history.commits) {
        for (const o of commit.result.outcomes) last.set(`${o.reportId.envelopeId}-${o.reportId.index}`, o);
      }
      for (const { key } of history.genesis.hotspots) {
        const rows = await readAll((before: number | null) => store.listActivity(key, before, 2));
        count += rows.length;
        for (const row of rows) {
          expect(row.hotspot).toEqual(key);
          expect(row).toEqual(last.get(`${row.reportId.envelopeId}-${row.reportId.index}`));
        }
        expect(rows.map((r) => r.includedRound)).toEqual(
          rows.map((r) => r.includedRound).sort((a, b) => b - a),
        );
      }
      expect(count).toBe(last.size);
      expect(await store.listActivity(named("nobody"), null, 5)).toEqual({ rows: [], next: null });
    });

    test("follows no other hotspot's cursor", async () => {
      const nothing = { rows: [], next: null };
      const keys = history.genesis.hotspots.map(({ key }) => key);
      const { next } = await store.listActivity(keys[0]!, null, 1);
      expect(next).not.toBeNull();
      expect((await store.listActivity(keys[0]!, next, 5)).rows.length).toBeGreaterThan(0);
      for (const key of keys.slice(1)) expect(await store.listActivity(key, next, 5)).toEqual(nothing);
      for (const stray of [0, 1, 999_999_999])
        expect(await store.listActivity(keys[0]!, stray, 5)).toEqual(nothing);
    });

    test("shows a beacon with all that was heard of it", async () => {
      const envelopeId = named("beacon 7");
      const beacon = (await store.getBeacon({ envelopeId, index: 0 }))!;
      expect(beacon.report).toMatchObject({ kind: "beacon", state: "accepted", includedRound: 7 });
      expect(beacon.closing).toMatchObject({ closedRound: 8, closedEpoch: 1, eirpCentiDbm: 1_520 });
      expect(beacon.closing?.units).toEqual({
        paidWitnesses: 2,
        perWitnessPpm: 900_000,
        beaconerPpm: 700_000,
      });
      for (const witness of beacon.witnesses) {
        expect(witness.kind).toBe("witness");
        expect(witness.beacon).toEqual({ envelopeId, index: 0 });
        const line = await store.getRewardLine(1, witness.hotspot);
        expect(witness.scalePpm).toBe(line?.scalePpm ?? null);
      }
      expect(await store.getBeacon({ envelopeId, index: 1 })).toBeNull();
      expect(await store.getBeacon({ envelopeId: named("nothing"), index: 0 })).toBeNull();
      expect(await store.getBeacon({ envelopeId: named("witness 7/0"), index: 0 })).toBeNull();
    });

    test("shows a beacon that is still open", async () => {
      const last = history.commits.at(-1)!.commit.result.round;
      const beacon = (await store.getBeacon({ envelopeId: named(`beacon ${last}`), index: 0 }))!;
      expect(beacon).toMatchObject({ closing: null, scalePpm: null, witnesses: [], truncated: false });
      expect(beacon.report.state).toBe("pending");
    });

    test("tells what became of messages", async () => {
      const last = history.commits.at(-1)!.commit.result.round;
      const [open, closed, unknown, transfer] = await store.messageStatus([
        named(`beacon ${last}`),
        named(`beacon ${last - 1}`),
        named("nothing"),
        named(`questions transfer ${last}`),
      ]);
      // Index 1 was over quota; the reveal at index 2 was refused.
      expect(open).toMatchObject({ state: "included", round: last });
      expect(open?.verdicts[0]).toBe(VERDICT_PENDING);
      expect(open?.verdicts).toHaveLength(3);
      expect(closed?.verdicts[0]).toBe(0);
      expect(unknown).toEqual({ id: named("nothing"), state: "unknown", round: 0, verdicts: [] });
      const { reason } = history.commits.at(-1)!.commit.result.transactions[0]!;
      expect(transfer?.verdicts).toHaveLength(1);
      expect(transfer?.verdicts[0] === 0).toBe(reason === null);
      expect(await store.getTransaction(named(`questions transfer ${last}`))).toMatchObject({
        round: last,
        reason,
      });
      expect(await store.getTransaction(named("nothing"))).toBeNull();
    });

    test("says nothing final while the witness cap is still to be applied", async () => {
      const last = history.commits.at(-1)!.commit;
      const waiting = last.result.outcomes.filter((o) => o.selectionPending);
      expect(waiting.length).toBeGreaterThan(0);
      for (const { reportId } of waiting) {
        const [status] = await store.messageStatus([reportId.envelopeId]);
        expect(status?.verdicts[reportId.index]).toBe(VERDICT_SELECTION_PENDING);
      }
    });

    test("shows the coverage map at every resolution, page after page", async () => {
      expect(await store.latestCoverageEpoch()).toBe(EPOCHS - 1);
      const close = history.commits.flatMap(({ commit }) => commit.result.epochClose ?? []).at(-1)!;
      for (let resolution = 0; resolution <= 8; resolution++) {
        const whole = computeWholeRange(resolution);
        const cells = await readAll((after: bigint | null) =>
          store.listCoverage(EPOCHS - 1, resolution, whole, after, 2),
        );
        expect(cells.reduce((sum, c) => sum + c.cells, 0)).toBe(close.coverage.length);
        expect(cells.reduce((sum, c) => sum + c.hotspots, 0)).toBe(2 * close.coverage.length);
        if (resolution === 8) expect(cells.map((c) => c.cell)).toEqual(close.coverage.map((c) => c.cell));
        if (resolution === 0) expect(cells).toHaveLength(2);
      }
      const detroit = computeCellRange(0x842ab2dffffffffn, 8);
      const part = await store.listCoverage(EPOCHS - 1, 8, detroit, null, 100);
      expect(part.rows.length).toBeGreaterThan(0);
      expect(part.rows.length).toBeLessThan(close.coverage.length);
    });
  });
}
