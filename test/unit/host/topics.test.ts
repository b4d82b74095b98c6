import { latLngToCell } from "h3-js";
import { describe, expect, test } from "vitest";
import { cellFromHex } from "../../../protocol/src/geo/cell.ts";
import {
  computeReportBucket,
  REPORT_BUCKETS,
  reportTopic,
  reportTopics,
  roundsTopic,
  transactionsTopic,
} from "../../../protocol/src/wire/topics.ts";

const networkId = Uint8Array.from({ length: 32 }, (_, i) => i);
const bucketAt = (lat: number, lng: number, resolution = 12) =>
  computeReportBucket(cellFromHex(latLngToCell(lat, lng, resolution))!);

describe("topics", () => {
  test("carry the first eight bytes of the network's id", () => {
    expect(reportTopic(networkId, 63)).toBe("/hexbeacon/0001020304050607/reports/63/1");
    expect(transactionsTopic(networkId)).toBe("/hexbeacon/0001020304050607/transactions/1");
    expect(roundsTopic(networkId)).toBe("/hexbeacon/0001020304050607/rounds/1");
    expect(new Set(reportTopics(networkId)).size).toBe(REPORT_BUCKETS);
  });

  test("a cell's bucket is its resolution-4 parent's, whatever the cell's own resolution", () => {
    const buckets = [4, 5, 8, 12, 15].map((resolution) => bucketAt(46.95, 7.45, resolution));
    expect(new Set(buckets).size).toBe(1);
    // A golden value, so that no change moves a network's hotspots to other topics unnoticed.
    expect(buckets[0]).toBe(52);
  });

  test("the world spreads over all buckets evenly", () => {
    const counts = new Array<number>(REPORT_BUCKETS).fill(0);
    for (let lat = -80; lat <= 80; lat += 2)
      for (let lng = -180; lng < 180; lng += 3) counts[bucketAt(lat, lng)]!++;
    const mean = counts.reduce((a, b) => a + b) / REPORT_BUCKETS;
    expect(Math.min(...counts)).toBeGreaterThan(mean * 0.6);
    expect(Math.max(...counts)).toBeLessThan(mean * 1.4);
  });
});
