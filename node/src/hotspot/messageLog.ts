/** What happened to each of a hotspot's last envelopes, step by step, for those who follow one. In memory only. */
import { encodeHex, encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import type { Clock, Log } from "../host/types.ts";
import type { HotspotEmitter } from "./events.ts";

/** `spooled`: on the disk; `receipted`: a validator answered for it; `included`: in a round; `judged`: one report's verdict. */
export type MessageStep = {
  readonly step: "spooled" | "receipted" | "included" | "judged";
  readonly time: string;
  /** Who gave the receipt, and the newest round that it named. */
  readonly validator?: string;
  readonly round?: number;
  /** Of `judged`: which report of the envelope, and of what kind. */
  readonly index?: number;
  readonly kind?: string;
  /** Null for taken or accepted. */
  readonly reason?: string | null;
};
export type MessageWay = { readonly id: string; readonly steps: readonly MessageStep[] };

/** A lone hotspot's week; some kilobytes each for the busiest. */
const MAX_MESSAGES = 256;
/** Two receipts, sixteen verdicts, and what was said again. */
const MAX_STEPS = 48;

export class MessageLog {
  readonly #modules: { readonly clock: Pick<Clock, "nowMs">; readonly log: Log };
  /** By id in hexadecimal, the oldest first. */
  readonly #ways = new Map<string, MessageStep[]>();

  constructor(modules: { readonly clock: Pick<Clock, "nowMs">; readonly log: Log }) {
    this.#modules = modules;
  }

  /** Follows what happens to the hotspot's envelopes from now on. */
  watch(events: HotspotEmitter): void {
    events.on("spooled", ({ id }) => this.#add(id, "spooled", {}));
    events.on("receipted", ({ id, validator, round, reason }) =>
      this.#add(id, "receipted", { validator: encodeDidKey(validator), round, reason }),
    );
    events.on("included", ({ id, round }) => this.#add(id, "included", { round }));
    events.on("verdict", ({ id, index, kind, reason }) => this.#add(id, "judged", { index, kind, reason }));
  }

  /** The way of an envelope (32 bytes); null where it is unknown, or long ago. */
  find(id: Uint8Array): MessageWay | null {
    const steps = this.#ways.get(encodeHex(id));
    return steps === undefined ? null : { id: encodeHex0x(id), steps };
  }

  #add(id: Uint8Array, step: MessageStep["step"], more: Omit<MessageStep, "step" | "time">): void {
    const name = encodeHex(id);
    const steps = this.#ways.get(name) ?? [];
    steps.push({ step, time: new Date(this.#modules.clock.nowMs()).toISOString(), ...more });
    this.#ways.set(name, steps.slice(-MAX_STEPS));
    const [oldest] = this.#ways.keys();
    if (this.#ways.size > MAX_MESSAGES) this.#ways.delete(oldest!);
    this.#modules.log.debug("Followed a message", { id: name, step, ...more });
  }
}
