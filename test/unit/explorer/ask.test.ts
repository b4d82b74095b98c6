/** What a page is told when the API refuses: its own words for it, however long it wants to be left alone. */
import { afterEach, expect, test, vi } from "vitest";
import { createAsk } from "../../../validator/explorer/src/data/ask.ts";

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test.each([1, 7, 10, 60])("a busy API is told as busy, and in time, where it says %d s", async (retryS) => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  const problem = { type: "about:blank", title: "Busy", status: 503, detail: "The validator is too busy." };
  const headers = { "content-type": "application/problem+json", "retry-after": `${retryS}` };
  vi.stubGlobal("fetch", async () => new Response(JSON.stringify(problem), { status: 503, headers }));
  // A page's limit is the browser's own timer, which a test cannot turn: here it ends by the clock that is turned.
  vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
    const limit = new AbortController();
    setTimeout(() => limit.abort(), ms);
    return limit.signal;
  });
  const refused = expect(createAsk("")("/v1/status")).rejects.toMatchObject({
    status: 503,
    detail: problem.detail,
  });
  await vi.advanceTimersByTimeAsync(60_000);
  await refused;
});
