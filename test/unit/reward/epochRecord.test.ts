/** The epoch's record: strict encoding, and digests against SSZ and node:crypto. */
import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  computeLinesDigest,
  computeRecordDigest,
  decodeEpochRecord,
  EPOCH_LINE_BYTES,
  EPOCH_RECORD_BYTES,
  type EpochLine,
  EpochLinesSsz,
  type EpochRecord,
  encodeEpochRecord,
} from "../../../protocol/src/reward/epochRecord.ts";

const uint64 = fc.bigInt(0n, (1n << 64n) - 1n);
const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const bytes32 = fc.uint8Array({ minLength: 32, maxLength: 32 });
const books = fc.record({ emitted: uint64, carriedIn: uint64, paid: uint64, carriedOut: uint64 });
const anyRecord: fc.Arbitrary<EpochRecord> = fc.record({
  version: fc.nat(255),
  epoch: count,
  firstRound: count,
  lastRound: count,
  startTimeMs: count,
  endTimeMs: count,
  seed: bytes32,
  nextSeed: bytes32,
  inputsDigest: bytes32,
  scoreVersion: fc.nat(255),
  parametersHash: bytes32,
  pools: fc.record({ beacons: books, witnesses: books, data: books, validators: books }),
  beacons: count,
  witnessesAccepted: count,
  witnessesRefused: count,
  accounts: count,
  linesDigest: bytes32,
  rewardRoot: bytes32,
  escrow: fc.record({
    ...{ carriedIn: uint64, withheld: uint64, released: uint64, returned: uint64, carriedOut: uint64 },
  }),
});

/** Lines with ascending keys, of which only the first four bytes differ. */
function createLines(length: number): EpochLine[] {
  return Array.from({ length }, (_, i) => {
    const hotspot = new Uint8Array(32);
    new DataView(hotspot.buffer).setUint32(0, i);
    return {
      hotspot,
      owner: new Uint8Array(32).fill(i % 7),
      beaconUnitsPpm: i * 3,
      witnessUnitsPpm: i * 5,
      scalePpm: 1_000_000 - (i % 1_000),
      beaconPaid: BigInt(i) * 11n,
      witnessPaid: (1n << 63n) + BigInt(i),
      trustPpm: i * 7,
      penalties: i % 2_048,
      beaconWithheld: BigInt(i) * 13n,
      witnessWithheld: (1n << 63n) - BigInt(i),
    };
  });
}

describe("epoch record", () => {
  test("decodes to itself, strictly", () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const bytes = encodeEpochRecord(record);
        expect(bytes).toHaveLength(EPOCH_RECORD_BYTES);
        expect(decodeEpochRecord(bytes)).toEqual(record);
        expect(decodeEpochRecord(bytes.subarray(1))).toBeNull();
      }),
    );
  });

  test("decodes any bytes or refuses them", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: EPOCH_RECORD_BYTES + 8, size: "max" }), (bytes) => {
        const record = decodeEpochRecord(bytes);
        if (record !== null) expect(encodeEpochRecord(record)).toEqual(bytes);
      }),
    );
  });

  test("has another digest for another figure", () => {
    fc.assert(
      fc.property(anyRecord, (record) => {
        const digest = computeRecordDigest(record);
        expect(digest).toHaveLength(32);
        const other = { ...record, beacons: record.beacons === 0 ? 1 : 0 };
        expect(computeRecordDigest(other)).not.toEqual(digest);
      }),
    );
  });
});

describe("digest of the lines", () => {
  test.each([0, 1, 4_096, 4_100])("of %i lines is SHA-256 over their SSZ encoding", (length) => {
    const lines = createLines(length);
    const encoding = EpochLinesSsz.serialize(lines);
    expect(encoding).toHaveLength(length * EPOCH_LINE_BYTES);
    const expected = new Uint8Array(createHash("sha256").update(encoding).digest());
    expect(computeLinesDigest(lines)).toEqual(expected);
    expect(computeLinesDigest(lines, () => createHash("sha256"))).toEqual(expected);
  });

  test("refuses lines that do not ascend", () => {
    expect(() => computeLinesDigest(createLines(3).toReversed())).toThrow("ascend");
    expect(() => computeLinesDigest([...createLines(1), ...createLines(1)])).toThrow("ascend");
  });
});
