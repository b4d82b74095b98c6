/**
 * Asks the API. Its answers are typed by the schemas they are made from; what goes wrong becomes a `ApiFailure` that says
 * what was asked, so that a page can tell the reader and offer to try again.
 */

import { ApiError, createClient } from "../../../client/client.ts";

/** Where the API is: the explorer's own origin, or what a static build was made for. */
export const API_BASE = (
  document.querySelector<HTMLMetaElement>('meta[name="hexbeacon-api"]')?.content ?? ""
).replace(/\/+$/, "");

/** A page that waits longer than this had better say so. */
const ANSWER_LIMIT_MS = 15_000;

export type Query = Readonly<Record<string, string | number | undefined>>;

/** `status` is null where no answer came. `detail` is a sentence. */
export class ApiFailure extends Error {
  readonly url: string;
  readonly status: number | null;
  readonly detail: string;

  constructor(url: string, status: number | null, detail: string) {
    super(`${url}: ${detail}`);
    this.url = url;
    this.status = status;
    this.detail = detail;
  }
}

/** A path of the API with its query; parts of a path are encoded by whoever puts it together. */
export function apiUrl(path: string, query: Query = {}): string {
  const set = Object.entries(query).filter(([, value]) => value !== undefined);
  const text = new URLSearchParams(set.map(([name, value]) => [name, `${value}`])).toString();
  return `${API_BASE}${path}${text === "" ? "" : `?${text}`}`;
}

const client = createClient({ base: API_BASE });

/** @throws ApiFailure; or the signal's reason where it was aborted. */
async function get<Answer>(path: string, query: Query = {}, signal?: AbortSignal): Promise<Answer> {
  const url = apiUrl(path, query);
  const limit = AbortSignal.timeout(ANSWER_LIMIT_MS);
  const until = signal === undefined ? limit : AbortSignal.any([signal, limit]);
  try {
    // The path is filled in already, which the client's types, made for patterns, do not know of.
    return (await client.get(path as "/v1/status", { query, signal: until } as object)) as Answer;
  } catch (error) {
    if (signal?.aborted === true) throw error;
    if (error instanceof ApiError) throw new ApiFailure(url, error.status, describeProblem(error));
    const detail = limit.aborted ? "No answer came in time." : "The API cannot be reached.";
    throw new ApiFailure(url, null, detail);
  }
}

/** The sentence of a problem, with what is wrong with the first field. */
const describeProblem = ({ message, problem }: ApiError): string =>
  [message, problem?.errors?.[0]?.message].filter((part) => part !== undefined).join(" ");

export const api = { get } as const;
