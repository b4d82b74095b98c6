/** The API over a made-up history, with everything else of a validator stood in for. */
import type { FastifyInstance, LightMyRequestResponse } from "fastify";
import Schema from "typebox/schema";
import { expect } from "vitest";
import type { Clock, Log } from "../../../node/src/host/types.ts";
import type { RewardCert } from "../../../protocol/src/agreement/attest.ts";
import { concatBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { createSigningDomains } from "../../../protocol/src/crypto/domain.ts";
import type { AdmissionReason } from "../../../protocol/src/evidence/reasons.ts";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { hashPairs } from "../../../protocol/src/reward/hashPairs.ts";
import { createRewardTree } from "../../../protocol/src/reward/rewardTree.ts";
import { createApi } from "../../../validator/src/api/api.ts";
import { EventHub } from "../../../validator/src/api/eventHub.ts";
import type { ApiModules, ApiOptions, SubmittedTransaction } from "../../../validator/src/api/modules.ts";
import type { Store } from "../../../validator/src/store/store.ts";
import { Journeys } from "../../../validator/src/tracing/journeys.ts";
import { traceMessage } from "../../../validator/src/tracing/trace.ts";
import { createMemoryStore } from "../../store/memoryStore.ts";
import { commitAll } from "../store/compliance.ts";
import { createHistory, type History, named, START_TIME_MS } from "../store/history.ts";

export const EPOCHS = 4;

/** The form of a certificate: nobody here signs. */
const unsigned = (epoch: number): RewardCert => ({
  attest: {
    epoch,
    rewardRoot: named("root"),
    stateRoot: named("root"),
    nextValidatorsHash: named("set"),
    parametersHash: named("parameters"),
    rulesVersion: 1,
  },
  bitmap: new Uint8Array(1),
  signatures: [],
});

/** A clock that stands still, and whose timers are fired by the test. */
export type HandClock = Clock & { readonly fire: () => void; readonly timers: () => number };

function createHandClock(): HandClock {
  const callbacks = new Set<() => void>();
  const add = (_delayMs: number, callback: () => void) => {
    callbacks.add(callback);
    return () => void callbacks.delete(callback);
  };
  return {
    nowMs: () => START_TIME_MS,
    elapsedMs: () => 0,
    after: add,
    every: add,
    fire: () => {
      for (const callback of callbacks) callback();
    },
    timers: () => callbacks.size,
  };
}

export type Fixture = {
  readonly api: FastifyInstance;
  readonly store: Store;
  readonly history: History;
  readonly events: EventHub;
  readonly clock: HandClock;
  readonly observed: { route: string; method: string; status: number; seconds: number }[];
  readonly errors: string[];
  readonly eventClients: () => number;
  /** What the next submitted transaction gets. */
  submission: SubmittedTransaction;
  submitted: Uint8Array[];
  /** Ids in hexadecimal that were admitted and are in no round yet. */
  pending: string[];
  notReady: string | null;
  /** Asks, and holds the answer against the API's own description. */
  readonly get: (url: string, headers?: Record<string, string>) => Promise<LightMyRequestResponse>;
};

const PROVEN = [named("owner 0"), named("owner 1"), named("owner 2")].sort((a, b) => Buffer.compare(a, b));

/** @param options over the defaults; @param replace seams that a test watches or breaks. */
export async function createFixture(
  options: Partial<ApiOptions> = {},
  replace: Partial<ApiModules> = {},
): Promise<Fixture> {
  const history = createHistory("api", EPOCHS);
  const store = createMemoryStore(history.genesis);
  await commitAll(store, history);
  const tree = createRewardTree(concatBytes(...PROVEN), BigUint64Array.of(5n, 6n, 7n), hashPairs);
  const clock = createHandClock();
  const events = new EventHub();
  const observed: Fixture["observed"] = [];
  const errors: string[] = [];
  let clients = 0;
  const quiet = () => undefined;
  const log: Log = {
    debug: quiet,
    info: quiet,
    warn: quiet,
    error: (_message, fields) => void errors.push(String(fields?.error)),
    child: () => log,
  };
  const modules: ApiModules = {
    store,
    // The whole history is stored before anybody asks.
    storeVersion: () => 0,
    agreement: {
      rewardCert: async (epoch) => (epoch < EPOCHS ? unsigned(epoch) : null),
      isConnected: async () => false,
    },
    ledger: {
      appeal: async () => null,
      rewardProof: async (account) => {
        const index = PROVEN.findIndex((key) => encodeHex(key) === encodeHex(account));
        return index === -1 ? null : { proof: tree.prove(index), epoch: EPOCHS - 1 };
      },
    },
    status: async () => ({ peers: 3, notReady: fixture.notReady }),
    events,
    metrics: {
      observeRequest: (route, method, status, seconds) =>
        void observed.push({ route, method, status, seconds }),
      setEventClients: (n) => {
        clients = n;
      },
    },
    exposeMetrics: async () => ({ contentType: "text/plain; version=0.0.4", text: "# HELP up Up.\n" }),
    submitTransaction: async (envelope) => {
      fixture.submitted.push(envelope);
      return fixture.submission;
    },
    traceMessage: (id) =>
      traceMessage(id, {
        ...{
          store,
          batches: { getBatch: async () => null },
          domains: createSigningDomains(named("network")),
        },
        journeys: new Journeys({ nowMs: clock.nowMs, log, isVerbose: () => false }),
        isPending: (one) => fixture.pending.includes(encodeHex(one)),
      }),
    isPending: async (id) => fixture.pending.includes(encodeHex(id)),
    clock,
    log,
    ...replace,
  };
  const api = await createApi(
    {
      network: {
        ...{ name: "test network", id: named("network"), parameters: PRESETS.test },
        writeGenesis: () => '{"name":"test network"}',
      },
      validator: named("validator"),
      version: "0.0.0",
      requestsPerMinute: 1_000_000,
      // The fuzzers keep the event loop busy themselves.
      maxEventLoopDelayMs: 0,
      ...options,
    },
    modules,
  );
  await api.ready();
  const check = createResponseCheck(api);
  const fixture: Fixture = {
    api,
    store,
    history,
    events,
    clock,
    observed,
    errors,
    eventClients: () => clients,
    submission: { id: named("transaction"), reason: null },
    submitted: [],
    pending: [],
    notReady: null,
    get: async (url, headers = {}) => {
      const response = await api.inject({ method: "GET", url, headers });
      check("get", response);
      return response;
    },
  };
  return fixture;
}

export const refuse = (reason: AdmissionReason): SubmittedTransaction => ({ id: null, reason });
export const did = (label: string): string => encodeDidKey(named(label));

type Described = { content?: Record<string, { schema: object }> };

/** Checks an answer, strictly, against what /openapi.json says of its route, status and type. */
export function createResponseCheck(
  api: FastifyInstance,
): (method: string, response: LightMyRequestResponse) => void {
  const paths = (
    api.swagger() as unknown as {
      paths: Record<string, Record<string, { responses: Record<string, Described> }>>;
    }
  ).paths;
  const patterns = Object.entries(paths).map(([path, methods]) => {
    const pattern = new RegExp(`^${path.replace(/\{[^}]+\}/g, "[^/?]*")}(\\?|$)`);
    return { pattern, methods };
  });
  const compiled = new Map<
    object,
    { Check: (value: unknown) => boolean; Errors: (value: unknown) => unknown }
  >();
  const checkValue = (schema: object, value: unknown, url: string, text: string): void => {
    let check = compiled.get(schema);
    if (check === undefined) {
      check = Schema.Compile(schema) as never;
      compiled.set(schema, check!);
    }
    if (!check!.Check(value)) expect.fail(`${url}: ${JSON.stringify(check!.Errors(value))} in ${text}`);
  };
  return (method, response) => {
    const url = String(response.raw.req.url);
    const type = String(response.headers["content-type"] ?? "").split(";")[0]!;
    const known = patterns.find(({ pattern }) => pattern.test(url))?.methods[method];
    if (response.statusCode >= 400) expect([url, type]).toEqual([url, "application/problem+json"]);
    if (known === undefined) return;
    const described = known.responses[response.statusCode];
    expect(described, `${url} answers ${response.statusCode}: ${response.body}`).toBeDefined();
    if (response.statusCode === 304) return;
    const schema = described!.content?.[type]?.schema;
    expect(schema, `${url} answers ${response.statusCode} with ${type}`).toBeDefined();
    if (type === "application/x-ndjson") {
      for (const line of response.body.split("\n").slice(0, -1))
        checkValue(schema!, JSON.parse(line), url, line);
      return;
    }
    checkValue(schema!, type.endsWith("json") ? response.json() : response.body, url, response.body);
  };
}
