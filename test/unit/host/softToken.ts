/** A token of SoftHSM in a folder of its own: a secure element in software, as Debian's packages softhsm2 and opensc bring it. */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

const MODULE = ["/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"].find(
  existsSync,
);
const has = (command: string) => spawnSync("which", [command]).status === 0;

/** Whether a token can be made here; what needs one is skipped where not. */
export const isTokenThere = MODULE !== undefined && has("softhsm2-util") && has("pkcs11-tool");
export const TOKEN_PIN = "271828";
export const TOKEN_LABEL = "roof";

export type SoftToken = {
  readonly module: string;
  /** What the library finds the token by. */
  readonly env: { readonly SOFTHSM2_CONF: string };
  /** Runs `pkcs11-tool` on the token, logged in. */
  readonly runTool: (...args: string[]) => void;
  /** A hotspot's flags for the key pair 01. */
  readonly flags: readonly string[];
};

/** Makes a token with a key pair of P-256 that has the id 01. @param folder is created. */
export async function createSoftToken(folder: string): Promise<SoftToken> {
  await mkdir(join(folder, "tokens"), { recursive: true });
  const env = { SOFTHSM2_CONF: join(folder, "softhsm.conf") };
  await writeFile(env.SOFTHSM2_CONF, `directories.tokendir = ${join(folder, "tokens")}\n`);
  const pinFile = join(folder, "pin");
  await writeFile(pinFile, `${TOKEN_PIN}\n`, { mode: 0o600 });
  const module = MODULE!;
  const run = (command: string, ...args: string[]) =>
    void execFileSync(command, args, { env: { ...process.env, ...env }, stdio: "pipe" });
  const pins = ["--pin", TOKEN_PIN, "--so-pin", "31415926"];
  run("softhsm2-util", "--init-token", "--free", "--label", TOKEN_LABEL, ...pins);
  const runTool = (...args: string[]) =>
    run(
      "pkcs11-tool",
      "--module",
      module,
      "--token-label",
      TOKEN_LABEL,
      "--login",
      "--pin",
      TOKEN_PIN,
      ...args,
    );
  runTool("--keypairgen", "--key-type", "EC:prime256v1", "--label", "hexbeacon", "--id", "01");
  const flags = ["--device-key-module", module, "--device-key-token", TOKEN_LABEL];
  return { module, env, runTool, flags: [...flags, "--device-key-pin-file", pinFile] };
}
