/**
 * The API's thread: it reads the store beside the validator's thread, which writes it, and asks that one for the little
 * that is not in there. Whatever it is asked, rounds go on; where processors are few, it is the one that waits.
 */
import type { AddressInfo } from "node:net";
import { setPriority } from "node:os";
import { parentPort, workerData } from "node:worker_threads";
import type { FastifyInstance } from "fastify";
import { createSystemClock } from "../../../../node/src/host/clock.ts";
import type { Clock, Log } from "../../../../node/src/host/types.ts";
import { equalBytes } from "../../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../../protocol/src/bytes/hex.ts";
import { encodeGenesisJson } from "../../../../protocol/src/network/genesis.ts";
import { type FollowedStore, followSqliteStore } from "../../store/sqliteStore/sqliteStore.ts";
import { createApi } from "../api.ts";
import { EventHub } from "../eventHub.ts";
import { EXPLORER_FOLDER } from "../explorer/folder.ts";
import { createHttpMetrics } from "../httpMetrics.ts";
import type { ApiModules, ApiOptions } from "../modules.ts";
import type { ApiThreadOptions, FromApi, LiveValidator, ToApi } from "./messages.ts";
import { ValidatorLink } from "./validatorLink.ts";

if (parentPort === null) throw new Error("apiWorker.ts runs as a worker thread");
const port = parentPort;
const post = (message: FromApi): void => port.postMessage(message);

/**
 * A third of an equal's share where processors are few (the kernel's weight is 335 of 1,024). With 10, a ninth, a machine
 * with ten others to serve let probes wait for seconds.
 */
const NICE = 5;

/** On Linux a priority is a thread's own, and 0 names the one that asks; elsewhere it would be the whole process's. */
function yieldToRounds(): void {
  if (process.platform !== "linux") return;
  try {
    setPriority(0, NICE);
  } catch {
    // A sandbox that forbids it: then both threads are equal.
  }
}

function createPostedLog(fields: Record<string, unknown> = {}): Log {
  const sayer = (level: Extract<FromApi, { type: "log" }>["level"]): Log["info"] => {
    return (message, more = {}) => post({ type: "log", level, message, fields: { ...fields, ...more } });
  };
  return {
    debug: sayer("debug"),
    info: sayer("info"),
    warn: sayer("warn"),
    error: sayer("error"),
    child: (more) => createPostedLog({ ...fields, ...more }),
  };
}

function describeApi(options: ApiThreadOptions): ApiOptions {
  const { genesis, networkId, validator, version, corsOrigins, trustProxies, requestsPerMinute } = options;
  return {
    network: {
      name: genesis.name,
      id: networkId,
      parameters: genesis.parameters,
      writeGenesis: () => encodeGenesisJson(genesis),
    },
    validator,
    version,
    corsOrigins,
    trustProxies,
    explorerFolder: EXPLORER_FOLDER,
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
  };
}

type Seams = Pick<ApiModules, "store" | "storeVersion" | "events"> & { readonly clock: Clock };

function createModules(live: LiveValidator, { validator }: ApiThreadOptions, seams: Seams): ApiModules {
  const { rewardCert, rewardProof, appeal, status, isPending, submitTransaction, traceMessage } = live;
  const metrics = createHttpMetrics();
  return {
    ...seams,
    status,
    isPending,
    submitTransaction,
    traceMessage,
    metrics,
    log: createPostedLog(),
    ledger: { rewardProof, appeal },
    agreement: {
      rewardCert,
      isConnected: async (key) =>
        equalBytes(key, validator) ? null : (await live.connections()).includes(encodeHex(key)),
    },
    exposeMetrics: async () => {
      const { contentType, text } = await live.exposeMetrics();
      return { contentType, text: text + (await metrics.expose()) };
    },
  };
}

/** Ends the thread once nothing is left to do in it. */
async function close(api: FastifyInstance, { store }: FollowedStore): Promise<void> {
  await api.close();
  await store.close();
  port.close();
}

async function serve(options: ApiThreadOptions): Promise<void> {
  const { storePath: path, networkId } = options;
  const followed = followSqliteStore({ path, networkId });
  const { store, follow, version: storeVersion } = followed;
  const events = new EventHub();
  const clock = createSystemClock();
  const link = new ValidatorLink({ post, clock });
  const api = await createApi(
    describeApi(options),
    createModules(link.live, options, { store, storeVersion, events, clock }),
  );
  await api.listen({ host: options.host, port: options.port });
  yieldToRounds();
  port.on("message", (message: ToApi) => {
    if (message.type === "close") void close(api, followed);
    else if (message.type !== "round") link.settle(message);
    else {
      // Whoever hears of a round may read it at once.
      follow();
      events.publish(message.events);
    }
  });
  post({ type: "listening", port: (api.server.address() as AddressInfo).port });
}

try {
  await serve(workerData as ApiThreadOptions);
} catch (error) {
  post({ type: "not_listening", error: String(error) });
}
