/** How many answers that are work all the way are made at once, of whom, and what becomes of the others. */
import { setImmediate } from "node:timers/promises";
import Fastify from "fastify";
import { describe, expect, test } from "vitest";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { UnitsExplainer, type UnitsStore } from "../../../validator/src/api/explainUnits.ts";
import {
  limitHeavyAnswers,
  MAX_AT_WORK,
  MAX_HEAVY_PER_ADDRESS,
  MAX_WAITING_FOR_WORK,
} from "../../../validator/src/api/heavyAnswers.ts";
import type { ApiModules } from "../../../validator/src/api/modules.ts";
import type { Routes } from "../../../validator/src/api/routes/context.ts";
import type { ReceptionRow } from "../../../validator/src/store/store.ts";
import { named } from "../store/history.ts";
import { createFixture, did } from "./apiFixture.ts";

/** An API of one route for each kind of work, which is done when it is told so. */
async function createHeld() {
  const api = Fastify({ trustProxy: true });
  limitHeavyAnswers(api as unknown as Routes);
  const held: (() => void)[] = [];
  for (const work of ["walk", "proof"] as const) {
    api.get(`/${work}`, { config: { work } }, async () => {
      await new Promise<void>((resolve) => held.push(resolve));
      return work;
    });
  }
  api.get("/failing", { config: { work: "walk" } }, async () => {
    throw new Error("as it may");
  });
  await api.ready();
  const ask = (client: string, url = "/walk") =>
    api.inject({ url, headers: { "x-forwarded-for": client } }).then(({ statusCode }) => statusCode);
  const finish = async (): Promise<void> => {
    for (const end of held.splice(0)) end();
    await setImmediate();
  };
  /** Has everything done that was asked for, and all that waits for it. */
  const finishAll = async (asked: readonly Promise<number>[]): Promise<number[]> => {
    let isDone = false;
    const statuses = Promise.all(asked).finally(() => {
      isDone = true;
    });
    while (!isDone) {
      await settle();
      await finish();
    }
    return await statuses;
  };
  return { api, held, ask, finish, finishAll };
}

/** Lets all that can go on do so. */
const settle = async (turns = 20): Promise<void> => {
  for (let n = 0; n < turns; n++) await setImmediate();
};

describe("heavy answers", () => {
  test("are made two at a time, whoever asks, and the others one after another", async () => {
    const { api, held, ask, finish } = await createHeld();
    const asked = Array.from({ length: MAX_AT_WORK + 3 }, (_, host) => ask(`192.0.2.${host}`));
    const most: number[] = [];
    for (let n = 0; n < 3; n++) {
      await settle();
      most.push(held.length);
      await finish();
    }
    expect(most).toEqual([MAX_AT_WORK, MAX_AT_WORK, 1]);
    expect(await Promise.all(asked)).toEqual(asked.map(() => 200));
    await api.close();
  });

  test("do not wait for those of another kind", async () => {
    const { api, held, ask, finishAll } = await createHeld();
    const asked = ["/walk", "/walk", "/walk", "/proof"].map((url) => ask("192.0.2.1", url));
    await settle();
    expect(held).toHaveLength(MAX_AT_WORK + 1);
    expect(await finishAll(asked)).toEqual([200, 200, 200, 200]);
    await api.close();
  });

  test("are refused to an address that has as many under way, and to nobody else", async () => {
    const { api, ask, finishAll } = await createHeld();
    const asked = Array.from({ length: MAX_HEAVY_PER_ADDRESS }, () => ask("192.0.2.1"));
    await settle();
    const refused = await api.inject({ url: "/walk", headers: { "x-forwarded-for": "192.0.2.1" } });
    expect([refused.statusCode, refused.json().message]).toEqual([503, expect.stringContaining("ask again")]);
    asked.push(ask("192.0.2.2"));
    expect(await finishAll(asked)).toEqual(asked.map(() => 200));
    // All have given their places back.
    const again = Array.from({ length: MAX_HEAVY_PER_ADDRESS }, () => ask("192.0.2.1"));
    expect(await finishAll(again)).toEqual(again.map(() => 200));
    await api.close();
  });

  test("wait in a bounded number", async () => {
    const { api, ask, finishAll } = await createHeld();
    const places = MAX_AT_WORK + MAX_WAITING_FOR_WORK;
    // This machine may ask for as many as it likes.
    const asked = Array.from({ length: places + 2 }, () => ask("127.0.0.1"));
    const statuses = await finishAll(asked);
    expect(statuses.filter((status) => status === 200)).toHaveLength(places);
    expect(statuses.slice(places)).toEqual([503, 503]);
    await api.close();
  });

  test("give their place back when they fail", async () => {
    const { api, ask } = await createHeld();
    for (let n = 0; n <= MAX_AT_WORK; n++) expect(await ask("192.0.2.1", "/failing")).toBe(500);
    await api.close();
  });
});

type Reads = "listReceptions" | "getBeacon" | "latestCoverageEpoch";

/**
 * Asks for everything at once, of a store that says how often it was read at the same time.
 * @param work what a read waits for before it is made.
 */
async function askAtOnce(read: Reads, urls: readonly string[], work: () => Promise<void>) {
  const { store } = await createFixture();
  let [atWork, most] = [0, 0];
  const counting: ApiModules["store"] = {
    ...store,
    [read]: async (...given: readonly never[]) => {
      most = Math.max(most, ++atWork);
      await work();
      atWork--;
      return (store[read] as (...given: readonly never[]) => unknown)(...given);
    },
  };
  const { api } = await createFixture({}, { store: counting });
  const answers = await Promise.all(urls.map((url) => api.inject(url)));
  await api.close();
  return { most, answers };
}

test("the API's walks are made two at a time together, and refused in a problem that says when to come back", async () => {
  const hotspot = `/v1/hotspots/${did("hotspot 0")}`;
  const paths = [`${hotspot}/links`, `${hotspot}/rewards/1/explain`];
  const urls = Array.from({ length: 20 }, () => paths).flat();
  const { most, answers } = await askAtOnce("listReceptions", urls, () => settle(3));
  expect(most).toBe(MAX_AT_WORK);
  const refused = answers.filter(({ statusCode }) => statusCode === 503);
  expect(refused).toHaveLength(urls.length - MAX_AT_WORK - MAX_WAITING_FOR_WORK);
  expect(refused[0]!.headers).toMatchObject({ "retry-after": "1", "cache-control": "no-store" });
  expect(answers.filter(({ statusCode }) => statusCode === 200)).toHaveLength(urls.length - refused.length);
});

test.each<[Reads, string]>([
  ["getBeacon", `/v1/beacons/${"00".repeat(32)}-0`],
  ["latestCoverageEpoch", "/v1/cells/881f1d4887fffff"],
])("%s is read in a turn of its own, as pages are", async (read, url) => {
  const urls = Array.from({ length: 10 }, () => url);
  const { most } = await askAtOnce(read, urls, async () => {
    for (let n = 0; n < 50; n++) await Promise.resolve();
  });
  expect(most).toBe(1);
});

test("reports are taken apart one after another, with a turn of the event loop between them", async () => {
  let read = 0;
  const store: UnitsStore = {
    getBeacon: async () => {
      read++;
      return null;
    },
    getHotspot: async () => null,
    listTrust: async () => ({ rows: [], next: null }),
  };
  const reception = (index: number): ReceptionRow => ({
    reportId: { envelopeId: named("envelope"), index },
    counterpart: named("counterpart"),
    isHeard: true,
    closedEpoch: 1,
    beacon: { envelopeId: named("beacon"), index },
    unitsPpm: 1,
    beaconerPpm: null,
  });
  const explained = new UnitsExplainer(store, PRESETS.test).explain(
    named("hotspot"),
    Array.from({ length: 10 }, (_, index) => reception(index)),
  );
  await setImmediate();
  expect(read).toBeLessThanOrEqual(2);
  expect(await explained).toEqual(new Array(10).fill(null));
  expect(read).toBe(10);
});
