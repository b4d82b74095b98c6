/**
 * When the messages of late passed through this validator: admitted, certified, decided, executed, by its own clock. In
 * memory, for those who follow one message on its way and for the debug log; what a message came to is in the store.
 */
import type { Log } from "../../../node/src/host/types.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { keyOfBytes } from "../bytesKey.ts";
import type { IntakeKind } from "../intake/inbox.ts";
import { RecentMap } from "../recentMap.ts";

/** A message on its way. Times are Unix milliseconds; null where it has not come so far. */
export type Journey = {
  /** How it came first: by a submission that got a receipt, or by gossip. */
  readonly way: IntakeKind;
  readonly receivedMs: number;
  /** Its signatures were valid and it kept the rules. */
  readonly admittedMs: number;
  /** It is in an own batch that a quorum holds; null as well where others batch it. */
  readonly certifiedMs: number | null;
};
/** When this validator knew a round decided, and when it had executed and stored it. */
export type RoundTimes = { readonly decidedMs: number | null; readonly executedMs: number | null };

/** The last half of them at least: half a minute at a thousand messages a second; each takes some 250 bytes. */
const MAX_JOURNEYS = 65_536;
/** The last half at least: as many epochs of mainnet as message ids are remembered for. */
const MAX_ROUNDS = 2 * 3 * 720;

export type JourneysModules = {
  readonly nowMs: () => number;
  readonly log: Log;
  /** Whether debug lines are written: each message costs one at each step, and none is left out. */
  readonly isVerbose: () => boolean;
};

export class Journeys {
  readonly #modules: JourneysModules;
  /** By id. */
  readonly #journeys = new RecentMap<string, Journey>(MAX_JOURNEYS);
  readonly #rounds = new RecentMap<number, RoundTimes>(MAX_ROUNDS);

  constructor(modules: JourneysModules) {
    this.#modules = modules;
  }

  onAdmitted = (id: Uint8Array, way: IntakeKind, receivedMs: number): void => {
    const journey = { way, receivedMs, admittedMs: this.#modules.nowMs(), certifiedMs: null };
    this.#journeys.set(keyOfBytes(id), journey);
    this.#say("Admitted a message", [id], { way });
  };

  onCertified = (ids: readonly Uint8Array[]): void => {
    const certifiedMs = this.#modules.nowMs();
    for (const id of ids) {
      const journey = this.#journeys.get(keyOfBytes(id));
      if (journey !== undefined) this.#journeys.set(keyOfBytes(id), { ...journey, certifiedMs });
    }
    this.#say("Certified a message", ids, {});
  };

  onDecided = (round: number): void => {
    this.#rounds.set(round, { decidedMs: this.#modules.nowMs(), executedMs: null });
  };

  onExecuted = (round: number, ids: readonly Uint8Array[]): void => {
    const decidedMs = this.#rounds.get(round)?.decidedMs ?? null;
    this.#rounds.set(round, { decidedMs, executedMs: this.#modules.nowMs() });
    this.#say("Executed a message", ids, { round });
  };

  #say(what: string, ids: readonly Uint8Array[], fields: object): void {
    if (!this.#modules.isVerbose()) return;
    for (const id of ids) this.#modules.log.debug(what, { id: encodeHex(id), ...fields });
  }

  find(id: Uint8Array): Journey | null {
    return this.#journeys.get(keyOfBytes(id)) ?? null;
  }

  timesOf(round: number): RoundTimes {
    return this.#rounds.get(round) ?? { decidedMs: null, executedMs: null };
  }
}
