/** A store that keeps what a scenario executes, as a validator's does. */
import { viewGenesis } from "../../../validator/src/store/genesisViews.ts";
import type { Store } from "../../../validator/src/store/store.ts";
import { createMemoryStore } from "../../store/memoryStore.ts";
import type { Scenario } from "../ledger/scenario.ts";

/** Has every round from now on committed. @returns the store, and what settles once all rounds so far are in it. */
export function storeRounds(scenario: Scenario): {
  readonly store: Store;
  readonly settled: () => Promise<unknown>;
} {
  const store = createMemoryStore(viewGenesis(scenario.ledger));
  const commits: Promise<unknown>[] = [];
  const step = scenario.step.bind(scenario);
  scenario.step = () => {
    const result = step();
    const digest = result.stateDigest;
    commits.push(
      store.commitRound({ value: digest, finalCert: digest, result, batchDigests: [], batchSpans: [] }),
    );
    return result;
  };
  return { store, settled: () => Promise.all(commits) };
}
