/**
 * Mistakes that somebody could make in the rules of agreement, each written into a copy of the real core, and the checks
 * that must notice: a check that no mistake turns red has not been shown to check anything.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { replay } from "../../model/replay.ts";
import { readTraces } from "../../model/trace.ts";
import { CORE_URL, type Core, loadCore } from "./core.ts";
import { EXPLORATIONS, explore } from "./explore.ts";
import type { Impatience } from "./replica.ts";
import type { Profile } from "./scenario.ts";
import { simulate } from "./simulate.ts";

export type Mutation = {
  readonly name: string;
  /** The rule that it breaks. */
  readonly rule: string;
  /** A file of the core and a piece of it that occurs once; absent where the mistake is the shell's. */
  readonly edit?: { readonly file: string; readonly find: string; readonly replace: string };
  readonly impatient?: Impatience;
};

export const MUTATIONS: readonly Mutation[] = [
  {
    name: "a quorum is one vote short",
    rule: "Q",
    edit: {
      file: "config.ts",
      find: "computeQuorum(config.validators)",
      replace: "computeQuorum(config.validators) - 1",
    },
  },
  {
    name: "votes for other values count too",
    rule: "Q",
    edit: {
      file: "state.ts",
      find: "vote !== undefined && vote.value === value",
      replace: "vote !== undefined",
    },
  },
  {
    name: "the leader need not repeat the notarized value",
    rule: "B1",
    edit: { file: "rules.ts", find: "parent.certificate?.value ?? draft.fresh", replace: "draft.fresh" },
  },
  {
    name: "the proposal leaves before it is written",
    rule: "B1",
    edit: { file: "rules.ts", find: '  persist(draft, { type: "proposal", proposal });\n', replace: "" },
  },
  {
    name: "another value than the parent's is justified",
    rule: "B2",
    edit: {
      file: "justification.ts",
      find: "notarization?.value !== value",
      replace: "notarization === null",
    },
  },
  {
    name: "views between need not be nullified",
    rule: "B2",
    edit: {
      file: "justification.ts",
      find: "return areNullified(state, parent + 1, view - 1);",
      replace: "return areNullified(state, view, view - 1);",
    },
  },
  {
    name: "the value is not written before the vote",
    rule: "B2",
    edit: {
      file: "rules.ts",
      find: '    persist(draft, { type: "value", value });\n    castVote',
      replace: "    castVote",
    },
  },
  {
    name: "a second proposal is notarized too",
    rule: "B2",
    edit: {
      file: "rules.ts",
      find: 'if (ownVote(draft, view, "notarize") !== undefined || ownVote',
      replace: 'if (ownVote(draft, view, "notarize")?.value === proposal.value || ownVote',
    },
  },
  {
    name: "a nullified view is still notarized",
    rule: "B2",
    edit: {
      file: "rules.ts",
      find: ' || ownVote(draft, view, "nullify") !== undefined) return;\n  const { value',
      replace: ") return;\n  const { value",
    },
  },
  {
    name: "an invalid value is notarized",
    rule: "B2",
    edit: { file: "rules.ts", find: " || valid === false", replace: "" },
  },
  {
    name: "a nullified view is finalized",
    rule: "B3",
    edit: {
      file: "rules.ts",
      find: 'ownVote(draft, view, "nullify") === undefined && (notarized',
      replace: "(notarized",
    },
  },
  {
    name: "another value than the notarized one is finalized",
    rule: "B3",
    edit: {
      file: "rules.ts",
      find: " && (notarized === undefined || notarized.value === value)",
      replace: " && (notarized === undefined || notarized !== null)",
    },
  },
  {
    name: "a finalized view is nullified",
    rule: "B4",
    edit: {
      file: "rules.ts",
      find: '  const { view } = draft;\n  if (ownVote(draft, view, "finalize") !== undefined || ',
      replace: "  const view = Math.max(1, draft.view - 1);\n  if (",
    },
  },
  {
    name: "a nullification does not lead on",
    rule: "B5",
    edit: {
      file: "rules.ts",
      find: "if (view === draft.view && draft.started) enterView(draft, view + 1);",
      replace: "",
    },
  },
  {
    name: "one vote to finalize decides",
    rule: "B6",
    edit: {
      file: "state.ts",
      find: "agreeing.length >= quorumOf(draft.config)",
      replace: 'agreeing.length >= (kind === "finalize" ? 1 : quorumOf(draft.config))',
    },
  },
  {
    name: "who asks after the decision gets no answer",
    rule: "B6",
    edit: {
      file: "step.ts",
      find: 'draft.effects.push({\n      type: "send"',
      replace: 'draft.effects.slice().push({\n      type: "send"',
    },
  },
  {
    name: "voting goes on after the decision",
    rule: "B6",
    edit: { file: "rules.ts", find: "if (draft.final !== null || isCertified", replace: "if (isCertified" },
  },
  {
    name: "only the last view is sent again",
    rule: "B7",
    edit: {
      file: "rules.ts",
      find: "for (let view = 1; view < draft.views.length; view++)",
      replace: "for (let view = draft.view; view < draft.views.length; view++)",
    },
  },
  {
    name: "own votes are not sent again",
    rule: "B7",
    edit: {
      file: "rules.ts",
      find: 'if (vote !== undefined) broadcast(draft, { type: "vote", vote });',
      replace: "",
    },
  },
  {
    name: "a certificate that came before its view is forgotten",
    rule: "B8",
    edit: {
      file: "rules.ts",
      find: "if (certificate !== null) {\n    applyCertificate",
      replace: "if (certificate !== null && draft.view < 0) {\n    applyCertificate",
    },
  },
  {
    name: "every view's messages are kept",
    rule: "B8",
    edit: {
      file: "state.ts",
      find: "view <= state.view + VIEW_WINDOW",
      replace: "view <= state.view + 64 * VIEW_WINDOW",
    },
  },
  {
    name: "a vote's signature is not verified",
    rule: "signatures",
    edit: {
      file: "intake.ts",
      find: 'if (!draft.config.scheme.verify(vote, vote.validator, vote.signature)) return "bad_signature";',
      replace: "",
    },
  },
  {
    name: "a certificate's signatures are not verified",
    rule: "signatures",
    edit: {
      file: "intake.ts",
      find: 'if (!scheme.verifyCertificate(certificate)) return "bad_signature";',
      replace: "",
    },
  },
  {
    name: "a certificate may name a signer twice",
    rule: "signatures",
    edit: { file: "intake.ts", find: "(i === 0 || signer > signers[i - 1]!)", replace: "true" },
  },
  {
    name: "a proposal's signature is not verified",
    rule: "signatures",
    edit: {
      file: "intake.ts",
      find: 'if (!draft.config.scheme.verify(proposal, validator, signature)) return "bad_signature";',
      replace: "",
    },
  },
  {
    name: "NOTARIZE and NULLIFY of one view convict",
    rule: "evidence",
    edit: {
      file: "conflicts.ts",
      find: 'if (a.kind !== "finalize" && b.kind !== "finalize") return null;',
      replace: 'if (a.kind !== "finalize" && b.kind !== "finalize") return "nullify_and_finalize";',
    },
  },
  {
    name: "a crash loses the votes",
    rule: "durability",
    edit: { file: "step.ts", find: "recoverVote(draft, record.vote);", replace: "void record;" },
  },
  {
    name: "a crash loses the certificates",
    rule: "durability",
    edit: {
      file: "step.ts",
      find: "recoverCertificate(draft, record.certificate);",
      replace: "void record;",
    },
  },
  {
    name: "a vote leaves before it is written",
    rule: "durability",
    edit: {
      file: "rules.ts",
      find: '  persist(draft, { type: "vote", vote });\n  broadcast(draft, { type: "vote", vote });\n',
      replace: '  broadcast(draft, { type: "vote", vote });\n  persist(draft, { type: "vote", vote });\n',
    },
  },
  { name: "messages leave before the disk has synced", rule: "durability", impatient: "message" },
  { name: "a decision does not wait for the disk", rule: "durability", impatient: "decision" },
];

/** A check that noticed, and what it saw. */
export type Finding = { readonly check: "simulation" | "exploration" | "traces"; readonly how: string };

/** The file's text with the mistake; throws where it has no place, or several, because the core has moved on. */
export function writeMistake({ file, find, replace }: NonNullable<Mutation["edit"]>, text: string): string {
  if (text.split(find).length !== 2) throw new Error(`a mistake has no single place in ${file}: ${find}`);
  return text.replace(find, () => replace);
}

/** Writes a copy of the protocol with the mistake, hands it to `use`, and removes it. */
export async function withMutant<T>(mutation: Mutation, use: (core: Core) => Promise<T> | T): Promise<T> {
  if (mutation.edit === undefined) return use(await loadCore(CORE_URL));
  const { file } = mutation.edit;
  const home = mkdtempSync(join(tmpdir(), "hexbeacon-mutant-"));
  try {
    const sources = new URL("../../", CORE_URL);
    cpSync(fileURLToPath(sources), join(home, "src"), { recursive: true });
    symlinkSync(fileURLToPath(new URL("../../node_modules", sources)), join(home, "node_modules"));
    const core = pathToFileURL(join(home, "src/agreement/simplex/"));
    const path = join(fileURLToPath(core), file);
    writeFileSync(path, writeMistake(mutation.edit, readFileSync(path, "utf8")));
    return await use(await loadCore(core));
  } finally {
    rmSync(home, { recursive: true });
  }
}

/**
 * Lets the checks loose on a mistake, and gives what they found; nothing, if it survived.
 * @param seeds how many seeds of each kind of simulation are tried.
 * @param isPatient whether every check has its turn; otherwise the first that notices ends it.
 */
export async function judgeMutation(
  mutation: Mutation,
  seeds: number,
  isPatient: boolean,
): Promise<Finding[]> {
  return withMutant(mutation, (core) => {
    const findings: Finding[] = [];
    for (const check of [simulateMutant, exploreMutant, replayMutant]) {
      if (findings.length > 0 && !isPatient) break;
      // A mistake of the shell is in the simulation's own, and in no copy of the core.
      if (mutation.edit === undefined && check !== simulateMutant) break;
      const finding = check(core, mutation, seeds);
      if (finding !== null) findings.push(finding);
    }
    return findings;
  });
}

function simulateMutant(core: Core, mutation: Mutation, seeds: number): Finding | null {
  for (let seed = 0; seed < seeds; seed++) {
    for (const [validators, profile] of SIMULATIONS) {
      const { violation, detail } = simulate({
        core,
        seed,
        validators,
        profile,
        impatient: mutation.impatient ?? null,
      });
      if (violation === null) continue;
      const how = `${violation}: ${detail.split("\n")[0]} (${profile}, n = ${validators}, seed ${seed})`;
      return { check: "simulation", how };
    }
  }
  return null;
}

function exploreMutant(core: Core): Finding | null {
  for (const exploration of EXPLORATIONS) {
    const { violation, states } = explore({ ...exploration, core, maxStates: 300_000 });
    if (violation !== null) return { check: "exploration", how: `${violation} (${states} states)` };
  }
  return null;
}

function replayMutant(core: Core): Finding | null {
  const difference = readTraces()
    .map((trace) => replay(core, trace))
    .find((found) => found !== null);
  return difference === undefined ? null : { check: "traces", how: difference };
}

const SIMULATIONS: readonly (readonly [number, Profile])[] = [
  [4, "chaos"],
  [4, "loss"],
  [7, "chaos"],
];
