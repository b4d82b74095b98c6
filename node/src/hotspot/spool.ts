/**
 * The spool: every signed envelope, on disk before it is sent and until a validator says that it is included. One
 * append-only file, flushed when something is appended and once for all that came meanwhile, since each flush wears an
 * SD card by a block; bounded by bytes, and by epoch once rounds tell which it is: a wall clock may be set at any time.
 * Envelopes and never loose reports, so that a crash cannot make two different messages of one report.
 */
import assert from "node:assert";
import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import {
  computeEnvelopeId,
  decodeEnvelope,
  envelopeSigningMessage,
} from "../../../protocol/src/wire/envelope.ts";
import { CodedError, isCodedError, systemCodeOf } from "../host/codedError.ts";
import { readFileIfAny, replaceFile } from "../host/durableFile.ts";
import type { Clock } from "../host/types.ts";
import { verifySignature } from "../host/verify.ts";
import { decodeSpoolFile, encodeSpoolRecord } from "./spoolRecord.ts";

/** An envelope that is still to be delivered. */
export type SpoolEntry = {
  readonly id: Uint8Array;
  readonly epoch: number;
  /** When it was spooled, by the wall clock as it was: for people. */
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
  /** Told of each entry that is dropped undelivered. */
  readonly onDrop: (entry: SpoolEntry, reason: SpoolDrop) => void;
};

export const SPOOL_FILE = "spool.log";
/** Rewriting is worth it once this much of the file is waste. */
const COMPACT_WASTE_BYTES = 262_144;
/**
 * A mark that something is settled waits for the next envelope, or this long: lost in a crash, it costs one question to
 * a validator. A minute is less often than reports come where it matters. A disk that failed is tried again as often.
 */
const WRITE_DELAY_MS = 60_000;

/** An entry and since when it is here, by the clock that nobody sets; of what an earlier process left, since this start. */
type Held = { readonly entry: SpoolEntry; readonly sinceMs: number };

/**
 * Opens the spool, skipping what is damaged. One that can be read and not written is open too, and says so as its `fault`.
 * @throws CodedError where the file cannot be read.
 */
export async function openSpool(options: SpoolOptions, modules: { readonly clock: Clock }): Promise<Spool> {
  const path = join(options.home, SPOOL_FILE);
  const { records, damagedBytes } = decodeSpoolFile((await readFileIfAny(path)) ?? new Uint8Array(0));
  const live = new Map<string, Held>();
  const sinceMs = modules.clock.elapsedMs();
  for (const record of records) {
    if (record.kind === "done") {
      live.delete(encodeHex(record.id));
      continue;
    }
    const decoded = decodeEnvelope(record.envelope);
    if (!decoded.ok) continue;
    const id = computeEnvelopeId(options.domains, decoded.envelope);
    const { epoch, timeMs, envelope } = record;
    live.set(encodeHex(id), { entry: { id, epoch, timeMs, envelope }, sinceMs });
  }
  forgetOtherNetworks(live, options.domains);
  const spool = new Spool(path, options, modules.clock, live, damagedBytes);
  // On a full disk what was spooled can still be delivered, and what comes can be sent.
  await spool.compact().catch(() => undefined);
  return spool;
}

/**
 * Where a home was moved, what the network before has left comes first, up to an envelope that is signed for this one. It
 * would be offered for ever: that network's epochs may all be still to come in this one.
 */
function forgetOtherNetworks(live: Map<string, Held>, domains: SigningDomains): void {
  for (const [key, { entry }] of live) {
    const decoded = decodeEnvelope(entry.envelope);
    assert(decoded.ok, "what cannot be decoded is not live");
    const { envelope } = decoded;
    const message = envelopeSigningMessage(domains, envelope);
    if (verifySignature(envelope.sender, message, envelope.signature)) return;
    live.delete(key);
  }
}

export class Spool {
  /** Bytes of the file that belonged to no whole record when it was opened. */
  readonly damagedBytes: number;
  readonly #path: string;
  readonly #options: SpoolOptions;
  readonly #clock: Clock;
  /** In order of spooling, by id in hexadecimal. */
  readonly #live: Map<string, Held>;
  #liveBytes = 0;
  /** The newest round's epoch; before one was heard each entry's may have come. */
  #heardEpoch = Number.POSITIVE_INFINITY;
  #fileBytes = 0;
  #handle: FileHandle | null = null;
  /** The last write; each waits for the one before. */
  #writing: Promise<void> = Promise.resolve();
  /** Records for the next write, and that write if it is on its way. */
  #waiting: Uint8Array[] = [];
  #flush: Promise<void> | null = null;
  #cancelWrite: (() => void) | null = null;
  /** The last write's failure, such as on a full disk: the file may lack what is live, and is written anew. */
  #failure: CodedError | null = null;
  #isClosed = false;

  constructor(
    path: string,
    options: SpoolOptions,
    clock: Clock,
    live: Map<string, Held>,
    damagedBytes: number,
  ) {
    this.#path = path;
    this.#options = options;
    this.#clock = clock;
    this.#live = live;
    this.damagedBytes = damagedBytes;
    for (const { entry } of live.values()) this.#liveBytes += recordBytes(entry);
  }

  /** What is still to be delivered, oldest first. */
  entries(): SpoolEntry[] {
    return [...this.#live.values()].map(({ entry }) => entry);
  }

  has(id: Uint8Array): boolean {
    return this.#live.has(encodeHex(id));
  }

  /**
   * How many entries wait, the bytes that they take, and how long the oldest has waited in this process; null where none
   * does whose epoch has come: what was dated ahead, by a clock that was, waits for it through nobody's fault.
   */
  get size(): { readonly entries: number; readonly bytes: number; readonly oldestMs: number | null } {
    const oldest = [...this.#live.values()].find(({ entry }) => entry.epoch <= this.#heardEpoch);
    const oldestMs = oldest === undefined ? null : this.#clock.elapsedMs() - oldest.sinceMs;
    return { entries: this.#live.size, bytes: this.#liveBytes, oldestMs };
  }

  /** Why the disk may not have all that waits, as the system names it; null where it has. */
  get fault(): string | null {
    return this.#failure && (systemCodeOf(this.#failure.cause) ?? this.#failure.code);
  }

  /**
   * Takes an envelope in; it is on the disk when this resolves. One that is there already is kept once.
   * @throws CodedError where it could not be written; it is kept in memory, and written as soon as the disk takes it.
   */
  async append(entry: SpoolEntry): Promise<void> {
    const key = encodeHex(entry.id);
    if (!this.#live.has(key)) {
      this.#live.set(key, { entry, sinceMs: this.#clock.elapsedMs() });
      this.#liveBytes += recordBytes(entry);
      this.#makeRoom();
      this.#waiting.push(encodeSpoolRecord({ kind: "envelope", ...entry }));
    }
    // One that was live before may still be on its way to the disk, or have failed to get there.
    await this.#flushWaiting();
    const waste = this.#fileBytes - this.#liveBytes;
    const isWorthIt = waste > COMPACT_WASTE_BYTES && waste > this.#liveBytes;
    // Whether or not that succeeds, the envelope is on the disk.
    if (isWorthIt) await this.compact().catch(() => undefined);
  }

  /** Marks an envelope as needing no more care. The mark may be lost in a crash: then it is only asked about again. */
  settle(id: Uint8Array): void {
    const key = encodeHex(id);
    const settled = this.#live.get(key);
    if (settled === undefined) return;
    this.#live.delete(key);
    this.#liveBytes -= recordBytes(settled.entry);
    this.#waiting.push(encodeSpoolRecord({ kind: "done", id }));
    this.#flushLater();
  }

  /**
   * A round was heard: what belongs to an epoch before the previous one cannot count any more, and is dropped.
   * @param epoch the round's. No estimate: one may be off by as much as the wall clock is, and what was dropped is gone.
   */
  onHeard(epoch: number): void {
    this.#heardEpoch = epoch;
    for (const { entry } of this.#live.values()) if (entry.epoch < epoch - 1) this.#drop(entry, "over_age");
  }

  /** Rewrites the file with what is live only. @throws CodedError where that fails; the old file is then still the spool. */
  async compact(): Promise<void> {
    await this.#enqueue(() => this.#rewrite());
  }

  /** Writes what waits, and closes the file. @throws CodedError where the disk lacks something that waited. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    try {
      await this.#flushWaiting();
    } finally {
      await this.#enqueue(async () => {
        this.#isClosed = true;
        this.#cancelWrite?.();
        await this.#handle?.close();
        this.#handle = null;
      });
    }
  }

  /** Drops the oldest until the rest fits. */
  #makeRoom(): void {
    for (const { entry } of this.#live.values()) {
      if (this.#liveBytes <= this.#options.maxBytes) return;
      this.#drop(entry, "over_bytes");
    }
  }

  /** It is marked as settled, so that it is not dropped, and told of, again after a restart. */
  #drop(entry: SpoolEntry, reason: SpoolDrop): void {
    this.settle(entry.id);
    this.#options.onDrop(entry, reason);
  }

  /** Everything that waits goes into one write and one flush; what comes while that is under way, into the next. */
  #flushWaiting(): Promise<void> {
    this.#flush ??= this.#enqueue(async () => {
      this.#flush = null;
      this.#cancelWrite?.();
      this.#cancelWrite = null;
      if (this.#isClosed) throw new CodedError("stopped", "the spool is closed");
      if (this.#failure !== null) return await this.#rewrite();
      const bytes = Buffer.concat(this.#waiting);
      this.#waiting = [];
      if (bytes.length === 0) return;
      await this.#handle!.appendFile(bytes);
      await this.#handle!.datasync();
      this.#fileBytes += bytes.length;
    });
    return this.#flush;
  }

  /** Has what waits written after a while, if nothing that is appended has it written before. */
  #flushLater(): void {
    // Whoever appended was told of a failure, and `fault` tells everybody else.
    this.#cancelWrite ??= this.#clock.after(WRITE_DELAY_MS, () => {
      this.#flushWaiting().catch(() => undefined);
    });
  }

  async #rewrite(): Promise<void> {
    this.#makeRoom();
    const bytes = Buffer.concat(
      this.entries().map((entry) => encodeSpoolRecord({ kind: "envelope", ...entry })),
    );
    // Everything that waits is in it, or is a mark of what is not.
    this.#waiting = [];
    await replaceFile(this.#path, bytes);
    const before = this.#handle;
    this.#handle = await open(this.#path, "a", 0o600);
    await before?.close();
    this.#fileBytes = bytes.length;
    this.#failure = null;
  }

  #enqueue(work: () => Promise<void>): Promise<void> {
    const done = this.#writing.then(work).catch((cause: unknown) => {
      const unwritable = () => new CodedError("file_unwritable", `cannot write ${this.#path}`, cause);
      this.#failure = isCodedError(cause) ? cause : unwritable();
      if (!this.#isClosed) this.#flushLater();
      throw this.#failure;
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
