/**
 * A hotspot as its package runs it, in a process of its own, between a validator and a packet forwarder that a bench or a
 * test plays: what it costs and what it survives is measured from outside.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { BUNDLE_FILE, writeBundle } from "../../node/packaging/bundle.ts";
import { CONFIG_FILE, encodeConfigToml, KEY_FILE } from "../../node/src/cli/config.ts";
import { writeKeyFile } from "../../node/src/host/keystore.ts";
import type { HotspotStatus } from "../../node/src/hotspot/status.ts";
import type { Ed25519KeyPair } from "../../protocol/src/crypto/ed25519.ts";
import { encodeGenesisJson, type Genesis } from "../../protocol/src/network/genesis.ts";
import { createTestGenesis, FakeValidator, newKey } from "../unit/hotspot/fakeValidator.ts";

const LAUNCHER = new URL("../../node/packaging/debian/hexbeacon", import.meta.url);
/** Linux counts a process's time in hundredths of a second. */
const TICKS_PER_S = 100;
const PAGE_BYTES = 4_096;

/** One life of the hotspot's process. */
export type HotspotLife = {
  readonly pid: number;
  readonly http: string;
  readonly gwmpPort: number;
  /** From the start of the process to its line that it is ready. */
  readonly startMs: number;
  readonly exited: Promise<number | NodeJS.Signals>;
  signal(name: NodeJS.Signals): void;
  readStatus(): Promise<HotspotStatus>;
};

export type HotspotRig = {
  readonly home: string;
  readonly genesis: Genesis;
  readonly keyPair: Ed25519KeyPair;
  readonly validator: FakeValidator;
  /** Starts the process; the one before must have ended. @param flags further ones of `node run`. */
  start(...flags: string[]): Promise<HotspotLife>;
  close(): Promise<void>;
};

/** Builds the bundle, and prepares a home that knows the validator. */
export async function openHotspotRig(parameters: Partial<Genesis["parameters"]>): Promise<HotspotRig> {
  const folder = await mkdtemp(join(tmpdir(), "hexbeacon-rig-"));
  const [program, home] = [join(folder, "program"), join(folder, "home")];
  await writeBundle(program, "0.0.0");
  await mkdir(home, { mode: 0o700 });
  const [validatorKey, keyPair] = [newKey(), newKey()];
  const genesis = createTestGenesis([validatorKey], [keyPair], parameters);
  const genesisFile = join(home, "genesis.json");
  await writeFile(genesisFile, encodeGenesisJson(genesis));
  await writeKeyFile(join(home, KEY_FILE), keyPair.secretSeed);
  const place = { latitude: 46.95, longitude: 7.45, elevationM: 10, gainCentiDbi: 200 };
  const config = { owner: keyPair.publicKey, region: "EU868" as const, ...place };
  await writeFile(join(home, CONFIG_FILE), encodeConfigToml(config));
  const validator = await FakeValidator.start(validatorKey, genesis);
  const lives: ChildProcess[] = [];
  return {
    ...{ home, genesis, keyPair, validator },
    start: async (...flags) => {
      const where = ["--home", home, "--gwmp", "127.0.0.1:0", "--http", "127.0.0.1:0"];
      const args = ["node", "run", ...where, "--validator", validator.address, "--ready-json", ...flags];
      const { child, life } = await startLife([join(program, BUNDLE_FILE), ...args], home);
      lives.push(child);
      return life;
    },
    close: async () => {
      for (const child of lives) child.kill("SIGKILL");
      await validator.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The flags under which the package runs a hotspot, so that both always measure the same. */
function readLauncher(): {
  readonly flags: readonly string[];
  readonly env: Readonly<Record<string, string>>;
} {
  const text = readFileSync(LAUNCHER, "utf8");
  const flags = [...text.matchAll(/[\s"](--[a-z][\w-]*(?:=\d+)?)/g)].map((match) => match[1]!);
  const variables = [...text.matchAll(/^export (\w+)="\$\{\1:-(\w+)\}"/gm)];
  return { flags, env: Object.fromEntries(variables.map((match) => [match[1]!, match[2]!])) };
}

async function startLife(
  args: readonly string[],
  home: string,
): Promise<{ child: ChildProcess; life: HotspotLife }> {
  const startedMs = performance.now();
  const { flags, env } = readLauncher();
  const child = spawn(process.execPath, [...flags, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env.PATH, ...env },
  });
  child.stderr.pipe(createWriteStream(join(home, "log.txt"), { flags: "a" }));
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? signal!));
  });
  const line = await Promise.race([
    new Promise<string>((resolve) => createInterface({ input: child.stdout }).once("line", resolve)),
    exited.then(() => null),
  ]);
  if (line === null)
    throw new Error(`The hotspot did not start: ${await readFile(join(home, "log.txt"), "utf8")}`);
  const ready = JSON.parse(line) as { readonly http: string; readonly gwmp: string };
  const life: HotspotLife = {
    ...{ pid: child.pid!, http: ready.http, exited },
    gwmpPort: Number(ready.gwmp.split(":").at(-1)),
    startMs: performance.now() - startedMs,
    signal: (name) => void child.kill(name),
    readStatus: async () => (await (await fetch(`${ready.http}/v1/status`)).json()) as HotspotStatus,
  };
  return { child, life };
}

/** What the kernel counts of a process. */
export type ProcessFigures = {
  readonly residentBytes: number;
  readonly cpuMs: number;
  /** Bytes that the process has made the kernel write to the disk. */
  readonly writtenBytes: number;
};

/** Reads them. Linux only. */
export async function readProcess(pid: number): Promise<ProcessFigures> {
  const [stat, io] = await Promise.all([
    readFile(`/proc/${pid}/stat`, "utf8"),
    readFile(`/proc/${pid}/io`, "utf8"),
  ]);
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = Number(fields[11]) + Number(fields[12]);
  return {
    residentBytes: Number(fields[21]) * PAGE_BYTES,
    cpuMs: (ticks * 1_000) / TICKS_PER_S,
    writtenBytes: Number(/^write_bytes: (\d+)$/m.exec(io)![1]),
  };
}
