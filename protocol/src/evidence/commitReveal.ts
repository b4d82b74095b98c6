/**
 * Commit, proof and reveal: what keeps a beacon's payload from being copied. Nothing readable about it leaves a radio
 * until its reporting window has closed, and a proof can be made only by one who holds the secret, for one witness and
 * one measurement.
 */
import { uint64Bytes } from "../bytes/bytes.ts";
import { hashLabelled } from "../crypto/sha256.ts";
import { SECRET_BYTES, TAG_BYTES } from "../radio/frame.ts";

/**
 * What a beaconer binds itself to: H("beacon", hotspot, epoch, secret), 32 bytes.
 * @param hotspot its key, 32 bytes.
 * @param epoch the epoch whose challenge the beacon answers, as an unsigned 64-bit little-endian integer in the hash.
 * @param secret 16 bytes.
 */
export function computeCommit(hotspot: Uint8Array, epoch: number, secret: Uint8Array): Uint8Array {
  return hashLabelled("beacon", hotspot, uint64Bytes(epoch), secret);
}

/** The hint on air by which witnesses name a beacon: the commit's first 6 bytes. */
export function computeTag(commit: Uint8Array): Uint8Array {
  return commit.slice(0, TAG_BYTES);
}

/**
 * A witness's proof: H("witness", secret, witness, measurement), 32 bytes.
 * @param secret 16 bytes, as heard.
 * @param witness its key, 32 bytes.
 * @param measurementBytes the measurement's exact encoding (`encodeMeasurement`).
 */
export function computeProof(
  secret: Uint8Array,
  witness: Uint8Array,
  measurementBytes: Uint8Array,
): Uint8Array {
  return hashLabelled("witness", secret, witness, measurementBytes);
}

/** A beacon's secret with what it is sorted by. `hotspot`: the beaconer's index. */
export type RevealedSecret = {
  readonly challengeEpoch: number;
  readonly hotspot: number;
  readonly secret: Uint8Array;
};

/**
 * The seed of the next epoch: H("seed", seed, secrets), the secrets of the beacons closed in this epoch with an
 * accepted witness, sorted by (challenge epoch, hotspot's index), so that order and time of inclusion move nothing.
 *
 * Not by key: in an epoch's last round all secrets are public, and who then took another key would choose among as many
 * seeds as there are places for it. An index is given at registration, long before, and is never changed.
 */
export function computeNextSeed(seed: Uint8Array, revealed: readonly RevealedSecret[]): Uint8Array {
  const sorted = [...revealed].sort((a, b) => a.challengeEpoch - b.challengeEpoch || a.hotspot - b.hotspot);
  // One array of all secrets: a network's may be more than a function takes arguments.
  const secrets = new Uint8Array(sorted.length * SECRET_BYTES);
  for (const [place, { secret }] of sorted.entries()) secrets.set(secret, place * SECRET_BYTES);
  return hashLabelled("seed", seed, secrets);
}
