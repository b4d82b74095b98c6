/** The forms of a round on the wire: each has one encoding, and anything else is refused without a crash. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EVIDENCE_KINDS } from "../../../protocol/src/agreement/evidence.ts";
import {
  computeQuorum,
  decodeBatch,
  decodeBitmap,
  decodeFinalCert,
  decodeSignedAnnouncement,
  decodeValue,
  encodeBatch,
  encodeBitmap,
  encodeFinalCert,
  encodeSignedAnnouncement,
  encodeTips,
  encodeValue,
  MAX_BATCH_BYTES,
  MAX_BATCH_MESSAGES,
  MAX_VALUE_BYTES,
  MAX_VALUE_EVIDENCE,
  peekBatchPlace,
} from "../../../protocol/src/agreement/rounds.ts";
import { concatBytes } from "../../../protocol/src/bytes/bytes.ts";
import { computeSeatChanges } from "../../../protocol/src/ledger/seats.ts";
import { MAX_VALIDATORS } from "../../../protocol/src/network/parameters.ts";
import { MAX_ENVELOPE_BYTES } from "../../../protocol/src/wire/envelope.ts";

const bytesOf = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const round = fc.nat();
const certificate = {
  bitmap: fc.uint8Array({ maxLength: 13 }),
  signatures: fc.array(bytesOf(64), { maxLength: 4 }),
};
const batch = fc.record({
  lane: bytesOf(32),
  seq: round,
  prev: bytesOf(32),
  messages: fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 }),
});
const availabilityCert = fc.record({
  lane: bytesOf(32),
  seq: round,
  digest: bytesOf(32),
  epoch: round,
  ...certificate,
});
const finalCert = fc.record({ round, view: fc.nat(), value: bytesOf(32), ...certificate });
const tips = fc.record({
  round,
  validator: bytesOf(32),
  timeMs: round,
  tips: fc.array(fc.record({ lane: bytesOf(32), seq: round, digest: bytesOf(32) }), { maxLength: 3 }),
  executedRound: round,
  executedDigest: bytesOf(32),
});
const statement = fc.uint8Array({ maxLength: 80 });
const evidence = fc.record({
  offender: bytesOf(32),
  kind: fc.nat(255),
  first: statement,
  second: statement,
});
const value = fc.record({
  round,
  tips: fc.array(fc.record({ tips, signature: bytesOf(64) }), { maxLength: 3 }),
  cut: fc.array(availabilityCert, { maxLength: 3 }),
  previousFinal: fc.array(finalCert, { maxLength: 1 }),
  evidence: fc.array(evidence, { maxLength: 2 }),
});
const announcement = fc.record({ round, timeMs: round, epoch: round, seed: bytesOf(32), final: finalCert });
const signedAnnouncement = fc.record({ validator: bytesOf(32), announcement, signature: bytesOf(64) });

/** Each form with a generator of its values, its encoder and its decoder. */
const FORMS = [
  { name: "batch", value: batch, encode: encodeBatch, decode: decodeBatch },
  { name: "value", value, encode: encodeValue, decode: decodeValue },
  { name: "final certificate", value: finalCert, encode: encodeFinalCert, decode: decodeFinalCert },
  {
    name: "announcement",
    value: signedAnnouncement,
    encode: encodeSignedAnnouncement,
    decode: decodeSignedAnnouncement,
  },
] as const;

describe.each(FORMS)("a $name", ({ value: generator, encode, decode }) => {
  const encodeAny = encode as (value: unknown) => Uint8Array;
  const encoded = (generator as fc.Arbitrary<unknown>).map((each) => ({ each, bytes: encodeAny(each) }));

  test("decodes to what was encoded", () => {
    fc.assert(
      fc.property(encoded, ({ each, bytes }) => {
        expect(decode(bytes)).toEqual(each);
      }),
    );
  });

  test("with any bytes changed, added or missing is another one or none, and never a crash", () => {
    const damage = fc.record({
      at: fc.nat(),
      to: fc.nat(255),
      cut: fc.nat(40),
      add: fc.uint8Array({ maxLength: 8 }),
    });
    fc.assert(
      fc.property(encoded, damage, ({ bytes }, { at, to, cut, add }) => {
        const damaged = new Uint8Array([...bytes.subarray(0, Math.max(0, bytes.length - cut)), ...add]);
        if (damaged.length > 0) damaged[at % damaged.length] = to;
        const decoded = decode(damaged);
        if (decoded !== null) expect(encodeAny(decoded)).toEqual(damaged);
      }),
      { numRuns: 300 },
    );
  });

  test("is none of arbitrary bytes, unless they are its encoding", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const decoded = decode(bytes);
        if (decoded !== null) expect(encodeAny(decoded)).toEqual(bytes);
      }),
      { numRuns: 300 },
    );
  });
});

test("where a batch stands is peeked as it decodes, of any bytes", () => {
  const damaged = fc.tuple(batch, fc.nat(120), fc.nat(255)).map(([each, at, to]) => {
    const bytes = encodeBatch(each);
    if (at < bytes.length) bytes[at] = to;
    return bytes;
  });
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 120 })), (bytes) => {
      const place = peekBatchPlace(bytes);
      const decoded = decodeBatch(bytes);
      if (decoded !== null) expect(decoded).toMatchObject(place!);
    }),
  );
  expect(peekBatchPlace(new Uint8Array(71))).toBeNull();
  expect(peekBatchPlace(new Uint8Array(MAX_BATCH_BYTES + 1))).toBeNull();
});

describe("limits of a round's forms", () => {
  const key = new Uint8Array(32);

  test("a batch beyond its bytes is none", () => {
    const messages = Array.from(
      { length: Math.ceil(MAX_BATCH_BYTES / MAX_ENVELOPE_BYTES) + 1 },
      () => new Uint8Array(MAX_ENVELOPE_BYTES),
    );
    expect(decodeBatch(encodeBatch({ lane: key, seq: 1, prev: key, messages }))).toBeNull();
    const most = Array.from({ length: MAX_BATCH_MESSAGES - 1 }, () => new Uint8Array(101));
    expect(decodeBatch(encodeBatch({ lane: key, seq: 1, prev: key, messages: most }))?.messages).toHaveLength(
      MAX_BATCH_MESSAGES - 1,
    );
  });

  test("the largest value, with the lanes of a full set and of all who may just have left it, fits its limit", () => {
    const quorum = computeQuorum(MAX_VALIDATORS);
    const certificateOf = {
      bitmap: new Uint8Array(13),
      signatures: Array.from({ length: MAX_VALIDATORS }, () => new Uint8Array(64)),
    };
    const lanes = Array.from({ length: MAX_VALIDATORS + computeSeatChanges(MAX_VALIDATORS) }, () => ({
      ...{ lane: key, seq: 1, digest: key },
    }));
    const signed = {
      tips: { round: 1, validator: key, timeMs: 1, tips: lanes, executedRound: 0, executedDigest: key },
      signature: new Uint8Array(64),
    };
    const statement = concatBytes(encodeTips(signed.tips), signed.signature);
    const largest = {
      round: 1,
      tips: Array.from({ length: quorum }, () => signed),
      cut: lanes.map((tip) => ({ ...tip, epoch: 1, ...certificateOf })),
      previousFinal: [{ round: 0, view: 1, value: key, ...certificateOf }],
      evidence: Array.from({ length: MAX_VALUE_EVIDENCE }, () => ({
        ...{
          offender: key,
          kind: EVIDENCE_KINDS.indexOf("double_tips"),
          first: statement,
          second: statement,
        },
      })),
    };
    const bytes = encodeValue(largest);
    expect(bytes.length).toBeLessThanOrEqual(MAX_VALUE_BYTES);
    expect(decodeValue(bytes)).not.toBeNull();
  });

  test("a bitmap has a bit a validator and none beyond", () => {
    fc.assert(
      fc.property(
        fc
          .integer({ min: 1, max: MAX_VALIDATORS })
          .chain((n) => fc.tuple(fc.constant(n), fc.uniqueArray(fc.nat(n - 1)))),
        ([n, members]) => {
          expect(decodeBitmap(encodeBitmap(members, n), n)).toEqual([...members].sort((a, b) => a - b));
        },
      ),
    );
    expect(decodeBitmap(Uint8Array.of(0b10000), 4)).toBeNull();
    expect(decodeBitmap(new Uint8Array(2), 4)).toBeNull();
  });

  test("a quorum is what two of which always share an honest validator", () => {
    for (let n = 1; n <= MAX_VALIDATORS; n++) {
      const faulty = Math.floor((n - 1) / 3);
      expect(computeQuorum(n)).toBe(n - faulty);
      expect(2 * computeQuorum(n) - n).toBeGreaterThan(faulty);
    }
  });
});
