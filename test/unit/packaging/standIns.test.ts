/** What stands in the bundle for packages in WebAssembly, against published values and against what it stands in for. */
import { createHash, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ChaCha20Poly1305, newInstance } from "../../../node/packaging/standIns/chacha20poly1305.ts";
import { allocUnsafe, digest, digest64HashObjects } from "../../../node/packaging/standIns/sha256.ts";
import { asciiBytes } from "../../../protocol/src/bytes/bytes.ts";
import { decodeHex, encodeHex } from "../../../protocol/src/bytes/hex.ts";

const cipher = new ChaCha20Poly1305();

describe("the cipher", () => {
  // RFC 8439, section 2.8.2.
  const key = Uint8Array.from({ length: 32 }, (_, i) => 0x80 + i);
  const nonce = decodeHex("070000004041424344454647")!;
  const associated = decodeHex("50515253c0c1c2c3c4c5c6c7")!;
  const plaintext = asciiBytes(
    "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.",
  );
  const sealed =
    "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691";

  test("is RFC 8439's", () => {
    expect(newInstance()).toBeNull();
    expect(encodeHex(cipher.seal(key, nonce, plaintext, associated))).toBe(sealed);
    expect(new Uint8Array(cipher.open(key, nonce, decodeHex(sealed)!, associated)!)).toEqual(plaintext);
  });

  test("opens what it sealed, into a place that is given too, and nothing that was changed", () => {
    const bytes = (most: number) => fc.uint8Array({ maxLength: most });
    fc.assert(
      fc.property(bytes(300), bytes(32), fc.nat(), (text, about, at) => {
        const [ownKey, ownNonce] = [randomBytes(32), randomBytes(12)];
        const whole = cipher.seal(ownKey, ownNonce, text, about);
        const into = new Uint8Array(text.length);
        expect(cipher.open(ownKey, ownNonce, whole, about, into)).toBe(into);
        expect(into).toEqual(text);
        whole[at % whole.length]! ^= 1;
        expect(cipher.open(ownKey, ownNonce, whole, about)).toBeNull();
        expect(cipher.open(ownKey, ownNonce, whole.subarray(0, 15), about)).toBeNull();
      }),
    );
  });
});

test("the hash is SHA-256, memory is of the size that is asked for, and SSZ's trees are nobody's", () => {
  const data = randomBytes(100);
  expect(encodeHex(digest(data))).toBe(createHash("sha256").update(data).digest("hex"));
  expect(allocUnsafe(70)).toHaveLength(70);
  expect(() => digest64HashObjects()).toThrow("no Merkle tree");
});
