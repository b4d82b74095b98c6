import { chmod, mkdtemp, readdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, describe, expect, test } from "vitest";
import { createKeyFile, isKeySealed, openKeyFile, writeKeyFile } from "../../../node/src/host/keystore.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hexbeacon-key-"));
  path = join(folder, "key");
});

describe("the key file", () => {
  test("is private, comes back as it was made, and leaves nothing beside it", async () => {
    const made = await createKeyFile(path);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await openKeyFile(path)).toEqual(made);
    expect(await readdir(folder)).toEqual(["key"]);
  });

  test("of many that race to create it one wins, and it is never overwritten", async () => {
    const results = await Promise.allSettled(Array.from({ length: 20 }, () => createKeyFile(path)));
    const winners = results.filter((result) => result.status === "fulfilled");
    expect(winners).toHaveLength(1);
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "key_exists" });
    }
    expect(await openKeyFile(path)).toEqual(winners[0]!.value);
    await expect(writeKeyFile(path, new Uint8Array(32))).rejects.toMatchObject({ code: "key_exists" });
    expect(await readdir(folder)).toEqual(["key"]);
  });

  test("is refused where others could use it, where it is a link, and where it is none", async () => {
    await expect(openKeyFile(path)).rejects.toMatchObject({ code: "key_missing" });
    const { secretSeed } = await createKeyFile(path);
    for (const mode of [0o640, 0o604, 0o660, 0o601]) {
      await chmod(path, mode);
      await expect(openKeyFile(path)).rejects.toMatchObject({ code: "key_not_private" });
    }
    await chmod(path, 0o600);
    await symlink(path, join(folder, "link"));
    await expect(openKeyFile(join(folder, "link"))).rejects.toMatchObject({ code: "key_not_private" });
    const text = await readFile(path, "latin1");
    for (const bad of [
      "",
      text.slice(0, -2),
      `${text}x`,
      text.replace("seed-1", "seed-3"),
      "x".repeat(5_000),
    ]) {
      await writeFile(join(folder, "bad"), bad, { mode: 0o600 });
      const refused = openKeyFile(join(folder, "bad"));
      await expect(refused).rejects.toMatchObject({ code: "key_malformed" });
      const error = (await refused.catch((reason: unknown) => reason)) as Error;
      expect(String(error.stack)).not.toContain(encodeHex(secretSeed).slice(0, 12));
    }
  });

  test("under a passphrase opens with that one only, and shows nothing of the seed", async () => {
    const made = await createKeyFile(path, { passphrase: "caf\u00e9 au lait" });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const text = await readFile(path, "latin1");
    expect(text).toMatch(/^hexbeacon-ed25519-seed-2\nscrypt 15 8 3 [0-9a-f]{32}\n/);
    expect(text).not.toContain(encodeHex(made.secretSeed).slice(0, 12));
    expect(await isKeySealed(path)).toBe(true);
    // An accent typed as a character of its own is the same passphrase.
    expect(await openKeyFile(path, async () => "cafe\u0301 au lait")).toEqual(made);
    await expect(openKeyFile(path)).rejects.toMatchObject({ code: "passphrase_missing" });
    await expect(openKeyFile(path, async () => "cafe au lait")).rejects.toMatchObject({
      code: "passphrase_wrong",
      message: expect.not.stringContaining("cafe"),
    });
    for (const [from, to, code] of [
      ["scrypt 15", "scrypt 14", "passphrase_wrong"],
      ["scrypt 15", "scrypt 31", "key_malformed"],
      ["aes-256-gcm", "aes-128-gcm", "key_malformed"],
    ] as const) {
      await writeFile(path, text.replace(from, to));
      await expect(openKeyFile(path, async () => "caf\u00e9 au lait")).rejects.toMatchObject({ code });
    }
  });

  test.skipIf(process.getuid?.() !== 0)("is refused where it belongs to another user", async () => {
    await createKeyFile(path);
    const { chown } = await import("node:fs/promises");
    await chown(path, 12_345, 12_345);
    await expect(openKeyFile(path)).rejects.toMatchObject({ code: "key_foreign_owner" });
  });
});
