/**
 * A validator that leaves and is cut off when the last round of its last seat's epoch is decided, before it has attested to
 * that epoch. It comes back when the others have closed the next one, and cannot begin a round without its word: the
 * epoch's set has one more that says nothing.
 */
import { ROUNDS_PER_EPOCH, type StackScenario, UNSTAKED_IN_ROUND } from "./scenario.ts";

/** A seat that is given up in an epoch ends with the next one. */
const LAST_EPOCH = Math.floor(UNSTAKED_IN_ROUND / ROUNDS_PER_EPOCH) + 1;
const LAST_ROUND = (LAST_EPOCH + 1) * ROUNDS_PER_EPOCH - 1;
const BACK_AFTER_ROUND = LAST_ROUND + ROUNDS_PER_EPOCH;

/** What it looks at of the others. */
type Other = { readonly self: number; readonly executedRound: number };

export class LateLeaver {
  readonly #scenario: Pick<StackScenario, "leaver">;
  /** The honest ones that stay: it comes back when all of them are far enough. */
  readonly #others: () => readonly Other[];
  #state: "here" | "away" | "back" = "here";

  constructor(scenario: Pick<StackScenario, "leaver">, honest: () => readonly Other[]) {
    this.#scenario = scenario;
    this.#others = () => honest().filter(({ self }) => self !== scenario.leaver);
  }

  /** A validator has decided a round. */
  onDecided(round: number): void {
    if (this.#state === "here" && round >= LAST_ROUND) this.#state = "away";
  }

  /** A validator has executed a round. */
  onExecuted(): void {
    if (this.#state === "away" && this.#others().every((each) => each.executedRound >= BACK_AFTER_ROUND))
      this.#state = "back";
  }

  isIsolated(position: number): boolean {
    return this.#state === "away" && position === this.#scenario.leaver;
  }
}
