/** Attestation as a function of state and event: said once, durable first, and certified by a quorum of equal words. */
import { describe, expect, test } from "vitest";
import { checkRewardCert, encodeAttest } from "../../../protocol/src/agreement/attest.ts";
import {
  type AttestationEffect,
  type AttestationEvent,
  type AttestationState,
  createAttestation,
  GATHERED_EPOCHS,
  stepAttestation,
} from "../../../protocol/src/agreement/attestation/index.ts";
import { createValidatorSet, fixedSets } from "../../../protocol/src/agreement/certificates.ts";
import { checkEvidence } from "../../../protocol/src/agreement/evidence.ts";
import { asciiBytes } from "../../../protocol/src/bytes/bytes.ts";
import { createSigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { createCheapSigner, verifyCheaply } from "../../sim/stack/signatures.ts";

const named = (name: string) => sha256(asciiBytes(name));
const domains = createSigningDomains(named("network"));
const keys = [0, 1, 2, 3].map((position) => named(`validator ${position}`));
const signers = keys.map((key) => createCheapSigner(domains, key));
const set = createValidatorSet(keys);
const closed = { epoch: 5, rewardRoot: named("reward"), stateRoot: named("state") };

const open = (position: number): AttestationState =>
  createAttestation(
    {
      self: keys[position]!,
      sets: fixedSets(set),
      domains,
      verify: verifyCheaply,
      sign: signers[position]!.sign,
      parametersHash: named("parameters"),
    },
    4,
  );

/** The attestation that a validator makes of an epoch whose rewards have this root. */
function attestationOf(position: number, rewardRoot = closed.rewardRoot, epoch = closed.epoch) {
  const event = { type: "closed", closed: { ...closed, epoch, rewardRoot }, kept: null } as const;
  const [persist] = stepAttestation(open(position), event).effects;
  if (persist?.type !== "persist") throw new Error("an attestation is durable first");
  return persist.signed;
}

function run(state: AttestationState, ...events: AttestationEvent[]) {
  const effects: AttestationEffect[] = [];
  for (const event of events) {
    const step = stepAttestation(state, event);
    effects.push(...step.effects);
    state = step.state;
  }
  const dropped = effects.flatMap((effect) => (effect.type === "drop" ? [effect.reason] : []));
  const types = effects.map(({ type }) => type).filter((type) => type !== "drop");
  return { state, effects, types, dropped };
}

const heard = (position: number, rewardRoot?: Uint8Array, epoch?: number): AttestationEvent => ({
  type: "attest",
  from: `${position}`,
  signed: attestationOf(position, rewardRoot, epoch),
  kept: null,
});
const close: AttestationEvent = { type: "closed", closed, kept: null };

describe("attestation", () => {
  test("asks for certificates that it has no word of its own for: before a seat, or without the votes of then", () => {
    const asked = (state: AttestationState, ...events: AttestationEvent[]) =>
      run(state, ...events, { type: "repeat" }).effects.flatMap((effect) =>
        effect.type === "askCert" ? [effect.epoch] : [],
      );
    // The epoch before was closed in an earlier life, whose word is not recalled.
    expect(asked(open(0), close)).toEqual([4]);
    expect(asked(open(0), { type: "recall", signed: attestationOf(0, undefined, 4) }, close)).toEqual([]);
    const newcomer = createAttestation({ ...open(0).config, self: named("newcomer") }, 4);
    expect(asked(newcomer, close)).toEqual([4, 5]);
    // It began with the state after epoch 4, and knows no set of before.
    const sets = { setOf: (epoch: number) => (epoch < 5 ? null : set) };
    expect(asked({ ...newcomer, config: { ...newcomer.config, sets } }, close)).toEqual([5]);
  });

  test("is durable before it leaves, and a quorum of equal ones is the certificate", () => {
    const { effects, types } = run(open(0), close, heard(1), heard(1), heard(2));
    expect(types).toEqual(["persist", "broadcast", "broadcastCert", "keep"]);
    const keep = effects.find(({ type }) => type === "keep");
    const cert = keep?.type === "keep" ? keep.cert : null;
    expect(checkRewardCert(cert!, set, domains, verifyCheaply)).toBeNull();
  });

  test("counts equal words only, and says once that they differ", () => {
    const other = named("other");
    const { types } = run(open(0), close, heard(1, other), heard(2, other));
    expect(types).toEqual(["persist", "broadcast", "split"]);
    expect(run(open(0), heard(1), heard(2, other), heard(3), close).types).toEqual([
      ...["split", "persist", "broadcast", "broadcastCert", "keep"],
    ]);
  });

  test("convicts who says two things of one epoch, before the certificate and after", () => {
    const other = named("other");
    const before = run(open(0), heard(1), heard(1, other));
    const cert = run(open(0), close, heard(1), heard(2)).effects.find(({ type }) => type === "keep");
    const kept = cert?.type === "keep" ? cert.cert : null;
    const late = { ...heard(1, other), kept } as AttestationEvent;
    const after = run(open(0), late);
    expect(after.types).toEqual(["sendCert", "evidence"]);
    expect([before.dropped, after.dropped]).toEqual([["conflict"], ["conflict"]]);
    for (const { effects } of [before, after]) {
      const found = effects.find(({ type }) => type === "evidence");
      const evidence = found?.type === "evidence" ? found.evidence : null;
      expect(checkEvidence(evidence!, { domains, verify: verifyCheaply })).toBeNull();
      expect(evidence!.offender).toEqual(keys[1]);
    }
  });

  test("convicts nobody of an epoch far away, and still sends its certificate", () => {
    const certOf = (epoch: number) => {
      const own = { ...close, closed: { ...closed, epoch } } as AttestationEvent;
      const words = [1, 2].map((position) => heard(position, undefined, epoch));
      const keep = run(open(0), own, ...words).effects.find(({ type }) => type === "keep");
      return keep?.type === "keep" ? keep.cert : null;
    };
    const lieOf = (epoch: number) =>
      ({ ...heard(1, named("other"), epoch), kept: certOf(epoch) }) as AttestationEvent;
    const state = { ...open(0), newestEpoch: closed.epoch + GATHERED_EPOCHS + 1 };
    expect(run(state, lieOf(closed.epoch)).types).toEqual(["sendCert"]);
    // A piece of then, too old to be used, would be the only one that is made against it.
    expect(run(state, lieOf(closed.epoch), lieOf(closed.epoch + 1)).types).toEqual([
      ...["sendCert", "sendCert", "evidence"],
    ]);
  });

  test("takes nothing unsigned, of strangers, or of epochs far away", () => {
    const signed = attestationOf(1);
    const forged = { ...signed, validator: 2 };
    const stranger = { ...signed, validator: 9 };
    const far = heard(1, closed.rewardRoot, 4 + GATHERED_EPOCHS + 1);
    const events = [forged, stranger].map(
      (each): AttestationEvent => ({
        type: "attest",
        from: "1",
        signed: each,
        kept: null,
      }),
    );
    const long = { ...open(0), newestEpoch: closed.epoch + GATHERED_EPOCHS + 1 };
    const { state, dropped } = run(open(0), ...events, far);
    expect(state.gathered.size).toBe(0);
    expect(dropped).toEqual(["bad_signature", "unentitled", "far_ahead"]);
    expect(run(long, heard(1)).dropped).toEqual(["past"]);
    expect(run(open(0), close, heard(1), heard(1)).dropped).toEqual(["repeated"]);
  });

  test("is said again until there is a certificate, also after a crash", () => {
    const own = attestationOf(0);
    const { state, types } = run(open(0), { type: "recall", signed: own }, { type: "repeat" });
    expect(types.filter((type) => type !== "askCert")).toEqual(["broadcast"]);
    const { types: after } = run(state, heard(1), heard(2), { type: "repeat" });
    expect(after.filter((type) => type !== "askCert")).toEqual(["broadcastCert", "keep"]);
  });

  test("of who has no seat is not made", () => {
    const outsider = createAttestation({ ...open(0).config, self: named("nobody") }, 4);
    expect(run(outsider, close).types).toEqual([]);
  });

  test("takes a certificate that a quorum signed, and no other", () => {
    const keep = run(open(0), close, heard(1), heard(2)).effects.find(({ type }) => type === "keep");
    const cert = keep?.type === "keep" ? keep.cert : null;
    const few = { ...cert!, signatures: cert!.signatures.slice(1) };
    const refused = run(open(3), { type: "rewardCert", cert: few, kept: null });
    expect([refused.types, refused.dropped]).toEqual([[], ["bad_signature"]]);
    expect(run(open(3), { type: "rewardCert", cert: cert!, kept: cert }).dropped).toEqual(["repeated"]);
    expect(run(open(3), { type: "rewardCert", cert: cert!, kept: null }).types).toEqual(["keep"]);
    expect(encodeAttest(cert!.attest)).toEqual(encodeAttest(attestationOf(1).attest));
  });
});
