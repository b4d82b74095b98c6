/**
 * The record of an epoch: what it was judged with, its books, and a line for every hotspot that earned units. The
 * header names the lines by their digest and the accounts' totals by their root, so that a validator's signature over
 * its digest vouches for every number that the API shows.
 */
import { ContainerType, ListCompositeType } from "@chainsafe/ssz";
import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import { compareBytes } from "../bytes/bytes.ts";
import { hashLabelled } from "../crypto/sha256.ts";
import { Bytes32, decodeStrict, Uint64, UintBig64 } from "../wire/ssz.ts";
import type { PoolBooks, PoolName } from "./pools.ts";

/** Another form of header or lines gets another number; what an older one said is read by the software of its time. */
export const EPOCH_RECORD_VERSION = 2;

/** Escrow over an epoch in base units: carriedIn + withheld = released + returned + carriedOut. */
export type EscrowBooks = {
  readonly carriedIn: bigint;
  readonly withheld: bigint;
  /** To the owners, as findings were reversed. */
  readonly released: bigint;
  /** To the pools that it came from, which carry it in with what they had carried out. */
  readonly returned: bigint;
  readonly carriedOut: bigint;
};

/** The header of an epoch's record. Digests, seeds and roots are 32 bytes. */
export type EpochRecord = {
  /** `EPOCH_RECORD_VERSION`. */
  readonly version: number;
  readonly epoch: number;
  readonly firstRound: number;
  readonly lastRound: number;
  readonly startTimeMs: number;
  readonly endTimeMs: number;
  /** The seed that the epoch's challenges followed from, and the next epoch's. */
  readonly seed: Uint8Array;
  readonly nextSeed: Uint8Array;
  readonly inputsDigest: Uint8Array;
  readonly scoreVersion: number;
  readonly parametersHash: Uint8Array;
  readonly pools: Readonly<Record<PoolName, PoolBooks>>;
  /** Beacons that closed in the epoch, and their witness reports by verdict. */
  readonly beacons: number;
  readonly witnessesAccepted: number;
  readonly witnessesRefused: number;
  /** Accounts that have ever earned: the leaves under `rewardRoot`. */
  readonly accounts: number;
  readonly linesDigest: Uint8Array;
  readonly rewardRoot: Uint8Array;
  readonly escrow: EscrowBooks;
};

/** A hotspot's line; who has neither units nor pay has none. Units and scale in parts per million, payments in base units. */
export type EpochLine = {
  readonly hotspot: Uint8Array;
  readonly owner: Uint8Array;
  readonly beaconUnitsPpm: number;
  readonly witnessUnitsPpm: number;
  readonly scalePpm: number;
  readonly beaconPaid: bigint;
  readonly witnessPaid: bigint;
  /** At the start of the epoch. */
  readonly trustPpm: number;
  /** The findings in force then: bit i - 1 for the penalty of number i. */
  readonly penalties: number;
  /** What is in escrow instead of being paid. */
  readonly beaconWithheld: bigint;
  readonly witnessWithheld: bigint;
};

const PoolBooksSsz = new ContainerType(
  { emitted: UintBig64, carriedIn: UintBig64, paid: UintBig64, carriedOut: UintBig64 },
  { typeName: "PoolBooks" },
);

const EscrowBooksSsz = new ContainerType(
  {
    carriedIn: UintBig64,
    withheld: UintBig64,
    released: UintBig64,
    returned: UintBig64,
    carriedOut: UintBig64,
  },
  { typeName: "EscrowBooks" },
);

export const EpochRecordSsz = new ContainerType(
  {
    version: Uint64,
    epoch: Uint64,
    firstRound: Uint64,
    lastRound: Uint64,
    startTimeMs: Uint64,
    endTimeMs: Uint64,
    seed: Bytes32,
    nextSeed: Bytes32,
    inputsDigest: Bytes32,
    scoreVersion: Uint64,
    parametersHash: Bytes32,
    pools: new ContainerType(
      { beacons: PoolBooksSsz, witnesses: PoolBooksSsz, data: PoolBooksSsz, validators: PoolBooksSsz },
      { typeName: "Pools" },
    ),
    beacons: Uint64,
    witnessesAccepted: Uint64,
    witnessesRefused: Uint64,
    accounts: Uint64,
    linesDigest: Bytes32,
    rewardRoot: Bytes32,
    escrow: EscrowBooksSsz,
  },
  { typeName: "EpochRecord" },
);

/** A line is of fixed size, so the list's encoding is the lines' one after the other. */
export const EpochLineSsz = new ContainerType(
  {
    hotspot: Bytes32,
    owner: Bytes32,
    beaconUnitsPpm: Uint64,
    witnessUnitsPpm: Uint64,
    scalePpm: Uint64,
    beaconPaid: UintBig64,
    witnessPaid: UintBig64,
    trustPpm: Uint64,
    penalties: Uint64,
    beaconWithheld: UintBig64,
    witnessWithheld: UintBig64,
  },
  { typeName: "EpochLine" },
);
export const EpochLinesSsz = new ListCompositeType(EpochLineSsz, 2 ** 32, { typeName: "EpochLines" });

/** Bytes of an encoded record and of an encoded line: both are of fixed size. */
export const EPOCH_RECORD_BYTES = EpochRecordSsz.fixedSize!;
export const EPOCH_LINE_BYTES = EpochLineSsz.fixedSize!;

/** SSZ encoding of the header. */
export function encodeEpochRecord(record: EpochRecord): Uint8Array {
  return EpochRecordSsz.serialize(record);
}

/** Reads a header strictly, or null. */
export function decodeEpochRecord(bytes: Uint8Array): EpochRecord | null {
  return decodeStrict(EpochRecordSsz, bytes, EPOCH_RECORD_BYTES);
}

/** What validators attest to: SHA-256 over the label `epoch-record` and the header's encoding. */
export function computeRecordDigest(record: EpochRecord): Uint8Array {
  return hashLabelled("epoch-record", encodeEpochRecord(record));
}

/** A hash that takes its input in parts; node:crypto's `createHash("sha256")` is one. */
export type IncrementalHash = {
  update(bytes: Uint8Array): unknown;
  digest(): Uint8Array;
};

/** Lines encoded at a time, so that a million of them never stand in memory twice: some 400 kB. */
const LINES_PER_RUN = 4_096;

/**
 * SHA-256 over the SSZ encoding of the lines, in ascending order of hotspot keys.
 * @param lines ascending by hotspot, each once; anything else is a bug of the caller and throws.
 * @param createHash shells pass a native one.
 */
export function computeLinesDigest(
  lines: Iterable<EpochLine>,
  createHash: () => IncrementalHash = nobleSha256.create,
): Uint8Array {
  const hash = createHash();
  const run = new Uint8Array(LINES_PER_RUN * EPOCH_LINE_BYTES);
  const view = new DataView(run.buffer);
  let length = 0;
  let before: Uint8Array | null = null;
  for (const line of lines) {
    if (before !== null && compareBytes(before, line.hotspot) >= 0)
      throw new RangeError("Lines must ascend by hotspot");
    before = line.hotspot;
    writeLine(line, run, view, length);
    length += EPOCH_LINE_BYTES;
    if (length === run.length) {
      hash.update(run);
      length = 0;
    }
  }
  hash.update(run.subarray(0, length));
  return Uint8Array.from(hash.digest());
}

/** The SSZ encoding of a line, written at an offset: two keys, then nine little-endian uint64. */
function writeLine(line: EpochLine, bytes: Uint8Array, view: DataView, offset: number): void {
  bytes.set(line.hotspot, offset);
  bytes.set(line.owner, offset + 32);
  view.setBigUint64(offset + 64, BigInt(line.beaconUnitsPpm), true);
  view.setBigUint64(offset + 72, BigInt(line.witnessUnitsPpm), true);
  view.setBigUint64(offset + 80, BigInt(line.scalePpm), true);
  view.setBigUint64(offset + 88, line.beaconPaid, true);
  view.setBigUint64(offset + 96, line.witnessPaid, true);
  view.setBigUint64(offset + 104, BigInt(line.trustPpm), true);
  view.setBigUint64(offset + 112, BigInt(line.penalties), true);
  view.setBigUint64(offset + 120, line.beaconWithheld, true);
  view.setBigUint64(offset + 128, line.witnessWithheld, true);
}
