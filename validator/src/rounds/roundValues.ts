/**
 * The values that were proposed in a round: their encodings by their digests' names, and whether they are valid once
 * somebody asked. What is missing is fetched from the others; what one validator may have kept is bounded.
 */
import { hash } from "node:crypto";
import type { Clock, Log } from "../../../node/src/host/types.ts";
import { orderAsked } from "../../../protocol/src/agreement/lanes/index.ts";
import { decodeValue, MAX_VALUE_BYTES, type Value } from "../../../protocol/src/agreement/rounds.ts";
import { checkValue, type ValueContext } from "../../../protocol/src/agreement/valueRules.ts";
import { decodeHex } from "../../../protocol/src/bytes/hex.ts";
import { askInTurn } from "../mesh/askInTurn.ts";
import type { Mesh, PeerName } from "../mesh/mesh.ts";

/** Values that one validator may have this one keep in a round; an honest leader makes one. */
const VALUES_PER_VALIDATOR = 4;
/** And so many bytes of all of them together; a value that is too many is fetched once a proposal with it is accepted. */
const MAX_KEPT_BYTES = 16 * MAX_VALUE_BYTES;

export type RoundValuesModules = {
  readonly mesh: Pick<Mesh, "connected" | "fetch">;
  readonly clock: Pick<Clock, "after">;
  readonly log: Log;
};

export class RoundValues {
  readonly #context: ValueContext;
  readonly #modules: RoundValuesModules;
  readonly #encodings = new Map<string, Uint8Array>();
  /** Decoded once, to be judged and again when it is decided. */
  readonly #decoded = new Map<string, Value | null>();
  readonly #verdicts = new Map<string, boolean>();
  /** How many are kept that came with a validator's proposal, by its position. */
  readonly #keptOf = new Map<number, number>();
  #keptBytes = 0;
  /** By name, what is being asked for. */
  readonly #fetching = new Map<string, Promise<boolean>>();
  /** Whose turn it is to be asked first. */
  #turn: number;
  #isStopped = false;

  constructor(context: ValueContext, modules: RoundValuesModules) {
    this.#context = context;
    this.#modules = modules;
    this.#turn = context.round;
  }

  /** By name. */
  get encodings(): ReadonlyMap<string, Uint8Array> {
    return this.#encodings;
  }

  /** Takes a value whose name is known to be its digest. */
  put(name: string, bytes: Uint8Array): void {
    this.#encodings.set(name, bytes);
  }

  /** The own value, which was judged when it was built. */
  putValid(name: string, bytes: Uint8Array): void {
    this.put(name, bytes);
    this.#verdicts.set(name, true);
  }

  /** Keeps what came with a validator's proposal, if it is what it is called and not one too many. */
  keep(from: number, name: string, bytes: Uint8Array): void {
    const kept = this.#keptOf.get(from) ?? 0;
    if (this.#encodings.has(name) || kept >= VALUES_PER_VALIDATOR) return;
    if (this.#keptBytes + bytes.length > MAX_KEPT_BYTES || hash("sha256", bytes, "hex") !== name) return;
    this.#keptOf.set(from, kept + 1);
    this.#keptBytes += bytes.length;
    this.put(name, bytes);
  }

  /** What a value says; null where it is none, or not here. */
  decode(name: string): Value | null {
    const bytes = this.#encodings.get(name);
    if (bytes === undefined) return null;
    const value = this.#decoded.get(name) ?? decodeValue(bytes);
    this.#decoded.set(name, value);
    return value;
  }

  /** Whether a value is valid; null where it is not here. */
  judge(name: string): boolean | null {
    if (!this.#encodings.has(name)) return null;
    let valid = this.#verdicts.get(name);
    if (valid === undefined) {
      const value = this.decode(name);
      const rule = value === null ? "malformed" : checkValue(value, this.#context);
      if (rule !== null)
        this.#modules.log.warn("A proposed value breaks a rule", { rule, round: this.#context.round });
      valid = rule === null;
      this.#verdicts.set(name, valid);
    }
    return valid;
  }

  /**
   * Asks those that are connected for a value, first its holders, each time another one of them; the core asks again at a
   * standstill.
   * @param holders who said that they have it. @returns whether it is here.
   */
  fetch(name: string, holders: readonly PeerName[] = []): Promise<boolean> {
    const underWay =
      this.#fetching.get(name) ?? this.#fetch(name, holders).finally(() => this.#fetching.delete(name));
    this.#fetching.set(name, underWay);
    return underWay;
  }

  async #fetch(name: string, holders: readonly PeerName[]): Promise<boolean> {
    const { mesh, clock } = this.#modules;
    const digest = decodeHex(name, 32);
    if (digest === null) return false;
    const ask = async (peer: PeerName) => {
      const bytes = await mesh.fetch(peer, { type: "value", digest });
      return bytes !== null && hash("sha256", bytes, "hex") === name ? bytes : null;
    };
    const order = { first: null, holders: new Set(holders), turn: this.#turn++ };
    const names = orderAsked(mesh.connected(), order);
    const isStopped = () => this.#isStopped || this.#encodings.has(name);
    const found = await askInTurn(names, ask, { clock, isStopped });
    if (found !== null) this.put(name, found);
    return this.#encodings.has(name);
  }

  /** Nothing more is asked for. */
  stop(): void {
    this.#isStopped = true;
  }
}
