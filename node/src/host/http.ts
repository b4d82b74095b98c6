/**
 * A small HTTP server on node:http: a table of GET routes, JSON and problem+json (RFC 9457), bounded in headers, time
 * and connections. For the hotspot's few pages; the validator's API has a framework.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, isIP } from "node:net";
import type { Duplex } from "node:stream";
import { CodedError } from "./codedError.ts";

/** An answer: a JSON value, or text with its type and, for a page, more headers. */
export type Reply = { readonly status: number; readonly json: unknown } | TextReply;
type TextReply = {
  readonly status: number;
  readonly text: string;
  readonly type: string;
  readonly headers?: Readonly<Record<string, string>>;
};
/** Answers a GET; `query` holds the URL's parameters. A throw is a bug and answers 500. */
export type Route = (query: URLSearchParams) => Reply | Promise<Reply>;

export type HttpServer = {
  /** @throws CodedError "listen_failed". @returns the address, as `http://host:port`. */
  readonly start: () => Promise<string>;
  readonly stop: () => Promise<void>;
};
export type HttpOptions = {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly routes: Readonly<Record<string, Route>>;
  /** Paths that answer under whatever name they are asked by: what a collector or a supervisor in other containers reads. */
  readonly openPaths: readonly string[];
  /** Told of a route's exception, without the request. */
  readonly onError: (error: unknown) => void;
};

/** A browser's headers are below 2 kB. */
const MAX_HEADER_BYTES = 8_192;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
const KEEP_ALIVE_TIMEOUT_MS = 5_000;
/** A dashboard, a collector and a few people. */
const MAX_CONNECTIONS = 64;

const PROBLEM_TYPE = "application/problem+json";

/** A problem+json reply. @param detail one sentence for people. */
export function problem(status: number, title: string, detail: string): TextReply {
  const body = JSON.stringify({ type: "about:blank", title, status, detail });
  return { status, text: body, type: PROBLEM_TYPE };
}

/**
 * Whether a Host header names this server: an IP address, `localhost`, or the name that it listens under. Any other name
 * is somebody's who could point it here, and whose page would then read these in a visitor's browser (DNS rebinding).
 * @param listeningOn the host of the options, a name or an address.
 */
export function isOwnHost(header: string, listeningOn: string): boolean {
  const name = header.replace(/:\d*$/, "").toLowerCase();
  if (name.startsWith("[") && name.endsWith("]")) return isIP(name.slice(1, -1)) === 6;
  return isIP(name) === 4 || name === "localhost" || (name !== "" && name === listeningOn.toLowerCase());
}

/** Creates the server; it listens from `start` on. */
export function createHttpServer(options: HttpOptions): HttpServer {
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connectionsCheckingInterval: 1_000,
      // Refused here like any other name that is not this server's.
      requireHostHeader: false,
    },
    (request, response) => void handle(options, request, response),
  );
  server.on("clientError", refuseBytes);
  server.maxConnections = MAX_CONNECTIONS;
  return {
    start: () => listen(server, options),
    stop: async () => {
      if (!server.listening) return;
      const { promise, resolve } = Promise.withResolvers<void>();
      server.close(() => resolve());
      server.closeAllConnections();
      await promise;
    },
  };
}

async function listen(server: Server, { host, port }: HttpOptions): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(port, host, resolve);
  try {
    await promise;
  } catch (cause) {
    throw new CodedError("listen_failed", `cannot listen on ${host}:${port}`, cause);
  } finally {
    server.off("error", reject);
  }
  const bound = server.address() as AddressInfo;
  const name = bound.family === "IPv6" ? `[${bound.address}]` : bound.address;
  return `http://${name}:${bound.port}`;
}

/** Answers what node:http could not read as a request; there is no response object yet, and none will come. */
function refuseBytes(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [status, title, detail] =
    error.code === "HPE_HEADER_OVERFLOW"
      ? ([431, "Request Header Fields Too Large", `Headers may be ${MAX_HEADER_BYTES} bytes.`] as const)
      : error.code === "ERR_HTTP_REQUEST_TIMEOUT"
        ? ([408, "Request Timeout", "The request did not arrive in time."] as const)
        : ([400, "Bad Request", "This is no HTTP request."] as const);
  const { text } = problem(status, title, detail);
  const head = [
    `HTTP/1.1 ${status} ${title}`,
    `content-type: ${PROBLEM_TYPE}; charset=utf-8`,
    `content-length: ${Buffer.byteLength(text)}`,
    "connection: close",
  ];
  socket.end(`${head.join("\r\n")}\r\n\r\n${text}`, () => socket.destroy());
}

async function handle(
  options: HttpOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  let reply: Reply;
  try {
    reply = await route(options, request);
  } catch (error) {
    options.onError(error);
    reply = problem(500, "Internal Server Error", "The request could not be answered; the log says more.");
  }
  const [body, type] =
    "json" in reply ? [JSON.stringify(reply.json), "application/json"] : [reply.text, reply.type];
  const headers: Record<string, string | number> = {
    "content-type": `${type}${type.includes("charset") ? "" : "; charset=utf-8"}`,
    "content-length": Buffer.byteLength(body),
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    ...("text" in reply ? reply.headers : {}),
  };
  if (reply.status === 405) headers.allow = "GET, HEAD";
  response.writeHead(reply.status, headers);
  response.end(request.method === "HEAD" ? undefined : body);
  // A body that nobody asked for is not waited for.
  if (!request.complete) request.destroy();
}

async function route(options: HttpOptions, request: IncomingMessage): Promise<Reply> {
  const { routes, openPaths, host } = options;
  const [path = "", search = ""] = (request.url ?? "").split("?", 2);
  if (!openPaths.includes(path) && !isOwnHost(request.headers.host ?? "", host)) {
    return problem(
      421,
      "Misdirected Request",
      "Ask by an IP address, or as localhost: no other name is answered to.",
    );
  }
  if (!Object.hasOwn(routes, path)) return problem(404, "Not Found", "There is no such page.");
  if (request.method !== "GET" && request.method !== "HEAD") {
    return problem(405, "Method Not Allowed", "This page is only read.");
  }
  return await routes[path]!(new URLSearchParams(search));
}
