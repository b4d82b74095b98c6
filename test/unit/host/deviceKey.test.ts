/** The device key through PKCS#11, on SoftHSM. */
import { chmod, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { CodedError } from "../../../node/src/host/codedError.ts";
import { openPkcs11DeviceKey, type Pkcs11Options } from "../../../node/src/host/deviceKey.ts";
import { encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { verifyP256 } from "../../../protocol/src/crypto/p256.ts";
import { runWith } from "../nodeCli/runNode.ts";
import { createSoftToken, isTokenThere, type SoftToken, TOKEN_LABEL, TOKEN_PIN } from "./softToken.ts";

const HIGH_S_BIT = 0x80;

let folder: string;
let token: SoftToken;
const open = (change: Partial<Pkcs11Options> = {}) =>
  openPkcs11DeviceKey({
    module: token.module,
    token: TOKEN_LABEL,
    id: "01",
    readPin: async () => TOKEN_PIN,
    env: token.env,
    ...change,
  });

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hexbeacon-token-"));
  if (!isTokenThere) return;
  token = await createSoftToken(folder);
  token.runTool("--keypairgen", "--key-type", "rsa:2048", "--label", "another kind", "--id", "02");
});

describe.skipIf(!isTokenThere)("a device key (skipped where softhsm2 or opensc is not installed)", () => {
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
  });

  test("is not opened, or gives nothing, where anything is wrong, and the PIN is in no message", async () => {
    const fails = async (words: string, change: Partial<Pkcs11Options>) => {
      const told = open(change).then((key) => key.sign(new Uint8Array(1)));
      await expect(told).rejects.toMatchObject({
        code: "device_key_failed",
        message: expect.stringContaining(words),
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
  });

  test("asks with a PIN that was refused only once, however often it is to sign, until another one is set", async () => {
    const logins = join(folder, "logins");
    const counting = join(folder, "counting");
    await writeFile(
      counting,
      `#!/bin/sh\ncase "$*" in *--login*) echo >>${logins};; esac\nexec pkcs11-tool "$@"\n`,
    );
    await chmod(counting, 0o755);
    let pin = "161803";
    const key = await open({ command: counting, readPin: async () => pin });
    const countLogins = async () => (await readFile(logins, "utf8")).length;
    const fails = async (words: string) => {
      await expect(key.sign(new Uint8Array(1))).rejects.toMatchObject({
        code: "device_key_failed",
        message: expect.stringContaining(words),
      });
    };
    await fails("CKR_PIN_INCORRECT");
    await fails("has refused this PIN before");
    expect(await countLogins()).toBe(1);
    pin = "141421";
    await fails("CKR_PIN_INCORRECT");
    pin = TOKEN_PIN;
    expect(await key.sign(new Uint8Array(1))).toHaveLength(64);
    expect(await countLogins()).toBe(3);
  });

  test("that cannot have its PIN fails as one that is away, and says why", async () => {
    const readPin = async () => {
      throw new CodedError("key_not_private", "others may use the file");
    };
    const key = await open({ readPin });
    await expect(key.sign(new Uint8Array(1))).rejects.toMatchObject({
      code: "device_key_failed",
      message: expect.stringContaining("others may use the file"),
    });
  });

  test("is shown by `node device-key`, which says what is not set", async () => {
    const { env, flags } = token;
    const { code, stdout, stderr } = await runWith({ env }, "device-key", ...flags);
    expect([code, stderr]).toEqual([0, ""]);
    expect(JSON.parse(stdout)).toMatchObject({ publicKey: encodeHex0x((await open()).publicKey) });
    const bare = await runWith({ env }, "device-key");
    expect(bare.code).toBe(2);
    for (const flag of ["module", "token", "pin-file"]) expect(bare.stderr).toContain(`--device-key-${flag}`);
    await chmod(flags.at(-1)!, 0o644);
    const readable = await runWith({ env }, "device-key", ...flags);
    expect(readable.stderr).toContain("others may use");
  });
});
