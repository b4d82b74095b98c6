/**
 * Server-sent events (WHATWG HTML, "Server-sent events"). Whoever cannot keep up is disconnected and comes back by
 * itself: the browser sends the last id it has, and gets what it missed or is told that something is missing.
 */
import type { ServerResponse } from "node:http";
import type { FastifyReply } from "fastify";
import { Type } from "typebox";
import { AddressCounts, networkOfIp } from "../../../../node/src/host/connectionLimits.ts";
import { MAX_HTTP_CONNECTIONS_PER_ADDRESS } from "../callers.ts";
import { GAP } from "../eventHub.ts";
import type { ApiModules } from "../modules.ts";
import { ApiProblem } from "../problem.ts";
import { PROBLEMS } from "../schemas/common.ts";
import { StreamEvent } from "../schemas/events.ts";
import type { RouteContext, Routes } from "./context.ts";

export const EVENTS_ROUTE = "/v1/events";
/** Proxies cut connections that are silent for a minute or less. */
const HEARTBEAT_MS = 15_000;
const HEARTBEAT = Buffer.from(": still here\n\n");
/** What a client may have left unread when there is more to tell it: some thousand events, or it is gone. */
export const MAX_UNREAD_BYTES = 262_144;

/** One timer for all listeners, while there are any: silence is theirs together. */
function createHeartbeat(modules: Pick<ApiModules, "clock" | "events">, beat: () => void) {
  const { clock, events } = modules;
  let cancel: (() => void) | null = null;
  let seen = 0;
  return {
    /** To be called whenever the number of listeners has changed. */
    setListeners: (count: number): void => {
      if (count === 0) {
        cancel?.();
        cancel = null;
      } else if (cancel === null) {
        seen = events.published;
        cancel = clock.every(HEARTBEAT_MS, () => {
          // Whoever was just told something knows that the connection stands.
          if (events.published === seen) beat();
          seen = events.published;
        });
      }
    },
  };
}

export function addEventRoutes(routes: Routes, { modules }: RouteContext): void {
  const { events, metrics } = modules;
  const open = new Set<ServerResponse>();
  // By whom a proxy speaks for: others are counted as connections already.
  const places = new AddressCounts(MAX_HTTP_CONNECTIONS_PER_ADDRESS);
  const send = (response: ServerResponse, text: Buffer | string): void => {
    // What is written now waits for the end of this turn, however fast it is read: it counts against nobody yet.
    if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
    else response.write(text);
  };
  const heartbeat = createHeartbeat(modules, () => {
    for (const response of open) send(response, HEARTBEAT);
  });
  const count = (): void => {
    metrics.setEventClients(open.size);
    heartbeat.setListeners(open.size);
  };

  routes.addHook("preClose", async () => {
    for (const response of open) response.destroy();
  });
  routes.get(
    EVENTS_ROUTE,
    {
      exposeHeadRoute: false,
      schema: {
        summary: "What happens, as it happens: rounds, epochs and closed beacons",
        description:
          "Events are `round`, `epoch` and `beacon`; `gap` says that events since Last-Event-ID are no longer kept.",
        tags: ["status"],
        headers: Type.Object({ "last-event-id": Type.Optional(Type.String({ maxLength: 64 })) }),
        response: {
          200: {
            description: "A stream of events.",
            content: { "text/event-stream": { schema: StreamEvent } },
          },
          ...PROBLEMS,
        },
      },
    },
    (request, reply) => {
      const leave = places.take(networkOfIp(request.ip));
      if (leave === null) throw new ApiProblem(429, "This address listens as many times as one may.");
      const unsubscribe = events.subscribe((text) => send(reply.raw, text));
      if (unsubscribe === null) {
        leave();
        throw new ApiProblem(503, "There are as many listeners as this validator serves.");
      }
      const response = openStream(reply);
      open.add(response);
      count();
      response.on("close", () => {
        leave();
        unsubscribe();
        open.delete(response);
        count();
      });
      send(response, "retry: 3000\n\n");
      const lastId = request.headers["last-event-id"];
      if (lastId === undefined) return;
      send(response, events.since(lastId) ?? GAP);
    },
  );
}

/** Answers with a stream that is written to by hand, and ends with its connection. */
function openStream(reply: FastifyReply): ServerResponse {
  const response = reply.raw;
  reply.hijack();
  // Without an end there are no chunks: what all are sent is one buffer, written once to each.
  response.useChunkedEncodingByDefault = false;
  response.writeHead(200, {
    ...(reply.getHeaders() as Record<string, string>),
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-store",
    // Tells nginx not to gather the stream.
    "x-accel-buffering": "no",
  });
  return response;
}
