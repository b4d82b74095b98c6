/**
 * A simulated validator's disk. What was written and not yet synced is kept apart; when the power is cut, each such
 * write is lost, torn or whole. What a validator reads is what a real one would: its own writes at once, and after a
 * crash only what was synced.
 *
 * The votes are the real database, in memory: a crash replays the commits that were durable into a new one.
 */
import { hash } from "node:crypto";
import { CodedError } from "../../../node/src/host/codedError.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { openVotes, type Votes } from "../../../validator/src/rounds/votes.ts";
import type { BatchStore } from "../../../validator/src/store/batchStore.ts";
import type { GenesisViews, RoundCommit, Snapshot, Store } from "../../../validator/src/store/store.ts";
import { createMemoryStore } from "../../store/memoryStore.ts";

/** Methods of the votes that write, each in one commit, are named for it. */
const IS_WRITE = /^(record|prune|forget|adopt|mark|unmark)/;

/** How long votes that nobody syncs lie in the system's memory. */
const UNSYNCED_MS = 500;

type Call = { readonly method: keyof Votes; readonly args: readonly unknown[] };
type Write = { readonly apply: () => void };
/** What a file holds, and whether that is what its name says: judged once, as bytes on a disk do not change. */
type Body = { readonly bytes: Uint8Array; readonly isWhole: boolean };

/** What a home holds, synced, at some moment. */
export type DiskCopy = {
  readonly calls: readonly Call[];
  readonly commits: readonly (readonly [readonly RoundCommit[], Snapshot | undefined])[];
  readonly bodies: ReadonlyMap<string, Body>;
};

/** A mistake about disks, to be caught. */
export type DiskMistake = "votesUnsynced" | "batchesUnsynced" | null;

export type DiskOptions = {
  readonly binding: { readonly network: Uint8Array; readonly validator: Uint8Array };
  readonly genesis: GenesisViews;
  readonly mistake: DiskMistake;
};
export type DiskWorld = {
  readonly below: (choices: number) => number;
  /** How long the next write takes, in virtual milliseconds. */
  readonly syncMs: () => number;
  readonly after: (delayMs: number, callback: () => void) => void;
  /** Whether the power goes in the middle of this write; asked once a write. */
  readonly cutsPower: (method: keyof Votes) => boolean;
  /** The power goes, now. */
  readonly onPowerCut: () => void;
  /** Told of every commit of the votes. */
  readonly onVotes: (method: keyof Votes, args: readonly unknown[]) => void;
};

export class Disk {
  readonly #options: DiskOptions;
  readonly #world: DiskWorld;
  #calls: Call[] = [];
  /** How many of the calls are durable. */
  #synced = 0;
  /** Databases of all lives; what a life that is over still reads, it reads in its own. */
  readonly #opened: Votes[] = [];
  #store: Store;
  #commits: [readonly RoundCommit[], Snapshot | undefined][] = [];
  readonly #bodies = new Map<string, Body>();
  readonly #unsynced = new Set<Write>();
  /** Rises when the power is cut: what an earlier life still tries is nothing. */
  #life = 0;

  constructor(options: DiskOptions, world: DiskWorld) {
    this.#options = options;
    this.#world = world;
    this.#store = createMemoryStore(options.genesis);
  }

  /** Whether the body is there and whole, and would be after a power cut. */
  holds(digest: Uint8Array): boolean {
    return this.#bodies.get(encodeHex(digest))?.isWhole === true;
  }

  /** The body as it would be after a power cut, or null where it is not there whole. */
  read(digest: Uint8Array): Uint8Array | null {
    const body = this.#bodies.get(encodeHex(digest));
    return body?.isWhole === true ? body.bytes : null;
  }

  /** Cuts the power. */
  crash(): void {
    this.#life++;
    for (const write of this.#unsynced) if (this.#world.below(2) === 0) write.apply();
    this.#unsynced.clear();
    this.#calls = this.#calls.slice(
      0,
      this.#synced + this.#world.below(this.#calls.length - this.#synced + 1),
    );
  }

  copy(): DiskCopy {
    return {
      calls: this.#calls.slice(0, this.#synced),
      commits: [...this.#commits],
      bodies: new Map(this.#bodies),
    };
  }

  /** Puts a copy in the place of what is here, its votes marked as restored; with null nothing is left. Not while it is open. */
  restore(copy: DiskCopy | null): void {
    this.#calls = copy === null ? [] : [...copy.calls, { method: "markRestored", args: [] }];
    this.#synced = this.#calls.length;
    this.#commits = copy === null ? [] : copy.commits.map(([commits, snapshot]) => [commits, snapshot]);
    this.#bodies.clear();
    for (const [name, body] of copy?.bodies ?? []) this.#bodies.set(name, body);
  }

  /** Nothing uses it any more. */
  close(): void {
    for (const votes of this.#opened) votes.close();
  }

  /** What a validator opens at its start. */
  async open(): Promise<{ votes: Votes; store: Store; batches: BatchStore }> {
    const life = this.#life;
    this.#synced = this.#calls.length;
    const votes = openVotes(":memory:", this.#options.binding);
    for (const { method, args } of this.#calls) invoke(votes, method, args);
    this.#opened.push(votes);
    this.#store = createMemoryStore(this.#options.genesis);
    for (const [commits, snapshot] of this.#commits) await this.#store.commitRounds(commits, snapshot);
    return {
      votes: this.#wrapVotes(votes, life),
      store: this.#wrapStore(life),
      batches: this.#openBatches(life),
    };
  }

  /**
   * Every write is one commit: made and durable when it returns, or neither, or made and never told of. Whoever is told
   * "recorded" when the power is gone is dead, and nothing that it does has any effect.
   */
  #wrapVotes(votes: Votes, life: number): Votes {
    const wrapped: Record<string, unknown> = { ...votes };
    for (const method of Object.keys(votes) as (keyof Votes)[]) {
      if (IS_WRITE.test(method))
        wrapped[method] = (...args: unknown[]) => this.#write(votes, life, { method, args });
    }
    return wrapped as Votes;
  }

  #write(votes: Votes, life: number, call: Call): unknown {
    if (life !== this.#life) return "recorded";
    const { method, args } = call;
    const isCut = this.#world.cutsPower(method);
    if (isCut && this.#world.below(2) === 0) {
      this.#world.onPowerCut();
      return "recorded";
    }
    const result = invoke(votes, method, args);
    this.#calls.push(call);
    const count = this.#calls.length;
    if (this.#options.mistake !== "votesUnsynced") this.#synced = count;
    else {
      this.#world.after(UNSYNCED_MS, () => {
        if (life === this.#life) this.#synced = Math.max(this.#synced, count);
      });
    }
    this.#world.onVotes(method, args);
    if (isCut) this.#world.onPowerCut();
    return result;
  }

  #wrapStore(life: number): Store {
    const store = this.#store;
    return {
      ...store,
      commitRounds: async (commits, snapshot) => {
        await this.#sync(life, () => this.#commits.push([commits, snapshot]));
        return await store.commitRounds(commits, snapshot);
      },
    };
  }

  #openBatches(life: number): BatchStore {
    return {
      putBatch: async (digest, bytes) => {
        const name = encodeHex(digest);
        if (hash("sha256", bytes, "hex") !== name)
          throw new Error("a batch was offered under another digest");
        if (this.holds(digest)) return;
        const synced = this.#sync(life, () => this.#bodies.set(name, this.#maybeTorn(life, bytes)));
        if (this.#options.mistake !== "batchesUnsynced") await synced;
      },
      getBatch: async (digest) => {
        if (life !== this.#life) return await new Promise<never>(() => {});
        const name = encodeHex(digest);
        const body = this.#bodies.get(name);
        if (body === undefined || body.isWhole) return body?.bytes ?? null;
        throw new CodedError("file_corrupt", `the batch ${name} is damaged on the disk`);
      },
      deleteBatches: async (digests) => {
        for (const digest of digests) this.#bodies.delete(encodeHex(digest));
      },
    };
  }

  /** Resolves once the write is durable; after a power cut never. */
  #sync(life: number, apply: () => void): Promise<void> {
    return new Promise((resolve) => {
      if (life !== this.#life) return;
      const write = { apply };
      this.#unsynced.add(write);
      this.#world.after(this.#world.syncMs(), () => {
        if (life !== this.#life) return;
        this.#unsynced.delete(write);
        apply();
        resolve();
      });
    });
  }

  /** A write that a power cut lets through may be there in part. */
  #maybeTorn(life: number, bytes: Uint8Array): Body {
    const isTorn = life !== this.#life && this.#world.below(2) === 0;
    if (!isTorn) return { bytes, isWhole: true };
    const length = this.#world.below(bytes.length);
    return { bytes: bytes.subarray(0, length), isWhole: false };
  }
}

function invoke(votes: Votes, method: keyof Votes, args: readonly unknown[]): unknown {
  return (votes[method] as (...given: unknown[]) => unknown)(...args);
}
