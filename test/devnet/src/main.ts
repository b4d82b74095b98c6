/** `npm start`: runs the devnet, shows it, and ends on Ctrl-C or after the epochs that were asked for. */
import { setTimeout as delay } from "node:timers/promises";
import { ensureExplorer } from "../../../validator/explorer/build/bundle.ts";
import type { EpochTotals } from "./api.ts";
import { type Devnet, DevnetUsageError, startDevnet } from "./devnet.ts";
import { Faults } from "./faults.ts";
import { type DevnetOptions, parseOptions } from "./options.ts";
import { findClosed, readSeveral, summarizeSeveral } from "./several.ts";
import { createSummary, writeSummary } from "./summary.ts";
import { createView, type DevnetStatus, renderEpochTable, type View } from "./view.ts";

const REFRESH_MS = 500;
const EVENTS_SHOWN = 5;

async function main(): Promise<number> {
  const parsed = parseOptions(process.argv.slice(2));
  if (parsed.ok === "help") {
    process.stdout.write(parsed.text);
    return 0;
  }
  if (!parsed.ok) {
    for (const error of parsed.errors) process.stderr.write(`${error}\n`);
    return 2;
  }
  const stopping = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stopping.abort());
  return await run(parsed.options, stopping.signal);
}

async function run(options: DevnetOptions, signal: AbortSignal): Promise<number> {
  const startedMs = Date.now();
  const say = (line: string) => void process.stdout.write(`${line}\n`);
  const count = options.validators;
  say(
    `Starting ${count} validator${count === 1 ? "" : "s"} and ${options.hotspots} hotspots on a simulated radio (seed ${options.seed}).`,
  );
  await ensureExplorer(() =>
    say("Building the explorer first: it is not there yet, or older than its sources."),
  );
  const devnet = await startDevnet(options, say);
  const view = createView({
    isTerminal: process.stdout.isTTY === true,
    // A pseudo-terminal that nobody has given a size says 0.
    columns: () => process.stdout.columns || 100,
    write: (text) => void process.stdout.write(text),
  });
  const events: string[] = [];
  const tell = (line: string): void => {
    events.push(line);
    view.event(line);
  };
  let hasFailed = true;
  const ending = new AbortController();
  const faults = new Faults(
    options.faults,
    devnet.validators,
    AbortSignal.any([signal, ending.signal]),
    tell,
  );
  try {
    const epochs = await watch(devnet, options, { view, events, startedMs, faults }, signal);
    view.close();
    // What was asked to be shown is shown, also where the epochs were over before.
    await faults.ended;
    faults.rethrow();
    const code = await finish(devnet, options, epochs, signal, say);
    hasFailed = code !== 0;
    return code;
  } finally {
    ending.abort();
    view.close();
    await faults.ended;
    await devnet.stop({ keepsData: hasFailed });
  }
}

/** Where the network is shown, what is told of it beside its state, oldest first, and what is done to it meanwhile. */
type Shown = {
  readonly view: View;
  readonly events: string[];
  readonly startedMs: number;
  readonly faults: Faults;
};

/**
 * Shows the network until it is stopped or has closed as many epochs, from its start on, as were asked for.
 * @returns all its closed epochs: those of earlier runs on kept data too, since the books begin with the first.
 * @throws Error where every validator is down and none is to be started again, or where that failed.
 */
async function watch(
  devnet: Devnet,
  options: DevnetOptions,
  { view, events, startedMs, faults }: Shown,
  signal: AbortSignal,
): Promise<EpochTotals[]> {
  const epochs: EpochTotals[] = await devnet.epochs(-1).catch(() => []);
  const lastEpoch = options.epochs === null ? Number.POSITIVE_INFINITY : devnet.epochsBefore + options.epochs;
  const { roundsPerEpoch } = devnet.genesis.parameters;
  while (!signal.aborted) {
    faults.rethrow();
    const state = await devnet.state().catch(() => null);
    if (state !== null && state.closedEpoch !== null && state.closedEpoch > (epochs.at(-1)?.epoch ?? -1)) {
      // Asked again with the next look where the validator is busy or down just now.
      epochs.push(...(await devnet.epochs(epochs.at(-1)?.epoch ?? -1).catch(() => [])));
      events.push(`epoch ${state.closedEpoch} closed and paid`);
    }
    const isDown = state === null && devnet.validators.every((role) => !role.isUp());
    if (isDown && !faults.hasRestartToCome) throw new Error(devnet.validator.describeEnd());
    const round = state?.round ?? 0;
    const counts = await countHotspots(devnet);
    const several =
      devnet.validators.length === 1 ? null : await readSeveral(devnet.validators, devnet.genesis, epochs);
    view.update({
      network: devnet.genesis.name,
      apiUrl: devnet.apiUrl(),
      uptimeMs: Date.now() - startedMs,
      round,
      epoch: Math.floor(round / roundsPerEpoch),
      roundInEpoch: round % roundsPerEpoch,
      roundsPerEpoch,
      validatorUp: state !== null,
      several,
      hotspots: devnet.world.hotspots.length,
      ...counts,
      epochs,
      events: events.slice(-EVENTS_SHOWN),
      ...totalsOf(epochs),
    });
    if (epochs.length >= lastEpoch) return epochs.slice(0, lastEpoch);
    await delay(REFRESH_MS, undefined, { signal }).catch(() => {});
  }
  return epochs;
}

/** What the hotspots say of themselves: what they sent, and what validators answered them since this start. */
async function countHotspots(
  devnet: Devnet,
): Promise<Pick<DevnetStatus, "hotspotsUp" | "beaconsSent" | "witnessesJudged">> {
  const statuses = await Promise.all(
    devnet.readHotspots().map((hotspot) => hotspot.readStatus().catch(() => null)),
  );
  const up = statuses.filter((status) => status !== null);
  const judged: Record<string, number> = {};
  for (const { verdicts } of up) addCounts(judged, verdicts.witness);
  const beaconsSent = up.reduce((sum, { radio }) => sum + radio.transmissions.queued, 0);
  return { hotspotsUp: up.length, beaconsSent, witnessesJudged: judged };
}

function addCounts(totals: Record<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [reason, count] of Object.entries(counts)) totals[reason] = (totals[reason] ?? 0) + count;
}

function totalsOf(
  epochs: readonly EpochTotals[],
): Pick<DevnetStatus, "paid" | "beaconsClosed" | "witnessesAccepted" | "witnessesRefused"> {
  const refused: Record<string, number> = {};
  for (const { witnessesRefused } of epochs) addCounts(refused, witnessesRefused);
  const total = (field: "beacons" | "witnessesAccepted") =>
    epochs.reduce((sum, epoch) => sum + epoch[field], 0);
  return {
    paid: epochs.reduce((sum, epoch) => sum + epoch.paid, 0n),
    beaconsClosed: total("beacons"),
    witnessesAccepted: total("witnessesAccepted"),
    witnessesRefused: refused,
  };
}

/** Stops, replays what was paid, and writes the summary. @returns the exit code. */
async function finish(
  devnet: Devnet,
  options: DevnetOptions,
  epochs: readonly EpochTotals[],
  signal: AbortSignal,
  say: (line: string) => void,
): Promise<number> {
  if (signal.aborted && options.summaryFile === null) return 0;
  const { round } = await devnet.state();
  const lastEpoch = epochs.at(-1)?.epoch ?? -1;
  const several = await summarizeSeveral(devnet.validators, lastEpoch);
  // One that was killed, or is behind, has not closed what the others have.
  const replayed = await findClosed(devnet.validators, lastEpoch);
  await Promise.all(devnet.hotspots.map((role) => role.stop()));
  await Promise.all(devnet.validators.map((role) => role.stop()));
  const differing = await devnet.replay(replayed, lastEpoch);
  const summary = createSummary({
    network: devnet.genesis.name,
    validators: devnet.genesis.validators.length,
    hotspots: devnet.world.hotspots.length,
    rounds: round === null ? 0 : round + 1,
    epochs,
    differing,
    several,
  });
  say("");
  for (const line of renderEpochTable(epochs)) say(line);
  say("");
  say(
    differing.length === 0
      ? "All epochs replayed to equal roots."
      : `Replay DIFFERS in epochs ${differing.join(", ")}.`,
  );
  if (devnet.validators.length > 1) {
    const { rewardRootsEqual, viewChanges, validatorsDown } = several;
    say(
      `${devnet.validators.length} validators, ${validatorsDown} of them down: reward roots ` +
        `${rewardRootsEqual ? "equal" : "DIFFER"}, ${viewChanges} view changes.`,
    );
  }
  if (options.summaryFile !== null) {
    await writeSummary(options.summaryFile, summary);
    say(`Summary written to ${options.summaryFile}.`);
  }
  return differing.length === 0 && several.rewardRootsEqual ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof DevnetUsageError ? 2 : 1;
}
