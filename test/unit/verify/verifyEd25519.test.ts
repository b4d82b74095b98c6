import { expect, test } from "vitest";
import { verifyEd25519 } from "../../../validator/src/verify/verifyEd25519.ts";
import { createTorsionVectors } from "../../vectors/ed25519-torsion.ts";

test("one signature is judged by the network's rule", () => {
  for (const { publicKey, message, signature, valid } of createTorsionVectors())
    expect(verifyEd25519(publicKey, message, signature)).toBe(valid);
});

test("a key or signature of another length is judged, and not thrown at", () => {
  const { publicKey, message, signature } = createTorsionVectors().find(({ valid }) => valid)!;
  expect(verifyEd25519(publicKey.subarray(1), message, signature)).toBe(false);
  expect(verifyEd25519(publicKey, message, signature.subarray(1))).toBe(false);
  expect(verifyEd25519(publicKey, message, new Uint8Array(65))).toBe(false);
});
