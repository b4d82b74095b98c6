/**
 * What the ledger really gives, of honest and cheating hotspots, in both stores: nothing that execution says is refused
 * by the store, and what comes out is what the ledger itself shows.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { encodeReason } from "../../../protocol/src/evidence/reasons.ts";
import type { ReportOutcome, RoundResult } from "../../../protocol/src/ledger/types.ts";
import { VERDICT_PENDING, VERDICT_SELECTION_PENDING } from "../../../protocol/src/wire/receipts.ts";
import { viewGenesis } from "../../../validator/src/store/genesisViews.ts";
import { openSqliteStore } from "../../../validator/src/store/sqliteStore/sqliteStore.ts";
import type { RoundCommit } from "../../../validator/src/store/store.ts";
import { LedgerSimulation } from "../../sim/ledger.ts";
import { createMemoryStore } from "../../store/memoryStore.ts";
import { readAnswers } from "./answers.ts";
import { readAll } from "./compliance.ts";
import { named } from "./history.ts";

const EPOCHS = 5;

const commitOf = (result: RoundResult): RoundCommit => ({
  value: result.stateDigest,
  finalCert: result.stateDigest,
  result,
  batchDigests: [],
  batchSpans: [],
});

test("both stores take a ledger's whole history and give it back", async () => {
  const simulation = new LedgerSimulation({ seed: 5, hotspots: 24, epochs: EPOCHS, cheatOneIn: 3 });
  const { ledger } = simulation;
  const genesis = viewGenesis(ledger);
  const directory = mkdtempSync(join(tmpdir(), "hexbeacon-ledger-"));
  const path = join(directory, "store.sqlite");
  const store = await openSqliteStore({ path, networkId: named("network"), genesis });
  const plain = createMemoryStore(genesis);
  const results: RoundResult[] = [];
  const { roundsPerEpoch } = ledger.parameters;
  while (ledger.round + 1 < EPOCHS * roundsPerEpoch + 3) {
    const result = simulation.step(true);
    results.push(result);
    expect(await store.commitRound(commitOf(result))).toBe("committed");
    await plain.commitRound(commitOf(result));
  }

  // The registry and the accounts are the ledger's own.
  expect((await store.listHotspots({}, null, 1_000)).rows).toMatchObject(ledger.listHotspots());
  for (const account of ledger.listAccounts()) expect(await store.getAccount(account.key)).toEqual(account);

  // What accounts earned by the rows is what the ledger says, to the base unit, however it is cut into periods.
  const earners = ledger.listAccounts().filter(({ earned }) => earned > 0n);
  expect(earners.length).toBeGreaterThan(10);
  for (const { key, earned } of earners) {
    for (const periods of [
      { size: "epoch" },
      { size: "day", zone: "Asia/Kathmandu" },
      { size: "month", zone: "America/New_York" },
    ] as const) {
      const buckets = await store.listAccountRewards(key, 0, EPOCHS, periods);
      expect(buckets.reduce((sum, bucket) => sum + bucket.earned, 0n)).toBe(earned);
    }
  }

  // Every report is shown with the last outcome that the ledger gave it.
  const last = new Map<string, ReportOutcome>();
  for (const outcome of results.flatMap((r) => r.outcomes)) {
    last.set(`${encodeHex(outcome.reportId.envelopeId)}-${outcome.reportId.index}`, outcome);
  }
  let shown = 0;
  for (const { key } of genesis.hotspots) {
    for (const row of await readAll((before: number | null) => store.listActivity(key, before, 50))) {
      const outcome = last.get(`${encodeHex(row.reportId.envelopeId)}-${row.reportId.index}`)!;
      const { state, reason, selectionPending } = outcome;
      expect(row).toMatchObject({ state, reason, selectionPending, kind: outcome.kind });
      shown++;
    }
  }
  expect(shown).toBe(last.size);
  expect(shown).toBeGreaterThan(1_000);

  // The receipt stream says of the newest epochs' messages what the outcomes say.
  for (const result of results.slice(-roundsPerEpoch)) {
    for (const status of await store.messageStatus(result.included)) {
      expect(status).toMatchObject({ state: "included", round: result.round });
      for (const [index, code] of status.verdicts.entries()) {
        const outcome = last.get(`${encodeHex(status.id)}-${index}`);
        if (outcome === undefined) expect(code).toBe(encodeReason("over_quota"));
        else if (outcome.state === "pending") expect(code).toBe(VERDICT_PENDING);
        else if (outcome.selectionPending) expect(code).toBe(VERDICT_SELECTION_PENDING);
        else expect(code).toBe(encodeReason(outcome.reason));
      }
    }
  }

  const questions = {
    hotspots: genesis.hotspots.map(({ key }) => key),
    accounts: ledger.listAccounts().map(({ key }) => key),
    beacons: results.flatMap((r) => r.beaconsClosed.map(({ reportId }) => reportId)),
    messages: results.slice(-roundsPerEpoch).flatMap((r) => r.included),
  };
  expect(questions.beacons.length).toBeGreaterThan(20);
  expect(await readAnswers(store, questions)).toEqual(await readAnswers(plain, questions));
  await store.close();
});
