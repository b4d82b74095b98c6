/**
 * What keeps a hotspot from earning now, in words; none means that it is ready. It follows what is received and what
 * comes of it, not that somebody says hello: a forwarder that asks for frames and reports nothing hears nothing.
 */
import type { Parameters } from "../../../protocol/src/network/parameters.ts";
import type { ForwarderStatus, RadioStatus } from "../radio/radio.ts";
import type { AttemptFailure } from "./guard.ts";
import type { RoundFollower } from "./roundFollower.ts";
import type { StandingState } from "./standing.ts";
import type { LinkStatus } from "./validatorLinks.ts";
import { describeFailure } from "./words.ts";

/** Forwarders report statistics every 30 s as shipped, also where nothing is on the air: five of them missing. */
export const REPORT_SILENCE_MS = 150_000;
/** Validators refuse reports that are dated ahead, and people compare times: a clock this wrong is not kept by NTP. */
export const CLOCK_SKEW_MAX_MS = 2_000;
/** Reports are in a round within a few; in fast networks a validator may still be restarting. */
const LEAST_SPOOL_PATIENCE_MS = 120_000;

/** What is judged. */
export type ProblemParts = {
  readonly nowMs: number;
  readonly parameters: Parameters;
  readonly radio: RadioStatus;
  readonly validators: readonly LinkStatus[];
  readonly follower: Pick<RoundFollower, "newest" | "isFresh" | "ageMs" | "lacksSet">;
  readonly standing: StandingState;
  /** How long the oldest report has waited for a round, or null. */
  readonly oldestReportMs: number | null;
  /** Why the disk may lack what waits, or null. */
  readonly spoolFault: string | null;
  /** Why beacons fail, as far as somebody should look into it, or null. */
  readonly beaconFailure: AttemptFailure | null;
};

/** Every problem, the ones nearest to the antenna first. */
export function findProblems(parts: ProblemParts): string[] {
  return [
    ...findRadioProblems(parts.radio, parts.nowMs),
    ...findBeaconProblems(parts.beaconFailure),
    ...findDiskProblems(parts.spoolFault),
    ...findNetworkProblems(parts),
    ...findStandingProblems(parts.standing),
  ];
}

/** How long a report may wait while rounds are heard: after a witnesses' window it is too late for most. */
export function computeSpoolPatienceMs({ witnessWindowRounds, roundMs }: Parameters): number {
  return Math.max(LEAST_SPOOL_PATIENCE_MS, witnessWindowRounds * roundMs);
}

/** A duration as people say it. */
export function formatDuration(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} min` : `${Math.round(ms / 3_600_000)} h`;
}

function findRadioProblems({ listeningOn, forwarders, datagrams }: RadioStatus, nowMs: number): string[] {
  if (listeningOn === null) return ["The radio is not open."];
  if (forwarders.length === 0 && datagrams.eui_not_allowed > 0) {
    return [
      "Only packet forwarders that the setting forwarders does not name have spoken; they are refused.",
    ];
  }
  if (forwarders.length === 0) {
    return [`No packet forwarder has spoken yet; it should be set to send to ${listeningOn}.`];
  }
  const alive = forwarders.filter((forwarder) => forwarder.alive);
  if (alive.length === 0) return ["The packet forwarder has fallen silent."];
  const problems: string[] = [];
  const silentMs = Math.min(...alive.map((forwarder) => computeReportSilenceMs(forwarder, nowMs)));
  if (silentMs > REPORT_SILENCE_MS) {
    problems.push(
      `The packet forwarder asks for frames, but has reported nothing for ${formatDuration(silentMs)}.`,
    );
  }
  const skewMs = findClockSkewMs(forwarders);
  if (skewMs !== null && Math.abs(skewMs) > CLOCK_SKEW_MAX_MS) {
    const direction = skewMs > 0 ? "ahead of" : "behind";
    problems.push(`This machine's clock is ${formatDuration(Math.abs(skewMs))} ${direction} GPS.`);
  }
  return problems;
}

function computeReportSilenceMs({ lastPushMs, firstSeenMs }: ForwarderStatus, nowMs: number): number {
  return nowMs - (lastPushMs ?? firstSeenMs);
}

/** The largest difference between this machine's clock and a live forwarder's GPS; null where none has GPS. */
export function findClockSkewMs(forwarders: readonly ForwarderStatus[]): number | null {
  const skews = forwarders.flatMap(({ alive, timing }) => {
    const skewMs = alive ? (timing?.gpsSkewMs ?? null) : null;
    return skewMs === null ? [] : [skewMs];
  });
  return skews.length === 0 ? null : skews.reduce((a, b) => (Math.abs(b) > Math.abs(a) ? b : a));
}

function findBeaconProblems(failure: AttemptFailure | null): string[] {
  return failure === null ? [] : [`Beacons fail: ${describeFailure(failure)}`];
}

/** A beacon's secret is on the disk before it is on air, so that none is sent either. */
function findDiskProblems(fault: string | null): string[] {
  if (fault === null) return [];
  return [
    `The disk cannot be written (${fault}): what is heard is sent, but lost with the power; nothing beacons.`,
  ];
}

function findNetworkProblems({ validators, follower, oldestReportMs, parameters }: ProblemParts): string[] {
  if (validators.length === 0) return ["No validator's address is known; give one with --validator."];
  if (!validators.some(({ connected }) => connected)) return ["No validator is in reach."];
  if (!follower.isFresh() && follower.lacksSet()) {
    return [
      "Rounds are heard whose validators nobody has shown yet to be the network's; they are asked for.",
    ];
  }
  if (follower.newest() === null) return ["No finalized round has been heard yet."];
  if (!follower.isFresh()) return [`No new round has been heard for ${formatDuration(follower.ageMs())}.`];
  // Only here: without rounds waiting is what the spool is for.
  if (oldestReportMs === null || oldestReportMs <= computeSpoolPatienceMs(parameters)) return [];
  return [`A report has waited ${formatDuration(oldestReportMs)} for a round, although rounds are heard.`];
}

/** What only the owner can change; other refusals are told report by report. */
function findStandingProblems(standing: StandingState): string[] {
  if (standing !== "unknown") return [];
  return [
    "Validators do not know this hotspot: it beacons and earns once its owner has registered it and asserted its place.",
  ];
}
