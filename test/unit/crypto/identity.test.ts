import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encodeBase58 } from "../../../protocol/src/bytes/base58.ts";
import { concatBytes } from "../../../protocol/src/bytes/bytes.ts";
import { decodeHex } from "../../../protocol/src/bytes/hex.ts";
import { decodeDidKey, encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { createKeyPair } from "../../../protocol/src/crypto/ed25519.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import { ANIMALS, COLOURS, QUALITIES } from "../../../protocol/src/crypto/words.ts";

const key = fc.uint8Array({ minLength: 32, maxLength: 32 });

describe("did:key", () => {
  // Source: W3C CCG, The did:key Method, test vectors ed25519-x25519.json: seeds of 31 zero bytes and 0, 1 or 2.
  test.each([
    [0, "did:key:z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp"],
    [1, "did:key:z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG"],
    [2, "did:key:z6MknGc3ocHs3zdPiJbnaaqDi58NGb4pk1Sp9WxWufuXSdxf"],
  ])("published key of seed %i", (lastByte, did) => {
    const seed = new Uint8Array(32);
    seed[31] = lastByte;
    const { publicKey } = createKeyPair(seed);
    expect(encodeDidKey(publicKey)).toBe(did);
    expect(decodeDidKey(did)).toEqual(publicKey);
  });

  test("decoding undoes encoding for every key", () => {
    fc.assert(
      fc.property(key, (bytes) => {
        const did = encodeDidKey(bytes);
        expect(did).toMatch(/^did:key:z6Mk[1-9A-HJ-NP-Za-km-z]{44}$/);
        expect(decodeDidKey(did)).toEqual(bytes);
      }),
    );
  });

  test("a changed character never reads as the same key", () => {
    fc.assert(
      fc.property(key, fc.nat(55), fc.string({ minLength: 1, maxLength: 2 }), (bytes, at, put) => {
        const did = encodeDidKey(bytes);
        const changed = did.slice(0, at) + put + did.slice(at + 1);
        if (changed !== did) expect(decodeDidKey(changed)).not.toEqual(bytes);
      }),
    );
  });

  test("refuses other methods, other key types and anything around the key", () => {
    const bytes = createKeyPair(new Uint8Array(32)).publicKey;
    const did = encodeDidKey(bytes);
    const withCodec = (...codec: number[]) =>
      `did:key:z${encodeBase58(concatBytes(Uint8Array.from(codec), bytes))}`;
    expect(decodeDidKey(withCodec(0xed, 0x01))).toEqual(bytes);
    const others = [
      withCodec(0xec, 0x01), // X25519
      withCodec(0xe7, 0x01), // secp256k1
      withCodec(0xed, 0x00),
      withCodec(0xed),
      did.replace("did:key", "did:web"),
      did.replace(":z", ":f"),
      `${did}#${did.slice(8)}`,
      ` ${did}`,
      `${did}\n`,
      did.toUpperCase(),
      did.slice(0, -1),
      "",
    ];
    for (const text of others) expect(decodeDidKey(text)).toBeNull();
  });

  test("takes keys of 32 bytes only", () => {
    expect(() => encodeDidKey(new Uint8Array(31))).toThrow(RangeError);
    expect(() => encodeDidKey(new Uint8Array(33))).toThrow(RangeError);
  });
});

describe("names", () => {
  const lists = { QUALITIES, COLOURS, ANIMALS };

  test.each(Object.entries(lists))("%s has 256 distinct short words", (_, words) => {
    expect(words).toHaveLength(256);
    expect(new Set(words).size).toBe(256);
    for (const word of words) expect(word).toMatch(/^[a-z]{2,12}$/);
  });

  test("no word stands in two lists", () => {
    expect(new Set([...QUALITIES, ...COLOURS, ...ANIMALS]).size).toBe(768);
  });

  // Golden: the public keys of RFC 8032, TEST 1 to 3. A change here renames every hotspot.
  test.each([
    ["d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "giving-clay-elephant"],
    ["3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "polite-agate-loon"],
    ["fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "harmonic-beryl-gecko"],
  ])("%s is %s", (hex, name) => {
    const publicKey = decodeHex(hex, 32)!;
    expect(computeName(publicKey)).toBe(name);
  });

  test("names spread over all words of each list", () => {
    const seen = [new Set<string>(), new Set<string>(), new Set<string>()];
    for (let i = 0; i < 4000; i++) {
      const words = computeName(
        Uint8Array.from({ length: 32 }, (_, at) => (at < 2 ? (i >> (8 * at)) & 255 : 0)),
      );
      for (const [at, word] of words.split("-").entries()) seen[at]!.add(word);
    }
    for (const words of seen) expect(words.size).toBe(256);
  });
});
