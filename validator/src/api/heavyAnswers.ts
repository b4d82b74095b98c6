/**
 * Answers that are work from their start to their end: those that walk along a hotspot's messages, and those that ask the
 * validator's own thread for many certificates. A turn to begin in is not enough for them, as all that one packet asks for
 * would then be at work beside each other. Few of a kind are made at a time, and a few more wait until one has been.
 */
import { setImmediate } from "node:timers/promises";
import { AddressCounts, networkOfIp } from "../../../node/src/host/connectionLimits.ts";
import { ApiProblem } from "./problem.ts";
import type { Routes } from "./routes/context.ts";

/** Kinds do not wait for each other: a proof's time is mostly that of another thread. */
export type HeavyWork = "walk" | "proof";

/** While one waits for a turn of the event loop, the other is made. */
export const MAX_AT_WORK = 2;
/** An answer takes a tenth of a second, three at worst: who waits last waits for some seconds. */
export const MAX_WAITING_FOR_WORK = 32;
/** A hotspot's page in the explorer asks for three at once: its trust, its links, and one reward taken apart. */
export const MAX_HEAVY_PER_ADDRESS = 4;
const RETRY_AFTER_S = 1;

/** Makes the routes that are added from here on, and whose `config.work` is heavy, wait for a place of their kind. */
export function limitHeavyAnswers(routes: Routes): void {
  const places: Readonly<Record<HeavyWork, WorkPlaces>> = { walk: new WorkPlaces(), proof: new WorkPlaces() };
  routes.addHook("onRoute", (route) => {
    const work = route.config?.work;
    if (work === undefined || work === "page") return;
    const { handler } = route;
    route.handler = async function (request, reply) {
      const leave = await places[work].take(request.ip);
      try {
        // Whoever has left meanwhile, or was cut off, needs no answer.
        if (request.raw.socket.destroyed) return reply.hijack();
        return await handler.call(this, request, reply);
      } finally {
        leave();
      }
    };
  });
}

/** The places of one kind of work, and who waits for one, in the order of asking. */
class WorkPlaces {
  readonly #ofAddresses = new AddressCounts(MAX_HEAVY_PER_ADDRESS);
  readonly #waiting: (() => void)[] = [];
  #atWork = 0;

  /**
   * Waits for a place, and for a turn of the event loop to begin in.
   * @returns how to give it back, once.
   * @throws ApiProblem 503 where as many wait already, or as many are this address's.
   */
  async take(ip: string): Promise<() => void> {
    const isFull = this.#atWork >= MAX_AT_WORK && this.#waiting.length >= MAX_WAITING_FOR_WORK;
    const leaveAddress = isFull ? null : this.#ofAddresses.take(networkOfIp(ip));
    if (leaveAddress === null) {
      const detail =
        "As many answers as may wait take their time already, or some of your address; ask again.";
      throw new ApiProblem(503, detail, { retryAfterS: RETRY_AFTER_S });
    }
    if (this.#atWork < MAX_AT_WORK) this.#atWork++;
    else await new Promise<void>((begin) => this.#waiting.push(begin));
    await setImmediate();
    return () => {
      leaveAddress();
      const next = this.#waiting.shift();
      // Whoever is next takes the place over.
      if (next === undefined) this.#atWork--;
      else next();
    };
  }
}
