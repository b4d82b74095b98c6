import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DROPPED } from "../../../protocol/src/agreement/drops.ts";
import {
  type Certificate,
  checkConflict,
  computeParticipation,
  createSimplex,
  type Effect,
  type Event,
  type JournalRecord,
  listValueHolders,
  type Proposal,
  recoverSimplex,
  type SignedVote,
  type SimplexState,
  type Statement,
  stepSimplex,
  VIEW_WINDOW,
  VOTE_KINDS,
  type Vote,
  type VoteKind,
  viewTimeoutMs,
} from "../../../protocol/src/agreement/simplex/index.ts";
import { createTokenScheme } from "../../sim/agreement/tokenScheme.ts";

const LEADERS = [0, 1, 2, 3];
const schemes = LEADERS.map(createTokenScheme);

const configOf = (self: number, validators = 4) => ({
  self,
  validators,
  leaders: LEADERS.slice(0, validators),
  delayMs: 100,
  scheme: schemes[self]!,
});

function voteOf(validator: number, kind: VoteKind, view: number, value: string | null): SignedVote {
  const vote: Vote = { kind, view, value };
  return { ...vote, validator, signature: schemes[validator]!.sign(vote) };
}

const castBy = (validator: number, kind: VoteKind, view: number, value: string | null): Event => ({
  type: "vote",
  from: validator,
  vote: voteOf(validator, kind, view, value),
});

function certify(kind: VoteKind, view: number, value: string | null, signers = [0, 1, 2]): Certificate {
  const votes = signers.map((signer) => voteOf(signer, kind, view, value));
  return schemes[0]!.certify({ kind, view, value }, votes);
}

const certified = (kind: VoteKind, view: number, value: string | null, signers?: number[]): Event => ({
  type: "certificate",
  from: 3,
  certificate: certify(kind, view, value, signers),
});

function proposed(view: number, parent: number, value: string, justification: Certificate[] = []): Event {
  const validator = LEADERS[(view - 1) % 4]!;
  const statement = { kind: "propose", view, parent, value } as const;
  const proposal: Proposal = {
    ...statement,
    validator,
    signature: schemes[validator]!.sign(statement),
    justification,
  };
  return { type: "proposal", from: validator, proposal };
}

const available = (value: string, valid = true): Event => ({ type: "valueAvailable", value, valid });

/** A validator's life so far: its state, and every effect since the beginning. */
function live(self: number, events: readonly Event[], from?: SimplexState) {
  let state = from ?? stepSimplex(createSimplex(configOf(self)), { type: "start" }).state;
  const effects: Effect[] = [];
  for (const event of events) {
    const step = stepSimplex(state, event);
    state = step.state;
    effects.push(...step.effects);
  }
  return { state, effects };
}

const votesIn = (effects: readonly Effect[]) =>
  effects.flatMap((effect) =>
    effect.type === "broadcast" && effect.message.type === "vote" ? [spell(effect.message.vote)] : [],
  );
const proposalsIn = (effects: readonly Effect[]) =>
  effects.flatMap((effect) =>
    effect.type === "broadcast" && effect.message.type === "proposal" ? [effect.message.proposal] : [],
  );
const certificatesIn = (effects: readonly Effect[]) =>
  effects.flatMap((effect) =>
    effect.type === "broadcast" && effect.message.type === "certificate"
      ? [spell(effect.message.certificate)]
      : [],
  );
const spell = ({ kind, view, value }: Vote) => `${kind} ${value ?? "-"}@${view}`;
const journalOf = (effects: readonly Effect[]): JournalRecord[] =>
  effects.flatMap((effect) => (effect.type === "persist" ? [effect.record] : []));

describe("B1 propose", () => {
  test("asks for a fresh value, and proposes it once it is built, written before it is sent", () => {
    const started = stepSimplex(createSimplex(configOf(0)), { type: "start" });
    expect(started.effects).toContainEqual({ type: "buildValue", view: 1 });
    const { effects } = live(0, [{ type: "propose", value: "a" }]);
    expect(proposalsIn(effects)).toMatchObject([{ view: 1, parent: 0, value: "a", justification: [] }]);
    const kinds = effects.map((effect) => (effect.type === "persist" ? effect.record.type : effect.type));
    expect(kinds).toEqual(["value", "proposal", "broadcast", "value", "vote", "broadcast"]);
  });

  test("must propose a notarized value again, with what justifies it", () => {
    const { effects } = live(2, [certified("notarize", 1, "a"), certified("nullify", 2, null)]);
    expect(proposalsIn(effects)).toMatchObject([{ view: 3, parent: 1, value: "a" }]);
    expect(proposalsIn(effects)[0]!.justification.map(spell)).toEqual(["notarize a@1", "nullify -@2"]);
  });

  test("takes a fresh value where every view before is nullified", () => {
    const { effects } = live(1, [certified("nullify", 1, null), { type: "propose", value: "b" }]);
    expect(proposalsIn(effects)).toMatchObject([{ view: 2, parent: 0, value: "b" }]);
  });

  test("proposes once a view, also after a crash", () => {
    const { effects } = live(0, [{ type: "propose", value: "a" }]);
    const recovered = recoverSimplex(configOf(0), journalOf(effects));
    const after = live(
      0,
      [{ type: "start" }, { type: "propose", value: "b" }, { type: "standstill" }],
      recovered,
    );
    expect(proposalsIn(after.effects).map(({ value }) => value)).toEqual(["a"]);
  });
});

describe("B2 notarize", () => {
  test("the first justified proposal, its value written before the vote is sent", () => {
    const { effects } = live(1, [proposed(1, 0, "a"), available("a"), proposed(1, 0, "b"), available("b")]);
    expect(votesIn(effects)).toEqual(["notarize a@1"]);
    expect(journalOf(effects).map(({ type }) => type)).toEqual(["value", "vote"]);
  });

  test("asks for a value that is not here", () => {
    const { effects } = live(1, [proposed(1, 0, "a")]);
    expect(effects).toEqual([{ type: "requestValue", value: "a" }]);
  });

  test("not after NULLIFY of the view", () => {
    const { effects } = live(1, [{ type: "timeout", view: 1 }, proposed(1, 0, "a"), available("a")]);
    expect(votesIn(effects)).toEqual(["nullify -@1"]);
  });

  test("nothing that another than the leader proposes", () => {
    const event = proposed(1, 0, "a") as Event & { type: "proposal" };
    const forged: Event = { ...event, proposal: { ...event.proposal, validator: 2 } };
    expect(live(1, [forged]).effects).toEqual(DROPPED.unentitled);
  });

  test.each([
    ["a parent that is not notarized", certified("nullify", 1, null), proposed(2, 1, "a")],
    ["another value than the parent's", certified("notarize", 1, "a"), proposed(2, 1, "b")],
    ["a fresh value past a view that is not nullified", certified("notarize", 1, "a"), proposed(2, 0, "b")],
  ])("answers %s with NULLIFY (B4)", (_, entry, proposal) => {
    const { effects } = live(3, [entry, proposal, available("a"), available("b")]);
    expect(votesIn(effects)).toContain("nullify -@2");
    expect(votesIn(effects).filter((vote) => vote.startsWith("notarize"))).toEqual([]);
  });
});

describe("B3 notarization", () => {
  test("leads to FINALIZE and the next view", () => {
    const { state, effects } = live(
      3,
      [0, 1, 2].map((validator) => castBy(validator, "notarize", 1, "a")),
    );
    expect(votesIn(effects)).toEqual(["finalize a@1"]);
    expect(certificatesIn(effects)).toEqual(["notarize a@1"]);
    expect(state.view).toBe(2);
  });

  test("does not lead to FINALIZE of what was nullified, or notarized otherwise", () => {
    const nullified = live(3, [{ type: "timeout", view: 1 }, certified("notarize", 1, "a")]);
    expect(votesIn(nullified.effects)).toEqual(["nullify -@1"]);
    const other = live(3, [proposed(1, 0, "b"), available("b"), certified("notarize", 1, "a")]);
    expect(votesIn(other.effects)).toEqual(["notarize b@1"]);
    expect(other.state.view).toBe(2);
  });

  test("of a view ahead leads through it; of one behind nowhere", () => {
    const ahead = live(3, [certified("notarize", 4, "a")]);
    expect(ahead.state.view).toBe(5);
    expect(votesIn(ahead.effects)).toEqual(["finalize a@4"]);
    const behind = live(3, [certified("nullify", 1, null), certified("notarize", 1, "a")]);
    expect(behind.state.view).toBe(2);
    expect(votesIn(behind.effects)).toEqual([]);
  });
});

describe("B4 timeout", () => {
  test("T(v) = min(6 d 1.5^(v-1), 60 s)", () => {
    expect([1, 2, 3, 4].map((view) => viewTimeoutMs(configOf(0), view))).toEqual([600, 900, 1_350, 2_025]);
    expect(viewTimeoutMs(configOf(0), 13)).toBe(60_000);
    expect(viewTimeoutMs(configOf(0), 1_000_000)).toBe(60_000);
  });

  test("nullifies once, after NOTARIZE too, and never an earlier view", () => {
    const { effects } = live(1, [
      proposed(1, 0, "a"),
      available("a"),
      { type: "timeout", view: 1 },
      { type: "timeout", view: 1 },
    ]);
    expect(votesIn(effects)).toEqual(["notarize a@1", "nullify -@1"]);
    const later = live(1, [certified("notarize", 1, "a"), { type: "timeout", view: 1 }]);
    expect(votesIn(later.effects)).toEqual(["finalize a@1"]);
  });

  test("an invalid value is nullified at once", () => {
    const { effects } = live(1, [proposed(1, 0, "bad"), available("bad", false)]);
    expect(votesIn(effects)).toEqual(["nullify -@1"]);
  });
});

describe("B5 nullification", () => {
  test("leads on from the current view only, and from those that came before their time", () => {
    expect(live(3, [certified("nullify", 2, null)]).state.view).toBe(1);
    const { state } = live(3, [certified("nullify", 2, null), certified("nullify", 1, null)]);
    expect(state.view).toBe(3);
  });
});

describe("B6 finalization", () => {
  const decided = () =>
    live(
      3,
      [0, 1, 2].map((validator) => castBy(validator, "finalize", 7, "a")),
    );

  test("in any view decides", () => {
    expect(decided().effects.filter(({ type }) => type === "decide")).toHaveLength(1);
    const far = live(3, [certified("finalize", 1_000_000, "a")]);
    expect(far.state.final?.value).toBe("a");
  });

  test("is followed by no vote, and answers what comes later", () => {
    const { effects } = live(
      3,
      [certified("notarize", 1, "a"), castBy(1, "nullify", 2, null), { type: "timeout", view: 1 }],
      decided().state,
    );
    expect(votesIn(effects)).toEqual([]);
    expect(effects.map((effect) => (effect.type === "send" ? effect.to : effect.type))).toEqual([3, 1]);
  });

  test("a new FINALIZE is participation, a repeated one a question", () => {
    const first = live(3, [castBy(3, "finalize", 7, "a")], decided().state);
    expect(first.effects).toEqual([]);
    expect(computeParticipation(first.state)?.signers).toEqual([0, 1, 2, 3]);
    const again = live(3, [castBy(0, "finalize", 7, "a")], first.state);
    expect(again.effects).toMatchObject([{ type: "send", to: 0, message: { type: "certificate" } }]);
  });

  test("a network of one decides by itself, and finds its way back from every crash", () => {
    const alone = configOf(0, 1);
    const started = stepSimplex(createSimplex(alone), { type: "start" });
    const { state, effects } = stepSimplex(started.state, { type: "propose", value: "a" });
    expect(state.final?.value).toBe("a");
    const journal = journalOf([...started.effects, ...effects]);
    for (let kept = 0; kept <= journal.length; kept++) {
      const { state: again } = stepSimplex(recoverSimplex(alone, journal.slice(0, kept)), { type: "start" });
      const value = stepSimplex(again, { type: "propose", value: kept === 0 ? "b" : "a" }).state.final?.value;
      expect(value).toBe(kept === 0 ? "b" : "a");
    }
  });
});

describe("B7 standstill", () => {
  test("sends all certificates, all own votes and the own proposal again, and waits again", () => {
    const { state } = live(2, [
      { type: "timeout", view: 1 },
      certified("nullify", 1, null, [0, 1, 3]),
      certified("notarize", 2, "a", [0, 1, 3]),
    ]);
    const { effects } = live(2, [{ type: "standstill" }], state);
    expect(certificatesIn(effects)).toEqual(["nullify -@1", "notarize a@2"]);
    expect(votesIn(effects)).toEqual(["nullify -@1", "finalize a@2"]);
    expect(effects.at(-1)).toEqual({ type: "setStandstillTimer", delayMs: 200 });
    expect(proposalsIn(effects)).toMatchObject([{ view: 3, parent: 2, value: "a" }]);
  });
});

describe("B8 entering a view", () => {
  test("starts its timer and judges the proposal that came before", () => {
    const { effects } = live(3, [proposed(2, 0, "a", [certify("nullify", 1, null)]), available("a")]);
    expect(votesIn(effects)).toEqual(["notarize a@2"]);
    expect(effects).toContainEqual({ type: "setViewTimer", view: 2, delayMs: 900 });
    const early = live(3, [
      proposed(3, 1, "a", [certify("notarize", 1, "a")]),
      certified("nullify", 2, null),
    ]);
    expect(live(3, [available("a")], early.state).effects.length).toBeGreaterThan(0);
  });

  test("messages of views beyond the window leave no trace", () => {
    const { state } = live(3, []);
    const beyond = VIEW_WINDOW + 2;
    for (const event of [
      castBy(1, "notarize", beyond, "a"),
      proposed(beyond, 0, "a"),
      certified("nullify", beyond, null),
    ]) {
      expect(stepSimplex(state, event).state).toBe(state);
    }
    expect(stepSimplex(state, castBy(1, "notarize", beyond - 1, "a")).state).not.toBe(state);
  });
});

describe("evidence", () => {
  const statement = (kind: Statement["kind"], view: number, value: string | null, parent = 0): Statement =>
    kind === "propose" ? { kind, view, value: value!, parent } : { kind, view, value };

  test.each([
    ["notarize", "a", "notarize", "b", "double_notarize"],
    ["finalize", "a", "finalize", "b", "double_finalize"],
    ["nullify", null, "finalize", "a", "nullify_and_finalize"],
    ["notarize", "a", "finalize", "b", "notarize_and_finalize"],
    ["propose", "a", "propose", "b", "double_propose"],
    ["notarize", "a", "nullify", null, null],
    ["notarize", "a", "finalize", "a", null],
    ["propose", "a", "notarize", "b", null],
    ["nullify", null, "nullify", null, null],
  ] as const)("%s %s and %s %s: %s", (first, x, second, y, reason) => {
    expect(checkConflict(statement(first, 1, x), statement(second, 1, y))).toBe(reason);
    expect(checkConflict(statement(second, 1, y), statement(first, 1, x))).toBe(reason);
    expect(checkConflict(statement(first, 1, x), statement(second, 2, y))).toBe(null);
  });

  test("a parent is part of what is proposed", () => {
    expect(checkConflict(statement("propose", 3, "a", 1), statement("propose", 3, "a", 2))).toBe(
      "double_propose",
    );
  });

  test("convicts a validator once, also by a vote that stands in a certificate", () => {
    const { effects } = live(3, [
      castBy(1, "notarize", 1, "b"),
      certified("notarize", 1, "a"),
      castBy(1, "nullify", 1, null),
      castBy(1, "finalize", 1, "a"),
    ]);
    const evidence = effects.filter(({ type }) => type === "evidence");
    expect(evidence).toMatchObject([{ conflict: { validator: 1, reason: "double_notarize" } }]);
  });
});

describe("any message", () => {
  const position = fc.integer({ min: -1, max: 5 });
  const view = fc.oneof(fc.integer({ min: -1, max: 24 }), fc.constantFrom(1.5, Number.NaN, 2 ** 53));
  const value = fc.constantFrom("a", "b", "bad", null);
  const kind = fc.constantFrom(...VOTE_KINDS);
  const vote = fc.record({ kind, view, value, validator: position, signed: fc.boolean() });
  const event: fc.Arbitrary<Event> = fc.oneof(
    fc.tuple(position, vote).map(([from, { signed, ...cast }]) => {
      const signature = schemes[cast.validator]?.sign(cast) ?? {};
      return { type: "vote" as const, from, vote: { ...cast, signature: signed ? signature : {} } };
    }),
    fc.tuple(kind, view, value, fc.uniqueArray(position, { maxLength: 5 })).map(([k, v, x, signers]) => ({
      type: "certificate" as const,
      from: 1,
      certificate: {
        kind: k,
        view: v,
        value: x,
        signers,
        proof: signers.map((signer) => schemes[signer]?.sign({ kind: k, view: v, value: x }) ?? {}),
      },
    })),
    fc
      .tuple(fc.integer({ min: 1, max: 24 }), fc.integer({ min: -1, max: 24 }), fc.constantFrom("a", "b"))
      .map(([v, parent, x]) => proposed(v, parent, x)),
    fc.tuple(fc.constantFrom("a", "b", "bad"), fc.boolean()).map(([x, valid]) => available(x, valid)),
    view.map((v) => ({ type: "timeout" as const, view: v })),
    fc.constantFrom<Event>({ type: "standstill" }, { type: "start" }, { type: "propose", value: "a" }),
  );

  test("that has no effect is dropped with its reason", () => {
    const reasonsOf = (...events: Event[]) =>
      live(1, events).effects.flatMap((effect) => (effect.type === "drop" ? [effect.reason] : []));
    const voted = castBy(0, "notarize", 1, "a");
    const { vote } = voted as Event & { type: "vote" };
    expect(reasonsOf(voted, voted)).toEqual(["repeated"]);
    expect(reasonsOf(voted, castBy(0, "notarize", 1, "b"))).toEqual(["conflict"]);
    expect(reasonsOf(castBy(0, "notarize", VIEW_WINDOW + 2, "a"))).toEqual(["far_ahead"]);
    expect(reasonsOf({ ...voted, vote: { ...vote, validator: 9 } } as Event)).toEqual(["unentitled"]);
    expect(reasonsOf({ ...voted, vote: { ...vote, value: null } } as Event)).toEqual(["malformed"]);
    expect(reasonsOf({ ...voted, vote: { ...vote, view: 0 } } as Event)).toEqual(["malformed"]);
    expect(reasonsOf({ ...voted, vote: { ...vote, value: "b" } } as Event)).toEqual(["bad_signature"]);
    const skip = certified("nullify", 1, null);
    expect(reasonsOf(skip, skip, certified("nullify", 2, null, [0, 1]))).toEqual(["repeated", "malformed"]);
    // The proposal counts; the certificate that came with it does not.
    const few = certify("nullify", 1, null, [0, 1]);
    expect(reasonsOf(proposed(2, 0, "a", [few]))).toEqual(["malformed"]);
    expect(reasonsOf(proposed(1, 0, "a"), proposed(1, 0, "b"))).toEqual(["conflict"]);
    // What an instance asks of itself too late is nobody's message.
    expect(reasonsOf({ type: "start" }, { type: "timeout", view: 7 })).toEqual([]);
  });

  test("of any content is judged without a throw, changes no state that was, and never makes an honest one conflict", () => {
    fc.assert(
      fc.property(fc.nat(3), fc.array(event, { maxLength: 60 }), (self, events) => {
        let state = createSimplex(configOf(self));
        const own: SignedVote[] = [];
        for (const next of events) {
          const before = JSON.stringify(state.views);
          const step = stepSimplex(state, next);
          expect(JSON.stringify(state.views)).toBe(before);
          for (const record of journalOf(step.effects)) {
            if (record.type !== "vote") continue;
            expect(own.filter((voted) => checkConflict(voted, record.vote) !== null)).toEqual([]);
            own.push(record.vote);
          }
          state = step.state;
          expect(state.views.length).toBeLessThanOrEqual(state.view + VIEW_WINDOW + 1);
        }
      }),
      { numRuns: 300 },
    );
  });
});

test("a value is held by those who proposed it or notarized it, also where only their certificate is known", () => {
  const { state } = live(3, [
    proposed(1, 0, "a"),
    castBy(1, "notarize", 1, "a"),
    castBy(2, "notarize", 1, "b"),
    castBy(2, "finalize", 1, "a"),
    certified("notarize", 4, "c", [0, 1, 2]),
  ]);
  const holdersOf = (value: string) => [...listValueHolders(state, value)].sort();
  expect(["a", "b", "c", "d"].map(holdersOf)).toEqual([[0, 1], [2], [0, 1, 2], []]);
});
