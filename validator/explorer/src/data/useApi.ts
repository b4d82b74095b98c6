/** An answer of the API as a component's state: asked for once for a path, and again when the reader or the page wants. */
import { useCallback, useEffect, useState } from "preact/hooks";
import { apiUrl, askApi } from "./api.ts";
import { ApiFailure } from "./ask.ts";

/** `data` of the answer before stays while a newer one is on its way, so that a page does not flicker. */
export type Asked<Answer> = {
  readonly data: Answer | null;
  readonly failure: ApiFailure | null;
  readonly isLoading: boolean;
  readonly retry: () => void;
};

/** @param path with its query; null asks nothing. */
export function useApi<Answer>(path: string | null): Asked<Answer> {
  const [state, setState] = useState<Omit<Asked<Answer>, "retry"> & { readonly path: string | null }>({
    ...{ path, data: null, failure: null, isLoading: path !== null },
  });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (path === null) return;
    const stopping = new AbortController();
    setState((last) => ({
      path,
      data: last.path === path ? last.data : null,
      isLoading: true,
      failure: null,
    }));
    askApi<Answer>(path, stopping.signal).then(
      (data) => setState({ path, data, failure: null, isLoading: false }),
      (error: unknown) => {
        if (stopping.signal.aborted) return;
        const failure =
          error instanceof ApiFailure ? error : new ApiFailure(apiUrl(path), null, String(error));
        setState((last) => ({
          path,
          data: last.path === path ? last.data : null,
          failure,
          isLoading: false,
        }));
      },
    );
    return () => stopping.abort();
  }, [path, attempt]);
  const retry = useCallback(() => setAttempt((n) => n + 1), []);
  // What belongs to another path is nothing yet.
  const isStale = state.path !== path;
  return {
    data: isStale ? null : state.data,
    failure: isStale ? null : state.failure,
    isLoading: isStale ? path !== null : state.isLoading,
    retry,
  };
}
