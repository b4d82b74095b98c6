/** Hexadecimal: every byte string comes back in either case, and no other text is taken for one. */
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeHex, encodeHex, encodeHex0x } from "../../../protocol/src/bytes/hex.ts";

describe("hexadecimal", () => {
  test("is what Node's own is, and comes back", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const text = encodeHex(bytes);
        expect(text).toBe(Buffer.from(bytes).toString("hex"));
        for (const form of [text, text.toUpperCase(), encodeHex0x(bytes)]) {
          expect(decodeHex(form)).toEqual(bytes);
          expect(decodeHex(form, bytes.length)).toEqual(bytes);
          expect(decodeHex(form, bytes.length + 1)).toBeNull();
        }
      }),
    );
  });

  test("is the same of long byte strings, at the lengths where pieces meet and beyond", () => {
    for (const length of [4_095, 4_096, 4_097, 8_192, 1_000_001]) {
      const bytes = Uint8Array.from({ length }, (_, index) => index * 31);
      expect(encodeHex(bytes) === Buffer.from(bytes).toString("hex")).toBe(true);
    }
  });

  test("is nothing else", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."0189afAFxXgG \n\u0130"), maxLength: 6 }), (text) => {
        const isHex = /^(0x)?([0-9a-fA-F]{2})*$/.test(text);
        expect(decodeHex(text) !== null).toBe(isHex);
      }),
    );
    for (const text of ["0", "0x0", "g0", "0g", "0X00", " 00", "00\n", "\u0130\u0130", "0\u0661"])
      expect(decodeHex(text)).toBeNull();
  });
});
