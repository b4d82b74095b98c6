/**
 * The hotspot's metrics. Label sets are closed: reasons and states from the code's own lists, never a peer or a cell.
 * Gauges are read when they are asked for, so that nothing has to be kept up to date for nobody.
 */
import { Counter, Gauge, Registry } from "prom-client";
import { REASONS, type Reason } from "../../../protocol/src/evidence/reasons.ts";
import { DATAGRAM_COUNTERS, TRANSMIT_FAILURES } from "../radio/radio.ts";
import { REPORT_KINDS, type ReportKind } from "./events.ts";
import { GUARD_REASONS, type GuardReason } from "./guard.ts";
import { NOT_KEPT_REASONS, type NotKeptReason, PACKET_KINDS, type PacketKind } from "./packetLog.ts";
import { findClockSkewMs } from "./problems.ts";
import { SPOOL_DROPS, type SpoolDrop } from "./spool.ts";
import type { HotspotStatus } from "./status.ts";
import { SUBMISSION_OUTCOMES } from "./submitter.ts";

export type HotspotMetrics = {
  readonly countPacket: (kind: PacketKind, reason: NotKeptReason | null) => void;
  readonly countBeacon: () => void;
  readonly countHeldBack: (reason: GuardReason) => void;
  readonly countVerdict: (kind: ReportKind, reason: Reason | null) => void;
  readonly countSubmitted: (reports: number, reason: Reason | null) => void;
  readonly countIncluded: (reports: number) => void;
  readonly countSpoolDrop: (reason: SpoolDrop) => void;
  /** The exposition format's text. */
  readonly render: () => Promise<string>;
  readonly contentType: string;
};

/** @param readStatus asked when the metrics are. */
export function createHotspotMetrics(readStatus: () => HotspotStatus): HotspotMetrics {
  const registers = [new Registry()];
  const registry = registers[0]!;
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name: `hexbeacon_hotspot_${name}`, help, labelNames, registers });
  const packets = counter("packets_total", "Packets heard, by kind and why not kept", ["kind", "reason"]);
  const beacons = counter("beacons_total", "Beacons that the concentrator took", []);
  const heldBack = counter("beacons_held_back_total", "Attempts to beacon that limits forbade", ["reason"]);
  const verdicts = counter("verdicts_total", "Verdicts on own reports", ["kind", "verdict"]);
  const submitted = counter("reports_submitted_total", "Reports that a validator answered for", ["outcome"]);
  const included = counter("reports_included_total", "Reports included in finalized rounds", []);
  const drops = counter("spool_dropped_total", "Envelopes dropped undelivered", ["reason"]);
  // Zero is said from the start, so that a rate over the first event exists.
  for (const kind of PACKET_KINDS) packets.inc({ kind, reason: "kept" }, 0);
  for (const reason of NOT_KEPT_REASONS) packets.inc({ kind: "other", reason }, 0);
  for (const reason of GUARD_REASONS) heldBack.inc({ reason }, 0);
  for (const kind of REPORT_KINDS) verdicts.inc({ kind, verdict: "accepted" }, 0);
  for (const reason of SPOOL_DROPS) drops.inc({ reason }, 0);
  for (const outcome of ["admitted", ...REASONS]) submitted.inc({ outcome }, 0);
  registerGauges(registry, readStatus);
  return {
    countPacket: (kind, reason) => packets.inc({ kind, reason: reason ?? "kept" }),
    countBeacon: () => beacons.inc(),
    countHeldBack: (reason) => heldBack.inc({ reason }),
    countVerdict: (kind, reason) => verdicts.inc({ kind, verdict: reason ?? "accepted" }),
    countSubmitted: (reports, reason) => submitted.inc({ outcome: reason ?? "admitted" }, reports),
    countIncluded: (reports) => included.inc(reports),
    countSpoolDrop: (reason) => drops.inc({ reason }),
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

function registerGauges(registry: Registry, readStatus: () => HotspotStatus): void {
  const gauge = (name: string, help: string, read: (status: HotspotStatus) => number): void => {
    new Gauge({
      name: `hexbeacon_hotspot_${name}`,
      help,
      registers: [registry],
      collect() {
        this.set(read(readStatus()));
      },
    });
  };
  const forwardersAlive = (s: HotspotStatus) => s.radio.forwarders.filter(({ alive }) => alive).length;
  gauge("round", "The newest certified round heard, -1 before the first", (s) => s.rounds?.round ?? -1);
  gauge("round_age_seconds", "Time since a round was heard", (s) => (s.rounds?.ageMs ?? 0) / 1_000);
  gauge(
    "round_delay_seconds",
    "How long after its own time the newest round was heard: below 0, or always large, the clock is wrong",
    (s) => (s.rounds?.delayMs ?? Number.NaN) / 1_000,
  );
  gauge(
    "validators_connected",
    "Connected validators",
    (s) => s.validators.filter((v) => v.connected).length,
  );
  gauge("forwarders_alive", "Packet forwarders heard from lately", forwardersAlive);
  gauge("spool_entries", "Envelopes that wait for inclusion", (s) => s.spool.entries);
  gauge(
    "reception_delay_seconds",
    "How long the last packet took from the antenna to here, of the slowest forwarder",
    (s) => Math.max(0, ...s.radio.forwarders.map(({ timing }) => timing?.latencyMs ?? 0)) / 1_000,
  );
  gauge(
    "clock_ahead_of_gps_seconds",
    "How far this machine's clock is ahead of a forwarder's GPS; NaN where none has GPS",
    (s) => (findClockSkewMs(s.radio.forwarders) ?? Number.NaN) / 1_000,
  );
  gauge("takeovers_refused", "Datagrams refused of late that claimed a live forwarder from elsewhere", (s) =>
    s.radio.forwarders.reduce((sum, { takeoversRefused }) => sum + takeoversRefused, 0),
  );
  gauge("downlink_returns", "How often two forwarders with one EUI have taken turns of late", (s) =>
    s.radio.forwarders.reduce((sum, { downlinkReturns }) => sum + downlinkReturns, 0),
  );
  gauge(
    "spool_oldest_seconds",
    "How long the oldest envelope has waited for inclusion",
    (s) => (s.spool.oldestMs ?? 0) / 1_000,
  );
  gauge("ready", "Whether nothing keeps it from earning", (s) => Number(s.ready));
  gauge("spool_bytes", "Bytes of envelopes that wait for inclusion", (s) => s.spool.bytes);
  gauge("resident_memory_bytes", "Resident memory of the process", () => process.memoryUsage.rss());
  registerRadioCounters(registry, readStatus);
}

/** What other parts count already is taken over as it stands when the metrics are asked for. */
function registerRadioCounters(registry: Registry, readStatus: () => HotspotStatus): void {
  const takeOver = <Label extends string>(
    name: string,
    help: string,
    label: Label,
    values: readonly string[],
    read: (status: HotspotStatus) => Readonly<Record<string, number>>,
  ): void => {
    new Counter({
      name: `hexbeacon_hotspot_${name}`,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        const counts = read(readStatus());
        this.reset();
        for (const value of values) this.inc({ [label]: value } as Record<Label, string>, counts[value] ?? 0);
      },
    });
  };
  takeOver(
    "datagrams_total",
    "Datagrams on the forwarders' port, by kind or why refused",
    "outcome",
    DATAGRAM_COUNTERS,
    (s) => s.radio.datagrams,
  );
  takeOver(
    "transmissions_total",
    "Requests to transmit, by outcome",
    "outcome",
    ["queued", ...TRANSMIT_FAILURES],
    (s) => s.radio.transmissions,
  );
  takeOver(
    "submissions_total",
    "Parcels submitted, by outcome",
    "outcome",
    SUBMISSION_OUTCOMES,
    (s) => s.delivery.submissions,
  );
}
