/** The limits of what waits: queues, buckets and memories. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TokenBuckets } from "../../../validator/src/intake/buckets.ts";
import { INTAKE_KINDS, Inbox, type Queued } from "../../../validator/src/intake/inbox.ts";

type Item = Queued & { readonly name: string };
const item = (kind: Item["kind"], name: string, bytes = 10, connection = "peer"): Item => ({
  kind,
  name,
  bytes,
  connection,
});

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
  test("gives submissions half, transactions a quarter in order, and gossiped reports a quarter, the newest", () => {
    const { inbox, takeAll } = openInbox(1_000);
    for (const name of ["r1", "r2"]) inbox.put(item("reports", name));
    for (const name of ["s1", "s2", "s3", "s4"]) inbox.put(item("submission", name));
    for (const name of ["t1", "t2"]) inbox.put(item("transactions", name));
    expect(takeAll()).toEqual(["s1", "t1", "r2", "s2", "s3", "t2", "r1", "s4"]);
  });

  test("lets no kind starve while others flood, by bytes, and gives what one leaves to the others", () => {
    for (const quiet of INTAKE_KINDS) {
      const { inbox } = openInbox(100_000);
      const taken = { submission: 0, transactions: 0, reports: 0 };
      for (let tick = 0; tick < 1_000; tick++) {
        for (const kind of INTAKE_KINDS)
          for (let i = 0; i < (kind === quiet ? 1 : 5); i++)
            inbox.put(item(kind, "", kind === quiet ? 100 : 1_000));
        for (let i = 0; i < 4; i++) taken[inbox.take()!.kind]++;
      }
      // All that the quiet one brought, but for what waits behind a parcel.
      expect(taken[quiet]).toBeGreaterThan(990);
      const others = INTAKE_KINDS.filter((kind) => kind !== quiet);
      for (const kind of others) expect(taken[kind]).toBeGreaterThan(900);
    }
  });

  test("connections take turns, each in its own order, and the one that brings most gives way", () => {
    const { inbox, dropped, takeAll } = openInbox(60);
    for (const name of ["a1", "a2", "a3", "a4", "a5"]) inbox.put(item("submission", name, 10, "a"));
    for (const name of ["b1", "b2"]) inbox.put(item("submission", name, 10, "b"));
    expect(dropped).toEqual(["a5"]);
    expect(takeAll()).toEqual(["a1", "b1", "a2", "b2", "a3", "a4"]);
    for (const name of ["a1", "a2", "a3", "a4", "a5"]) inbox.put(item("reports", name, 10, "a"));
    for (const name of ["b1", "b2"]) inbox.put(item("reports", name, 10, "b"));
    expect(dropped).toEqual(["a5", "a1"]);
    expect(takeAll()).toEqual(["a5", "b2", "a4", "b1", "a3", "a2"]);
  });

  test("sheds the oldest gossip, and refuses what must not be lost by others", () => {
    const { inbox, dropped, takeAll } = openInbox(25);
    for (const name of ["r1", "r2", "r3"]) inbox.put(item("reports", name));
    for (const name of ["s1", "s2", "s3"]) inbox.put(item("submission", name));
    expect(dropped).toEqual(["r1", "s3"]);
    expect(takeAll()).toEqual(["s1", "r3", "s2", "r2"]);
  });

  test("never holds more than its limit, and loses nothing without saying so", () => {
    const step = fc.oneof(
      fc.record({
        kind: fc.constantFrom(...INTAKE_KINDS),
        bytes: fc.integer({ min: 1, max: 40 }),
        connection: fc.constantFrom("a", "b", "c"),
      }),
      fc.constant("take" as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const { inbox, dropped, takeAll } = openInbox(100);
        let put = 0;
        let taken = 0;
        for (const each of steps) {
          if (each === "take") taken += inbox.take() === null ? 0 : 1;
          else inbox.put(item(each.kind, `${put++}`, each.bytes, each.connection));
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
