/**
 * Gathers witness reports, and reveals of others' beacons, for a short time, so that up to sixteen share one signature:
 * verification is what a validator pays for. A hotspot keeps within its quota itself, since surplus earns nothing and costs everyone.
 */
import type { Parameters } from "../../../protocol/src/network/parameters.ts";
import {
  MAX_REPORTS_PER_BUNDLE,
  type ReportBundle,
  type RevealReport,
  type WitnessReport,
} from "../../../protocol/src/wire/reports.ts";
import type { Clock, Log } from "../host/types.ts";
import type { Outbox } from "./outbox.ts";
import type { RoundFollower } from "./roundFollower.ts";

/** Why a report was not taken. */
export const BUNDLE_REFUSALS = ["no_rounds", "over_quota"] as const;
export type BundleRefusal = (typeof BUNDLE_REFUSALS)[number];

/** People see their hotspot's reports within seconds, whatever the rounds. */
const LONGEST_GATHER_MS = 2_000;
/** Where much is heard, an envelope this often: each is a block on an SD card, and a signature for others to verify. */
const LEAST_BETWEEN_MS = 15_000;
/** A small part of the window in which a report counts, so that gathering never makes one late. */
const WINDOW_SHARE = 8;
/** Its own beacon and reveal come out of the same quota. */
const RESERVED_REPORTS = 2;

export type BundlerModules = {
  readonly outbox: Pick<Outbox, "send">;
  readonly follower: Pick<RoundFollower, "estimateEpoch">;
  readonly clock: Clock;
  readonly log: Log;
  /** Told of a bundle that was sent, with its envelope's id, and what its witness reports have heard, by their indexes. */
  readonly onReported: (id: Uint8Array, bundle: ReportBundle, heard: readonly RevealReport[]) => void;
};

export class Bundler {
  readonly #parameters: Parameters;
  readonly #modules: BundlerModules;
  #witnesses: WitnessReport[] = [];
  /** The secrets of those, in the same order. */
  #heard: RevealReport[] = [];
  #reveals: RevealReport[] = [];
  #cancel: (() => void) | null = null;
  #epoch = -1;
  #countInEpoch = 0;
  #flushedAtMs = Number.NEGATIVE_INFINITY;

  constructor(parameters: Parameters, modules: BundlerModules) {
    this.#parameters = parameters;
    this.#modules = modules;
  }

  /** How long reports are gathered from now on, in milliseconds. */
  get gatherMs(): number {
    const { witnessWindowRounds, roundMs } = this.#parameters;
    const sinceMs = this.#modules.clock.elapsedMs() - this.#flushedAtMs;
    const pauseMs = Math.max(LONGEST_GATHER_MS, LEAST_BETWEEN_MS - sinceMs);
    return Math.min(pauseMs, (witnessWindowRounds * roundMs) / WINDOW_SHARE);
  }

  /** Takes a report of a beacon with its secret, which stays here. @returns null, or why it was not taken. */
  add(report: WitnessReport, secret: Uint8Array): BundleRefusal | null {
    return this.#take(() => {
      this.#witnesses.push(report);
      this.#heard.push({ tag: report.tag, secret });
    });
  }

  /** Takes a reveal of another's beacon. @returns null, or why it was not taken. */
  addReveal(reveal: RevealReport): BundleRefusal | null {
    return this.#take(() => this.#reveals.push(reveal));
  }

  #take(gather: () => void): BundleRefusal | null {
    const epoch = this.#modules.follower.estimateEpoch();
    if (epoch === null) return "no_rounds";
    if (epoch !== this.#epoch) {
      this.#epoch = epoch;
      this.#countInEpoch = 0;
    }
    if (this.#countInEpoch >= this.#parameters.reportsPerEpoch - RESERVED_REPORTS) return "over_quota";
    this.#countInEpoch++;
    gather();
    const count = this.#witnesses.length + this.#reveals.length;
    if (count === MAX_REPORTS_PER_BUNDLE) void this.flush();
    else this.#cancel ??= this.#modules.clock.after(this.gatherMs, () => void this.flush());
    return null;
  }

  /** Sends what has been gathered so far. */
  async flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    const { outbox, follower, onReported, clock, log } = this.#modules;
    const [witnesses, heard, reveals] = [this.#witnesses, this.#heard, this.#reveals];
    const epoch = follower.estimateEpoch();
    if (witnesses.length + reveals.length === 0 || epoch === null) return;
    this.#flushedAtMs = clock.elapsedMs();
    this.#witnesses = [];
    this.#heard = [];
    this.#reveals = [];
    try {
      const bundle: ReportBundle = { epoch, beacons: [], witnesses, reveals };
      onReported(await outbox.send(bundle), bundle, heard);
    } catch (error) {
      log.error("Could not send witness reports", { error: String(error) });
    }
  }
}
