/**
 * A program that commits the rounds of a history to the store in its argument, and says each one when it is durable. It
 * is killed while it does.
 */
import { openSqliteStore } from "../../../validator/src/store/sqliteStore/sqliteStore.ts";
import { createHistory, named } from "./history.ts";

export const KILLED_EPOCHS = 11;

if (import.meta.main) {
  const history = createHistory("killed", KILLED_EPOCHS);
  const options = { path: process.argv[2]!, networkId: named("network"), genesis: history.genesis };
  const store = await openSqliteStore(options);
  const done = (await store.latestRound())?.round ?? -1;
  for (const { commit, snapshot } of history.commits.slice(done + 1)) {
    await store.commitRound(commit, snapshot);
    await store.prune({ keepEpochs: 5 });
    process.stdout.write(`${commit.result.round}\n`);
  }
  await store.close();
}
