/**
 * Snapshots for those who join: their manifests and pieces, of the epochs whose snapshots the store keeps. The one that was
 * asked for last stays in memory, since whoever begins to fetch it asks for all of it. Anybody may ask, and a snapshot
 * is up to 1 GiB to read and to hash; so it is read once for all who ask, and another one only now and then.
 */
import { createHash } from "node:crypto";
import {
  createStateManifest,
  encodeStateManifest,
  sliceState,
} from "../../../protocol/src/ledger/stateManifest.ts";
import { TokenBuckets } from "../intake/buckets.ts";
import type { RoundStore } from "../store/store.ts";

/** A snapshot that nobody asks about for this long makes room: fetching one is a few answers a second. */
const KEPT_MS = 60_000;
/**
 * Snapshots that may be read at once, and how long until one more may be: two who join about different epochs change
 * places so often. A hundred megabytes take a tenth of a second, so strangers can make it a hundredth of the time.
 */
const READS_AT_ONCE = 2;
const READ_INTERVAL_MS = 10_000;
/** Manifests that are remembered: of more epochs than anybody begins at, of half a megabyte at most. */
const MAX_MANIFESTS = 8;

export type SnapshotServerModules = {
  readonly store: Pick<RoundStore, "snapshotAtOrBefore" | "hasSnapshot">;
  readonly nowMs: () => number;
};

type Kept = { readonly epoch: number; readonly bytes: Promise<Uint8Array | null>; usedAtMs: number };

export class SnapshotServer {
  readonly #modules: SnapshotServerModules;
  readonly #manifests = new Map<number, Uint8Array>();
  readonly #reads = new TokenBuckets({
    capacity: READS_AT_ONCE,
    refillPerMs: 1 / READ_INTERVAL_MS,
    maxBuckets: 1,
  });
  #kept: Kept | null = null;

  constructor(modules: SnapshotServerModules) {
    this.#modules = modules;
  }

  /** The manifest of an epoch's snapshot; null where the store has none of exactly this epoch, or may not read it yet. */
  async manifest(epoch: number): Promise<Uint8Array | null> {
    if (!(await this.#modules.store.hasSnapshot(epoch))) return null;
    if (!this.#manifests.has(epoch)) await this.#open(epoch);
    return this.#manifests.get(epoch) ?? null;
  }

  /** A piece of an epoch's snapshot; null beyond its end, and where `manifest` would be. */
  async piece(epoch: number, piece: number): Promise<Uint8Array | null> {
    const snapshot = await this.#open(epoch);
    const bytes = snapshot === null ? null : sliceState(snapshot, piece);
    return bytes === null || bytes.length === 0 ? null : bytes;
  }

  /** Lets go of what was not asked about for a while. */
  forgetUnused(): void {
    if (this.#kept !== null && this.#modules.nowMs() - this.#kept.usedAtMs > KEPT_MS) this.#kept = null;
  }

  /** A snapshot's bytes; all who ask while it is read wait for the same. */
  async #open(epoch: number): Promise<Uint8Array | null> {
    const { store, nowMs } = this.#modules;
    if (this.#kept?.epoch !== epoch) {
      // The one that is kept may have changed while the store was asked.
      const mayRead = (await store.hasSnapshot(epoch)) && this.#kept?.epoch !== epoch;
      if (mayRead && this.#reads.take("all", 1, nowMs())) this.#keep(epoch);
    }
    if (this.#kept?.epoch !== epoch) return null;
    this.#kept.usedAtMs = nowMs();
    return await this.#kept.bytes;
  }

  #keep(epoch: number): void {
    const kept = { epoch, bytes: this.#read(epoch), usedAtMs: this.#modules.nowMs() };
    this.#kept = kept;
    // Whoever waits is told of a failure; who comes later tries again.
    kept.bytes.catch(() => {
      if (this.#kept === kept) this.#kept = null;
    });
  }

  async #read(epoch: number): Promise<Uint8Array | null> {
    const snapshot = await this.#modules.store.snapshotAtOrBefore(epoch);
    // Pruned since it was asked for.
    if (snapshot?.epoch !== epoch) return null;
    if (!this.#manifests.has(epoch)) {
      const manifest = createStateManifest(epoch, snapshot.bytes, () => createHash("sha256"));
      this.#manifests.set(epoch, encodeStateManifest(manifest));
      if (this.#manifests.size > MAX_MANIFESTS) this.#manifests.delete(Math.min(...this.#manifests.keys()));
    }
    return snapshot.bytes;
  }
}
