/** By which place and antenna a hotspot transmits, where genesis names it and where it does not. */
import { expect, test } from "vitest";
import type { NodeConfig } from "../../../node/src/cli/config.ts";
import { choosePlacement } from "../../../node/src/cli/placement.ts";
import type { Placement } from "../../../node/src/hotspot/placement.ts";
import { cellFromHex } from "../../../protocol/src/geo/cell.ts";

const CONFIGURED_CELL = cellFromHex("8c1f8342cc609ff")!;
const config: NodeConfig = {
  owner: new Uint8Array(32),
  region: "EU868",
  gainCentiDbi: 580,
  latitude: 46.95,
  longitude: 7.45,
  elevationM: 0,
};
const named: Placement = {
  region: "EU868",
  gainCentiDbi: 580,
  cell: cellFromHex("8c1fb46741ae9ff")!,
};

async function choose(genesis: Placement | null): Promise<{ placement: Placement; warnings: object[] }> {
  const warnings: object[] = [];
  const log = { warn: (_: string, fields?: Record<string, unknown>) => void warnings.push(fields ?? {}) };
  return { placement: await choosePlacement(config, genesis, log), warnings };
}

test("a hotspot that genesis does not name stands as it is configured", async () => {
  const placement = { region: "EU868", gainCentiDbi: 580, cell: CONFIGURED_CELL };
  expect(await choose(null)).toEqual({ placement, warnings: [] });
});

test("one that genesis names as it is configured stands where genesis says", async () => {
  expect(await choose(named)).toEqual({ placement: named, warnings: [] });
});

test.each([
  ["another antenna", { gainCentiDbi: 215 }],
  ["another region", { region: "US915" as const }],
])("one that has asserted %s since genesis transmits by what is configured now", async (_, before) => {
  const { placement, warnings } = await choose({ ...named, ...before });
  expect(placement).toEqual({ region: "EU868", gainCentiDbi: 580, cell: CONFIGURED_CELL });
  expect(warnings).toMatchObject([{ region: "EU868", gainDbi: 5.8 }]);
});
