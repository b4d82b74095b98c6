/** `validator replay` and `validator export`: what a home says of closed epochs, recomputed or as it is. Read-only. */
import { ConfigErrors, type NodeIo, printJson } from "../../../node/src/cli/io.ts";
import { CodedError } from "../../../node/src/host/codedError.ts";
import { createSigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { computeNetworkId, type Genesis } from "../../../protocol/src/network/genesis.ts";
import { writeCsvHeader, writeCsvRow } from "../api/csv.ts";
import { presentEpoch, presentLine, REWARD_LINE_COLUMNS } from "../api/present.ts";
import { type ReplayedEpoch, type ReplayModules, replayEpochs } from "../execution/replay.ts";
import { homePaths } from "../home.ts";
import { LEDGER_MODULES } from "../ledgerModules.ts";
import { explainingFailure, explainStorageFailure } from "../storageFailure.ts";
import { openBatchReader } from "../store/batchStore.ts";
import { openSqliteStore } from "../store/sqliteStore/sqliteStore.ts";
import { type EpochRow, MAX_PAGE_ROWS, type RankedLine, type Store } from "../store/store.ts";
import { readGenesisFile, readHomeFlag } from "./configuration.ts";
import { writeChunks } from "./output.ts";

export type StoredFlags = {
  readonly home?: string;
  readonly genesis?: string;
  readonly epoch?: string;
};

export type ReplayFlags = StoredFlags & { readonly all?: boolean };

/** Exit status of a replay that gives something else than the store says. */
const EXIT_DIFFERS = 1;

/** Replays one epoch, or all that the home can replay. @returns 0 where everything is equal, else 1. */
export async function replay(flags: ReplayFlags, io: NodeIo): Promise<number> {
  const faults: string[] = [];
  if ((flags.epoch === undefined) === (flags.all !== true)) faults.push("give either --epoch N or --all");
  const epoch = flags.epoch === undefined ? 0 : readEpoch(flags.epoch, faults);
  const { home, genesis, store } = await openStored(flags, faults);
  try {
    const modules = createReplayModules(home, genesis, store);
    return await explainingFailure(home, () =>
      flags.all === true ? replayAll(store, modules, io) : replayOne(epoch, modules, io),
    );
  } finally {
    await store.close();
  }
}

async function replayOne(epoch: number, modules: ReplayModules, io: NodeIo): Promise<number> {
  await requireClosed(epoch, modules.store);
  for await (const replayed of replayEpochs(epoch, epoch, modules)) {
    printJson(io, replayed);
    return replayed.equal ? 0 : EXIT_DIFFERS;
  }
  throw new CodedError("store_gap", `the rounds of epoch ${epoch} do not end`);
}

/** From the oldest state that the home still has: what was before it was never here, or was given up by retention. */
async function replayAll(store: Store, modules: ReplayModules, io: NodeIo): Promise<number> {
  const latest = await store.latestEpoch();
  const first = (await store.oldestReplayable()) ?? 0;
  if (latest === null || latest.epoch < first)
    throw new CodedError("store_gap", `nothing to replay yet: epoch ${first} has not closed`);
  const epochs: ReplayedEpoch[] = [];
  for await (const replayed of replayEpochs(first, latest.epoch, modules)) epochs.push(replayed);
  const differing = epochs.filter(({ equal }) => !equal).map(({ epoch }) => epoch);
  printJson(io, { equal: differing.length === 0, differing, epochs });
  return differing.length === 0 ? 0 : EXIT_DIFFERS;
}

export type ExportFlags = StoredFlags & { readonly format?: string };

/** Writes an epoch's reward lines as CSV, or its record and lines as one JSON object. */
export async function exportEpoch(flags: ExportFlags, io: NodeIo): Promise<void> {
  const format = flags.format ?? "json";
  const faults = format === "json" || format === "csv" ? [] : ["--format: must be json or csv"];
  if (flags.epoch === undefined) faults.push("give --epoch N");
  const epoch = flags.epoch === undefined ? 0 : readEpoch(flags.epoch, faults);
  const { home, store } = await openStored(flags, faults);
  try {
    const row = await explainingFailure(home, () => requireClosed(epoch, store));
    const chunks = format === "csv" ? listCsv(row, store) : listJson(row, store);
    await writeChunks(io.stdout, explainingChunks(chunks, home));
  } finally {
    await store.close();
  }
}

/** The same chunks. What fails where they are written, on another disk perhaps, is no fault of the home. */
async function* explainingChunks(chunks: AsyncGenerator<string>, home: string): AsyncGenerator<string> {
  try {
    yield* chunks;
  } catch (error) {
    throw explainStorageFailure(error, home);
  }
}

async function* listCsv({ epoch }: EpochRow, store: Store): AsyncGenerator<string> {
  yield writeCsvHeader(REWARD_LINE_COLUMNS);
  for await (const line of listLines(epoch, store)) yield writeCsvRow(presentLine(line), REWARD_LINE_COLUMNS);
}

/** Line by line: an epoch of a large network is more than one string can hold. */
async function* listJson(row: EpochRow, store: Store): AsyncGenerator<string> {
  yield `{"epoch":${JSON.stringify(presentEpoch(row))},"rewards":[`;
  let separator = "\n";
  for await (const line of listLines(row.epoch, store)) {
    yield `${separator}${JSON.stringify(presentLine(line))}`;
    separator = ",\n";
  }
  yield "\n]}\n";
}

async function* listLines(epoch: number, store: Store): AsyncGenerator<RankedLine> {
  for (let after: number | null = 0; after !== null; ) {
    const page: Awaited<ReturnType<Store["listRewardLines"]>> = await store.listRewardLines(
      epoch,
      after,
      MAX_PAGE_ROWS,
    );
    yield* page.rows;
    after = page.next;
  }
}

/** @param faults found before, reported with those found here. @throws ConfigErrors where there is any. */
async function openStored(
  flags: StoredFlags,
  faults: string[],
): Promise<{ home: string; genesis: Genesis; store: Store }> {
  const home = readHomeFlag(flags, faults);
  const genesis = await readGenesisFile(flags, faults);
  if (genesis === null || faults.length > 0) throw new ConfigErrors(faults);
  const networkId = computeNetworkId(genesis);
  const options = { path: homePaths(home).store, networkId, genesis: null };
  const store = await explainingFailure(home, () => openSqliteStore(options));
  return { home, genesis, store };
}

function createReplayModules(home: string, genesis: Genesis, store: Store): ReplayModules {
  return {
    genesis,
    store,
    batches: openBatchReader(homePaths(home).batches),
    domains: createSigningDomains(computeNetworkId(genesis)),
    ledgerModules: LEDGER_MODULES,
  };
}

async function requireClosed(
  epoch: number,
  store: Pick<Store, "getEpoch" | "latestEpoch">,
): Promise<EpochRow> {
  const row = await store.getEpoch(epoch);
  if (row !== null) return row;
  const latest = await store.latestEpoch();
  const newest = latest === null ? "no epoch has closed yet" : `the newest closed one is ${latest.epoch}`;
  throw new ConfigErrors([`--epoch: ${epoch} is not in the store; ${newest}`]);
}

function readEpoch(text: string, faults: string[]): number {
  if (!/^\d{1,12}$/.test(text)) faults.push("--epoch: must be a whole number");
  return Number(text);
}
