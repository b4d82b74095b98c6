import { execFileSync } from "node:child_process";
import { chmod, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { createServiceManager, type ServiceHealth } from "../../../node/src/host/serviceManager.ts";
import type { Clock } from "../../../node/src/host/types.ts";
import { eventually } from "./eventually.ts";

let folder: string;
let command: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hexbeacon-notify-"));
  command = join(folder, "systemd-notify");
  const script = `#!/bin/sh\nprintf '%s|' "$@" "$NOTIFY_SOCKET" "$HEXBEACON_PASSPHRASE" >> "${folder}/said"\necho >> "${folder}/said"\n`;
  await writeFile(command, script);
  await chmod(command, 0o755);
});

const said = async () =>
  (await readFile(join(folder, "said"), "utf8").catch(() => "")).split("\n").slice(0, -1);
const env = { NOTIFY_SOCKET: "/run/notify", PATH: "/usr/bin:/bin", HEXBEACON_PASSPHRASE: "secret" };

/** A clock whose timers the test fires. */
function createHandClock() {
  const timers: { periodMs: number; callback: () => void }[] = [];
  const clock: Clock = {
    ...createSystemClock(),
    every: (periodMs, callback) => {
      timers.push({ periodMs, callback });
      return () => void timers.pop();
    },
  };
  return { clock, timers };
}

describe("the service manager", () => {
  test("hears of readiness, and of life as long as there is progress", async () => {
    const { clock, timers } = createHandClock();
    const options = {
      env: { ...env, WATCHDOG_USEC: "120000000", WATCHDOG_PID: String(process.pid) },
      command,
    };
    const manager = createServiceManager(options, { clock, log: createSilentLog() });
    await manager.ready("Running.");
    let health: ServiceHealth = { words: "Fine.", stalled: false };
    const stop = manager.watch(() => health);
    expect(timers[0]!.periodMs).toBe(60_000);
    timers[0]!.callback();
    await eventually(said).toHaveLength(2);
    health = { words: "Stuck.", stalled: true };
    timers[0]!.callback();
    await eventually(said).toHaveLength(3);
    // Its own words and socket, and nothing of the passphrase.
    expect(await said()).toEqual([
      "--ready|--status=Running.|/run/notify||",
      "--status=Fine.|WATCHDOG=1|/run/notify||",
      "--status=Stuck.|/run/notify||",
    ]);
    stop();
    expect(timers).toEqual([]);
  });

  test("hears the newest words after those that are on their way", async () => {
    const { clock, timers } = createHandClock();
    const manager = createServiceManager({ env, command }, { clock, log: createSilentLog() });
    const words = ["First.", "Overtaken.", "Newest."];
    const stop = manager.watch(() => ({ words: words.shift()!, stalled: true }));
    for (let beat = 0; beat < 3; beat++) timers[0]!.callback();
    await eventually(said).toHaveLength(2);
    expect((await said()).map((line) => line.split("|")[0])).toEqual(["--status=First.", "--status=Newest."]);
    stop();
  });

  test("that is not there is not spoken to, and one that cannot be is no failure", async () => {
    const { clock, timers } = createHandClock();
    const none = createServiceManager({ env: {}, command }, { clock, log: createSilentLog() });
    await none.ready("Running.");
    none.watch(() => ({ words: "", stalled: false }));
    expect([timers, await said()]).toEqual([[], []]);
    const deaf = createServiceManager(
      { env, command: join(folder, "none") },
      { clock, log: createSilentLog() },
    );
    await deaf.ready("Running.");
  });
});

const hasAnalyze = (() => {
  try {
    execFileSync("systemd-analyze", ["--version"]);
    return true;
  } catch {
    return false;
  }
})();

const UNITS = [
  ["hotspot's", "node/packaging/hexbeacon-node.service", "/usr/bin/hexbeacon"],
  ["validator's", "validator/hexbeacon-validator.service", "/opt/hexbeacon/node_modules/.bin/node"],
] as const;
const readUnit = (unit: string) => readFile(join(import.meta.dirname, "../../..", unit), "utf8");

test.each(UNITS)(
  "the %s unit is never given up, but for what an operator must correct",
  async (_whose, unit) => {
    const source = await readUnit(unit);
    for (const line of ["StartLimitIntervalSec=0", "RestartPreventExitStatus=2"]) {
      expect(source.split("\n")).toContain(line);
    }
    // Seldom enough that one that ends at once is no load.
    expect(Number(/^RestartSec=(\d+)s$/m.exec(source)?.[1])).toBeGreaterThanOrEqual(10);
  },
);

describe.skipIf(!hasAnalyze)("the units (skipped where systemd-analyze is not installed)", () => {
  test.each(UNITS)("the %s is understood, and exposes little", async (_whose, unit, program) => {
    const source = await readUnit(unit);
    expect(source).toContain(`ExecStart=${program} `);
    // The program is installed on its own machine; another that is there stands for it.
    const copy = join(folder, basename(unit));
    await writeFile(copy, source.replace(`ExecStart=${program}`, "ExecStart=/bin/true"));
    execFileSync("systemd-analyze", ["verify", "--man=no", copy], { stdio: "pipe" });
    // Tenths of systemd's score, where 100 is a service without any restraint.
    const threshold = ["--threshold=25", "--no-pager"];
    execFileSync("systemd-analyze", ["security", "--offline=true", ...threshold, copy], { stdio: "pipe" });
  });
});
