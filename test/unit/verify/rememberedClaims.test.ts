import { describe, expect, test } from "vitest";
import { rememberClaims } from "../../../validator/src/verify/rememberedClaims.ts";
import type { SignatureClaim } from "../../../validator/src/verify/signatureJob.ts";

const bytes = (length: number, value: number) => new Uint8Array(length).fill(value);
const claim = (key: number, signature: number, ...message: Uint8Array[]): SignatureClaim => ({
  publicKey: bytes(32, key),
  message,
  signature: bytes(64, signature),
});

/** Finds valid what a predicate says, and counts what it is asked. */
function openVerifier(isValid: (claim: SignatureClaim) => boolean) {
  const asked: SignatureClaim[] = [];
  const verifier = rememberClaims({
    canAcceptWork: () => asked.length < 4,
    verify: async (batch) => {
      asked.push(...batch);
      return Uint8Array.from(batch, (each) => (isValid(each) ? 1 : 0));
    },
  });
  return { verifier, asked };
}

describe("remembered claims", () => {
  test("are asked once where they are valid, and every time where they are not, in their places", async () => {
    const { verifier, asked } = openVerifier(({ signature }) => signature[0] === 1);
    const good = claim(7, 1, bytes(3, 1), bytes(2, 2));
    const bad = claim(7, 0, bytes(3, 1), bytes(2, 2));
    expect([...(await verifier.verify([bad, good, bad]))]).toEqual([0, 1, 0]);
    expect([...(await verifier.verify([good, bad, good]))]).toEqual([1, 0, 1]);
    expect(asked).toEqual([bad, good, bad, bad]);
    expect(verifier.canAcceptWork()).toBe(false);
  });

  test("of another key, message or signature are not taken for it; the message's parts may be cut otherwise", async () => {
    const { verifier, asked } = openVerifier(() => true);
    await verifier.verify([claim(7, 1, bytes(5, 1))]);
    await verifier.verify([claim(7, 1, bytes(2, 1), bytes(3, 1))]);
    expect(asked).toHaveLength(1);
    const others = [claim(8, 1, bytes(5, 1)), claim(7, 2, bytes(5, 1)), claim(7, 1, bytes(6, 1))];
    await verifier.verify(others);
    expect(asked).toHaveLength(4);
  });

  test("of a device key are remembered too, apart from what the same bytes would be with a shorter key", async () => {
    const { verifier, asked } = openVerifier(() => true);
    const device = { ...claim(7, 7, bytes(5, 7)), publicKey: bytes(33, 7) };
    await verifier.verify([device]);
    await verifier.verify([device]);
    expect(asked).toHaveLength(1);
    await verifier.verify([claim(7, 7, bytes(6, 7))]);
    expect(asked).toHaveLength(2);
  });

  test("with a key or signature of a wrong length are always asked: their bytes could be another's, cut otherwise", async () => {
    const { verifier, asked } = openVerifier(({ publicKey }) => publicKey.length === 32);
    const good = claim(7, 7, bytes(5, 7));
    const cut = { publicKey: bytes(31, 7), signature: bytes(65, 7), message: [bytes(5, 7)] };
    expect([...(await verifier.verify([good]))]).toEqual([1]);
    expect([...(await verifier.verify([cut]))]).toEqual([0]);
    expect(asked).toHaveLength(2);
  });
});
