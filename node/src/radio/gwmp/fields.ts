/** Reads single fields of a forwarder's JSON: nothing is assumed of a value's type, and a clear meaning is enough. */

export type JsonObject = { readonly [key: string]: unknown };

/** The value as a JSON object, or null: arrays and null are none. */
export function asObject(value: unknown): JsonObject | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

const DECIMAL = /^\s*[+-]?\d{1,15}(\.\d{1,15})?\s*$/;

/** A finite number, also where the forwarder put it between quotes; null for anything else, "nan" included. */
export function readNumber(value: unknown): number | null {
  if (typeof value === "number") return Number.isFinite(value) ? value : null;
  if (typeof value === "string" && DECIMAL.test(value)) return Number(value);
  return null;
}

/** As `readNumber`, within a range that includes its ends. */
export function readNumberWithin(value: unknown, least: number, most: number): number | null {
  const number = readNumber(value);
  return number !== null && number >= least && number <= most ? number : null;
}
