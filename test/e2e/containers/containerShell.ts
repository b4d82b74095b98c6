/**
 * A shell in which `docker` and `docker compose` work: those of the machine where it has them, or else stand-ins from
 * the tools that lie beside the checkout. Containers live as long as the shell.
 */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "../../..");
/** Only so much of what commands print is kept, for the message of a failure. */
const KEPT_CHARACTERS = 64 * 1024;

export type ContainerShell = {
  /** Runs a line of shell in the repository's root. @throws Error with what it printed where it fails. */
  readonly run: (command: string) => Promise<string>;
  readonly close: () => void;
};

/** What starts such a shell, or in words why there is none. */
export type FoundShell =
  | {
      readonly ok: true;
      readonly argv: readonly string[];
      /** Compose, with what its builds need beside the repository. */
      readonly compose: string;
    }
  | { readonly ok: false; readonly reason: string };

/** Finds it; installs the stand-ins where they are there and not set up, which takes minutes. */
export function findContainerShell(): FoundShell {
  if (spawnSync("docker", ["info"], { stdio: "ignore" }).status === 0)
    return { ok: true, argv: ["sh"], compose: "docker compose" };
  const tool = join(process.env.HEXBEACON_SHARED ?? join(ROOT, "../shared"), "tools/containers/containers");
  if (!existsSync(tool)) return { ok: false, reason: "no Docker engine, and no stand-in for one" };
  const setup = spawnSync(tool, ["setup"], { encoding: "utf8" });
  if (setup.status !== 0)
    return { ok: false, reason: `the stand-in could not be set up: ${setup.stderr?.slice(-400)}` };
  // Its network needs iptables, which it does not bring.
  const iptables = spawnSync("sh", ["-c", "command -v iptables || apt-get install -y -qq iptables"], {
    stdio: "ignore",
  });
  if (iptables.status !== 0)
    return { ok: false, reason: "the stand-in needs iptables, which could not be installed" };
  // Behind a proxy that signs TLS itself: the stand-in's compose has no build secrets of its own, and hands flags on.
  const ca = process.env.NODE_EXTRA_CA_CERTS;
  const secret = ca === undefined ? "" : ` --podman-build-args='--secret id=ca,src=${ca}'`;
  return { ok: true, argv: [tool, "sh", "sh"], compose: `docker compose${secret}` };
}

/** Starts the shell; its commands run one after another. */
export function openContainerShell(argv: readonly string[]): ContainerShell {
  const child = spawn(argv[0]!, argv.slice(1), {
    cwd: ROOT,
    // Podman: no namespaces to build in, healthchecks kept in the image, and no systemd that would run them.
    env: {
      ...process.env,
      BUILDAH_ISOLATION: "chroot",
      BUILDAH_FORMAT: "docker",
      DISABLE_HC_SYSTEMD: "true",
    },
  });
  let last: Promise<unknown> = Promise.resolve();
  return {
    run: (command) => {
      const result = last.then(() => runOne(child, command));
      last = result.catch(() => {});
      return result;
    },
    close: () => void child.stdin.end(),
  };
}

function runOne(child: ChildProcessWithoutNullStreams, command: string): Promise<string> {
  const end = `end-${randomUUID()}`;
  return new Promise((resolve, reject) => {
    let output = "";
    const finish = (settle: () => void): void => {
      child.stdout.off("data", onData);
      child.stderr.off("data", onData);
      child.off("exit", onExit);
      settle();
    };
    const onData = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-KEPT_CHARACTERS);
      const match = new RegExp(`${end} (\\d+)\\n`).exec(output);
      if (match === null) return;
      const text = output.slice(0, match.index);
      if (match[1] === "0") finish(() => resolve(text));
      else finish(() => reject(new Error(`${command} ended with ${match[1]}: ${text}`)));
    };
    const onExit = (): void => finish(() => reject(new Error(`the shell has ended: ${output}`)));
    child.stdout.on("data", onData);
    child.stderr.on("data", onData);
    child.on("exit", onExit);
    child.stdin.write(`( ${command} ) </dev/null 2>&1\necho "${end} $?"\n`);
  });
}
