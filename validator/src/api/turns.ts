/**
 * Answers whose length is the asker's to choose, each made in a turn of the event loop of its own. All that come in one
 * turn would be made beside each other, step by step, and hundreds of pages fit in one packet: together they would take
 * gigabytes before the first of them is sent. Between two turns, whoever asks for little is answered.
 */
import { setImmediate } from "node:timers/promises";
import type { preHandlerAsyncHookHandler } from "fastify";
import type { Routes } from "./routes/context.ts";

/** Makes the routes that are added from here on take turns, where their query says how much is asked for. */
export function takeTurns(routes: Routes): void {
  let last: Promise<void> = Promise.resolve();
  const takeTurn: preHandlerAsyncHookHandler = async (request, reply) => {
    last = last.then(() => setImmediate());
    await last;
    // Whoever has left meanwhile, or was cut off, needs no answer.
    if (request.raw.socket.destroyed) reply.hijack();
  };
  routes.addHook("onRoute", (route) => {
    if (route.schema?.querystring !== undefined)
      route.preHandler = [...[route.preHandler ?? []].flat(), takeTurn];
  });
}
