/**
 * The hotspot's Debian package on a bare Debian: installs, runs as its own user, keeps settings and home over an upgrade,
 * and leaves nothing behind when it is purged but the key. No systemd runs there, as in any container.
 */
import { execFileSync } from "node:child_process";
import { chmod, cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { encodeGenesisJson } from "../../../protocol/src/network/genesis.ts";
import { createTestGenesis, newKey } from "../../unit/hotspot/fakeValidator.ts";
import { type ContainerShell, findContainerShell, openContainerShell } from "./containerShell.ts";

const ROOT = join(import.meta.dirname, "../../..");
const IMAGE = "docker.io/library/debian:bookworm-slim";
const MINUTE_MS = 60_000;
const isAsked = process.env.HEXBEACON_CONTAINERS === "1";
/** Makes a package of a version, quickly. Its time is given, so that a commit in between changes nothing. */
function makePackage(version: string, out: string): void {
  const flags = ["--arch", "amd64", "--compression", "0", "--version", version, "--out", out];
  const env = { ...process.env, SOURCE_DATE_EPOCH: "1800000000" };
  execFileSync(process.execPath, [join(ROOT, "node/packaging/main.ts"), ...flags], { env });
}

const found = isAsked
  ? findContainerShell()
  : ({
      ok: false,
      reason: "CI's quarter of an hour has no room for its minutes; npm run test:containers",
    } as const);

describe.skipIf(!found.ok)(`the hotspot's package${found.ok ? "" : ` (skipped: ${found.reason})`}`, () => {
  let folder: string;
  let shell: ContainerShell;
  let container: string;
  const inside = (command: string) => shell.run(`docker exec ${container} sh -c '${command}'`);
  const asHotspot = (command: string) =>
    inside(`setpriv --reuid hexbeacon --regid hexbeacon --clear-groups ${command}`);

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "hexbeacon-package-"));
    // The hotspot's user in the container reads genesis in it.
    await chmod(folder, 0o755);
    for (const version of ["1.0.0", "1.0.1"]) makePackage(version, folder);
    await writeFile(join(folder, "genesis.json"), encodeGenesisJson(createTestGenesis([newKey()], [])), {
      mode: 0o644,
    });
    shell = openContainerShell(found.ok ? found.argv : []);
    const options = `--network none -v ${folder}:/packages:ro`;
    container = (await shell.run(`docker run -d ${options} ${IMAGE} sleep 600`)).trim().split("\n").at(-1)!;
  }, 5 * MINUTE_MS);
  afterAll(async () => {
    await shell?.run(`docker rm -f -t 0 ${container}`).catch(() => {});
    shell?.close();
    await rm(folder, { recursive: true, force: true });
  }, MINUTE_MS);

  test(
    "installs where no systemd runs, with a user and a folder of its own",
    async () => {
      await inside("dpkg -i /packages/hexbeacon-node_1.0.0_amd64.deb");
      expect(await inside("hexbeacon --version")).toBe("1.0.0\n");
      expect(await inside("stat -c %U:%G:%a /var/lib/hexbeacon-node")).toBe("hexbeacon:hexbeacon:700\n");
      expect(await inside("hexbeacon node config --print")).toMatch(
        /^home = "\/var\/lib\/hexbeacon-node" +# \/etc\/hexbeacon\/node\.toml$/m,
      );
      expect(await inside("dpkg --verify hexbeacon-node")).toBe("");
    },
    MINUTE_MS,
  );

  test(
    "runs a hotspot as its user, and refuses to make a home that is root's",
    async () => {
      const owner = encodeDidKey(newKey().publicKey);
      const flags = `--region EU868 --owner ${owner} --location 46.95,7.45 --gain 2.15 --genesis /packages/genesis.json`;
      await expect(inside(`hexbeacon node init ${flags}`)).rejects.toThrow("belongs to another user");
      const [did] = (await asHotspot(`hexbeacon node init ${flags}`)).split("\n");
      await asHotspot('sh -c "hexbeacon node run --ready-json >/tmp/ready 2>/tmp/log & echo \\$! >/tmp/pid"');
      // There is no event to wait for from outside of the container.
      await inside('timeout 20 sh -c "until [ -s /tmp/ready ]; do sleep 0.1; done"');
      expect(await inside("hexbeacon node status")).toContain(did);
      await inside("kill $(cat /tmp/pid)");
    },
    MINUTE_MS,
  );

  test(
    "keeps changed settings and the home over an upgrade",
    async () => {
      const key = await inside("cat /var/lib/hexbeacon-node/key");
      await inside('sed -i "/^http/d; 1i http = \\"127.0.0.1:4999\\"" /etc/hexbeacon/node.toml');
      await inside("dpkg -i /packages/hexbeacon-node_1.0.1_amd64.deb");
      expect(await inside("hexbeacon --version")).toBe("1.0.1\n");
      expect(await inside("hexbeacon node config --print")).toContain("127.0.0.1:4999");
      expect(await inside("cat /var/lib/hexbeacon-node/key")).toBe(key);
    },
    MINUTE_MS,
  );

  test(
    "starts again when it is back after a removal, and not where it was disabled; an upgrade only restarts it",
    async () => {
      // A stand-in for systemctl, which notes what it is asked for, in a machine that systemd seems to run.
      const wants = "/etc/systemd/system/multi-user.target.wants";
      const link = `${wants}/hexbeacon-node.service`;
      await inside(`mkdir -p /run/systemd/system ${wants}`);
      await inside(`printf "#!/bin/sh\\necho \\$* >>/tmp/asked\\n" >/usr/bin/systemctl`);
      await inside("chmod 755 /usr/bin/systemctl");
      const install = async () => {
        await inside("rm -f /tmp/asked; dpkg -i /packages/hexbeacon-node_1.0.1_amd64.deb");
        return (await inside("cat /tmp/asked")).split("\n").filter((line) => line.includes("hexbeacon-node"));
      };
      const restarts = ["try-restart hexbeacon-node.service"];
      await inside(`ln -s /usr/lib/systemd/system/hexbeacon-node.service ${link}`);
      expect(await install()).toEqual(restarts);
      await inside("dpkg --remove hexbeacon-node");
      await expect(inside(`ls -d ${link}`)).rejects.toThrow("No such file");
      expect(await install()).toEqual([
        "enable --quiet hexbeacon-node.service",
        "start hexbeacon-node.service",
      ]);
      // The stand-in has made no link: so a hotspot looks that its operator has disabled.
      await inside("dpkg --remove hexbeacon-node");
      expect(await install()).toEqual(restarts);
      await inside("rm -r /run/systemd/system /usr/bin/systemctl");
    },
    MINUTE_MS,
  );

  test(
    "is gone after a purge, but for the key, which only root can read",
    async () => {
      await inside("dpkg --remove hexbeacon-node");
      expect(await inside("ls /var/lib/hexbeacon-node /etc/hexbeacon")).toMatch(/node\.toml[\s\S]*key/);
      expect(await inside("dpkg --purge hexbeacon-node")).toContain("key is kept in /var/backups/");
      const paths = [
        "/etc/hexbeacon",
        "/var/lib/hexbeacon-node*",
        "/usr/lib/hexbeacon",
        "/usr/bin/hexbeacon",
      ];
      for (const path of paths) await expect(inside(`ls -d ${path}`)).rejects.toThrow("No such file");
      await expect(inside("getent passwd hexbeacon")).rejects.toThrow();
      expect(await inside("stat -c %U:%a /var/backups/hexbeacon-node.*/key")).toBe("root:600\n");
      await expect(inside("dpkg -s hexbeacon-node")).rejects.toThrow("not installed");
    },
    MINUTE_MS,
  );

  test(
    "is the same, byte for byte, when it is made again",
    async () => {
      const again = join(folder, "again");
      await cp(join(folder, "hexbeacon-node_1.0.1_amd64.deb"), join(folder, "first.deb"));
      makePackage("1.0.1", again);
      const [first, second] = await Promise.all(
        [join(folder, "first.deb"), join(again, "hexbeacon-node_1.0.1_amd64.deb")].map((path) =>
          readFile(path),
        ),
      );
      expect(first!.equals(second!)).toBe(true);
    },
    MINUTE_MS,
  );
});
