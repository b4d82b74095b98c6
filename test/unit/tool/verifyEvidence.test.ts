/** Evidence as JSON, and `tool verify-evidence` as someone runs it. */
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { verifySignature } from "../../../node/src/host/verify.ts";
import { encodeAttest, RULES_VERSION } from "../../../protocol/src/agreement/attest.ts";
import { createEvidence, EVIDENCE_KINDS, type SignedBody } from "../../../protocol/src/agreement/evidence.ts";
import {
  EVIDENCE_SENTENCES,
  type EvidenceJson,
  encodeEvidenceJson,
  verifyEvidenceJson,
} from "../../../protocol/src/agreement/evidenceJson.ts";
import { encodeVoteBody } from "../../../protocol/src/agreement/rounds.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import type { SignedKind } from "../../../protocol/src/crypto/domain.ts";
import { encodeGenesisJson } from "../../../protocol/src/network/genesis.ts";
import { contextOf, createTestGenesis, keyNamed, signBody } from "../validator/support/network.ts";
import { runTool } from "./runTool.ts";

const genesis = createTestGenesis(0);
const context = contextOf(genesis);
const offender = keyNamed("offender");
const hash = (fill: number) => new Uint8Array(32).fill(fill);

const say = (kind: SignedKind, body: Uint8Array): SignedBody => ({
  kind,
  body,
  signature: signBody(context, offender, kind, body),
});
const vote = (kind: SignedKind, value: number) =>
  say(kind, encodeVoteBody({ round: 7, view: 2, value: hash(value) }));
const attest = (root: number) =>
  say(
    "attest",
    encodeAttest({
      epoch: 3,
      rewardRoot: hash(root),
      stateRoot: hash(2),
      nextValidatorsHash: hash(3),
      parametersHash: hash(4),
      rulesVersion: RULES_VERSION,
    }),
  );
const convict = (a: SignedBody, b: SignedBody): EvidenceJson =>
  encodeEvidenceJson(createEvidence(offender.publicKey, a, b)!, context.networkId);
const PIECES = [
  convict(vote("notarize", 1), vote("notarize", 2)),
  convict(vote("nullify", 0), vote("finalize", 1)),
  convict(attest(1), attest(9)),
];
const judge = (json: unknown) =>
  verifyEvidenceJson(json, context.networkId, { domains: context.domains, verify: verifySignature });

describe("evidence as JSON", () => {
  test.each(PIECES)("convicts of $kind", (piece) => {
    expect(judge(JSON.parse(JSON.stringify(piece)))).toEqual({
      valid: true,
      offender: offender.publicKey,
      kind: piece.kind,
    });
    // What an API wraps around it changes nothing.
    expect(judge({ ...piece, round: 5, slashed: "7" }).valid).toBe(true);
  });

  test("has a sentence for every kind", () => {
    expect(Object.keys(EVIDENCE_SENTENCES)).toEqual([...EVIDENCE_KINDS]);
  });

  test("with one character changed convicts nobody, or the same of the same", () => {
    const texts = PIECES.map((piece) => JSON.stringify(piece));
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.nat(), fc.nat(7), (text, place, bit) => {
        const at = place % text.length;
        const other =
          text.slice(0, at) + String.fromCharCode(text.charCodeAt(at) ^ (1 << bit)) + text.slice(at + 1);
        let json: unknown;
        try {
          json = JSON.parse(other);
        } catch {
          return;
        }
        const verdict = judge(json);
        if (verdict.valid) expect(verdict).toEqual(judge(JSON.parse(text)));
      }),
      { numRuns: 2_000 },
    );
  });

  test("may be anything, and is refused without a crash", () => {
    fc.assert(fc.property(fc.jsonValue(), (value) => !judge(value).valid));
    const fields = fc.constantFrom(...(Object.keys(PIECES[0]!) as (keyof EvidenceJson)[]));
    fc.assert(
      fc.property(fields, fc.jsonValue(), (field, value) => !judge({ ...PIECES[0], [field]: value }).valid),
    );
  });

  test("of an honest validator does not exist", () => {
    expect(createEvidence(offender.publicKey, vote("notarize", 1), vote("nullify", 0))).toBeNull();
    const [, , piece] = PIECES;
    expect(judge({ ...piece, second: piece!.first })).toMatchObject({ valid: false });
    expect(judge({ ...piece, offender: encodeDidKey(keyNamed("somebody else").publicKey) })).toEqual({
      valid: false,
      reason: "signature_invalid",
    });
  });
});

describe("tool verify-evidence", () => {
  let folder: string;
  let genesisFile: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "hexbeacon-evidence-"));
    genesisFile = join(folder, "genesis.json");
    await writeFile(genesisFile, encodeGenesisJson(genesis));
  });
  const verify = (json: unknown, file = genesisFile) =>
    runTool(["verify-evidence", "--genesis", file], JSON.stringify(json));

  test("says whom it convicts, and of what", async () => {
    const run = await verify(PIECES[1]);
    expect(run.status).toBe(0);
    expect(JSON.parse(run.stdout)).toMatchObject({
      valid: true,
      offender: encodeDidKey(offender.publicKey),
      kind: "nullify_and_finalize",
      sentence: "It voted both NULLIFY and FINALIZE in one view.",
    });
  });

  test("says why it convicts nobody, with status 1", async () => {
    const run = await verify({ ...PIECES[0], kind: "double_finalize" });
    expect(run).toMatchObject({ status: 1, stderr: expect.stringMatching(/^error: /) });
    expect(JSON.parse(run.stdout)).toMatchObject({ valid: false });
    expect((await verify({})).stderr).toContain("malformed: networkId must be");
    const other = join(folder, "other.json");
    await writeFile(other, encodeGenesisJson({ ...genesis, name: "another network" }));
    expect(JSON.parse((await verify(PIECES[0], other)).stdout)).toEqual({
      valid: false,
      reason: "network_mismatch",
    });
    expect((await verify(PIECES[0], join(folder, "none.json"))).status).toBe(1);
    expect(await verify(PIECES[0], folder)).toEqual({
      status: 1,
      stdout: "",
      stderr: `error: cannot read ${folder}\n`,
    });
    expect((await runTool(["verify-evidence"], "{}")).status).toBe(1);
  });
});
