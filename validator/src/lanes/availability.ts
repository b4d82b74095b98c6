/** The availability certificates that this validator holds: the shell of `availability.ts` in the protocol. */
import type { Cut } from "../../../protocol/src/agreement/cut.ts";
import type { DropReason } from "../../../protocol/src/agreement/drops.ts";
import {
  type AvailabilityState,
  certificateOf,
  createAvailability,
  listNewest,
  stepAvailability,
} from "../../../protocol/src/agreement/lanes/index.ts";
import type { AvailabilityCert, LaneTip } from "../../../protocol/src/agreement/rounds.ts";

export type AvailabilityOptions = AvailabilityState["config"] & {
  /** The last decided cut. */
  readonly cut: Cut;
};
export type AvailabilityModules = {
  readonly onDropped: (message: "availability", reason: DropReason) => void;
};

export class AvailabilityBook {
  #state: AvailabilityState;
  readonly #onDropped: AvailabilityModules["onDropped"];

  constructor({ cut, ...config }: AvailabilityOptions, { onDropped }: AvailabilityModules) {
    this.#state = createAvailability(config, cut);
    this.#onDropped = onDropped;
  }

  /** Takes a certificate, the own ones too. @returns whether it is valid and new. */
  put(cert: AvailabilityCert): boolean {
    const { state, effects } = stepAvailability(this.#state, { type: "certificate", cert });
    this.#state = state;
    for (const effect of effects) if (effect.type === "drop") this.#onDropped("availability", effect.reason);
    return effects.some(({ type }) => type === "available");
  }

  /** The certificate of exactly this batch that a cut of this epoch may take, or null. */
  certificateOf(tip: LaneTip, epoch: number): AvailabilityCert | null {
    return certificateOf(this.#state, tip, epoch);
  }

  /** The newest of each lane that a cut of this epoch may take in. */
  newest(epoch: number): AvailabilityCert[] {
    return listNewest(this.#state, epoch);
  }

  /** A decided cut settles what it holds. @param epoch of the round that comes next. */
  onCut(cut: Cut, epoch: number): void {
    this.#state = stepAvailability(this.#state, { type: "cut", cut, epoch }).state;
  }
}
