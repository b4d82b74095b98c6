/** `tool verify-proof` as someone runs it. */
import { describe, expect, test } from "vitest";
import { encodeProofJson } from "../../../protocol/src/reward/proofJson.ts";
import { createRewardTree } from "../../../protocol/src/reward/rewardTree.ts";
import { runTool } from "../tool/runTool.ts";

const accounts = Uint8Array.from({ length: 96 }, (_, i) => i >> 5);
const proof = encodeProofJson(createRewardTree(accounts, BigUint64Array.of(5n, 7n, 11n)).prove(1), 12);
const verify = (json: unknown, ...flags: string[]) =>
  runTool(["verify-proof", ...flags], typeof json === "string" ? json : JSON.stringify(json));

describe("tool verify-proof", () => {
  test("says what a proof that holds proves", async () => {
    const run = await verify(proof);
    expect(run.status).toBe(0);
    expect(JSON.parse(run.stdout)).toEqual({
      valid: true,
      account: proof.account,
      total: "7",
      epoch: 12,
      root: proof.root,
    });
  });

  test("takes the root that one trusts", async () => {
    expect((await verify(proof, "--root", proof.root)).status).toBe(0);
    expect((await verify(proof, "--root", proof.root.slice(2).toUpperCase())).status).toBe(0);
    const other = await verify(proof, "--root", `0x${"ab".repeat(32)}`);
    expect([other.status, JSON.parse(other.stdout)]).toEqual([
      1,
      { valid: false, reason: "root_not_trusted" },
    ]);
    expect((await verify(proof, "--root", "0xab")).status).toBe(1);
  });

  test("ends with status 1 and the reason where it does not hold", async () => {
    const run = await verify({ ...proof, total: "8" });
    expect(run.status).toBe(1);
    expect(JSON.parse(run.stdout)).toEqual({ valid: false, reason: "root_mismatch" });
    expect(run.stderr).toMatch(/^error: root_mismatch/);
  });

  test.each(["", "{", "[]", "null", '{"account":1}', "x".repeat(22_000_000)])(
    "refuses what is no proof: case %#",
    async (text) => {
      const run = await verify(text);
      expect(run.status).toBe(1);
      expect(run.stderr).toMatch(/^error: /);
    },
  );
});
