/** What the person who starts the network has it suffer: validators killed and started again, each at its second. */
import { setTimeout as delay } from "node:timers/promises";
import type { Fault } from "./options.ts";
import type { ValidatorRole } from "./validators.ts";

export class Faults {
  readonly #roles: readonly Pick<ValidatorRole, "isUp" | "start" | "kill">[];
  readonly #say: (line: string) => void;
  #restartsToCome: number;
  #failure: unknown = null;
  /** Resolves when all are done, when the signal says so, or when one has failed. */
  readonly ended: Promise<void>;

  /**
   * Does each fault at its time, until the signal.
   * @param faults in the order of their times. @param say is told of each in one line.
   */
  constructor(
    faults: readonly Fault[],
    roles: readonly Pick<ValidatorRole, "isUp" | "start" | "kill">[],
    signal: AbortSignal,
    say: (line: string) => void,
  ) {
    this.#roles = roles;
    this.#say = say;
    this.#restartsToCome = faults.filter(({ kind }) => kind === "restart").length;
    this.ended = this.#doAll(faults, signal).catch((error: unknown) => {
      this.#failure = error;
    });
  }

  /** Whether a validator that is down may yet be started, or is being started. */
  get hasRestartToCome(): boolean {
    return this.#restartsToCome > 0;
  }

  /** @throws what a restart failed with. */
  rethrow(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  async #doAll(faults: readonly Fault[], signal: AbortSignal): Promise<void> {
    const startedMs = Date.now();
    for (const fault of faults) {
      const waitMs = Math.max(0, startedMs + fault.atSeconds * 1_000 - Date.now());
      await delay(waitMs, undefined, { signal }).catch(() => {});
      if (signal.aborted) return;
      await this.#do(fault);
      if (fault.kind === "restart") this.#restartsToCome--;
    }
  }

  async #do({ kind, validator }: Fault): Promise<void> {
    const role = this.#roles[validator]!;
    if (kind === "kill") {
      this.#say(`killed validator ${validator}`);
      await role.kill();
    } else if (!role.isUp()) {
      await role.start();
      this.#say(`restarted validator ${validator}`);
    }
  }
}
