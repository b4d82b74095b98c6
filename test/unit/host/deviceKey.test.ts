/** The device key through PKCS#11, on SoftHSM: a real token in software, as Debian's packages softhsm2 and opensc bring it. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openPkcs11DeviceKey, type Pkcs11Options } from "../../../node/src/host/deviceKey.ts";
import { encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { verifyP256 } from "../../../protocol/src/crypto/p256.ts";
import { runWith } from "../nodeCli/runNode.ts";

const MODULE = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"].find(
  existsSync,
);
const has = (command: string) => spawnSync("which", [command]).status === 0;
const isThere = MODULE !== undefined && has("softhsm2-util") && has("pkcs11-tool");
const PIN = "271828";
const HIGH_S_BIT = 0x80;

let folder: string;
let env: NodeJS.ProcessEnv;
const open = (change: Partial<Pkcs11Options> = {}) =>
  openPkcs11DeviceKey({
    ...{ module: MODULE ?? "", token: "roof", id: "01", readPin: async () => PIN, env, ...change },
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hexbeacon-token-"));
  if (!isThere) return;
  await mkdir(join(folder, "tokens"));
  await writeFile(join(folder, "softhsm.conf"), `directories.tokendir = ${join(folder, "tokens")}\n`);
  env = { SOFTHSM2_CONF: join(folder, "softhsm.conf") };
  const run = (command: string, ...args: string[]) =>
    execFileSync(command, args, { env: { ...process.env, ...env }, stdio: "pipe" });
  run("softhsm2-util", "--init-token", "--free", "--label", "roof", "--pin", PIN, "--so-pin", "31415926");
  const tool = ["--module", MODULE!, "--token-label", "roof", "--login", "--pin", PIN, "--keypairgen"];
  run("pkcs11-tool", ...tool, "--key-type", "EC:prime256v1", "--label", "hexbeacon", "--id", "01");
  run("pkcs11-tool", ...tool, "--key-type", "rsa:2048", "--label", "another kind", "--id", "02");
}, 60_000);
afterAll(() => rm(folder, { recursive: true }));

describe.skipIf(!isThere)("a device key (skipped where softhsm2 or opensc is not installed)", () => {
  test("signs in its token, always with the low half, and is the same when it is opened again", async () => {
    const key = await open();
    expect(key.publicKey).toHaveLength(33);
    expect((await open()).publicKey).toEqual(key.publicKey);
    for (let i = 0; i < 8; i++) {
      const message = new Uint8Array([i]);
      const signature = await key.sign(message);
      expect(verifyP256(key.publicKey, message, signature)).toBe(true);
      expect(verifyP256(key.publicKey, new Uint8Array([i, i]), signature)).toBe(false);
      // Half of what the token gives has the other half; a first byte above this would be one.
      expect(signature[32]! & HIGH_S_BIT).toBe(0);
    }
  }, 30_000);

  test("is not opened, or gives nothing, where anything is wrong, and the PIN is in no message", async () => {
    const fails = async (words: string, change: Partial<Pkcs11Options>) => {
      const told = open(change).then((key) => key.sign(new Uint8Array(1)));
      await expect(told).rejects.toMatchObject({
        ...{ code: "device_key_failed", message: expect.stringContaining(words) },
      });
      await expect(told).rejects.not.toMatchObject({ message: expect.stringContaining("161803") });
    };
    await fails("CKR_PIN_INCORRECT", { readPin: async () => "161803" });
    await fails("not found", { id: "07" });
    await fails("nobody", { token: "nobody" });
    await fails("no key of P-256", { id: "02" });
    await fails("dlopen failed", { module: join(folder, "none.so") });
    await fails("install opensc", { command: "pkcs11-tool-that-is-not-there" });
    // One that lies: what it gives is no signature of the key.
    const liar = join(folder, "liar");
    await writeFile(
      liar,
      `#!/bin/sh\ncase "$*" in *--sign*) head -c 64 /dev/zero | tr '\\0' 1;; *) exec pkcs11-tool "$@";; esac\n`,
    );
    await chmod(liar, 0o755);
    await fails("no signature of it", { command: liar });
  }, 30_000);

  test("is shown by `node device-key`, which says what is not set", async () => {
    const pinFile = join(folder, "pin");
    await writeFile(pinFile, `${PIN}\n`, { mode: 0o600 });
    const flags = ["device-key", "--device-key-module", MODULE!, "--device-key-token", "roof"];
    const { code, stdout, stderr } = await runWith({ env }, ...flags, "--device-key-pin-file", pinFile);
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toMatchObject({ publicKey: encodeHex0x((await open()).publicKey) });
    const bare = await runWith({ env }, "device-key");
    expect(bare.code).toBe(2);
    for (const flag of ["module", "token", "pin-file"]) expect(bare.stderr).toContain(`--device-key-${flag}`);
    await chmod(pinFile, 0o644);
    const readable = await runWith({ env }, ...flags, "--device-key-pin-file", pinFile);
    expect(readable.stderr).toContain("others may use");
  }, 30_000);
});
