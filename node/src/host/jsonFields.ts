/** Fields of JSON that somebody else wrote: whatever is there, reading it is an answer and no exception. */

export type Fields = Readonly<Record<string, unknown>>;

/** The value's fields; none where it is no object. */
export function toFields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

/** The value where it is text, else the empty text. */
export function toText(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** Whether a value is an integer from -bound to bound - 1. */
export function isWithin(value: unknown, bound: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= -bound && (value as number) < bound;
}

/** The fields of a text of JSON; null where it is none. */
export function parseFields(text: string): Fields | null {
  try {
    return toFields(JSON.parse(text));
  } catch {
    return null;
  }
}
