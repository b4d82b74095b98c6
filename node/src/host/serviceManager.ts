/**
 * Tells systemd how the program stands (sd_notify): ready, what it does in words, and that it is alive. Node has no Unix
 * datagram sockets, and the packages that add them are native ones with install scripts, so systemd's own
 * `systemd-notify` speaks for it: a process of 5 ms twice in the watchdog's time. Without systemd nothing happens.
 */
import type { Clock, Log } from "./types.ts";

export type ServiceManagerOptions = {
  /** The environment, of which NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID and PATH are read. */
  readonly env: NodeJS.ProcessEnv;
  /** The program that speaks; for tests. */
  readonly command?: string;
};
export type ServiceManagerModules = { readonly clock: Clock; readonly log: Log };

/** How a program stands: one line, and whether it makes the progress that it should. */
export type ServiceHealth = { readonly words: string; readonly stalled: boolean };

export type ServiceManager = {
  /** Says that starting is done. */
  readonly ready: (words: string) => Promise<void>;
  /**
   * Asks for the health twice in the watchdog's time and passes it on; a stalled program is not called alive, so that it
   * is started anew. @returns what ends it.
   */
  readonly watch: (readHealth: () => ServiceHealth) => () => void;
};

const SEND_TIMEOUT_MS = 5_000;
/** Where the unit sets no watchdog: so often the words are renewed. */
const DEFAULT_INTERVAL_MS = 60_000;

/** Creates it; where no service manager has started this process, it does nothing. */
export function createServiceManager(
  { env, command = "systemd-notify" }: ServiceManagerOptions,
  { clock, log }: ServiceManagerModules,
): ServiceManager {
  if (env.NOTIFY_SOCKET === undefined || env.NOTIFY_SOCKET === "") {
    return { ready: async () => undefined, watch: () => () => undefined };
  }
  // Only what it needs: the rest may hold a passphrase.
  const environment = { NOTIFY_SOCKET: env.NOTIFY_SOCKET, PATH: env.PATH ?? "/usr/bin:/bin" };
  let sending = false;
  let failed = false;
  /** What is said after the command that runs now: only the newest is worth it. */
  let next: readonly string[] | null = null;
  const run = async (args: readonly string[]): Promise<void> => {
    const { execFile } = await import("node:child_process");
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const options = { env: environment, timeout: SEND_TIMEOUT_MS };
    execFile(command, args, options, (error) => (error === null ? resolve() : reject(error)));
    await promise;
  };
  const send = async (...args: string[]): Promise<void> => {
    next = args;
    if (sending) return;
    sending = true;
    for (let words: readonly string[] | null = args; words !== null; words = next) {
      next = null;
      await run(words).catch((error: unknown) => {
        if (!failed) log.warn("Cannot tell the service manager", { error: String(error) });
        failed = true;
      });
    }
    sending = false;
  };
  const watchdogMs = readWatchdogMs(env);
  return {
    ready: (words) => send("--ready", `--status=${words}`),
    watch: (readHealth) =>
      clock.every(watchdogMs === null ? DEFAULT_INTERVAL_MS : watchdogMs / 2, () => {
        const { words, stalled } = readHealth();
        if (stalled) log.warn("Make no progress; let the service manager restart", { words });
        void send(`--status=${words}`, ...(stalled ? [] : ["WATCHDOG=1"]));
      }),
  };
}

/** The watchdog's time, or null where the unit has none, or means another process. */
function readWatchdogMs({ WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv): number | null {
  const usec = Number(WATCHDOG_USEC);
  if (!(usec > 0) || (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(process.pid))) return null;
  return usec / 1_000;
}
