/** What a hotspot says of itself: what happened, and in words what is wrong and what will happen next. */
import { encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import type { Reason } from "../../../protocol/src/evidence/reasons.ts";
import { type Cell, cellToHex } from "../../../protocol/src/geo/cell.ts";
import { firstRoundOfEpoch, type Parameters } from "../../../protocol/src/network/parameters.ts";
import { computeDutyUse, computeDwellUse } from "../../../protocol/src/radio/dutyCycle.ts";
import type { RegionPlan } from "../../../protocol/src/radio/regions.ts";
import type { Clock, Network } from "../host/types.ts";
import type { Radio, RadioStatus } from "../radio/radio.ts";
import type { Beaconer } from "./beaconer.ts";
import type { BeaconRecord } from "./beaconState.ts";
import { REPORT_KINDS, type ReportKind } from "./events.ts";
import type { FirstChallenge } from "./firstChallenge.ts";
import { findProblems, formatDuration } from "./problems.ts";
import type { ReportLog, ReportRow } from "./reportLog.ts";
import type { RoundFollower } from "./roundFollower.ts";
import type { Spool } from "./spool.ts";
import type { Standing, StandingState } from "./standing.ts";
import type { Submitter } from "./submitter.ts";
import type { LinkStatus, ValidatorLinks } from "./validatorLinks.ts";
import { describeBeaconState, describeFailure } from "./words.ts";

/** Counts of verdicts: "accepted", or a reason of the network's closed list. */
export type VerdictCounts = Record<ReportKind, Partial<Record<Reason | "accepted", number>>>;

export type HotspotStatus = {
  readonly did: string;
  readonly name: string;
  readonly peerId: string;
  readonly network: { readonly name: string; readonly id: string };
  readonly region: string;
  /** The asserted H3 cell, or null. */
  readonly cell: string | null;
  readonly antennaGainDbi: number;
  /** Whether the network knows it, as far as a validator has said. */
  readonly standing: StandingState;
  /** Whether it can earn now; where not, `problems` says why. */
  readonly ready: boolean;
  readonly problems: readonly string[];
  /** What will happen next, in words. */
  readonly next: readonly string[];
  readonly rounds: {
    readonly round: number;
    readonly epoch: number;
    readonly time: string;
    readonly ageMs: number;
    /** From the round's own time, which validators agreed on, until it was heard here. */
    readonly delayMs: number;
  } | null;
  readonly validators: readonly LinkStatus[];
  readonly radio: RadioStatus;
  /** Time on air used and allowed in the window that ends now, by band, or by channel where a dwell limit counts. */
  readonly dutyCycle: readonly {
    readonly band: string;
    readonly usedMs: number;
    readonly limitMs: number;
    readonly windowMs: number;
  }[];
  readonly beacons: readonly BeaconStatus[];
  readonly lastBeaconFailure: string | null;
  readonly lastBeaconFailureWords: string | null;
  readonly spool: Spool["size"] & Pick<Spool, "damagedBytes" | "fault">;
  readonly delivery: ReturnType<Submitter["status"]>;
  readonly verdicts: VerdictCounts;
  /** The last reports and what became of each, the newest first. */
  readonly reports: readonly ReportRow[];
};

/** A beacon of this hotspot; never with its secret. */
export type BeaconStatus = {
  readonly epoch: number;
  readonly slotRound: number;
  readonly frequencyHz: number;
  readonly spreadingFactor: number;
  readonly powerDbm: number | null;
  readonly time: string | null;
  readonly state: string;
  readonly words: string;
  readonly includedRound: number | null;
};

export type StatusParts = {
  readonly networkName: string;
  readonly networkId: Uint8Array;
  readonly parameters: Parameters;
  readonly plan: RegionPlan;
  readonly gainCentiDbi: number;
  readonly cell: Cell | null;
  readonly clock: Clock;
  readonly network: Network;
  readonly radio: Radio;
  readonly links: ValidatorLinks;
  readonly follower: RoundFollower;
  readonly beaconer: Beaconer;
  readonly standing: Standing;
  readonly firstChallenge: Pick<FirstChallenge, "epoch">;
  readonly spool: Spool;
  readonly submitter: Submitter;
  readonly verdicts: VerdictCounts;
  readonly reports: ReportLog;
};

/** No verdicts yet. */
export function createVerdictCounts(): VerdictCounts {
  return Object.fromEntries(REPORT_KINDS.map((kind) => [kind, {}])) as VerdictCounts;
}

/** The status now. */
export function readHotspotStatus(parts: StatusParts): HotspotStatus {
  const { network, radio, links, follower, beaconer, spool, submitter, plan, clock } = parts;
  const newest = follower.newest();
  const radioStatus = radio.status();
  const validators = links.status();
  const failure = beaconer.lastFailure();
  const standing = parts.standing.state();
  const problems = findProblems({
    nowMs: clock.nowMs(),
    parameters: parts.parameters,
    radio: radioStatus,
    validators,
    follower,
    standing,
    oldestReportMs: spool.size.oldestMs,
    spoolFault: spool.fault,
    beaconFailure: beaconer.lastingFailure(),
  });
  return {
    did: encodeDidKey(network.publicKey),
    name: computeName(network.publicKey),
    peerId: network.peerId,
    network: { name: parts.networkName, id: encodeHex0x(parts.networkId) },
    region: plan.name,
    cell: parts.cell && cellToHex(parts.cell),
    antennaGainDbi: parts.gainCentiDbi / 100,
    standing,
    ready: problems.length === 0,
    problems,
    next: describeNext(parts),
    rounds: newest && {
      round: newest.round,
      epoch: newest.epoch,
      time: new Date(newest.timeMs).toISOString(),
      ageMs: follower.ageMs(),
      delayMs: newest.heardAtMs - newest.timeMs,
    },
    validators,
    radio: radioStatus,
    dutyCycle: readBudgets(plan, beaconer, clock.nowMs()),
    beacons: beaconer.beacons().map(describeBeacon),
    lastBeaconFailure: failure,
    lastBeaconFailureWords: failure && describeFailure(failure),
    spool: { ...spool.size, damagedBytes: spool.damagedBytes, fault: spool.fault },
    delivery: submitter.status(),
    verdicts: parts.verdicts,
    reports: parts.reports.rows(),
  };
}

function readBudgets(plan: RegionPlan, beaconer: Beaconer, nowMs: number): HotspotStatus["dutyCycle"] {
  const sent = beaconer.transmissions();
  const budgets = [...computeDutyUse(plan, sent, nowMs), ...computeDwellUse(plan, sent, nowMs)];
  return budgets.map(({ band, usedUs, limitUs, windowMs }) => {
    return { band, usedMs: usedUs / 1_000, limitMs: limitUs / 1_000, windowMs };
  });
}

function describeNext({ follower, beaconer, standing, firstChallenge, parameters }: StatusParts): string[] {
  const newest = follower.newest();
  if (newest === null)
    return ["Beacons begin once a validator's rounds are heard; packets are shown meanwhile."];
  const words: string[] = [];
  const nextEpochMs = follower.estimateMsUntil(firstRoundOfEpoch(parameters, newest.epoch + 1)) ?? 0;
  const next = beaconer.next();
  if (!standing.isKnown()) {
    words.push(
      `Beacons begin once a validator knows this hotspot; it asks again in about ${formatDuration(nextEpochMs)}.`,
    );
  } else if (newest.epoch < firstChallenge.epoch) {
    words.push(
      `The hotspot is new, has a new key, or lost the record of its beacons: no beacon before epoch ${firstChallenge.epoch}.`,
    );
  } else if (next !== null) {
    const when = next.probablyInMs > 0 ? `in about ${formatDuration(next.probablyInMs)}` : "now";
    const how = `${next.freqHz / 1e6} MHz at SF${next.spreadingFactor}`;
    words.push(`Beacon in round ${next.slotRound} of epoch ${next.epoch}, ${when}, on ${how}.`);
  } else {
    const wait = formatDuration(nextEpochMs);
    words.push(`No beacon is due in epoch ${newest.epoch}; the next draw is in about ${wait}.`);
  }
  for (const beacon of beaconer.beacons()) {
    if (beacon.phase === "reported") {
      words.push(`The beacon of epoch ${beacon.epoch} is revealed when its window has closed.`);
    }
  }
  return words;
}

function describeBeacon(beacon: BeaconRecord): BeaconStatus {
  // A record that has ended says how.
  const state = beacon.phase === "ended" ? beacon.end! : beacon.phase;
  return {
    epoch: beacon.epoch,
    slotRound: beacon.slotRound,
    frequencyHz: beacon.freqHz,
    spreadingFactor: beacon.spreadingFactor,
    powerDbm: beacon.powerCentiDbm === null ? null : beacon.powerCentiDbm / 100,
    time: beacon.timeMs === null ? null : new Date(beacon.timeMs).toISOString(),
    state,
    words: describeBeaconState(state),
    includedRound: beacon.includedRound,
  };
}
