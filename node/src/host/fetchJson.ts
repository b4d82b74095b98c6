/**
 * Asks an HTTP API for JSON, bounded in time and size: whoever answers may be anybody. By Node's own client rather than
 * `fetch`, which takes 6 to 10 MB with its first question, a tenth of what a hotspot may take in all.
 */
import type { ClientRequest, IncomingMessage, RequestOptions } from "node:http";
import { CodedError, isCodedError } from "./codedError.ts";

export type JsonAnswer = { readonly status: number; readonly json: unknown };
export type FetchLimits = { readonly timeoutMs: number; readonly maxBytes: number };

/** From http to https, and from a name to another. */
const MAX_REDIRECTS = 3;

/**
 * @param url http or https. A question is asked again where an answer says so, and a posted body is not.
 * @param body posted as JSON; absent for a GET.
 * @throws CodedError "peer_unreachable" where nobody answers in time, "answer_oversized", "request_refused" where the
 *   answer is no JSON.
 */
export async function fetchJson(url: URL, limits: FetchLimits, body?: unknown): Promise<JsonAnswer> {
  const text = body === undefined ? null : JSON.stringify(body);
  const signal = AbortSignal.timeout(limits.timeoutMs);
  try {
    let response = await ask(url, text, signal);
    let asked = url;
    for (let left = MAX_REDIRECTS; text === null && left > 0; left--) {
      const next = findRedirect(asked, response);
      if (next === null) break;
      response.destroy();
      asked = next;
      response = await ask(asked, text, signal);
    }
    return { status: response.statusCode!, json: await readJson(response, limits.maxBytes) };
  } catch (cause) {
    if (isCodedError(cause)) throw cause;
    const how = signal.aborted ? ` in ${limits.timeoutMs / 1_000} s` : "";
    throw new CodedError("peer_unreachable", `no validator answers at ${url.origin}${how}`, cause);
  }
}

async function ask(url: URL, text: string | null, signal: AbortSignal): Promise<IncomingMessage> {
  const { request } = url.protocol === "https:" ? await import("node:https") : await import("node:http");
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  // A connection of its own: questions are minutes apart, and a command ends with its last answer.
  const options: RequestOptions = { agent: false, signal, method: text === null ? "GET" : "POST" };
  const headers = text === null ? {} : { "content-type": "application/json" };
  const asking: ClientRequest = request(url, { ...options, headers }, resolve);
  asking.on("error", reject);
  asking.end(text ?? undefined);
  return await promise;
}

/** Where an answer says to ask instead; null where it does not. */
function findRedirect(asked: URL, { statusCode, headers }: IncomingMessage): URL | null {
  const { location } = headers;
  if (location === undefined || ![301, 302, 303, 307, 308].includes(statusCode!)) return null;
  const next = URL.parse(location, asked.href);
  return next !== null && /^https?:$/.test(next.protocol) ? next : null;
}

async function readJson(response: IncomingMessage, maxBytes: number): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new CodedError("answer_oversized", "the validator answers too much");
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString("utf8")) as unknown;
  } catch (cause) {
    throw new CodedError("request_refused", "what answers there is no Hexbeacon validator's API", cause);
  }
}
