import { describe, expect, test } from "vitest";
import { verifySignature } from "../../../node/src/host/verify.ts";
import { createValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import {
  type Certificate,
  createEd25519Scheme,
  createSimplex,
  type Effect,
  type Event,
  encodeStatement,
  type Message,
  stepSimplex,
} from "../../../protocol/src/agreement/simplex/index.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { createSigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { sign } from "../../../protocol/src/crypto/ed25519.ts";
import { keyNamed } from "../validator/support/network.ts";

const VALUE = "ab".repeat(32);
const keys = [0, 1, 2, 3].map((index) => keyNamed(`validator ${index}`));
const set = createValidatorSet(keys.map(({ publicKey }) => publicKey));
const schemeOf = (self: number, round = 9, network = 1) =>
  createEd25519Scheme({
    round,
    set,
    domains: createSigningDomains(new Uint8Array(32).fill(network)),
    verify: verifySignature,
    sign: (message) => sign(keys[self]!.secretSeed, message),
  });
const schemes = keys.map((_, self) => schemeOf(self));

function certify(kind: "notarize" | "finalize" = "finalize"): Certificate {
  const vote = { kind, view: 3, value: VALUE } as const;
  return schemes[0]!.certify(
    vote,
    [0, 2, 3].map((validator) => ({ ...vote, validator, signature: schemes[validator]!.sign(vote) })),
  );
}

describe("the statement's bytes", () => {
  // Worked out by hand from SSZ: round u64, view u32, (parent u32,) value 32 bytes, little-endian.
  test.each([
    [{ kind: "notarize", view: 3, value: VALUE }, `0900000000000000${"03000000"}${VALUE}`],
    [{ kind: "nullify", view: 258, value: null }, `0900000000000000${"02010000"}${"00".repeat(32)}`],
    [{ kind: "propose", view: 3, parent: 2, value: VALUE }, `0900000000000000${"0300000002000000"}${VALUE}`],
  ] as const)("of %o", (statement, bytes) => {
    expect(encodeHex(encodeStatement(9, statement)!)).toBe(bytes);
  });

  test("exist for one spelling of a value only", () => {
    for (const name of ["AB".repeat(32), `0x${VALUE}`, "ab", ""]) {
      expect(encodeStatement(9, { kind: "notarize", view: 1, value: name })).toBeNull();
    }
  });
});

describe("a certificate of Ed25519 signatures", () => {
  test("verifies, and comes apart into its votes", () => {
    const certificate = certify();
    expect(schemes[1]!.verifyCertificate(certificate)).toBe(true);
    expect(schemes[1]!.votesOf(certificate).map(({ validator }) => validator)).toEqual([0, 2, 3]);
  });

  test.each<[string, (certificate: Certificate) => Certificate]>([
    ["kind", (c) => ({ ...c, kind: "notarize" })],
    ["view", (c) => ({ ...c, view: 4 })],
    ["value", (c) => ({ ...c, value: "ac".repeat(32) })],
    ["signers", (c) => ({ ...c, signers: [0, 1, 3] })],
    ["number of signatures", (c) => ({ ...c, proof: (c.proof as Uint8Array[]).slice(1) })],
    ["proof's form", (c) => ({ ...c, proof: {} })],
    ["signature", (c) => ({ ...c, proof: (c.proof as Uint8Array[]).map((s) => s.with(5, s[5]! ^ 1)) })],
  ])("is refused with another %s", (_, change) => {
    expect(schemes[1]!.verifyCertificate(change(certify()))).toBe(false);
  });

  test("is none for another round or network", () => {
    expect(schemeOf(1, 10).verifyCertificate(certify())).toBe(false);
    expect(schemeOf(1, 9, 2).verifyCertificate(certify())).toBe(false);
  });
});

test("four validators decide with real signatures", () => {
  const leaders = [2, 0, 3, 1];
  const states = keys.map((_, self) =>
    createSimplex({ self, validators: 4, leaders, delayMs: 100, scheme: schemes[self]! }),
  );
  const queue: { to: number; event: Event }[] = keys.map((_, to) => ({ to, event: { type: "start" } }));
  const eventOf = (from: number, message: Message): Event =>
    message.type === "vote"
      ? { type: "vote", from, vote: message.vote }
      : message.type === "proposal"
        ? { type: "proposal", from, proposal: message.proposal }
        : { type: "certificate", from, certificate: message.certificate };
  const answer = (self: number, effect: Effect) => {
    if (effect.type === "buildValue") queue.push({ to: self, event: { type: "propose", value: VALUE } });
    if (effect.type === "requestValue") {
      queue.push({ to: self, event: { type: "valueAvailable", value: effect.value, valid: true } });
    }
    if (effect.type !== "broadcast") return;
    for (const to of [0, 1, 2, 3].filter((other) => other !== self)) {
      queue.push({ to, event: eventOf(self, effect.message) });
    }
  };
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const step = stepSimplex(states[next.to]!, next.event);
    states[next.to] = step.state;
    for (const effect of step.effects) answer(next.to, effect);
  }
  expect(states.map(({ final }) => final?.value)).toEqual([VALUE, VALUE, VALUE, VALUE]);
  expect(states.map(({ final }) => final?.view)).toEqual([1, 1, 1, 1]);
});
