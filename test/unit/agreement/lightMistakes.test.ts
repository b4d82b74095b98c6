/**
 * Mistakes that somebody could make in light verification, each written into a copy of it: the true and the false files
 * must notice every one, or they have not been shown to check anything.
 */
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { beforeAll, expect, test } from "vitest";
import { verifySignature } from "../../../node/src/host/verify.ts";
import {
  advanceCheckpoint,
  type LightAnchor,
  type LightVerdict,
  verifyRewardEvidence,
} from "../../../protocol/src/agreement/lightClient.ts";
import type { RewardEvidence } from "../../../protocol/src/agreement/rewardEvidence.ts";
import { writeMistake } from "../../sim/agreement/mutations.ts";
import { GENESIS, LIES, NETWORK } from "./lightLies.ts";
import { keysOf } from "./lightNetwork.ts";

const SOURCE = join(import.meta.dirname, "../../../protocol/src/agreement/lightClient.ts");

type Verify = typeof verifyRewardEvidence;
type Advance = typeof advanceCheckpoint;
type Mistake = { readonly name: string; readonly find: string; readonly replace: string };

/** A rule of the form `if (...) return reason;` that is never asked about. */
const without = (name: string, find: string): Mistake => ({ name, find, replace: "" });

const MISTAKES: readonly Mistake[] = [
  without(
    "a checkpoint of another network is taken",
    'if (!equalBytes(anchor.checkpoint.networkId, anchor.networkId)) return "checkpoint_mismatch";',
  ),
  without(
    "a proof for another network is taken",
    'if (!equalBytes(networkId, anchor.networkId)) return "network_mismatch";',
  ),
  without(
    "an epoch before the checkpoint is judged by its set",
    'if (epoch < anchor.checkpoint.epoch) return "before_checkpoint";',
  ),
  without("a proof without a certificate goes on", 'if (certificate === null) return "not_certified";'),
  without("the Merkle path is not followed", "if (fault !== null) return fault;"),
  without("the certificate may be of another epoch", 'if (attest.epoch !== epoch) return "epoch_mismatch";'),
  without(
    "the certificate may attest another root",
    'if (!equalBytes(attest.rewardRoot, proof.root)) return "root_not_attested";',
  ),
  without(
    "the parameters may be others",
    'if (!equalBytes(attest.parametersHash, parametersHash)) return "parameters_mismatch";',
  ),
  { name: "any rules are known", find: 'return isKnown ? null : "rules_unknown";', replace: "return null;" },
  {
    name: "rules of version 0 are known",
    find: "attest.rulesVersion >= 1 && ",
    replace: "",
  },
  { name: "changes may come in any order", find: "from <= before || ", replace: "" },
  { name: "changes may lie beyond the proof", find: " || from > epoch", replace: "" },
  {
    name: "a change's validators may be anybody",
    find: 'return isAttested ? checkRules(attest, anchor) : "step_validators_mismatch";',
    replace: "return checkRules(attest, anchor);",
  },
  {
    name: "a change's rules and parameters are not looked at",
    find: "return isAttested ? checkRules(attest, anchor) :",
    replace: "return isAttested ? null :",
  },
  {
    name: "a change needs no signatures",
    find: 'if (fault !== null) return { ok: false, reason: "step_certificate_invalid", detail: fault };',
    replace: "",
  },
  {
    name: "the epoch needs no signatures",
    find: 'if (fault !== null) return refuse("certificate_invalid", fault);',
    replace: "",
  },
  {
    name: "a set is in force an epoch early",
    find: "sets.push({ fromEpoch: attest.epoch + 2,",
    replace: "sets.push({ fromEpoch: attest.epoch + 1,",
  },
  {
    name: "a set is in force an epoch late",
    find: "sets.push({ fromEpoch: attest.epoch + 2,",
    replace: "sets.push({ fromEpoch: attest.epoch + 3,",
  },
  {
    name: "every change is judged by the anchor's set",
    find: "      setOf(attest.epoch),\n",
    replace: "      sets[0]!.set,\n",
  },
  {
    name: "the epoch is judged by the anchor's set",
    find: "const set = walk.setOf(epoch);",
    replace: "const set = walk.setOf(anchor.checkpoint.epoch);",
  },
  {
    name: "the checkpoint's second set is forgotten",
    find: "    { fromEpoch: checkpoint.epoch + 1, set: createValidatorSet(checkpoint.nextValidators) },\n",
    replace: "",
  },
  {
    name: "changes that a checkpoint has behind it are judged again",
    find: "(step) => epochOfStep(step) >= checkpoint.epoch + 2",
    replace: "() => true",
  },
  {
    name: "the first change after a checkpoint is passed over",
    find: "epochOfStep(step) >= checkpoint.epoch + 2",
    replace: "epochOfStep(step) > checkpoint.epoch + 2",
  },
];

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "hexbeacon-light-"));
});

/** The verifier with a mistake in it; what it imports is the real thing. */
async function loadMutant({ name, ...edit }: Mistake): Promise<{
  readonly verifyRewardEvidence: Verify;
  readonly advanceCheckpoint: Advance;
}> {
  const text = writeMistake({ file: "lightClient.ts", ...edit }, readFileSync(SOURCE, "utf8"));
  const absolute = text.replace(
    /from "(\.[^"]+)"/g,
    (_, path) => `from "${new URL(path, pathToFileURL(SOURCE))}"`,
  );
  const file = join(folder, `${name.replaceAll(/\W/g, "-")}.ts`);
  writeFileSync(file, absolute);
  return await import(pathToFileURL(file).href);
}

/** Every true file, from genesis and from every checkpoint before it. */
const TRUTHS: readonly (readonly [RewardEvidence, LightAnchor])[] = [1, 2, 3, 4, 6, 7, 9].flatMap((epoch) =>
  Array.from({ length: epoch + 1 }, (_, pinned): [RewardEvidence, LightAnchor] => [
    NETWORK.evidenceOf(epoch),
    NETWORK.anchorAt(pinned),
  ]),
);

/** How the files notice that a verifier is wrong; null where they do not. */
function findDifference(verify: Verify): string | null {
  const judge = (evidence: RewardEvidence, anchor: LightAnchor): LightVerdict | "crash" => {
    try {
      return verify(evidence, anchor, verifySignature);
    } catch {
      return "crash";
    }
  };
  for (const [reason, evidence, anchor] of LIES) {
    const verdict = judge(evidence, anchor ?? GENESIS);
    if (verdict === "crash" || verdict.valid)
      return `${reason}: ${verdict === "crash" ? verdict : "believed"}`;
  }
  for (const [evidence, anchor] of TRUTHS) {
    const verdict = judge(evidence, anchor);
    if (verdict === "crash" || !verdict.valid)
      return `epoch ${evidence.epoch} from ${anchor.checkpoint.epoch}: refused`;
  }
  return null;
}

test("the verifier itself is found without fault", () => {
  expect(findDifference(verifyRewardEvidence)).toBeNull();
});

test.each(MISTAKES)("is noticed: $name", async (mistake) => {
  expect(findDifference((await loadMutant(mistake)).verifyRewardEvidence)).not.toBeNull();
});

/** Mistakes in moving a checkpoint on. */
const ADVANCE_MISTAKES: readonly Mistake[] = [
  without("one attested set is enough", ".filter((each) => attested.has(each + 1))"),
  without("the pinned sets are no place to begin from", "pinned, pinned + 1, "),
  without("steps that prove nothing are taken", "if (!walk.ok) return walk;"),
  {
    name: "the second set is the first",
    find: "nextValidators: walk.setOf(epoch + 1).keys",
    replace: "nextValidators: validators",
  },
];

/** From which epoch, by certificates of which epochs, a checkpoint comes to which; null where they are refused. */
const ADVANCES: readonly (readonly [from: number, certified: readonly number[], to: number | null])[] = [
  [0, [], 0],
  [0, [0], 1],
  [0, [0, 1], 2],
  [0, [0, 1, 5], 2],
  [0, [0, 1, 5, 6], 7],
  [3, [0, 1], 3],
  [4, [5], 4],
  [4, [7], null],
  [4, [5, 4], null],
];

function findAdvanceDifference(advance: Advance): string | null {
  for (const [from, certified, to] of ADVANCES) {
    const steps = certified.map((epoch) => ({
      certificate: NETWORK.certify(NETWORK.attestOf(epoch)),
      validators: keysOf(epoch + 2),
    }));
    const expected = to === null ? null : NETWORK.checkpointOf(to);
    try {
      const advanced = advance(steps, NETWORK.anchorAt(from), verifySignature);
      expect(advanced.ok ? advanced.checkpoint : null).toEqual(expected);
    } catch {
      return `from ${from} by ${certified.join(", ")}`;
    }
  }
  return null;
}

test("moving a checkpoint on is found without fault", () => {
  expect(findAdvanceDifference(advanceCheckpoint)).toBeNull();
});

test.each(ADVANCE_MISTAKES)("is noticed: $name", async (mistake) => {
  expect(findAdvanceDifference((await loadMutant(mistake)).advanceCheckpoint)).not.toBeNull();
});
