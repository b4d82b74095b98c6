import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { judgeAnnouncement, type RoundJudge } from "../../../node/src/hotspot/announcement.ts";
import { createValidatorSet, fixedSets } from "../../../protocol/src/agreement/certificates.ts";
import {
  decodeSignedAnnouncement,
  encodeAnnouncement,
  encodeBitmap,
  encodeVoteBody,
  type FinalCert,
  type RoundAnnouncement,
  type SignedAnnouncement,
} from "../../../protocol/src/agreement/rounds.ts";
import { createSigningDomains, signingMessage } from "../../../protocol/src/crypto/domain.ts";
import { type Ed25519KeyPair, sign } from "../../../protocol/src/crypto/ed25519.ts";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { newKey } from "./fakeValidator.ts";

const committee = [newKey(), newKey(), newKey(), newKey()];
const domains = createSigningDomains(new Uint8Array(32).fill(1));
const judge: RoundJudge = {
  domains,
  parameters: PRESETS.test,
  sets: fixedSets(createValidatorSet(committee.map(({ publicKey }) => publicKey))),
};

function certify(round: number, signers: readonly number[], keys = committee): FinalCert {
  const vote = { round, view: 1, value: new Uint8Array(32).fill(9) };
  const message = signingMessage(domains, "finalize", encodeVoteBody(vote));
  const signatures = signers.map((position) => sign(keys[position]!.secretSeed, message));
  return { ...vote, bitmap: encodeBitmap(signers, committee.length), signatures };
}

function announce(
  change: Partial<RoundAnnouncement> = {},
  signer: Ed25519KeyPair = committee[1]!,
): SignedAnnouncement {
  const seed = new Uint8Array(32).fill(5);
  const announcement = { round: 30, timeMs: 1, epoch: 1, seed, final: certify(30, [0, 1, 3]), ...change };
  const message = signingMessage(domains, "round", encodeAnnouncement(announcement));
  return { validator: signer.publicKey, announcement, signature: sign(signer.secretSeed, message) };
}

const verdictOf = (signed: SignedAnnouncement) => {
  const judged = judgeAnnouncement(judge, signed);
  return judged.ok ? `validator ${judged.validator}` : judged.reason;
};

describe("an announcement", () => {
  test("counts with a validator's signature and a quorum's certificate", () => {
    expect(verdictOf(announce())).toBe("validator 1");
    expect(verdictOf(announce({ final: certify(30, [0, 1, 2, 3]) }))).toBe("validator 1");
  });

  test("is refused by a closed list of reasons", () => {
    expect(verdictOf(announce({}, newKey()))).toBe("unknown_validator");
    expect(verdictOf({ ...announce(), validator: committee[2]!.publicKey })).toBe("bad_signature");
    // Round 39 is the last of epoch 1: the next one begins epoch 2.
    expect(verdictOf(announce({ round: 39, final: certify(39, [0, 1, 2]) }))).toBe("epoch_mismatch");
    expect(verdictOf(announce({ epoch: 2 }))).toBe("epoch_mismatch");
    expect(verdictOf(announce({ final: certify(29, [0, 1, 2]) }))).toBe("bad_certificate");
    expect(verdictOf(announce({ final: certify(30, [0, 1]) }))).toBe("no_quorum");
    const strangers = committee.map(newKey);
    expect(verdictOf(announce({ final: certify(30, [0, 1, 2], strangers) }))).toBe("bad_certificate");
    const cert = certify(30, [0, 1, 2]);
    expect(verdictOf(announce({ final: { ...cert, signatures: cert.signatures.slice(1) } }))).toBe(
      "bad_certificate",
    );
    expect(verdictOf(announce({ final: { ...cert, bitmap: Uint8Array.of(0b10111) } }))).toBe(
      "bad_certificate",
    );
    expect(verdictOf(announce({ final: { ...cert, bitmap: new Uint8Array(2) } }))).toBe("bad_certificate");
    // One signer's signature three times is one signer.
    const thrice = [cert.signatures[0]!, cert.signatures[0]!, cert.signatures[0]!];
    expect(verdictOf(announce({ final: { ...cert, signatures: thrice } }))).toBe("bad_certificate");
  });

  test("of any bytes is read without a fault", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 800 }), (bytes) => {
        const signed = decodeSignedAnnouncement(bytes);
        if (signed !== null) expect(judgeAnnouncement(judge, signed).ok).toBe(false);
      }),
    );
  });
});
