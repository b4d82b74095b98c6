/**
 * The spool: every signed envelope, on disk before it is sent and until a validator says that it is included. One
 * append-only file, flushed at each append; bounded by bytes and age. Envelopes and never loose reports, so that a crash
 * cannot make two different messages of one report.
 */
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { computeEnvelopeId, decodeEnvelope } from "../../../protocol/src/wire/envelope.ts";
import { CodedError } from "../host/codedError.ts";
import { readFileIfAny, replaceFile } from "../host/durableFile.ts";
import type { Clock } from "../host/types.ts";
import { decodeSpoolFile, encodeSpoolRecord } from "./spoolRecord.ts";

/** An envelope that is still to be delivered. */
export type SpoolEntry = {
  readonly id: Uint8Array;
  readonly epoch: number;
  /** When it was spooled. */
  readonly timeMs: number;
  readonly envelope: Uint8Array;
};

/** Why an entry left the spool undelivered. */
export const SPOOL_DROPS = ["over_bytes", "over_age"] as const;
export type SpoolDrop = (typeof SPOOL_DROPS)[number];

export type SpoolOptions = {
  readonly home: string;
  readonly domains: SigningDomains;
  readonly maxBytes: number;
  /** After this an envelope's epoch has passed and nothing can come of it. */
  readonly maxAgeMs: number;
  /** Told of each entry that is dropped undelivered. */
  readonly onDrop: (entry: SpoolEntry, reason: SpoolDrop) => void;
};

export const SPOOL_FILE = "spool.log";
/** Rewriting is worth it once this much of the file is waste. */
const COMPACT_WASTE_BYTES = 262_144;

/** Opens the spool, skipping what is damaged. @throws CodedError where the file cannot be read or written. */
export async function openSpool(options: SpoolOptions, modules: { readonly clock: Clock }): Promise<Spool> {
  const path = join(options.home, SPOOL_FILE);
  const { records, damagedBytes } = decodeSpoolFile((await readFileIfAny(path)) ?? new Uint8Array(0));
  const live = new Map<string, SpoolEntry>();
  for (const record of records) {
    if (record.kind === "done") {
      live.delete(encodeHex(record.id));
      continue;
    }
    const decoded = decodeEnvelope(record.envelope);
    if (!decoded.ok) continue;
    const id = computeEnvelopeId(options.domains, decoded.envelope);
    live.set(encodeHex(id), { id, epoch: record.epoch, timeMs: record.timeMs, envelope: record.envelope });
  }
  const spool = new Spool(path, options, modules.clock, live, damagedBytes);
  await spool.compact();
  return spool;
}

export class Spool {
  /** Bytes of the file that belonged to no whole record when it was opened. */
  readonly damagedBytes: number;
  readonly #path: string;
  readonly #options: SpoolOptions;
  readonly #clock: Clock;
  /** In order of spooling, by id in hexadecimal. */
  readonly #live: Map<string, SpoolEntry>;
  #liveBytes = 0;
  #fileBytes = 0;
  #handle: FileHandle | null = null;
  /** The last write; each waits for the one before. */
  #writing: Promise<void> = Promise.resolve();

  constructor(
    path: string,
    options: SpoolOptions,
    clock: Clock,
    live: Map<string, SpoolEntry>,
    damagedBytes: number,
  ) {
    this.#path = path;
    this.#options = options;
    this.#clock = clock;
    this.#live = live;
    this.damagedBytes = damagedBytes;
    for (const entry of live.values()) this.#liveBytes += recordBytes(entry);
  }

  /** What is still to be delivered, oldest first. */
  entries(): SpoolEntry[] {
    return [...this.#live.values()];
  }

  has(id: Uint8Array): boolean {
    return this.#live.has(encodeHex(id));
  }

  /** How many entries wait, and the bytes that they take. */
  get size(): { readonly entries: number; readonly bytes: number } {
    return { entries: this.#live.size, bytes: this.#liveBytes };
  }

  /** Takes an envelope in; it is on the disk when this resolves. One that is there already is kept once. */
  async append(entry: SpoolEntry): Promise<void> {
    const key = encodeHex(entry.id);
    if (this.#live.has(key)) return await this.#writing;
    this.#live.set(key, entry);
    this.#liveBytes += recordBytes(entry);
    this.expire();
    await this.#write(encodeSpoolRecord({ kind: "envelope", ...entry }), true);
    await this.#compactIfWasteful();
  }

  /** Marks an envelope as needing no more care. The mark may be lost in a crash: then it is only asked about again. */
  async settle(id: Uint8Array): Promise<void> {
    const key = encodeHex(id);
    if (!this.#remove(key)) return;
    await this.#write(encodeSpoolRecord({ kind: "done", id }), false);
    await this.#compactIfWasteful();
  }

  /** Drops what is too old, then the oldest until the rest fits. */
  expire(): void {
    const oldestMs = this.#clock.nowMs() - this.#options.maxAgeMs;
    for (const [key, entry] of this.#live) {
      const isOld = entry.timeMs < oldestMs;
      if (!isOld && this.#liveBytes <= this.#options.maxBytes) break;
      this.#remove(key);
      this.#options.onDrop(entry, isOld ? "over_age" : "over_bytes");
    }
  }

  /** Rewrites the file with what is live only. */
  async compact(): Promise<void> {
    await this.#enqueue(async () => {
      this.expire();
      const bytes = Buffer.concat(
        this.entries().map((entry) => encodeSpoolRecord({ kind: "envelope", ...entry })),
      );
      await this.#handle?.close();
      this.#handle = null;
      await replaceFile(this.#path, bytes);
      this.#handle = await open(this.#path, "a", 0o600);
      this.#fileBytes = bytes.length;
    });
  }

  async close(): Promise<void> {
    await this.#enqueue(async () => {
      await this.#handle?.close();
      this.#handle = null;
    });
  }

  #remove(key: string): boolean {
    const entry = this.#live.get(key);
    if (entry === undefined) return false;
    this.#live.delete(key);
    this.#liveBytes -= recordBytes(entry);
    return true;
  }

  async #compactIfWasteful(): Promise<void> {
    const waste = this.#fileBytes - this.#liveBytes;
    if (waste > COMPACT_WASTE_BYTES && waste > this.#liveBytes) await this.compact();
  }

  async #write(record: Uint8Array, flush: boolean): Promise<void> {
    await this.#enqueue(async () => {
      if (this.#handle === null) throw new CodedError("stopped", "the spool is closed");
      await this.#handle.appendFile(record);
      if (flush) await this.#handle.datasync();
      this.#fileBytes += record.length;
    });
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#writing.then(work).catch((cause: unknown) => {
      if (cause instanceof CodedError) throw cause;
      throw new CodedError("file_unwritable", `cannot write ${this.#path}`, cause);
    });
    // The next write does not fail because this one did; whoever asked for this one hears of it.
    this.#writing = done.catch(() => undefined);
    return done;
  }
}

function recordBytes(entry: SpoolEntry): number {
  // Head, epoch and time, checksum: see the record.
  return entry.envelope.length + 7 + 16 + 8;
}
