/** What a benchmark reports: figures beside the limits that the project has set itself. */

/** A measured figure beside its limit; `ratio` is value over limit. */
export type BenchRow = {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly limit: number;
  readonly ratio: number;
  readonly ok: boolean;
};

/** A figure that must not exceed its limit. */
export function atMost(name: string, value: number, unit: string, limit: number): BenchRow {
  // Of a limit of none, one too many is once too much.
  return { name, value, unit, limit, ratio: limit === 0 ? value : value / limit, ok: value <= limit };
}

/** A figure that must reach its limit. */
export function atLeast(name: string, value: number, unit: string, limit: number): BenchRow {
  return { name, value, unit, limit, ratio: value / limit, ok: value >= limit };
}
