/**
 * Goes into a validator's process with a benchmark (`--import`, beside `--expose-gc`), and writes every ten seconds what is
 * alive in it: what a collection leaves of the heap, and the buffers beside it. Resident memory alone does not tell a leak
 * from a heap that the collector has let grow, which it does up to three times what is alive.
 */
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { isMainThread } from "node:worker_threads";

/** Where it writes: a file a process, a line a look. */
export const MEMORY_FOLDER_VARIABLE = "HEXBEACON_BENCH_MEMORY_FOLDER";
export const LOOK_SECONDS = 10;

export type MemorySample = { readonly live: number; readonly resident: number };

const folder = process.env[MEMORY_FOLDER_VARIABLE];
const { gc } = globalThis;
if (isMainThread && folder !== undefined && gc !== undefined) {
  const look = (): void => {
    gc();
    const { heapUsed, external, rss } = process.memoryUsage();
    const sample: MemorySample = { live: heapUsed + external, resident: rss };
    appendFileSync(join(folder, String(process.pid)), `${JSON.stringify(sample)}\n`);
  };
  setInterval(look, LOOK_SECONDS * 1_000).unref();
}
