/**
 * Parts of a program, started in order and stopped in reverse, under one abort signal. The first failure wins: it stops
 * everything and is what the program ends with.
 */
import { CodedError } from "./codedError.ts";
import type { Log } from "./types.ts";

/** One part. `start` may use the signal for what it runs in the background; `stop` is called only after a start. */
export type Part = {
  readonly name: string;
  readonly start: (signal: AbortSignal) => Promise<void>;
  readonly stop: () => Promise<void>;
};

export type Lifecycle = {
  /** Aborted as soon as stopping begins. */
  readonly signal: AbortSignal;
  /** Starts all parts in order. Where one fails, those before it are stopped and its error is thrown. */
  readonly start: () => Promise<void>;
  /** Stops all started parts in reverse; safe to call more than once. Failures to stop are logged. */
  readonly stop: () => Promise<void>;
  /** Reports a failure of something that runs in the background: the first one stops the program. */
  readonly fail: (error: unknown) => void;
  /** Settles when all has stopped: with null, or with the failure that was the reason. */
  readonly stopped: Promise<unknown>;
};

/** A part that does not stop by itself within this is left behind; the process has 5 s in all. */
const PART_STOP_TIMEOUT_MS = 2_500;
/** From the first signal to the end of the process; a second of the five is for a machine under load. */
const EXIT_DEADLINE_MS = 4_000;

/** Creates the lifecycle of a program; nothing is started yet. */
export function createLifecycle(parts: readonly Part[], modules: { readonly log: Log }): Lifecycle {
  const controller = new AbortController();
  const started: Part[] = [];
  const { promise: stopped, resolve } = Promise.withResolvers<unknown>();
  let failure: unknown = null;
  let stopping: Promise<void> | null = null;

  const stopAll = async (): Promise<void> => {
    controller.abort(new CodedError("stopped", "the program is stopping"));
    while (started.length > 0) {
      const part = started.pop()!;
      try {
        await withDeadline(part.stop(), PART_STOP_TIMEOUT_MS);
      } catch (error) {
        modules.log.warn("Could not stop a part", { part: part.name, error: String(error) });
      }
    }
    resolve(failure);
  };
  const stop = (): Promise<void> => {
    stopping ??= stopAll();
    return stopping;
  };
  const fail = (error: unknown): void => {
    if (stopping !== null) return;
    failure = error;
    void stop();
  };
  const start = async (): Promise<void> => {
    for (const part of parts) {
      if (controller.signal.aborted) break;
      try {
        await part.start(controller.signal);
        started.push(part);
      } catch (error) {
        fail(error);
        break;
      }
    }
    if (stopping === null) return;
    // What started while stopping had begun is stopped too.
    await stopping;
    await stopAll();
    throw failure ?? new CodedError("stopped", "stopped while starting");
  };
  return { signal: controller.signal, start, stop, fail, stopped };
}

/**
 * Stops a program on SIGINT and SIGTERM; a second signal, or a stop that takes too long, ends the process at once.
 * @returns what takes the handlers off again.
 */
export function stopOnSignals(
  program: { readonly stop: () => Promise<void> },
  modules: { readonly log: Log },
): () => void {
  let signalled = false;
  let deadline: NodeJS.Timeout | null = null;
  const onSignal = (name: NodeJS.Signals): void => {
    if (signalled) process.exit(1);
    signalled = true;
    modules.log.info("Stop", { signal: name });
    deadline = setTimeout(() => process.exit(1), EXIT_DEADLINE_MS);
    deadline.unref();
    void program.stop();
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
  return () => {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
    if (deadline !== null) clearTimeout(deadline);
  };
}

async function withDeadline(work: Promise<void>, timeoutMs: number): Promise<void> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`not stopped within ${timeoutMs} ms`)), timeoutMs);
  try {
    await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
