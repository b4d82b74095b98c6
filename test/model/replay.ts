/**
 * Replays a trace of the model against the real core: every view is led by the Byzantine validator, every certificate
 * is made of the votes that the cores themselves have cast and the Byzantine ones, and the core must do what the model
 * did, step by step.
 */
import type { Certificate, Event, SimplexState, Vote } from "../../protocol/src/agreement/simplex/index.ts";
import { VOTE_KINDS } from "../../protocol/src/agreement/simplex/index.ts";
import type { Core } from "../sim/agreement/core.ts";
import { createTokenScheme } from "../sim/agreement/tokenScheme.ts";
import type { Trace, TraceStep } from "./trace.ts";

const VALIDATORS = 4;
const BYZANTINE = 3;
const QUORUM = 3;

/** The first difference between trace and core, in words, or null where there is none. */
export function replay(core: Core, trace: Trace): string | null {
  const cores = new Replay(core);
  for (const [index, step] of trace.steps.entries()) {
    const difference = cores.follow(step);
    if (difference !== null) return `step ${index + 1} (${step.action} of ${step.validator}): ${difference}`;
  }
  const votes = cores.votes();
  return votes.join() === trace.votes.join()
    ? null
    : `votes differ: ${votes.join()}, not ${trace.votes.join()}`;
}

class Replay {
  readonly #core: Core;
  readonly #schemes = Array.from({ length: VALIDATORS }, (_, position) => createTokenScheme(position));
  readonly #states: SimplexState[];

  constructor(core: Core) {
    this.#core = core;
    this.#states = [0, 1, 2].map((self) => {
      const config = {
        self,
        validators: VALIDATORS,
        leaders: [BYZANTINE],
        delayMs: 100,
        scheme: this.#schemes[self]!,
      };
      return core.stepSimplex(core.createSimplex(config), { type: "start" }).state;
    });
  }

  follow(step: TraceStep): string | null {
    const { validator, viewAfter } = step;
    const events = this.#eventsOf(step);
    if (events === null) return "the certificate that it needs cannot be made";
    for (const event of events) {
      this.#states[validator] = this.#core.stepSimplex(this.#states[validator]!, event).state;
    }
    const { view } = this.#states[validator]!;
    return view === viewAfter ? null : `in view ${view}, not ${viewAfter}`;
  }

  votes(): string[] {
    const votes = this.#states.flatMap(({ views }, self) =>
      views.flatMap((record) =>
        VOTE_KINDS.flatMap((kind) => {
          const vote = record[kind][self];
          return vote === undefined ? [] : [`${self} ${kind} ${vote.view} ${vote.value ?? "-"}`];
        }),
      ),
    );
    return votes.sort();
  }

  #eventsOf({ action, view, value, parent }: TraceStep): Event[] | null {
    switch (action) {
      case "nullify":
        return [{ type: "timeout", view }];
      case "passNullified":
        return this.#show({ kind: "nullify", view, value: null });
      case "passNotarized":
        return this.#show({ kind: "notarize", view, value });
      case "notarize":
        return this.#propose(view, parent!, value!);
    }
  }

  #show(vote: Vote): Event[] | null {
    const certificate = this.#certify(vote);
    return certificate && [{ type: "certificate", from: BYZANTINE, certificate }];
  }

  /** The Byzantine leader's proposal, with all that justifies it, and its value. */
  #propose(view: number, parent: number, value: string): Event[] | null {
    const needed: Vote[] = parent === 0 ? [] : [{ kind: "notarize", view: parent, value }];
    for (let skipped = parent + 1; skipped < view; skipped++) {
      needed.push({ kind: "nullify", view: skipped, value: null });
    }
    const justification: Certificate[] = [];
    for (const vote of needed) {
      const certificate = this.#certify(vote);
      if (certificate === null) return null;
      justification.push(certificate);
    }
    const statement = { kind: "propose", view, parent, value } as const;
    const signature = this.#schemes[BYZANTINE]!.sign(statement);
    const proposal = { ...statement, validator: BYZANTINE, signature, justification };
    return [
      { type: "proposal", from: BYZANTINE, proposal },
      { type: "valueAvailable", value, valid: true },
    ];
  }

  #certify(vote: Vote): Certificate | null {
    const signature = this.#schemes[BYZANTINE]!.sign(vote);
    const votes = this.#states.flatMap(({ views }, self) => {
      const own = views[vote.view]?.[vote.kind][self];
      return own?.value === vote.value ? [own] : [];
    });
    if (votes.length + 1 < QUORUM) return null;
    return this.#schemes[0]!.certify(vote, [...votes, { ...vote, validator: BYZANTINE, signature }]);
  }
}
