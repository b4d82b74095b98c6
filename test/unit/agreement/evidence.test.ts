/**
 * Evidence: what convicts and what does not, to the bit; and that whoever keeps the rules can sign whatever the rules let
 * it sign, in every order, without two of its statements ever making a piece.
 */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { verifySignature } from "../../../node/src/host/verify.ts";
import { encodeAttest } from "../../../protocol/src/agreement/attest.ts";
import { createValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import {
  checkEvidence,
  computeEvidenceEpoch,
  createEvidence,
  EVIDENCE_KINDS,
  type EvidenceKind,
  evidenceKindOf,
  evidenceOfConflict,
  isEvidenceOld,
  type SignedBody,
} from "../../../protocol/src/agreement/evidence.ts";
import {
  decodeEvidence,
  encodeAckBody,
  encodeBatchBody,
  encodeEvidence,
  encodeTips,
  MAX_EVIDENCE_BYTES,
} from "../../../protocol/src/agreement/rounds.ts";
import {
  CONFLICT_REASONS,
  checkConflict,
  encodeStatement,
  type Statement,
} from "../../../protocol/src/agreement/simplex/index.ts";
import { decodeHex, encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { createSigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import golden from "../../vectors/evidence.json" with { type: "json" };
import { keyNamed } from "../validator/support/network.ts";
import { conflictingBodies, convict, signStatement } from "./conflicts.ts";

const domains = createSigningDomains(decodeHex(golden.networkId, 32)!);
const context = { domains, verify: verifySignature };
const offender = keyNamed("offender");
const bystander = keyNamed("bystander");
const parameters = PRESETS.test;
const ROUND = 45;
const EPOCH = 2;

const pieceOf = (kind: EvidenceKind) => convict(domains, offender, kind, ROUND, EPOCH);

describe.each(EVIDENCE_KINDS)("a piece of %s", (kind) => {
  const piece = pieceOf(kind);

  test("convicts, and has the committed bytes", () => {
    expect(checkEvidence(piece, context)).toBeNull();
    expect(evidenceKindOf(piece)).toBe(kind);
    expect(encodeHex(encodeEvidence(piece))).toBe(golden.pieces[kind]);
    expect(decodeEvidence(encodeEvidence(piece))).toEqual(piece);
  });

  test("is the same from either order of its statements", () => {
    const statements = conflictingBodies(kind, offender.publicKey, ROUND, EPOCH).map(([domain, body]) =>
      signStatement(domains, offender, domain, body),
    );
    expect(createEvidence(offender.publicKey, statements[1]!, statements[0]!)).toEqual(piece);
    const swapped = { ...piece, first: piece.second, second: piece.first };
    expect(checkEvidence(swapped, context)).not.toBeNull();
  });

  test("with any one bit changed proves nothing", () => {
    const bytes = encodeEvidence(piece);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const changed = bytes.slice();
      changed[bit >> 3]! ^= 1 << (bit & 7);
      const decoded = decodeEvidence(changed);
      if (decoded !== null) expect(checkEvidence(decoded, context), `bit ${bit}`).not.toBeNull();
    }
  });

  test("proves nothing on another network, of another key, or from one statement", () => {
    const elsewhere = createSigningDomains(new Uint8Array(32).fill(1));
    expect(checkEvidence(piece, { ...context, domains: elsewhere })).toBe("signature_invalid");
    expect(checkEvidence({ ...piece, offender: bystander.publicKey }, context)).not.toBeNull();
    expect(checkEvidence({ ...piece, second: piece.first }, context)).not.toBeNull();
  });

  test("knows its age, unless it names no epoch", () => {
    const epoch = computeEvidenceEpoch(piece, parameters);
    expect(epoch).toBe(kind === "double_batch" ? null : EPOCH);
    const last = EPOCH + parameters.evidenceMaxAgeEpochs;
    expect(isEvidenceOld(piece, parameters, last)).toBe(false);
    expect(isEvidenceOld(piece, parameters, last + 1)).toBe(kind !== "double_batch");
  });
});

describe("evidence", () => {
  test("names its fault", () => {
    const piece = pieceOf("double_notarize");
    expect(checkEvidence({ ...piece, kind: EVIDENCE_KINDS.length }, context)).toBe("unknown_kind");
    expect(checkEvidence({ ...piece, first: piece.first.slice(1) }, context)).toBe("malformed");
    expect(checkEvidence({ ...piece, first: new Uint8Array(63) }, context)).toBe("malformed");
    expect(checkEvidence({ ...piece, first: piece.second, second: piece.first }, context)).toBe(
      "wrong_order",
    );
    const one = conflictingBodies("double_finalize", offender.publicKey, ROUND, EPOCH)[0]!;
    const other = conflictingBodies("double_finalize", offender.publicKey, ROUND + 1, EPOCH)[1]!;
    const signed = [one, other].map(([domain, body]) => signStatement(domains, offender, domain, body));
    expect(createEvidence(offender.publicKey, signed[0]!, signed[1]!)).toBeNull();
    const forged = {
      ...piece,
      second: Uint8Array.from([...piece.second.slice(0, -64), ...new Uint8Array(64)]),
    };
    expect(["wrong_order", "signature_invalid"]).toContain(checkEvidence(forged, context));
  });

  test("of tips and batches convicts only whom the bodies name", () => {
    for (const kind of ["double_tips", "double_batch"] as const) {
      const statements = conflictingBodies(kind, bystander.publicKey, ROUND, EPOCH).map(([domain, body]) =>
        signStatement(domains, offender, domain, body),
      );
      expect(createEvidence(offender.publicKey, statements[0]!, statements[1]!)).toBeNull();
    }
  });

  test("follows from a conflict that agreement found, and never from a simulation's signatures", () => {
    const set = createValidatorSet([bystander.publicKey, offender.publicKey]);
    const say = (statement: Statement) => {
      const { signature } = signStatement(
        domains,
        offender,
        statement.kind,
        encodeStatement(ROUND, statement)!,
      );
      return { ...statement, validator: 1, signature };
    };
    const digest = (fill: number) => encodeHex(new Uint8Array(32).fill(fill));
    const first = say({ kind: "notarize", view: 1, value: digest(1) });
    const second = say({ kind: "notarize", view: 1, value: digest(2) });
    const conflict = { reason: checkConflict(first, second)!, validator: 1, first, second };
    expect(evidenceOfConflict(conflict, ROUND, set)).toEqual(pieceOf("double_notarize"));
    const token = { ...conflict, first: { ...first, signature: { by: 1 } } };
    expect(evidenceOfConflict(token, ROUND, set)).toBeNull();
    expect(evidenceOfConflict({ ...conflict, validator: 2 }, ROUND, set)).toBeNull();
  });

  test("from arbitrary bytes is judged without a crash", () => {
    const statement = fc.uint8Array({ maxLength: 300 });
    fc.assert(
      fc.property(fc.nat(12), statement, statement, (kind, first, second) => {
        const piece = { offender: offender.publicKey, kind, first, second };
        expect(checkEvidence(piece, context)).not.toBeNull();
        expect(computeEvidenceEpoch(piece, parameters)).toSatisfy(
          (epoch: number | null) => epoch === null || epoch >= 0,
        );
      }),
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        const decoded = decodeEvidence(bytes);
        if (decoded !== null) expect(encodeEvidence(decoded)).toEqual(bytes);
      }),
    );
    expect(decodeEvidence(new Uint8Array(MAX_EVIDENCE_BYTES + 1))).toBeNull();
  });

  test("kinds begin with agreement's own, in its order", () => {
    expect(EVIDENCE_KINDS.slice(0, CONFLICT_REASONS.length)).toEqual(CONFLICT_REASONS);
  });
});

/** What the rules let one validator sign in one view, at most: see B1 to B4. */
const honestViews = fc.record({
  round: fc.nat(2),
  view: fc.integer({ min: 1, max: 3 }),
  value: fc.nat(2),
  parent: fc.nat(1),
  notarizes: fc.boolean(),
  proposes: fc.boolean(),
  ends: fc.constantFrom("finalize" as const, "nullify" as const, "nothing" as const),
});

describe("whoever keeps the rules", () => {
  const unsigned = (kind: SignedBody["kind"], body: Uint8Array): SignedBody => ({
    ...{ kind, body, signature: new Uint8Array(64) },
  });
  const digestOf = (fill: number) => new Uint8Array(32).fill(fill);

  test("is convicted by no two of its statements", () => {
    const slots = fc.array(fc.record({ slot: fc.nat(3), content: fc.nat(3), epoch: fc.nat(3) }), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(fc.array(honestViews, { maxLength: 8 }), slots, (views, contents) => {
        const once = <T>(list: readonly T[], slotOf: (item: T) => string) => [
          ...new Map(list.map((item) => [slotOf(item), item])).values(),
        ];
        const statements: SignedBody[] = [];
        for (const { round, view, value, parent, ...acts } of once(views, (v) => `${v.round}/${v.view}`)) {
          const x = encodeHex(digestOf(value));
          const say = (statement: Statement) =>
            statements.push(unsigned(statement.kind, encodeStatement(round, statement)!));
          if (acts.proposes) say({ kind: "propose", view, parent, value: x });
          if (acts.notarizes) say({ kind: "notarize", view, value: x });
          if (acts.ends === "finalize") say({ kind: "finalize", view, value: x });
          if (acts.ends === "nullify") say({ kind: "nullify", view, value: null });
        }
        for (const { slot, content, epoch } of once(contents, ({ slot }) => `${slot}`)) {
          const [lane, digest] = [offender.publicKey, digestOf(content)];
          const tips = { round: slot, validator: lane, timeMs: content, tips: [], executedRound: 0 };
          const roots = { rewardRoot: digest, stateRoot: digest, nextValidatorsHash: digest };
          statements.push(
            unsigned("tips", encodeTips({ ...tips, executedDigest: digest })),
            unsigned("batch", encodeBatchBody({ lane, seq: slot, digest })),
            // The same digest may be acknowledged for two epochs' sets, and the same number in two lanes.
            unsigned("ack", encodeAckBody({ lane, seq: slot, digest, epoch })),
            unsigned("ack", encodeAckBody({ lane, seq: slot, digest, epoch: epoch + 1 })),
            unsigned("ack", encodeAckBody({ lane: digestOf(9), seq: slot, digest: digestOf(8), epoch })),
            // Another digest, in an epoch that the one who forgot the first had not come to.
            unsigned("ack", encodeAckBody({ lane, seq: slot, digest: digestOf(7), epoch: epoch + 2 })),
            unsigned(
              "attest",
              encodeAttest({ epoch: slot, ...roots, parametersHash: digest, rulesVersion: 1 }),
            ),
          );
        }
        for (const a of statements)
          for (const b of statements) expect(createEvidence(offender.publicKey, a, b)).toBeNull();
      }),
      { numRuns: 60 },
    );
  });
});
