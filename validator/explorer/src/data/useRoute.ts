/** An answer of the API by its route, as the client's types have it; and a list that grows page by page. */
import { useEffect, useState } from "preact/hooks";
import { createClient, type Json, type JsonRoute, type PagedRoute } from "../../../client/client.ts";
import type { ApiFailure } from "./ask.ts";
import { type Asked, useApi } from "./useApi.ts";

/** Writes paths only; what it is asked with is `useApi`. */
const paths = createClient();

type Request<Route extends JsonRoute> = Parameters<typeof paths.get<Route>>[1];

/** @param request null asks nothing. */
export function useRoute<Route extends JsonRoute>(
  route: Route,
  request?: Request<Route> | null,
): Asked<Json<Route>> {
  return useApi<Json<Route>>(request === null ? null : writePath(route, request));
}

/** The path of a route with its parameters: what an address on a page, or a link, is. */
export const writePath = <Route extends JsonRoute>(route: Route, request?: Request<Route>): string =>
  paths.url(route as "/v1/status", request as object);

/** Pages that were read, and how the next one is asked for: null where there is none. */
export type Pages<Page> = {
  readonly pages: readonly Page[];
  readonly failure: ApiFailure | null;
  readonly isLoading: boolean;
  readonly retry: () => void;
  readonly more: (() => void) | null;
};

/** Reads a list from its beginning, and on when it is asked to. */
export function usePages<Route extends PagedRoute>(
  route: Route,
  request: {
    readonly path?: Readonly<Record<string, string>>;
    readonly query?: Readonly<Record<string, unknown>>;
  },
): Pages<Json<Route>> {
  const whole = writePath(route, request as never);
  const [state, setState] = useState<{
    whole: string;
    cursor: string | undefined;
    read: readonly Json<Route>[];
  }>({
    ...{ whole, cursor: undefined, read: [] },
  });
  const { cursor, read } = state.whole === whole ? state : { cursor: undefined, read: [] };
  const asked = useRoute(route, { ...request, query: { ...request.query, cursor } } as never);
  const { data } = asked;
  // What was read stays; the newest page is the one that is asked for now.
  const pages = data === null ? read : [...read, data];
  const next = (data as { readonly next: string | null } | null)?.next ?? null;
  useEffect(() => setState({ whole, cursor: undefined, read: [] }), [whole]);
  const more = next === null ? null : () => setState({ whole, cursor: next, read: pages });
  const { failure, isLoading, retry } = asked;
  return { pages, failure, isLoading, retry, more };
}
