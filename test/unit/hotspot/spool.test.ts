import { randomBytes } from "node:crypto";
import { appendFile, mkdtemp, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import {
  openSpool,
  SPOOL_FILE,
  type Spool,
  type SpoolDrop,
  type SpoolEntry,
} from "../../../node/src/hotspot/spool.ts";
import {
  decodeSpoolFile,
  encodeSpoolRecord,
  type SpoolRecord,
} from "../../../node/src/hotspot/spoolRecord.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { createSigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { sign } from "../../../protocol/src/crypto/ed25519.ts";
import {
  computeEnvelopeId,
  encodeEnvelope,
  envelopeSigningMessage,
} from "../../../protocol/src/wire/envelope.ts";
import { eventually } from "../host/eventually.ts";
import { newKey } from "./fakeValidator.ts";

const domains = createSigningDomains(new Uint8Array(32));
let home: string;
let file: string;
let nowMs = 1_000_000;
let elapsedMs = 0;
const drops: [string, SpoolDrop][] = [];
/** What waits for its time: time stands still here. */
const wakes: (() => void)[] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "hexbeacon-spool-"));
  file = join(home, SPOOL_FILE);
  drops.length = 0;
  wakes.length = 0;
});

const { publicKey: sender, secretSeed } = newKey();

function newEntry(bodyBytes = 300, epoch = 3, its = domains): SpoolEntry {
  const unsigned = { kind: "reports", sender, body: randomBytes(bodyBytes) } as const;
  const signature = sign(secretSeed, envelopeSigningMessage(its, unsigned));
  const envelope = encodeEnvelope({ ...unsigned, signature });
  return { id: computeEnvelopeId(its, unsigned), epoch, timeMs: nowMs, envelope };
}

async function reopen(maxBytes = 1_000_000, its = domains): Promise<Spool> {
  const onDrop = (entry: SpoolEntry, reason: SpoolDrop) => drops.push([encodeHex(entry.id), reason]);
  const after = (_: number, callback: () => void) => {
    wakes.push(callback);
    return () => undefined;
  };
  const clock = { ...createSystemClock(), nowMs: () => nowMs, elapsedMs: () => elapsedMs, after };
  return await openSpool({ home, domains: its, maxBytes, onDrop }, { clock });
}

const isSame = (a: SpoolRecord, b: SpoolRecord) =>
  Buffer.from(encodeSpoolRecord(a)).equals(encodeSpoolRecord(b));
const idsOf = (spool: Spool) => spool.entries().map(({ id }) => encodeHex(id));

describe("records", () => {
  const records = fc.array(
    fc.oneof(
      fc.record({
        kind: fc.constant("envelope" as const),
        epoch: fc.maxSafeNat(),
        timeMs: fc.maxSafeNat(),
        envelope: fc.uint8Array({ minLength: 1, maxLength: 400 }),
      }),
      fc.record({ kind: fc.constant("done" as const), id: fc.uint8Array({ minLength: 32, maxLength: 32 }) }),
    ),
    { maxLength: 12 },
  );

  test("come back as they were written", () => {
    fc.assert(
      fc.property(records, (written) => {
        const decoded = decodeSpoolFile(Buffer.concat(written.map(encodeSpoolRecord)));
        expect(decoded.damagedBytes).toBe(0);
        expect(decoded.records).toEqual(written);
      }),
    );
  });

  test("a torn tail costs the last record only, at any length", () => {
    fc.assert(
      fc.property(records, fc.nat(), (written, cut) => {
        const whole = written.map(encodeSpoolRecord);
        const bytes = Buffer.concat(whole);
        const torn = bytes.subarray(0, bytes.length === 0 ? 0 : cut % bytes.length);
        const survivors: SpoolRecord[] = [];
        let end = 0;
        for (const [i, { length }] of whole.entries()) {
          end += length;
          if (end <= torn.length) survivors.push(written[i]!);
        }
        expect(decodeSpoolFile(torn).records).toEqual(survivors);
      }),
    );
  });

  test("one flipped bit costs one record, and no other is invented", () => {
    fc.assert(
      fc.property(records, fc.nat(), fc.nat(7), (written, at, bit) => {
        const bytes = Buffer.concat(written.map(encodeSpoolRecord));
        if (bytes.length === 0) return;
        bytes[at % bytes.length]! ^= 1 << bit;
        const { records: left, damagedBytes } = decodeSpoolFile(bytes);
        expect(left.length).toBe(written.length - 1);
        expect(damagedBytes).toBeGreaterThan(0);
        for (const record of left) expect(written).toContainEqual(record);
      }),
    );
  });

  test("whatever is damaged, what is whole is found, in order, and nothing is invented", () => {
    const damage = fc.array(
      fc.record({
        kind: fc.constantFrom("flip", "zero", "insert", "cut" as const),
        at: fc.nat(),
        length: fc.integer({ min: 1, max: 600 }),
      }),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(records, damage, fc.infiniteStream(fc.nat(255)), (written, faults, noise) => {
        // Every byte carries the record that it belongs to, so that it is known which are still whole afterwards.
        let bytes = written.flatMap((record, owner) =>
          [...encodeSpoolRecord(record)].map((value) => ({ value, owner, touched: false })),
        );
        const sizes = written.map((record) => encodeSpoolRecord(record).length);
        for (const { kind, at, length } of faults) {
          const start = bytes.length === 0 ? 0 : at % bytes.length;
          const hit = bytes.slice(start, start + length);
          if (kind === "flip") for (const byte of hit.slice(0, 1)) byte.value ^= 1 << (length & 7);
          if (kind === "zero") for (const byte of hit) byte.value = 0;
          if (kind === "flip") hit.splice(1);
          for (const byte of hit) byte.touched = true;
          if (kind === "cut") bytes = [...bytes.slice(0, start), ...bytes.slice(start + length)];
          if (kind !== "insert") continue;
          const strange = [...noise.take(length)].map((value) => ({ value, owner: -1, touched: true }));
          bytes = [...bytes.slice(0, start), ...strange, ...bytes.slice(start)];
        }
        const whole = written.filter((_, owner) => {
          const first = bytes.findIndex((byte) => byte.owner === owner);
          const run = bytes.slice(first, first + sizes[owner]!);
          return (
            first >= 0 && run.length === sizes[owner] && run.every((b) => b.owner === owner && !b.touched)
          );
        });
        const found = decodeSpoolFile(Uint8Array.from(bytes, ({ value }) => value)).records;
        // A fault may hit a byte with the value that it had: then more is found than is certain.
        const certain = found.filter((record) => whole.some((one) => isSame(one, record)));
        expect(certain.length).toBeGreaterThanOrEqual(whole.length);
        for (const record of found) expect(written.some((one) => isSame(one, record))).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  test("any bytes at all are read without a fault", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => void decodeSpoolFile(bytes)));
  });
});

/** Writes of the spool's file so far, and flushes of it, counted where Node makes them. */
let writes = 0;
let flushes = 0;
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  return {
    ...real,
    open: async (...args: Parameters<typeof real.open>) => {
      if (isRewriting(args[0])) await onRewrite();
      const handle = await real.open(...args);
      const { appendFile, datasync } = handle;
      handle.datasync = async () => {
        await datasync.apply(handle);
        flushes++;
      };
      handle.appendFile = async (...data: Parameters<typeof appendFile>) => {
        writes++;
        await onAppend();
        return await appendFile.apply(handle, data);
      };
      return handle;
    },
  };
});
/** Called before each write; a throw is a disk that is full. */
let onAppend = async (): Promise<void> => undefined;
/** Called before the file is written anew, which begins beside it. */
let onRewrite = async (): Promise<void> => undefined;
const isRewriting = (path: unknown) => basename(String(path)).startsWith(`.${SPOOL_FILE}.`);

const fail = async () => {
  throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
};
const fillDisk = () => {
  onAppend = fail;
  onRewrite = fail;
};
const freeDisk = () => {
  onAppend = async () => undefined;
  onRewrite = async () => undefined;
};
afterEach(freeDisk);
const unwritable = { code: "file_unwritable" };

describe("the spool", () => {
  test("holds what was appended, in order, until it is settled, across restarts", async () => {
    const spool = await reopen();
    const entries = [newEntry(), newEntry(), newEntry()];
    for (const entry of entries.slice(0, 2)) await spool.append(entry);
    await spool.append(entries[0]!);
    // Its mark travels with the next envelope.
    spool.settle(entries[1]!.id);
    await spool.append(entries[2]!);
    // No close: a process that is killed does not close either.
    const again = await reopen();
    expect(idsOf(again)).toEqual([entries[0]!, entries[2]!].map(({ id }) => encodeHex(id)));
    expect(again.entries()[0]).toEqual(entries[0]);
    await spool.close();
    await again.close();
  });

  test("holds nothing of another network's in a home that was moved, and all of its own after that", async () => {
    const elsewhere = await reopen();
    for (let i = 0; i < 3; i++) await elsewhere.append(newEntry(300, 50_000));
    await elsewhere.close();
    const its = createSigningDomains(new Uint8Array(32).fill(1));
    const here = await reopen(1_000_000, its);
    expect(here.size).toMatchObject({ entries: 0, bytes: 0 });
    const [first, second] = [newEntry(300, 3, its), newEntry(300, 3, its)];
    await here.append(first);
    await here.append(second);
    await here.close();
    const again = await reopen(1_000_000, its);
    expect(idsOf(again)).toEqual([first, second].map(({ id }) => encodeHex(id)));
    expect(drops).toEqual([]);
    await again.close();
  });

  test("survives a torn tail and goes on", async () => {
    const spool = await reopen();
    const entries = [newEntry(), newEntry()];
    for (const entry of entries) await spool.append(entry);
    await spool.close();
    await truncate(file, (await stat(file)).size - 3);
    const again = await reopen();
    expect(again.damagedBytes).toBeGreaterThan(0);
    expect(idsOf(again)).toEqual([encodeHex(entries[0]!.id)]);
    await again.append(entries[1]!);
    await again.close();
    const third = await reopen();
    expect(third.damagedBytes).toBe(0);
    expect(idsOf(third)).toEqual(entries.map(({ id }) => encodeHex(id)));
    await third.close();
  });

  test("skips garbage between records, whatever it is", async () => {
    const spool = await reopen();
    const [a, b] = [newEntry(), newEntry()];
    await spool.append(a);
    await spool.close();
    await appendFile(file, randomBytes(5_000));
    await appendFile(file, encodeSpoolRecord({ kind: "envelope", ...b }));
    const again = await reopen();
    expect(idsOf(again)).toEqual([a, b].map(({ id }) => encodeHex(id)));
    await again.close();
    await writeFile(file, randomBytes(100_000));
    const third = await reopen();
    expect(third.entries()).toEqual([]);
    await third.close();
  });

  test("is bounded by bytes, the oldest going first; what is dropped is told", async () => {
    const spool = await reopen(3 * 460);
    const entries = [newEntry(), newEntry(), newEntry(), newEntry()];
    for (const entry of entries) await spool.append(entry);
    expect(spool.size.bytes).toBeLessThanOrEqual(3 * 460);
    expect(drops).toEqual([[encodeHex(entries[0]!.id), "over_bytes"]]);
    await spool.close();
  });

  test("is bounded by epoch once it is told which one counts, in whatever order; what is dropped is told once", async () => {
    const spool = await reopen();
    const entries = [4, 2, 3, 5].map((epoch) => newEntry(300, epoch));
    for (const entry of entries) await spool.append(entry);
    spool.onHeard(5);
    spool.onHeard(5);
    expect(idsOf(spool)).toEqual([entries[0]!, entries[3]!].map(({ id }) => encodeHex(id)));
    expect(drops).toEqual([entries[1]!, entries[2]!].map(({ id }) => [encodeHex(id), "over_age"]));
    // Nothing more is appended: it is written all the same.
    for (const wake of wakes.splice(0)) wake();
    await spool.close();
    const again = await reopen();
    expect(again.size.entries).toBe(2);
    expect(drops).toHaveLength(2);
    await again.close();
  });

  test("keeps what was dated ahead by a clock that was, and says of nobody that he is late with it", async () => {
    const spool = await reopen();
    const [ahead, due] = [newEntry(300, 40), newEntry(300, 16)];
    await spool.append(ahead);
    elapsedMs += 10_000;
    await spool.append(due);
    elapsedMs += 1_000;
    expect(spool.size.oldestMs).toBe(11_000);
    spool.onHeard(16);
    expect(spool.size).toMatchObject({ entries: 2, oldestMs: 1_000 });
    spool.settle(due.id);
    expect(spool.size).toMatchObject({ entries: 1, oldestMs: null });
    await spool.close();
  });

  test("keeps what it has when the wall clock is set, also while it was closed", async () => {
    const spool = await reopen();
    const entries = [newEntry(), newEntry(), newEntry()];
    await spool.append(entries[0]!);
    nowMs += 365 * 86_400_000;
    await spool.append(entries[1]!);
    expect(spool.size).toMatchObject({ entries: 2, oldestMs: 0 });
    await spool.close();
    nowMs += 365 * 86_400_000;
    const again = await reopen();
    await again.append(entries[2]!);
    expect(idsOf(again)).toEqual(entries.map(({ id }) => encodeHex(id)));
    expect(again.size.oldestMs).toBe(0);
    expect(drops).toEqual([]);
    await again.close();
  });

  test("flushes once for all that came while it was flushing", async () => {
    const spool = await reopen();
    const before = writes;
    const entries = Array.from({ length: 50 }, () => newEntry());
    await Promise.all(entries.map((entry) => spool.append(entry)));
    // The first goes alone, all others behind it together: a flush each would be fifty writes.
    expect(writes - before).toBeLessThanOrEqual(2);
    const again = await reopen();
    expect(idsOf(again)).toEqual(entries.map(({ id }) => encodeHex(id)));
    await spool.close();
    await again.close();
  });

  test("has what it took flushed to the disk before it says so", async () => {
    const spool = await reopen();
    for (let i = 0; i < 3; i++) {
      const before = flushes;
      await spool.append(newEntry());
      expect(flushes).toBe(before + 1);
    }
    await spool.close();
  });

  test("a mark is written by itself only when it has waited long, or at the end", async () => {
    const spool = await reopen();
    const entries = [newEntry(), newEntry()];
    for (const entry of entries) await spool.append(entry);
    const { size } = await stat(file);
    spool.settle(entries[0]!.id);
    expect((await stat(file)).size).toBe(size);
    await spool.close();
    expect((await stat(file)).size).toBeGreaterThan(size);
    const again = await reopen();
    expect(idsOf(again)).toEqual([encodeHex(entries[1]!.id)]);
    await again.close();
  });

  test("a full disk costs nothing that comes back to it", async () => {
    const spool = await reopen();
    const entries = [newEntry(), newEntry(), newEntry()];
    await spool.append(entries[0]!);
    onAppend = fail;
    await expect(spool.append(entries[1]!)).rejects.toMatchObject(unwritable);
    expect(spool.fault).toBe("ENOSPC");
    freeDisk();
    await spool.append(entries[2]!);
    expect(spool.fault).toBeNull();
    const again = await reopen();
    expect(idsOf(again)).toEqual(entries.map(({ id }) => encodeHex(id)));
    await spool.close();
    await again.close();
  });

  test("opens on a full disk with what it holds, and writes all when there is room", async () => {
    const entries = [newEntry(), newEntry()];
    const before = await reopen();
    await before.append(entries[0]!);
    await before.close();
    fillDisk();
    const spool = await reopen();
    expect([idsOf(spool), spool.fault]).toEqual([[encodeHex(entries[0]!.id)], "ENOSPC"]);
    await expect(spool.append(entries[1]!)).rejects.toMatchObject(unwritable);
    freeDisk();
    // Nothing more is appended: it tries again by itself.
    for (const wake of wakes.splice(0)) wake();
    await eventually(() => spool.fault).toBeNull();
    const again = await reopen();
    expect(idsOf(again)).toEqual(entries.map(({ id }) => encodeHex(id)));
    await spool.close();
    await again.close();
  });

  test("says of nothing that it is on the disk where the writing before it has failed", async () => {
    const spool = await reopen();
    const entry = newEntry();
    fillDisk();
    // The envelope waits behind the rewriting, which takes it along and fails.
    const rewriting = spool.compact();
    const appending = spool.append(entry);
    await expect(rewriting).rejects.toMatchObject(unwritable);
    await expect(appending).rejects.toMatchObject(unwritable);
    await expect(spool.append(entry)).rejects.toMatchObject(unwritable);
    freeDisk();
    await spool.append(entry);
    const again = await reopen();
    expect(idsOf(again)).toEqual([encodeHex(entry.id)]);
    await spool.close();
    await again.close();
  });

  test("says of one that comes twice that it is on the disk only when it is", async () => {
    const spool = await reopen();
    const entry = newEntry();
    fillDisk();
    const both = await Promise.allSettled([spool.append(entry), spool.append(entry)]);
    expect(both.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    freeDisk();
    await spool.close();
  });

  test("writes at its end what a full disk refused before, or says that it could not", async () => {
    const entries = [newEntry(), newEntry()];
    const spool = await reopen();
    onAppend = fail;
    await expect(spool.append(entries[0]!)).rejects.toMatchObject(unwritable);
    freeDisk();
    await spool.close();
    const again = await reopen();
    expect(idsOf(again)).toEqual([encodeHex(entries[0]!.id)]);
    fillDisk();
    await expect(again.append(entries[1]!)).rejects.toMatchObject(unwritable);
    await expect(again.close()).rejects.toMatchObject(unwritable);
    await expect(again.append(entries[1]!)).rejects.toMatchObject({ code: "stopped" });
  });

  test("says how long its oldest has waited, as far as this process has seen it wait", async () => {
    const spool = await reopen();
    expect(spool.size.oldestMs).toBeNull();
    await spool.append(newEntry());
    elapsedMs += 7_000;
    await spool.append(newEntry());
    expect(spool.size).toMatchObject({ entries: 2, oldestMs: 7_000 });
    await spool.close();
    const again = await reopen();
    elapsedMs += 2_000;
    expect(again.size).toMatchObject({ entries: 2, oldestMs: 2_000 });
    await again.close();
  });

  test("its file does not grow with what has been delivered", async () => {
    const spool = await reopen();
    for (let i = 0; i < 1_500; i++) {
      const entry = newEntry(600);
      await spool.append(entry);
      spool.settle(entry.id);
    }
    expect((await stat(file)).size).toBeLessThan(600_000);
    await spool.close();
    expect((await readFile(file)).length).toBeLessThan(600_000);
  });
});
