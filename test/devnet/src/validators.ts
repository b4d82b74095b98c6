/** The devnet's validators: each a process with a home and a log of its own, killed and restarted where it was. */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import {
  type HexbeaconProcess,
  type ProcessExtras,
  startValidator,
  type ValidatorReady,
} from "./processes.ts";

/** A validator that can be down and come back. */
export type ValidatorRole = {
  /** Whether it runs, and is not paused. */
  readonly isUp: () => boolean;
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
  readonly kill: () => Promise<void>;
  /** Stops it where it stands, sockets and all, until it is resumed. */
  readonly pause: () => void;
  readonly resume: () => void;
  /** Of its newest start. */
  readonly pid: () => number;
  /** Where it is reached, by its newest start. */
  readonly ready: () => ValidatorReady;
  /** Where it ended by itself: how, and where its log is. */
  readonly describeEnd: () => string;
};

export type ValidatorRoleOptions = {
  readonly dataDir: string;
  readonly genesisFile: string;
  readonly index: number;
  /** Where the others look for it; null takes a free port, for a validator that nobody looks for before it runs. */
  readonly listen: string | null;
  /** Port of its HTTP API; 0 takes any free one. */
  readonly httpPort: number;
  /** Several share the machine's cores, and none needs threads for all of them. */
  readonly verifierThreads: number | null;
  /** Asked at each start. */
  readonly extras?: () => ProcessExtras;
};

/** The folder of a validator's home; the first one's name is that of a network of one. */
export const validatorName = (index: number): string => (index === 0 ? "validator" : `validator-${index}`);

export function createValidatorRole(options: ValidatorRoleOptions): ValidatorRole {
  const { dataDir, genesisFile, index, verifierThreads } = options;
  const name = validatorName(index);
  let process: HexbeaconProcess<ValidatorReady> | null = null;
  let last: ValidatorReady | null = null;
  let pid = 0;
  let isPaused = false;
  let end = "The validator is not running.";
  /** A restarted validator takes the ports it had: its hotspots know its address. */
  const addresses = () => ({
    listen:
      last === null
        ? (options.listen ?? "/ip4/127.0.0.1/tcp/0")
        : last.multiaddrs[0]!.replace(/\/p2p\/.*$/, ""),
    http: last === null ? `127.0.0.1:${options.httpPort}` : new URL(last.http).host,
  });
  const take = () => {
    const taken = process;
    process = null;
    isPaused = false;
    return taken;
  };
  return {
    isUp: () => process !== null && !isPaused,
    start: async () => {
      const logFile = join(dataDir, `${name}.log`);
      const home = join(dataDir, name);
      const started = await startValidator({
        ...{ home, genesisFile, logFile, verifierThreads, extras: options.extras?.() },
        ...addresses(),
      });
      process = started;
      last = started.ready;
      pid = started.pid;
      void started.exited.then((how) => {
        if (process !== started) return;
        process = null;
        end = `The validator ended by itself (${how}). Its log is ${logFile}.`;
      });
    },
    stop: async () => await take()?.stop(),
    kill: async () => await take()?.kill(),
    pause: () => {
      isPaused = process !== null;
      process?.pause();
    },
    resume: () => {
      isPaused = false;
      process?.resume();
    },
    pid: () => pid,
    describeEnd: () => end,
    ready: () => {
      if (last === null) throw new Error("the validator has not been started");
      return last;
    },
  };
}

/** Below those that systems give to connections by themselves, Linux from 32768 on: what is down keeps its port. */
const FIRST_PORT = 10_000;
const PORTS = 22_000;

/**
 * Ports on loopback that are free now, all different, from a place of its own each time. Genesis names the validators'
 * addresses, so they must be known before anything listens there.
 */
export async function findFreePorts(count: number): Promise<number[]> {
  const ports: number[] = [];
  const start = randomInt(PORTS);
  for (let offset = 0; ports.length < count && offset < PORTS; offset++) {
    const port = FIRST_PORT + ((start + offset) % PORTS);
    if (await isFree(port)) ports.push(port);
  }
  if (ports.length < count) throw new Error("there are no free ports on loopback");
  return ports;
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port, "127.0.0.1");
  // Rejects with the error's event: the port is taken.
  const isListening = await once(server, "listening").then(
    () => true,
    () => false,
  );
  if (isListening) await new Promise((resolve) => server.close(resolve));
  return isListening;
}
