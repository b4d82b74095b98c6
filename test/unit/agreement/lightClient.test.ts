/** Light verification: accepts what is true, refuses anything else, and says why. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { verifySignature } from "../../../node/src/host/verify.ts";
import {
  createLightAnchor,
  LIGHT_REASONS,
  type LightReason,
  type LightVerdict,
  verifyRewardEvidence,
} from "../../../protocol/src/agreement/lightClient.ts";
import {
  decodeCheckpoint,
  decodeRewardEvidence,
  encodeCheckpoint,
  encodeRewardEvidence,
  MAX_SET_STEPS,
  type RewardEvidence,
} from "../../../protocol/src/agreement/rewardEvidence.ts";
import { decodeHex, encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { verifyStrict } from "../../../protocol/src/crypto/verifyStrict.ts";
import { computeNetworkId } from "../../../protocol/src/network/genesis.ts";
import { createTestGenesis } from "../validator/support/network.ts";
import { GENESIS, LIES, NETWORK, PARAMETERS_HASH } from "./lightLies.ts";
import { keysOf } from "./lightNetwork.ts";

const DOCUMENT = join(import.meta.dirname, "../../../docs/agreement.md");
const VECTORS = join(import.meta.dirname, "../../vectors/reward-evidence.json");
const { attestOf, certify, evidenceOf, checkpointOf, anchorAt } = NETWORK;
const verify = (evidence: RewardEvidence, anchor = GENESIS) =>
  verifyRewardEvidence(evidence, anchor, verifySignature);

/** What a file's text proves, as someone would read it. */
function verifyText(text: string, anchor = GENESIS): LightVerdict {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { valid: false, reason: "malformed" };
  }
  const decoded = decodeRewardEvidence(json);
  return decoded.ok ? verify(decoded.value, anchor) : { valid: false, reason: "malformed" };
}

describe("light verification", () => {
  test.each([0, 1, 2, 3, 4, 7, 9])("accepts epoch %i from genesis, over every change of the set", (epoch) => {
    const evidence = evidenceOf(epoch);
    expect(verify(evidence)).toEqual({
      valid: true,
      reward: {
        account: evidence.proof.account,
        total: 700n * BigInt(epoch + 1),
        epoch,
        signers: keysOf(epoch).length - 1,
        validators: keysOf(epoch).length,
        setChanges: [2, 3, 7].filter((from) => from <= epoch).length,
        anchorAgeEpochs: epoch,
      },
    });
  });

  test("accepts it from any checkpoint, with all changes or only those after it", () => {
    for (let pinned = 0; pinned <= 9; pinned++) {
      const whole = evidenceOf(9);
      const short = {
        ...whole,
        setHistory: whole.setHistory.filter(({ certificate }) => certificate.attest.epoch >= pinned),
      };
      const expected = verify(short, anchorAt(pinned));
      expect(expected).toMatchObject({ valid: true, reward: { anchorAgeEpochs: 9 - pinned } });
      expect(verify(whole, anchorAt(pinned))).toEqual(expected);
    }
  });

  test("judges alike by the arithmetic that a browser has", () => {
    for (const evidence of [
      evidenceOf(5),
      { ...evidenceOf(5), certificate: certify(attestOf(5), [0, 1, 2, 3]) },
    ]) {
      expect(verifyRewardEvidence(evidence, GENESIS, verifyStrict)).toEqual(verify(evidence));
    }
  });

  test("takes its anchor from the genesis", () => {
    const genesis = createTestGenesis(1);
    const networkId = computeNetworkId(genesis);
    const keys = genesis.validators.map(({ key }) => key);
    expect(createLightAnchor(genesis)).toMatchObject({
      networkId,
      checkpoint: { networkId, epoch: 0, validators: keys, nextValidators: keys },
    });
    expect(createLightAnchor(genesis, checkpointOf(3)).checkpoint).toEqual(checkpointOf(3));
  });
});

describe("light verification refuses", () => {
  test.each(LIES.map(([reason, evidence, anchor]) => ({ reason, evidence, anchor })))("$reason", (lie) => {
    expect(verify(lie.evidence, lie.anchor)).toMatchObject({ valid: false, reason: lie.reason });
  });

  test("for every reason that there is", () => {
    const shown = new Set(LIES.map(([reason]) => reason));
    expect(Object.keys(LIGHT_REASONS).filter((reason) => !shown.has(reason as LightReason))).toEqual([
      "malformed",
    ]);
  });
});

test("docs/agreement.md has a row for each reason, and none besides", () => {
  const rows = [...readFileSync(DOCUMENT, "utf8").matchAll(/^\| `([a-z_]+)` \| (.*) \|$/gm)];
  const documented = rows.map(([, reason, sentence]) => [reason, sentence]);
  const start = documented.findIndex(([reason]) => reason === "malformed");
  const reasons = Object.entries(LIGHT_REASONS);
  expect(documented.slice(start, start + reasons.length)).toEqual(reasons);
});

describe("the file of a reward's evidence", () => {
  test("is read as it was written", () => {
    const evidence = evidenceOf(9);
    const text = JSON.stringify(encodeRewardEvidence(evidence));
    expect(decodeRewardEvidence(JSON.parse(text))).toEqual({ ok: true, value: evidence });
    const checkpoint = checkpointOf(4);
    expect(decodeCheckpoint(JSON.parse(JSON.stringify(encodeCheckpoint(checkpoint))))).toEqual({
      ok: true,
      value: checkpoint,
    });
  });

  test("with one bit of any character changed is refused, or says the same", () => {
    const text = JSON.stringify(encodeRewardEvidence(evidenceOf(5)));
    const truth = verifyText(text);
    expect(truth.valid).toBe(true);
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.nat(7), (at, bit) => {
        const other = String.fromCharCode(text.charCodeAt(at) ^ (1 << bit));
        const verdict = verifyText(text.slice(0, at) + other + text.slice(at + 1));
        if (verdict.valid) expect(verdict).toEqual(truth);
      }),
      { numRuns: 2_000 },
    );
  });

  test("with a character dropped, doubled or replaced is refused, or says the same", () => {
    const text = JSON.stringify(encodeRewardEvidence(evidenceOf(5)));
    const truth = verifyText(text);
    const replacements = fc.constantFrom(
      "",
      "0",
      "1",
      "f",
      "z",
      '"',
      ",",
      "]",
      "}",
      ".",
      "e",
      "-",
      " ",
      "00",
    );
    fc.assert(
      fc.property(fc.nat(text.length - 1), replacements, fc.boolean(), (at, other, keep) => {
        const verdict = verifyText(text.slice(0, at) + other + text.slice(keep ? at : at + 1));
        if (verdict.valid) expect(verdict).toEqual(truth);
      }),
      { numRuns: 1_000 },
    );
  });

  test("may be anything, and is refused without a crash", () => {
    const good = encodeRewardEvidence(evidenceOf(5));
    const fields = Object.keys(good) as (keyof typeof good)[];
    fc.assert(
      fc.property(fc.constantFrom(...fields), fc.jsonValue({ maxDepth: 3 }), (field, value) => {
        const verdict = verifyText(JSON.stringify({ ...good, [field]: value }));
        if (verdict.valid) expect(JSON.stringify(value)).toBe(JSON.stringify(good[field]));
      }),
      { numRuns: 500 },
    );
    fc.assert(fc.property(fc.jsonValue(), (value) => !verifyText(JSON.stringify(value)).valid));
    fc.assert(fc.property(fc.jsonValue(), (value) => !decodeCheckpoint(value).ok));
  });

  test.each([
    [
      "too many changes",
      { setHistory: Array(MAX_SET_STEPS + 1).fill(encodeRewardEvidence(evidenceOf(5)).setHistory[0]) },
    ],
    [
      "an empty set",
      { setHistory: [{ ...encodeRewardEvidence(evidenceOf(2)).setHistory[0]!, validators: [] }] },
    ],
    ["a certificate as long as no certificate is", { certificate: `0x${"00".repeat(100_000)}` }],
    [
      "a certificate with a byte after its end",
      { certificate: `${encodeRewardEvidence(evidenceOf(5)).certificate}00` },
    ],
  ])("is malformed with %s", (_, change) => {
    expect(decodeRewardEvidence({ ...encodeRewardEvidence(evidenceOf(5)), ...change })).toMatchObject({
      ok: false,
    });
  });

  test("counts no key twice", () => {
    const [key] = encodeCheckpoint(checkpointOf(0)).validators;
    expect(decodeCheckpoint({ ...encodeCheckpoint(checkpointOf(0)), validators: [key, key] }).ok).toBe(false);
  });
});

/** What stands in the golden file: for a second implementation, and so that the form never changes unnoticed. */
function createGolden() {
  const reward = encodeRewardEvidence(evidenceOf(9));
  const lies = LIES.filter(([, , anchor]) => anchor === undefined).map(([reason, evidence]) => ({
    // What a path of another length is to the rule, it is to the file's form already.
    reason: reason === "branch_length" ? "malformed" : reason,
    change: Object.fromEntries(
      Object.entries(encodeRewardEvidence(evidence)).filter(
        ([field, value]) => JSON.stringify(value) !== JSON.stringify(reward[field as keyof typeof reward]),
      ),
    ),
  }));
  return {
    about:
      "Evidence of a reward, true and false, from genesis (a checkpoint of epoch 0) and from a later checkpoint.",
    networkId: encodeHex0x(GENESIS.networkId),
    parametersHash: encodeHex0x(PARAMETERS_HASH),
    genesis: encodeCheckpoint(checkpointOf(0)),
    checkpoint: encodeCheckpoint(checkpointOf(4)),
    reward,
    lies,
  };
}

describe("the golden file of a reward's evidence", () => {
  test("is what this code writes (with --update it is written anew)", async () => {
    await expect(`${JSON.stringify(createGolden(), null, 1)}\n`).toMatchFileSnapshot(VECTORS);
  });

  test("is judged as it says, from the genesis and from the checkpoint", () => {
    const golden = JSON.parse(readFileSync(VECTORS, "utf8")) as ReturnType<typeof createGolden>;
    const anchorOf = (json: unknown) => {
      const decoded = decodeCheckpoint(json);
      if (!decoded.ok) throw new Error(decoded.detail);
      const { networkId, parametersHash } = golden;
      return {
        networkId: decodeHex(networkId)!,
        parametersHash: decodeHex(parametersHash)!,
        checkpoint: decoded.value,
      };
    };
    const genesis = anchorOf(golden.genesis);
    const text = JSON.stringify(golden.reward);
    expect(verifyText(text, genesis)).toMatchObject({ valid: true, reward: { setChanges: 3 } });
    expect(verifyText(text, anchorOf(golden.checkpoint))).toMatchObject({
      valid: true,
      reward: { setChanges: 1, anchorAgeEpochs: 5 },
    });
    expect(golden.lies.length).toBeGreaterThan(15);
    for (const { reason, change } of golden.lies) {
      const lie = JSON.stringify({ ...golden.reward, ...change });
      expect(verifyText(lie, genesis)).toMatchObject({ valid: false, reason });
    }
  });
});
