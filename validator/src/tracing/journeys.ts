/**
 * When the messages of late passed through this validator: admitted, certified, decided, executed, by its own clock. In
 * memory, for those who follow one message on its way and for the debug log; what a message came to is in the store.
 */
import type { Log } from "../../../node/src/host/types.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { keyOfBytes } from "../bytesKey.ts";
import type { IntakeKind } from "../intake/inbox.ts";

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

/** Some minutes at a thousand messages a second; each takes some 250 bytes. */
const MAX_JOURNEYS = 65_536;
/** As many epochs of mainnet as message ids are remembered for. */
const MAX_ROUNDS = 3 * 720;

export type JourneysModules = {
  readonly nowMs: () => number;
  readonly log: Log;
  /** Whether debug lines are written: each message costs one at each step, and none is left out. */
  readonly isVerbose: () => boolean;
};

export class Journeys {
  readonly #modules: JourneysModules;
  /** By id, the oldest first. */
  readonly #journeys = new Map<string, Journey>();
  readonly #rounds = new Map<number, RoundTimes>();

  constructor(modules: JourneysModules) {
    this.#modules = modules;
  }

  onAdmitted = (id: Uint8Array, way: IntakeKind, receivedMs: number): void => {
    const journey = { way, receivedMs, admittedMs: this.#modules.nowMs(), certifiedMs: null };
    keep(this.#journeys, keyOfBytes(id), journey, MAX_JOURNEYS);
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
    keep(this.#rounds, round, { decidedMs: this.#modules.nowMs(), executedMs: null }, MAX_ROUNDS);
  };

  onExecuted = (round: number, ids: readonly Uint8Array[]): void => {
    const decidedMs = this.#rounds.get(round)?.decidedMs ?? null;
    keep(this.#rounds, round, { decidedMs, executedMs: this.#modules.nowMs() }, MAX_ROUNDS);
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

/** Puts an entry in, and the oldest out where there is no room. */
function keep<Key, Value>(map: Map<Key, Value>, key: Key, value: Value, most: number): void {
  map.set(key, value);
  if (map.size <= most) return;
  const [oldest] = map.keys();
  map.delete(oldest!);
}
