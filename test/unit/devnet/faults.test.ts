/** Validators killed and restarted as asked for: while one is to come back nothing is given up, and no failure is lost. */
import { expect, test } from "vitest";
import { Faults } from "../../devnet/src/faults.ts";

/** A validator whose start waits for the test. */
function createRole() {
  const started = Promise.withResolvers<void>();
  let isUp = true;
  return {
    started,
    isUp: () => isUp,
    kill: async () => {
      isUp = false;
    },
    start: async () => {
      await started.promise;
      isUp = true;
    },
  };
}

const FAULTS = [
  { kind: "kill", validator: 0, atSeconds: 0 },
  { kind: "restart", validator: 0, atSeconds: 0 },
] as const;

test("a restart is to come until the validator is up again", async () => {
  const role = createRole();
  const said: string[] = [];
  const faults = new Faults(FAULTS, [role], new AbortController().signal, (line) => said.push(line));
  expect(faults.hasRestartToCome).toBe(true);
  role.started.resolve();
  await faults.ended;
  expect(faults.hasRestartToCome).toBe(false);
  expect(role.isUp()).toBe(true);
  expect(said).toEqual(["killed validator 0", "restarted validator 0"]);
  faults.rethrow();
});

test("a restart that fails is told to who asks, and to nobody else", async () => {
  const start = () => Promise.reject(new Error("its port is taken"));
  const role = { ...createRole(), start };
  const faults = new Faults(FAULTS, [role], new AbortController().signal, () => undefined);
  await faults.ended;
  expect(() => faults.rethrow()).toThrow("its port is taken");
});

test("nothing is done once the signal says so", async () => {
  const role = createRole();
  const later = FAULTS.map((fault) => ({ ...fault, atSeconds: 1_000 }));
  const ending = new AbortController();
  const faults = new Faults(later, [role], ending.signal, () => undefined);
  ending.abort();
  await faults.ended;
  expect(role.isUp()).toBe(true);
  faults.rethrow();
});
