/** `hexbeacon trace` before somebody who answers what no validator would. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createTraceCommand } from "../../../node/src/cli/traceCommand.ts";
import { runCommand } from "./runNode.ts";

let message: object = {};
const server = createServer((_, response) => {
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(message));
});
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
});
afterAll(() => void server.close());

test("a time beyond every calendar leaves its place empty", async () => {
  message = {
    state: "included",
    intake: { way: "gossip", receivedMs: 1_793_000_000_000 },
    round: { round: 7, epoch: 0, timeMs: Number.MAX_SAFE_INTEGER },
    reports: [],
  };
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { code, stdout } = await runCommand(createTraceCommand, {}, "ab".repeat(32), "--validator", url);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^ {2}07:33:20\.000 {2}\S+ {2}comes by gossip$/m);
  expect(stdout).toMatch(/^ {14} {2}\S+ {2}agreed time of round 7 of epoch 0/m);
});
