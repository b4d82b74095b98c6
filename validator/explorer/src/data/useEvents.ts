/** What happens, as it happens: the API's server-sent events as a component hears them, as long as it is shown. */
import { useEffect, useRef, useState } from "preact/hooks";
import { apiUrl } from "./api.ts";

export type EventHandlers = Readonly<Record<string, (data: unknown) => void>>;

/** `connecting` also whenever the browser tries again by itself; `closed` when the API takes no more listeners. */
export type LinkState = "connecting" | "open" | "closed";

/** @param handlers by the event's name; the names must stay the same. @param isPaused listens to nothing. */
export function useEvents(handlers: EventHandlers, isPaused: boolean): LinkState {
  const [state, setState] = useState<LinkState>("connecting");
  const current = useRef(handlers);
  current.current = handlers;
  useEffect(() => {
    if (isPaused) return;
    const source = new EventSource(apiUrl("/v1/events"));
    source.onopen = () => setState("open");
    source.onerror = () => setState(source.readyState === EventSource.CLOSED ? "closed" : "connecting");
    for (const name of Object.keys(current.current)) {
      source.addEventListener(name, (event) => current.current[name]!(JSON.parse(event.data as string)));
    }
    return () => {
      source.close();
      setState("connecting");
    };
  }, [isPaused]);
  return state;
}
