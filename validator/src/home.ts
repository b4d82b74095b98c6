/** What a validator keeps in its home, and where. */
import { join } from "node:path";
import { GENESIS_FILE, KEY_FILE } from "../../node/src/host/homeFiles.ts";

export type HomePaths = {
  readonly key: string;
  readonly genesis: string;
  /** Votes in a database of their own, so that the volume of reports never delays one. */
  readonly votes: string;
  readonly store: string;
  readonly batches: string;
  /** The key of its first operator, who may administer it. */
  readonly operatorKey: string;
  /** Where it listens to operators. */
  readonly adminSocket: string;
  readonly bans: string;
  /** What operators asked for, and what came of it. */
  readonly audit: string;
};

export function homePaths(home: string): HomePaths {
  return {
    key: join(home, KEY_FILE),
    genesis: join(home, GENESIS_FILE),
    votes: join(home, "votes.sqlite"),
    store: join(home, "store.sqlite"),
    batches: join(home, "batches"),
    operatorKey: join(home, "operator.key"),
    adminSocket: join(home, "admin.sock"),
    bans: join(home, "bans.json"),
    audit: join(home, "audit.ndjson"),
  };
}
