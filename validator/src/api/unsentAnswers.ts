/**
 * How much of the answers may wait for their readers. Whoever asks for much and reads nothing leaves the whole answer in
 * this process until the connection is given up: so many bytes in sum, and beyond them who asks comes later.
 */
import type { Socket } from "node:net";
import { ApiProblem } from "./problem.ts";
import type { Routes } from "./routes/context.ts";

/** A quarter of what the API's thread may have; the largest answer, a page of a thousand epochs, is some 12 MB of it. */
export const MAX_UNSENT_BYTES = 268_435_456;
/** Smaller ones are not counted: one for each connection there can be are 180 MiB. */
const SMALL_ANSWER_BYTES = 16_384;
/** A connection that takes nothing is closed after a minute; nearly all that is sent is taken in less than a second. */
const RETRY_AFTER_S = 5;

/** Refuses answers for which there is no room. Streams have a limit of their own: `LongAnswers`. */
export function limitUnsent(routes: Routes, maxBytes = MAX_UNSENT_BYTES): void {
  let unsentBytes = 0;
  const bySocket = new WeakMap<Socket, number>();
  const free = (socket: Socket, bytes: number): void => {
    // What a closed connection had waiting is free already.
    const waiting = bySocket.get(socket) ?? 0;
    const freed = Math.min(bytes, waiting);
    bySocket.set(socket, waiting - freed);
    unsentBytes -= freed;
  };
  const add = (socket: Socket, bytes: number): void => {
    const waiting = bySocket.get(socket);
    // Of answers that wait behind another one on their connection, only that tells that it is closed.
    if (waiting === undefined) socket.once("close", () => free(socket, Number.POSITIVE_INFINITY));
    bySocket.set(socket, (waiting ?? 0) + bytes);
    unsentBytes += bytes;
  };
  routes.addHook("onSend", (request, reply, payload, done) => {
    const bytes = typeof payload === "string" || Buffer.isBuffer(payload) ? payload.length : 0;
    const { socket } = request.raw;
    if (bytes <= SMALL_ANSWER_BYTES || socket.destroyed) return done();
    if (unsentBytes + bytes > maxBytes) {
      const detail = "There is no room for another long answer until others have been read.";
      return done(new ApiProblem(503, detail, { retryAfterS: RETRY_AFTER_S }));
    }
    add(socket, bytes);
    reply.raw.once("finish", () => free(socket, bytes));
    done();
  });
}
