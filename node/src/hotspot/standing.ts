/**
 * Whether the network knows this hotspot. A beacon from one that it does not know costs air time and earns nobody
 * anything, so nothing is transmitted before a validator has admitted something that this hotspot signed. Where nothing
 * tells, it asks once an epoch, with a reveal of no beacon: a validator refuses it from a stranger, and admits it, for
 * one report of the quota, from a hotspot.
 */
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { SECRET_BYTES, TAG_BYTES } from "../../../protocol/src/radio/frame.ts";
import type { ReportBundle } from "../../../protocol/src/wire/reports.ts";
import type { Log } from "../host/types.ts";
import type { Bundler } from "./bundler.ts";
import type { HotspotEmitter } from "./events.ts";
import type { FirstChallenge } from "./firstChallenge.ts";
import type { RandomBytes } from "./random.ts";
import type { RoundFollower } from "./roundFollower.ts";

/** `unasked`: neither genesis nor a validator has said. */
export type StandingState = "known" | "unasked" | "unknown";

export type StandingModules = {
  readonly follower: Pick<RoundFollower, "newest" | "onRound">;
  readonly bundler: Pick<Bundler, "addReveal">;
  readonly events: HotspotEmitter;
  readonly random: RandomBytes;
  readonly log: Log;
  readonly firstChallenge: Pick<FirstChallenge, "noteKnown">;
  /** Whether it has sent a beacon before, in this process or an earlier one. */
  readonly hasBeaconed: () => boolean;
};

/** What it has asked with, and the report that this became; null while it is gathered. */
type Question = {
  readonly tag: Uint8Array;
  report: { readonly id: Uint8Array; readonly index: number } | null;
};

/** One an epoch, and bodies older than the previous epoch are refused. */
const QUESTIONS_KEPT = 2;

export class Standing {
  readonly #modules: StandingModules;
  #state: StandingState;
  /** Whether it is noted since when it is known at the earliest. */
  #isNoted: boolean;
  #noting: Promise<void> = Promise.resolve();
  /** The last epoch in which it asked. */
  #askedIn = -1;
  /** The last ones, oldest first. */
  readonly #questions: Question[] = [];

  /** @param isNamed whether genesis names this hotspot, so that there is no need to ask. */
  constructor(isNamed: boolean, modules: StandingModules) {
    this.#state = isNamed ? "known" : "unasked";
    this.#isNoted = isNamed;
    this.#modules = modules;
  }

  start(): void {
    const { events, follower } = this.#modules;
    events.on("submitted", ({ reason }) => {
      if (reason === null) this.#state = "known";
      else if (reason === "unknown_sender") this.#state = "unknown";
      this.#noteKnown();
    });
    // One validator's word, which may be the only one in reach: it says what may be wrong, and takes nothing away.
    events.on("receipted", ({ reason }) => {
      if (reason === "unknown_sender" && this.#state === "unasked") this.#state = "unknown";
    });
    follower.onRound(({ epoch }) => {
      this.#noteKnown();
      this.#ask(epoch);
    });
  }

  /** Ends once what it has noted is on the disk. */
  async stop(): Promise<void> {
    await this.#noting;
  }

  state(): StandingState {
    return this.#state;
  }

  isKnown(): boolean {
    return this.#state === "known";
  }

  /** Notes which report of a bundle that was sent is its question, if one is. @param id the envelope's. */
  noteReported(id: Uint8Array, { beacons, witnesses, reveals }: ReportBundle): void {
    for (const question of this.#questions) {
      const place = reveals.findIndex(({ tag }) => equalBytes(tag, question.tag));
      if (place !== -1) question.report = { id, index: beacons.length + witnesses.length + place };
    }
  }

  /** Whether a report is one that this process has asked with, and no reveal of a beacon. */
  isQuestion(id: Uint8Array, index: number): boolean {
    return this.#questions.some(({ report }) => report?.index === index && equalBytes(report.id, id));
  }

  /**
   * It cannot tell since when the network knows it, so one that has never beaconed takes that for as late as can be. What
   * was spooled before a restart may be admitted before a round is heard, which tells the epoch.
   */
  #noteKnown(): void {
    const { firstChallenge, follower, hasBeaconed, log } = this.#modules;
    const newest = follower.newest();
    if (this.#isNoted || this.#state !== "known" || newest === null) return;
    this.#isNoted = true;
    if (hasBeaconed()) return;
    this.#noting = firstChallenge.noteKnown(newest.epoch).catch((error: unknown) => {
      log.error("Could not note the first challenge", { error: String(error) });
    });
  }

  /** A registration is in force from the next epoch on, so asking oftener would tell nothing that can be used. */
  #ask(epoch: number): void {
    if (this.#state === "known" || epoch <= this.#askedIn) return;
    const { bundler, random } = this.#modules;
    const tag = random(TAG_BYTES);
    if (bundler.addReveal({ tag, secret: random(SECRET_BYTES) }) !== null) return;
    this.#askedIn = epoch;
    this.#questions.push({ tag, report: null });
    if (this.#questions.length > QUESTIONS_KEPT) this.#questions.shift();
  }
}
