/**
 * Server-sent events (WHATWG HTML, "Server-sent events"). Whoever cannot keep up is disconnected and comes back by
 * itself: the browser sends the last id it has, and gets what it missed or is told that something is missing.
 */
import type { ServerResponse } from "node:http";
import { Type } from "typebox";
import type { ApiEvent } from "../eventHub.ts";
import { ApiProblem } from "../problem.ts";
import { PROBLEMS } from "../schemas/common.ts";
import type { RouteContext, Routes } from "./context.ts";

export const EVENTS_ROUTE = "/v1/events";
/** Proxies cut connections that are silent for a minute or less. */
const HEARTBEAT_MS = 15_000;
/** What a client may leave unread: some thousand events, or it is gone. */
const MAX_UNREAD_BYTES = 262_144;

const writeEvent = ({ id, type, data }: ApiEvent): string => `id: ${id}\nevent: ${type}\ndata: ${data}\n\n`;

export function addEventRoutes(routes: Routes, { modules }: RouteContext): void {
  const { events, clock, metrics } = modules;
  const open = new Set<ServerResponse>();

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
            content: { "text/event-stream": { schema: Type.String() } },
          },
          ...PROBLEMS,
        },
      },
    },
    (request, reply) => {
      const response = reply.raw;
      const send = (text: string): void => {
        response.write(text);
        if (response.writableLength > MAX_UNREAD_BYTES) response.destroy();
      };
      const unsubscribe = events.subscribe((event) => send(writeEvent(event)));
      if (unsubscribe === null)
        throw new ApiProblem(503, "There are as many listeners as this validator serves.");
      reply.hijack();
      response.writeHead(200, {
        ...(reply.getHeaders() as Record<string, string>),
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-store",
        // Tells nginx not to gather the stream.
        "x-accel-buffering": "no",
      });
      const cancelHeartbeat = clock.every(HEARTBEAT_MS, () => send(": still here\n\n"));
      open.add(response);
      metrics.setEventClients(open.size);
      response.on("close", () => {
        unsubscribe();
        cancelHeartbeat();
        open.delete(response);
        metrics.setEventClients(open.size);
      });
      send("retry: 3000\n\n");
      const lastId = request.headers["last-event-id"];
      if (lastId === undefined) return;
      const missed = events.since(lastId);
      send(missed === null ? "event: gap\ndata: {}\n\n" : missed.map(writeEvent).join(""));
    },
  );
}
