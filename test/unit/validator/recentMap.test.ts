import { describe, expect, test } from "vitest";
import { RecentMap } from "../../../validator/src/recentMap.ts";

describe("a map of the newest entries", () => {
  test("has the newest half of its room at least, and never more than all of it", () => {
    const map = new RecentMap<number, string>(8);
    for (let newest = 0; newest < 100; newest++) {
      map.set(newest, `${newest}`);
      const there = Array.from({ length: newest + 1 }, (_, key) => key).filter(
        (key) => map.get(key) === `${key}`,
      );
      expect(there.length).toBeLessThanOrEqual(8);
      expect(there.slice(-4)).toEqual([newest - 3, newest - 2, newest - 1, newest].filter((key) => key >= 0));
    }
  });

  test("changes an entry where it is", () => {
    const map = new RecentMap<string, number>(4);
    for (const key of ["a", "b", "c"]) map.set(key, 1);
    for (const key of ["a", "c"]) map.set(key, 2);
    expect(["a", "b", "c", "d"].map((key) => map.get(key))).toEqual([2, 1, 2, undefined]);
    map.set("d", 1);
    map.set("e", 1);
    expect(["a", "c", "e"].map((key) => map.get(key))).toEqual([undefined, 2, 1]);
  });

  test("takes no more time for an entry when it is full", () => {
    // Forgetting the oldest one by one took 35 to 119 microseconds an entry: 20 s, which is beyond what a test may take.
    const map = new RecentMap<number, number>(65_536);
    for (let number = 0; number < 500_000; number++) map.set(number, number);
    expect(map.get(499_999)).toBe(499_999);
  });
});
