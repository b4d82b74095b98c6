/** The validator's three places on disk, opened together: votes (which also lock the home), store, batch bodies. */
import { statfs } from "node:fs/promises";
import { makePrivateFolder } from "../../node/src/host/durableFile.ts";
import { createLedger } from "../../protocol/src/ledger/state.ts";
import { homePaths } from "./home.ts";
import type { Identity } from "./identity.ts";
import { openVotes, type Votes } from "./rounds/votes.ts";
import { type BatchStore, openBatchStore } from "./store/batchStore.ts";
import { viewGenesis } from "./store/genesisViews.ts";
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

/**
 * Opens a home for writing, making what is missing.
 * @throws CodedError "home_in_use" where another process runs with it, "store_*" where it is of another network.
 */
export async function openStorage(
  home: string,
  identity: Pick<Identity, "genesis" | "networkId" | "signer">,
): Promise<Storage> {
  const paths = homePaths(home);
  await makePrivateFolder(home);
  const { genesis, networkId, signer } = identity;
  const votes = openVotes(paths.votes, { network: networkId, validator: signer.publicKey });
  try {
    const store = await openSqliteStore({
      path: paths.store,
      networkId,
      genesis: viewGenesis(createLedger(genesis)),
    });
    const batches = await openBatchStore(paths.batches);
    return {
      votes,
      store,
      batches,
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
