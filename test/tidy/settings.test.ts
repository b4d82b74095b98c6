/** The hotspot's settings where a document or a file of the package repeats them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { renderDefaultFile, renderSettingRows } from "../../node/src/cli/settings/describe.ts";
import { SYSTEM_CONFIG_FILE } from "../../node/src/cli/settings/layers.ts";

const read = (file: string): string => readFileSync(join(import.meta.dirname, "../..", file), "utf8");

describe("settings", () => {
  test("stand in the guide's table, each in its row", () => {
    const rows = read("docs/running-a-hotspot.md").split("\n");
    expect(rows.filter((row) => /^\| `[^|]+` \| `HEXBEACON_NODE_/.test(row))).toEqual(renderSettingRows());
  });

  test("stand in the package's file as the table has them", () => {
    expect(read("node/packaging/node.toml")).toBe(renderDefaultFile({ home: "/var/lib/hexbeacon-node" }));
    expect(read("docs/running-a-hotspot.md")).toContain(SYSTEM_CONFIG_FILE);
  });
});
