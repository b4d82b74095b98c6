import { cellToParent } from "h3-js";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import { MAP_CELLS_MAX, MapIndex } from "../../../validator/src/api/explorer/mapIndex.ts";
import { NameIndex } from "../../../validator/src/api/explorer/nameIndex.ts";
import { cellAtResolution } from "../../../validator/src/store/cellRange.ts";
import { createMemoryStore } from "../../store/memoryStore.ts";
import { named } from "../store/history.ts";
import { createFixture, did, EPOCHS, type Fixture } from "./apiFixture.ts";

let fixture: Fixture;
beforeAll(async () => {
  fixture = await createFixture();
});
afterAll(() => fixture.api.close());

const ask = async (url: string) => (await fixture.get(url)).json();
type Cell = {
  cell: string;
  cells: number;
  gaps: number;
  hotspots: number;
  coveragePpm: number;
  paid: string;
};
const sum = (cells: readonly Cell[], of: "cells" | "gaps" | "hotspots") =>
  cells.reduce((total, cell) => total + cell[of], 0);
const paid = (cells: readonly Cell[]) => cells.reduce((total, cell) => total + BigInt(cell.paid), 0n);

/** Holds one of the two parts of the world that the made-up history has. */
const EUROPE = "west=0&south=40&east=10&north=50";

describe("the map of a view", () => {
  test("has every placed hotspot and every unit that was paid to one, at any resolution", async () => {
    const { rows } = await fixture.store.listHotspots({}, null, 1_000);
    const placed = rows.filter(
      ({ assertion, leavingUntilEpoch }) => assertion !== null && leavingUntilEpoch === null,
    );
    const lines = await Promise.all(placed.map(({ key }) => fixture.store.getRewardLine(EPOCHS - 1, key)));
    const total = lines.reduce((all, line) => all + (line?.paid ?? 0n), 0n);
    expect(total).toBeGreaterThan(0n);
    const finest = (await ask("/v1/map?resolution=8")).items as Cell[];
    for (let resolution = 0; resolution <= 8; resolution++) {
      const view = await ask(`/v1/map?resolution=${resolution}`);
      expect([view.epoch, view.resolution]).toEqual([EPOCHS - 1, resolution]);
      expect([sum(view.items, "hotspots"), paid(view.items)]).toEqual([placed.length, total]);
      expect([sum(view.items, "cells"), sum(view.items, "gaps")]).toEqual([
        finest.length,
        finest.filter(({ coveragePpm }) => coveragePpm < 1_000_000).length,
      ]);
      const parents = new Set(finest.map(({ cell }) => cellToParent(cell, resolution)));
      expect(new Set(view.items.map(({ cell }: Cell) => cell))).toEqual(parents);
    }
  });

  test("says of a cell what the coverage of the epoch says", async () => {
    const { items } = await ask("/v1/map");
    const { rows } = await fixture.store.listCoverage(
      EPOCHS - 1,
      8,
      { from: 0n, to: 2n ** 62n },
      null,
      1_000,
    );
    expect(items.map(({ cell, coveragePpm }: Cell) => [cell, coveragePpm])).toEqual(
      rows.map(({ cell, coveragePpmMax }) => [cell.toString(16), coveragePpmMax]),
    );
  });

  test("is only what lies in the box, also across the antimeridian", async () => {
    const all = (await ask("/v1/map")).items as Cell[];
    const inside = (await ask(`/v1/map?${EUROPE}`)).items as Cell[];
    expect(inside.length).toBeGreaterThan(0);
    expect(inside.every(({ cell }) => cell.startsWith("881f9"))).toBe(true);
    const rest = (await ask("/v1/map?west=10&south=-90&east=0&north=90")).items as Cell[];
    expect(inside.length + rest.length).toBe(all.length);
    expect((await ask("/v1/map?west=0&south=0&east=1&north=1")).items).toEqual([]);
  });

  test("refuses half a box", async () => {
    const response = await fixture.get("/v1/map?west=4&south=45");
    expect(response.statusCode).toBe(400);
    expect(response.json().errors[0].field).toBe("west");
  });

  test("shows where hotspots stand before anything was proven", async () => {
    const store = createMemoryStore(fixture.history.genesis);
    const early = await createFixture({}, { store });
    const view = (await early.get("/v1/map")).json();
    expect(view.epoch).toBeNull();
    expect(view.items.length).toBeGreaterThan(0);
    for (const cell of view.items)
      expect(cell).toMatchObject({ gaps: 1, coveragePpm: 0, paid: "0", counterpartsMax: 0 });
    await early.api.close();
  });

  test("becomes coarser where there is more than a screen can show, and is read once an epoch", async () => {
    let reads = 0;
    // Hotspots in neighbouring cells of a part of Europe, more cells than are shown.
    const origin = cellAtResolution(0x8c1f90d24a1a5ffn, 4);
    const cells = Array.from({ length: MAP_CELLS_MAX + 1 }, (_, n) => childOf(origin, n));
    const rows = cells.map((cell, n) => ({
      ...fixture.history.genesis.hotspots[0]!,
      key: named(`crowd ${n}`),
      position: n,
      assertion: { ...fixture.history.genesis.hotspots[0]!.assertion!, cell },
    }));
    const index = new MapIndex({
      countHotspots: async () => rows.length,
      latestCoverageEpoch: async () => null,
      listCoverage: async () => ({ rows: [], next: null }),
      listPlainLines: async () => ({ rows: [], next: null }),
      listHotspots: async (_filter, after, limit) => {
        reads++;
        const from = after === null ? 0 : after.position + 1;
        const page = rows.slice(from, from + limit);
        const next = from + limit < rows.length ? { cell: null, position: page.at(-1)!.position } : null;
        return { rows: page, next };
      },
    });
    const [view] = await Promise.all([index.view(8, null), index.view(8, null), index.view(3, null)]);
    expect(view.resolution).toBe(7);
    expect(view.cells.reduce((total, { hotspots }) => total + hotspots, 0)).toBe(rows.length);
    expect(reads).toBe(Math.ceil(rows.length / 250));
  });
});

/** The n-th resolution-12 cell by its resolution-8 parent, within a resolution-4 cell. */
function childOf(parent: bigint, n: number): bigint {
  let cell = (parent & ~(15n << 52n)) | (12n << 52n);
  for (let resolution = 5, rest = n; resolution <= 12; resolution++) {
    const shift = BigInt(3 * (15 - resolution));
    const digit = resolution > 8 ? 0n : BigInt(rest % 7);
    cell = (cell & ~(7n << shift)) | (digit << shift);
    rest = Math.floor(rest / 7);
  }
  return cell;
}

describe("a search", () => {
  test("finds hotspots and owners by a part of their names, the closest first", async () => {
    const name = computeName(named("hotspot 1"));
    const { items } = await ask(
      `/v1/search?q=${encodeURIComponent(name.replaceAll("-", " ").toUpperCase())}`,
    );
    expect(items).toEqual([{ kind: "hotspot", id: did("hotspot 1"), name }]);
    const part = (await ask(`/v1/search?q=${name.slice(0, 4)}`)).items as { id: string; name: string }[];
    expect(part.map(({ id }) => id)).toContain(did("hotspot 1"));
    expect(part[0]!.name.startsWith(name.slice(0, 4))).toBe(true);
    const owner = computeName(named("owner 1"));
    expect((await ask(`/v1/search?q=${owner}`)).items).toEqual([
      { kind: "account", id: did("owner 1"), name: owner },
    ]);
  });

  test("finds whoever staked for another key, without a hotspot too", async () => {
    const [row] = (await fixture.store.listValidators(0, 1)).rows;
    const rows = [row!, { ...row!, key: named("validator 9"), owner: named("staker"), position: 2 }];
    const index = new NameIndex({
      listHotspots: async () => ({ rows: [], next: null }),
      listValidators: async (after) => ({ rows: after === 0 ? rows : [], next: null }),
    });
    const find = async (label: string) =>
      (await index.find(computeName(named(label)), 5)).map(({ kind }) => kind);
    expect(await find("staker")).toEqual(["account"]);
    expect(await find("validator 9")).toEqual(["validator"]);
    expect(row!.owner).toEqual(row!.key);
    expect((await index.find(computeName(row!.key), 5)).map(({ kind }) => kind)).toEqual(["validator"]);
  });

  test("knows a key for all that it is, and a cell", async () => {
    expect((await ask(`/v1/search?q=${encodeURIComponent(did("hotspot 2"))}`)).items).toMatchObject([
      { kind: "hotspot", id: did("hotspot 2") },
    ]);
    expect((await ask(`/v1/search?q=${did("nobody")}`)).items).toEqual([]);
    expect((await ask("/v1/search?q=881F90D24BFFFFF")).items).toEqual([
      { kind: "cell", id: "881f90d24bfffff", name: null },
    ]);
  });

  test("finds nothing for markup, nothing at all, or half a key", async () => {
    for (const q of ["%3Cscript%3Ealert(1)%3C%2Fscript%3E", "%20%20", "-", "zzzz-zzzz"])
      expect((await ask(`/v1/search?q=${q}`)).items).toEqual([]);
    expect((await fixture.get("/v1/search?q=did:key:z6Mk")).statusCode).toBe(400);
  });
});

describe("a hotspot's links", () => {
  test("count each valid reception once, from both ends", async () => {
    const counted = new Map<string, { heard: number; heardBy: number }>();
    const { rows } = await fixture.store.listHotspots({}, null, 1_000);
    for (const { key } of rows) {
      const receptions = await fixture.store.listReceptions(key, 0, EPOCHS);
      const { items } = await ask(`/v1/hotspots/${Buffer.from(key).toString("hex")}/links`);
      const total = items.reduce(
        (all: number, link: { heard: number; heardBy: number }) => all + link.heard + link.heardBy,
        0,
      );
      expect(total).toBe(receptions.length);
      for (const { hotspot, heard, heardBy } of items)
        counted.set(`${Buffer.from(key).toString("hex")} ${hotspot}`, { heard, heardBy });
    }
    expect(counted.size).toBeGreaterThan(0);
    const unknown = await fixture.get(`/v1/hotspots/${did("nobody")}/links`);
    expect(unknown.statusCode).toBe(404);
  });
});
