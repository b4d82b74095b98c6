/**
 * Batches by their digest: from the own disk or, where they are missing, from the other validators, a few asked at a
 * time. What a decided cut names lies with f + 1 honest validators at least, so asking on ends.
 */
import { hash } from "node:crypto";
import { CodedError, isCodedError } from "../../../node/src/host/codedError.ts";
import type { Clock } from "../../../node/src/host/types.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { Mesh, PeerName } from "../mesh/mesh.ts";
import type { BatchStore } from "../store/batchStore.ts";

/** Asked at the same time (specification A4): one slow validator costs nothing, and the body comes thrice at worst. */
const ASKED_AT_ONCE = 3;
/** Fetched ahead at once: at most 2 MiB on its way, which hides a round trip behind the execution before. */
const AHEAD_AT_ONCE = 8;
/** Named to be fetched ahead: what a catching-up validator's backlog of rounds names in a few lanes. */
const MAX_AHEAD = 1_024;
const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 5_000;

export type BatchFetcherModules = {
  readonly mesh: Pick<Mesh, "fetch" | "connected">;
  readonly batches: Pick<BatchStore, "getBatch" | "putBatch">;
  readonly clock: Clock;
};

export class BatchFetcher {
  readonly #modules: BatchFetcherModules;
  /** What will be asked for soon, in order, and what is on its way. */
  readonly #ahead: Uint8Array[] = [];
  readonly #onTheWay = new Map<string, Promise<void>>();
  readonly #stopped = Promise.withResolvers<never>();
  #isStopped = false;

  constructor(modules: BatchFetcherModules) {
    this.#modules = modules;
    this.#stopped.promise.catch(() => {});
  }

  /** One try: the body from disk or from one of the validators that are connected, `first` before all; else null. */
  async find(digest: Uint8Array, first: PeerName | null = null): Promise<Uint8Array | null> {
    const held = await this.#read(digest);
    if (held !== null) return held;
    const { mesh } = this.#modules;
    const others = mesh.connected().filter((name) => name !== first);
    const asked = first === null ? others : [first, ...others];
    for (let next = 0; next < asked.length; next += ASKED_AT_ONCE) {
      const body = await this.#askAny(asked.slice(next, next + ASKED_AT_ONCE), digest);
      if (body !== null) return body;
    }
    return null;
  }

  /**
   * The body of a batch that a decided cut names, durable here: asks until somebody gives it.
   * @throws CodedError "stopped" when the fetcher is stopped before.
   */
  getBatch = async (digest: Uint8Array): Promise<Uint8Array> => {
    await this.#onTheWay.get(encodeHex(digest));
    const held = await this.#read(digest);
    if (held !== null) return held;
    for (let delayMs = BACKOFF_MIN_MS; ; delayMs = Math.min(delayMs * 2, BACKOFF_MAX_MS)) {
      if (this.#isStopped) throw new CodedError("stopped", "fetching was stopped");
      const found = await Promise.race([this.find(digest), this.#stopped.promise]);
      if (found !== null) {
        // What execution takes must be there for a replay.
        await this.#modules.batches.putBatch(digest, found);
        return found;
      }
      await Promise.race([this.#wait(delayMs), this.#stopped.promise]);
    }
  };

  /** Begins to fetch what decided rounds name, before their turn of execution comes. */
  prefetch(digests: readonly Uint8Array[]): void {
    this.#ahead.push(...digests.slice(0, MAX_AHEAD - this.#ahead.length));
    this.#fetchAhead();
  }

  #fetchAhead(): void {
    while (!this.#isStopped && this.#onTheWay.size < AHEAD_AT_ONCE) {
      const digest = this.#ahead.shift();
      if (digest === undefined) return;
      const name = encodeHex(digest);
      if (this.#onTheWay.has(name)) continue;
      const fetched = this.#fetchOnce(digest).finally(() => {
        this.#onTheWay.delete(name);
        this.#fetchAhead();
      });
      this.#onTheWay.set(name, fetched);
    }
  }

  /** A failure costs nothing: whoever needs the batch asks again. */
  async #fetchOnce(digest: Uint8Array): Promise<void> {
    try {
      if ((await this.#read(digest)) !== null) return;
      const found = await this.find(digest);
      if (found !== null && !this.#isStopped) await this.#modules.batches.putBatch(digest, found);
    } catch {
      // Left to `getBatch`, which says what is wrong.
    }
  }

  stop(): void {
    this.#isStopped = true;
    this.#stopped.reject(new CodedError("stopped", "fetching was stopped"));
  }

  async #read(digest: Uint8Array): Promise<Uint8Array | null> {
    try {
      return await this.#modules.batches.getBatch(digest);
    } catch (error) {
      // A damaged body is as good as none: another validator has it whole.
      if (isCodedError(error, "file_corrupt")) return null;
      throw error;
    }
  }

  async #askAny(names: readonly PeerName[], digest: Uint8Array): Promise<Uint8Array | null> {
    const answers = names.map(async (name) => {
      const body = await this.#modules.mesh.fetch(name, { type: "batch", digest });
      if (body === null || !equalBytes(hash("sha256", body, "buffer"), digest)) throw new Error("not there");
      return body;
    });
    return await Promise.any(answers).catch(() => null);
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.#modules.clock.after(delayMs, resolve);
    });
  }
}
