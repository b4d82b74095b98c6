/** The last reports of a hotspot and what became of each, for people: submitted, included, judged. In memory only. */
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { Reason } from "../../../protocol/src/evidence/reasons.ts";
import { describeVerdict } from "../../../protocol/src/evidence/reasonWords.ts";
import type { Clock } from "../host/types.ts";
import type { HotspotEmitter, ReportKind } from "./events.ts";
import type { Standing } from "./standing.ts";

export const REPORTS_SHOWN = 50;

/** `refused`: no validator took it; `admitted`: one did; `included`: it is in a round; `judged`: it has a verdict. */
export const REPORT_STATES = ["refused", "admitted", "included", "judged"] as const;
export type ReportState = (typeof REPORT_STATES)[number];

/** A row of the status. */
export type ReportRow = {
  /** The envelope's id in hexadecimal and the report's place in it: what `hexbeacon trace` takes. */
  readonly id: string;
  readonly kind: ReportKind;
  /** Whether the hotspot asks with it whether it is known: a reveal of no beacon. */
  readonly isQuestion: boolean;
  /** When the hotspot first heard of its fate. */
  readonly time: string;
  readonly state: ReportState;
  /** Null while there is none. */
  readonly verdict: Reason | "accepted" | null;
  readonly includedRound: number | null;
  /** The same as a sentence. */
  readonly words: string;
};

/** A stranger's question would get no verdict. */
const KNOWN_WORDS = "Answered: the network knows this hotspot, and no such beacon.";

export type ReportLogModules = {
  readonly clock: Pick<Clock, "nowMs">;
  readonly standing: Pick<Standing, "isQuestion">;
};

export class ReportLog {
  /** By envelope and index; a map keeps the order of insertion, oldest first. */
  readonly #rows = new Map<string, ReportRow>();
  readonly #modules: ReportLogModules;

  constructor(modules: ReportLogModules) {
    this.#modules = modules;
  }

  /** Follows what happens to the hotspot's reports from now on. */
  watch(events: HotspotEmitter): void {
    events.on("submitted", ({ id, kinds, reason }) => {
      for (const [index, kind] of kinds.entries()) {
        if (reason === null) {
          this.#update(id, index, kind, { state: "admitted", words: "A validator has it." });
        } else {
          this.#update(id, index, kind, {
            state: "refused",
            verdict: reason,
            words: describeVerdict(reason),
          });
        }
      }
    });
    events.on("included", ({ id, round, kinds }) => {
      for (const [index, kind] of kinds.entries()) {
        const words = `In round ${round}; its verdict comes when the beacon closes.`;
        this.#update(id, index, kind, { state: "included", includedRound: round, words });
      }
    });
    events.on("verdict", ({ id, index, kind, reason }) => {
      const isAnswer = reason === "unknown_beacon" && this.#modules.standing.isQuestion(id, index);
      const words = isAnswer ? KNOWN_WORDS : describeVerdict(reason);
      this.#update(id, index, kind, { state: "judged", verdict: reason ?? "accepted", words });
    });
  }

  /** The newest first, at most `REPORTS_SHOWN`. */
  rows(): ReportRow[] {
    return [...this.#rows.values()].reverse();
  }

  #update(id: Uint8Array, index: number, kind: ReportKind, change: Partial<ReportRow>): void {
    const key = `${encodeHex(id)}-${index}`;
    const before: ReportRow = this.#rows.get(key) ?? {
      id: key,
      kind,
      isQuestion: this.#modules.standing.isQuestion(id, index),
      time: new Date(this.#modules.clock.nowMs()).toISOString(),
      state: "admitted",
      verdict: null,
      includedRound: null,
      words: "",
    };
    this.#rows.set(key, { ...before, ...change });
    if (this.#rows.size > REPORTS_SHOWN) {
      const [oldest] = this.#rows.keys();
      this.#rows.delete(oldest!);
    }
  }
}
