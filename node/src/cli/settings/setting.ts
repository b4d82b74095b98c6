/** One setting: its names in file, environment and flags, its type, its default, and how a value of any source is read. */

/**
 * `D` is null where a setting has no default, and may then be absent. `parse` reads what a file gives as it is, and what
 * a flag or the environment gives as text; null where that is no value of it.
 */
export type Setting<T, D extends T | null> = {
  /** As commander wants it: the long flag, and its argument's name. */
  readonly flag: string;
  /** The type in a word, for the documentation. */
  readonly type: string;
  readonly unit: string | null;
  readonly fallback: D;
  /** What it is, for `--help` and the documentation. */
  readonly text: string;
  /** What a wrong value is told: "must be ...". */
  readonly must: string;
  readonly isList: boolean;
  readonly parse: (raw: unknown) => T | null;
};

/** A setting's value where nothing is wrong. */
export type ValueOf<S> = S extends Setting<infer T, infer D> ? (D extends null ? T | null : T) : never;

type Words = { readonly flag: string; readonly text: string; readonly must: string };

/** A setting that is a text, wherever it comes from. @param fits whether a text is a value of it. */
export function textSetting<D extends string | null>(
  words: Words & { readonly type: string; readonly fallback: D },
  fits: (text: string) => boolean,
): Setting<string, D> {
  const parse = (raw: unknown) => (typeof raw === "string" && fits(raw) ? raw : null);
  return { ...words, unit: null, isList: false, parse };
}

/** A list of texts: an array in the file, a flag given again, and with commas or spaces between in the environment. */
export function listSetting(
  words: Words & { readonly type: string; readonly fallback: readonly string[] },
  fits: (text: string) => boolean,
): Setting<readonly string[], readonly string[]> {
  const parse = (raw: unknown) => {
    const items: readonly unknown[] | null = typeof raw === "string" ? splitList(raw) : toArray(raw);
    if (items === null || !items.every((item) => typeof item === "string" && fits(item))) return null;
    return items as readonly string[];
  };
  return { ...words, unit: null, isList: true, parse };
}

/** A number within bounds, both included. */
export function numberSetting<D extends number | null>(
  words: Omit<Words, "must"> & { readonly unit: string; readonly fallback: D },
  least: number,
  most: number,
): Setting<number, D> {
  const parse = (raw: unknown) => {
    const value = typeof raw === "string" ? toNumber(raw) : raw;
    return typeof value === "number" && value >= least && value <= most ? value : null;
  };
  return {
    ...words,
    type: "number",
    isList: false,
    must: `must be a number from ${least} to ${most}`,
    parse,
  };
}

/** One of a closed list. */
export function choiceSetting<T extends string, D extends T | null>(
  words: Omit<Words, "must"> & { readonly fallback: D },
  choices: readonly T[],
): Setting<T, D> {
  const parse = (raw: unknown) => choices.find((choice) => choice === raw) ?? null;
  return {
    ...words,
    type: "choice",
    unit: null,
    isList: false,
    must: `must be one of ${choices.join(", ")}`,
    parse,
  };
}

/** A decimal number as people write it; NaN for anything else. */
export function toNumber(text: string): number {
  return /^\s*[+-]?\d+(\.\d+)?\s*$/.test(text) ? Number(text) : Number.NaN;
}

function splitList(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter((item) => item !== "");
}

function toArray(raw: unknown): readonly unknown[] | null {
  return Array.isArray(raw) ? raw : null;
}
