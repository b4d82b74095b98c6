/**
 * The beaconer: one beacon for each challenge, in its slot, retried while the slot's tolerance lasts and never sent
 * again after a crash; then its report, and its reveal once the witnesses' window has certainly closed. Every step is
 * driven by certified rounds, never by the hotspot's own clock.
 */
import type { SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { type Challenge, computeChallenge } from "../../../protocol/src/evidence/challenge.ts";
import { computeTag } from "../../../protocol/src/evidence/commitReveal.ts";
import type { Parameters } from "../../../protocol/src/network/parameters.ts";
import { recordTransmission, type Transmission } from "../../../protocol/src/radio/dutyCycle.ts";
import { encodeFrame, SECRET_BYTES } from "../../../protocol/src/radio/frame.ts";
import type { RegionPlan } from "../../../protocol/src/radio/regions.ts";
import { isCodedError } from "../host/codedError.ts";
import type { Clock, Log } from "../host/types.ts";
import type { Radio, TransmitResult } from "../radio/radio.ts";
import { type BeaconBook, openBeaconBook } from "./beaconBook.ts";
import {
  armBeacon,
  beaconBundleOf,
  type Cosigner,
  cosignedMessageOf,
  lastAttemptRoundOf,
  lastRevealRoundOf,
  noteIncludedRound,
  revealBundleOf,
  windowEndOf,
} from "./beaconRecord.ts";
import type { BeaconEnd, BeaconRecord } from "./beaconState.ts";
import type { HotspotEmitter } from "./events.ts";
import { EPOCHS_AFTER_LOSS, type FirstChallenge } from "./firstChallenge.ts";
import { type AttemptFailure, checkLimits, findLastingFailure, planBeacon } from "./guard.ts";
import type { Outbox } from "./outbox.ts";
import { findTransmittingRun, learnFloor, type TransmittingRun } from "./powerFloor.ts";
import type { RandomBytes } from "./random.ts";
import type { NewestRound, RoundFollower } from "./roundFollower.ts";
import type { Standing } from "./standing.ts";
import type { Submitter } from "./submitter.ts";

export type BeaconerOptions = {
  readonly home: string;
  readonly networkId: Uint8Array;
  readonly hotspot: Uint8Array;
  readonly domains: SigningDomains;
  readonly parameters: Parameters;
  readonly plan: RegionPlan;
  readonly gainCentiDbi: number;
  /** The least conducted power that the concentrator's gain table has, where that is known. */
  readonly lowestPowerDbm: number | null;
  /** Signs what the device that is bound to the hotspot has to; null where it has none. Throws where the device is silent. */
  readonly cosign: Cosigner | null;
};
export type BeaconerModules = {
  readonly radio: Pick<Radio, "transmit" | "status">;
  readonly follower: Pick<RoundFollower, "newest" | "seedOf" | "onRound" | "estimateMsUntil">;
  readonly outbox: Pick<Outbox, "computeId" | "send">;
  readonly submitter: Pick<Submitter, "watch" | "isFollowed" | "includedRound" | "verdictOf">;
  readonly standing: Pick<Standing, "isKnown">;
  readonly firstChallenge: Pick<FirstChallenge, "epoch" | "postpone">;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: RandomBytes;
  readonly events: HotspotEmitter;
  /** Told of each own tag before it is on air, so that its echo is known. */
  readonly onOwnTag: (tag: Uint8Array) => void;
};

/** The next beacon: when and how, for people. `probablyInMs` is an estimate from the rounds' pace. */
export type NextBeacon = Challenge & { readonly epoch: number; readonly probablyInMs: number };

/** Creates a beaconer with what an earlier process has left. @throws CodedError where its file cannot be used. */
export async function createBeaconer(options: BeaconerOptions, modules: BeaconerModules): Promise<Beaconer> {
  return new Beaconer(options, modules, await openBeaconBook(options, modules.clock));
}

export class Beaconer {
  readonly #options: BeaconerOptions;
  readonly #modules: BeaconerModules;
  readonly #book: BeaconBook;
  /** The epoch whose beacon this very process armed: only that one may be tried again. */
  #armedHere: number | null = null;
  #hasResumed = false;
  #lastFailure: AttemptFailure | null = null;
  #working = false;
  #signal: AbortSignal | null = null;
  #idle: Promise<void> = Promise.resolve();

  constructor(options: BeaconerOptions, modules: BeaconerModules, book: BeaconBook) {
    this.#options = options;
    this.#modules = modules;
    this.#book = book;
    for (const beacon of book.state.beacons) modules.onOwnTag(computeTag(beacon.commit));
  }

  start(signal: AbortSignal): void {
    this.#signal = signal;
    this.#modules.follower.onRound(() => this.#wake());
  }

  /** Settles when a step that is under way has ended; none begins after the signal. */
  async stopped(): Promise<void> {
    await this.#idle;
  }

  /** Own beacons, oldest first; the last ones only. */
  beacons(): readonly BeaconRecord[] {
    return this.#book.state.beacons;
  }

  /** What was sent within the longest duty-cycle window, and possibly longer ago. */
  transmissions(): readonly Transmission[] {
    return this.#book.transmissions();
  }

  /** Why the last attempt failed; null where it did not. */
  lastFailure(): AttemptFailure | null {
    return this.#lastFailure;
  }

  /** Why beacons fail, as far as somebody should look into it; null where nothing is known to be in the way. */
  lastingFailure(): AttemptFailure | null {
    const run = findTransmittingRun(this.#modules.radio.status())?.run ?? null;
    return findLastingFailure({ ...this.#options, ...this.#book.state, run }, this.#lastFailure);
  }

  /** The beacon that this epoch asks for and that is still to come; null where none is, or rounds or hotspot are unknown. */
  next(): NextBeacon | null {
    if (!this.#modules.standing.isKnown()) return null;
    const newest = this.#modules.follower.newest();
    const challenge = newest && this.#challengeOf(newest.epoch);
    if (
      newest === null ||
      challenge === null ||
      newest.round > lastAttemptRoundOf(challenge, this.#options.parameters)
    )
      return null;
    const beacon = this.#book.find(newest.epoch);
    if (beacon !== undefined && beacon.phase !== "armed") return null;
    const probablyInMs = this.#modules.follower.estimateMsUntil(challenge.slotRound - 1) ?? 0;
    return { ...challenge, epoch: newest.epoch, probablyInMs };
  }

  /** One step at a time; a round that comes meanwhile is looked at when the step has ended. */
  #wake(): void {
    if (this.#working) return;
    this.#working = true;
    this.#idle = this.#work().finally(() => {
      this.#working = false;
    });
  }

  async #work(): Promise<void> {
    let seen = -1;
    for (;;) {
      const newest = this.#modules.follower.newest();
      if (newest === null || newest.round === seen || this.#signal!.aborted) return;
      seen = newest.round;
      try {
        await this.#step(newest);
      } catch (error) {
        if (!this.#signal!.aborted) this.#modules.log.error("The beaconer failed", { error: String(error) });
      }
    }
  }

  async #step(newest: NewestRound): Promise<void> {
    if (!this.#hasResumed) await this.#resume(newest);
    this.#book.followClock();
    // That the disk does not take it was told at once. It keeps beacons from the air, which are armed on it first, and must
    // not keep one that is on air from being reported and revealed.
    await this.#book.flush().catch(() => undefined);
    for (const beacon of this.#book.state.beacons) await this.#advance(beacon, newest);
    // A slot at an epoch's end reaches into the next one.
    for (const epoch of [newest.epoch - 1, newest.epoch]) {
      const challenge = this.#challengeOf(epoch);
      if (challenge !== null) await this.#answer(challenge, epoch, newest);
    }
  }

  /** Once, with the first round that is heard: takes up what the process before has left. */
  async #resume(newest: NewestRound): Promise<void> {
    const { outbox, submitter } = this.#modules;
    if (this.#book.isLost) await this.#startOver(newest);
    for (const beacon of this.#book.state.beacons) {
      if (beacon.phase !== "reported" || newest.round > lastAttemptRoundOf(beacon, this.#options.parameters))
        continue;
      // A disk that was full may have kept it out of the spool. Said again it is the same envelope.
      const bundle = beaconBundleOf(beacon);
      if (!submitter.isFollowed(outbox.computeId(bundle))) await outbox.send(bundle);
    }
    this.#hasResumed = true;
  }

  /** The note comes first: a process that ends between the two finds the damage again, and goes the same way. */
  async #startOver({ epoch }: NewestRound): Promise<void> {
    const { firstChallenge, log } = this.#modules;
    const firstEpoch = epoch + EPOCHS_AFTER_LOSS;
    await firstChallenge.postpone(firstEpoch);
    await this.#book.startOver();
    log.warn("The record of own beacons was damaged and is set aside; send none before", { firstEpoch });
  }

  #challengeOf(epoch: number): Challenge | null {
    if (epoch < this.#modules.firstChallenge.epoch) return null;
    const seed = this.#modules.follower.seedOf(epoch);
    if (seed === null) return null;
    const { parameters, hotspot, plan } = this.#options;
    return computeChallenge(parameters, seed, hotspot, epoch, plan);
  }

  async #answer(challenge: Challenge, epoch: number, newest: NewestRound): Promise<void> {
    const { parameters } = this.#options;
    const isEarly = newest.round < challenge.slotRound - 1;
    if (isEarly || newest.round > lastAttemptRoundOf(challenge, parameters)) return;
    const beacon = this.#book.find(epoch);
    // What another process armed may have been on air: nobody can tell, so it is not sent again.
    if (beacon !== undefined && (beacon.phase !== "armed" || this.#armedHere !== epoch)) return;
    // Nobody could be paid for it, and the air is everybody's.
    if (!this.#modules.standing.isKnown()) return;
    this.#book.followClock();
    const transmission = planBeacon(this.#options, challenge, this.#modules.clock.nowMs());
    const forwarder = findTransmittingRun(this.#modules.radio.status());
    const run = forwarder?.run ?? null;
    const refusal = checkLimits({ ...this.#options, ...this.#book.state, run }, transmission);
    if (refusal !== null) {
      this.#fail(refusal);
      this.#modules.events.emit("beaconHeldBack", { epoch, reason: refusal });
      return;
    }
    const armed = await this.#arm(challenge, epoch, transmission);
    await this.#transmit(armed, transmission, forwarder);
  }

  /** The secret, the attempt and its time on air are on the disk before a byte is on air. */
  async #arm(challenge: Challenge, epoch: number, transmission: Transmission): Promise<BeaconRecord> {
    const before = this.#book.find(epoch);
    const armed = before
      ? { ...before, attempts: before.attempts + 1 }
      : armBeacon(challenge, epoch, this.#options.hotspot, this.#modules.random(SECRET_BYTES));
    this.#armedHere = epoch;
    const transmissions = recordTransmission(
      this.#options.plan,
      this.#book.state.transmissions,
      transmission,
    );
    await this.#book.prepare(armed, { transmissions });
    this.#modules.onOwnTag(computeTag(armed.commit));
    return armed;
  }

  /** @param forwarder the one that the limits were checked for: while the disk was written another may have taken over. */
  async #transmit(
    armed: BeaconRecord,
    transmission: Transmission,
    forwarder: TransmittingRun | null,
  ): Promise<void> {
    const { radio, clock, events } = this.#modules;
    const { gainCentiDbi } = this.#options;
    const { commit, freqHz, spreadingFactor, bandwidthHz } = armed;
    const askedDbm = (transmission.eirpCentiDbm - gainCentiDbi) / 100;
    const result = await radio.transmit(
      {
        payload: encodeFrame({ tag: computeTag(commit), secret: armed.secret }),
        freqHz,
        spreadingFactor,
        bandwidthHz,
        powerDbm: askedDbm,
        forwarderEui: forwarder?.eui ?? null,
      },
      this.#signal!,
    );
    if (result.status === "failed") return await this.#takeFailure(armed, transmission, result);
    this.#lastFailure = null;
    const sent: BeaconRecord = {
      ...armed,
      phase: "sent",
      powerCentiDbm: result.powerDbm * 100,
      timeMs: clock.nowMs(),
    };
    const { powerDbm } = result;
    const eirpCentiDbm = powerDbm * 100 + gainCentiDbi;
    this.#book.note(sent, {
      powerFloors: learnFloor(this.#book.state.powerFloors, forwarder?.run ?? null, askedDbm, powerDbm),
      // The budget is drawn on by what was really sent.
      transmissions: this.#book.state.transmissions.map((other) =>
        other === transmission ? { ...other, eirpCentiDbm } : other,
      ),
    });
    const { epoch, slotRound } = sent;
    events.emit("beaconSent", { epoch, slotRound, freqHz, spreadingFactor, powerDbm, commit });
    await this.#book.flush();
    await this.#report(sent);
  }

  async #takeFailure(
    armed: BeaconRecord,
    transmission: Transmission,
    { reason, onAir }: Extract<TransmitResult, { status: "failed" }>,
  ): Promise<void> {
    this.#fail(reason);
    // It was on air, and nobody can sign at what power: another try would only be another beacon that nobody can report.
    if (reason === "power_unknown") return await this.#end(armed, reason);
    if (onAir === "possible") return;
    // What was certainly not on air has used none of the budget.
    const transmissions = this.#book.state.transmissions.filter((sent) => sent !== transmission);
    await this.#book.save(armed, { transmissions });
  }

  /** A beacon's report travels alone, so that saying it again after a crash gives the same envelope. */
  async #report(sent: BeaconRecord): Promise<void> {
    const beacon = await this.#cosign(sent);
    if (beacon === null) return;
    const submitRound = this.#modules.follower.newest()!.round;
    await this.#modules.outbox.send(beaconBundleOf(beacon));
    await this.#book.save({ ...beacon, phase: "reported", submitRound });
  }

  /**
   * The beacon with its device's signature where it needs one; null where the device gives none yet. It is on the disk
   * before it is sent, since a device gives another one each time, and the report would then be another.
   */
  async #cosign(beacon: BeaconRecord): Promise<BeaconRecord | null> {
    const { cosign, domains, hotspot, parameters } = this.#options;
    if (cosign === null || beacon.cosignature !== null) return beacon;
    // Its report could be in no round of the slot any more.
    if (this.#modules.follower.newest()!.round >= beacon.slotRound + parameters.beaconToleranceRounds) {
      await this.#end(beacon, "no_cosignature");
      return null;
    }
    try {
      const cosigned = { ...beacon, cosignature: await cosign(cosignedMessageOf(hotspot, beacon, domains)) };
      await this.#book.save(cosigned);
      this.#lastFailure = null;
      return cosigned;
    } catch (error) {
      if (!isCodedError(error) || error.code !== "device_key_failed") throw error;
      this.#fail("no_cosignature");
      return null;
    }
  }

  /** Brings a beacon that is on air, or was before a crash, one phase further where its time has come. */
  async #advance(beacon: BeaconRecord, newest: NewestRound): Promise<void> {
    switch (beacon.phase) {
      case "armed":
        if (this.#armedHere !== beacon.epoch) await this.#end(beacon, "interrupted");
        else if (newest.round > lastAttemptRoundOf(beacon, this.#options.parameters))
          await this.#end(beacon, "missed");
        return;
      case "sent":
        return await this.#report(beacon);
      case "reported":
        return await this.#revealWhenClosed(beacon, newest);
      case "revealed":
        if (newest.round >= lastRevealRoundOf(beacon, this.#options.parameters))
          await this.#end(beacon, "complete");
        else await this.#resendRevealAfterCrash(beacon);
        return;
      case "ended":
        return;
    }
  }

  async #revealWhenClosed(reported: BeaconRecord, newest: NewestRound): Promise<void> {
    const { submitter, outbox } = this.#modules;
    const bundle = beaconBundleOf(reported);
    const id = outbox.computeId(bundle);
    submitter.watch(id, reported.epoch, ["beacon"]);
    const beacon = noteIncludedRound(reported, submitter.includedRound(id));
    if (beacon !== reported) await this.#book.save(beacon);
    const verdict = submitter.verdictOf(id, 0);
    // Refused by execution: there is no window to reveal in.
    if (verdict !== undefined && verdict !== null) return await this.#end(beacon, "refused");
    if (newest.round >= lastRevealRoundOf(beacon, this.#options.parameters))
      return await this.#end(beacon, "reveal_missed");
    if (newest.round < windowEndOf(beacon, this.#options.parameters)) return;
    const revealed: BeaconRecord = { ...beacon, phase: "revealed", revealEpoch: newest.epoch };
    await this.#book.save(revealed);
    await outbox.send(revealBundleOf(revealed));
  }

  async #resendRevealAfterCrash(beacon: BeaconRecord): Promise<void> {
    const bundle = revealBundleOf(beacon);
    if (this.#modules.submitter.isFollowed(this.#modules.outbox.computeId(bundle))) return;
    await this.#modules.outbox.send(bundle);
  }

  #fail(reason: AttemptFailure): void {
    if (this.#lastFailure !== reason) this.#modules.log.warn("Could not beacon; try again", { reason });
    this.#lastFailure = reason;
  }

  async #end(beacon: BeaconRecord, end: BeaconEnd): Promise<void> {
    if (end !== "complete") {
      this.#modules.log.warn("A beacon ended before its time", { epoch: beacon.epoch, end });
    }
    await this.#book.save({ ...beacon, phase: "ended", end });
  }
}
