/** Expects of what other tasks bring about, on a machine that may be slow. */
import { expect } from "vitest";

/** Reads again and again until the matcher is content, for at most twenty seconds. */
export function eventually<T>(read: () => T) {
  return expect.poll(read, { timeout: 20_000 });
}
