import { createPublicKey, generateKeyPairSync, sign as signNode, verify as verifyNode } from "node:crypto";
import { p256 } from "@noble/curves/nist.js";
import { sha256 } from "@noble/hashes/sha2.js";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { verifyDeviceSignature } from "../../../node/src/host/verify.ts";
import { asciiBytes, concatBytes } from "../../../protocol/src/bytes/bytes.ts";
import { decodeHex, encodeHex } from "../../../protocol/src/bytes/hex.ts";
import {
  createP256KeyPair,
  lowerP256Signature,
  signP256,
  verifyP256,
} from "../../../protocol/src/crypto/p256.ts";

/** The order of the base point: FIPS 186-5 / SP 800-186, section 3.2.1.3. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

const secret = decodeHex("c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721", 32)!;
const pair = createP256KeyPair(secret);
const sample = asciiBytes("sample");

function wordOf(value: bigint): Uint8Array {
  return decodeHex(value.toString(16).padStart(64, "0"), 32)!;
}

describe("P-256 signatures", () => {
  // Source: RFC 6979, appendix A.2.5, SHA-256, message "sample"; its s is in the high half, so ours is n less that.
  test("RFC 6979 A.2.5", () => {
    const r = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
    const s = 0xf7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8n;
    expect(encodeHex(pair.publicKey)).toBe(
      "0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
    );
    const published = concatBytes(decodeHex(r)!, wordOf(s));
    const low = concatBytes(decodeHex(r)!, wordOf(ORDER - s));
    expect(signP256(secret, sample)).toEqual(low);
    expect(lowerP256Signature(published)).toEqual(low);
    expect(lowerP256Signature(low)).toEqual(low);
    expect(verifyP256(pair.publicKey, sample, low)).toBe(true);
    expect(verifyP256(pair.publicKey, sample, published)).toBe(false);
  });

  test("what a chip signs is valid once lowered, and only then when its s was high", () => {
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const { x, y } = publicKey.export({ format: "jwk" });
    const yBytes = Buffer.from(y!, "base64url");
    const compressed = concatBytes(Uint8Array.of(2 + (yBytes[31]! & 1)), Buffer.from(x!, "base64url"));
    for (let i = 0; i < 16; i++) {
      const message = Uint8Array.of(i);
      const raw = new Uint8Array(signNode("sha256", message, { key: privateKey, dsaEncoding: "ieee-p1363" }));
      const lowered = lowerP256Signature(raw)!;
      expect(verifyP256(compressed, message, lowered)).toBe(true);
      expect(verifyP256(compressed, message, raw)).toBe(encodeHex(raw) === encodeHex(lowered));
    }
  });

  test("OpenSSL takes our signatures", () => {
    const point = Buffer.concat([
      Buffer.from("3039301306072a8648ce3d020106082a8648ce3d030107032200", "hex"),
      pair.publicKey,
    ]);
    const key = createPublicKey({ key: point, format: "der", type: "spki" });
    const signature = signP256(secret, sample);
    expect(verifyNode("sha256", sample, { key, dsaEncoding: "ieee-p1363" }, signature)).toBe(true);
  });

  test("one changed bit anywhere makes it invalid", () => {
    const signature = signP256(secret, sample);
    fc.assert(
      fc.property(fc.nat((33 + 64 + sample.length) * 8 - 1), (bit) => {
        const all = concatBytes(pair.publicKey, signature, sample);
        all[bit >> 3]! ^= 1 << (bit & 7);
        expect(verifyP256(all.subarray(0, 33), all.subarray(97), all.subarray(33, 97))).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test("bad lengths, points and numbers are answers, not exceptions", () => {
    const signature = signP256(secret, sample);
    const [r, s] = [signature.subarray(0, 32), signature.subarray(32)];
    const zero = new Uint8Array(32);
    const bad = [
      concatBytes(zero, s),
      concatBytes(r, zero),
      concatBytes(wordOf(ORDER), s),
      concatBytes(r, wordOf(ORDER)),
    ];
    for (const bytes of bad) {
      expect(verifyP256(pair.publicKey, sample, bytes)).toBe(false);
      expect(lowerP256Signature(bytes)).toBeNull();
    }
    expect(lowerP256Signature(signature.subarray(1))).toBeNull();
    expect(verifyP256(new Uint8Array(33), sample, signature)).toBe(false);
    expect(verifyP256(new Uint8Array(0), sample, signature)).toBe(false);
    expect(verifyP256(pair.publicKey, sample, signature.subarray(1))).toBe(false);
    const anyBytes = fc.uint8Array({ maxLength: 70 });
    fc.assert(
      fc.property(anyBytes, anyBytes, anyBytes, (key, message, bytes) => {
        expect(verifyP256(key, message, bytes)).toBe(false);
      }),
    );
  });

  test("a secret is a number in [1, n - 1]", () => {
    for (const bytes of [new Uint8Array(31), new Uint8Array(32), wordOf(ORDER), new Uint8Array(33).fill(1)]) {
      expect(() => createP256KeyPair(bytes)).toThrow(RangeError);
    }
    expect(createP256KeyPair(wordOf(ORDER - 1n)).publicKey).toHaveLength(33);
  });
});

/** SP 800-186, section 3.2.1.3. */
const FIELD_PRIME = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn;
const { Point } = p256;
const { Fn } = Point;
const digest = Fn.create(BigInt(`0x${encodeHex(sha256(sample))}`));

/** The key for which (R, s) is ECDSA's signature of the sample: (sR - eG) / r. Nobody knows its secret, nor needs to. */
function recoverKey(point: InstanceType<typeof Point>, s: bigint): Uint8Array {
  const r = Fn.create(point.toAffine().x);
  const key = point.multiply(s).subtract(Point.BASE.multiply(digest)).multiply(Fn.inv(r));
  return key.toBytes(true);
}

/** A point whose x is at least the order, so that r is not x: one in 2^32 of all, by chance never met. */
function findWrappedPoint(): InstanceType<typeof Point> {
  for (let x = ORDER + 1n; ; x++) {
    try {
      return Point.fromBytes(concatBytes(Uint8Array.of(2), wordOf(x)));
    } catch {
      // This x is of no point.
    }
  }
}

describe("the rule for device keys is one rule, whichever library judges", () => {
  const half = ORDER >> 1n;
  const some = Point.BASE.multiply(12_345n);
  const wrapped = findWrappedPoint();
  const rOf = (point: InstanceType<typeof Point>) => Fn.create(point.toAffine().x);
  const build = (r: bigint, s: bigint) => concatBytes(wordOf(r), wordOf(s));
  /** The key for which u1 G + u2 Q is no point at all, whatever s is. */
  const nowhere = Point.BASE.multiply(Fn.neg(Fn.mul(digest, Fn.inv(7n)))).toBytes(true);
  const plain = recoverKey(some, 5n);
  const tooLarge = concatBytes(Uint8Array.of(2), wordOf(FIELD_PRIME + 5n));

  const CASES: readonly [string, Uint8Array, Uint8Array, boolean][] = [
    ["a plain signature", plain, build(rOf(some), 5n), true],
    ["the largest s that counts", recoverKey(some, half), build(rOf(some), half), true],
    ["the least s that does not", recoverKey(some, half + 1n), build(rOf(some), half + 1n), false],
    ["an R whose x wraps round the order", recoverKey(wrapped, 5n), build(rOf(wrapped), 5n), true],
    ["the same with x in the place of r", recoverKey(wrapped, 5n), build(wrapped.toAffine().x, 5n), false],
    ["a sum that is the point at infinity", nowhere, build(7n, 5n), false],
    ["r zero", plain, build(0n, 5n), false],
    ["s zero", plain, build(rOf(some), 0n), false],
    ["a key of the other sign", plain.with(0, plain[0]! ^ 1), build(rOf(some), 5n), false],
    ["a key with the head of an uncompressed point", plain.with(0, 4), build(rOf(some), 5n), false],
    ["an x that is of no point", concatBytes(Uint8Array.of(2), wordOf(1n)), build(rOf(some), 5n), false],
    ["an x above the field's prime, whose remainder is of a point", tooLarge, build(rOf(some), 5n), false],
  ];

  test.each(CASES)("%s", (_, key, signature, isValid) => {
    expect(verifyP256(key, sample, signature)).toBe(isValid);
    expect(verifyDeviceSignature(key, sample, signature)).toBe(isValid);
  });

  test("and agrees on what is a byte away from valid", () => {
    const byte = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(fc.nat(96), byte, (at, value) => {
        const all = concatBytes(plain, build(rOf(some), 5n)).with(at, value);
        const [key, signature] = [all.subarray(0, 33), all.subarray(33)];
        expect(verifyDeviceSignature(key, sample, signature)).toBe(verifyP256(key, sample, signature));
      }),
      { numRuns: 60 },
    );
  });
});
