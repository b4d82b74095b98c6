/**
 * Mistakes in lanes, attestation and the shells around the pure cores, each written into a copy of the project, which
 * the simulation of the full stack must turn red on.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { writeMistake } from "../agreement/mutations.ts";
import type { DiskMistake } from "./disk.ts";
import {
  createStackScenario,
  type StackBehaviour,
  type StackProfile,
  type StackScenario,
} from "./scenario.ts";
import type { simulateStack } from "./simulate.ts";

export type StackMutation = {
  readonly name: string;
  /** The rule that it breaks. */
  readonly rule: string;
  /** A file of the project and a piece of it that occurs once; absent where the mistake is the simulated disk's. */
  readonly edit?: { readonly file: string; readonly find: string; readonly replace: string };
  readonly mistake?: NonNullable<DiskMistake>;
  /** The profile in which it can be noticed; by default any with something bad in it. */
  readonly profile?: StackProfile;
  /** Tried on seeds of this kind only: what else they need to be noticed is rare enough. */
  readonly among?: (scenario: StackScenario) => boolean;
};

const hasBad =
  (behaviour: StackBehaviour) =>
  ({ behaviours }: StackScenario): boolean =>
    behaviours.includes(behaviour);

const LANES = "protocol/src/agreement/lanes";
const EVIDENCE = "validator/src/rounds/evidencePool.ts";
const GUARD = "validator/src/rounds/restoreGuard.ts";
const ATTESTATION = "protocol/src/agreement/attestation/attestation.ts";

export const STACK_MUTATIONS: readonly StackMutation[] = [
  {
    name: "a batch is acknowledged before it is on disk",
    rule: "A3",
    edit: {
      file: `${LANES}/peerLane.ts`,
      find: 'else enterPhase(draft, "writing", { type: "write", digest: event.digest });',
      replace: "else holdBatch(draft);",
    },
  },
  {
    name: "a batch is acknowledged without those before it",
    rule: "A3",
    edit: {
      file: `${LANES}/peerLane.ts`,
      find: "if (oldest.seq > draft.head.seq + 1) {",
      replace:
        "if (oldest.seq > draft.head.seq + 1) draft.head = { seq: oldest.seq - 1, digest: oldest.prev };\n  if (oldest.seq > draft.head.seq + 1) {",
    },
  },
  {
    name: "the acknowledged digest is not recorded",
    rule: "A3",
    among: hasBad("doubleAuthor"),
    edit: {
      file: "validator/src/lanes/peerLanes.ts",
      find: "const verdict = votes.recordAck({ lane: lane.state.lane, ...effect.place });",
      replace: 'const verdict = "recorded" as "recorded" | "conflict";\n          void votes;',
    },
  },
  {
    name: "messages are not checked before the acknowledgement",
    rule: "A3",
    among: hasBad("doubleAuthor"),
    edit: {
      file: `${LANES}/peerLane.ts`,
      find: "if (event.isValid) nameBatch",
      replace: "if (event.isValid || draft.epoch >= 0) nameBatch",
    },
  },
  {
    name: "another digest of a held number is acknowledged too",
    rule: "A3",
    among: hasBad("doubleAuthor"),
    edit: {
      file: `${LANES}/peerLane.ts`,
      find: '    convictAuthor(draft, { ...known, seq: offer.seq }, offer);\n    return "conflict";',
      replace: "    return acknowledge(draft, offer);",
    },
  },
  {
    name: "a quorum of acknowledgements is one short",
    rule: "A3",
    edit: {
      file: `${LANES}/gather.ts`,
      find: "entry.acks.size < set.quorum",
      replace: "entry.acks.size < set.quorum - 1",
    },
  },
  {
    name: "acknowledgements of another digest count",
    rule: "A3",
    among: hasBad("ackLiar"),
    edit: {
      file: `${LANES}/gather.ts`,
      find: "if (!equalBytes(ack.digest, entry.digest)) return takeOtherAck(state, entry, signed);",
      replace: "void takeOtherAck;",
    },
  },
  {
    name: "an acknowledgement's signature is not verified",
    rule: "A3",
    among: hasBad("ackLiar"),
    edit: {
      file: `${LANES}/gather.ts`,
      find: 'if (!isAckSigned(config, key, signed)) return dropped("bad_signature");\n  const counted',
      replace: "const counted",
    },
  },
  {
    name: "what waits for acknowledgements is not sent again",
    rule: "A3",
    edit: {
      file: `${LANES}/gather.ts`,
      find: 'effects.push({ type: "sendBatch", to, place, epoch, signature });',
      replace: "void to;",
    },
  },
  {
    name: "a waiting batch is asked for in its first epoch for ever",
    rule: "A3",
    edit: {
      file: `${LANES}/gather.ts`,
      find: "before.epoch === epoch\n        ? before",
      replace: "before.epoch <= epoch\n        ? before",
    },
  },
  {
    name: "a batch is offered before its number is recorded",
    rule: "A2",
    edit: {
      file: `${LANES}/author.ts`,
      find: 'const effects: AuthorEffect[] = places.length === 0 ? [] : [{ type: "record", places }];',
      replace:
        'const effects: AuthorEffect[] = places.length === 0 ? [] : [...places.map((place) => ({ type: "offer", place }) as const)];',
    },
  },
  {
    name: "a batch is named before its body is on disk",
    rule: "A2",
    edit: {
      file: `${LANES}/author.ts`,
      find: 'const inFlight = [...state.inFlight, { ...head, stage: "numbered" as const }];\n  return { state: { ...state, head, inFlight }, effects: [{ type: "write", place: head }] };',
      replace:
        'const inFlight = [...state.inFlight, { ...head, stage: "naming" as const }];\n  return { state: { ...state, head, inFlight }, effects: [{ type: "write", place: head }, { type: "record", places: [head] }] };',
    },
  },
  {
    name: "a restarted author begins again at the last cut",
    rule: "A2",
    edit: {
      file: "validator/src/core.ts",
      find: "  const { last, end } = recovered.lane;\n  const { votes, batches } = storage;",
      replace:
        "  const { end } = recovered.lane;\n  const last = null;\n  const { votes, batches } = storage;",
    },
  },
  {
    name: "what waited for a quorum before a crash is forgotten",
    rule: "A2",
    among: ({ crashesOn }) => crashesOn === "recordAck" || crashesOn === "recordBatches",
    edit: {
      file: "validator/src/consensus.ts",
      find: "if (waiting !== null) acks.request(last!, waiting);",
      replace: "void waiting;",
    },
  },
  {
    name: "a certificate of availability is not verified",
    rule: "A4",
    edit: {
      file: `${LANES}/availability.ts`,
      find: 'if (checkAvailabilityCert(cert, set, domains, verify) !== null) return dropped("bad_signature");',
      replace: "void [checkAvailabilityCert, domains, verify];",
    },
  },
  {
    name: "a later certificate takes the place of one that tips name",
    rule: "A4",
    profile: "seats",
    among: hasBad("earlyCertifier"),
    edit: {
      file: `${LANES}/availability.ts`,
      find: "b.epoch - a.epoch).filter(isRecent);",
      replace: "b.epoch - a.epoch).slice(0, 1);\n  void isRecent;",
    },
  },
  {
    name: "missing batches of a decided round are not fetched",
    rule: "A4",
    edit: {
      file: "validator/src/lanes/batchFetcher.ts",
      find: "const ask = (name: PeerName) => this.#askOne(name, digest);",
      replace: "const ask = async (_name: PeerName) => (void this.#askOne, null);",
    },
  },
  {
    name: "a quorum of attestations is one short",
    rule: "C3",
    edit: {
      file: ATTESTATION,
      find: "if (equal.length < set.quorum) return null;",
      replace: "if (equal.length < set.quorum - 2) return null;",
    },
  },
  {
    name: "different attestations count together",
    rule: "C3",
    among: hasBad("wrongAttester"),
    edit: {
      file: ATTESTATION,
      find: "const equal = [...all].filter(([, each]) => isSame(each.attest, signed.attest));",
      replace: "const equal = [...all];",
    },
  },
  {
    name: "an attestation's signature is not verified",
    rule: "C2",
    among: hasBad("wrongAttester"),
    edit: {
      file: ATTESTATION,
      find: 'return isSigned(draft, signed, set) ? gather(draft, signed) : "bad_signature";',
      replace: "return gather(draft, signed);",
    },
  },
  {
    name: "attestations are said once",
    rule: "C4",
    edit: {
      file: ATTESTATION,
      find: 'if (own !== undefined) draft.effects.push({ type: "broadcast", signed: own });',
      replace: "void own;",
    },
  },
  {
    name: "an epoch stored before the end is not attested to after it",
    rule: "C1",
    // Who only lacks the certificate asks for it (C5). Here nobody has one: it takes a crash in the middle of the record, on a
    // network that comes so far in time, and somebody else whose attestation is missing as well.
    among: ({ crashesOn, crashesWriting, healMs, lossPpm, maxDelayMs, behaviours }) =>
      crashesOn === "recordAttest" &&
      crashesWriting > 0 &&
      healMs > 1_700 &&
      lossPpm < 150_000 &&
      maxDelayMs <= 320 &&
      (behaviours.includes("silent") || behaviours.includes("wrongAttester")),
    edit: {
      file: "validator/src/core.ts",
      find: "if (closed !== null) attestor.onEpochClosed(closed);",
      replace: "void closed;",
    },
  },
  {
    name: "who has left is refused while rounds wait for its word on its last epoch",
    rule: "B0",
    profile: "seats",
    among: ({ isLeaverLate }) => isLeaverLate,
    edit: {
      file: "validator/src/rounds/validatorSets.ts",
      find: "[nextEpoch, nextEpoch - 1, nextEpoch - 2, nextEpoch + 1]",
      replace: "[nextEpoch, nextEpoch - 1, nextEpoch + 1]",
    },
  },
  {
    name: "the instance's journal is not read back",
    rule: "durability",
    edit: {
      file: "validator/src/rounds/roundInstance.ts",
      find: "records.length === 0 ? createSimplex(config)",
      replace: "records.length >= 0 ? createSimplex(config)",
    },
  },
  {
    name: "what own tips name is certified to nobody after a crash",
    rule: "B0",
    profile: "seats",
    among: ({ submissions }) => submissions === 60,
    edit: {
      file: "validator/src/rounds/roundInstance.ts",
      find: "this.#modules.availability.put(recalled.cert);",
      replace: "void recalled.cert;",
    },
  },
  {
    name: "own tips are made anew after a crash",
    rule: "B0",
    edit: {
      file: "validator/src/rounds/roundInstance.ts",
      find: "        this.tips.put(this.#options.config.self, recalled.signed);\n        return [];",
      replace: "        return [];",
    },
  },
  {
    name: "evidence stays with who found it",
    rule: "evidence",
    among: hasBad("doubleAuthor"),
    edit: {
      file: EVIDENCE,
      find: '    mesh.broadcast({ type: "evidence", evidence });\n    onEvidence',
      replace: "    void mesh;\n    onEvidence",
    },
  },
  {
    name: "evidence of others is not taken over",
    rule: "evidence",
    among: hasBad("doubleAuthor"),
    edit: {
      file: EVIDENCE,
      find: "return !this.#modules.isMember(evidence.offender) || this.add(evidence);",
      replace: "return !this.#modules.isMember(evidence.offender) || this.#pieces.size >= 0;",
    },
  },
  {
    name: "evidence of others is not verified",
    rule: "evidence",
    among: hasBad("flooder"),
    edit: {
      file: EVIDENCE,
      find: "if (!this.#proves(evidence)) return false;",
      replace: "",
    },
  },
  {
    name: "a restored validator goes by what several claim",
    rule: "restore",
    profile: "restore",
    among: (scenario) => scenario.homeLoss?.copiedAfterRound != null && hasBad("standingLiar")(scenario),
    edit: {
      file: GUARD,
      find: "reachedRound(others, heard), ...heard.map(({ shown }) => shown));",
      replace: "reachedRound(others, heard));",
    },
  },
  {
    name: "a restored validator believes what nobody shows",
    rule: "restore",
    profile: "restore",
    among: (scenario) => scenario.homeLoss?.copiedAfterRound != null && hasBad("standingLiar")(scenario),
    edit: { file: GUARD, find: "return unshown < TRIES_TO_SHOW ? null : 0;", replace: "return claimed;" },
  },
  {
    name: "a restored validator signs on where its copy ends",
    rule: "restore",
    profile: "restore",
    edit: { file: GUARD, find: "this.#signsFrom = this.#firstToSign(others, reached);", replace: "" },
  },
  {
    name: "a restored validator acknowledges what it may have acknowledged before",
    rule: "restore",
    profile: "restore",
    among: hasBad("forkingAuthor"),
    edit: {
      file: "validator/src/lanes/lostAcks.ts",
      find: "return this.#knownFrom !== null && epoch >= this.#knownFrom;",
      replace: "return epoch >= 0;",
    },
  },
  {
    name: "a lost home of before its seat has nothing to wait for",
    rule: "restore",
    profile: "restore",
    among: ({ candidates }) => candidates > 0,
    edit: {
      file: GUARD,
      find: "const others = this.#others();\n    if (others !== null) {",
      replace:
        "const others = this.#others();\n    this.#isSettled ||= others === null;\n    if (others !== null) {",
    },
  },
  { name: "the votes are not synced", rule: "durability", mistake: "votesUnsynced" },
  { name: "batches are not synced", rule: "durability", mistake: "batchesUnsynced" },
];

/** The project's root. */
const ROOT = new URL("../../../", import.meta.url);
/** What a copy of the project needs to run the simulation. */
const COPIED = [
  "protocol/src",
  "node/src",
  "validator/src",
  "test/sim",
  "test/store",
  "test/model",
  "test/vectors",
];
const LINKED = ["node_modules", "package.json"];

const PROFILES: readonly StackProfile[] = ["chaos", "loss"];
/** So many seeds are looked through for one of the kind that is asked for. */
const LOOKED_THROUGH = 100;

/**
 * Lets the simulation loose on a mistake.
 * @param seeds how many seeds of its kind are tried.
 * @returns what it found first, or null where the mistake survived.
 */
export async function judgeStackMutation(mutation: StackMutation, seeds: number): Promise<string | null> {
  return await withStackMutant(mutation, async (simulate) => {
    let tried = 0;
    for (let seed = 0; tried < seeds && seed < seeds * LOOKED_THROUGH; seed++) {
      for (const profile of mutation.profile === undefined ? PROFILES : [mutation.profile]) {
        const scenario = createStackScenario(seed, 4, profile);
        if (mutation.among?.(scenario) === false) continue;
        tried++;
        const mistake = mutation.mistake ?? null;
        const { violation, detail } = await simulate({ seed, validators: 4, profile, mistake });
        if (violation !== null) return `${violation}: ${detail.split("\n")[0]} (${profile}, seed ${seed})`;
      }
    }
    return null;
  });
}

async function withStackMutant<T>(
  { edit }: StackMutation,
  use: (simulate: typeof simulateStack) => Promise<T>,
): Promise<T> {
  if (edit === undefined) return await use(await loadSimulation(ROOT));
  const home = mkdtempSync(join(tmpdir(), "hexbeacon-mutant-"));
  try {
    for (const path of COPIED)
      cpSync(fileURLToPath(new URL(path, ROOT)), join(home, path), { recursive: true });
    for (const path of LINKED) symlinkSync(fileURLToPath(new URL(path, ROOT)), join(home, path));
    const path = join(home, edit.file);
    writeFileSync(path, writeMistake(edit, readFileSync(path, "utf8")));
    return await use(await loadSimulation(pathToFileURL(`${home}/`)));
  } finally {
    rmSync(home, { recursive: true });
  }
}

async function loadSimulation(root: URL): Promise<typeof simulateStack> {
  const module = (await import(new URL("test/sim/stack/simulate.ts", root).href)) as {
    simulateStack: typeof simulateStack;
  };
  return module.simulateStack;
}

/** The text of the file that a mistake is made in, with the mistake. */
export function readStackMistake({ edit }: StackMutation): string | null {
  return edit === undefined ? null : writeMistake(edit, readFileSync(new URL(edit.file, ROOT), "utf8"));
}
