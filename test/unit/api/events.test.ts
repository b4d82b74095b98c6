/** The stream of events over real sockets, and what is hardly HTTP at all. */
import { connect } from "node:net";
import { setImmediate } from "node:timers/promises";
import Schema from "typebox/schema";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { RoundResult } from "../../../protocol/src/ledger/types.ts";
import { MAX_HTTP_CONNECTIONS_PER_ADDRESS } from "../../../validator/src/api/callers.ts";
import {
  EVENT_TYPES,
  EVENTS_KEPT,
  EventHub,
  GAP,
  listEvents,
  MAX_LISTENERS,
} from "../../../validator/src/api/eventHub.ts";
import { MAX_UNREAD_BYTES } from "../../../validator/src/api/routes/eventRoutes.ts";
import { StreamEvent } from "../../../validator/src/api/schemas/events.ts";
import { ROUNDS_PER_EPOCH } from "../store/history.ts";
import { createFixture, type Fixture } from "./apiFixture.ts";

let fixture: Fixture;
let url: string;
let open: AbortController[];
beforeEach(async () => {
  fixture = await createFixture();
  url = `${await fixture.api.listen({ host: "127.0.0.1", port: 0 })}/v1/events`;
  open = [];
});
afterEach(async () => {
  for (const controller of open) controller.abort();
  await fixture.api.close();
});

/** Listens as a browser does; `until` gives everything received once it holds a text. */
async function listen(headers: Record<string, string> = {}) {
  const controller = new AbortController();
  open.push(controller);
  const response = await fetch(url, { headers, signal: controller.signal });
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  const until = async (part: string): Promise<string> => {
    while (!text.includes(part)) {
      const { value, done } = await reader.read();
      if (done) return text;
      text += value;
    }
    return text;
  };
  return { response, until, close: () => controller.abort() };
}

const round = (index: number) => fixture.history.commits[index]!.commit.result;

describe("events", () => {
  test("tell of rounds, closed beacons and epochs, each with an id", async () => {
    const { response, until } = await listen();
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    await until("retry: ");
    for (let i = 0; i < ROUNDS_PER_EPOCH; i++) fixture.events.publish(listEvents(round(i)));
    const text = await until("event: epoch");
    const all = await until("stateRoot");
    expect(text).toContain("id: 0.0\nevent: round\n");
    expect(text).toContain("id: 1.0\nevent: beacon\n");
    const data = all.split("\n\n").find((event) => event.includes("event: epoch"))!;
    const json = JSON.parse(data.split("\ndata: ")[1]!);
    expect(json).toEqual((await fixture.get("/v1/epochs/0")).json());
  });

  test("are as the API's description says, each of them", () => {
    const described = Schema.Compile(StreamEvent);
    const kinds = new Set<string>();
    for (const { commit } of fixture.history.commits) {
      for (const { id, type, data } of listEvents(commit.result)) {
        kinds.add(type);
        expect([data, described.Check({ id, event: type, data: JSON.parse(data) })]).toEqual([data, true]);
      }
    }
    expect([...kinds].sort()).toEqual([...EVENT_TYPES].sort());
    expect(described.Check({ event: "gap", data: JSON.parse(GAP.split("data: ")[1]!) })).toBe(true);
  });

  test("go on after the last one that a listener has, or say that some are missing", async () => {
    for (let i = 0; i < 4; i++) fixture.events.publish(listEvents(round(i)));
    const resumed = await listen({ "last-event-id": "2.0" });
    const text = await resumed.until("id: 3.1\nevent: round");
    expect(text).not.toContain("event: gap");
    expect(text).not.toContain("id: 2.0");
    expect(text).toContain("id: 2.1\n");
    const lost = await listen({ "last-event-id": "99.0" });
    expect(await lost.until("event: gap")).not.toContain("event: round");
  });

  test("keep a silent connection open with heartbeats, and forget who has left", async () => {
    const { until, close } = await listen();
    await until("retry: ");
    expect(fixture.eventClients()).toBe(1);
    fixture.clock.fire();
    await until(": still here");
    close();
    await expect.poll(() => fixture.eventClients()).toBe(0);
    expect(fixture.events.listeners).toBe(0);
    expect(fixture.clock.timers()).toBe(0);
  });

  test("refuse more listeners than are served", async () => {
    for (let i = 0; i < MAX_LISTENERS; i++) fixture.events.subscribe(() => undefined);
    const response = await fetch(url);
    expect(response.status).toBe(503);
    expect(response.headers.get("content-type")).toBe("application/problem+json; charset=utf-8");
  });

  test("are told to one address only so many times, whoever brings its requests", async () => {
    const behind = await createFixture({ trustProxies: ["127.0.0.1"] });
    const from = `${await behind.api.listen({ host: "127.0.0.1", port: 0 })}/v1/events`;
    const controller = new AbortController();
    open.push(controller);
    const ask = (client: string) =>
      fetch(from, { headers: { "x-forwarded-for": client }, signal: controller.signal });
    const all = await Promise.all(
      Array.from({ length: MAX_HTTP_CONNECTIONS_PER_ADDRESS }, (_, host) =>
        ask(`2001:db8:0:1::${host.toString(16)}`),
      ),
    );
    expect(all.every(({ status }) => status === 200)).toBe(true);
    expect([(await ask("2001:db8:0:1:2::")).status, (await ask("2001:db8:0:2::")).status]).toEqual([
      429, 200,
    ]);
    await all[0]!.body!.cancel();
    await expect.poll(async () => (await ask("2001:db8:0:1:3::")).status).toBe(200);
    await behind.api.close();
  });

  test("drop a listener that does not read, and no other", async () => {
    const { port } = new URL(url);
    const deaf = connect(Number(port), "127.0.0.1");
    deaf.pause();
    deaf.write("GET /v1/events HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await expect.poll(() => fixture.eventClients()).toBe(1);
    const { until } = await listen();
    await until("retry: ");
    // Whoever reads stays; the promise ends with the connection.
    const reading = until("never to come").catch(() => undefined);
    const last = round(ROUNDS_PER_EPOCH - 1);
    const epoch = { ...last, epochClose: { ...last.epochClose!, record: new Uint8Array(20_000) } };
    // The system's own buffers take some megabytes before anything is left unread here.
    for (let i = 0; i < 50_000 && fixture.eventClients() === 2; i++) {
      fixture.events.publish(listEvents(epoch));
      await setImmediate();
    }
    expect(fixture.eventClients()).toBe(1);
    for (const controller of open) controller.abort();
    await reading;
    deaf.destroy();
  });

  test("reach whoever reads, also when they are more at once than may be left unread", async () => {
    const { until } = await listen();
    await until("retry: ");
    const [beacon] = round(1).beaconsClosed;
    const beaconsClosed = Array.from({ length: 2 * EVENTS_KEPT }, () => beacon!);
    fixture.events.publish(listEvents({ ...round(0), beaconsClosed }));
    expect(await until("event: round")).toContain(`id: 0.${2 * EVENTS_KEPT}\n`);
    // And so does all that is kept, to one who comes back.
    const resumed = await listen({ "last-event-id": `0.${EVENTS_KEPT + 1}` });
    const missed = await resumed.until("event: round");
    expect(missed.match(/event: beacon/g)).toHaveLength(EVENTS_KEPT - 2);
    expect(missed.length).toBeGreaterThan(MAX_UNREAD_BYTES);
  });

  test("end with the server", async () => {
    const { until } = await listen();
    await until("retry: ");
    await fixture.api.close();
    await until("never to come").catch(() => undefined);
    expect(fixture.eventClients()).toBe(0);
  });
});

describe("the hub", () => {
  let first: RoundResult;
  beforeEach(() => {
    first = { ...round(0), round: 0 };
  });

  test("keeps the newest events and no more", () => {
    const hub = new EventHub();
    for (let i = 0; i <= EVENTS_KEPT; i++) hub.publish(listEvents({ ...first, round: i }));
    expect(hub.since("0.0")).toBeNull();
    const missed = `${hub.since("1.0")}`;
    expect(missed.match(/^id: /gm)).toHaveLength(EVENTS_KEPT - 1);
    expect(missed).toMatch(/^id: 2\.0\n/);
    expect(missed).toMatch(new RegExp(`\nid: ${EVENTS_KEPT}\\.0\n[^\n]*\n[^\n]*\n\n$`));
    expect(hub.since(`${EVENTS_KEPT}.0`)).toHaveLength(0);
    expect(hub.since("nonsense")).toBeNull();
  });

  test("gives all who come back parts of the same bytes", () => {
    const hub = new EventHub();
    for (let i = 0; i < 3; i++) hub.publish(listEvents({ ...first, round: i }));
    const [early, late] = [hub.since("0.0")!, hub.since("1.0")!];
    expect(`${early}`.endsWith(`${late}`)).toBe(true);
    const endOf = ({ buffer, byteOffset, length }: Buffer) => [buffer, byteOffset + length];
    expect(endOf(late)).toEqual(endOf(early));
    expect(late.buffer).toBe(early.buffer);
    hub.publish(listEvents({ ...first, round: 3 }));
    expect(`${hub.since("1.0")}`).toContain("id: 3.0");
  });

  test("tells every one of many listeners of each event once, in order, whatever is published meanwhile", async () => {
    const hub = new EventHub();
    const texts = Array.from({ length: 1_000 }, () => "");
    for (const index of texts.keys())
      hub.subscribe((text) => {
        texts[index] += text.toString();
      });
    const published = [0, 1, 2, 3].map((round) => ({ ...first, round }));
    hub.publish(listEvents(published[0]!));
    // The first listeners have heard of it, the last ones not yet.
    expect([texts[0], texts.at(-1)]).toEqual([expect.stringContaining("id: 0.0"), ""]);
    hub.publish(listEvents(published[1]!));
    await setImmediate();
    for (const result of published.slice(2)) hub.publish(listEvents(result));
    const late: string[] = [];
    hub.subscribe((text) => void late.push(text.toString()));
    await expect.poll(() => texts.at(-1)).toContain("id: 3.0");
    for (const text of texts) {
      const ids = [...text.matchAll(/^id: (\d+)\.\d+$/gm)].map(([, id]) => Number(id));
      expect(ids).toEqual([...ids].sort());
      expect(new Set(ids)).toEqual(new Set([0, 1, 2, 3]));
      expect(text.match(/event: round/g)).toHaveLength(4);
    }
    expect(late).toEqual([]);
  });

  test("tells all of a round of more events than it keeps", () => {
    const hub = new EventHub();
    let text = "";
    hub.subscribe((part) => {
      text += part.toString();
    });
    const [beacon] = round(1).beaconsClosed;
    hub.publish(
      listEvents({ ...first, beaconsClosed: Array.from({ length: 2 * EVENTS_KEPT }, () => beacon!) }),
    );
    expect(text.match(/event: beacon/g)).toHaveLength(2 * EVENTS_KEPT);
    expect(text).not.toContain("gap");
    expect(hub.since("0.0")).toBeNull();
  });
});

/** Sends bytes and gives everything that comes back until the server hangs up. */
const exchange = (bytes: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), "127.0.0.1", () => socket.write(bytes));
    let text = "";
    socket.setEncoding("latin1");
    socket.on("data", (chunk) => {
      text += chunk;
    });
    socket.on("close", () => resolve(text));
    socket.on("error", reject);
  });

test("a transaction is read whole, whatever its length is told by, and with requests without a body around it", async () => {
  const ask = "GET /v1/rounds/latest HTTP/1.1\r\nhost: x\r\n\r\n";
  const post = "POST /v1/transactions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
  const [body, first, rest] = ['{"envelope":"0102"}', '{"envelope"', ':"0304"}'];
  const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;
  const sized = `${post}content-length: ${body.length}\r\n\r\n${body}`;
  const chunked = `${post}transfer-encoding: chunked\r\n\r\n${chunk(first)}${chunk(rest)}${chunk("")}`;
  const answers = await exchange(
    ask + sized + ask + chunked + ask.replace("host", "connection: close\r\nhost"),
  );
  const statuses = [...answers.matchAll(/HTTP\/1.1 (\d+)/g)].map(([, status]) => Number(status));
  expect(statuses).toEqual([200, 202, 200, 202, 200]);
  expect(fixture.submitted).toEqual([Uint8Array.of(1, 2), Uint8Array.of(3, 4)]);
});

describe("what is hardly HTTP", () => {
  test("gets a problem and no more", async () => {
    const huge = await exchange(`GET /livez HTTP/1.1\r\nhost: x\r\nx: ${"a".repeat(20_000)}\r\n\r\n`);
    expect(huge).toMatch(/^HTTP\/1.1 431 .*problem\+json/s);
    const nonsense = await exchange("\u0000\u0001\u0002\r\n\r\n");
    expect(nonsense).toMatch(/^HTTP\/1.1 400 .*problem\+json/s);
    const smuggled = await exchange(
      "POST /v1/transactions HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    );
    expect(smuggled).toMatch(/^HTTP\/1.1 400 /);
    // Paths that a client's library would not let through.
    for (const path of [
      "/\\",
      "//",
      "//etc/passwd",
      "/../../etc/passwd",
      "/%",
      "/v1/hotspots/%00",
      "*",
      "http://x/y",
    ]) {
      const answer = await exchange(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
      expect([path, answer]).toEqual([path, expect.stringMatching(/^HTTP\/1.1 40[04] .*problem\+json/s)]);
    }
    expect((await fetch(new URL("/livez", url))).status).toBe(200);
  });
});
