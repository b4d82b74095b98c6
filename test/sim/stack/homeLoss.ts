/**
 * A validator that loses its home: it comes back with an older copy, marked as one, or with nothing at all. While it goes,
 * another honest one has been cut off for some rounds, so that among those who are asked afterwards a single one knows
 * where the lost one was. The bad one lies about where it is, or has two batches acknowledged under one number.
 */
import type { DiskCopy } from "./disk.ts";
import type { Member } from "./member.ts";
import type { HomeLossScenario } from "./scenario.ts";
import type { VirtualTime } from "./virtualTime.ts";
import type { StackWatch } from "./watch.ts";

/** The bystander is cut off for so many rounds before the loss: then it answers before it has caught up. */
const ISOLATED_ROUNDS = 4;
/** A copy is back at once. An empty home comes when the round that it was lost in is over, as nobody could tell it of that. */
const COPY_DOWN_MS = 2;
const EMPTY_DOWN_MS = 1_500;
/** By then what the lost one said before is with the others, on their disks: own batches on their way are nobody's to show. */
const ARRIVED_DOWN_MS = 150;

export class HomeLoss {
  readonly #scenario: HomeLossScenario;
  readonly #time: VirtualTime;
  readonly #watch: Pick<StackWatch, "onLost">;
  #copy: DiskCopy | null = null;
  #isIsolating = false;
  /** The one that lost its home, once it has. */
  #lost: Member | null = null;

  constructor(scenario: HomeLossScenario, time: VirtualTime, watch: Pick<StackWatch, "onLost">) {
    this.#scenario = scenario;
    this.#time = time;
    this.#watch = watch;
  }

  /** A validator executed a round. */
  onExecuted(member: Member, round: number): void {
    const { validator, copiedAfterRound, lostAfterRound } = this.#scenario;
    if (member.self !== validator || this.#lost !== null) return;
    if (copiedAfterRound !== null && round >= copiedAfterRound) this.#copy ??= member.disk.copy();
    // A newcomer's first signature may need them all.
    const isSigning = member.core?.guard.describe() === null;
    if (round >= lostAfterRound - ISOLATED_ROUNDS && isSigning) this.#isIsolating = true;
    if (round < lostAfterRound || !this.#isIsolating) return;
    this.#lost = member;
    this.#time.after(0, () => {
      member.crash();
      member.disk.restore(this.#copy);
      this.#watch.onLost(member.self);
      this.#isIsolating = false;
    });
  }

  /** How long the validator is down after its loss. */
  get downMs(): number {
    if (this.#copy === null) return EMPTY_DOWN_MS;
    return this.#scenario.bystander === null ? ARRIVED_DOWN_MS : COPY_DOWN_MS;
  }

  isLost({ self }: Pick<Member, "self">): boolean {
    return this.#lost?.self === self;
  }

  isIsolated(position: number): boolean {
    return this.#isIsolating && position === this.#scenario.bystander;
  }

  /** Whether the loss has come, and who lost its home signs again. */
  isOver(): boolean {
    return this.#lost?.core != null && this.#lost.core.guard.describe() === null;
  }
}
