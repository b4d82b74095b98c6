/**
 * The validator's HTTP interface: fastify with schemas for whatever comes in and goes out, from which the OpenAPI
 * description is made. It reads the store and asks the modules; it decides nothing and computes no amounts.
 */
import type { Socket } from "node:net";
import rateLimit from "@fastify/rate-limit";
import swagger from "@fastify/swagger";
import swaggerUi from "@fastify/swagger-ui";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import underPressure from "@fastify/under-pressure";
import Fastify, { type FastifyInstance, type FastifyRequest } from "fastify";
import { MAX_ENVELOPE_BYTES } from "../../../protocol/src/wire/envelope.ts";
import { collectAllowedMethods } from "./allowedMethods.ts";
import { createDoor, createProxyCheck } from "./callers.ts";
import { MAX_LISTENERS } from "./eventHub.ts";
import { type ServedExplorer, serveExplorer } from "./explorer/serveExplorer.ts";
import { limitHeavyAnswers } from "./heavyAnswers.ts";
import { LongAnswers } from "./longAnswers.ts";
import {
  type ApiModules,
  type ApiOptions,
  DEFAULT_CONNECTION_TIMEOUT_MS,
  DEFAULT_EVENT_LOOP_DELAY_MS,
  DEFAULT_REQUESTS_PER_MINUTE,
  MAX_ASKING_CONNECTIONS,
  REQUEST_TIMEOUT_MS,
} from "./modules.ts";
import { ApiProblem, createErrorHandler, describeProblem, notFound, PROBLEM_TYPE } from "./problem.ts";
import { compileRequestValidator } from "./requestValidator.ts";
import { addAccountRoutes, addTransactionRoutes } from "./routes/accountRoutes.ts";
import { addAgreementRoutes } from "./routes/agreementRoutes.ts";
import type { RouteContext, Routes } from "./routes/context.ts";
import { addEpochRoutes } from "./routes/epochRoutes.ts";
import { addEventRoutes, EVENTS_ROUTE } from "./routes/eventRoutes.ts";
import { addExplorerRoutes } from "./routes/explorerRoutes.ts";
import { addExportRoutes } from "./routes/exportRoutes.ts";
import { addHotspotRoutes } from "./routes/hotspotRoutes.ts";
import { addMapRoutes } from "./routes/mapRoutes.ts";
import { addMessageRoutes } from "./routes/messageRoutes.ts";
import { addProofRoutes } from "./routes/proofRoutes.ts";
import { addRewardRoutes } from "./routes/rewardRoutes.ts";
import { addProbeRoutes, addStatusRoutes } from "./routes/statusRoutes.ts";
import { addTrustRoutes } from "./routes/trustRoutes.ts";
import { addValidatorRoutes } from "./routes/validatorRoutes.ts";
import { takeTurns } from "./turns.ts";
import { limitUnsent } from "./unsentAnswers.ts";

/** A transaction's envelope in hexadecimal, and the JSON around it. */
const MAX_REQUEST_BODY_BYTES = 2 * MAX_ENVELOPE_BYTES + 1_024;
/** Browsers send 2 kB; a did:key in a path is 60 characters. */
const MAX_HEADER_BYTES = 8_192;
const MAX_PARAMETER_CHARS = 128;
const KEEP_ALIVE_TIMEOUT_MS = 30_000;
/** Beyond them connections are closed at once. */
const MAX_CONNECTIONS = MAX_LISTENERS + MAX_ASKING_CONNECTIONS;
/** Addresses whose rate is remembered: some 200 bytes each. */
const MAX_RATED_ADDRESSES = 10_000;

/** Creates the API; the caller listens with it and closes it. */
export async function createApi(options: ApiOptions, modules: ApiModules): Promise<FastifyInstance> {
  const { trustProxies = [] } = options;
  const isProxy = createProxyCheck(trustProxies);
  const handleError = createErrorHandler(modules.log);
  const api = Fastify({
    logger: false,
    bodyLimit: MAX_REQUEST_BODY_BYTES,
    routerOptions: { maxParamLength: MAX_PARAMETER_CHARS },
    requestTimeout: REQUEST_TIMEOUT_MS,
    connectionTimeout: options.connectionTimeoutMs ?? DEFAULT_CONNECTION_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
    // A request without a body, as nearly all are, needs no stream that ends at once.
    http: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: REQUEST_TIMEOUT_MS,
      optimizeEmptyRequests: true,
    },
    forceCloseConnections: true,
    // Without any, no request's way is looked through, which takes some microseconds of each.
    trustProxy: trustProxies.length > 0 && isProxy,
    frameworkErrors: handleError,
    clientErrorHandler: answerBrokenRequest,
  }).withTypeProvider<TypeBoxTypeProvider>();
  api.server.maxConnections = MAX_CONNECTIONS;
  api.server.on("connection", createDoor(isProxy));
  api.setValidatorCompiler(compileRequestValidator);
  api.setErrorHandler(handleError);
  observeRequests(api, modules);
  limitUnsent(api);
  if (options.corsOrigins !== undefined && options.corsOrigins.length > 0)
    allowOrigins(api, options.corsOrigins);
  await api.register(swagger, { openapi: describeApi(options) });
  await api.register(rateLimit, {
    max: options.requestsPerMinute ?? DEFAULT_REQUESTS_PER_MINUTE,
    timeWindow: 60_000,
    cache: MAX_RATED_ADDRESSES,
    enableDraftSpec: true,
  });
  const allowedMethods = collectAllowedMethods(api);
  let explorer: ServedExplorer | null = null;
  api.setNotFoundHandler({ preHandler: api.rateLimit() }, (request, reply) => {
    const allowed = allowedMethods.of(request.url);
    if (allowed.length === 0 && explorer !== null && isPageRequest(request))
      return explorer.sendMissing(reply);
    // The documentation's files come here too, when one is asked for that is not there.
    if (allowed.length === 0 || allowed.includes(request.method)) throw notFound("page");
    reply.header("allow", allowed.join(", "));
    throw new ApiProblem(405, `This page takes ${allowed.join(" and ")} only.`);
  });
  const context: RouteContext = { options, modules, longAnswers: new LongAnswers(modules.clock) };
  await api.register(async (scope) => {
    const maxEventLoopDelay = options.maxEventLoopDelayMs ?? DEFAULT_EVENT_LOOP_DELAY_MS;
    await scope.register(underPressure, { maxEventLoopDelay, retryAfter: 5 });
    const routes = scope.withTypeProvider<TypeBoxTypeProvider>();
    takeTurns(routes);
    limitHeavyAnswers(routes);
    addVersionedRoutes(routes, context);
  });
  addProbeRoutes(api, context);
  api.get("/openapi.json", { schema: { hide: true } }, async () => api.swagger());
  await api.register(swaggerUi, { routePrefix: "/docs", staticCSP: true });
  if (options.explorerFolder !== undefined) explorer = await serveExplorer(api, options.explorerFolder);
  return api as unknown as FastifyInstance;
}

/** Whether a person asks, by a browser, for something that is none of the API's own. */
const isPageRequest = ({ method, url, headers }: FastifyRequest): boolean =>
  method === "GET" && !/^\/(v1|docs|assets)(\/|$)/.test(url) && (headers.accept ?? "").includes("text/html");

function addVersionedRoutes(routes: Routes, context: RouteContext): void {
  addStatusRoutes(routes, context);
  addEpochRoutes(routes, context);
  addAgreementRoutes(routes, context);
  addProofRoutes(routes, context);
  addValidatorRoutes(routes, context);
  addHotspotRoutes(routes, context);
  addTrustRoutes(routes, context);
  addRewardRoutes(routes, context);
  addExportRoutes(routes, context);
  addAccountRoutes(routes, context);
  addTransactionRoutes(routes, context);
  addMapRoutes(routes, context);
  addExplorerRoutes(routes, context);
  addEventRoutes(routes, context);
  addMessageRoutes(routes, context);
}

function describeApi(options: ApiOptions) {
  return {
    openapi: "3.1.0",
    info: {
      title: "Hexbeacon",
      version: options.version,
      description: `Rewards, evidence and coverage of the network ${options.network.name}. Amounts are decimal strings of base units.`,
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
  };
}

function observeRequests(api: Routes, { metrics }: ApiModules): void {
  api.addHook("onResponse", (request, reply, done) => {
    const route = request.routeOptions.url ?? "unmatched";
    // A listener stays for hours, which is no time to answer; listeners have a gauge of their own.
    if (route !== EVENTS_ROUTE || reply.statusCode !== 200)
      metrics.observeRequest(route, request.method, reply.statusCode, reply.elapsedTime / 1_000);
    done();
  });
}

/** What a page of another origin needs beyond the content: to ask for changes only, and to keep to the limits. */
const EXPOSED_HEADERS =
  "etag, last-modified, retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset";

/** Lets the pages of some origins, or with `*` of all, read the API; the browser asks first before it submits a transaction. */
function allowOrigins(api: Routes, origins: readonly string[]): void {
  const allowed = new Set(origins);
  api.addHook("onRequest", async (request, reply) => {
    const { origin } = request.headers;
    reply.header("vary", "origin");
    if (origin === undefined || !(allowed.has(origin) || allowed.has("*"))) return;
    reply.header("access-control-allow-origin", origin);
    reply.header("access-control-expose-headers", EXPOSED_HEADERS);
    if (request.method !== "OPTIONS") return;
    reply.header("access-control-allow-methods", "GET, POST");
    reply.header("access-control-allow-headers", "content-type, last-event-id, if-none-match");
    await reply.code(204).send();
  });
}

/** What is no HTTP at all gets a last word and no more of our time. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === "ECONNRESET" || socket.destroyed) return;
  const status =
    error.code === "HPE_HEADER_OVERFLOW" ? 431 : error.code === "ERR_HTTP_REQUEST_TIMEOUT" ? 408 : 400;
  const problem = describeProblem(status, "The request is not HTTP as this server reads it.");
  const body = JSON.stringify(problem);
  const head = `HTTP/1.1 ${status} ${problem.title}\r\ncontent-type: ${PROBLEM_TYPE}\r\n`;
  socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`);
}
