/**
 * One pass over all pairs, in the order in which they stand in memory, that counts for each of their ends what the
 * detectors begin with. Most hotspots are cleared by these counts alone, and nobody's pairs need to be gathered
 * for that: fetching them hotspot by hotspot is what a million hotspots' findings would cost most.
 */

import type { JudgedBy } from "./judges.ts";
import { addSlopeSums, HIGH, LOW, readCount, readDistanceM, readEpochs } from "./linkColumns.ts";
import type { LinkHistory } from "./linkHistory.ts";
import { TREND_PAIRS_MIN, TREND_RECEPTIONS_MIN } from "./penalties/distanceInsensitivity.ts";
import { isProfileBegun } from "./penalties/distanceProfile.ts";
import { REVERSE_DUE_RECEPTIONS } from "./penalties/missingReverse.ts";
import { computeSlopeMilli, SLOPE_COLUMNS } from "./penalties/powerSlope.ts";
import { COUNTERPARTS_MIN, RAMPS } from "./thresholds.ts";

/** Of a hotspot's valid pairs with trusted counterparts: the near ones, those with a mean signal, and those whose other direction may be due. */
const [NEAR, TREND, OFTEN, SLOPE] = [0, 1, 2, 3] as const;
/** Eight doubles: a hotspot's counts are one line of the processor's cache. */
const WIDTH = SLOPE + SLOPE_COLUMNS;
/** Slopes are summed here in another order than in a finding: what the rounding can make of it is far below a thousandth. */
const SLOPE_ROUNDING_MILLI = 1;

export class LinkTally {
  readonly #columns: Float64Array;

  /** @param trusted by hotspot: 1 where the graph gives enough to be paid; nobody else's word is counted. */
  constructor(history: LinkHistory, trusted: Uint8Array) {
    this.#columns = new Float64Array(trusted.length * WIDTH);
    history.visitRows((_row, table, at) => {
      const lowHeard = readEpochs(table, at, true);
      const highHeard = readEpochs(table, at, false);
      if (lowHeard + highHeard === 0) return;
      if (trusted[table[at + HIGH]!] === 1) this.#add(table, at, true, lowHeard);
      if (trusted[table[at + LOW]!] === 1) this.#add(table, at, false, highHeard);
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

  /**
   * Whether a hotspot that is judged by so many pairs may have a distance profile: its median is not near.
   * @param dropped pairs that were counted here and are none of those: as many fewer may be near.
   */
  mayBeFar(hotspot: number, { pairs, dropped }: Pick<JudgedBy, "pairs" | "dropped">): boolean {
    const near = this.#columns[hotspot * WIDTH + NEAR]! - dropped;
    return pairs.length >= COUNTERPARTS_MIN && near <= (pairs.length - 1) >> 1;
  }

  /** Whether a hotspot has the pairs of which a trend with distance is made. */
  hasTrend(hotspot: number): boolean {
    return this.#columns[hotspot * WIDTH + TREND]! >= TREND_PAIRS_MIN;
  }

  /** Whether a hotspot has the pairs of which the other direction may be due. */
  hasTwoWays(hotspot: number): boolean {
    return this.#columns[hotspot * WIDTH + OFTEN]! >= COUNTERPARTS_MIN;
  }

  /**
   * Whether a hotspot's signals may follow the power too little.
   * @param isWhole whether it is judged by all the pairs that were counted here: by fewer any slope is possible.
   */
  maySlopeLittle(hotspot: number, isWhole: boolean): boolean {
    const slope = computeSlopeMilli(this.#columns, hotspot * WIDTH + SLOPE);
    if (slope === null) return false;
    return !isWhole || slope <= RAMPS.powerSlopeMilli.from + SLOPE_ROUNDING_MILLI;
  }
}
