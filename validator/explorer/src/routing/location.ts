/** Where the reader is: the browser's own history, so that links are links, and going back works. */
import { useEffect, useState } from "preact/hooks";

export type Location = {
  readonly path: string;
  readonly query: URLSearchParams;
  /** How often was navigated since the document was loaded: 0 is the page that the reader came to. */
  readonly visit: number;
};

const watchers = new Set<(location: Location) => void>();
let visit = 0;
let path = window.location.pathname;

const read = (): Location => ({
  path: window.location.pathname,
  query: new URLSearchParams(window.location.search),
  visit,
});

function tellWatchers(): void {
  const location = read();
  path = location.path;
  for (const watcher of watchers) watcher(location);
}

/** Goes to a path of the explorer. @param replace whether going back skips the place that is left. */
export function navigate(href: string, { replace = false } = {}): void {
  history[replace ? "replaceState" : "pushState"](null, "", href);
  visit++;
  if (!replace) window.scrollTo(0, 0);
  tellWatchers();
}

/** Changes what the address says of the page that is shown, without leaving it. */
export function rewriteQuery(query: URLSearchParams): void {
  const text = query.toString();
  history.replaceState(null, "", text === "" ? window.location.pathname : `?${text}`);
  tellWatchers();
}

export function useLocation(): Location {
  const [location, setLocation] = useState(read);
  useEffect(() => {
    watchers.add(setLocation);
    return () => void watchers.delete(setLocation);
  }, []);
  return location;
}

/** Follows the browser's own going back and forth, and turns clicks on the explorer's links into navigation. */
export function startRouting(): void {
  window.addEventListener("popstate", () => {
    // A link within the page comes here too, and leaves no page.
    if (window.location.pathname !== path) visit++;
    tellWatchers();
  });
  document.addEventListener("click", (event) => {
    const anchor = (event.target as Element | null)?.closest?.("a");
    if (anchor === null || anchor === undefined || !isOwnLink(event, anchor)) return;
    event.preventDefault();
    navigate(anchor.pathname + anchor.search + anchor.hash);
  });
}

/** A plain click on a link into the explorer; whatever opens a tab, downloads or leads to the API stays the browser's. */
function isOwnLink(event: MouseEvent, anchor: HTMLAnchorElement): boolean {
  if (event.defaultPrevented || event.button !== 0) return false;
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return false;
  if (anchor.origin !== window.location.origin || anchor.target !== "" || anchor.hasAttribute("download"))
    return false;
  if (anchor.pathname === window.location.pathname && anchor.hash !== "") return false;
  return !/^\/(v1|docs|openapi\.json|metrics)(\/|$)/.test(anchor.pathname);
}
