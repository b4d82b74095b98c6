/**
 * A snapshot on its way to one who joins: the hashes of its chunks prove its state root before a byte of it is fetched,
 * and each piece is proven by them as it comes. So a wrong snapshot costs whoever fetches it at most one piece.
 */
import { ContainerType, ListCompositeType, type ValueOf } from "@chainsafe/ssz";
import { equalBytes } from "../bytes/bytes.ts";
import type { IncrementalHash } from "../reward/epochRecord.ts";
import { Bytes32, decodeStrict, Uint64 } from "../wire/ssz.ts";
import { computeRootOfChunks, hashStateChunks, STATE_CHUNK_BYTES } from "./snapshot.ts";

/** 1 GiB: a thousand bytes for each of a million hotspots. Nobody who joins can be made to fetch more. */
export const MAX_STATE_CHUNKS = 16_384;
/** Chunks in one answer: 1 MiB, which a slow line brings within the time that an answer has. */
export const CHUNKS_PER_PIECE = 16;
export const MAX_PIECE_BYTES = CHUNKS_PER_PIECE * STATE_CHUNK_BYTES;

const StateManifestSsz = new ContainerType(
  { epoch: Uint64, bytes: Uint64, chunks: new ListCompositeType(Bytes32, MAX_STATE_CHUNKS) },
  { typeName: "StateManifest" },
);

/** `bytes`: the snapshot's length; `chunks`: the hash of each `STATE_CHUNK_BYTES` of it, the last perhaps shorter. */
export type StateManifest = ValueOf<typeof StateManifestSsz>;
export const MAX_STATE_MANIFEST_BYTES = StateManifestSsz.maxSize;

/** Why a manifest or a piece is not the state that was asked for. */
export const STATE_REASONS = [
  "malformed",
  "wrong_epoch",
  "wrong_length",
  "wrong_root",
  "wrong_piece",
] as const;
export type StateReason = (typeof STATE_REASONS)[number];

export const encodeStateManifest = (manifest: StateManifest): Uint8Array =>
  StateManifestSsz.serialize(manifest);

/** The manifest of a snapshot. @throws RangeError where it is longer than anybody would take. */
export function createStateManifest(
  epoch: number,
  snapshot: Uint8Array,
  createHash?: () => IncrementalHash,
): StateManifest {
  const chunks = hashStateChunks(snapshot, createHash);
  if (chunks.length > MAX_STATE_CHUNKS) throw new RangeError("a snapshot that nobody would take");
  return { epoch, bytes: snapshot.length, chunks };
}

/** Decodes what a peer says is the manifest of an epoch's state. @param stateRoot as attested or pinned, 32 bytes. */
export function readStateManifest(
  encoded: Uint8Array,
  epoch: number,
  stateRoot: Uint8Array,
): StateManifest | StateReason {
  const manifest = decodeStrict(StateManifestSsz, encoded, MAX_STATE_MANIFEST_BYTES);
  if (manifest === null) return "malformed";
  if (manifest.epoch !== epoch) return "wrong_epoch";
  const { bytes, chunks } = manifest;
  if (chunks.length === 0 || Math.ceil(bytes / STATE_CHUNK_BYTES) !== chunks.length) return "wrong_length";
  return equalBytes(computeRootOfChunks(chunks, bytes), stateRoot) ? manifest : "wrong_root";
}

/** How many pieces a state comes in. */
export const countPieces = ({ chunks }: StateManifest): number => Math.ceil(chunks.length / CHUNKS_PER_PIECE);

/** A piece of a snapshot; empty beyond its end. */
export const sliceState = (snapshot: Uint8Array, piece: number): Uint8Array =>
  snapshot.subarray(piece * MAX_PIECE_BYTES, (piece + 1) * MAX_PIECE_BYTES);

/** Whether bytes are the piece of this number. @param piece from 0, below `countPieces`. */
export function checkStatePiece(
  { bytes, chunks }: StateManifest,
  piece: number,
  body: Uint8Array,
  createHash?: () => IncrementalHash,
): StateReason | null {
  const length = Math.min(MAX_PIECE_BYTES, bytes - piece * MAX_PIECE_BYTES);
  if (body.length !== length) return "wrong_piece";
  const first = piece * CHUNKS_PER_PIECE;
  const isWhole = hashStateChunks(body, createHash).every((hash, index) =>
    equalBytes(hash, chunks[first + index]!),
  );
  return isWhole ? null : "wrong_piece";
}
