/**
 * Asks the API. Its answers are typed by the schemas they are made from; what goes wrong becomes a `ApiFailure` that says
 * what was asked, so that a page can tell the reader and offer to try again.
 */

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

/** @throws ApiFailure; or the signal's reason where it was aborted. */
async function get<Answer>(path: string, query?: Query, signal?: AbortSignal): Promise<Answer> {
  const url = apiUrl(path, query);
  const limit = AbortSignal.timeout(ANSWER_LIMIT_MS);
  try {
    const response = await fetch(url, {
      headers: { accept: "application/json, application/geo+json" },
      signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
    });
    if (!response.ok) throw new ApiFailure(url, response.status, await readProblem(response));
    return (await response.json()) as Answer;
  } catch (error) {
    if (error instanceof ApiFailure || signal?.aborted === true) throw error;
    const detail = limit.aborted ? "No answer came in time." : "The API cannot be reached.";
    throw new ApiFailure(url, null, detail);
  }
}

/** The sentence of a problem+json. */
async function readProblem(response: Response): Promise<string> {
  const problem: unknown = await response.json().catch(() => null);
  const { detail, errors } = (problem ?? {}) as { detail?: unknown; errors?: { message?: unknown }[] };
  const fault = Array.isArray(errors) ? errors[0]?.message : undefined;
  const text = [detail, fault].filter((part) => typeof part === "string").join(" ");
  return text === "" ? `The API answered ${response.status}.` : text;
}

export const api = { get } as const;
