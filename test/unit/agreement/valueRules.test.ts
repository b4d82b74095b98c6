/** The rules of a value, one by one, and what they rest on: certificates, cuts and quorums of four validators. */
import { describe, expect, test } from "vitest";
import { verifySignature } from "../../../node/src/host/verify.ts";
import {
  assembleSignatures,
  checkAvailabilityCert,
  checkFinalCert,
  createValidatorSet,
  fixedSets,
} from "../../../protocol/src/agreement/certificates.ts";
import {
  computeCut,
  computeRoundTimeMs,
  LANE_START,
  listLaneSpans,
} from "../../../protocol/src/agreement/cut.ts";
import {
  type AvailabilityCert,
  computeValueDigest,
  type Evidence,
  encodeAckBody,
  encodeTips,
  encodeValue,
  encodeVoteBody,
  type FinalCert,
  type SignedTips,
  type Tips,
  type Value,
} from "../../../protocol/src/agreement/rounds.ts";
import {
  checkValue,
  VALUE_REASONS,
  type ValueContext,
  type ValueReason,
} from "../../../protocol/src/agreement/valueRules.ts";
import { compareBytes, equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { contextOf, createTestGenesis, keyNamed, signBody } from "../validator/support/network.ts";
import { convict } from "./conflicts.ts";

const context = contextOf(createTestGenesis(0));
const validators = [0, 1, 2, 3].map((index) => keyNamed(`validator ${index}`));
const set = createValidatorSet(validators.map(({ publicKey }) => publicKey));
const digestOf = (fill: number) => new Uint8Array(32).fill(fill);

function certify(author: number, seq: number, epoch: number, signers = [0, 1, 2]): AvailabilityCert {
  const ack = { lane: validators[author]!.publicKey, seq, digest: digestOf(seq), epoch };
  const signatures = new Map(
    signers.map((s) => [s, signBody(context, validators[s]!, "ack", encodeAckBody(ack))]),
  );
  return { ...ack, ...assembleSignatures(signatures, set) };
}

function signTips(validator: number, change: Partial<Tips>): SignedTips {
  const tips: Tips = {
    round: 25,
    validator: validators[validator]!.publicKey,
    timeMs: 1_000 + validator,
    tips: [],
    executedRound: 24,
    executedDigest: digestOf(9),
    ...change,
  };
  return { tips, signature: signBody(context, validators[validator]!, "tips", encodeTips(tips)) };
}

function finalize(round: number, value: Uint8Array): FinalCert {
  const body = { round, view: 1, value };
  const signatures = new Map(
    [0, 1, 3].map((s) => [s, signBody(context, validators[s]!, "finalize", encodeVoteBody(body))]),
  );
  return { ...body, ...assembleSignatures(signatures, set) };
}

const byLane = (a: AvailabilityCert, b: AvailabilityCert) => compareBytes(a.lane, b.lane);
const tipOf = ({ lane, seq, digest }: AvailabilityCert) => ({ lane, seq, digest });
// Round 25 is in epoch 1 of the test preset, so epochs 0 and 1 may certify.
const before = [certify(0, 4, 0), certify(1, 7, 0)].sort(byLane);
const fresh = certify(1, 9, 1);
const previous = { cut: before, value: digestOf(5) };
const valueContext: ValueContext = {
  round: 25,
  parameters: context.parameters,
  sets: fixedSets(set),
  domains: context.domains,
  verify: verifySignature,
  previous,
};
const tips = [
  signTips(0, { tips: before.map(tipOf) }),
  signTips(1, { tips: [tipOf(fresh)] }),
  signTips(3, {}),
];
const valid: Value = {
  round: 25,
  tips,
  cut: [certify(0, 4, 0), fresh].sort(byLane),
  previousFinal: [finalize(24, digestOf(5))],
  evidence: [],
};
const byOffender = (a: Evidence, b: Evidence) => compareBytes(a.offender, b.offender);
const evidence = [0, 1].map((v) => convict(context.domains, validators[v]!, "double_tips", 24, 1));
evidence.sort(byOffender);

describe("a value", () => {
  test("that keeps every rule is valid", () => {
    expect(checkValue(valid, valueContext)).toBeNull();
  });

  test("needs the certificate of a lane's highest tip only, in whatever order the tips stand", () => {
    const lower = certify(1, 8, 1);
    const behind = signTips(0, { tips: [tipOf(lower)] });
    const ahead = signTips(1, { tips: [tipOf(fresh)] });
    for (const order of [
      [behind, ahead, tips[2]!],
      [ahead, behind, tips[2]!],
    ])
      expect(checkValue({ ...valid, tips: order }, valueContext)).toBeNull();
  });

  const broken: Record<ValueReason, Value> = {
    wrong_round: { ...valid, round: 26 },
    tips_count: { ...valid, tips: tips.slice(1) },
    tips_round: { ...valid, tips: [...tips.slice(0, 2), signTips(3, { round: 24 })] },
    tips_validator: { ...valid, tips: [tips[0]!, tips[1]!, tips[1]!] },
    execution_lag: { ...valid, tips: [tips[0]!, tips[1]!, signTips(3, { executedRound: 3 })] },
    previous_final: { ...valid, previousFinal: [finalize(24, digestOf(6))] },
    cut_not_maximum: { ...valid, cut: before },
    tips_signature: { ...valid, tips: [tips[0]!, tips[1]!, { ...tips[2]!, signature: tips[1]!.signature }] },
    previous_final_certificate: {
      ...valid,
      previousFinal: [{ ...finalize(24, digestOf(5)), view: 2 }],
    },
    evidence_order: { ...valid, evidence: [evidence[1]!, evidence[0]!] },
    // Round 25's context allows evidence of epoch 0 and later, and none is older: the age is tested by itself.
    evidence_age: { ...valid, evidence: [convict(context.domains, validators[0]!, "double_tips", 3, 0)] },
    evidence_invalid: { ...valid, evidence: [{ ...evidence[0]!, offender: validators[3]!.publicKey }] },
    cut_certificate: { ...valid, cut: [certify(0, 4, 0), certify(1, 9, 1, [0, 1])].sort(byLane) },
  };
  test.each(VALUE_REASONS)("is refused by the rule %s alone", (reason) => {
    const strict = { ...context.parameters, evidenceMaxAgeEpochs: 0 };
    const itsContext = reason === "evidence_age" ? { ...valueContext, parameters: strict } : valueContext;
    expect(checkValue(broken[reason], itsContext)).toBe(reason);
  });

  test("may not carry an older entry, nor change the certificate of an idle lane", () => {
    const lower = { ...valid, cut: [certify(0, 3, 0), fresh].sort(byLane) };
    expect(checkValue(lower, valueContext)).toBe("cut_not_maximum");
    const changed = { ...valid, cut: [certify(0, 4, 0, [1, 2, 3]), fresh].sort(byLane) };
    expect(checkValue(changed, valueContext)).toBe("cut_not_maximum");
  });

  test("may carry evidence, one piece an offender, in any validator's round", () => {
    expect(checkValue({ ...valid, evidence }, valueContext)).toBeNull();
    expect(checkValue({ ...valid, evidence: [evidence[0]!, evidence[0]!] }, valueContext)).toBe(
      "evidence_order",
    );
    const stranger = convict(context.domains, keyNamed("stranger"), "double_ack", 24, 1);
    expect(checkValue({ ...valid, evidence: [stranger] }, valueContext)).toBeNull();
  });

  test("takes new entries certified in the round's epoch or the one before only", () => {
    for (const [epoch, reason] of [
      [0, null],
      [1, null],
      [2, "cut_certificate"],
    ] as const) {
      const entry = certify(1, 9, epoch);
      expect(
        checkValue(
          { ...valid, cut: [before[0]!, before[1]!].map((e) => (e.seq === 7 ? entry : e)) },
          valueContext,
        ),
      ).toBe(reason);
    }
  });

  test("names no round before it in round 0, and needs one afterwards", () => {
    const first = {
      ...valid,
      round: 0,
      tips: [0, 1, 3].map((v) => signTips(v, { round: 0, executedRound: 0 })),
      cut: [],
    };
    const firstContext = { ...valueContext, round: 0, previous: null };
    expect(checkValue(first, firstContext)).toBe("previous_final");
    expect(checkValue({ ...first, previousFinal: [] }, firstContext)).toBeNull();
    expect(checkValue({ ...valid, previousFinal: [] }, valueContext)).toBe("previous_final");
  });

  test("has one encoding and digest", () => {
    expect(computeValueDigest(encodeValue(valid))).toEqual(computeValueDigest(encodeValue({ ...valid })));
  });
});

describe("certificates", () => {
  const verify = verifySignature;
  test("name their fault", () => {
    const { domains } = context;
    const cert = certify(0, 1, 0);
    expect(checkAvailabilityCert(cert, set, domains, verify)).toBeNull();
    expect(checkAvailabilityCert({ ...cert, bitmap: new Uint8Array([0xf0]) }, set, domains, verify)).toBe(
      "bitmap_invalid",
    );
    expect(checkAvailabilityCert(certify(0, 1, 0, [0, 1]), set, domains, verify)).toBe("below_quorum");
    expect(
      checkAvailabilityCert({ ...cert, signatures: cert.signatures.slice(1) }, set, domains, verify),
    ).toBe("count_mismatch");
    expect(checkAvailabilityCert({ ...cert, seq: 2 }, set, domains, verify)).toBe("signature_invalid");
    expect(checkFinalCert(finalize(1, digestOf(1)), set, domains, verify)).toBeNull();
    expect(checkFinalCert({ ...finalize(1, digestOf(1)), round: 2 }, set, domains, verify)).toBe(
      "signature_invalid",
    );
  });

  test("of a set of one have a quorum of one", () => {
    const alone = createValidatorSet([validators[0]!.publicKey]);
    expect(alone.quorum).toBe(1);
    const ack = { lane: validators[0]!.publicKey, seq: 1, digest: digestOf(1), epoch: 0 };
    const signature = signBody(context, validators[0]!, "ack", encodeAckBody(ack));
    const cert = { ...ack, ...assembleSignatures(new Map([[0, signature]]), alone) };
    expect(checkAvailabilityCert(cert, alone, context.domains, verify)).toBeNull();
  });
});

describe("cuts", () => {
  test("take the highest entry a lane, and none without a certificate", () => {
    const cut = computeCut(
      tips,
      before,
      () => true,
      () => fresh,
    );
    expect(cut?.map(({ seq }) => seq).sort()).toEqual([4, 9]);
    expect(
      computeCut(
        tips,
        before,
        () => true,
        () => null,
      ),
    ).toBeNull();
    expect(
      computeCut(
        [],
        before,
        () => true,
        () => null,
      ),
    ).toEqual(before);
  });

  test("list what is new, lanes in validator order", () => {
    const cut = [certify(0, 6, 1), fresh, certify(2, 1, 1)].sort(byLane);
    const spans = listLaneSpans(
      cut,
      set,
      (lane) => before.find((entry) => equalBytes(entry.lane, lane)) ?? { seq: 0, digest: LANE_START },
    );
    expect(spans.map(({ lane, from, to }) => [set.positionOf(lane), from.seq, to.seq])).toEqual([
      [0, 4, 6],
      [1, 7, 9],
      [2, 0, 1],
    ]);
  });

  test("have the lower median of the tips' times, never less than before", () => {
    const at = (...times: number[]) => times.map((timeMs, index) => signTips(index, { timeMs }));
    expect(computeRoundTimeMs(at(5, 1, 9), 0)).toBe(5);
    expect(computeRoundTimeMs(at(5, 1, 9, 7), 0)).toBe(5);
    expect(computeRoundTimeMs(at(5, 1, 9), 6)).toBe(6);
  });
});
