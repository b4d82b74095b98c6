/**
 * How much of the answers may wait for their readers. Whoever asks for much and reads nothing leaves the whole answer in
 * this process until the connection is given up. So there is room for so many bytes in sum, and where they are more, the
 * address that leaves most of them unread loses the connection that has waited longest: not whoever asks next.
 */
import type { Socket } from "node:net";
import { networkOfIp } from "../../../node/src/host/connectionLimits.ts";
import type { Routes } from "./routes/context.ts";

/** A quarter of what the API's thread may have; the largest answer, a page of a thousand epochs, is some 12 MB of it. */
const MAX_UNSENT_BYTES = 268_435_456;
/** Smaller ones are counted only where they wait behind another: one for each connection there can be are 180 MiB. */
const SMALL_ANSWER_BYTES = 16_384;

/** What a connection has not taken, and for whom: null for this machine. */
type Reader = { readonly network: string | null; readonly leave: () => void; bytes: number };

/** Counts answers until they are read, the long ones and those behind others. Streams have a limit of their own: `LongAnswers`. */
export function limitUnsent(routes: Routes, maxBytes = MAX_UNSENT_BYTES): void {
  /** In the order in which they began to wait. */
  const readers = new Map<Socket, Reader>();
  let unsentBytes = 0;
  const free = (socket: Socket, reader: Reader, bytes: number): void => {
    // What a connection had waiting that was closed is free already.
    if (readers.get(socket) !== reader) return;
    reader.bytes -= bytes;
    unsentBytes -= bytes;
    if (reader.bytes > 0) return;
    readers.delete(socket);
    socket.off("close", reader.leave);
  };
  const enter = (socket: Socket, network: string | null): Reader => {
    const reader = { network, bytes: 0, leave: () => free(socket, reader, reader.bytes) };
    readers.set(socket, reader);
    // Of answers that wait behind another one on their connection, only that tells that nobody will read them.
    socket.once("close", reader.leave);
    return reader;
  };
  routes.addHook("onSend", (request, reply, payload, done) => {
    const bytes = typeof payload === "string" || Buffer.isBuffer(payload) ? payload.length : 0;
    const { socket } = request.raw;
    // Where requests came without waiting for answers, only the first answer has the connection.
    const isBehind = reply.raw.socket === null;
    if (bytes <= SMALL_ANSWER_BYTES && !isBehind) return done();
    while (unsentBytes + bytes > maxBytes && readers.size > 0) {
      const [slowest, { leave }] = findSlowest(readers);
      slowest.destroy();
      leave();
    }
    if (socket.destroyed) return done();
    const reader = readers.get(socket) ?? enter(socket, networkOfIp(request.ip));
    reader.bytes += bytes;
    unsentBytes += bytes;
    reply.raw.once("finish", () => free(socket, reader, bytes));
    done();
  });
}

/** Of the address that leaves most unread, the connection that has waited longest. */
function findSlowest(readers: ReadonlyMap<Socket, Reader>): [Socket, Reader] {
  const crowds = [...Map.groupBy(readers, ([, { network }]) => network).values()];
  const sumOf = (crowd: (typeof crowds)[number]) => crowd.reduce((sum, [, { bytes }]) => sum + bytes, 0);
  const [[slowest]] = crowds.sort((a, b) => sumOf(b) - sumOf(a)) as [[[Socket, Reader]]];
  return slowest;
}
