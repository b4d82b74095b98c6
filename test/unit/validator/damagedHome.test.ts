/** A home whose files a disk or an operator has damaged: it starts as it was or refuses in words, and never differs. */
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { writeKeyFile } from "../../../node/src/host/keystore.ts";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { encodeGenesisJson } from "../../../protocol/src/network/genesis.ts";
import { createValidatorCommand } from "../../../validator/src/cli/validatorCommand.ts";
import { createIdentity } from "../../../validator/src/identity.ts";
import { LEDGER_MODULES } from "../../../validator/src/ledgerModules.ts";
import { recover } from "../../../validator/src/recovery.ts";
import { openStorage } from "../../../validator/src/storage.ts";
import { explainingFailure, explainStorageFailure } from "../../../validator/src/storageFailure.ts";
import { Prng } from "../../sim/prng.ts";
import { runCommand } from "../nodeCli/runNode.ts";
import { createGenesisOf, SeveralValidators, validatorKey } from "./support/severalValidators.ts";

const several = new SeveralValidators(createGenesisOf(1, 1));
const identity = createIdentity(several.genesis, validatorKey(0).secretSeed);
const folder = mkdtempSync(join(tmpdir(), "hexbeacon-damaged-"));
let whole: string;

/** The state digest with which a home recovers. */
async function recoverHome(home: string): Promise<string> {
  return await explainingFailure(home, async () => {
    const storage = await openStorage(home, identity);
    try {
      const validator = identity.signer.publicKey;
      const modules = { ...storage, ...identity, validator, ledgerModules: LEDGER_MODULES };
      const { ledger } = await recover({ ...modules, log: createSilentLog() });
      return `${ledger.round}/${encodeHex(ledger.digest)}`;
    } finally {
      await storage.close();
    }
  });
}

let expected: string;
beforeAll(async () => {
  const running = await several.start(0);
  await several.until(() => running.results.length >= 25);
  await running.end();
  // One file each, as after a checkpoint: what is not in the log any more has no second copy.
  whole = several.homeOf(0);
  expected = await recoverHome(whole);
});
afterAll(() => several.end());

function copyHome(name: string): string {
  const home = join(folder, name);
  cpSync(whole, home, { recursive: true });
  return home;
}

test("what an interrupted write has left is taken away, once the home is this process's", async () => {
  const home = copyHome("interrupted");
  const left = join(home, ".key.0123456789ab.tmp");
  writeFileSync(left, "a seed that was being sealed");
  expect(await recoverHome(home)).toBe(expected);
  expect(existsSync(left)).toBe(false);
});

/** A sector, as disks lose them, at its beginning, where a page has its structure. */
function flipSector(path: string, seed: number): void {
  const prng = new Prng(seed);
  const bytes = readFileSync(path);
  const at = prng.below(Math.floor(bytes.length / 512)) * 512;
  for (let i = 0; i < 64; i++) bytes[at + i]! ^= 1 + prng.below(255);
  writeFileSync(path, bytes);
}

/** Refusals that an operator can act on; anything else would be a crash. */
const REFUSALS = [
  "file_corrupt",
  "store_gap",
  "store_foreign",
  "store_schema",
  "store_missing",
  "votes_conflict",
  "state_diverged",
  "batch_missing",
];

async function judge(home: string): Promise<"same" | "refused"> {
  try {
    expect(await recoverHome(home)).toBe(expected);
    return "same";
  } catch (error) {
    expect(error).toHaveProperty("code");
    expect(REFUSALS).toContain((error as { code: string }).code);
    expect((error as Error).message.length).toBeGreaterThan(20);
    return "refused";
  }
}

describe("a damaged home", () => {
  for (const file of ["votes.sqlite", "store.sqlite"]) {
    test(`with bits of ${file} turned starts as it was, or refuses in words`, async () => {
      const verdicts = new Set<string>();
      for (let seed = 1; seed <= 24; seed++) {
        const home = copyHome(`${file}-${seed}`);
        flipSector(join(home, file), seed);
        verdicts.add(await judge(home));
        rmSync(home, { recursive: true });
      }
      expect(verdicts.has("refused")).toBe(true);
    });

    test(`with ${file} cut short refuses in words`, async () => {
      for (const share of [0.2, 0.5, 0.9]) {
        const home = copyHome(`${file}-cut-${share}`);
        const path = join(home, file);
        truncateSync(path, Math.floor(statSync(path).size * share));
        expect(await judge(home)).toBe("refused");
        rmSync(home, { recursive: true });
      }
    });

    test(`with something else in the place of ${file} refuses in words`, async () => {
      const home = copyHome(`${file}-else`);
      writeFileSync(join(home, file), "this is no database, but a note about one".repeat(100));
      expect(await judge(home)).toBe("refused");
    });
  }

  test("is told in words by every command that reads it", async () => {
    const commands = [
      ["replay", "--all"],
      ["replay", "--epoch", "0"],
      ["export", "--epoch", "0"],
      ["export", "--epoch", "0", "--format", "csv"],
      ["migrate", "--check"],
      ["migrate"],
    ];
    const damages: ((path: string, seed: number) => void)[] = [
      () => {},
      (path) => writeFileSync(path, "this is no database, but a note about one".repeat(100)),
      (path) => truncateSync(path, Math.floor(statSync(path).size / 2)),
      ...Array.from({ length: 8 }, () => flipSector),
    ];
    const refused = new Set<string>();
    for (const [seed, damage] of damages.entries()) {
      const home = copyHome(`commands-${seed}`);
      writeFileSync(join(home, "genesis.json"), encodeGenesisJson(several.genesis));
      await writeKeyFile(join(home, "key"), validatorKey(0).secretSeed);
      damage(join(home, "store.sqlite"), seed);
      for (const [command, ...flags] of commands) {
        const words = [command!, "--home", home, ...flags];
        const { code, stdout, stderr } = await runCommand(createValidatorCommand, {}, ...words);
        // A replay that finds another epoch than the stored one has said so.
        const hasAnswer = code === 0 || (command === "replay" && stdout !== "");
        expect(stderr).toMatch(hasAnswer ? /^$/ : /^error: .{20}/);
        if (seed === 0) expect(code).toBe(0);
        if (code !== 0) refused.add(command!);
      }
      rmSync(home, { recursive: true });
    }
    expect([...refused].sort()).toEqual(["export", "migrate", "replay"]);
  });

  test("names a full disk, whoever says so", () => {
    const causes = [
      Object.assign(new Error("database or disk is full"), { code: "ERR_SQLITE_ERROR", errcode: 13 }),
      Object.assign(new Error("ENOSPC: no space left on device, write"), { code: "ENOSPC" }),
      new Error("could not write", { cause: Object.assign(new Error("quota"), { code: "EDQUOT" }) }),
    ];
    for (const cause of causes) {
      const error = explainStorageFailure(cause, "/data");
      expect(error).toMatchObject({ code: "disk_full", cause });
      expect(error.message).toContain("/data is full: make room");
    }
    const other = new Error("something else");
    expect(explainStorageFailure(other, "/data")).toBe(other);
  });
});
