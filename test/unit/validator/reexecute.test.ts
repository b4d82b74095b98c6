/** Where execution begins again: a snapshot, or genesis; a store that fits neither is refused in words. */
import { expect, test } from "vitest";
import { createLedger } from "../../../protocol/src/ledger/state.ts";
import { reexecuteRounds, restoreLedger } from "../../../validator/src/execution/reexecute.ts";
import { createIdentity } from "../../../validator/src/identity.ts";
import { LEDGER_MODULES } from "../../../validator/src/ledgerModules.ts";
import type { RoundRow } from "../../../validator/src/store/store.ts";
import { contextOf, createTestGenesis, VALIDATOR } from "./support/network.ts";

const { genesis } = contextOf(createTestGenesis(1, 1_700_000_000_000));
const { domains } = createIdentity(genesis, VALIDATOR.secretSeed);

/** Of a home that began at a checkpoint and whose snapshots are gone: its first round is the 60th. */
const modules = {
  genesis,
  domains,
  ledgerModules: LEDGER_MODULES,
  batches: { getBatch: async () => null },
  store: {
    listRounds: async () => [{ round: 59 } as RoundRow],
    getRound: async () => null,
    snapshotAtOrBefore: async () => null,
    latestRound: async () => null,
  },
};

test("genesis's state is no beginning for rounds that begin later", async () => {
  await expect(restoreLedger(20, modules)).rejects.toMatchObject({
    code: "store_gap",
    message: expect.stringMatching(/begins with round 59.*join again/),
  });
  const fresh = { ...modules, store: { ...modules.store, listRounds: async () => [] } };
  expect((await restoreLedger(-1, fresh)).round).toBe(-1);
});

test("a round that does not follow the ledger's is not executed", async () => {
  const ledger = createLedger(genesis, LEDGER_MODULES);
  await expect(reexecuteRounds(ledger, 60, modules).next()).rejects.toMatchObject({
    code: "store_gap",
    message: "round 0 is not in the store",
  });
});
