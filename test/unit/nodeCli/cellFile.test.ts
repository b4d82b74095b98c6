import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { findKeptCell } from "../../../node/src/cli/cellFile.ts";
import type { NodeConfig } from "../../../node/src/cli/config.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { cellToHex } from "../../../protocol/src/geo/cell.ts";
import { newKey } from "../hotspot/fakeValidator.ts";
import { initHome } from "./runNode.ts";

/** Bern, and the cells of resolution 12 that h3-js gives for it and for a place north of it. */
const BERN: NodeConfig = {
  ...{ owner: newKey().publicKey, region: "EU868", elevationM: 0, gainCentiDbi: 215 },
  ...{ latitude: 46.95, longitude: 7.45 },
};
const BERN_CELL = "8c1f8342cc609ff";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hexbeacon-cell-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("the cell beside the configuration", () => {
  test("is written by init, and then read instead of told", async () => {
    const home = join(folder, "home");
    expect((await initHome(home, encodeDidKey(newKey().publicKey))).code).toBe(0);
    const file = join(home, "cell");
    expect(await readFile(file, "utf8")).toBe(`46.95 7.45 ${BERN_CELL}\n`);
    // Another valid cell in its place is believed: nobody but the owner can write there.
    const other = "8c1fb46741ae9ff";
    await writeFile(file, `46.95 7.45 ${other}\n`);
    expect(cellToHex(await findKeptCell(home, BERN))).toBe(other);
  });

  test("is told anew where the place has changed or the file is none", async () => {
    const file = join(folder, "cell");
    const north = { ...BERN, latitude: 47.95 };
    const texts = [
      "",
      "46.95 7.45\n",
      "46.95 7.45 8c1f8342cc609ff",
      "46.95 7.45 871f8342cffffff\n",
      "x".repeat(99),
    ];
    for (const text of texts) {
      await writeFile(file, text);
      expect(cellToHex(await findKeptCell(folder, BERN))).toBe(BERN_CELL);
      expect(await readFile(file, "utf8")).toBe(`46.95 7.45 ${BERN_CELL}\n`);
    }
    expect(cellToHex(await findKeptCell(folder, north))).not.toBe(BERN_CELL);
    expect(await readFile(file, "utf8")).toMatch(/^47\.95 7\.45 8c/);
  });
});
