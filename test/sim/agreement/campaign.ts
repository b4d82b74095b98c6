/** Many seeds over all cores, added up; the order in which threads finish changes nothing. */
import { createHash } from "node:crypto";
import { once } from "node:events";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { Failure, RangeReport, SeedRange, Simulation } from "./worker.ts";

/** Seeds that a thread takes at a time: a tenth of a second, so that threads finish together. */
const RANGE_SEEDS = { round: 200, stack: 1 } as const satisfies Record<Simulation["kind"], number>;

/** A simulation makes garbage and keeps little: with a large nursery hardly any of it is ever copied. */
const RESOURCE_LIMITS = { maxYoungGenerationSizeMb: 96 } as const;

export type CampaignReport = {
  readonly seeds: number;
  /** Until all threads had loaded what they run. */
  readonly startSeconds: number;
  /** From then on, and the processor time of all threads in it: what a busy machine does not change. */
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Simulated events handled, in all. */
  readonly events: number;
  readonly views: readonly number[];
  readonly slowestMs: number;
  readonly failures: readonly Failure[];
  /** SHA-256 over the seeds' audit hashes in order, its first 16 hexadecimal digits. */
  readonly audit: string;
};

/** Runs `seeds` seeds from `first` on; `threads` defaults to the machine's cores. */
export async function runCampaign(options: {
  readonly first: number;
  readonly seeds: number;
  readonly validators: number;
  readonly simulation: Simulation;
  readonly threads?: number;
}): Promise<CampaignReport> {
  const { first, seeds, validators, simulation, threads = availableParallelism() } = options;
  const size = RANGE_SEEDS[simulation.kind];
  const ranges: SeedRange[] = [];
  for (let from = first; from < first + seeds; from += size) {
    ranges.push({ first: from, count: Math.min(size, first + seeds - from), validators, simulation });
  }
  const reports: RangeReport[] = [];
  const startedMs = performance.now();
  const workers = await Promise.all(
    Array.from({ length: Math.min(threads, ranges.length) }, () => startWorker(simulation.kind)),
  );
  const beganMs = performance.now();
  const began = process.cpuUsage();
  await Promise.all(workers.map((worker) => drain(worker, ranges, reports)));
  const seconds = (performance.now() - beganMs) / 1_000;
  const { user, system } = process.cpuUsage(began);
  reports.sort((a, b) => a.range.first - b.range.first);
  const views: number[] = [];
  for (const report of reports) {
    for (const [view, count] of report.views.entries()) views[view] = (views[view] ?? 0) + (count ?? 0);
  }
  const hash = createHash("sha256");
  for (const { audits } of reports) hash.update(audits);
  return {
    seeds,
    startSeconds: (beganMs - startedMs) / 1_000,
    seconds,
    cpuSeconds: (user + system) / 1e6,
    events: reports.reduce((sum, { events }) => sum + events, 0),
    views: Array.from(views, (count) => count ?? 0),
    slowestMs: Math.max(0, ...reports.map(({ slowestMs }) => slowestMs)),
    failures: reports.flatMap(({ failures }) => failures),
    audit: hash.digest("hex").slice(0, 16),
  };
}

/** A thread that has loaded what it runs. */
async function startWorker(kind: Simulation["kind"]): Promise<Worker> {
  const url = new URL("./worker.ts", import.meta.url);
  const worker = new Worker(url, { workerData: kind, resourceLimits: RESOURCE_LIMITS });
  await once(worker, "message");
  return worker;
}

/** One thread takes range after range. */
async function drain(worker: Worker, ranges: SeedRange[], reports: RangeReport[]): Promise<void> {
  try {
    for (let range = ranges.shift(); range !== undefined; range = ranges.shift()) {
      worker.postMessage(range);
      const [report] = (await once(worker, "message")) as [RangeReport];
      reports.push(report);
    }
  } finally {
    await worker.terminate();
  }
}
