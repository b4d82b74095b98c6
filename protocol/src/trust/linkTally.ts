/**
 * One pass over all pairs, in the order in which they stand in memory, that weighs each and counts for each of its ends
 * what the detectors begin with. Most hotspots are cleared by these counts alone, and nobody's pairs need to be gathered
 * for that: fetching them hotspot by hotspot is what a million hotspots' findings would cost most.
 */
import { addSlopeSums, FIRST_EPOCH, HIGH, LOW, readCount, readDistanceM, readEpochs } from "./linkColumns.ts";
import type { LinkHistory } from "./linkHistory.ts";
import { TREND_PAIRS_MIN, TREND_RECEPTIONS_MIN } from "./penalties/distanceInsensitivity.ts";
import { isProfileBegun } from "./penalties/distanceProfile.ts";
import { REVERSE_DUE_RECEPTIONS } from "./penalties/missingReverse.ts";
import { computeSlopeMilli, SLOPE_COLUMNS } from "./penalties/powerSlope.ts";
import { COUNTERPARTS_MIN, RAMPS } from "./thresholds.ts";
import { computeEdgeWeight, YOUNG_EDGE_WEIGHT_MAX } from "./witnessGraph.ts";

/** Of a hotspot's valid pairs: the near ones, those with a mean signal, and those whose other direction may be due. */
const [NEAR, TREND, OFTEN, SLOPE] = [0, 1, 2, 3] as const;
/** Eight doubles: a hotspot's counts are one line of the processor's cache. */
const WIDTH = SLOPE + SLOPE_COLUMNS;
/** Slopes are summed here in another order than in a finding: what the rounding can make of it is far below a thousandth. */
const SLOPE_ROUNDING_MILLI = 1;

export class LinkTally {
  /** By row: the weight of its edge, 0 where no report of it was valid. */
  readonly weight: Uint8Array;
  readonly #columns: Float64Array;

  /** @param count hotspots; @param epoch the epoch from whose start the trust is in force. */
  constructor(history: LinkHistory, count: number, epoch: number, youngEpochs: number) {
    this.weight = new Uint8Array(history.size);
    this.#columns = new Float64Array(count * WIDTH);
    history.visitRows((row, table, at) => {
      const lowHeard = readEpochs(table, at, true);
      const highHeard = readEpochs(table, at, false);
      if (lowHeard + highHeard === 0) return;
      const ageEpochs = epoch - table[at + FIRST_EPOCH]!;
      const weight = computeEdgeWeight(Math.max(lowHeard, highHeard), ageEpochs, youngEpochs);
      const isOneWay = lowHeard === 0 || highHeard === 0;
      this.weight[row] = isOneWay ? Math.min(weight, YOUNG_EDGE_WEIGHT_MAX) : weight;
      this.#add(table, at, true, lowHeard);
      this.#add(table, at, false, highHeard);
    });
  }

  #add(table: Int32Array, at: number, isLow: boolean, heardEpochs: number): void {
    const columns = this.#columns;
    const to = table[at + (isLow ? LOW : HIGH)]! * WIDTH;
    const heard = readCount(table, at, isLow);
    const heardBy = readCount(table, at, !isLow);
    if (!isProfileBegun(readDistanceM(table, at))) columns[to + NEAR]! += 1;
    if (Math.max(heard, heardBy) >= REVERSE_DUE_RECEPTIONS) columns[to + OFTEN]! += 1;
    if (heardEpochs === 0) return;
    if (heard >= TREND_RECEPTIONS_MIN) columns[to + TREND]! += 1;
    addSlopeSums(table, at, isLow, columns, to + SLOPE);
  }

  /** Whether a hotspot with so many valid pairs may have a distance profile: its median is not near. */
  mayBeFar(hotspot: number, pairs: number): boolean {
    return pairs >= COUNTERPARTS_MIN && this.#columns[hotspot * WIDTH + NEAR]! <= (pairs - 1) >> 1;
  }

  /** Whether a hotspot has the pairs of which a trend with distance is made. */
  hasTrend(hotspot: number): boolean {
    return this.#columns[hotspot * WIDTH + TREND]! >= TREND_PAIRS_MIN;
  }

  /** Whether a hotspot has the pairs of which the other direction may be due. */
  hasTwoWays(hotspot: number): boolean {
    return this.#columns[hotspot * WIDTH + OFTEN]! >= COUNTERPARTS_MIN;
  }

  /** Whether a hotspot's signals may follow the power too little. */
  maySlopeLittle(hotspot: number): boolean {
    const slope = computeSlopeMilli(this.#columns, hotspot * WIDTH + SLOPE);
    return slope !== null && slope <= RAMPS.powerSlopeMilli.from + SLOPE_ROUNDING_MILLI;
  }
}
