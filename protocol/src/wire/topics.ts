/**
 * The names of the gossip topics, and which of the report topics a hotspot's messages go to. The number of buckets is
 * fixed: a topic for each cell would be easy to eclipse, and each topic costs every member.
 */
import { encodeHex } from "../bytes/hex.ts";
import { hashLabelled } from "../crypto/sha256.ts";
import { type Cell, parentOf } from "../geo/cell.ts";

/** A power of two not above 256, so that a byte of hash spreads evenly over the buckets. */
export const REPORT_BUCKETS = 64;
/** Neighbouring hotspots share a bucket: cells of this resolution are some 22 km across. */
const BUCKET_RESOLUTION = 4;
/** Bytes of the network id in a topic's name. */
const TOPIC_ID_BYTES = 8;

const prefixOf = (networkId: Uint8Array): string =>
  `/hexbeacon/${encodeHex(networkId.subarray(0, TOPIC_ID_BYTES))}`;

/** The topic of a bucket's parcels. @param bucket 0 to 63. */
export function reportTopic(networkId: Uint8Array, bucket: number): string {
  return `${prefixOf(networkId)}/reports/${bucket}/1`;
}

/** All report topics of a network, in the order of their buckets. */
export function reportTopics(networkId: Uint8Array): string[] {
  return Array.from({ length: REPORT_BUCKETS }, (_, bucket) => reportTopic(networkId, bucket));
}

/** The topic of parcels with transactions. */
export function transactionsTopic(networkId: Uint8Array): string {
  return `${prefixOf(networkId)}/transactions/1`;
}

/** The topic of signed announcements of finalized rounds. */
export function roundsTopic(networkId: Uint8Array): string {
  return `${prefixOf(networkId)}/rounds/1`;
}

/**
 * The bucket of an asserted cell: the first byte of H("bucket", parent at resolution 4, 8 bytes little-endian) mod 64.
 * @param cell of resolution 4 or finer.
 */
export function computeReportBucket(cell: Cell): number {
  const parent = parentOf(cell, BUCKET_RESOLUTION);
  const bytes = new Uint8Array(8);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, parent.lo, true);
  view.setUint32(4, parent.hi, true);
  return hashLabelled("bucket", bytes)[0]! % REPORT_BUCKETS;
}
