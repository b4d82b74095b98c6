import { describe, expect, test } from "vitest";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import { createLog } from "../../../node/src/host/log.ts";

function createLines(format: "json" | "plain") {
  const lines: string[] = [];
  return { lines, log: createLog({ level: "info", format, write: (line) => void lines.push(line) }) };
}

describe("the log", () => {
  test("is one JSON object a line, with the sentence and its values", () => {
    const { lines, log } = createLines("json");
    log.child({ role: "hotspot" }).info("Connect", { peer: "a" });
    log.debug("Not shown");
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0]!)).toMatchObject({
      level: "info",
      message: "Connect",
      role: "hotspot",
      peer: "a",
    });
  });

  test("changes its level while it runs, and its children's with it", () => {
    const { lines, log } = createLines("json");
    const child = log.child({ role: "validator" });
    log.setLevel("debug");
    child.debug("Shown");
    log.setLevel("error");
    child.warn("Not shown");
    log.setLevel("silent");
    child.error("Not shown either");
    expect(log.level()).toBe("silent");
    expect(lines.map((line) => JSON.parse(line).message)).toEqual(["Shown"]);
  });

  test("or one readable line, in which no value can forge another line", () => {
    const { lines, log } = createLines("plain");
    log.warn("Refuse", { name: "a\nb \u001b[31m", count: 3, list: [1] });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^\d\d:\d\d:\d\d\.\d{3} warn {2}Refuse name="a\\nb \\u001b\[31m" count=3 list=\[1\]\n$/,
    );
  });
});

describe("the system clock", () => {
  test("calls back once or again and again, until it is called off", async () => {
    const clock = createSystemClock();
    expect(Math.abs(clock.nowMs() - Date.now())).toBeLessThan(1_000);
    let count = 0;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancelOnce = clock.after(1, () => count++);
    cancelOnce();
    const stop = clock.every(1, () => {
      if (++count === 3) resolve();
    });
    await promise;
    stop();
    expect(count).toBe(3);
    // Beyond what a timer can hold it must not fire at once.
    const far = clock.after(Number.MAX_SAFE_INTEGER, () => count++);
    await new Promise<void>((done) => void clock.after(20, done));
    far();
    expect(count).toBe(3);
  });
});
