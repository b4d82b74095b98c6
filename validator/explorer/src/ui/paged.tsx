/** A list that is read page by page: its rows, its states, and the button for more. */
import type { VNode } from "preact";
import type { Pages } from "../data/useRoute.ts";
import { Empty, Failure, Loading } from "./states.tsx";

type PagedProps<Page> = {
  /** Begins a sentence: "The hotspots". */
  readonly what: string;
  readonly pages: Pages<Page>;
  readonly empty: string;
  readonly children: (pages: readonly Page[]) => VNode;
};

export function Paged<Page extends { readonly items: readonly unknown[] }>({
  what,
  pages,
  empty,
  children,
}: PagedProps<Page>) {
  const { pages: read, failure, isLoading, retry, more } = pages;
  const isEmpty = read.length > 0 && read.every(({ items }) => items.length === 0);
  return (
    <>
      {read.length === 0 ? null : isEmpty && more === null ? <Empty>{empty}</Empty> : children(read)}
      {failure === null ? null : <Failure what={what} failure={failure} onRetry={retry} />}
      {isLoading ? <Loading what={what.replace(/^The /, "the ")} /> : null}
      {more === null || isLoading ? null : (
        <p>
          <button type="button" onClick={more}>
            Show more
          </button>
        </p>
      )}
    </>
  );
}
