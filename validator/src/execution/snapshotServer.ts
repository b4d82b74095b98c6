/**
 * Snapshots for those who join: their manifests and pieces, from the newest snapshots that the store keeps. The one that
 * was asked for last stays in memory, since whoever begins to fetch it asks for all of it.
 */
import { createHash } from "node:crypto";
import {
  createStateManifest,
  encodeStateManifest,
  sliceState,
} from "../../../protocol/src/ledger/stateManifest.ts";
import type { RoundStore, Snapshot } from "../store/store.ts";

/** A snapshot that nobody asks about for this long makes room: fetching one is a few answers a second. */
const KEPT_MS = 60_000;

export type SnapshotServerModules = {
  readonly store: Pick<RoundStore, "snapshotAtOrBefore">;
  readonly nowMs: () => number;
};

export class SnapshotServer {
  readonly #modules: SnapshotServerModules;
  #kept: { readonly snapshot: Snapshot; readonly manifest: Uint8Array; usedAtMs: number } | null = null;

  constructor(modules: SnapshotServerModules) {
    this.#modules = modules;
  }

  /** The manifest of an epoch's snapshot; null where the store has none of exactly this epoch. */
  async manifest(epoch: number): Promise<Uint8Array | null> {
    return (await this.#open(epoch))?.manifest ?? null;
  }

  /** A piece of an epoch's snapshot; null beyond its end. */
  async piece(epoch: number, piece: number): Promise<Uint8Array | null> {
    const kept = await this.#open(epoch);
    const bytes = kept === null ? null : sliceState(kept.snapshot.bytes, piece);
    return bytes === null || bytes.length === 0 ? null : bytes;
  }

  /** Lets go of what was not asked about for a while. */
  forgetUnused(): void {
    if (this.#kept !== null && this.#modules.nowMs() - this.#kept.usedAtMs > KEPT_MS) this.#kept = null;
  }

  async #open(epoch: number) {
    const { store, nowMs } = this.#modules;
    if (this.#kept?.snapshot.epoch !== epoch) {
      const snapshot = await store.snapshotAtOrBefore(epoch);
      if (snapshot === null || snapshot.epoch !== epoch) return null;
      const manifest = encodeStateManifest(
        createStateManifest(epoch, snapshot.bytes, () => createHash("sha256")),
      );
      this.#kept = { snapshot, manifest, usedAtMs: nowMs() };
    }
    this.#kept.usedAtMs = nowMs();
    return this.#kept;
  }
}
