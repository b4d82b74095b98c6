/**
 * Brings envelopes to validators until it is known what became of them: submits parcels, checks the signed receipts, and
 * goes elsewhere when a validator refuses, is silent or is slow. Gossip is for reach, receipts are for certainty.
 */
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import type { Reason } from "../../../protocol/src/evidence/reasons.ts";
import type { Parameters } from "../../../protocol/src/network/parameters.ts";
import { decodeEnvelope, encodeParcel } from "../../../protocol/src/wire/envelope.ts";
import {
  type Receipt,
  SIGNED_RECEIPT_MAX_BYTES,
  SUBMIT_PROTOCOL,
} from "../../../protocol/src/wire/receipts.ts";
import { decodeReportBundle } from "../../../protocol/src/wire/reports.ts";
import type { Clock, Log, Network, PeerRef } from "../host/types.ts";
import {
  classifyReceipt,
  computeRetryMs,
  countDeliveries,
  createDelivery,
  type Delivery,
  type DeliveryCounts,
  isRefused,
  isSettled,
  isWaiting,
  kindsOf,
  splitIntoParcels,
  wantsReceipt,
} from "./delivery.ts";
import type { HotspotEmitter, ReportKind } from "./events.ts";
import { ANSWER_TIMEOUT_MS, Inquirer } from "./inquirer.ts";
import type { KnownSets } from "./knownSets.ts";
import { computeFraction, type RandomBytes } from "./random.ts";
import { readReceipt } from "./receipt.ts";
import type { RoundFollower } from "./roundFollower.ts";
import type { Spool, SpoolEntry } from "./spool.ts";
import type { ValidatorLinks } from "./validatorLinks.ts";
import { ValidatorTurns } from "./validatorTurns.ts";

export type SubmitterOptions = {
  readonly domains: SigningDomains;
  readonly parameters: Parameters;
  /** The report topic of this hotspot's bucket; null while it has asserted no place. */
  readonly topic: string | null;
};
export type SubmitterModules = {
  readonly spool: Spool;
  readonly network: Network;
  readonly links: ValidatorLinks;
  readonly sets: Pick<KnownSets, "epoch" | "setOf">;
  readonly follower: RoundFollower;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: RandomBytes;
  readonly events: HotspotEmitter;
};

/** What can happen to a submission as a whole. */
export const SUBMISSION_OUTCOMES = ["receipted", "no_answer", "bad_receipt"] as const;
export type SubmissionOutcome = (typeof SUBMISSION_OUTCOMES)[number];

const LEAST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
/** Two epochs' reports at the least filled, one in an envelope; beyond it the oldest is no longer followed. */
const MAX_DELIVERIES = 1_024;

export class Submitter {
  readonly #options: SubmitterOptions;
  readonly #modules: SubmitterModules;
  /** By id in hexadecimal, oldest first. */
  readonly #deliveries = new Map<string, Delivery>();
  readonly #turns: ValidatorTurns;
  readonly #inquirer: Inquirer;
  readonly #outcomes: Record<SubmissionOutcome, number> = { receipted: 0, no_answer: 0, bad_receipt: 0 };
  /** Why a validator last refused an envelope for good, believed or not; null once one is admitted. */
  #refusal: Reason | null = null;
  #wake: () => void = () => undefined;
  #isAwake = false;
  #running: Promise<void> = Promise.resolve();
  #seconding: Promise<void> | null = null;
  #asking: Promise<void> | null = null;

  constructor(options: SubmitterOptions, modules: SubmitterModules) {
    this.#options = options;
    this.#modules = modules;
    this.#turns = new ValidatorTurns(modules.network.publicKey, modules);
    this.#inquirer = new Inquirer(
      { pauseMs: this.#pauseMs, windowRounds: options.parameters.witnessWindowRounds },
      { ...modules, countValidators: () => this.#validators, onOverdue: () => this.#wakeUp() },
    );
  }

  /** Takes up what the spool holds from before, and works until the signal. */
  start(signal: AbortSignal): void {
    for (const entry of this.#modules.spool.entries()) this.take(entry);
    this.#modules.follower.onRound(() => this.#wakeUp());
    this.#modules.links.onConnected(() => this.#wakeUp());
    signal.addEventListener("abort", () => this.#wakeUp(), { once: true });
    this.#running = this.#run(signal);
  }

  /** Settles when the work has ended, after the signal. */
  async stopped(): Promise<void> {
    await this.#running;
    await Promise.all([this.#seconding, this.#asking]);
  }

  /** Takes a spooled envelope to deliver. */
  take(entry: SpoolEntry): void {
    const decoded = decodeEnvelope(entry.envelope);
    const bundle = decoded.ok ? decodeReportBundle(decoded.envelope.body) : null;
    if (bundle === null) return;
    this.#follow(createDelivery(entry, { id: entry.id, epoch: bundle.epoch, kinds: kindsOf(bundle) }));
  }

  /** Asks about an envelope that was delivered before this process began. */
  watch(id: Uint8Array, epoch: number, kinds: readonly ReportKind[]): void {
    this.#follow(createDelivery(null, { id, epoch, kinds }));
  }

  /** Whether an envelope is being delivered or watched. */
  isFollowed(id: Uint8Array): boolean {
    return this.#deliveries.has(encodeHex(id));
  }

  /** The round in which an envelope was included, or null while too few validators have named one. */
  includedRound(id: Uint8Array): number | null {
    const delivery = this.#deliveries.get(encodeHex(id));
    return delivery?.state === "included" ? delivery.includedRound : null;
  }

  /** A report's verdict: a reason, null for accepted, undefined while too few validators have said one. */
  verdictOf(id: Uint8Array, index: number): Reason | null | undefined {
    return this.#deliveries.get(encodeHex(id))?.verdicts[index];
  }

  /** Whether a report is in a round, and its beacon has not closed as far as is known. */
  isWaiting(id: Uint8Array, index: number): boolean {
    const delivery = this.#deliveries.get(encodeHex(id));
    return delivery !== undefined && isWaiting(delivery, index, this.#validators);
  }

  /** Envelopes by state, how submissions ended, and why the last one answered was refused, if it was. */
  status(): DeliveryCounts & {
    readonly submissions: Readonly<Record<SubmissionOutcome, number>>;
    readonly refusal: Reason | null;
  } {
    const counts = countDeliveries(this.#deliveries.values());
    return { ...counts, submissions: { ...this.#outcomes }, refusal: this.#refusal };
  }

  #follow(delivery: Delivery): void {
    const key = encodeHex(delivery.id);
    if (this.#deliveries.has(key)) return;
    this.#deliveries.set(key, delivery);
    const [oldest] = this.#deliveries.keys();
    if (this.#deliveries.size > MAX_DELIVERIES) this.#deliveries.delete(oldest!);
    this.#wakeUp();
  }

  #wakeUp(): void {
    this.#isAwake = true;
    this.#wake();
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#isAwake = false;
      try {
        await this.#step(signal);
      } catch (error) {
        if (!signal.aborted) this.#modules.log.error("A submission failed", { error: String(error) });
      }
      if (!signal.aborted && !this.#isAwake) await this.#sleep();
    }
  }

  /** Until something new is to be done, or the pause between two questions is over. */
  async #sleep(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    const cancel = this.#modules.clock.after(this.#pauseMs, resolve);
    await promise;
    cancel();
    this.#wake = () => undefined;
  }

  /** One round's time: nothing becomes of an envelope between two rounds. */
  get #pauseMs(): number {
    return Math.min(LONGEST_PAUSE_MS, Math.max(LEAST_PAUSE_MS, this.#options.parameters.roundMs));
  }

  /** How many validators the network has. */
  get #validators(): number {
    const { sets } = this.#modules;
    return sets.setOf(sets.epoch)!.keys.length;
  }

  async #step(signal: AbortSignal): Promise<void> {
    this.#dropPast();
    if (this.#modules.links.connected().length === 0) return;
    const elapsedMs = this.#modules.clock.elapsedMs();
    const deliveries = [...this.#deliveries.values()];
    const due = deliveries.filter((delivery) => delivery.submitAtMs <= elapsedMs && wantsReceipt(delivery));
    const submit = (which: Delivery["state"]) => {
      const chosen = due.filter(({ state }) => state === which);
      return this.#submitAll(chosen, signal);
    };
    await submit("waiting");
    // Both beside it: what waits for its first receipt must not wait for others' second, nor for answers.
    this.#seconding ??= this.#logFailure(submit("admitted")).finally(() => {
      this.#seconding = null;
    });
    const asked = deliveries.filter(
      (delivery) => delivery.askAtMs <= elapsedMs && delivery.state !== "waiting" && !isSettled(delivery),
    );
    this.#asking ??= this.#logFailure(this.#inquirer.ask(asked, signal)).finally(() => {
      this.#asking = null;
    });
  }

  async #logFailure(work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => {
      this.#modules.log.error("A submission failed", { error: String(error) });
    });
  }

  async #submitAll(due: readonly Delivery[], signal: AbortSignal): Promise<void> {
    const peers = this.#modules.links.connected();
    for (const [peer, batch] of Map.groupBy(due, (delivery) => this.#turns.choose(peers, delivery))) {
      if (peer === null) continue;
      for (const parcel of splitIntoParcels(batch)) {
        if (signal.aborted) return;
        await this.#submit(parcel, peer, signal);
      }
    }
  }

  /** Forgets what can no longer count, followed or not: execution refuses bodies older than the previous epoch. */
  #dropPast(): void {
    const newest = this.#modules.follower.newest();
    if (newest === null) return;
    for (const [key, delivery] of this.#deliveries) {
      // Included by a validator's word, it is followed for an epoch more: its beacon may close that late.
      const isIncluded = delivery.words.size > 0;
      const epochsKept = isIncluded ? 2 : 1;
      if (delivery.epoch >= newest.epoch - epochsKept) continue;
      this.#deliveries.delete(key);
      // What the spool has dropped for want of room was told of then.
      const isTold = delivery.entry !== null && !this.#modules.spool.has(delivery.id);
      if (!isIncluded && !isTold) this.#report(delivery, "stale_epoch");
      this.#modules.spool.settle(delivery.id);
    }
    this.#modules.spool.onHeard(newest.epoch);
  }

  async #submit(batch: readonly Delivery[], peer: PeerRef, signal: AbortSignal): Promise<void> {
    const { network, log } = this.#modules;
    const parcel = encodeParcel(batch.map(({ entry }) => entry!.envelope));
    const answer = await network
      .request(peer.peerId, SUBMIT_PROTOCOL, parcel, {
        maxAnswerBytes: SIGNED_RECEIPT_MAX_BYTES,
        timeoutMs: ANSWER_TIMEOUT_MS,
        signal,
      })
      .catch((error: unknown) => {
        log.debug("A validator gave no receipt", { error: String(error) });
        return null;
      });
    if (signal.aborted) return;
    await this.#publish(batch, parcel);
    const ids = batch.map(({ id }) => id);
    const receipt = answer && readReceipt(this.#options.domains, peer.publicKey!, { parcel, ids }, answer);
    if (receipt === null) {
      this.#outcomes[answer === null ? "no_answer" : "bad_receipt"]++;
      this.#turns.noteFailure(peer.peerId);
      for (const delivery of batch) this.#postpone(delivery, peer);
      return;
    }
    this.#outcomes.receipted++;
    this.#turns.noteReceipt(peer.peerId);
    for (const [i, delivery] of batch.entries()) {
      this.#takeReceipt(delivery, receipt, receipt.items[i]!.reason, peer);
    }
  }

  #takeReceipt(delivery: Delivery, { round }: Receipt, reason: Reason | null, peer: PeerRef): void {
    const { events, clock, follower, spool } = this.#modules;
    events.emit("receipted", { id: delivery.id, validator: peer.publicKey!, round, reason });
    const meaning = classifyReceipt(reason);
    if (reason === "unknown_sender") this.#turns.noteUnknown();
    if (meaning === "admitted") {
      delivery.receipts.add(peer.peerId);
      delivery.refusers.delete(peer.peerId);
      delivery.attempts = 0;
      if (delivery.state !== "waiting") return;
      delivery.state = "admitted";
      // By its own rounds: the validator may be behind, or say what it likes.
      delivery.submitRound = follower.newest()?.round ?? round;
      delivery.askAtMs = clock.elapsedMs() + this.#pauseMs;
      this.#report(delivery, null);
      // The second receipt is asked for at once.
      this.#isAwake = true;
      return;
    }
    if (meaning === "never") {
      delivery.refusers.add(peer.peerId);
      this.#refusal = reason;
    }
    // What one refuses for good another may know better: it waits for that one, as long as it can count.
    const isBelieved = meaning === "never" && isRefused(delivery, this.#validators);
    if (!isBelieved || delivery.receipts.size > 0) {
      this.#postpone(delivery, peer);
      return;
    }
    this.#deliveries.delete(encodeHex(delivery.id));
    this.#report(delivery, reason);
    spool.settle(delivery.id);
  }

  /** For reach: who does not know this hotspot's validators hears it too. Once an envelope. */
  async #publish(batch: readonly Delivery[], parcel: Uint8Array): Promise<void> {
    const { topic } = this.#options;
    if (topic === null || batch.every(({ published }) => published)) return;
    for (const delivery of batch) delivery.published = true;
    await this.#modules.network.publish(topic, parcel).catch((error: unknown) => {
      this.#modules.log.debug("Could not publish a parcel", { error: String(error) });
    });
  }

  #report(delivery: Delivery, reason: Reason | null): void {
    this.#refusal = reason;
    this.#modules.events.emit("submitted", { id: delivery.id, kinds: delivery.kinds, reason });
  }

  /** To another validator at once where there is one, else after a growing, jittered pause. */
  #postpone(delivery: Delivery, peer: PeerRef): void {
    const { clock, links, random } = this.#modules;
    delivery.tried.add(peer.peerId);
    delivery.attempts++;
    const isOpen = ({ peerId }: PeerRef) => !delivery.tried.has(peerId) && !delivery.receipts.has(peerId);
    if (links.connected().some(isOpen)) {
      delivery.submitAtMs = 0;
      this.#isAwake = true;
      return;
    }
    delivery.tried.clear();
    const retryMs = computeRetryMs(delivery.attempts, this.#pauseMs, computeFraction(random));
    delivery.submitAtMs = clock.elapsedMs() + retryMs;
  }
}
