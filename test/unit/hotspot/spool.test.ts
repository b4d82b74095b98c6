import { randomBytes } from "node:crypto";
import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
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
import { computeEnvelopeId, encodeEnvelope } from "../../../protocol/src/wire/envelope.ts";

const domains = createSigningDomains(new Uint8Array(32));
let home: string;
let file: string;
let nowMs = 1_000_000;
const drops: [string, SpoolDrop][] = [];

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "hexbeacon-spool-"));
  file = join(home, SPOOL_FILE);
  drops.length = 0;
});
afterEach(() => rm(home, { recursive: true }));

function newEntry(bodyBytes = 300): SpoolEntry {
  const unsigned = { kind: "reports", sender: randomBytes(32), body: randomBytes(bodyBytes) } as const;
  const envelope = encodeEnvelope({ ...unsigned, signature: randomBytes(64) });
  return { id: computeEnvelopeId(domains, unsigned), epoch: 3, timeMs: nowMs, envelope };
}

async function reopen(maxBytes = 1_000_000): Promise<Spool> {
  const onDrop = (entry: SpoolEntry, reason: SpoolDrop) => drops.push([encodeHex(entry.id), reason]);
  const clock = { ...createSystemClock(), nowMs: () => nowMs };
  return await openSpool({ home, domains, maxBytes, maxAgeMs: 60_000, onDrop }, { clock });
}

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

  test("any bytes at all are read without a fault", () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 2_000 }), (bytes) => void decodeSpoolFile(bytes)));
  });
});

describe("the spool", () => {
  test("holds what was appended, in order, until it is settled, across restarts", async () => {
    const spool = await reopen();
    const entries = [newEntry(), newEntry(), newEntry()];
    for (const entry of entries) await spool.append(entry);
    await spool.append(entries[0]!);
    await spool.settle(entries[1]!.id);
    // No close: a process that is killed does not close either.
    const again = await reopen();
    expect(idsOf(again)).toEqual([entries[0]!, entries[2]!].map(({ id }) => encodeHex(id)));
    expect(again.entries()[0]).toEqual(entries[0]);
    await spool.close();
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

  test("is bounded by bytes, the oldest going first, and by age; what is dropped is told", async () => {
    const spool = await reopen(3 * 460);
    const entries = [newEntry(), newEntry(), newEntry(), newEntry()];
    for (const entry of entries) await spool.append(entry);
    expect(spool.size.bytes).toBeLessThanOrEqual(3 * 460);
    expect(drops).toEqual([[encodeHex(entries[0]!.id), "over_bytes"]]);
    nowMs += 60_001;
    spool.expire();
    expect(spool.entries()).toEqual([]);
    expect(drops.slice(1).map(([, reason]) => reason)).toEqual(["over_age", "over_age", "over_age"]);
    await spool.close();
  });

  test("its file does not grow with what has been delivered", async () => {
    const spool = await reopen();
    for (let i = 0; i < 1_500; i++) {
      const entry = newEntry(600);
      await spool.append(entry);
      await spool.settle(entry.id);
    }
    expect((await stat(file)).size).toBeLessThan(600_000);
    await spool.close();
    expect((await readFile(file)).length).toBeLessThan(600_000);
  });
});
