/**
 * The validator's end of the API's thread: starts it, answers it, tells it of rounds, and starts another one where it
 * dies. Agreement goes on without it, so its end is no reason for the validator's.
 */
import { Worker } from "node:worker_threads";
import { CodedError } from "../../../../node/src/host/codedError.ts";
import type { Clock, Log } from "../../../../node/src/host/types.ts";
import type { ApiEvent } from "../eventHub.ts";
import type { ApiThreadOptions, FromApi, LiveValidator, ToApi } from "./messages.ts";

export type ApiThreadModules = {
  readonly live: LiveValidator;
  readonly clock: Pick<Clock, "after">;
  readonly log: Log;
  /** The thread's program; tests put failing ones here. */
  readonly program?: URL;
};

/** So that a thread that dies at once costs little; a client that asks again has waited as long before. */
const RESTART_MS = 1_000;
/** Of the 2.5 s that all parts of a validator have to end. */
const CLOSE_LIMIT_MS = 1_000;
/**
 * What the thread's objects may take. At 10,240 listeners of some 20 kB each, a map and the names of a hundred thousand
 * hotspots it takes half of that; if it ever takes more, the thread dies of it and not the validator.
 */
const HEAP_LIMIT_MIB = 1_024;

export class ApiThread {
  readonly #modules: ApiThreadModules;
  #options: ApiThreadOptions;
  #worker: Worker | null = null;
  #ended: Promise<void> = Promise.resolve();
  #cancelRestart = (): void => {};
  #isClosing = false;

  constructor(options: ApiThreadOptions, modules: ApiThreadModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** Starts the thread, and resolves once it listens. @throws CodedError "listen_failed" where it cannot. */
  async open(): Promise<void> {
    // A later one must be found where this one was.
    this.#options = { ...this.#options, port: await this.#start() };
    void this.#ended.then(() => this.#replace());
  }

  get port(): number {
    return this.#options.port;
  }

  /**
   * Tells the thread of a round that is committed. What is said while it starts waits for it at its port; where there is
   * none at the moment, its listeners are gone too, and the next one reads the store anew.
   */
  publish(events: readonly ApiEvent[]): void {
    this.#post({ type: "round", events });
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#cancelRestart();
    this.#post({ type: "close" });
    const cancel = this.#modules.clock.after(CLOSE_LIMIT_MS, () => void this.#worker?.terminate());
    await this.#ended;
    cancel();
  }

  #post(message: ToApi): void {
    this.#worker?.postMessage(message);
  }

  /** @returns the port on which the new thread listens. */
  #start(): Promise<number> {
    const { promise, resolve, reject } = Promise.withResolvers<number>();
    const worker = new Worker(this.#modules.program ?? new URL("./apiWorker.ts", import.meta.url), {
      name: "api",
      workerData: this.#options,
      resourceLimits: { maxOldGenerationSizeMb: HEAP_LIMIT_MIB },
    });
    this.#worker = worker;
    let cause: unknown = null;
    const fail = (): void => {
      const { host, port } = this.#options;
      reject(new CodedError("listen_failed", `cannot serve on ${host}:${port}: ${String(cause)}`, cause));
    };
    worker.on("message", (message: FromApi) => {
      if (message.type === "ask") void this.#answer(worker, message);
      else if (message.type === "log") this.#modules.log[message.level](message.message, message.fields);
      else if (message.type === "listening") resolve(message.port);
      else {
        cause = message.error;
        void worker.terminate();
      }
    });
    worker.on("error", (error) => {
      cause = error;
    });
    this.#ended = new Promise((ended) => {
      worker.once("exit", () => {
        this.#worker = null;
        fail();
        if (!this.#isClosing) this.#modules.log.error("The API's thread ended", { error: String(cause) });
        ended();
      });
    });
    return promise;
  }

  async #answer(worker: Worker, { id, question, given }: Extract<FromApi, { type: "ask" }>): Promise<void> {
    const answer = this.#modules.live[question] as (...given: readonly unknown[]) => Promise<unknown>;
    const post = (message: ToApi) => worker.postMessage(message);
    try {
      post({ type: "answer", id, value: await answer(...given) });
    } catch (error) {
      post({ type: "failed", id, error: String(error instanceof Error ? error.stack : error) });
    }
  }

  /** Starts another thread after a pause, until one listens. */
  #replace(): void {
    if (this.#isClosing) return;
    this.#cancelRestart = this.#modules.clock.after(RESTART_MS, () => {
      this.#start().then(
        () => this.#modules.log.warn("The API answers again, from another thread"),
        // Its end has been said, and brings the next one.
        () => undefined,
      );
      void this.#ended.then(() => this.#replace());
    });
  }
}
