/** An answer of the API as a component's state: asked for once for a path, and again when the reader or the page wants. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { ApiFailure, api, apiUrl, type Query } from "./api.ts";

/** `data` of the answer before stays while a newer one is on its way, so that a page does not flicker. */
export type Asked<Answer> = {
  readonly data: Answer | null;
  readonly failure: ApiFailure | null;
  readonly isLoading: boolean;
  readonly retry: () => void;
};

/** @param path null asks nothing. */
export function useApi<Answer>(path: string | null, query: Query = {}): Asked<Answer> {
  const url = path === null ? null : apiUrl(path, query);
  const [state, setState] = useState<Omit<Asked<Answer>, "retry"> & { readonly url: string | null }>({
    ...{ url, data: null, failure: null, isLoading: url !== null },
  });
  const [attempt, setAttempt] = useState(0);
  const asked = useRef({ path, query });
  asked.current = { path, query };
  useEffect(() => {
    const { path: at, query: by } = asked.current;
    if (at === null) return;
    const stopping = new AbortController();
    setState((last) => ({ url, data: last.url === url ? last.data : null, isLoading: true, failure: null }));
    api.get<Answer>(at, by, stopping.signal).then(
      (data) => setState({ url, data, failure: null, isLoading: false }),
      (error: unknown) => {
        if (stopping.signal.aborted) return;
        const failure = error instanceof ApiFailure ? error : new ApiFailure(url ?? "", null, String(error));
        setState((last) => ({ url, data: last.url === url ? last.data : null, failure, isLoading: false }));
      },
    );
    return () => stopping.abort();
  }, [url, attempt]);
  const retry = useCallback(() => setAttempt((n) => n + 1), []);
  // What belongs to another path is nothing yet.
  const isStale = state.url !== url;
  return {
    data: isStale ? null : state.data,
    failure: isStale ? null : state.failure,
    isLoading: isStale ? url !== null : state.isLoading,
    retry,
  };
}
