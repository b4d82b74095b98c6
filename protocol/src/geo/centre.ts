/**
 * Where a cell's centre lies. This needs h3's projection and with it the host's trigonometry, whose last bit differs
 * between machines: it is for making assertions and for admission, where a tolerance absorbs that, never for execution.
 */
import { cellToLatLng } from "h3-js";
import { type Cell, cellToHex } from "./cell.ts";

const E7_PER_DEGREE = 10_000_000;
const FULL_TURN_E7 = 360 * E7_PER_DEGREE;

/** The centre of a valid cell in 1e-7 degrees, each coordinate rounded to the nearest integer. */
export function computeCentre(cell: Cell): { latE7: number; lngE7: number } {
  const [latitude, longitude] = cellToLatLng(cellToHex(cell));
  // Adding 0 turns the -0 of a tiny negative coordinate into 0, so that equal centres compare as equal.
  return {
    latE7: Math.round(latitude * E7_PER_DEGREE) + 0,
    lngE7: Math.round(longitude * E7_PER_DEGREE) + 0,
  };
}

/**
 * How far an asserted centre is from the cell's, in 1e-7 degrees: the larger of the two coordinates' differences, the
 * longitude's taken the short way round.
 */
export function computeCentreDeviationE7(cell: Cell, latE7: number, lngE7: number): number {
  const centre = computeCentre(cell);
  const across = Math.abs(centre.lngE7 - lngE7) % FULL_TURN_E7;
  return Math.max(Math.abs(centre.latE7 - latE7), Math.min(across, FULL_TURN_E7 - across));
}
