import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { createLifecycle, type Part } from "../../../node/src/host/lifecycle.ts";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { eventually } from "./eventually.ts";

const log = createSilentLog();

function part(name: string, said: string[], start: () => Promise<void> = async () => undefined): Part {
  return {
    name,
    start: async () => {
      await start();
      said.push(`+${name}`);
    },
    stop: async () => void said.push(`-${name}`),
  };
}

describe("a lifecycle", () => {
  test("starts in order, stops in reverse, once", async () => {
    const said: string[] = [];
    const lifecycle = createLifecycle([part("a", said), part("b", said), part("c", said)], { log });
    await lifecycle.start();
    expect(lifecycle.signal.aborted).toBe(false);
    await Promise.all([lifecycle.stop(), lifecycle.stop()]);
    expect(said).toEqual(["+a", "+b", "+c", "-c", "-b", "-a"]);
    expect(lifecycle.signal.aborted).toBe(true);
    expect(await lifecycle.stopped).toBe(null);
  });

  test("a part that cannot start stops those before it, and is the reason", async () => {
    const said: string[] = [];
    const failure = new Error("no port");
    const failing = part("b", said, () => Promise.reject(failure));
    const lifecycle = createLifecycle([part("a", said), failing, part("c", said)], { log });
    await expect(lifecycle.start()).rejects.toBe(failure);
    expect(said).toEqual(["+a", "-a"]);
    expect(await lifecycle.stopped).toBe(failure);
  });

  test("the first failure in the background wins, whatever fails while stopping", async () => {
    const said: string[] = [];
    const stubborn: Part = {
      name: "b",
      start: async () => undefined,
      stop: () => Promise.reject(new Error("stuck")),
    };
    const lifecycle = createLifecycle([part("a", said), stubborn], { log });
    await lifecycle.start();
    const first = new Error("first");
    lifecycle.fail(first);
    lifecycle.fail(new Error("second"));
    expect(await lifecycle.stopped).toBe(first);
    expect(said).toEqual(["+a", "-a"]);
  });

  test("stopped while it starts, it stops what has started and what starts meanwhile", async () => {
    const said: string[] = [];
    const gate = Promise.withResolvers<void>();
    const lifecycle = createLifecycle([part("a", said), part("b", said, () => gate.promise)], { log });
    const starting = lifecycle.start();
    await eventually(() => said).toEqual(["+a"]);
    const stopping = lifecycle.stop();
    gate.resolve();
    await expect(starting).rejects.toMatchObject({ code: "stopped" });
    await stopping;
    expect(said).toContain("-a");
    expect(said).toContain("-b");
  });
});

test("a signal ends a process, also when a part never stops", async () => {
  const script = `
    import { createLifecycle, stopOnSignals } from "./node/src/host/lifecycle.ts";
    import { createSilentLog } from "./node/src/host/log.ts";
    const log = createSilentLog();
    const stuck = { name: "stuck", start: async () => { setInterval(() => {}, 1000); }, stop: () => new Promise(() => {}) };
    const lifecycle = createLifecycle([stuck], { log });
    stopOnSignals(lifecycle, { log });
    await lifecycle.start();
    console.log("ready");
    await lifecycle.stopped;
  `;
  const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout, "data");
  const startedMs = Date.now();
  child.kill("SIGTERM");
  const [status] = (await once(child, "exit")) as [number | null];
  expect(status).toBe(1);
  // It cuts itself off after 4 s; the rest is for a machine that is slow to let it.
  expect(Date.now() - startedMs).toBeLessThan(15_000);
});
