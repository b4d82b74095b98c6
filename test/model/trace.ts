/**
 * Traces of the model as the code can follow them: what one validator did in each step, and where that must leave it.
 * Kept compact; `npm run model -- --write` makes them anew from quint's own (Informal Trace Format).
 */

import { readFileSync } from "node:fs";

export const ACTIONS = ["notarize", "passNotarized", "nullify", "passNullified"] as const;
export type Action = (typeof ACTIONS)[number];

export type TraceStep = {
  readonly action: Action;
  readonly validator: number;
  /** The value of `notarize` and `passNotarized`. */
  readonly value: string | null;
  /** The parent of `notarize`. */
  readonly parent: number | null;
  /** The view that was left or voted in. */
  readonly view: number;
  /** The validator's view afterwards. */
  readonly viewAfter: number;
};

export type Trace = {
  readonly steps: readonly TraceStep[];
  /** Every honest vote at the end, as `validator kind view value`, sorted. */
  readonly votes: readonly string[];
};

/** The traces that are kept in the repository. */
export const TRACES_URL: URL = new URL("../vectors/agreement-traces.json", import.meta.url);

export function readTraces(): Trace[] {
  return JSON.parse(readFileSync(TRACES_URL, "utf8")) as Trace[];
}

type Itf = { readonly states: readonly Record<string, unknown>[] };

/** Reads a trace that quint wrote with `--mbt`. */
export function readItf(itf: Itf, prefix: string): Trace {
  const states = itf.states.map((state) => ({
    action: state["mbt::actionTaken"] as Action,
    picks: state["mbt::nondetPicks"] as Record<string, unknown>,
    views: new Map(
      (field(state[`${prefix}::view`], "#map") as unknown[][]).map(([r, v]) => [int(r), int(v)]),
    ),
    said: field(state[`${prefix}::said`], "#set") as Record<string, unknown>[],
  }));
  const steps = states.slice(1).map(({ action, picks, views }, index): TraceStep => {
    const validator = int(some(picks.r));
    const before = states[index]!.views.get(validator)!;
    return {
      action,
      validator,
      value: action === "notarize" || action === "passNotarized" ? String(some(picks.x)) : null,
      parent: action === "notarize" ? int(some(picks.p)) : null,
      view: action === "passNotarized" ? int(some(picks.w)) : before,
      viewAfter: views.get(validator)!,
    };
  });
  const votes = states
    .at(-1)!
    .said.map(({ by, kind, view, value }) => `${int(by)} ${kind} ${int(view)} ${value}`);
  return { steps, votes: votes.sort() };
}

function field(value: unknown, name: string): unknown {
  return (value as Record<string, unknown>)[name];
}

function some(option: unknown): unknown {
  return field(option, "value");
}

function int(value: unknown): number {
  return Number(typeof value === "object" ? field(value, "#bigint") : value);
}
