/**
 * Simulates the agreement of validators, explores it, and checks the checks:
 * `npm run sim -- [--seeds N] [--first S] [--n 4] [--profile loss|chaos|both]`, `--seed S` replays one,
 * `--stack` simulates whole validators in place of one round (profiles calm, loss, chaos, seats and restore),
 * `--explore VIEWS [--states N]` visits every state, `--mutations [--seeds N]` prints which check catches which mistake,
 * of all of them or with `--only` of those whose rule or name has a text, or whose numbers lie in a range such as 10-19
 * (the core's come first, those of the stack go on from there).
 * Exits 1 when anything is wrong, 2 on a bad flag.
 */
import { parseArgs } from "node:util";
import { runCampaign } from "./agreement/campaign.ts";
import { CORE_URL, loadCore } from "./agreement/core.ts";
import { PROFILES } from "./agreement/scenario.ts";
import type { Simulation } from "./agreement/worker.ts";
import { STACK_PROFILES } from "./stack/scenario.ts";

// What only one of the commands needs is loaded by it: a campaign's threads load what they run themselves.

const { values: flags } = readFlags();
const validators = readNumber("n", 4);
const simulations: readonly Simulation[] = listSimulations();
// Partitions are bit masks of positions.
if (validators < 1 || validators > 30) fail("--n takes 1 to 30 validators");
if (simulations.length === 0)
  fail(`--profile is ${PROFILES.join(", ")} or both; with --stack ${STACK_PROFILES.join(", ")} or both`);

if (flags.mutations) await printMutations();
else if (flags.explore !== undefined)
  await printExplorations(readNumber("explore", 2), readNumber("states", 50_000_000));
else if (flags.seed !== undefined) await replay(readNumber("seed", 0));
else await printCampaigns(readNumber("first", 0), readNumber("seeds", flags.stack ? 200 : 20_000));

function listSimulations(): Simulation[] {
  const isAsked = (name: string) => flags.profile === "both" || flags.profile === name;
  if (flags.stack) return STACK_PROFILES.filter(isAsked).map((profile) => ({ kind: "stack", profile }));
  return PROFILES.filter(isAsked).map((profile) => ({ kind: "round", profile }));
}

/** The line that runs one seed again. */
function replayLine({ kind, profile }: Simulation, seed: number): string {
  return `npm run sim --${kind === "stack" ? " --stack" : ""} --n ${validators} --profile ${profile} --seed ${seed}`;
}

async function printCampaigns(first: number, seeds: number): Promise<void> {
  for (const simulation of simulations) {
    const report = await runCampaign({ first, seeds, validators, simulation });
    const { startSeconds, seconds, cpuSeconds, events, views, slowestMs, failures, audit } = report;
    const decided = views.map((count, view) => `${view}: ${count}`).filter((_, view) => views[view]! > 0);
    console.log(
      `${simulation.kind}, ${simulation.profile}, n = ${validators}: ${seeds} seeds in ${seconds.toFixed(1)} s, ` +
        `and ${startSeconds.toFixed(1)} s before to start (${(seeds / seconds).toPrecision(3)}/s, ${(seeds / cpuSeconds).toPrecision(3)} a second of processor, ` +
        `${Math.round(events / seconds)} events/s), ${failures.length} failed; ` +
        `${decided.length > 0 ? `decided in view ${decided.join(", ")}; ` : ""}` +
        `slowest ${slowestMs} virtual ms; audit ${audit}`,
    );
    for (const { seed, violation, detail } of failures.slice(0, 20)) {
      console.log(`  ${violation}: ${detail}`);
      console.log(`  ${replayLine(simulation, seed)}`);
    }
    if (failures.length > 0) process.exitCode = 1;
  }
}

/** A seed twice: its outcome, and that it is the same. */
async function replay(seed: number): Promise<void> {
  const { simulate } = await import("./agreement/simulate.ts");
  const { simulateStack } = await import("./stack/simulate.ts");
  const core = await loadCore(CORE_URL);
  for (const { kind, profile } of simulations) {
    const run = async () =>
      kind === "stack"
        ? await simulateStack({ seed, validators, profile })
        : simulate({ core, seed, validators, profile });
    const outcome = await run();
    const again = await run();
    console.log(kind, profile, outcome);
    if (outcome.audit !== again.audit) console.log(`NOT REPRODUCIBLE: audit ${again.audit} the second time`);
    if (outcome.violation !== null || outcome.audit !== again.audit) process.exitCode = 1;
  }
}

async function printExplorations(views: number, maxStates: number): Promise<void> {
  if (views < 1 || views > 3) fail("--explore takes 1, 2 or 3 views");
  const { BYZANTINE_THIRD, EXPLORATIONS, explore } = await import("./agreement/explore.ts");
  const core = await loadCore(CORE_URL);
  // Three views are too many to visit what nobody can see as well; of two the tests compare both.
  const isReduced = views === 3;
  for (const exploration of isReduced ? [...EXPLORATIONS, BYZANTINE_THIRD] : EXPLORATIONS) {
    const beganMs = performance.now();
    const result = explore({ ...exploration, core, views, isReduced, maxStates });
    const seconds = ((performance.now() - beganMs) / 1_000).toFixed(1);
    const { leaders, crashes } = exploration;
    console.log(
      `${views} views, leaders ${leaders.join(" ")} (3 is Byzantine), ${crashes ? "crashes" : "no crashes"}: ` +
        `${result.states} states, ${result.transitions} transitions, ${result.decided} decided, in ${seconds} s; ` +
        `${result.violation ?? (result.isComplete ? "nothing found, all visited" : "nothing found, NOT all visited")}`,
    );
    if (result.violation !== null) process.exitCode = 1;
  }
}

async function printMutations(): Promise<void> {
  const { judgeMutation, MUTATIONS } = await import("./agreement/mutations.ts");
  const { judgeStackMutation, STACK_MUTATIONS } = await import("./stack/mutations.ts");
  if (!flags.stack) {
    for (const [number, mutation] of listAsked(MUTATIONS, 1))
      printFindings(number, mutation, await judgeMutation(mutation, readNumber("seeds", 1_000), true));
  }
  for (const [number, mutation] of listAsked(STACK_MUTATIONS, 1 + MUTATIONS.length)) {
    const found = await judgeStackMutation(mutation, readNumber("seeds", 200));
    printFindings(number, mutation, found === null ? [] : [{ check: "stack", how: found }]);
  }
}

type Mistake = { readonly name: string; readonly rule: string };

/** The mistakes that `--only` names, each with its number. */
function listAsked<T extends Mistake>(mistakes: readonly T[], firstNumber: number): [number, T][] {
  const only = flags.only ?? "";
  const [, first, last] = /^(\d+)-(\d+)$/.exec(only) ?? [];
  return mistakes
    .map((mistake, index): [number, T] => [firstNumber + index, mistake])
    .filter(([number, { name, rule }]) =>
      first === undefined
        ? `${rule}: ${name}`.includes(only)
        : number >= Number(first) && number <= Number(last),
    );
}

function printFindings(
  number: number,
  { name, rule }: Mistake,
  findings: readonly { readonly check: string; readonly how: string }[],
): void {
  console.log(`${findings.length > 0 ? "caught  " : "SURVIVED"} ${number} ${rule}: ${name}`);
  for (const { check, how } of findings) console.log(`           ${check}: ${how.slice(0, 160)}`);
  if (findings.length === 0) process.exitCode = 1;
}

function readFlags() {
  try {
    return parseArgs({
      options: {
        seeds: { type: "string" },
        first: { type: "string" },
        seed: { type: "string" },
        n: { type: "string" },
        profile: { type: "string", default: "both" },
        explore: { type: "string" },
        states: { type: "string" },
        mutations: { type: "boolean", default: false },
        only: { type: "string" },
        stack: { type: "boolean", default: false },
      },
    });
  } catch (error) {
    return fail((error as Error).message);
  }
}

function readNumber(
  name: "seeds" | "first" | "seed" | "n" | "explore" | "states",
  otherwise: number,
): number {
  const text = flags[name];
  if (text === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(text)) fail(`--${name} takes a whole number`);
  return Number(text);
}

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}
