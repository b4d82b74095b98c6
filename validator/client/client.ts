/**
 * A typed client of the API, for browsers and for Node: paths, queries and answers are those of `/openapi.json`. It waits
 * where the API asks it to, goes through pages, and reads streams of lines; it needs nothing but `fetch`.
 *
 *     const client = createClient({ base: "https://validator.example.net" });
 *     const hotspot = await client.get("/v1/hotspots/{id}", { path: { id } });
 *     for await (const line of client.lines("/v1/export/rewards", { query: { fromEpoch: 0 } })) keep(line);
 */
import type { Gets, Posts, Problem } from "./api.ts";
import { readLines } from "./lines.ts";
import { sleep } from "./sleep.ts";

export type ClientOptions = {
  /** Where the API is, without `/v1`; nothing for a page's own origin. */
  readonly base?: string;
  /** Times that a request is sent again when the API is too busy for it; default 3. */
  readonly retries?: number;
  /** The longest wait for one more attempt; what asks for longer fails at once. Default 30 s. */
  readonly maxWaitMs?: number;
  /** How an attempt is sent and waited for; tests give their own. */
  readonly fetch?: typeof globalThis.fetch;
  readonly wait?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
};

/** A refusal of the API, or an answer that is none of its own. */
export class ApiError extends Error {
  readonly url: string;
  readonly status: number;
  /** What it said (RFC 9457); null where something in between answered. */
  readonly problem: Problem | null;

  constructor(url: string, status: number, problem: Problem | null) {
    super(problem?.detail ?? `The API answered ${status}.`);
    this.name = "ApiError";
    this.url = url;
    this.status = status;
    this.problem = problem;
  }
}

type Having<Field extends string> = {
  [Route in keyof Gets]: Gets[Route] extends Readonly<Record<Field, unknown>> ? Route : never;
}[keyof Gets];
type Part<Route extends keyof Gets, Field extends string> =
  Gets[Route] extends Readonly<Record<Field, infer Type>> ? Type : never;
type Needed<Route extends keyof Gets> = (Gets[Route] extends { readonly path: infer Path }
  ? { readonly path: Path }
  : unknown) &
  (Gets[Route] extends { readonly query: infer Query }
    ? Partial<Query> extends Query
      ? { readonly query?: Omit<Query, "format"> }
      : { readonly query: Query }
    : unknown) & { readonly signal?: AbortSignal | undefined };
/** What a route needs to be asked; left out where it needs nothing. */
type Asked<Route extends keyof Gets> =
  Partial<Needed<Route>> extends Needed<Route> ? [request?: Needed<Route>] : [request: Needed<Route>];

/** Routes that answer with JSON; with a table; with lines; and with pages. */
export type JsonRoute = Having<"json">;
export type CsvRoute = Having<"csv">;
export type LinesRoute = Having<"lines">;
export type PagedRoute = {
  [Route in JsonRoute]: Gets[Route] extends {
    readonly json: { readonly items: readonly unknown[]; readonly next: string | null };
    readonly query: { readonly cursor?: string | undefined };
  }
    ? Route
    : never;
}[JsonRoute];
export type Json<Route extends JsonRoute> = Part<Route, "json">;
type ItemOf<Page> = Page extends { readonly items: readonly (infer Item)[] } ? Item : never;

export type Client = {
  /** Where a route with its parameters is, for links. */
  readonly url: <Route extends keyof Gets>(route: Route, ...asked: Asked<Route>) => string;
  /** @throws ApiError; what `fetch` throws where no answer came; the signal's reason where it was aborted. */
  readonly get: <Route extends JsonRoute>(route: Route, ...asked: Asked<Route>) => Promise<Json<Route>>;
  /** The same answer as a table, as text. */
  readonly csv: <Route extends CsvRoute>(route: Route, ...asked: Asked<Route>) => Promise<string>;
  /** Every item from the first page, or the cursor given, to the last. */
  readonly items: <Route extends PagedRoute>(
    route: Route,
    ...asked: Asked<Route>
  ) => AsyncGenerator<ItemOf<Json<Route>>, void>;
  /** Lines as they come; whoever stops the loop stops the stream. A stream that breaks off throws. */
  readonly lines: <Route extends LinesRoute>(
    route: Route,
    ...asked: Asked<Route>
  ) => AsyncGenerator<Part<Route, "lines">, void>;
  readonly post: <Route extends keyof Posts>(
    route: Route,
    request: { readonly body: Posts[Route]["body"]; readonly signal?: AbortSignal | undefined },
  ) => Promise<Posts[Route]["json"]>;
};

/** As a request is here inside, where its route's types have done their work. */
type Loose = {
  readonly path?: Readonly<Record<string, string | number>>;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
};

const RETRIES = 3;
const MAX_WAIT_MS = 30_000;
/** Too many requests from here, and too busy for anybody: the two that say when to come again. */
const BUSY = [429, 503];

/** Creates a client; it holds nothing open between requests. */
export function createClient(options: ClientOptions = {}): Client {
  const base = (options.base ?? "").replace(/\/+$/, "");
  const send = createSender(options);
  const url = (route: string, { path = {}, query = {} }: Loose = {}): string => {
    const filled = route.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(`${path[name]}`));
    const given = Object.entries(query).filter(([, value]) => value !== undefined);
    const text = new URLSearchParams(
      given.map(([name, value]): [string, string] => [name, `${value}`]),
    ).toString();
    return `${base}${filled}${text === "" ? "" : `?${text}`}`;
  };
  const ask = (route: string, request: Loose = {}, accept = "application/json, application/geo+json") =>
    send(url(route, request), { headers: { accept }, ...(request.signal ? { signal: request.signal } : {}) });
  const get = async (route: string, request?: Loose) => (await ask(route, request)).json();
  const post = async (route: string, { body, signal }: Loose) => {
    const headers = { accept: "application/json", "content-type": "application/json" };
    const init = { method: "POST", headers, body: JSON.stringify(body), ...(signal ? { signal } : {}) };
    return (await send(url(route), init)).json();
  };
  async function* items(route: string, request: Loose = {}): AsyncGenerator<unknown, void> {
    for (let cursor = request.query?.cursor; ; ) {
      const page = await get(route, { ...request, query: { ...request.query, cursor } });
      const { items: shown, next } = page as { items: readonly unknown[]; next: string | null };
      yield* shown;
      if (next === null) return;
      cursor = next;
    }
  }
  async function* lines(route: string, request?: Loose): AsyncGenerator<unknown, void> {
    const { body } = await ask(route, request, "application/x-ndjson");
    if (body !== null) yield* readLines(body);
  }
  const csv = async (route: string, request?: Loose) => (await ask(route, request, "text/csv")).text();
  return { url, get, csv, items, lines, post } as Client;
}

/** Sends until the API has time for it, and makes errors of refusals. */
function createSender(options: ClientOptions): (url: string, init: RequestInit) => Promise<Response> {
  const { retries = RETRIES, maxWaitMs = MAX_WAIT_MS, wait = sleep } = options;
  return async (url, init) => {
    for (let attempt = 0; ; attempt++) {
      const response = await (options.fetch ?? globalThis.fetch)(url, init);
      if (response.ok) return response;
      const waitMs = BUSY.includes(response.status) ? readRetryAfter(response) : null;
      if (attempt >= retries || waitMs === null || waitMs > maxWaitMs) {
        throw new ApiError(url, response.status, await readProblem(response));
      }
      await response.body?.cancel();
      await wait(waitMs, init.signal ?? undefined);
    }
  };
}

/** Milliseconds until the API wants to be asked again (RFC 9110, 10.2.3); null where it does not say. */
function readRetryAfter({ headers }: Response): number | null {
  const text = headers.get("retry-after") ?? "";
  if (/^[0-9]{1,9}$/.test(text)) return Number(text) * 1_000;
  const untilMs = Date.parse(text);
  return Number.isNaN(untilMs) ? null : Math.max(0, untilMs - Date.now());
}

async function readProblem(response: Response): Promise<Problem | null> {
  const isProblem = (response.headers.get("content-type") ?? "").startsWith("application/problem+json");
  const json: unknown = isProblem ? await response.json().catch(() => null) : await response.body?.cancel();
  return (json ?? null) as Problem | null;
}
