import fc from "fast-check";
import { latLngToCell } from "h3-js";
import { expect, test } from "vitest";
import { cellToHex } from "../../../protocol/src/geo/cell.ts";
import { computeCentre, computeCentreDeviationE7 } from "../../../protocol/src/geo/centre.ts";
import { cellTexts, mustCell } from "./cells.ts";

test("a centre lies in its cell and deviates from itself by nothing", () => {
  fc.assert(
    fc.property(cellTexts, (text) => {
      const cell = mustCell(text);
      const { latE7, lngE7 } = computeCentre(cell);
      expect(computeCentreDeviationE7(cell, latE7, lngE7)).toBe(0);
      expect(computeCentreDeviationE7(cell, latE7 + 2, lngE7 - 3)).toBe(3);
      expect(computeCentreDeviationE7(cell, latE7 - 4, lngE7 + 1)).toBe(4);
      expect(latLngToCell(latE7 / 1e7, lngE7 / 1e7, Number.parseInt(text[1]!, 16))).toBe(cellToHex(cell));
    }),
  );
});

test("longitudes are compared the short way round", () => {
  const cell = mustCell(latLngToCell(0, 179.99999, 9));
  const { latE7, lngE7 } = computeCentre(cell);
  const turned = lngE7 > 0 ? lngE7 - 3_600_000_000 : lngE7 + 3_600_000_000;
  expect(computeCentreDeviationE7(cell, latE7, turned)).toBe(0);
});
