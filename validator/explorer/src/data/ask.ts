/**
 * Asks an API for its answers; what goes wrong becomes an `ApiFailure` that says what was asked, so that a page can tell the
 * reader and offer to try again.
 */
import { ApiError, createClient } from "../../../client/client.ts";

/** A page that waits longer than this had better say so. */
const ANSWER_LIMIT_MS = 15_000;

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

/**
 * Asks for a path with its query, as it is put together; what comes is what the path's schema says.
 * @throws ApiFailure; or the signal's reason where it was aborted.
 */
export type Ask = <Answer>(path: string, signal?: AbortSignal) => Promise<Answer>;

/** @param base where the API is, without `/v1`. */
export function createAsk(base: string): Ask {
  // A busy API is asked once more where it says how soon; otherwise that it is busy is told before the limit has passed.
  const client = createClient({ base, retries: 1, maxWaitMs: ANSWER_LIMIT_MS / 2 });
  return async <Answer>(path: string, signal?: AbortSignal): Promise<Answer> => {
    const limit = AbortSignal.timeout(ANSWER_LIMIT_MS);
    const until = signal === undefined ? limit : AbortSignal.any([signal, limit]);
    try {
      // The path is filled in already, which the client's types, made for patterns, do not know of.
      return (await client.get(path as "/v1/status", { signal: until })) as Answer;
    } catch (error) {
      if (signal?.aborted === true) throw error;
      const url = `${base}${path}`;
      if (error instanceof ApiError) throw new ApiFailure(url, error.status, describeProblem(error));
      const detail = limit.aborted ? "No answer came in time." : "The API cannot be reached.";
      throw new ApiFailure(url, null, detail);
    }
  };
}

/** The sentence of a problem, with what is wrong with the first field. */
const describeProblem = ({ message, problem }: ApiError): string =>
  [message, problem?.errors?.[0]?.message].filter((part) => part !== undefined).join(" ");
