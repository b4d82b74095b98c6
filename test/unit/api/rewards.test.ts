/** Earnings over HTTP: tables for accountants, the export for machines, and what both cost a client that asks again. */
import { connect } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import type { Page, Store } from "../../../validator/src/store/store.ts";
import { commitAll } from "../store/compliance.ts";
import { createHistory, ROUNDS_PER_EPOCH } from "../store/history.ts";
import { createFixture, did, EPOCHS, type Fixture } from "./apiFixture.ts";

let fixture: Fixture;
beforeEach(async () => {
  fixture = await createFixture();
});
afterEach(async () => {
  await fixture.api.close();
  expect(fixture.errors).toEqual([]);
});

type Line = Record<string, unknown> & { type: string; epoch: number };
const linesOf = (body: string): Line[] =>
  body
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("an account's rewards", () => {
  test("are its hotspots', its seat's and escrow's, by epoch, day and month", async () => {
    const url = `/v1/accounts/${did("owner 2")}/rewards`;
    const whole = (await fixture.get(url)).json();
    const { beaconPaid, witnessPaid, validatorPaid, released, earned } = whole.total;
    const parts = [beaconPaid, witnessPaid, validatorPaid, released].map(BigInt);
    expect(parts.reduce((a, b) => a + b)).toBe(BigInt(earned));
    expect(released).toBe(`${EPOCHS - 1}`);
    for (const query of ["bucket=day", "bucket=month&zone=Asia/Tokyo", "bucket=day&zone=Pacific/Chatham"]) {
      expect((await fixture.get(`${url}?${query}`)).json().total).toEqual(whole.total);
    }
    const csv = await fixture.get(`${url}?format=csv&bucket=month`);
    expect(csv.headers["content-type"]).toBe("text/csv; charset=utf-8");
    const [header, ...rows] = csv.body.trimEnd().split("\r\n");
    expect(header).toBe(
      "period,startTimeMs,firstEpoch,lastEpoch,epochs,lines,beaconPaid,witnessPaid,validatorPaid,released,earned",
    );
    expect(rows.reduce((sum, row) => sum + BigInt(row.split(",").at(-1)!), 0n)).toBe(BigInt(earned));
  });

  test("are in the months of a zone", async () => {
    const url = `/v1/hotspots/${did("hotspot 0")}/rewards?bucket=month`;
    const periods = async (zone: string) =>
      (await fixture.get(`${url}&zone=${zone}`)).json().items.map((b: { period: string }) => b.period);
    // The first epoch begins an hour before November does in UTC.
    expect(new Set([...(await periods("UTC")), "2026-10", "2026-11"]).size).toBe(2);
    expect(await periods("Asia/Tokyo")).toEqual(["2026-11"]);
    expect(await periods("America/New_York")).toEqual(["2026-10"]);
  });

  test("are refused for a zone or an account that there is not", async () => {
    const url = `/v1/accounts/${did("owner 0")}/rewards`;
    for (const zone of ["Mars/Olympus", "%2B01:00", ""]) {
      const response = await fixture.get(`${url}?zone=${zone}`);
      expect([response.statusCode, response.json().errors[0].field]).toEqual([400, "zone"]);
    }
    expect((await fixture.get(`/v1/accounts/${did("nobody")}/rewards`)).statusCode).toBe(404);
  });
});

describe("a validator that joined at a checkpoint", () => {
  const OLDEST = 2;
  const join = () => {
    const { getEpoch } = fixture.store;
    const store: Store = {
      ...fixture.store,
      oldestEpoch: async () => OLDEST,
      getEpoch: async (epoch) => (epoch < OLDEST ? null : getEpoch(epoch)),
    };
    return createFixture({}, { store });
  };

  test("gives no sum of a range that it has in part only", async () => {
    const joined = await join();
    expect((await joined.get("/v1/status")).json()).toMatchObject({ oldestEpoch: OLDEST, closedEpoch: 3 });
    for (const path of [`hotspots/${did("hotspot 0")}`, `accounts/${did("owner 0")}`]) {
      for (const query of ["from=0&to=3", "from=1", "to=1", "from=0&to=1&format=csv"]) {
        const response = await joined.get(`/v1/${path}/rewards?${query}`);
        expect([response.statusCode, response.headers.etag]).toEqual([404, undefined]);
        expect(response.json().detail).toContain(`no epoch before ${OLDEST}`);
      }
      for (const query of ["", "?from=2&to=3", "?to=3"]) {
        const { from, to } = (await joined.get(`/v1/${path}/rewards${query}`)).json();
        expect([from, to]).toEqual([OLDEST, 3]);
      }
    }
    await joined.api.close();
  });

  test("gives none before an epoch of its own has closed", async () => {
    const round = (await fixture.store.latestRound())!;
    const store: Store = {
      ...fixture.store,
      ...{ oldestEpoch: async () => null, latestEpoch: async () => null, getEpoch: async () => null },
      latestRound: async () => ({ ...round, epoch: 9 }),
    };
    const joined = await createFixture({}, { store });
    const url = `/v1/accounts/${did("owner 0")}/rewards?from=0&to=9`;
    expect((await joined.get(url)).statusCode).toBe(404);
    await joined.api.close();
  });
});

describe("a client that has an answer", () => {
  test("is told so, by the tag or by the date, until an epoch closes", async () => {
    const growing = await createGrowing(2);
    for (const url of [
      `/v1/accounts/${did("owner 0")}/rewards`,
      `/v1/hotspots/${did("hotspot 0")}/rewards`,
      "/v1/epochs/latest",
      "/v1/epochs/latest/rewards",
      "/v1/export/rewards?fromEpoch=0",
      "/v1/epochs",
      "/v1/epochs?cursor=99",
      "/v1/coverage",
    ]) {
      const { headers } = await growing.get(url);
      const [tag, date] = [String(headers.etag), String(headers["last-modified"])];
      const closed = await growing.store.latestEpoch();
      expect(Date.parse(date)).toBe(Math.floor(closed!.endTimeMs / 1_000) * 1_000);
      expect((await growing.get(url, { "if-none-match": tag })).statusCode).toBe(304);
      expect((await growing.get(url, { "if-modified-since": date })).statusCode).toBe(304);
      const earlier = new Date(Date.parse(date) - 1_000).toUTCString();
      expect((await growing.get(url, { "if-modified-since": earlier })).statusCode).toBe(200);
      // The tag is the better witness, and nonsense is no date.
      const other = { "if-none-match": '"other"', "if-modified-since": date };
      expect((await growing.get(url, other)).statusCode).toBe(200);
      expect((await growing.get(url, { "if-modified-since": "yesterday" })).statusCode).toBe(200);
      await growing.closeEpoch();
      expect((await growing.get(url, { "if-none-match": tag })).statusCode).toBe(200);
      expect((await growing.get(url, { "if-modified-since": date })).statusCode).toBe(200);
    }
    await growing.api.close();
  });

  test("need not ask again for what is closed, and is told so if it does", async () => {
    const growing = await createGrowing(3);
    const urls = [
      "/v1/epochs/1",
      "/v1/epochs?cursor=2",
      "/v1/epochs/1/rewards",
      "/v1/epochs/1/certificate",
      "/v1/epochs/1/checkpoint",
      "/v1/rounds/3",
      "/v1/coverage?epoch=1",
      `/v1/hotspots/${did("hotspot 0")}/rewards?from=0&to=1`,
    ];
    const first = await Promise.all(urls.map((url) => growing.get(url)));
    await growing.closeEpoch();
    for (const [place, url] of urls.entries()) {
      const { headers, body } = first[place]!;
      expect([url, headers["cache-control"]]).toEqual([url, "public, max-age=31536000, immutable"]);
      const again = await growing.get(url);
      expect([again.headers.etag, again.body]).toEqual([headers.etag, body]);
      expect((await growing.get(url, { "if-none-match": String(headers.etag) })).statusCode).toBe(304);
    }
    expect(new Set(first.map(({ headers }) => headers.etag)).size).toBe(urls.length);
    await growing.api.close();
  });

  test("is told so by the answer itself, where more than epochs is in it", async () => {
    const growing = await createGrowing(2);
    const { rows } = await growing.store.listRewardLines(0, 0, 1);
    const explanation = `/v1/hotspots/${Buffer.from(rows[0]!.hotspot).toString("hex")}/rewards/0/explain`;
    for (const url of ["/v1/map?resolution=5", explanation]) {
      const { headers } = await growing.get(url);
      expect(headers["cache-control"]).toBe("public, no-cache");
      expect(headers["content-type"]).toBe("application/json; charset=utf-8");
      expect((await growing.get(url, { "if-none-match": String(headers.etag) })).statusCode).toBe(304);
      expect((await growing.get(url, { "if-none-match": '"other"' })).statusCode).toBe(200);
    }
    const map = (await growing.get("/v1/map")).headers.etag;
    await growing.closeEpoch();
    expect((await growing.get("/v1/map", { "if-none-match": String(map) })).statusCode).toBe(200);
    await growing.api.close();
  });

  test("is given no tag for a map that is not there", async () => {
    const { headers } = await fixture.get("/v1/coverage?epoch=99");
    expect(headers.etag).toBeUndefined();
  });
});

describe("the export", () => {
  test("has every line of every epoch, and after each epoch what makes it whole", async () => {
    const response = await fixture.get("/v1/export/rewards?fromEpoch=0");
    expect(response.headers["content-type"]).toBe("application/x-ndjson; charset=utf-8");
    const lines = linesOf(response.body);
    for (let epoch = 0; epoch < EPOCHS; epoch++) {
      const own = lines.filter((line) => line.epoch === epoch);
      const end = own.pop()!;
      const asked = (await fixture.get(`/v1/epochs/${epoch}/rewards?limit=1000`)).json().items;
      expect(own).toEqual(asked.map((item: object) => ({ type: "reward", epoch, ...item })));
      const { startTimeMs, recordDigest } = (await fixture.store.getEpoch(epoch))!;
      expect(end).toMatchObject({ type: "epoch", lines: own.length, startTimeMs });
      expect(end.recordDigest).toBe(encodeHex0x(recordDigest));
    }
  });

  test("goes on where it was interrupted", async () => {
    const whole = (await fixture.get("/v1/export/rewards?fromEpoch=0&toEpoch=3")).body;
    // Wherever it is cut, what there is up to the last epoch's end and the rest from the next epoch make the whole.
    for (const cut of [0, 100, whole.length / 2, whole.length - 1, whole.length]) {
      const ends = whole.slice(0, cut).match(/^.*"type":"epoch".*\n/gm) ?? [];
      const kept = whole.slice(0, ends.length === 0 ? 0 : whole.indexOf(ends.at(-1)!) + ends.at(-1)!.length);
      const next = ends.length === 0 ? 0 : JSON.parse(ends.at(-1)!).epoch + 1;
      const rest = await fixture.get(`/v1/export/rewards?fromEpoch=${next}`);
      expect([rest.statusCode, kept + rest.body]).toEqual([200, whole]);
    }
  });

  test("is refused backwards, and from an epoch that this validator does not have", async () => {
    const joined = await createFixture({}, { store: { ...fixture.store, getEpoch: async () => null } });
    expect((await joined.get("/v1/export/rewards?fromEpoch=0")).statusCode).toBe(404);
    await joined.api.close();
    expect((await fixture.get("/v1/export/rewards?fromEpoch=3&toEpoch=1")).statusCode).toBe(400);
    expect((await fixture.get("/v1/export/rewards")).statusCode).toBe(400);
  });

  test("reads no further than a client that reads nothing, lets it go, and serves few at once", async () => {
    let pages = 0;
    const line = (await fixture.store.listPlainLines(0, 0, 1)).rows[0]!;
    // An epoch without end: whoever reads ahead reads for ever.
    const endless: Store["listPlainLines"] = async (_epoch, after): Promise<Page<typeof line, number>> => {
      pages++;
      const rows = Array.from({ length: 1_000 }, (_, n) => ({ ...line, rank: after + n + 1 }));
      return { rows, next: after + 1_000 };
    };
    const endlessTable: Store["listRewardLines"] = async (epoch, after) => {
      const { rows, next } = await endless(epoch, after, 1_000);
      const ranked = (await fixture.store.listRewardLines(0, 0, 1)).rows[0]!;
      return { rows: rows.map(({ rank }) => ({ ...ranked, rank })), next };
    };
    const slow = await createFixture(
      {},
      { store: { ...fixture.store, listPlainLines: endless, listRewardLines: endlessTable } },
    );
    await slow.api.listen({ host: "127.0.0.1", port: 0 });
    const { port } = slow.api.server.address() as { port: number };
    const [all, table] = ["/v1/export/rewards?fromEpoch=0", "/v1/epochs/0/rewards?format=csv"];
    const ask = (path = all) => {
      const socket = connect(port, "127.0.0.1");
      socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);
      // One byte is read, so that the answer has begun; then nothing.
      return new Promise<typeof socket>((resolve) =>
        socket.once("readable", () => {
          socket.read(1);
          resolve(socket);
        }),
      );
    };
    const clients = [await ask(), await ask(table), await ask(), await ask(table)];
    for (const path of [all, table]) {
      const { statusCode, headers } = await slow.get(path);
      expect([statusCode, headers["retry-after"], headers["cache-control"]]).toEqual([503, "5", "no-store"]);
    }
    // The kernel's buffers take some megabytes a connection at most; a page is 300 kB.
    await untilStill(() => pages);
    expect(pages).toBeLessThan(4 * 60);
    const gone = clients.map((socket) => new Promise((resolve) => socket.resume().once("close", resolve)));
    for (const socket of clients) socket.pause();
    slow.clock.fire();
    for (const socket of clients) socket.resume();
    await Promise.all(gone);
    const again = await ask();
    again.destroy();
    await slow.api.close();
  });
});

/** Waits until a number has been the same for so many turns of the event loop that nothing moves any more. */
async function untilStill(read: () => number): Promise<void> {
  for (let still = 0, last = -1; still < 2_000; ) {
    await new Promise((resolve) => setImmediate(resolve));
    still = read() === last ? still + 1 : 0;
    last = read();
  }
}

type Growing = Fixture & { readonly closeEpoch: () => Promise<void> };

/** A fixture whose history goes on while it is asked. */
async function createGrowing(epochs: number): Promise<Growing> {
  const history = createHistory("api", 12);
  const { createMemoryStore } = await import("../../store/memoryStore.ts");
  const store = createMemoryStore(history.genesis);
  let rounds = epochs * ROUNDS_PER_EPOCH;
  await commitAll(store, { ...history, commits: history.commits.slice(0, rounds) });
  const grown = await createFixture({}, { store });
  const closeEpoch = async () => {
    const next = history.commits.slice(rounds, rounds + ROUNDS_PER_EPOCH);
    await commitAll(store, { ...history, commits: next });
    rounds += ROUNDS_PER_EPOCH;
  };
  return Object.assign(grown, { store, closeEpoch });
}

describe("pages while epochs close between them", () => {
  type Listed = { items?: unknown[]; features?: unknown[]; next: string | null };
  const itemsOf = (page: Listed) => page.items ?? page.features ?? [];

  for (const [what, path, id] of [
    ["epochs", "/v1/epochs?limit=1", "epoch"],
    ["the newest epoch's lines", "/v1/epochs/latest/rewards?limit=2", "hotspot"],
    ["hotspots", "/v1/hotspots?limit=2", "id"],
    ["the map", "/v1/coverage?resolution=8&limit=1", "id"],
    ["a hotspot's reports", `/v1/hotspots/${did("hotspot 1")}/activity?limit=2`, "id"],
    ["a hotspot's trust", `/v1/hotspots/${did("hotspot 1")}/trust?limit=1`, "fromEpoch"],
    ["who staked", "/v1/stakes?limit=1", "id"],
    ["evidence", "/v1/evidence?limit=1", "round"],
  ] as const) {
    test(`of ${what} are those that there were when they began, each once`, async () => {
      const still = await createGrowing(4);
      const growing = await createGrowing(4);
      const readAll = async (from: Growing, between: () => Promise<void>) => {
        const seen: unknown[] = [];
        for (let cursor = ""; ; ) {
          const page: Listed = (await from.get(`${path}${cursor}`)).json();
          seen.push(...itemsOf(page).map((item) => (item as Record<string, unknown>)[id]));
          if (page.next === null) return seen;
          await between();
          cursor = `&cursor=${page.next}`;
        }
      };
      const expected = await readAll(still, async () => {});
      let closed = 0;
      const seen = await readAll(growing, async () => {
        if (closed++ < 6) await growing.closeEpoch();
      });
      expect(seen).toEqual(expected);
      expect(expected.length).toBeGreaterThan(1);
      expect(closed).toBeGreaterThan(0);
      await still.api.close();
      await growing.api.close();
    });
  }

  test("refuse a cursor of another epoch's lines", async () => {
    expect((await fixture.get("/v1/epochs/1/rewards?cursor=0.2")).statusCode).toBe(400);
    expect((await fixture.get("/v1/epochs/1/rewards?cursor=2")).statusCode).toBe(400);
    expect((await fixture.get("/v1/epochs/latest/rewards?cursor=99.2")).statusCode).toBe(404);
  });
});

describe("an epoch's table", () => {
  test("leaves others a turn between two pages", async () => {
    const { rows } = await fixture.store.listRewardLines(0, 0, 1);
    let turns = 0;
    let isDone = false;
    const turn = (): void => {
      turns++;
      if (!isDone) setImmediate(turn);
    };
    const seen: number[] = [];
    // Pages that are there at once: nothing else in the way of a table waits for anything.
    const listRewardLines: Store["listRewardLines"] = async (_epoch, after) => {
      seen.push(turns);
      return { rows, next: after < 10 ? after + 1 : null };
    };
    const paged = await createFixture({}, { store: { ...fixture.store, listRewardLines } });
    setImmediate(turn);
    const { body } = await paged.get("/v1/epochs/0/rewards?format=csv");
    isDone = true;
    expect(body.trimEnd().split("\r\n")).toHaveLength(12);
    expect(seen).toHaveLength(11);
    expect(new Set(seen).size).toBe(seen.length);
    await paged.api.close();
  });
});
