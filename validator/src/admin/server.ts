/**
 * The operators' interface: fastify on a socket of the home or on loopback, apart from the API. Every request is signed,
 * stands in the audit log before it is carried out, and again with its outcome.
 */
import { once } from "node:events";
import { rm } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import swagger from "@fastify/swagger";
import { type TypeBoxTypeProvider, TypeBoxValidatorCompiler } from "@fastify/type-provider-typebox";
import Fastify, { type FastifyError, type FastifyInstance, type FastifyRequest } from "fastify";
import { CodedError, isCodedError, type RimErrorCode } from "../../../node/src/host/codedError.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { ApiProblem, createErrorHandler, notFound } from "../api/problem.ts";
import type { Routes } from "../api/routes/context.ts";
import { TokenBuckets } from "../intake/buckets.ts";
import { type AuditLog, openAuditLog } from "./auditLog.ts";
import { Gatekeeper, type GateVerdict } from "./gatekeeper.ts";
import type { AdminEndpoint, AdminModules, AdminOptions } from "./modules.ts";
import { addAdminRoutes } from "./routes.ts";

/** An order with a long reason or path. */
const MAX_BODY_BYTES = 16_384;
/** Some operators and their scripts at once. */
const MAX_CONNECTIONS = 16;
/** A request is small and comes at once. The time is for its coming alone: a backup's answer may take minutes. */
const REQUEST_TIMEOUT_MS = 10_000;
/** What is not from an operator gets this many lines an hour, so that nobody fills the disk with refusals. */
const REFUSALS_LOGGED_PER_HOUR = 60;
/** A path of a socket has 108 bytes on Linux with its end (unix(7)). */
const MAX_SOCKET_PATH_BYTES = 107;

/** Failures by which what was asked for contradicts what is; every other one is the validator's own. */
const CONTRADICTIONS: readonly RimErrorCode[] = ["file_exists", "backup_busy", "config_invalid"];

export type OpenedAdmin = {
  /** `unix:` and a path, or an http address. */
  readonly address: string;
  readonly close: () => Promise<void>;
};

/** Opens the audit log and listens. @throws CodedError "listen_failed", or the audit log's. */
export async function openAdmin(options: AdminOptions, modules: AdminModules): Promise<OpenedAdmin> {
  const { api, audit } = await createAdminApi(options, modules);
  try {
    await audit.append({ event: "opened", operator: null, request: `validator ${options.version}` });
    const address = await listen(api, options.listen);
    return {
      address,
      close: async () => {
        // A server takes its socket's name away with it.
        api.server.close();
        api.server.closeAllConnections();
        await api.close();
        await audit.close();
      },
    };
  } catch (error) {
    await audit.close();
    throw error;
  }
}

/** The interface without a door, and the log that it writes. */
export async function createAdminApi(
  options: AdminOptions,
  modules: AdminModules,
): Promise<{ api: FastifyInstance; audit: AuditLog }> {
  const { clock, log } = modules;
  const gatekeeper = new Gatekeeper(options.target, options.operators, clock.nowMs);
  const audit = await openAuditLog(options.auditFile, {
    nowMs: clock.nowMs,
    onLine: ({ nonce, signedMs }) => {
      if (nonce !== undefined && signedMs !== undefined)
        gatekeeper.remember({ nonce: Buffer.from(nonce, "hex"), timeMs: signedMs });
    },
  });
  const { brokenAt } = audit.state();
  if (brokenAt !== null)
    log.error("The audit log's chain is broken: lines are missing or changed", { brokenAt });
  const handleError = createErrorHandler(log);
  const api = Fastify({
    logger: false,
    bodyLimit: MAX_BODY_BYTES,
    // Longer ones are for the schema to refuse, by their field's name.
    routerOptions: { maxParamLength: MAX_BODY_BYTES },
    requestTimeout: REQUEST_TIMEOUT_MS,
    forceCloseConnections: true,
    frameworkErrors: handleError,
  }).withTypeProvider<TypeBoxTypeProvider>();
  api.server.maxConnections = MAX_CONNECTIONS;
  api.setValidatorCompiler(TypeBoxValidatorCompiler);
  api.setErrorHandler((error: FastifyError, request, reply) =>
    handleError(explainToOperator(error), request, reply),
  );
  api.setNotFoundHandler(() => {
    throw notFound("page");
  });
  const requests = new AuditedRequests(gatekeeper, audit, modules);
  requests.watch(api);
  const info = { title: "Hexbeacon for a validator's operators", version: options.version };
  await api.register(swagger, { openapi: { openapi: "3.1.0", info } });
  addAdminRoutes(api, { ...options, operatorOf: requests.operatorOf }, modules);
  await api.ready();
  return { api: api as unknown as FastifyInstance, audit };
}

/** Operators see the words and the code of a failure at the rim, which the public never does. */
function explainToOperator(error: FastifyError): FastifyError | ApiProblem {
  if (!isCodedError(error)) return error;
  const status = CONTRADICTIONS.includes(error.code) ? 409 : 500;
  return new ApiProblem(status, error.message, { reason: error.code });
}

/** A request that is being carried out: who signed it, and its line in the log. */
type Asked = { readonly operator: Uint8Array; readonly seq: number };

/** Lets requests through one gate, and keeps the log of what comes and what becomes of it. */
class AuditedRequests {
  readonly #gatekeeper: Gatekeeper;
  readonly #audit: AuditLog;
  readonly #modules: Pick<AdminModules, "clock" | "log">;
  readonly #bodies = new WeakMap<FastifyRequest, Uint8Array>();
  readonly #asked = new WeakMap<FastifyRequest, Asked>();
  readonly #refusalLines = new TokenBuckets({
    capacity: REFUSALS_LOGGED_PER_HOUR,
    refillPerMs: REFUSALS_LOGGED_PER_HOUR / 3_600_000,
    maxBuckets: 1,
  });
  #refusedUntold = 0;

  constructor(gatekeeper: Gatekeeper, audit: AuditLog, modules: Pick<AdminModules, "clock" | "log">) {
    this.#gatekeeper = gatekeeper;
    this.#audit = audit;
    this.#modules = modules;
  }

  operatorOf = (request: FastifyRequest): Uint8Array => this.#asked.get(request)!.operator;

  watch(api: Routes): void {
    api.removeAllContentTypeParsers();
    // The signature is over the bytes as they came, so they are kept beside what they say.
    api.addContentTypeParser("application/json", { parseAs: "buffer" }, (request, body, done) => {
      this.#bodies.set(request, body as Buffer);
      try {
        done(null, JSON.parse(body.toString("utf8")));
      } catch {
        done(new ApiProblem(400, "The body is no JSON."));
      }
    });
    api.addHook("preValidation", (request) => this.#admit(request));
    api.addHook("onSend", async (request, reply, payload) => {
      await this.#answer(request, reply.statusCode);
      return payload;
    });
  }

  async #admit(request: FastifyRequest): Promise<void> {
    const asked = { method: request.method, path: request.raw.url ?? "" };
    const body = this.#bodies.get(request) ?? new Uint8Array(0);
    const verdict = this.#gatekeeper.check({ ...asked, body }, request.headers.authorization ?? "");
    const line = `${asked.method} ${asked.path}`;
    if (!verdict.ok) {
      await this.#refuse(line, verdict);
      throw new ApiProblem(401, "The request is not signed by an operator of this validator, or not fresh.", {
        reason: verdict.reason,
      });
    }
    const { operator, nonce, timeMs } = verdict;
    const seq = await this.#audit.append({
      event: "asked",
      operator: encodeDidKey(operator),
      request: line,
      ...(body.length === 0 ? {} : { body: request.body }),
      signedMs: timeMs,
      nonce: encodeHex(nonce),
    });
    this.#asked.set(request, { operator, seq });
  }

  async #refuse(line: string, { reason, operator }: Extract<GateVerdict, { ok: false }>): Promise<void> {
    if (!this.#refusalLines.take("all", 1, this.#modules.clock.elapsedMs())) {
      this.#refusedUntold++;
      return;
    }
    const more = this.#refusedUntold;
    this.#refusedUntold = 0;
    const named = operator && encodeDidKey(operator);
    await this.#audit.append({
      event: "refused",
      operator: named,
      request: line,
      reason,
      ...(more > 0 ? { more } : {}),
    });
  }

  /** What was done is done: an outcome that cannot be written is said aloud, and still answered. */
  async #answer(request: FastifyRequest, status: number): Promise<void> {
    const asked = this.#asked.get(request);
    if (asked === undefined) return;
    this.#asked.delete(request);
    const { operator, seq } = asked;
    const line = `${request.method} ${request.raw.url}`;
    const { log } = this.#modules;
    try {
      await this.#audit.append({
        event: "answered",
        operator: encodeDidKey(operator),
        request: line,
        of: seq,
        status,
      });
      const { lines, head } = this.#audit.state();
      log.info("Answered an operator", { operator: encodeDidKey(operator), status, line: lines, head });
    } catch (error) {
      log.error("Could not write what became of an operator's request", {
        of: seq,
        status,
        error: String(error),
      });
    }
  }
}

async function listen(api: FastifyInstance, endpoint: AdminEndpoint): Promise<string> {
  if ("port" in endpoint) {
    try {
      await api.listen(endpoint);
    } catch (cause) {
      throw new CodedError("listen_failed", `cannot listen on ${endpoint.host}:${endpoint.port}`, cause);
    }
    const { port } = api.server.address() as AddressInfo;
    return `http://${endpoint.host.includes(":") ? `[${endpoint.host}]` : endpoint.host}:${port}`;
  }
  const { socket } = endpoint;
  if (Buffer.byteLength(socket) > MAX_SOCKET_PATH_BYTES) {
    const text = `${socket} is too long for a socket: name a port with --admin 127.0.0.1:4469, or a shorter home`;
    throw new CodedError("listen_failed", text);
  }
  // The home belongs to this process alone, so what lies there is left from one that is gone.
  await rm(socket, { force: true });
  const { server } = api;
  const listening = once(server, "listening");
  // Node binds while it is being asked, so nobody else can open the socket between its making and its mode. The
  // framework's own `listen` would bind some turns later.
  const mask = process.umask(0o177);
  server.listen(socket);
  process.umask(mask);
  try {
    await listening;
  } catch (cause) {
    throw new CodedError("listen_failed", `cannot listen on ${socket}`, cause);
  }
  return `unix:${socket}`;
}
