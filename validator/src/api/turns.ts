/**
 * Answers whose length is the asker's to choose, each made in a turn of the event loop of its own. All that come in one
 * turn would be made beside each other, step by step, and hundreds of pages fit in one packet: together they would take
 * gigabytes before the first of them is sent. Between two turns, whoever asks for little is answered.
 */
import { setImmediate } from "node:timers/promises";
import type { preHandlerAsyncHookHandler } from "fastify";
import type { HeavyWork } from "./heavyAnswers.ts";
import { MAX_ASKING_CONNECTIONS } from "./modules.ts";
import { ApiProblem } from "./problem.ts";
import type { Routes } from "./routes/context.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** What an answer takes beyond some rows: a page's turn, as one whose query says how much is asked for; or heavy work. */
    readonly work?: "page" | HeavyWork;
  }
}

/** One for each connection that asks; a connection has more before it only of somebody who does not wait for answers. */
export const MAX_WAITING = MAX_ASKING_CONNECTIONS;
/** A page takes milliseconds, the longest a tenth of a second. */
const RETRY_AFTER_S = 5;

/** Makes the routes that are added from here on take turns, where their query or their `config.work` says that they should. */
export function takeTurns(routes: Routes): void {
  let last: Promise<void> = Promise.resolve();
  let waiting = 0;
  const takeTurn: preHandlerAsyncHookHandler = async (request, reply) => {
    if (waiting >= MAX_WAITING) {
      const detail = `${MAX_WAITING} others wait for pages; ask again when some have theirs.`;
      throw new ApiProblem(503, detail, { retryAfterS: RETRY_AFTER_S });
    }
    waiting++;
    last = last.then(() => setImmediate());
    await last;
    waiting--;
    // Whoever has left meanwhile, or was cut off, needs no answer.
    if (request.raw.socket.destroyed) reply.hijack();
  };
  routes.addHook("onRoute", (route) => {
    if (route.schema?.querystring !== undefined || route.config?.work === "page")
      route.preHandler = [...[route.preHandler ?? []].flat(), takeTurn];
  });
}
