/**
 * Executing stored rounds again: at start, from the newest snapshot to where the store ends; for a replay, over any
 * epoch. Every round's state digest is compared with the stored one, so that a state which differs is found at the
 * round in which it began to.
 */
import { CodedError } from "../../../node/src/host/codedError.ts";
import type { Cut } from "../../../protocol/src/agreement/cut.ts";
import { decodeValue } from "../../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { executeRound } from "../../../protocol/src/ledger/execute.ts";
import { computeSnapshotRoot, decodeLedger } from "../../../protocol/src/ledger/snapshot.ts";
import { createLedger, type Ledger, type LedgerModules } from "../../../protocol/src/ledger/state.ts";
import type { RoundResult } from "../../../protocol/src/ledger/types.ts";
import type { Genesis } from "../../../protocol/src/network/genesis.ts";
import type { RoundRow, RoundStore } from "../store/store.ts";
import { loadRound, type RoundInputModules, yieldToEventLoop } from "./roundInput.ts";

/** Rounds read from the store at a time. */
const ROUNDS_PER_READ = 64;

export type ReexecutionModules = Omit<RoundInputModules, "ledger"> & {
  readonly genesis: Genesis;
  readonly store: Pick<RoundStore, "listRounds" | "getRound" | "snapshotAtOrBefore" | "latestRound">;
  readonly ledgerModules: LedgerModules;
};

export type ReexecutedRound = { readonly row: RoundRow; readonly result: RoundResult };

/**
 * The ledger after the newest snapshot of an epoch not above this one, or genesis's where there is none.
 * @throws CodedError "state_diverged" where a snapshot does not have the state root it was stored with,
 *   "store_schema" where it is of other rules, "store_gap" where genesis's state is no beginning for the stored rounds.
 */
export async function restoreLedger(epoch: number, modules: ReexecutionModules): Promise<Ledger> {
  const snapshot = epoch < 0 ? null : await modules.store.snapshotAtOrBefore(epoch);
  if (snapshot === null) {
    await requireFirstRound(modules);
    return createLedger(modules.genesis, modules.ledgerModules);
  }
  if (!equalBytes(computeSnapshotRoot(snapshot.bytes), snapshot.stateRoot)) {
    throw new CodedError(
      "state_diverged",
      `the snapshot of epoch ${snapshot.epoch} does not have its state root`,
    );
  }
  try {
    return decodeLedger(modules.genesis, snapshot.bytes, modules.ledgerModules);
  } catch (cause) {
    // Its root is right, so it is whole: a program with other rules made it.
    const text = `the snapshot of epoch ${snapshot.epoch} is of another version of the rules: run the program that made it`;
    throw new CodedError(
      "store_schema",
      `${text}, or keep the key, move the rest away, and join again`,
      cause,
    );
  }
}

/**
 * Executes the stored rounds after the ledger's up to and with `lastRound`, yielding each once it is executed.
 * @throws CodedError "state_diverged" at the first round whose state digest differs from the stored one, "store_gap" at
 *   one that is not there.
 */
export async function* reexecuteRounds(
  ledger: Ledger,
  lastRound: number,
  modules: ReexecutionModules,
): AsyncGenerator<ReexecutedRound> {
  while (ledger.round < lastRound) {
    const rows = await modules.store.listRounds(
      ledger.round + 1,
      Math.min(ROUNDS_PER_READ, lastRound - ledger.round),
    );
    if (rows.length === 0) throw lacksRound(ledger.round + 1);
    for (const row of rows) {
      if (row.round !== ledger.round + 1) throw lacksRound(ledger.round + 1);
      const value = readValue(row);
      const { input } = await loadRound(value, ledger.timeMs, { ...modules, ledger });
      const result = executeRound(ledger, input);
      if (!equalBytes(result.stateDigest, row.stateDigest)) {
        throw new CodedError("state_diverged", `round ${row.round} gives another state than the stored one`);
      }
      yield { row, result };
      await (modules.yieldTurn ?? yieldToEventLoop)();
    }
  }
}

/** The cut that a round decided; empty before round 0. */
export async function readCut(round: number, { store }: Pick<ReexecutionModules, "store">): Promise<Cut> {
  if (round < 0) return [];
  const row = await store.getRound(round);
  if (row === null) throw lacksRound(round);
  return readValue(row).cut;
}

const lacksRound = (round: number) => new CodedError("store_gap", `round ${round} is not in the store`);

/** A store that began at a checkpoint has no round 0: only a snapshot leads to what it has. */
async function requireFirstRound({ store }: Pick<ReexecutionModules, "store">): Promise<void> {
  const [first] = await store.listRounds(0, 1);
  if (first === undefined || first.round === 0) return;
  const text = `the store begins with round ${first.round}, and there is no snapshot to begin with`;
  throw new CodedError("store_gap", `${text}: keep the key, move the rest away, and join again`);
}

function readValue(row: RoundRow) {
  const value = decodeValue(row.value);
  if (value === null)
    throw new CodedError("file_corrupt", `the value of round ${row.round} is damaged in the store`);
  return value;
}
