/** What the doctor finds: one line a check, with its result and what to do. */

/** What is looked at, in the order in which it is shown. */
export const CHECKS = [
  "configuration",
  "key",
  "genesis",
  "beacons",
  "registration",
  "device",
  "hotspot",
  "clock",
  "region",
  "power",
  "listen_first",
  "forwarder",
  "validators",
  "disk",
  "versions",
] as const;
export type Check = (typeof CHECKS)[number];

/** From best to worst. What could not be looked at is no fault. */
export const RESULTS = ["ok", "not_checked", "warn", "fail"] as const;
export type Result = (typeof RESULTS)[number];

export type Finding = {
  readonly check: Check;
  readonly result: Result;
  /** What was found, as a sentence. */
  readonly found: string;
  /** What to do, as a sentence; null where there is nothing. */
  readonly advice: string | null;
};

/** Makes a finding. */
export function finding(check: Check, result: Result, found: string, advice: string | null = null): Finding {
  return { check, result, found, advice };
}

/** The worst result of all; "ok" where there is none. */
export function worstResult(findings: readonly Finding[]): Result {
  const worst = Math.max(0, ...findings.map(({ result }) => RESULTS.indexOf(result)));
  return RESULTS[worst]!;
}

/** A finding for people: result, check and sentence, and below it the advice. */
export function describeFinding({ check, result, found, advice }: Finding): string[] {
  const line = `${result.replace("_", " ").padEnd(12)}${check.replace("_", " ").padEnd(15)}${found}`;
  return advice === null ? [line] : [line, `${" ".repeat(27)}${advice}`];
}
