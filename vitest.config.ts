/**
 * Two cores are the smallest machine this suite must pass on. End-to-end tests start real processes, so they run
 * after the others and one file at a time: two of them at once would make each other's timing a lie.
 */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts", "test/tidy/**/*.test.ts"],
          pool: "forks",
          maxWorkers: 2,
          testTimeout: 20_000,
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          pool: "forks",
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
