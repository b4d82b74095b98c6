/** Generators of H3 cells for property tests. h3-js makes them, so that it stays the judge of our arithmetic. */
import fc from "fast-check";
import { getRes0Cells, isPentagon, latLngToCell } from "h3-js";
import { type Cell, cellFromHex, RESOLUTION_MAX } from "../../../protocol/src/geo/cell.ts";

/** Coordinates in 1e-7 degrees, uniform on the globe's map, poles and date line included. */
export const latE7s = fc.integer({ min: -900_000_000, max: 900_000_000 });
export const lngE7s = fc.integer({ min: -1_800_000_000, max: 1_800_000_000 });

/** h3's text of a cell that holds a random place, at any resolution. */
export const cellTexts = fc
  .tuple(latE7s, lngE7s, fc.integer({ min: 0, max: RESOLUTION_MAX }))
  .map(([latE7, lngE7, resolution]) => latLngToCell(latE7 / 1e7, lngE7 / 1e7, resolution));

export const baseCellTexts = getRes0Cells();
export const pentagonTexts = baseCellTexts.filter((text) => isPentagon(text));

/** A text that is known to be a cell. */
export function mustCell(text: string): Cell {
  const cell = cellFromHex(text);
  if (cell === null) throw new Error(`${text} is no cell`);
  return cell;
}
