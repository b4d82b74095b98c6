/** Signed statements that convict their author, one pair of each kind, for tests of evidence and of what carries it. */
import { encodeAttest } from "../../../protocol/src/agreement/attest.ts";
import {
  createEvidence,
  type EvidenceKind,
  type SignedBody,
} from "../../../protocol/src/agreement/evidence.ts";
import {
  type Evidence,
  encodeAckBody,
  encodeBatchBody,
  encodeTips,
} from "../../../protocol/src/agreement/rounds.ts";
import { encodeStatement, type Statement } from "../../../protocol/src/agreement/simplex/index.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { type SignedKind, type SigningDomains, signingMessage } from "../../../protocol/src/crypto/domain.ts";
import { sign } from "../../../protocol/src/crypto/ed25519.ts";

export type Keys = { readonly publicKey: Uint8Array; readonly secretSeed: Uint8Array };

const digestOf = (fill: number) => new Uint8Array(32).fill(fill);
const X = encodeHex(digestOf(1));
const Y = encodeHex(digestOf(2));

/** A body signed under its kind's domain. */
export function signStatement(
  domains: SigningDomains,
  { secretSeed }: Keys,
  kind: SignedKind,
  body: Uint8Array,
): SignedBody {
  return { kind, body, signature: sign(secretSeed, signingMessage(domains, kind, body)) };
}

/** The bodies of a pair that convicts, of a round, or of the round's epoch where the kind names one. */
export function conflictingBodies(
  kind: EvidenceKind,
  author: Uint8Array,
  round: number,
  epoch: number,
): readonly [kind: SignedKind, body: Uint8Array][] {
  const say = (statement: Statement): [SignedKind, Uint8Array] => [
    statement.kind,
    encodeStatement(round, statement)!,
  ];
  const tips = (timeMs: number) =>
    encodeTips({ round, validator: author, timeMs, tips: [], executedRound: 0, executedDigest: digestOf(0) });
  const attest = (root: number) =>
    encodeAttest({
      ...{ epoch, rewardRoot: digestOf(root), stateRoot: digestOf(4), nextValidatorsHash: digestOf(5) },
      ...{ parametersHash: digestOf(6), rulesVersion: 1 },
    });
  switch (kind) {
    case "double_notarize":
      return [say({ kind: "notarize", view: 1, value: X }), say({ kind: "notarize", view: 1, value: Y })];
    case "double_finalize":
      return [say({ kind: "finalize", view: 1, value: X }), say({ kind: "finalize", view: 1, value: Y })];
    case "nullify_and_finalize":
      return [say({ kind: "nullify", view: 2, value: null }), say({ kind: "finalize", view: 2, value: X })];
    case "notarize_and_finalize":
      return [say({ kind: "notarize", view: 1, value: X }), say({ kind: "finalize", view: 1, value: Y })];
    case "double_propose":
      return [
        say({ kind: "propose", view: 3, parent: 0, value: X }),
        say({ kind: "propose", view: 3, parent: 1, value: X }),
      ];
    case "double_tips":
      return [
        ["tips", tips(1_000)],
        ["tips", tips(1_001)],
      ];
    case "double_batch":
      return [1, 2].map((fill) => [
        "batch",
        encodeBatchBody({ lane: author, seq: 7, digest: digestOf(fill) }),
      ]);
    case "double_ack":
      return [1, 2].map((fill) => [
        "ack",
        encodeAckBody({ lane: digestOf(9), seq: 7, digest: digestOf(fill), epoch }),
      ]);
    case "double_attest":
      return [
        ["attest", attest(1)],
        ["attest", attest(2)],
      ];
  }
}

/** A piece of evidence that convicts. */
export function convict(
  domains: SigningDomains,
  offender: Keys,
  kind: EvidenceKind,
  round: number,
  epoch: number,
): Evidence {
  const [a, b] = conflictingBodies(kind, offender.publicKey, round, epoch).map(([domain, body]) =>
    signStatement(domains, offender, domain, body),
  );
  return createEvidence(offender.publicKey, a!, b!)!;
}
