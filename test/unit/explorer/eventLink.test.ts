/** The live page's link, over a browser that gives up as the standard says. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import {
  type LinkState,
  openEventLink,
  REOPEN_MS,
  type Source,
} from "../../../validator/explorer/src/data/eventLink.ts";

class FakeSource implements Source {
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  readyState = 0;
  readonly listeners = new Map<string, (event: { readonly data: unknown }) => void>();

  addEventListener(name: string, listener: (event: { readonly data: unknown }) => void): void {
    this.listeners.set(name, listener);
  }

  close(): void {
    this.readyState = 2;
  }

  fail(readyState: number): void {
    this.readyState = readyState;
    this.onerror!();
  }
}

let sources: FakeSource[];
let states: LinkState[];
let heard: unknown[];
let close: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  sources = [];
  states = [];
  heard = [];
  close = openEventLink(["round", "gap"], {
    openSource: () => {
      const source = new FakeSource();
      sources.push(source);
      return source;
    },
    onState: (state) => states.push(state),
    onEvent: (name, data) => heard.push([name, data]),
  });
});
afterEach(() => {
  close();
  vi.useRealTimers();
});

test("is left to the browser where it tries again by itself", () => {
  sources[0]!.onopen!();
  sources[0]!.fail(0);
  sources[0]!.onopen!();
  vi.advanceTimersByTime(2 * REOPEN_MS);
  expect([states, sources.length]).toEqual([["open", "connecting", "open"], 1]);
});

test("is opened again where the browser has given up, and hears on", () => {
  sources[0]!.fail(2);
  expect(states).toEqual(["closed"]);
  vi.advanceTimersByTime(REOPEN_MS - 1);
  expect(sources).toHaveLength(1);
  vi.advanceTimersByTime(1);
  // Turned away once more, and taken the third time.
  sources[1]!.fail(2);
  vi.advanceTimersByTime(REOPEN_MS);
  sources[2]!.onopen!();
  sources[2]!.listeners.get("round")!({ data: '{"round":7}' });
  expect(states).toEqual(["closed", "closed", "open"]);
  expect(heard).toEqual([["round", { round: 7 }]]);
});

test("that was closed stays so, also while it waited", () => {
  sources[0]!.fail(2);
  close();
  vi.advanceTimersByTime(2 * REOPEN_MS);
  expect(sources).toHaveLength(1);
});
