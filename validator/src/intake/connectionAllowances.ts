/**
 * How much one connection may bring, taken before a byte of it is decoded: a flood must not cost the thread that agrees on
 * rounds more than looking at its first bytes.
 */

import { P256_PUBLIC_KEY_BYTES } from "../../../protocol/src/crypto/p256Form.ts";
import {
  MAX_ENVELOPES_PER_PARCEL,
  MAX_PARCEL_BYTES,
  peekParcelCount,
} from "../../../protocol/src/wire/envelope.ts";
import type { SignatureClaim } from "../verify/signatureJob.ts";
import { TokenBuckets } from "./buckets.ts";
import type { DecodedItem } from "./candidate.ts";

/**
 * Envelopes a second from one connection: a quarter of what one core verifies (17,000/s), so that four hostile
 * connections are needed to fill a core, and the pulled queues still share it among the rest. A second's worth may
 * come at once: 64 full parcels, what a hotspot's neighbourhood gathers while a validator restarts.
 */
export const CONNECTION_ENVELOPES_PER_SECOND = 4_096;
/** What a device's co-signature takes of it besides: 0.26 ms of P-256 are as much as four signatures of Ed25519. */
export const DEVICE_SIGNATURE_COST = 4;
/** Bytes that cost as much as an envelope: a parcel that is full of bytes is as dear as a full one. */
const BYTES_PER_ENVELOPE = MAX_PARCEL_BYTES / MAX_ENVELOPES_PER_PARCEL;
/** Buckets of connections: more than a validator has connections, so that reconnecting does not refill one soon. */
const MAX_CONNECTION_BUCKETS = 4_096;

export class ConnectionAllowances {
  readonly #allowed = new TokenBuckets({
    capacity: CONNECTION_ENVELOPES_PER_SECOND,
    refillPerMs: CONNECTION_ENVELOPES_PER_SECOND / 1_000,
    maxBuckets: MAX_CONNECTION_BUCKETS,
  });

  /** Takes what a parcel costs to decode and, by its own word, to verify; false where the connection lacks it. */
  takeParcel(connection: string, parcel: Uint8Array, nowMs: number): boolean {
    return this.#allowed.take(connection, computeCost(parcel), nowMs);
  }

  /** Takes what devices' signatures cost beyond others', once decoding has shown them. */
  takeSurcharge(connection: string, items: readonly DecodedItem[], nowMs: number): boolean {
    const isOfDevice = ({ publicKey }: SignatureClaim) => publicKey.length === P256_PUBLIC_KEY_BYTES;
    const claims = items.flatMap((item) => (item.ok ? item.candidate.claims : []));
    const surcharge = DEVICE_SIGNATURE_COST * claims.filter(isOfDevice).length;
    return surcharge === 0 || this.#allowed.take(connection, surcharge, nowMs);
  }

  /** Forgets the connections that have all of their allowance again. */
  prune(nowMs: number): void {
    this.#allowed.prune(nowMs);
  }
}

const computeCost = (parcel: Uint8Array): number =>
  Math.max(peekParcelCount(parcel) ?? 1, Math.ceil(parcel.length / BYTES_PER_ENVELOPE));
