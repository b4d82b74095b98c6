/**
 * Thousands of listeners to a validator's events, as a process of its own: `node eventListeners.ts URL COUNT`. It prints
 * a line when all are connected, and when standard input ends, one of JSON with what each of them was told.
 */
import { connect, type Socket } from "node:net";
import { text } from "node:stream/consumers";

/** Connections that are being opened at once: a listening socket's queue holds 511. */
const OPENING_MAX = 256;
const ROUND = /event: round\ndata: \{"round":(\d+),"epoch":\d+,"timeMs":(\d+)/g;

/** `rounds` in the order in which they came; `delaysMs` from the moment of each to its arrival. */
type Heard = { rounds: number[]; delaysMs: number[]; rest: string; isClosed: boolean };
export type ListenersReport = {
  /** Rounds that a listener has told of fewer than another, or out of order, or twice, summed over all listeners. */
  readonly missed: number;
  readonly closed: number;
  readonly rounds: number;
  readonly delayP99Ms: number;
  readonly delayMaxMs: number;
};

async function main(url: string, count: number): Promise<void> {
  const { hostname, port } = new URL(url);
  const all: Heard[] = [];
  const sockets: Socket[] = [];
  while (sockets.length < count) {
    const opening = Math.min(OPENING_MAX, count - sockets.length);
    sockets.push(
      ...(await Promise.all(Array.from({ length: opening }, () => listen(hostname, Number(port), all)))),
    );
  }
  process.stdout.write("listening\n");
  await text(process.stdin);
  process.stdout.write(`${JSON.stringify(report(all))}\n`);
  for (const socket of sockets) socket.destroy();
}

/** Resolves once the stream has begun. */
function listen(host: string, port: number, all: Heard[]): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const heard: Heard = { rounds: [], delaysMs: [], rest: "", isClosed: false };
    const socket = connect(port, host, () =>
      socket.write(`GET /v1/events HTTP/1.1\r\nhost: ${host}\r\n\r\n`),
    );
    socket.setEncoding("latin1");
    socket.once("data", (head: unknown) => {
      if (!String(head).startsWith("HTTP/1.1 200")) return reject(new Error(String(head).slice(0, 200)));
      all.push(heard);
      resolve(socket);
    });
    socket.on("data", (chunk: unknown) => {
      const received = heard.rest + String(chunk);
      const nowMs = Date.now();
      for (const [, round, timeMs] of received.matchAll(ROUND)) {
        heard.rounds.push(Number(round));
        heard.delaysMs.push(nowMs - Number(timeMs));
      }
      heard.rest = received.slice(received.lastIndexOf("\n\n") + 1);
    });
    socket.on("close", () => {
      heard.isClosed = true;
    });
    socket.on("error", reject);
  });
}

function report(all: readonly Heard[]): ListenersReport {
  const told = new Set(all.flatMap(({ rounds }) => rounds));
  const expected = [...told].toSorted((a, b) => a - b);
  const isWhole = ({ rounds }: Heard) =>
    rounds.length === expected.length && rounds.every((round, at) => round === expected[at]);
  const missed = all
    .filter((heard) => !isWhole(heard))
    .reduce((sum, { rounds }) => sum + Math.max(1, expected.length - new Set(rounds).size), 0);
  const delays = all.flatMap(({ delaysMs }) => delaysMs).toSorted((a, b) => a - b);
  return {
    missed,
    closed: all.filter(({ isClosed }) => isClosed).length,
    rounds: expected.length,
    delayP99Ms: delays[Math.floor(0.99 * delays.length)] ?? 0,
    delayMaxMs: delays.at(-1) ?? 0,
  };
}

await main(process.argv[2]!, Number(process.argv[3]));
