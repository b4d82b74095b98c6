/** Starts and stops the API's process for the benchmarks of it. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { makeApiStore } from "./apiStore.ts";

export type ApiProcess = {
  readonly url: string;
  readonly pid: number;
  /** Publishes a round of this moment to the event streams. */
  readonly publish: () => void;
  readonly stop: () => Promise<void>;
};

/** Serves a store. @param server the file of this folder that does: the API itself, or what it is compared with. */
export async function startApiProcess(
  path: string,
  server: URL = new URL("./apiServer.ts", import.meta.url),
): Promise<ApiProcess> {
  const child = spawn(process.execPath, [server.pathname, path], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const url = await firstLine(child);
  return {
    url,
    pid: child.pid!,
    publish: () => void child.stdin.write("\n"),
    stop: async () => {
      const ended = once(child, "exit");
      child.stdin.end();
      await ended;
    },
  };
}

/** @throws Error where it ends without having said anything. */
export async function firstLine(child: ChildProcess): Promise<string> {
  const line = once(createInterface({ input: child.stdout! }), "line").then(([text]) => text as string);
  const ended = once(child, "exit").then(([code]): never => {
    throw new Error(`a benchmark's process ended (${code}) before it was ready`);
  });
  return await Promise.race([line, ended]);
}

/** Runs something with a store of so many hotspots and epochs, which is removed after it. */
export async function withApiStore<T>(
  { hotspots, epochs }: { readonly hotspots: number; readonly epochs: number },
  run: (path: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "hexbeacon-bench-api-"));
  try {
    const path = join(folder, "store.sqlite");
    await makeApiStore(path, hotspots, epochs);
    return await run(path);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
