/** What is seen of several validators: who is up, where each stands, and whether all of them pay the same. */
import { setTimeout as delay } from "node:timers/promises";
import { computeLeaders } from "../../../protocol/src/agreement/leaders.ts";
import type { Genesis } from "../../../protocol/src/network/genesis.ts";
import { epochOfRound } from "../../../protocol/src/network/parameters.ts";
import { type Decision, type EpochTotals, fetchDecision, fetchEpochs, fetchState } from "./api.ts";
import type { ValidatorRole } from "./validators.ts";

/** A validator as the view shows it; null where it is down or does not answer. */
export type ValidatorLine = { readonly round: number | null; readonly viewChanges: number };

export type SeveralStatus = {
  readonly validators: readonly (ValidatorLine | null)[];
  /** Views after the first, by the validator that saw the most of them. */
  readonly viewChanges: number;
  /** Who led the newest executed round to its decision, counted from 0; null before there is one. */
  readonly leader: number | null;
};

export type SeveralSummary = {
  /** Whether all validators that run have the same reward root in every epoch that they have closed. */
  readonly rewardRootsEqual: boolean;
  readonly finalizedRounds: number;
  readonly viewChanges: number;
  readonly validatorsDown: number;
};

/** A validator that was restarted has this long to close the last epoch too. */
const CATCH_UP_LIMIT_MS = 30_000;
const CATCH_UP_LOOK_MS = 200;
const METRICS_TIMEOUT_MS = 5_000;

/** Asks all that run. @param epochs the closed ones, whose seeds say who leads. */
export async function readSeveral(
  roles: readonly ValidatorRole[],
  genesis: Genesis,
  epochs: readonly EpochTotals[],
): Promise<SeveralStatus> {
  const serving = roles.find((role) => role.isUp());
  const [decision, ...validators] = await Promise.all([
    serving === undefined ? null : fetchDecision(serving.ready().http).catch(() => null),
    ...roles.map((role) => readOne(role).catch(() => null)),
  ]);
  return {
    validators,
    viewChanges: countViewChanges(validators),
    leader: decision && computeLeader(decision, genesis, epochs),
  };
}

const countViewChanges = (validators: readonly (ValidatorLine | null)[]): number =>
  Math.max(0, ...validators.map((each) => each?.viewChanges ?? 0));

/**
 * The leader of a decided round's view, as everybody computes it: from the seed of the epoch before the round's.
 * Null where that epoch's seed is not among the closed epochs yet.
 */
export function computeLeader(
  { round, view }: Decision,
  { seed: firstSeed, parameters, validators }: Pick<Genesis, "seed" | "parameters" | "validators">,
  epochs: readonly Pick<EpochTotals, "epoch" | "nextSeed">[],
): number | null {
  const seedEpoch = Math.max(0, epochOfRound(parameters, round) - 1);
  const seed = seedEpoch === 0 ? firstSeed : epochs.find(({ epoch }) => epoch === seedEpoch - 1)?.nextSeed;
  if (seed === undefined) return null;
  return computeLeaders(seed, round, validators.length)[(view - 1) % validators.length]!;
}

async function readOne(role: ValidatorRole): Promise<ValidatorLine | null> {
  if (!role.isUp()) return null;
  const { http } = role.ready();
  const [{ round }, metrics] = await Promise.all([fetchState(http), fetchMetrics(http)]);
  const views = /^hexbeacon_view_changes_total (\d+)$/m.exec(metrics);
  return { round, viewChanges: Number(views?.[1] ?? 0) };
}

async function fetchMetrics(apiUrl: string): Promise<string> {
  const response = await fetch(`${apiUrl}/metrics`, { signal: AbortSignal.timeout(METRICS_TIMEOUT_MS) });
  return await response.text();
}

/** Waits a while for those that are behind, then compares. @param lastEpoch the last epoch that is compared. */
export async function summarizeSeveral(
  roles: readonly ValidatorRole[],
  lastEpoch: number,
): Promise<SeveralSummary> {
  const running = roles.filter((role) => role.isUp());
  const histories = await Promise.all(running.map((role) => readRoots(role.ready().http, lastEpoch)));
  const longest = histories.toSorted((a, b) => b.length - a.length)[0] ?? [];
  const rewardRootsEqual = histories.every(
    (roots) => roots.length > lastEpoch && roots.every((root, epoch) => root === longest[epoch]),
  );
  const validators = await Promise.all(roles.map((role) => readOne(role).catch(() => null)));
  const finalizedRounds = Math.max(0, ...validators.map((each) => (each?.round ?? -1) + 1));
  return {
    rewardRootsEqual,
    finalizedRounds,
    viewChanges: countViewChanges(validators),
    validatorsDown: roles.length - running.length,
  };
}

/** The first validator that runs and has closed an epoch, counted from 0. @throws Error where there is none. */
export async function findClosed(
  roles: readonly Pick<ValidatorRole, "isUp" | "ready">[],
  epoch: number,
): Promise<number> {
  for (const [index, role] of roles.entries()) {
    const state = role.isUp() ? await fetchState(role.ready().http).catch(() => null) : null;
    if (state !== null && (state.closedEpoch ?? -1) >= epoch) return index;
  }
  throw new Error(`no validator that runs has closed epoch ${epoch}`);
}

/** The reward roots of the epochs up to the last one, as soon as that is closed here, or what there is by the limit. */
async function readRoots(apiUrl: string, lastEpoch: number): Promise<string[]> {
  const deadlineMs = Date.now() + CATCH_UP_LIMIT_MS;
  for (;;) {
    const epochs = await fetchEpochs(apiUrl, -1).catch(() => []);
    const roots = epochs.filter(({ epoch }) => epoch <= lastEpoch).map(({ rewardRoot }) => rewardRoot);
    if (roots.length > lastEpoch || Date.now() > deadlineMs) return roots;
    await delay(CATCH_UP_LOOK_MS);
  }
}
