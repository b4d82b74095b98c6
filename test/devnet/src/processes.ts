/** The devnet's processes: the validator, always one of its own, and isolated hotspots, started by the operators' command. */
import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { createInterface } from "node:readline";

/** What the validator says in one JSON line when it is ready. */
export type ValidatorReady = {
  readonly http: string;
  readonly multiaddrs: readonly string[];
  readonly did: string;
};

/** A process that runs until it is stopped. */
export type HexbeaconProcess<Ready> = {
  readonly ready: Ready;
  readonly pid: number;
  /** Resolves with the exit code, or the signal's name, when the process has gone. */
  readonly exited: Promise<number | string>;
  /** Asks it to stop, and kills it when it has not gone after the grace period. */
  readonly stop: () => Promise<void>;
  /** SIGKILL: the crash that must lose nothing. */
  readonly kill: () => Promise<void>;
  /** SIGSTOP and SIGCONT: it holds its sockets and answers nothing, and then goes on as if nothing had been. */
  readonly pause: () => void;
  readonly resume: () => void;
};

const CLI = new URL("../../../validator/src/cli/main.ts", import.meta.url).pathname;
/** Stripped and compiled sources, which are two fifths of a start's work: several processes share them. */
export const COMPILE_CACHE = new URL("../../../node_modules/.cache/hexbeacon", import.meta.url).pathname;
/** A validator promises to stop within 5 s. */
const STOP_GRACE_MS = 5_000;
/** Recovery replays at most an epoch; a machine under load still starts within this. */
const READY_LIMIT_MS = 60_000;

/** How a process differs from all others: flags behind the usual ones, and variables beside the own environment's. */
export type ProcessExtras = {
  readonly flags?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
};

export type ValidatorProcessOptions = {
  readonly home: string;
  readonly genesisFile: string;
  readonly listen: string;
  readonly http: string;
  /** Null takes the validator's own choice. */
  readonly verifierThreads?: number | null;
  /** Where the process's log goes. */
  readonly logFile: string;
  readonly extras?: ProcessExtras | undefined;
};

/** Runs one `hexbeacon` command as a process and collects what it prints. */
export function runHexbeacon(
  args: readonly string[],
): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [CLI, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.on("data", (chunk) => {
      stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    child.once("error", reject);
    child.once("close", (code) => resolve({ code: code ?? -1, stdout, stderr }));
  });
}

/** Starts a hexbeacon command that runs until stopped and says one JSON line on stdout when it is ready. */
export async function startHexbeacon<Ready>(
  args: readonly string[],
  logFile: string,
  { flags = [], env = {} }: ProcessExtras = {},
): Promise<HexbeaconProcess<Ready>> {
  const child = spawn(process.execPath, [CLI, ...args, ...flags], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { NODE_COMPILE_CACHE: COMPILE_CACHE, ...process.env, ...env },
  });
  child.stderr.pipe(createWriteStream(logFile, { flags: "a" }));
  const exited = new Promise<number | string>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? signal ?? -1));
  });
  const ready = await firstLine(child, exited, logFile);
  return {
    ready: JSON.parse(ready) as Ready,
    pid: child.pid!,
    exited,
    stop: () => stopProcess(child, exited),
    kill: async () => {
      child.kill("SIGKILL");
      await exited;
    },
    pause: () => void child.kill("SIGSTOP"),
    resume: () => void child.kill("SIGCONT"),
  };
}

/** Starts a validator and waits until it serves. @throws Error with the log's place where it ends or hangs instead. */
export function startValidator(options: ValidatorProcessOptions): Promise<HexbeaconProcess<ValidatorReady>> {
  const { home, genesisFile, listen, http, logFile, verifierThreads = null } = options;
  const args = [
    "validator",
    "run",
    "--home",
    home,
    "--genesis",
    genesisFile,
    "--listen",
    listen,
    "--http",
    http,
  ];
  if (verifierThreads !== null) args.push("--verifier-threads", String(verifierThreads));
  return startHexbeacon<ValidatorReady>(
    [...args, "--ready-json", "--exit-with-parent"],
    logFile,
    options.extras,
  );
}

async function firstLine(
  child: ChildProcess,
  exited: Promise<number | string>,
  logFile: string,
): Promise<string> {
  const lines = createInterface({ input: child.stdout! });
  let timer: NodeJS.Timeout | undefined;
  const line = await Promise.race([
    new Promise<string>((resolve) => lines.once("line", resolve)),
    exited.then((how) => new Error(`it ended (${how})`)),
    new Promise<Error>((resolve) => {
      timer = setTimeout(
        () => resolve(new Error(`it was not ready after ${READY_LIMIT_MS} ms`)),
        READY_LIMIT_MS,
      );
    }),
  ]);
  clearTimeout(timer);
  if (typeof line === "string") return line;
  child.kill("SIGKILL");
  throw new Error(`The process did not start: ${line.message}. Its log is ${logFile}.`);
}

async function stopProcess(child: ChildProcess, exited: Promise<number | string>): Promise<void> {
  child.kill("SIGTERM");
  child.kill("SIGCONT");
  const timer = setTimeout(() => child.kill("SIGKILL"), STOP_GRACE_MS);
  await exited;
  clearTimeout(timer);
}
