/**
 * Where a validator was when it ended, however it ended. The store has the executed rounds, the votes have what was
 * decided and authored beyond them; together they give the state in which it goes on as if it had never stopped.
 */
import { CodedError } from "../../node/src/host/codedError.ts";
import type { Log } from "../../node/src/host/types.ts";
import type { Cut } from "../../protocol/src/agreement/cut.ts";
import type { Place } from "../../protocol/src/agreement/lanes/index.ts";
import { decodeBatch } from "../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../protocol/src/bytes/bytes.ts";
import { decodeLedgerMessage } from "../../protocol/src/ledger/bundleDecode.ts";
import type { Ledger } from "../../protocol/src/ledger/state.ts";
import { type ReexecutionModules, readCut, reexecuteRounds, restoreLedger } from "./execution/reexecute.ts";
import { decodeDecided, type Finalized } from "./rounds/agreement.ts";
import type { AuthoredBatch, Votes } from "./rounds/votes.ts";

export type RecoveryModules = ReexecutionModules & {
  readonly votes: Pick<Votes, "decidedFrom" | "highestRound" | "lastBatch">;
  /** The own lane. */
  readonly validator: Uint8Array;
  readonly log: Log;
};

export type Recovered = {
  /** The ledger after the newest stored round. */
  readonly ledger: Ledger;
  readonly cut: Cut;
  /** Rounds decided and not yet executed, in order. */
  readonly undone: readonly Finalized[];
  /** The newest executed round; null before round 0. */
  readonly stored: Finalized | null;
  /** The newest decided round; null before round 0. */
  readonly last: Finalized | null;
  readonly lane: {
    /** The newest batch that was ever numbered, as far as the home can tell; null before the first. */
    readonly last: AuthoredBatch | null;
    /** Where the newest decided cut has left the own lane. */
    readonly end: Place;
    /** Whether the votes do not know that end: what was signed before lies with a home that is lost, or newer than this copy. */
    readonly isForgotten: boolean;
    /** Ids of messages in own batches that no executed round holds. */
    readonly waitingIds: readonly Uint8Array[];
  };
};

/**
 * Recovers; nothing is written.
 * @throws CodedError "state_diverged" where the stored rounds do not give the stored state, "store_gap",
 *   "votes_conflict", "batch_missing" or "file_corrupt" where something is missing: a validator that guessed what it
 *   has signed could contradict itself.
 */
export async function recover(modules: RecoveryModules): Promise<Recovered> {
  const { store, votes, log } = modules;
  const latest = await store.latestRound();
  if (latest !== null && votes.highestRound() < latest.round) {
    throw new CodedError(
      "votes_conflict",
      `the votes end before the store's round ${latest.round}: restore them together`,
    );
  }
  const ledger = await restoreLedger(latest?.epoch ?? -1, modules);
  const from = ledger.round + 1;
  if (latest !== null) {
    // Executing is the whole effect; each digest is compared on the way.
    for await (const _ of reexecuteRounds(ledger, latest.round, modules));
    log.info("Restored the ledger", { executedFrom: from, round: ledger.round });
  }
  const undone = readUndone(ledger.round + 1, votes);
  const newest = undone.at(-1);
  const stored =
    latest === null
      ? null
      : decodeDecided({ round: latest.round, value: latest.value, cert: latest.finalCert });
  const last = newest ?? stored;
  const cut = await readCut(ledger.round, modules);
  const left = ledger.laneEndOf(modules.validator);
  const executed = entryOf(modules.validator, cut) ?? left;
  const end = (last && entryOf(modules.validator, last.value.cut)) ?? left;
  const named = votes.lastBatch();
  const isForgotten = end.seq > (named?.seq ?? 0);
  return {
    ledger,
    cut,
    undone,
    stored,
    last,
    lane: {
      last: isForgotten ? end : named,
      end,
      isForgotten,
      waitingIds: await listWaitingIds(executed.seq, end.seq, modules),
    },
  };
}

function readUndone(nextRound: number, votes: Pick<Votes, "decidedFrom">): Finalized[] {
  return votes.decidedFrom(nextRound).map((decided, index) => {
    const finalized = decodeDecided(decided);
    if (finalized === null)
      throw new CodedError("file_corrupt", `the votes of round ${decided.round} are damaged`);
    if (finalized.round === nextRound + index) return finalized;
    throw new CodedError("store_gap", `round ${nextRound + index} is neither in the store nor in the votes`);
  });
}

/** Where a cut has left a lane; null for one that is not in it, whose end the ledger remembers. */
function entryOf(validator: Uint8Array, cut: Cut): Place | null {
  const entry = cut.find(({ lane }) => equalBytes(lane, validator));
  return entry === undefined ? null : { seq: entry.seq, digest: entry.digest };
}

/** Walks the own lane back from its newest batch: each one's `prev` names the one before. */
async function listWaitingIds(
  executedSeq: number,
  decidedSeq: number,
  modules: RecoveryModules,
): Promise<Uint8Array[]> {
  const ids: Uint8Array[] = [];
  const newest = modules.votes.lastBatch();
  if (newest === null) return ids;
  let { digest } = newest;
  for (let seq = newest.seq; seq > executedSeq; seq--) {
    const bytes = await modules.batches.getBatch(digest);
    const batch = bytes === null ? null : decodeBatch(bytes);
    // What a decided cut holds is fetched from the others before it is executed; nothing here waits for it.
    if (batch === null && seq <= decidedSeq) break;
    if (batch === null) throw new CodedError("batch_missing", `the own lane's batch ${seq} is not there`);
    for (const message of batch.messages) {
      const decoded = decodeLedgerMessage(message, modules.domains);
      if (typeof decoded !== "string") ids.push(decoded.id);
    }
    digest = batch.prev;
  }
  return ids;
}
