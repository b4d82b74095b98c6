/** The limits of what waits: queues, buckets and memories. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TokenBuckets } from "../../../validator/src/intake/buckets.ts";
import { INTAKE_KINDS, Inbox, type Queued } from "../../../validator/src/intake/inbox.ts";

type Item = Queued & { readonly name: string };
const item = (kind: Item["kind"], name: string, bytes = 10): Item => ({ kind, name, bytes });

function openInbox(maxQueueBytes: number) {
  const dropped: string[] = [];
  const inbox = new Inbox<Item>((work) => dropped.push(work.name), maxQueueBytes);
  const takeAll = () => {
    const names: string[] = [];
    for (let work = inbox.take(); work !== null; work = inbox.take()) names.push(work.name);
    return names;
  };
  return { inbox, dropped, takeAll };
}

describe("the inbox", () => {
  test("gives transactions and submissions in order, then the newest gossip", () => {
    const { inbox, takeAll } = openInbox(1_000);
    for (const name of ["r1", "r2"]) inbox.put(item("reports", name));
    for (const name of ["s1", "s2"]) inbox.put(item("submission", name));
    for (const name of ["t1", "t2"]) inbox.put(item("transactions", name));
    expect(takeAll()).toEqual(["t1", "t2", "s1", "s2", "r2", "r1"]);
  });

  test("sheds the oldest gossip, and refuses what must not be lost by others", () => {
    const { inbox, dropped, takeAll } = openInbox(25);
    for (const name of ["r1", "r2", "r3"]) inbox.put(item("reports", name));
    for (const name of ["s1", "s2", "s3"]) inbox.put(item("submission", name));
    expect(dropped).toEqual(["r1", "s3"]);
    expect(takeAll()).toEqual(["s1", "s2", "r3", "r2"]);
  });

  test("never holds more than its limit, and loses nothing without saying so", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constantFrom(...INTAKE_KINDS), bytes: fc.integer({ min: 1, max: 40 }) }),
      fc.constant("take" as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { inbox, dropped, takeAll } = openInbox(100);
        let put = 0;
        let taken = 0;
        for (const each of steps) {
          if (each === "take") taken += inbox.take() === null ? 0 : 1;
          else inbox.put(item(each.kind, `${put++}`, each.bytes));
          for (const kind of INTAKE_KINDS) expect(inbox.depth(kind).bytes).toBeLessThanOrEqual(100);
        }
        expect(taken + takeAll().length + dropped.length).toBe(put);
        for (const kind of INTAKE_KINDS) expect(inbox.depth(kind)).toEqual({ parcels: 0, bytes: 0 });
      }),
    );
  });
});

describe("token buckets", () => {
  const options = { capacity: 10, refillPerMs: 0.01, maxBuckets: 3 };

  test("give what they hold and fill again with time", () => {
    const buckets = new TokenBuckets(options);
    expect(buckets.take("a", 10, 0)).toBe(true);
    expect(buckets.take("a", 1, 99)).toBe(false);
    expect(buckets.take("a", 1, 100)).toBe(true);
    expect(buckets.has("a", 10, 1_099)).toBe(false);
    expect(buckets.has("a", 10, 1_100)).toBe(true);
    // A clock that goes back gives nothing.
    expect(buckets.take("b", 10, 5_000)).toBe(true);
    expect(buckets.has("b", 1, 0)).toBe(false);
  });

  test("are bounded, and forget the full ones", () => {
    const buckets = new TokenBuckets(options);
    for (const name of ["a", "b", "c", "d"]) buckets.take(name, 5, 0);
    expect(buckets.size).toBe(3);
    buckets.prune(499);
    expect(buckets.size).toBe(3);
    buckets.prune(500);
    expect(buckets.size).toBe(0);
  });
});
