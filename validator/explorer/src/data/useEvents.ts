/** What happens, as it happens: the API's server-sent events as a component hears them, as long as it is shown. */
import { useEffect, useRef, useState } from "preact/hooks";
import { apiUrl } from "./api.ts";
import { type LinkState, openEventLink, type Source } from "./eventLink.ts";

export type EventHandlers = Readonly<Record<string, (data: unknown) => void>>;

type Listening = {
  /** By the event's name; the names must stay the same. */
  readonly handlers: EventHandlers;
  /** Called whenever the link stands: what happened before was perhaps not heard. */
  readonly onOpen: () => void;
  /** Listens to nothing. */
  readonly isPaused: boolean;
};

export function useEvents({ isPaused, ...listening }: Listening): LinkState {
  const [state, setState] = useState<LinkState>("connecting");
  const current = useRef(listening);
  current.current = listening;
  useEffect(() => {
    if (isPaused) return;
    const close = openEventLink(Object.keys(current.current.handlers), {
      openSource: () => new EventSource(apiUrl("/v1/events")) as Source,
      onState: (next) => {
        setState(next);
        if (next === "open") current.current.onOpen();
      },
      onEvent: (name, data) => current.current.handlers[name]!(data),
    });
    return () => {
      close();
      setState("connecting");
    };
  }, [isPaused]);
  return state;
}
