/**
 * The links between simulated validators: what is said is lost, late, twice or out of order, links are cut in one or both
 * directions, nobody has one to who has no seat about now, and what a liar says always goes through its bytes.
 */
import type { Fetch } from "../../../protocol/src/agreement/fetches.ts";
import {
  decodePeerMessage,
  encodePeerMessage,
  type PeerMessage,
} from "../../../protocol/src/agreement/peerMessages.ts";
import type { Prng } from "../prng.ts";
import type { Member } from "./member.ts";
import type { Mouth } from "./mouths.ts";
import { STACK_DELAY_MS, type StackScenario } from "./scenario.ts";
import type { VirtualTime } from "./virtualTime.ts";
import type { StackWatch } from "./watch.ts";

/** Every so many messages of honest validators one goes through its bytes, which must give it back. */
const ENCODED_ONE_IN = 16;
const FETCH_TIMEOUT_MS = 1_000;
const IDLE_MS = 60;
/** Adversaries stop making things up after this; what they change on its way out they change for ever. */
const IDLE_ENDS_MS = 20_000;

export type LinksModules = {
  readonly time: VirtualTime;
  readonly prng: Prng;
  readonly watch: StackWatch;
  readonly scenario: StackScenario;
  /** By position: one member, or two twins. */
  readonly seats: readonly (readonly Member[])[];
  readonly mouths: ReadonlyMap<number, Mouth>;
  /** Whether a validator is cut off from all others. */
  readonly isIsolated: (position: number) => boolean;
  /** Folds what arrives into the audit hash. */
  readonly fold: (a: number, b: number, c: number) => void;
};

export class Links {
  readonly #modules: LinksModules;
  readonly #positions: ReadonlyMap<string, number>;
  /** What goes through its bytes, encoded once for all to whom it goes. */
  readonly #encoded = new WeakMap<PeerMessage, Uint8Array>();

  constructor(modules: LinksModules) {
    this.#modules = modules;
    this.#positions = new Map(modules.seats.map(([member], position) => [member!.name, position]));
  }

  /** Lets those who make things up begin. */
  start(): void {
    for (const [self, mouth] of this.#modules.mouths) if (mouth.idle !== undefined) this.#beIdle(self, mouth);
  }

  /** What a member says; `to` null for all. */
  send(from: Member, to: string | null, message: PeerMessage): void {
    const { seats, mouths } = this.#modules;
    const mouth = mouths.get(from.self);
    const only = to === null ? null : this.#positions.get(to);
    for (let position = 0; position < seats.length; position++) {
      if (position === from.self || (only !== null && position !== only)) continue;
      if (!from.wants(seats[position]![0]!)) continue;
      const said = mouth === undefined ? [message] : mouth.say(position, message);
      for (const each of said) this.#deliver(from.self, position, each);
    }
  }

  async fetch(from: Member, to: string, fetch: Fetch): Promise<Uint8Array | null> {
    const { seats, mouths, prng } = this.#modules;
    const position = this.#positions.get(to);
    if (position === undefined || this.#isCut(from.self, position)) return null;
    if (!from.wants(seats[position]![0]!)) return null;
    if (this.#isLost()) return await this.#wait(from, FETCH_TIMEOUT_MS, null);
    await this.#wait(from, this.#delayMs(), null);
    const member = prng.pick(seats[position]!);
    const answers = mouths.get(position)?.answers?.(fetch) ?? true;
    const said = answers ? await member.answer(from.name, fetch) : null;
    const answer = mouths.get(position)?.answer?.(fetch, said) ?? said;
    if (this.#isLost() || this.#isCut(position, from.self))
      return await this.#wait(from, FETCH_TIMEOUT_MS, null);
    return await this.#wait(from, this.#delayMs(), answer);
  }

  connected(from: Member): string[] {
    return this.#modules.seats.flatMap(([member], position) =>
      position !== from.self && member!.isUp && from.wants(member!) && !this.#isCut(from.self, position)
        ? [member!.name]
        : [],
    );
  }

  #deliver(from: number, to: number, message: PeerMessage): void {
    if (this.#isLost() || this.#isCut(from, to) || from === to) return;
    const { time, prng, scenario } = this.#modules;
    const copies = prng.below(1_000_000) < scenario.duplicatePpm ? 2 : 1;
    for (let copy = 0; copy < copies; copy++)
      time.after(this.#delayMs(), () => this.#arrive(from, to, message));
  }

  #arrive(from: number, to: number, message: PeerMessage): void {
    const { seats, mouths, prng, watch, fold } = this.#modules;
    const isLie = mouths.has(from);
    const isEncoded = isLie || prng.oneIn(ENCODED_ONE_IN);
    const received = isEncoded ? decodePeerMessage(this.#encode(message), seats.length) : message;
    if (received === null) {
      if (!isLie) watch.report("threw", `an honest ${message.type} does not decode`);
      return;
    }
    const member = prng.pick(seats[to]!);
    fold(1, from * 16 + to, message.type.length * 256 + message.type.charCodeAt(0));
    for (const each of mouths.get(to)?.hear?.(from, received) ?? []) this.#deliver(to, each.to, each.message);
    // Who is bad keeps what convicts somebody to itself: no value of a Byzantine leader holds what it was told.
    if (received.type === "evidence" && !member.isHonest) return;
    const [sender] = seats[from]!;
    if (member.wants(sender!)) member.receive(sender!.name, received);
  }

  #encode(message: PeerMessage): Uint8Array {
    const bytes = this.#encoded.get(message) ?? encodePeerMessage(message, this.#modules.seats.length);
    this.#encoded.set(message, bytes);
    return bytes;
  }

  /** Resolves after a while, in the same life only. */
  #wait<T>(member: Member, delayMs: number, value: T): Promise<T> {
    const { life } = member;
    return new Promise((resolve) => {
      this.#modules.time.after(delayMs, () => member.life === life && resolve(value));
    });
  }

  #beIdle(self: number, mouth: Mouth): void {
    const { time } = this.#modules;
    time.after(IDLE_MS, () => {
      for (const { to, message } of mouth.idle!()) this.#deliver(self, to, message);
      if (time.nowMs < IDLE_ENDS_MS) this.#beIdle(self, mouth);
    });
  }

  #isLost(): boolean {
    const { time, prng, scenario } = this.#modules;
    const ppm = time.nowMs < scenario.healMs ? scenario.lossPpm : scenario.healedLossPpm;
    return ppm > 0 && prng.below(1_000_000) < ppm;
  }

  #isCut(from: number, to: number): boolean {
    const { isIsolated } = this.#modules;
    if (isIsolated(from) || isIsolated(to)) return true;
    const { nowMs } = this.#modules.time;
    const has = (mask: number, position: number) => ((mask >> position) & 1) === 1;
    return this.#modules.scenario.cuts.some(
      (cut) => nowMs >= cut.startMs && nowMs < cut.endMs && has(cut.from, from) && has(cut.to, to),
    );
  }

  #delayMs(): number {
    const { time, prng, scenario } = this.#modules;
    return 1 + prng.below(time.nowMs < scenario.healMs ? scenario.maxDelayMs : STACK_DELAY_MS);
  }
}
