/**
 * A link to the API's server-sent events that comes back. A browser tries again by itself when a connection breaks, but never
 * after an answer other than 200: that of a proxy while its validator restarts, or of a validator that has no place left.
 */

/** `connecting` also while it is tried again; `closed` when what answered takes no listener, until it is asked anew. */
export type LinkState = "connecting" | "open" | "closed";

/** What of a browser's `EventSource` is used. */
export type Source = {
  onopen: (() => void) | null;
  onerror: (() => void) | null;
  readonly readyState: number;
  addEventListener(name: string, listener: (event: { readonly data: unknown }) => void): void;
  close(): void;
};

type EventLinkModules = {
  readonly openSource: () => Source;
  readonly onState: (state: LinkState) => void;
  /** @param data what came as JSON. */
  readonly onEvent: (name: string, data: unknown) => void;
};

/** `EventSource.CLOSED` (WHATWG HTML, 9.2.2): the browser has given up. */
const CLOSED = 2;
/** A restart takes a few seconds, and who is turned away for want of places shall not ask all the time. */
export const REOPEN_MS = 15_000;

/** Listens to the events of these names, until it is closed by what is returned. */
export function openEventLink(
  names: readonly string[],
  { openSource, onState, onEvent }: EventLinkModules,
): () => void {
  let source: Source;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const open = (): void => {
    source = openSource();
    source.onopen = () => onState("open");
    source.onerror = () => {
      if (source.readyState !== CLOSED) return onState("connecting");
      onState("closed");
      timer = setTimeout(open, REOPEN_MS);
    };
    for (const name of names) {
      source.addEventListener(name, ({ data }) => onEvent(name, JSON.parse(data as string)));
    }
  };
  open();
  return () => {
    clearTimeout(timer);
    source.close();
  };
}
