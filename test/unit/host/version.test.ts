/** What a program calls itself: the package's version, with the commit that it was made of. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { appendCommit, readCommit, VERSION } from "../../../node/src/host/version.ts";

const ROOT = join(import.meta.dirname, "../../..");
const COMMIT = "0123456789abcdef0123456789abcdef01234567";
const OTHER = "fedcba9876543210fedcba9876543210fedcba98";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hexbeacon-version-"));
});

const put = async (files: Record<string, string>): Promise<void> => {
  for (const [file, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  }
};

describe("the commit", () => {
  const packed = `# pack-refs with: peeled\n${OTHER} refs/heads/main-2\n${COMMIT} refs/heads/main\n^${OTHER}\n`;
  test.each([
    ["of a branch", { HEAD: "ref: refs/heads/main\n", "refs/heads/main": `${COMMIT}\n` }],
    ["of a packed branch", { HEAD: "ref: refs/heads/main\n", "packed-refs": packed }],
    [
      "of one that went on since it was packed",
      { HEAD: "ref: refs/heads/main-2\n", "refs/heads/main-2": `${COMMIT}\n`, "packed-refs": packed },
    ],
    ["of no branch", { HEAD: `${COMMIT}\n` }],
  ])("%s is read", async (_, files) => {
    await put(files);
    expect(readCommit(folder)).toBe(COMMIT);
  });

  test("is none without a repository, or before the first", async () => {
    expect(readCommit(folder)).toBeNull();
    await put({ HEAD: "ref: refs/heads/main\n" });
    expect(readCommit(folder)).toBeNull();
  });
});

describe("the version", () => {
  test("takes twelve characters of a commit, once, and nothing else", () => {
    expect(appendCommit("1.2.3", COMMIT)).toBe("1.2.3+0123456789ab");
    expect(appendCommit("1.2.3", "0123456")).toBe("1.2.3+0123456");
    expect(appendCommit("1.2.3+20260101", COMMIT)).toBe("1.2.3+20260101");
    for (const none of [null, undefined, "", "main", "0123456-dirty"])
      expect(appendCommit("1.2.3", none)).toBe("1.2.3");
  });

  test("is the package's, which is not 0.0.0, and the lock file's", async () => {
    const read = async (file: string) => JSON.parse(await readFile(join(ROOT, file), "utf8"));
    const { version } = await read("package.json");
    expect(version).not.toBe("0.0.0");
    const lock = await read("package-lock.json");
    expect([lock.version, lock.packages[""].version]).toEqual([version, version]);
    expect(VERSION.split("+")[0]).toBe(version);
  });

  test.skipIf(!existsSync(join(ROOT, ".git/HEAD")))("of a checkout names its commit", () => {
    const head = execFileSync("git", ["rev-parse", "HEAD"], { cwd: ROOT, encoding: "utf8" }).trim();
    expect(appendCommit("1", readCommit(join(ROOT, ".git")))).toBe(`1+${head.slice(0, 12)}`);
  });
});
