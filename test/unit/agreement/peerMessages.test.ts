/** What validators send each other: one encoding each, golden, and nothing else decodes. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { verifySignature } from "../../../node/src/host/verify.ts";
import {
  checkRewardCert,
  computeValidatorsHash,
  encodeAttest,
  RULES_VERSION,
} from "../../../protocol/src/agreement/attest.ts";
import { assembleSignatures, createValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import {
  decodeFetch,
  decodeFetchedRounds,
  encodeFetch,
  encodeFetchedRounds,
  type Fetch,
} from "../../../protocol/src/agreement/fetches.ts";
import { computeLeaders } from "../../../protocol/src/agreement/leaders.ts";
import {
  decodePeerMessage,
  encodePeerMessage,
  PEER_MESSAGE_TYPES,
  type PeerMessage,
  toFinalCert,
} from "../../../protocol/src/agreement/peerMessages.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { createSigningDomains, signingMessage } from "../../../protocol/src/crypto/domain.ts";
import { createKeyPair, sign } from "../../../protocol/src/crypto/ed25519.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";

const VALIDATORS = 4;
const fill = (byte: number, length = 32) => new Uint8Array(length).fill(byte);
const signature = fill(0x5a, 64);
const x = encodeHex(fill(0xab));
const tip = { lane: fill(1), seq: 7, digest: fill(2) };
const notarization = {
  kind: "notarize",
  view: 3,
  value: x,
  signers: [0, 1, 3],
  proof: [fill(1, 64), fill(2, 64), fill(3, 64)],
} as const;
const attest = {
  epoch: 9,
  rewardRoot: fill(3),
  stateRoot: fill(4),
  nextValidatorsHash: fill(5),
  parametersHash: fill(6),
  rulesVersion: RULES_VERSION,
};
const certificate = { bitmap: Uint8Array.of(0b1011), signatures: [signature, signature, signature] };

const MESSAGES: readonly PeerMessage[] = [
  {
    type: "tips",
    signed: {
      tips: {
        round: 5,
        validator: fill(8),
        timeMs: 1_700_000_000_000,
        tips: [tip],
        executedRound: 4,
        executedDigest: fill(9),
      },
      signature,
    },
  },
  {
    type: "proposal",
    round: 5,
    proposal: {
      kind: "propose",
      view: 4,
      parent: 3,
      value: x,
      validator: 2,
      signature,
      justification: [notarization],
    },
    value: null,
  },
  { type: "vote", round: 5, vote: { kind: "nullify", view: 4, value: null, validator: 3, signature } },
  { type: "certificate", round: 5, certificate: notarization },
  { type: "status", status: { round: 5, view: 4, rounds: 5 } },
  { type: "batch", signed: { epoch: 2, batch: fill(7, 100), signature } },
  { type: "ack", ack: { ack: { ...tip, epoch: 2 }, validator: 1, signature } },
  { type: "availability", cert: { ...tip, epoch: 2, ...certificate } },
  { type: "attest", signed: { attest, validator: 3, signature } },
  { type: "rewardCert", cert: { attest, ...certificate } },
  { type: "evidence", evidence: { offender: fill(1), kind: 6, first: fill(2, 136), second: fill(3, 136) } },
];

/** SHA-256 of each kind's encoding, made once by this code and held against it ever since. */
const GOLDEN: Readonly<Record<PeerMessage["type"], string>> = {
  tips: "646c19d0357bad829075939400f167c0cbd99eaa0657c11c921b59c4078a3285",
  proposal: "74698f77cab1713a318aa5d19843750e3b980777788f0aaffb268df943ddbc3a",
  vote: "a66828f0422afb8ae50d04f164f2bc1764f002ba3b24724b9d555902c89a28c8",
  certificate: "5f445dfc4b1c4b01685ad448822825bc9b41eee6b25367c30ce82af849832fff",
  status: "ef6cec0f43f9ea62ce38056e8f9b3a4edc2ae448673c5527c89507173dd3ca39",
  batch: "9a0a9d0312b6bda04681021d60be57809a95672b3eca9cd3296a3c1a5e756d0f",
  ack: "2c4b3c758c8b7b9689b91b9917fe2a9a4f30e219f8b9de562b89c90453bfc160",
  availability: "25fc94164d5c2b60c3275a5e3697fbb9b98e52a66b6bd7accf4de54740b01d8a",
  attest: "84f1bbf2451fe9285048ce75c0d0d0771227de20fa215063b7485cd095aafb12",
  rewardCert: "46def08c540c17480329482941a5d76b3b9f2f42780a7404e34531addbcbaaec",
  evidence: "73cb0bb2a1506c901862421fdc7b6b46e3ea79d5425b7b1d41a9603942637fdc",
};

describe("messages between validators", () => {
  test("have one encoding each, which is on record", () => {
    expect(MESSAGES.map(({ type }) => type)).toEqual(PEER_MESSAGE_TYPES);
    const digests = MESSAGES.map((message) => {
      const bytes = encodePeerMessage(message, VALIDATORS);
      expect(decodePeerMessage(bytes, VALIDATORS)).toEqual(message);
      return [message.type, encodeHex(sha256(bytes))];
    });
    expect(Object.fromEntries(digests)).toEqual(GOLDEN);
    const vote = encodePeerMessage(MESSAGES[2]!, VALIDATORS);
    expect(encodeHex(vote)).toBe(
      `03${"0500000000000000"}${"04000000"}01${"00".repeat(32)}03${"5a".repeat(64)}`,
    );
  });

  test("name only what a set of their size has", () => {
    const vote = encodePeerMessage(MESSAGES[2]!, VALIDATORS);
    expect(decodePeerMessage(vote, 3)).toBeNull();
    const cert = encodePeerMessage(MESSAGES[3]!, VALIDATORS);
    expect(decodePeerMessage(cert, 3)).toBeNull();
    expect(decodePeerMessage(cert, 9)).toBeNull();
    const withValue = vote.slice();
    withValue[13] = 1;
    withValue[14] = 1;
    expect(decodePeerMessage(withValue, VALIDATORS)).toBeNull();
  });

  test("decode to themselves or not at all, however they are bent", () => {
    const encoded = MESSAGES.map((message) => encodePeerMessage(message, VALIDATORS));
    const bent = fc
      .tuple(
        fc.constantFrom(...encoded),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.nat(40),
      )
      .map(([bytes, changes, cut]) => {
        const copy = bytes.slice(0, bytes.length - Math.min(cut, bytes.length));
        for (const [at, byte] of changes) if (copy.length > 0) copy[at % copy.length] = byte;
        return copy;
      });
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 400 }), bent), (bytes) => {
        const decoded = decodePeerMessage(bytes, VALIDATORS);
        if (decoded !== null) expect(encodePeerMessage(decoded, VALIDATORS)).toEqual(bytes);
      }),
      { numRuns: 2_000 },
    );
  });

  test("carry the certificate that decided", () => {
    const decided = { ...notarization, kind: "finalize" } as const;
    const final = toFinalCert(5, decided, VALIDATORS);
    expect(final).toMatchObject({ round: 5, view: 3, bitmap: Uint8Array.of(0b1011) });
  });
});

describe("fetches", () => {
  test("are strict both ways", () => {
    const fetches: Fetch[] = [
      { type: "batch", digest: fill(1) },
      { type: "value", digest: fill(2) },
      { type: "rounds", from: 2 ** 40 },
      { type: "rewardCert", epoch: 7 },
      { type: "availability", tip: { lane: fill(3), seq: 9, digest: fill(4) } },
    ];
    for (const fetch of fetches) expect(decodeFetch(encodeFetch(fetch))).toEqual(fetch);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const decoded = decodeFetch(bytes);
        if (decoded !== null) expect(encodeFetch(decoded)).toEqual(bytes);
      }),
    );
    const rounds = [{ value: fill(1, 50), cert: fill(2, 60) }];
    expect(decodeFetchedRounds(encodeFetchedRounds(rounds))).toEqual(rounds);
    expect(decodeFetchedRounds(fill(3, 20))).toBeNull();
  });
});

describe("leaders", () => {
  test("are a permutation that seed and round shuffle evenly", () => {
    const first = new Array<number>(7).fill(0);
    for (let round = 0; round < 2_100; round++) {
      const leaders = computeLeaders(fill(1), round, 7);
      expect([...leaders].sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
      first[leaders[0]!]!++;
    }
    for (const count of first) expect(count).toBeGreaterThan(240);
    expect(computeLeaders(fill(1), 5, 7)).toEqual([4, 6, 3, 0, 5, 1, 2]);
    expect(computeLeaders(fill(1), 5, 1)).toEqual([0]);
  });
});

describe("a reward certificate", () => {
  const keys = Array.from({ length: VALIDATORS }, (_, index) => createKeyPair(sha256(Uint8Array.of(index))));
  const set = createValidatorSet(keys.map(({ publicKey }) => publicKey));
  const domains = createSigningDomains(fill(0));
  const signedBy = (position: number) =>
    sign(keys[position]!.secretSeed, signingMessage(domains, "attest", encodeAttest(attest)));

  test("is a quorum's signatures of one attestation, and nothing else", () => {
    const signatures = new Map([0, 1, 3].map((position) => [position, signedBy(position)]));
    const cert = { attest, ...assembleSignatures(signatures, set) };
    expect(checkRewardCert(cert, set, domains, verifySignature)).toBeNull();
    const other = { ...cert, attest: { ...attest, epoch: 10 } };
    expect(checkRewardCert(other, set, domains, verifySignature)).toBe("signature_invalid");
    signatures.delete(0);
    const few = { attest, ...assembleSignatures(signatures, set) };
    expect(checkRewardCert(few, set, domains, verifySignature)).toBe("below_quorum");
    expect(computeValidatorsHash(set)).not.toEqual(computeValidatorsHash({ keys: [...set.keys].reverse() }));
  });
});
