import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BASE58_MAX_BYTES, decodeBase58, encodeBase58 } from "../../../protocol/src/bytes/base58.ts";
import { asciiBytes } from "../../../protocol/src/bytes/bytes.ts";
import { decodeHex } from "../../../protocol/src/bytes/hex.ts";

describe("base58", () => {
  // Source: draft-msporny-base58-03, section 5, test vectors.
  test.each([
    [asciiBytes("Hello World!"), "2NEpo7TZRRrLZSi2U"],
    [
      asciiBytes("The quick brown fox jumps over the lazy dog."),
      "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z",
    ],
    [decodeHex("0000287fb4cd")!, "11233QC4"],
    [new Uint8Array(0), ""],
  ])("published case %#", (bytes, text) => {
    expect(encodeBase58(bytes)).toBe(text);
    expect(decodeBase58(text)).toEqual(bytes);
  });

  test("decoding undoes encoding, leading zeros included", () => {
    const bytes = fc
      .tuple(fc.integer({ min: 0, max: 8 }), fc.uint8Array({ maxLength: BASE58_MAX_BYTES - 8 }))
      .map(([zeros, rest]) => Uint8Array.of(...new Uint8Array(zeros), ...rest));
    fc.assert(
      fc.property(bytes, (value) => {
        expect(decodeBase58(encodeBase58(value))).toEqual(value);
      }),
    );
  });

  test("encoding undoes decoding: no two texts mean the same bytes", () => {
    const text = fc.string({
      unit: fc.constantFrom(..."123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz1"),
      maxLength: 100,
    });
    fc.assert(
      fc.property(text, (value) => {
        const bytes = decodeBase58(value);
        if (bytes === null) expect(value.length).toBeGreaterThan(BASE58_MAX_BYTES);
        else expect(encodeBase58(bytes)).toBe(value);
      }),
    );
  });

  test("any text is answered, and characters outside the alphabet are refused", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (value) => {
        const bytes = decodeBase58(value);
        if (bytes !== null) expect(encodeBase58(bytes)).toBe(value);
      }),
    );
    for (const text of ["0", "O", "I", "l", "2NEpo7TZRRrLZSi2U ", "é", "\u{1f600}"]) {
      expect(decodeBase58(text)).toBeNull();
    }
  });

  test("both directions end at the stated bytes", () => {
    const longest = new Uint8Array(BASE58_MAX_BYTES).fill(255);
    expect(decodeBase58(encodeBase58(longest))).toEqual(longest);
    expect(() => encodeBase58(new Uint8Array(BASE58_MAX_BYTES + 1))).toThrow(RangeError);
    expect(decodeBase58("1".repeat(BASE58_MAX_BYTES))).toEqual(new Uint8Array(BASE58_MAX_BYTES));
    expect(decodeBase58("1".repeat(BASE58_MAX_BYTES + 1))).toBeNull();
    expect(decodeBase58("z".repeat(88))).toBeNull();
    expect(decodeBase58("z".repeat(1_000_000))).toBeNull();
  });
});
