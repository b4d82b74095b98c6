/** A leader's fresh value from tips that name what their authors held: whatever certificates came before or since. */
import { describe, expect, test } from "vitest";
import { verifySignature } from "../../../node/src/host/verify.ts";
import {
  assembleSignatures,
  createValidatorSet,
  type ValidatorSet,
  type ValidatorSets,
} from "../../../protocol/src/agreement/certificates.ts";
import type { DropReason } from "../../../protocol/src/agreement/drops.ts";
import {
  type AvailabilityCert,
  decodeValue,
  encodeAckBody,
  encodeTips,
  encodeVoteBody,
  type FinalCert,
  type SignedTips,
} from "../../../protocol/src/agreement/rounds.ts";
import type { ValueContext } from "../../../protocol/src/agreement/valueRules.ts";
import { AvailabilityBook } from "../../../validator/src/lanes/availability.ts";
import { buildValue } from "../../../validator/src/rounds/valueBuilder.ts";
import { contextOf, createTestGenesis, keyNamed, signBody } from "./support/network.ts";

const network = contextOf(createTestGenesis(0));
const { domains, parameters } = network;
const digestOf = (fill: number): Uint8Array => new Uint8Array(32).fill(fill);
const keyOf = (member: number) => keyNamed(`member ${member}`);
const setOf = (...members: number[]) => createValidatorSet(members.map((member) => keyOf(member).publicKey));

/** Author and bad one is member 0; in the next epoch member 4 has member 3's seat. */
const BEFORE = setOf(0, 1, 2, 3);
const NOW = setOf(0, 1, 2, 4);
const sets: ValidatorSets = { setOf: (epoch) => (epoch === 0 ? BEFORE : NOW) };
const LANE = keyOf(0).publicKey;
const ROUND = parameters.roundsPerEpoch + 2;

function assemble(set: ValidatorSet, signers: readonly number[], kind: "ack" | "finalize", body: Uint8Array) {
  const signatures = signers.map((member): [number, Uint8Array] => [
    set.positionOf(keyOf(member).publicKey)!,
    signBody(network, keyOf(member), kind, body),
  ]);
  return assembleSignatures(new Map(signatures), set);
}

function certify(
  seq: number,
  digest: Uint8Array,
  epoch: number,
  signers: readonly number[],
): AvailabilityCert {
  const body = { lane: LANE, seq, digest, epoch };
  return { ...body, ...assemble(sets.setOf(epoch)!, signers, "ack", encodeAckBody(body)) };
}

function previousFinal(): FinalCert {
  const body = { round: ROUND - 1, view: 1, value: digestOf(5) };
  return { ...body, ...assemble(NOW, [1, 2, 4], "finalize", encodeVoteBody(body)) };
}

const context: ValueContext = {
  ...{ round: ROUND, parameters, sets, domains, verify: verifySignature },
  previous: { cut: [], value: digestOf(5) },
};

function tipsOf(member: number, { seq, digest }: AvailabilityCert): SignedTips {
  const tips = {
    ...{ round: ROUND, validator: keyOf(member).publicKey, timeMs: 7, tips: [{ lane: LANE, seq, digest }] },
    ...{ executedRound: ROUND - 1, executedDigest: digestOf(6) },
  };
  return { tips, signature: signBody(network, keyOf(member), "tips", encodeTips(tips)) };
}

/** @param laneEnd where the executed cuts have left the lane. */
function bookWith(certs: readonly AvailabilityCert[], laneEnd = 0) {
  const dropped: DropReason[] = [];
  const book = new AvailabilityBook(
    { sets, domains, verify: verifySignature, laneEndOf: () => ({ seq: laneEnd }), cut: [] },
    { onDropped: (_, reason) => dropped.push(reason) },
  );
  for (const cert of certs) book.put(cert);
  return { book, dropped };
}

/** The digest that the value's cut has of the lane. */
function builtCut(tips: readonly SignedTips[], certs: readonly AvailabilityCert[], laneEnd = 0) {
  const built = buildValue(tips, context, bookWith(certs, laneEnd).book, previousFinal(), []);
  if (built === null) return null;
  expect(built.fault).toBeNull();
  return decodeValue(built.bytes)!.cut.map(({ digest }) => digest);
}

describe("a fresh value", () => {
  const a = certify(1, digestOf(1), 0, [0, 1, 3]);
  const b = certify(1, digestOf(2), 1, [0, 2, 4]);

  test.each([
    ["the old set's certificate first", [a, b]],
    ["the new set's first", [b, a]],
  ])("is made of tips that name two digests of one number, %s", (_, certs) => {
    expect(builtCut([tipsOf(1, a), tipsOf(2, b), tipsOf(4, b)], certs)).toEqual([a.digest]);
    expect(builtCut([tipsOf(4, b), tipsOf(2, b), tipsOf(1, a)], certs)).toEqual([b.digest]);
    expect(builtCut([tipsOf(4, b), tipsOf(2, b), tipsOf(1, a)], [b])).toBeNull();
  });

  test("is made although the batch has been certified again, for an epoch that is still to come", () => {
    const early = certify(1, digestOf(2), 2, [0, 2, 4]);
    expect(builtCut([tipsOf(1, b), tipsOf(2, b), tipsOf(4, b)], [b, early])).toEqual([b.digest]);
    expect(builtCut([tipsOf(1, b), tipsOf(2, b), tipsOf(4, b)], [early])).toBeNull();
  });

  test("goes on with a lane that no cut has, where its author's seat ended, whoever names what is long executed", () => {
    const next = certify(1_001, digestOf(7), 1, [0, 1, 4]);
    const lie = tipsOf(0, { ...next, seq: 3 });
    expect(builtCut([lie, ...[1, 2, 4].map((member) => tipsOf(member, next))], [next], 1_000)).toEqual([
      next.digest,
    ]);
  });

  test("is made of lanes in the cut or with a seat: certificates of others are forgotten", () => {
    const body = { lane: keyOf(3).publicKey, seq: 1, digest: digestOf(8), epoch: 0 };
    const cert = { ...body, ...assemble(BEFORE, [1, 2, 3], "ack", encodeAckBody(body)) };
    const { book } = bookWith([a, cert]);
    book.onCut([], 1);
    expect([a, cert].map((each) => book.certificateOf(each, 1) !== null)).toEqual([true, true]);
    book.onCut([{ ...cert, seq: 0 }], 2);
    expect(book.certificateOf(cert, 1)).not.toBeNull();
    book.onCut([], 2);
    expect([a, cert].map((each) => book.certificateOf(each, 1) !== null)).toEqual([true, false]);
  });

  test("takes certificates of which one epoch has one digest, and few epochs have any", () => {
    const forked = certify(1, digestOf(3), 0, [0, 2, 3]);
    const { book, dropped } = bookWith([a, forked, a, certify(1, digestOf(4), 3, [0, 1, 2]), a]);
    expect(dropped).toEqual(["conflict", "repeated", "past"]);
    expect(book.certificateOf(a, 1)).toBeNull();
    expect([book.newest(1), book.newest(3)].map((certs) => certs.length)).toEqual([0, 1]);
  });
});
