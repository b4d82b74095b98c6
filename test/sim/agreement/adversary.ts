/** Byzantine validators that attack: each knows the rules and the coalition's secrets, and breaks what it can. */
import {
  leaderOf,
  type Message,
  type SimplexConfig,
  VOTE_KINDS,
} from "../../../protocol/src/agreement/simplex/index.ts";
import type { Prng } from "../prng.ts";
import type { Coalition } from "./coalition.ts";
import type { Behaviour } from "./scenario.ts";
import { createTokenScheme } from "./tokenScheme.ts";

/** What an adversary may do to the world: send anything to anyone, whenever something happens. */
export type Stage = {
  readonly prng: Prng;
  readonly coalition: Coalition;
  readonly leaders: readonly number[];
  readonly honest: readonly number[];
  /** Reliable, in its own time: an adversary's links are as good as it likes. */
  readonly send: (from: number, to: number, message: Message) => void;
};

type Attack = (stage: Stage, self: number, heard: Message | null) => void;

/** Values of the Byzantine; names that begin with `x` are invalid. */
const INVALID_VALUE = "x0";
const FLOOD_BURST = 24;

/** As a leader: one value for some, another for others, each as well justified as can be; then votes for both. */
const equivocate: Attack = (stage, self) => {
  const { coalition, prng, honest } = stage;
  for (const view of [coalition.view, coalition.view + 1]) {
    if (leaderAt(stage, view) !== self) continue;
    const parents = coalition.parents(view);
    if (parents.length === 0) continue;
    for (const to of honest) {
      const { parent, value, justification } = prng.pick(parents);
      const proposed = value ?? prng.pick(["b0", "b1"]);
      const proposal = coalition.propose(self, view, parent, proposed, justification);
      stage.send(self, to, { type: "proposal", proposal });
      for (const kind of ["notarize", "finalize"] as const) {
        stage.send(self, to, { type: "vote", vote: coalition.vote(self, { kind, view, value: proposed }) });
      }
    }
  }
};

/** As a leader: proposals that are not justified: no proof, a part of it, another value than the parent's, an invalid one. */
const proposeUnjustified: Attack = (stage, self) => {
  const { coalition, prng, honest } = stage;
  for (const view of [coalition.view, coalition.view + 1]) {
    if (leaderAt(stage, view) !== self) continue;
    const value = prng.pick([...coalition.values, INVALID_VALUE]);
    const parent = prng.below(view);
    const known = coalition.certificates();
    const justification = prng.oneIn(3) ? [] : known.filter(() => prng.oneIn(2)).slice(0, view - 1);
    for (const to of honest) {
      if (prng.oneIn(3)) continue;
      const proposal = coalition.propose(self, view, parent, value, justification);
      stage.send(self, to, { type: "proposal", proposal });
      stage.send(self, to, { type: "vote", vote: coalition.vote(self, { kind: "notarize", view, value }) });
    }
  }
};

/** NULLIFY for every view at once, and now and then FINALIZE as well. */
const nullifyAll: Attack = (stage, self) => {
  const { coalition, prng } = stage;
  const { view } = coalition;
  sendToSome(stage, self, {
    type: "vote",
    vote: coalition.vote(self, { kind: "nullify", view, value: null }),
  });
  if (prng.oneIn(4)) {
    const value = prng.pick(coalition.values);
    sendToSome(stage, self, { type: "vote", vote: coalition.vote(self, { kind: "finalize", view, value }) });
  }
};

/** Says again whatever anyone says, to some: every quorum that lacks one vote gets it from somebody's point of view. */
const voteTwice: Attack = (stage, self, heard) => {
  if (heard?.type !== "vote") return;
  const { coalition, prng } = stage;
  sendToSome(stage, self, { type: "vote", vote: coalition.vote(self, heard.vote) });
  if (!prng.oneIn(3)) return;
  const { view } = heard.vote;
  const kind = prng.pick(VOTE_KINDS);
  const value = kind === "nullify" ? null : prng.pick(coalition.values);
  sendToSome(stage, self, { type: "vote", vote: coalition.vote(self, { kind, view, value }) });
};

/** Votes for nothing in public, makes certificates in private, and shows each to one validator, late. */
const withhold: Attack = (stage, self) => {
  const { coalition, prng, honest } = stage;
  if (!prng.oneIn(3)) return;
  const certificates = coalition.certificates();
  if (certificates.length === 0) return;
  stage.send(self, prng.pick(honest), { type: "certificate", certificate: prng.pick(certificates) });
  for (const value of coalition.values.slice(-4)) {
    const final = coalition.certificate({ kind: "finalize", view: coalition.view, value });
    if (final !== null && prng.oneIn(8)) {
      stage.send(self, prng.pick(honest), { type: "certificate", certificate: final });
    }
  }
};

/** Old messages again, as if its own stream had brought them. */
function createReplayer(): Attack {
  const kept: Message[] = [];
  return (stage, self, heard) => {
    if (heard !== null) kept[stage.prng.below(64)] = heard;
    const known = kept.filter((message) => message !== undefined);
    if (known.length > 0) stage.send(self, stage.prng.pick(stage.honest), stage.prng.pick(known));
  };
}

/** Votes and proposals for views and values without number. */
const flood: Attack = (stage, self, heard) => {
  const { coalition, prng, honest } = stage;
  if (heard !== null) return;
  for (let sent = 0; sent < FLOOD_BURST; sent++) {
    const view = 1 + prng.below(prng.oneIn(2) ? 1_000_000 : coalition.view + 24);
    const value = `f${prng.below(1_000)}`;
    const kind = prng.pick(VOTE_KINDS);
    const vote = coalition.vote(self, { kind, view, value: kind === "nullify" ? null : value });
    stage.send(self, prng.pick(honest), { type: "vote", vote });
    if (leaderAt(stage, view) === self) {
      const proposal = coalition.propose(self, view, 0, value, []);
      stage.send(self, prng.pick(honest), { type: "proposal", proposal });
    }
  }
};

/** Others' names under its own signatures, and certificates with too few, repeated or unwilling signers. */
const forge: Attack = (stage, self) => {
  const { coalition, prng, honest } = stage;
  const { view } = coalition;
  const validators = stage.leaders.length;
  const kind = prng.pick(VOTE_KINDS);
  const value = kind === "nullify" ? null : prng.pick(coalition.values);
  const own = coalition.vote(self, { kind, view, value });
  sendToSome(stage, self, { type: "vote", vote: { ...own, validator: prng.pick(honest) } });
  const everyone = stage.leaders.map((_, position) => ({ ...own, validator: position }));
  const votes = prng.pick([
    everyone,
    Array.from({ length: validators }, () => own),
    [own],
    everyone.slice(0, validators - Math.floor((validators - 1) / 3)),
  ]);
  const certificate = createTokenScheme(self).certify({ kind, view, value }, votes);
  sendToSome(stage, self, { type: "certificate", certificate });
  const victim = leaderAt(stage, view + 1);
  if (!honest.includes(victim)) return;
  const proposal = coalition.propose(self, view + 1, 0, "b0", coalition.certificates().slice(0, view));
  sendToSome(stage, self, { type: "proposal", proposal: { ...proposal, validator: victim } });
};

const ATTACKS = {
  equivocator: () => equivocate,
  unjustified: () => proposeUnjustified,
  nullifier: () => nullifyAll,
  doubleVoter: () => voteTwice,
  withholder: () => withhold,
  replayer: createReplayer,
  flooder: () => flood,
  forger: () => forge,
} as const satisfies Partial<Record<Behaviour, () => Attack>>;

/** The attack of a behaviour; of `mixed` any of them, each time anew. `silent` does nothing. */
export function createAttack(behaviour: Exclude<Behaviour, "twins">): Attack {
  if (behaviour === "silent") return () => undefined;
  if (behaviour !== "mixed") return ATTACKS[behaviour]();
  const all = Object.values(ATTACKS).map((create) => create());
  return (stage, self, heard) => {
    stage.prng.pick(all)(stage, self, heard);
    if (stage.prng.oneIn(2)) stage.prng.pick(all)(stage, self, heard);
  };
}

function leaderAt(stage: Stage, view: number): number {
  return leaderOf({ leaders: stage.leaders } as SimplexConfig, view);
}

function sendToSome(stage: Stage, self: number, message: Message): void {
  for (const to of stage.honest) if (stage.prng.oneIn(2)) stage.send(self, to, message);
}
