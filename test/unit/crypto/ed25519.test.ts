import { readFileSync } from "node:fs";
import { ed25519 } from "@noble/curves/ed25519.js";
import fc from "fast-check";
import sodium from "sodium-native";
import { describe, expect, test } from "vitest";
import { verifySignature } from "../../../node/src/host/verify.ts";
import { concatBytes } from "../../../protocol/src/bytes/bytes.ts";
import { decodeHex, encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { createKeyPair, sign } from "../../../protocol/src/crypto/ed25519.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import {
  checkSignatureForm,
  SIGNATURE_FORM_REASONS,
  type SignatureFormReason,
} from "../../../protocol/src/crypto/signatureForm.ts";
import { verifyStrict } from "../../../protocol/src/crypto/verifyStrict.ts";
import { createTorsionVectors } from "../../vectors/ed25519-torsion.ts";

interface SpeccheckCase {
  readonly case: number;
  readonly about: string;
  readonly message: string;
  readonly publicKey: string;
  readonly signature: string;
  readonly form: SignatureFormReason | null;
  readonly valid: boolean;
}

interface Rfc8032Case {
  readonly name: string;
  readonly secretSeed: string;
  readonly publicKey: string;
  readonly message: string;
  readonly signature: string;
}

const speccheck = readCases<SpeccheckCase>("ed25519-speccheck.json");
const rfc8032 = readCases<Rfc8032Case>("ed25519-rfc8032.json");
const torsion = createTorsionVectors();

function readCases<Case>(file: string): Case[] {
  const text = readFileSync(new URL(`../../vectors/${file}`, import.meta.url), "utf8");
  return JSON.parse(text).cases;
}

function bytesOf(hex: string): Uint8Array {
  return decodeHex(hex)!;
}

/** libsodium, asked directly: the wrapper throws at wrong lengths, which no peer's bytes reach. */
function verifySodium(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return sodium.crypto_sign_verify_detached(
    Buffer.from(signature),
    Buffer.from(message),
    Buffer.from(publicKey),
  );
}

/** What each of the three implementations says; they must never differ. */
function verdicts(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) {
  return {
    protocol: verifyStrict(publicKey, message, signature),
    sodium: verifySodium(publicKey, message, signature),
    openssl: verifySignature(publicKey, message, signature),
  };
}

function unanimous(valid: boolean) {
  return { protocol: valid, sodium: valid, openssl: valid };
}

describe("keys and signatures", () => {
  test.each(rfc8032)("RFC 8032 $name", (vector) => {
    const seed = bytesOf(vector.secretSeed);
    const { publicKey, secretSeed } = createKeyPair(seed);
    expect(encodeHex(publicKey)).toBe(vector.publicKey);
    expect(secretSeed).toEqual(seed);
    const message = bytesOf(vector.message);
    const signature = sign(seed, message);
    expect(encodeHex(signature)).toBe(vector.signature);
    expect(verdicts(publicKey, message, signature)).toEqual(unanimous(true));
  });

  test("a key pair does not share its seed's memory", () => {
    const seed = new Uint8Array(32).fill(1);
    const pair = createKeyPair(seed);
    seed.fill(2);
    expect(pair.secretSeed).toEqual(new Uint8Array(32).fill(1));
  });

  test.each([0, 31, 33, 64])("a seed of %i bytes is refused", (length) => {
    expect(() => createKeyPair(new Uint8Array(length))).toThrow(RangeError);
    expect(() => sign(new Uint8Array(length), new Uint8Array(1))).toThrow(RangeError);
  });
});

describe("the verification rule", () => {
  test.each(speccheck)("speccheck $case: $about", (vector) => {
    const [publicKey, message, signature] = [vector.publicKey, vector.message, vector.signature].map(bytesOf);
    expect(checkSignatureForm(publicKey!, signature!)).toBe(vector.form);
    expect(verdicts(publicKey!, message!, signature!)).toEqual(unanimous(vector.valid));
  });

  test("torsion vectors: three implementations and the construction agree", () => {
    const disagreeing = torsion.filter((vector) => {
      const { protocol, sodium, openssl } = verdicts(vector.publicKey, vector.message, vector.signature);
      return [protocol, sodium, openssl].some((verdict) => verdict !== vector.valid);
    });
    expect(disagreeing).toEqual([]);
  });

  test("the torsion vectors are the ones this rule was tried with", () => {
    const flat = torsion.flatMap((vector) => [vector.publicKey, vector.message, vector.signature]);
    expect(torsion).toHaveLength(905);
    expect(torsion.filter((vector) => vector.valid)).toHaveLength(43);
    expect(torsion.filter((vector) => vector.residueOrder > 1)).toHaveLength(459);
    expect(encodeHex(sha256(...flat))).toBe(
      "94ba6dd7c9455705d9dbb02fb6f46a380dd121c77c1aec0bc62fb431ecdfa7dc",
    );
  });

  test("noble's own verify is another rule: it takes many of them, with ZIP-215 and without", () => {
    const accepted = (zip215: boolean) =>
      torsion.filter(({ publicKey, message, signature }) =>
        ed25519.verify(signature, message, publicKey, { zip215 }),
      );
    expect(accepted(true).length).toBeGreaterThan(700);
    expect(accepted(false).filter((vector) => !vector.valid).length).toBeGreaterThan(50);
  });

  test("the form alone tells every small-order or non-canonical point of the vectors", () => {
    for (const { publicKey, signature, keyKind, commitmentKind } of torsion) {
      const reason = checkSignatureForm(publicKey, signature);
      if (keyKind === "small") expect(reason).toBe("key_small_order");
      else if (keyKind === "small_non_canonical") expect(reason).toMatch(/^key_(not_canonical|small_order)$/);
      else if (commitmentKind === "small") expect(reason).toBe("r_small_order");
      else if (commitmentKind === "small_non_canonical") expect(reason).toMatch(/^r_/);
      else expect(reason).toBeNull();
    }
  });
});

describe("signature form", () => {
  const { publicKey, secretSeed } = createKeyPair(new Uint8Array(32).fill(9));
  const signature = sign(secretSeed, new Uint8Array(0));
  const withS = (hex: string) => concatBytes(signature.subarray(0, 32), bytesOf(hex));
  const withR = (hex: string) => concatBytes(bytesOf(hex), signature.subarray(32));

  // L and p and their neighbours, little-endian: RFC 8032, section 5.1.
  const examples: [SignatureFormReason | null, Uint8Array, Uint8Array][] = [
    [null, publicKey, signature],
    ["key_length", publicKey.subarray(1), signature],
    ["signature_length", publicKey, signature.subarray(1)],
    ["signature_length", publicKey, concatBytes(signature, Uint8Array.of(0))],
    [null, publicKey, withS("ecd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")],
    ["s_not_canonical", publicKey, withS("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")],
    ["s_not_canonical", publicKey, withS("00000000000000000000000000000000000000000000000000000000000000ff")],
    ["key_not_canonical", bytesOf(`ed${"ff".repeat(30)}7f`), signature],
    ["key_small_order", new Uint8Array(32), signature],
    ["r_not_canonical", publicKey, withR(`f0${"ff".repeat(30)}ff`)],
    [null, publicKey, withR(`eb${"ff".repeat(30)}7f`)],
    ["r_small_order", publicKey, withR(`ec${"ff".repeat(30)}7f`)],
  ];

  test.each(examples)("%s (%#)", (reason, key, bytes) => {
    expect(checkSignatureForm(key, bytes)).toBe(reason);
    if (reason !== null) expect(verifyStrict(key, new Uint8Array(0), bytes)).toBe(false);
  });

  test("every reason of the closed list has an example", () => {
    const shown = new Set(examples.map(([reason]) => reason).filter((reason) => reason !== null));
    expect([...shown].sort()).toEqual([...SIGNATURE_FORM_REASONS].sort());
  });
});

describe("implementations agree on anything", () => {
  const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });
  const message = fc.uint8Array({ maxLength: 200 });
  const smallPoints = torsion
    .filter((vector) => vector.keyKind.startsWith("small"))
    .map((vector) => vector.publicKey);

  test("an honest signature is valid, and with one bit flipped anywhere it is not", () => {
    fc.assert(
      fc.property(seed, message, fc.nat(), (secretSeed, text, at) => {
        const { publicKey } = createKeyPair(secretSeed);
        const signature = sign(secretSeed, text);
        expect(verdicts(publicKey, text, signature)).toEqual(unanimous(true));
        const all = concatBytes(publicKey, signature, text);
        const bit = at % (all.length * 8);
        all[bit >> 3]! ^= 1 << (bit & 7);
        const flipped = [all.subarray(0, 32), all.subarray(96), all.subarray(32, 96)] as const;
        expect(verdicts(...flipped)).toEqual(unanimous(false));
      }),
      { numRuns: 200 },
    );
  });

  test("S + L, -R, foreign points and random bytes get one answer from all three", () => {
    const mutations = [addGroupOrder, negateR, replaceKey, replaceR, randomizeAll] as const;
    const pick = fc.constantFrom(...mutations);
    fc.assert(
      fc.property(seed, message, pick, fc.nat(), (secretSeed, text, mutate, choice) => {
        const { publicKey } = createKeyPair(secretSeed);
        const [key, signature] = mutate(publicKey, sign(secretSeed, text), choice);
        const { protocol, sodium, openssl } = verdicts(key, text, signature);
        expect([sodium, openssl]).toEqual([protocol, protocol]);
        expect(protocol).toBe(false);
      }),
      { numRuns: 200 },
    );
  });

  test("arguments of any length get an answer, not an exception", () => {
    const any = fc.uint8Array({ maxLength: 80 });
    fc.assert(
      fc.property(any, message, any, (key, text, signature) => {
        expect(verifyStrict(key, text, signature)).toBe(false);
        expect(verifySignature(key, text, signature)).toBe(false);
      }),
    );
  });

  type Mutated = readonly [key: Uint8Array, signature: Uint8Array];

  function addGroupOrder(key: Uint8Array, signature: Uint8Array): Mutated {
    const order = bytesOf("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
    const changed = signature.slice();
    let carry = 0;
    for (let i = 0; i < 32; i++) {
      carry += changed[32 + i]! + order[i]!;
      changed[32 + i] = carry & 255;
      carry >>= 8;
    }
    return [key, changed];
  }

  function negateR(key: Uint8Array, signature: Uint8Array): Mutated {
    const changed = signature.slice();
    changed[31]! ^= 0x80;
    return [key, changed];
  }

  function replaceKey(_: Uint8Array, signature: Uint8Array, choice: number): Mutated {
    return [smallPoints[choice % smallPoints.length]!, signature];
  }

  function replaceR(key: Uint8Array, signature: Uint8Array, choice: number): Mutated {
    return [key, concatBytes(smallPoints[choice % smallPoints.length]!, signature.subarray(32))];
  }

  function randomizeAll(key: Uint8Array, signature: Uint8Array, choice: number): Mutated {
    const noise = (label: number, bytes: Uint8Array) => sha256(Uint8Array.of(label), bytes);
    return choice % 2 === 0
      ? [noise(0, key), signature]
      : [key, concatBytes(noise(1, signature), noise(2, signature))];
  }
});
