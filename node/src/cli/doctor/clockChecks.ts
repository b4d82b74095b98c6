/**
 * The doctor's look at the clock: the difference to time servers by SNTP (RFC 4330), and where none answers, what the
 * system says of its own synchronisation.
 */
import { randomBytes } from "node:crypto";
import { createSocket } from "node:dgram";
import { lookup } from "node:dns/promises";
import { access } from "node:fs/promises";
import { parseEndpoint } from "../addresses.ts";
import { type Finding, finding } from "./finding.ts";

/**
 * A report whose time is ahead of the round's by more than the network's tolerance, 10 s or more, is refused. An
 * ordinary clock under NTP is within 50 ms; one that is half a second off is on its own.
 */
const WARN_SKEW_MS = 500;
const FAIL_SKEW_MS = 5_000;
const ANSWER_TIMEOUT_MS = 2_000;
const PACKET_BYTES = 48;
/** Leap indicator 0, version 4, mode 3: a client. */
const CLIENT_HEADER = 0x23;
const SERVER_MODE = 4;
const UNSYNCHRONISED_LEAP = 3;
/** Seconds from 1900, where NTP's time begins, to 1970. */
const NTP_EPOCH_OFFSET_S = 2_208_988_800;
/** systemd-timesyncd makes it when the clock was set from the network since the machine started. */
const SYNCHRONISED_FILE = "/run/systemd/timesync/synchronized";

/** Asks the time servers, `host:port` each, and judges the smallest difference. */
export async function checkClock(servers: readonly string[]): Promise<Finding> {
  const answers = await Promise.all(
    servers.map(async (server) => ({ server, ms: await measureSkew(server) })),
  );
  const [best] = answers
    .flatMap(({ server, ms }) => (ms === null ? [] : [{ server, ms }]))
    .sort((a, b) => Math.abs(a.ms) - Math.abs(b.ms));
  if (best === undefined) return await judgeUnasked();
  const skewMs = Math.round(best.ms);
  const direction = skewMs > 0 ? "ahead of" : "behind";
  const found = `The clock is ${Math.abs(skewMs)} ms ${direction} ${best.server}.`;
  const advice = "Turn time synchronisation on: timedatectl set-ntp true.";
  if (Math.abs(skewMs) > FAIL_SKEW_MS) return finding("clock", "fail", found, advice);
  if (Math.abs(skewMs) > WARN_SKEW_MS) return finding("clock", "warn", found, advice);
  return finding("clock", "ok", found);
}

async function judgeUnasked(): Promise<Finding> {
  const isSynchronised = await access(SYNCHRONISED_FILE).then(
    () => true,
    () => false,
  );
  const since = isSynchronised
    ? " The system says that it was synchronised since it started."
    : " Nor does the system say that it was synchronised.";
  const advice = isSynchronised ? null : "Compare the output of date with a watch, and see to UDP port 123.";
  return finding("clock", "not_checked", `No time server answers (UDP).${since}`, advice);
}

/** How far this clock is ahead of a server's, in milliseconds; null where it gives no usable answer. */
async function measureSkew(server: string): Promise<number | null> {
  const endpoint = parseEndpoint(server.includes(":") ? server : `${server}:123`);
  if (endpoint === null) return null;
  const { host, port } = endpoint;
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  const { promise, resolve } = Promise.withResolvers<number | null>();
  const timer = setTimeout(() => resolve(null), ANSWER_TIMEOUT_MS);
  // The server says our time back: random bytes do as well, tell nobody our clock, and cannot be guessed by a forger.
  const cookie = randomBytes(8);
  const request = Buffer.alloc(PACKET_BYTES);
  request[0] = CLIENT_HEADER;
  request.set(cookie, 40);
  let sentMs = Date.now();
  socket.on("error", () => resolve(null));
  socket.on("message", (answer) => {
    const skew = readSkew(answer, cookie, sentMs, Date.now());
    if (skew !== null) resolve(skew);
  });
  const ask = async (): Promise<void> => {
    // Looking the name up may take longer than the answer: the time that counts is the one after it.
    const { address } = await lookup(host, { family: host.includes(":") ? 6 : 4 });
    // Connected, the socket hears from nobody else, and that nobody listens is known at once.
    socket.connect(port, address, () => {
      sentMs = Date.now();
      socket.send(request);
    });
  };
  // A lookup may outlast the timer, and then finds the socket closed.
  ask().catch(() => resolve(null));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    socket.close();
  }
}

function readSkew(answer: Buffer, cookie: Buffer, sentMs: number, receivedMs: number): number | null {
  if (answer.length < PACKET_BYTES || !answer.subarray(24, 32).equals(cookie)) return null;
  const leap = answer[0]! >> 6;
  const stratum = answer[1]!;
  if ((answer[0]! & 7) !== SERVER_MODE || leap === UNSYNCHRONISED_LEAP || stratum < 1 || stratum > 15) {
    return null;
  }
  const theirReceiveMs = readTimestampMs(answer, 32);
  const theirSendMs = readTimestampMs(answer, 40);
  return (sentMs - theirReceiveMs + (receivedMs - theirSendMs)) / 2;
}

function readTimestampMs(packet: Buffer, offset: number): number {
  const seconds = packet.readUInt32BE(offset);
  // The era that begins in 2036 has small numbers.
  const era = seconds < 0x8000_0000 ? 2 ** 32 : 0;
  const unixS = seconds + era - NTP_EPOCH_OFFSET_S;
  return unixS * 1_000 + (packet.readUInt32BE(offset + 4) * 1_000) / 2 ** 32;
}
