/** Asks an HTTP API for JSON, bounded in time and size: whoever answers may be anybody. */
import { CodedError, isCodedError } from "./codedError.ts";

export type JsonAnswer = { readonly status: number; readonly json: unknown };
export type FetchLimits = { readonly timeoutMs: number; readonly maxBytes: number };

/**
 * @param body posted as JSON; absent for a GET.
 * @throws CodedError "peer_unreachable" where nobody answers in time, "answer_oversized", "request_refused" where the
 *   answer is no JSON.
 */
export async function fetchJson(url: URL, limits: FetchLimits, body?: unknown): Promise<JsonAnswer> {
  const post = { method: "POST", headers: { "content-type": "application/json" } };
  try {
    const response = await fetch(url, {
      ...(body === undefined ? {} : { ...post, body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(limits.timeoutMs),
    });
    return { status: response.status, json: await readJson(response, limits.maxBytes) };
  } catch (cause) {
    if (isCodedError(cause)) throw cause;
    throw new CodedError("peer_unreachable", `no validator answers at ${url.origin}`, cause);
  }
}

async function readJson(response: Response, maxBytes: number): Promise<unknown> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
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
