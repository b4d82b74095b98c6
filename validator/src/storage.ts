/** The validator's three places on disk, opened together: votes (which also lock the home), store, batch bodies. */
import assert from "node:assert";
import { existsSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { makePrivateFolder, removeTemporaries } from "../../node/src/host/durableFile.ts";
import { createLedger } from "../../protocol/src/ledger/state.ts";
import { homePaths } from "./home.ts";
import type { Identity } from "./identity.ts";
import { openVotes, type Votes } from "./rounds/votes.ts";
import { type BatchStore, openBatchStore } from "./store/batchStore.ts";
import { viewGenesis } from "./store/genesisViews.ts";
import { type MigrationPlan, migrateStore, planMigration } from "./store/sqliteStore/migrations.ts";
import { openSqliteStore } from "./store/sqliteStore/sqliteStore.ts";
import type { Store } from "./store/store.ts";

export type Storage = {
  readonly votes: Votes;
  readonly store: Store;
  readonly batches: BatchStore;
  /** What an ordinary user may still write where the home lies. */
  readonly freeBytes: () => Promise<number>;
  readonly close: () => Promise<void>;
};
export type OpenedStorage = Storage & {
  /** Nothing that retention gives up is deleted until what this returns is called: somebody copies the home. */
  readonly holdPruning: () => () => void;
};

/**
 * Opens a home for writing, making what is missing.
 * @throws CodedError "home_in_use" where another process runs with it, "store_*" where it is of another network.
 */
export async function openStorage(
  home: string,
  identity: Pick<Identity, "genesis" | "networkId" | "signer">,
  onMigration: (plan: MigrationPlan) => void = () => {},
): Promise<OpenedStorage> {
  const paths = homePaths(home);
  await makePrivateFolder(home);
  const { genesis, networkId, signer } = identity;
  const votes = openVotes(paths.votes, { network: networkId, validator: signer.publicKey });
  try {
    // The votes lock the home: nobody else's writing can be under way.
    await removeTemporaries(home);
    await migrateHome(paths.store, networkId, onMigration);
    const store = await openSqliteStore({
      path: paths.store,
      networkId,
      genesis: viewGenesis(createLedger(genesis)),
    });
    const batches = await openBatchStore(paths.batches);
    const hold = new PruningHold();
    return {
      votes: { ...votes, prune: (round, seq) => hold.whenFree(() => votes.prune(round, seq)) },
      store,
      batches: {
        ...batches,
        deleteBatches: async (digests) => {
          await hold.free();
          await batches.deleteBatches(digests);
        },
      },
      holdPruning: hold.take,
      freeBytes: async () => {
        const { bavail, bsize } = await statfs(home);
        return bavail * bsize;
      },
      close: async () => {
        await store.close();
        votes.close();
      },
    };
  } catch (error) {
    votes.close();
    throw error;
  }
}

/**
 * Brings a store of an older program to this one's schema, where there is one.
 * @param onPlan told what is about to be done.
 * @throws CodedError as `planMigration` and `migrateStore` do.
 */
export async function migrateHome(
  store: string,
  networkId: Uint8Array,
  onPlan: (plan: MigrationPlan) => void,
): Promise<MigrationPlan | null> {
  const plan = existsSync(store) ? planMigration(store, networkId) : null;
  if (plan === null) return null;
  onPlan(plan);
  await migrateStore(store, plan);
  return plan;
}

/** Puts off what deletes, while somebody copies. */
class PruningHold {
  #released: PromiseWithResolvers<void> | null = null;
  /** The newest of what was put off: pruning once, as far as now, does what all before would have. */
  #waiting: (() => void) | null = null;

  take = (): (() => void) => {
    assert(this.#released === null, "one backup is made at a time");
    const released = Promise.withResolvers<void>();
    this.#released = released;
    return () => {
      this.#released = null;
      this.#waiting?.();
      this.#waiting = null;
      released.resolve();
    };
  };

  whenFree(work: () => void): void {
    if (this.#released === null) work();
    else this.#waiting = work;
  }

  async free(): Promise<void> {
    await this.#released?.promise;
  }
}
