/**
 * A record of the spool file: magic, kind, length, payload, and the first 8 bytes of the SHA-256 over all before them.
 * What a power cut has torn, or a disk has garbled, fails the checksum and is skipped up to the next magic.
 */
import { hash } from "node:crypto";
import { uint64Bytes } from "../../../protocol/src/bytes/bytes.ts";
import { MAX_ENVELOPE_BYTES } from "../../../protocol/src/wire/envelope.ts";

const MAGIC = Buffer.from("HBS1", "latin1");
const KIND_ENVELOPE = 1;
const KIND_DONE = 2;
const ID_BYTES = 32;
/** Magic, kind and length. */
const HEAD_BYTES = 4 + 1 + 2;
const CHECKSUM_BYTES = 8;
/** Epoch and time before an envelope. */
const STAMP_BYTES = 16;
const MAX_PAYLOAD_BYTES = STAMP_BYTES + MAX_ENVELOPE_BYTES;

/** A signed envelope with its body's epoch and the time at which it was spooled; or "this id needs no more care". */
export type SpoolRecord =
  | {
      readonly kind: "envelope";
      readonly epoch: number;
      readonly timeMs: number;
      readonly envelope: Uint8Array;
    }
  | { readonly kind: "done"; readonly id: Uint8Array };

/** Encodes a record. */
export function encodeSpoolRecord(record: SpoolRecord): Uint8Array {
  const payload =
    record.kind === "done"
      ? record.id
      : Buffer.concat([uint64Bytes(record.epoch), uint64Bytes(record.timeMs), record.envelope]);
  const head = Buffer.alloc(HEAD_BYTES);
  MAGIC.copy(head);
  head[4] = record.kind === "done" ? KIND_DONE : KIND_ENVELOPE;
  head.writeUInt16LE(payload.length, 5);
  const covered = Buffer.concat([head, payload]);
  return Buffer.concat([covered, computeChecksum(covered)]);
}

/** All whole records of a file in order, and how many bytes belonged to none. Total on any bytes. */
export function decodeSpoolFile(file: Uint8Array): { records: SpoolRecord[]; damagedBytes: number } {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const records: SpoolRecord[] = [];
  let damagedBytes = 0;
  let offset = 0;
  while (offset < bytes.length) {
    const next = readRecord(bytes, offset);
    if (next === null) {
      const magic = bytes.indexOf(MAGIC, offset + 1);
      const resumed = magic === -1 ? bytes.length : magic;
      damagedBytes += resumed - offset;
      offset = resumed;
    } else {
      records.push(next.record);
      offset = next.end;
    }
  }
  return { records, damagedBytes };
}

function readRecord(bytes: Buffer, offset: number): { record: SpoolRecord; end: number } | null {
  if (offset + HEAD_BYTES + CHECKSUM_BYTES > bytes.length) return null;
  if (!bytes.subarray(offset, offset + MAGIC.length).equals(MAGIC)) return null;
  const kind = bytes[offset + 4];
  const length = bytes.readUInt16LE(offset + 5);
  const covered = offset + HEAD_BYTES + length;
  const end = covered + CHECKSUM_BYTES;
  if (length > MAX_PAYLOAD_BYTES || end > bytes.length) return null;
  if (!computeChecksum(bytes.subarray(offset, covered)).equals(bytes.subarray(covered, end))) return null;
  const payload = bytes.subarray(offset + HEAD_BYTES, covered);
  if (kind === KIND_DONE && length === ID_BYTES) {
    return { record: { kind: "done", id: Uint8Array.from(payload) }, end };
  }
  if (kind === KIND_ENVELOPE && length > STAMP_BYTES) {
    const epoch = Number(payload.readBigUInt64LE(0));
    const timeMs = Number(payload.readBigUInt64LE(8));
    const envelope = Uint8Array.from(payload.subarray(STAMP_BYTES));
    return { record: { kind: "envelope", epoch, timeMs, envelope }, end };
  }
  return null;
}

function computeChecksum(bytes: Uint8Array): Buffer {
  return hash("sha256", bytes, "buffer").subarray(0, CHECKSUM_BYTES);
}
