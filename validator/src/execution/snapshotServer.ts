/**
 * Snapshots for those who join: their manifests and pieces, of the epochs whose snapshots the store keeps. Two stay
 * in memory while they are asked about, since whoever begins to fetch one asks for all of it. Anybody may ask, and a
 * snapshot is up to 1 GiB to read and to hash; so it is read once for all who ask, and another one only now and then.
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
 * Snapshots in memory. One that is being fetched is not put away for another, or anybody's question would end somebody's
 * joining: who joins asks again within 8 s. After its turn it is, or a few questions would hold both places for ever: in a
 * minute come 480 MiB, and the rest comes when its epoch has another turn.
 */
const KEPT_AT_ONCE = 2;
const IN_USE_MS = 10_000;
const TURN_MS = 60_000;
/**
 * As many may be read at once, and one more so long after: a hundred megabytes take a tenth of a second, so strangers
 * can make it a hundredth of the time.
 */
const READ_INTERVAL_MS = 10_000;
/** Manifests that are remembered: of more epochs than anybody begins at, of half a megabyte at most. */
const MAX_MANIFESTS = 8;

export type SnapshotServerModules = {
  readonly store: Pick<RoundStore, "snapshotAtOrBefore" | "hasSnapshot">;
  readonly elapsedMs: () => number;
};

type Kept = { readonly bytes: Promise<Uint8Array | null>; readonly readAtMs: number; usedAtMs: number };

export class SnapshotServer {
  readonly #modules: SnapshotServerModules;
  readonly #manifests = new Map<number, Uint8Array>();
  readonly #reads = new TokenBuckets({
    capacity: KEPT_AT_ONCE,
    refillPerMs: 1 / READ_INTERVAL_MS,
    maxBuckets: 1,
  });
  /** By epoch, in the order in which they were read. */
  readonly #kept = new Map<number, Kept>();

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
    for (const [epoch, { usedAtMs }] of this.#kept)
      if (this.#modules.elapsedMs() - usedAtMs > KEPT_MS) this.#kept.delete(epoch);
  }

  /** A snapshot's bytes; all who ask while it is read wait for the same. */
  async #open(epoch: number): Promise<Uint8Array | null> {
    const { store, elapsedMs } = this.#modules;
    // It may have come while the store was asked.
    if (!this.#kept.has(epoch) && (await store.hasSnapshot(epoch)) && !this.#kept.has(epoch))
      this.#begin(epoch);
    const kept = this.#kept.get(epoch);
    if (kept === undefined) return null;
    kept.usedAtMs = elapsedMs();
    return await kept.bytes;
  }

  /** Reads a snapshot, where there is a place for it and another read may be. */
  #begin(epoch: number): void {
    const nowMs = this.#modules.elapsedMs();
    const isFull = this.#kept.size === KEPT_AT_ONCE;
    const free = isFull ? this.#findFree(nowMs) : null;
    if ((isFull && free === null) || !this.#reads.take("all", 1, nowMs)) return;
    if (free !== null) this.#kept.delete(free);
    const kept = { bytes: this.#read(epoch), readAtMs: nowMs, usedAtMs: nowMs };
    this.#kept.set(epoch, kept);
    // Whoever waits is told of a failure; who comes later tries again.
    kept.bytes.catch(() => {
      if (this.#kept.get(epoch) === kept) this.#kept.delete(epoch);
    });
  }

  /** The epoch whose snapshot makes room for another's: one that nobody fetches, else one whose turn is over. */
  #findFree(nowMs: number): number | null {
    const kept = [...this.#kept];
    const free =
      kept.find(([, { usedAtMs }]) => nowMs - usedAtMs >= IN_USE_MS) ??
      kept.find(([, { readAtMs }]) => nowMs - readAtMs >= TURN_MS);
    return free?.[0] ?? null;
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
