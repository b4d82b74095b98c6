/**
 * Batches by their digest: from the own disk or, where they are missing, from the other validators, one asked after the
 * other. What a decided cut names lies with f + 1 honest validators at least, so asking on ends.
 */
import { hash } from "node:crypto";
import { CodedError, isCodedError } from "../../../node/src/host/codedError.ts";
import type { Clock, Log } from "../../../node/src/host/types.ts";
import type { ValidatorSets } from "../../../protocol/src/agreement/certificates.ts";
import { listHolders, orderAsked } from "../../../protocol/src/agreement/lanes/index.ts";
import { type AvailabilityCert, decodeBatch } from "../../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { askInTurn } from "../mesh/askInTurn.ts";
import type { Mesh, PeerName } from "../mesh/mesh.ts";
import type { BatchStore } from "../store/batchStore.ts";

/** Fetched ahead at once: at most 2 MiB on its way, which hides a round trip behind the execution before. */
const AHEAD_AT_ONCE = 8;
/** Named to be fetched ahead: what a catching-up validator's backlog of rounds names in a few lanes. */
const MAX_AHEAD = 1_024;
const BACKOFF_MIN_MS = 100;
const BACKOFF_MAX_MS = 5_000;
/** After so many tries, some eleven seconds, the pause is at its longest, and whoever is connected was asked each time. */
const TRIES_UNTIL_MISSING = 8;

/**
 * Batches of a lane that a cut takes in: from this one back to the first above a number. `cert`: of the newest, whose
 * signers hold all of them.
 */
export type Missing = {
  readonly digest: Uint8Array;
  readonly aboveSeq: number;
  readonly cert: AvailabilityCert;
};

export type BatchFetcherModules = {
  readonly mesh: Pick<Mesh, "fetch" | "connected">;
  readonly sets: ValidatorSets;
  readonly batches: Pick<BatchStore, "getBatch" | "putBatch">;
  readonly clock: Clock;
  readonly log: Log;
};

export class BatchFetcher {
  readonly #modules: BatchFetcherModules;
  /** What will be asked for soon, in order, and what is on its way. */
  readonly #ahead: Missing[] = [];
  readonly #onTheWay = new Map<string, Promise<void>>();
  readonly #stopped = Promise.withResolvers<never>();
  /** What is needed, and nobody who was asked has. */
  readonly #missing = new Set<string>();
  /** Whose turn it is to be asked first. */
  #turn = 0;
  #isStopped = false;

  constructor(modules: BatchFetcherModules) {
    this.#modules = modules;
    this.#stopped.promise.catch(() => {});
  }

  /** One try: the body from disk or from one of the validators that are connected, `first` before all; else null. */
  async find(digest: Uint8Array, first: PeerName | null = null): Promise<Uint8Array | null> {
    return (await this.#read(digest)) ?? (await this.#ask(digest, { first }));
  }

  /**
   * The body of a batch that a decided cut names, or that a validator shows as this one's word, durable here: asks until
   * somebody gives it.
   * @param cert of the batch, or of a later one of its lane in the same cut: its signers are asked first.
   * @throws CodedError "stopped" when the fetcher is stopped before.
   */
  getBatch = async (digest: Uint8Array, cert: AvailabilityCert | null = null): Promise<Uint8Array> => {
    const name = encodeHex(digest);
    await this.#onTheWay.get(name);
    for (
      let delayMs = BACKOFF_MIN_MS, tries = 1;
      ;
      delayMs = Math.min(delayMs * 2, BACKOFF_MAX_MS), tries++
    ) {
      if (this.#isStopped) throw new CodedError("stopped", "fetching was stopped");
      const held = await this.#read(digest);
      const found = held ?? (await Promise.race([this.#ask(digest, { cert }), this.#stopped.promise]));
      if (found !== null) this.#missing.delete(name);
      if (held !== null) return held;
      if (found !== null) {
        // What execution takes must be there for a replay.
        await this.#modules.batches.putBatch(digest, found);
        return found;
      }
      if (tries === TRIES_UNTIL_MISSING) this.#onMissing(name);
      await Promise.race([this.#wait(delayMs), this.#stopped.promise]);
    }
  };

  /** Batches that execution, or the own lane behind a lost home, waits for, and that nobody who can be asked has. */
  countMissing(): number {
    return this.#missing.size;
  }

  #onMissing(name: string): void {
    this.#missing.add(name);
    const asked = this.#modules.mesh.connected().length;
    this.#modules.log.error("No validator gives a batch that is needed", { digest: name, asked });
  }

  /** Begins to fetch what decided rounds name, before their turn of execution comes. */
  prefetch(missing: readonly Missing[]): void {
    this.#ahead.push(...missing.slice(0, Math.max(0, MAX_AHEAD - this.#ahead.length)));
    this.#fetchAhead();
  }

  #fetchAhead(): void {
    while (!this.#isStopped && this.#onTheWay.size < AHEAD_AT_ONCE) {
      const missing = this.#ahead.shift();
      if (missing === undefined) return;
      const name = encodeHex(missing.digest);
      if (this.#onTheWay.has(name)) continue;
      const fetched = this.#fetchOnce(missing).finally(() => {
        this.#onTheWay.delete(name);
        this.#fetchAhead();
      });
      this.#onTheWay.set(name, fetched);
    }
  }

  /** Fetches a batch and names the one before it. A failure costs nothing: whoever needs the batch asks again. */
  async #fetchOnce({ digest, aboveSeq, cert }: Missing): Promise<void> {
    try {
      const held = await this.#read(digest);
      const body = held ?? (await this.#ask(digest, { cert }));
      if (body === null || this.#isStopped) return;
      if (held === null) await this.#modules.batches.putBatch(digest, body);
      const batch = decodeBatch(body);
      // Before all else: the round that needs it comes before those of the others.
      if (batch !== null && batch.seq - 1 > aboveSeq)
        this.#ahead.unshift({ digest: batch.prev, aboveSeq, cert });
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

  async #ask(
    digest: Uint8Array,
    {
      first = null,
      cert = null,
    }: { readonly first?: PeerName | null; readonly cert?: AvailabilityCert | null },
  ): Promise<Uint8Array | null> {
    const { mesh, sets, clock } = this.#modules;
    const holders = new Set(cert === null ? [] : listHolders(cert, sets).map(encodeHex));
    const names = orderAsked(mesh.connected(), { first, holders, turn: this.#turn++ });
    const ask = (name: PeerName) => this.#askOne(name, digest);
    return await askInTurn(names, ask, { clock, isStopped: () => this.#isStopped });
  }

  async #askOne(name: PeerName, digest: Uint8Array): Promise<Uint8Array | null> {
    const body = await this.#modules.mesh.fetch(name, { type: "batch", digest });
    return body !== null && equalBytes(hash("sha256", body, "buffer"), digest) ? body : null;
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => void this.#modules.clock.after(delayMs, resolve));
  }
}
