/** A list that is read page by page: its rows, its states, and the button for more. */
import type { VNode } from "preact";
import type { Pages } from "../data/useRoute.ts";
import { MoreButton } from "./moreButton.tsx";
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
  const isAll = more === null && !isLoading && failure === null;
  const isOnePage = read.length < 2 && isAll;
  return (
    <>
      {read.length === 0 ? null : isEmpty && more === null ? <Empty>{empty}</Empty> : children(read)}
      {failure === null ? null : <Failure what={what} failure={failure} onRetry={retry} />}
      {isLoading ? <Loading what={what.replace(/^The /, "the ")} /> : null}
      {read.length === 0 || isOnePage ? null : <MoreButton onMore={more} isAll={isAll} />}
    </>
  );
}
