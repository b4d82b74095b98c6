/**
 * Two cores are the smallest machine this suite must pass on, and most of what it does is to wait. First come unit tests
 * and the browser's, in more workers than there are cores; then end-to-end tests of processes that are mostly idle, two at
 * a time; and last, one at a time, those that fill a machine: two of them at once would make each other's timing a lie.
 */
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineConfig } from "vitest/config";
import { COMPILE_CACHE } from "./test/devnet/src/processes.ts";

const UNIT = ["test/unit/**/*.test.ts", "test/tidy/**/*.test.ts"];
/** Who replaces modules, globals or time needs them for itself. */
const REPLACING = globSync(UNIT).filter((file) => /\bvi\.\w+\(/.test(readFileSync(file, "utf8")));

/** What they show is loaded and drawn in its own time, and no round waits for it. */
const BROWSER = ["test/e2e/explorer.test.ts", "test/e2e/explorerPages.test.ts"];
/** Validators under load, a network with its radio, what counts seconds, and commands that give up after some. */
const ALONE = [
  "test/e2e/admin.test.ts",
  "test/e2e/alerts/*.test.ts",
  "test/e2e/backup.test.ts",
  "test/e2e/containers/*.test.ts",
  "test/e2e/devnet.test.ts",
  "test/e2e/hotspotKill.test.ts",
  "test/e2e/registration.test.ts",
  "test/e2e/validator.test.ts",
  "test/e2e/validators.test.ts",
];

// For the workers and all that they start: the compilation of its sources is two fifths of a process's start.
process.env.NODE_COMPILE_CACHE ??= COMPILE_CACHE;

// What tests leave goes with the run: one that removes its own folder races with whatever still writes there.
const folder = mkdtempSync(join(tmpdir(), "hexbeacon-"));
process.env.TMPDIR = folder;
process.once("exit", () => {
  try {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    // A child that still writes there, or a mount: no test has failed by it.
    console.error(`Could not remove ${folder}: ${String(error)}`);
  }
});

/** Patience costs nothing where tests pass, and on a busy machine keeps them from failing. */
const patient = { pool: "forks", expect: { poll: { timeout: 20_000 } } } as const;
const together = { maxWorkers: 3 } as const;
const unit = {
  ...patient,
  ...together,
  testTimeout: 180_000,
  hookTimeout: 120_000,
  setupFiles: "test/unit/setup.ts",
} as const;
const e2e = { ...patient, testTimeout: 240_000, hookTimeout: 240_000 } as const;

export default defineConfig({
  test: {
    projects: [
      // One worker takes many files: a quarter of their work was to load the same modules again.
      { test: { ...unit, name: "unit", include: UNIT, exclude: REPLACING, isolate: false } },
      { test: { ...unit, name: "unit isolated", include: REPLACING } },
      { test: { ...e2e, ...together, name: "e2e browser", include: BROWSER } },
      {
        test: {
          ...{ ...e2e, name: "e2e", maxWorkers: 2, sequence: { groupOrder: 1 } },
          ...{ include: ["test/e2e/**/*.test.ts"], exclude: [...BROWSER, ...ALONE] },
        },
      },
      {
        test: {
          ...{ ...e2e, name: "e2e alone", maxWorkers: 1, sequence: { groupOrder: 2 } },
          include: ALONE,
        },
      },
    ],
  },
});
