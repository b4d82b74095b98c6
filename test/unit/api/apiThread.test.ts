/** The API in a thread of its own, beside a store that is written, and what it asks of the validator. */
import { mkdtempSync, readdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { getPriority, tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import { createLog } from "../../../node/src/host/log.ts";
import type { RewardCert } from "../../../protocol/src/agreement/attest.ts";
import { encodeHex, encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import type { RoundResult } from "../../../protocol/src/ledger/types.ts";
import type { Genesis } from "../../../protocol/src/network/genesis.ts";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { listEvents } from "../../../validator/src/api/eventHub.ts";
import { ApiThread } from "../../../validator/src/api/thread/apiThread.ts";
import type { FromApi, LiveValidator } from "../../../validator/src/api/thread/messages.ts";
import { MAX_QUESTIONS, MAX_TRACES, ValidatorLink } from "../../../validator/src/api/thread/validatorLink.ts";
import { type HttpModules, openHttp } from "../../../validator/src/openHttp.ts";
import { openSqliteStore } from "../../../validator/src/store/sqliteStore/sqliteStore.ts";
import type { Store } from "../../../validator/src/store/store.ts";
import { createHistory, type History, named } from "../store/history.ts";

const nobody = async () => {
  throw new Error("nobody asks this");
};

describe("the API's thread", () => {
  let folder: string;
  let history: History;
  let store: Store;
  let thread: ApiThread | null;
  let said: string;
  let live: { -readonly [Question in keyof LiveValidator]: LiveValidator[Question] };
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "hexbeacon-api-thread-"));
    history = createHistory("thread", 3);
    store = await openSqliteStore({
      path: join(folder, "store.sqlite"),
      networkId: named("network"),
      genesis: history.genesis,
    });
    thread = null;
    said = "";
    live = {
      status: async () => ({ peers: 3, notReady: null }),
      exposeMetrics: async () => ({ contentType: "text/plain", text: "# TYPE up gauge\nup 1\n" }),
      connections: async () => [encodeHex(named("validator 1"))],
      isPending: async () => false,
      ...{ rewardCert: async () => null, rewardProof: nobody, appeal: nobody, traceMessage: nobody },
      submitTransaction: async (envelope) => ({ id: envelope.slice(0, 32), reason: null }),
    };
  });
  afterEach(async () => {
    await thread?.close();
    await store.close();
  });

  const write = (line: string): void => {
    said += line;
  };
  const genesis: Genesis = {
    ...{ name: "test network", timeMs: 0, seed: named("seed"), parameters: PRESETS.test },
    ...{ validators: [], accounts: [], hotspots: [] },
  };
  const open = async (more: { readonly port?: number; readonly program?: URL } = {}): Promise<ApiThread> => {
    const { port = 0, program } = more;
    const opening = new ApiThread(
      {
        ...{ host: "127.0.0.1", port, version: "0.0.0", corsOrigins: [], trustProxies: [] },
        storePath: join(folder, "store.sqlite"),
        genesis,
        networkId: named("network"),
        validator: named("validator 0"),
      },
      {
        clock: createSystemClock(),
        log: createLog({ level: "info", format: "plain", write }),
        live,
        ...(program === undefined ? {} : { program }),
      },
    );
    await opening.open();
    return opening;
  };
  const read = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${thread!.port}${path}`);
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  };

  /** As the validator does: stored, and then told. */
  const commit = async (index: number): Promise<void> => {
    const { commit: round, snapshot } = history.commits[index]!;
    await store.commitRound(round, snapshot);
    thread!.publish(listEvents(round.result));
  };

  async function commitFirst(): Promise<void> {
    const { commit: round, snapshot } = history.commits[0]!;
    await store.commitRound(round, snapshot);
  }

  test("shows a round, and what became of its messages, to whoever was told of it", async () => {
    await commitFirst();
    thread = await open();
    const events = await fetch(`http://127.0.0.1:${thread.port}/v1/events`);
    const stream = events.body!.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (let index = 1; index < history.commits.length; index++) {
      const { round, transactions, hotspotsChanged } = history.commits[index]!.commit.result;
      const readHotspots = () =>
        Promise.all(hotspotsChanged.map(({ key }) => read(`/v1/hotspots/${encodeDidKey(key)}`)));
      // Asked before, so that an answer that is kept too long would show.
      await read("/v1/rounds/latest");
      await readHotspots();
      await commit(index);
      while (!text.includes(`id: ${round}.`)) text += (await stream.read()).value;
      expect((await read("/v1/rounds/latest")).json.round).toBe(round);
      for (const { id } of transactions)
        expect((await read(`/v1/transactions/${encodeHex0x(id)}`)).json.round).toBe(round);
      const shown = (await readHotspots()).map(({ json }) => json.lastActiveEpoch);
      expect(shown).toEqual(hotspotsChanged.map(({ lastActiveEpoch }) => lastActiveEpoch));
    }
    await stream.cancel();
  });

  test("is told of the rounds that are stored while it starts", async () => {
    await commitFirst();
    let tell = (_result: RoundResult): void => expect.fail("nobody listens to rounds yet");
    const opening = openHttp({ host: "127.0.0.1", port: 0, version: "0.0.0" }, {
      identity: { genesis, networkId: named("network"), signer: { publicKey: named("validator 0") } },
      storePath: join(folder, "store.sqlite"),
      onRound: (listener: typeof tell) => {
        tell = listener;
      },
      ...{ metrics: { expose: live.exposeMetrics }, traceMessage: nobody },
      ...{ clock: createSystemClock(), log: createLog({ level: "info", format: "plain", write }) },
    } as unknown as HttpModules);
    const told = history.commits.slice(1).map(({ commit: { result } }) => result);
    for (const result of told) tell(result);
    const http = await opening;
    const [first, last] = [listEvents(told[0]!), listEvents(told.at(-1)!)].map((events) => events.at(-1)!.id);
    const events = await fetch(`${http.url}/v1/events`, { headers: { "last-event-id": first! } });
    await http.close();
    const text = await events.text();
    expect(text).toContain(`id: ${last}\n`);
    expect(text).not.toContain("event: gap");
  });

  test("asks the validator what is not in the store", async () => {
    await commitFirst();
    thread = await open();
    const status = (await read("/v1/status")).json;
    expect([status.peers, status.ready, status.round]).toEqual([3, true, 0]);
    const { items } = (await read("/v1/validators")).json as { items: { id: string; connected: unknown }[] };
    const links = new Map(items.map(({ id, connected }) => [id, connected]));
    expect([...links.keys()]).toEqual(history.genesis.seats.map(encodeDidKey));
    const linkTo = (name: string) => links.get(encodeDidKey(named(name)));
    expect(["validator 0", "validator 1", "validator 2"].map(linkTo)).toEqual([null, true, false]);
    live.status = async () => ({ peers: 0, notReady: "Still executing old rounds." });
    const notReady = await read("/readyz");
    expect([notReady.status, notReady.json.detail]).toEqual([503, "Still executing old rounds."]);
    live.status = nobody;
    expect((await read("/livez")).status).toBe(500);
    expect(said).toContain("nobody asks this");
    const page = await (await fetch(`http://127.0.0.1:${thread.port}/metrics`)).text();
    expect(page).toMatch(/^up 1$/m);
    expect(page).toMatch(/^hexbeacon_http_event_clients 0$/m);
    const names = [...page.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test("is replaced on its port when it dies, and the validator is told", async () => {
    await commitFirst();
    thread = await open({ program: new URL("./dyingApiWorker.ts", import.meta.url) });
    expect((await read("/livez")).status).toBe(200);
    thread.publish([]);
    await expect.poll(() => said).toContain("The API's thread ended");
    expect(said).toContain("died as it was told");
    await expect.poll(() => said).toContain("answers again");
    await commit(1);
    await expect.poll(async () => (await read("/v1/rounds/latest")).json.round).toBe(1);
  });

  test("says why it cannot listen, and leaves nothing behind", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await new Promise((listening) => taken.once("listening", listening));
    const { port } = taken.address() as { port: number };
    await expect(open({ port })).rejects.toMatchObject({
      code: "listen_failed",
      message: expect.stringContaining("EADDRINUSE"),
    });
    taken.close();
  });

  test("ends though somebody listens", async () => {
    thread = await open();
    const events = await fetch(`http://127.0.0.1:${thread.port}/v1/events`);
    await thread.close();
    thread = null;
    expect(await events.text()).toContain("retry: ");
  });

  test.skipIf(process.platform !== "linux")("lets other threads go first", async () => {
    /** The 19th field is the priority (proc(5)); the second one, in brackets, may hold spaces. */
    const nices = () =>
      readdirSync("/proc/self/task").flatMap((task) => {
        try {
          const stat = readFileSync(`/proc/self/task/${task}/stat`, "utf8");
          return [Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[16])];
        } catch {
          // It ended while we looked.
          return [];
        }
      });
    const own = getPriority();
    const before = nices().filter((nice) => nice > own).length;
    thread = await open();
    expect(nices().filter((nice) => nice > own).length).toBe(own < 5 ? before + 1 : before);
    expect(getPriority()).toBe(own);
  });
});

describe("the API's link to the validator", () => {
  const createLink = () => {
    const posted: Extract<FromApi, { type: "ask" }>[] = [];
    const timers = new Set<() => void>();
    const time = { ms: 0 };
    const link = new ValidatorLink({
      post: (message) => void (message.type === "ask" && posted.push(message)),
      clock: {
        elapsedMs: () => time.ms,
        after: (_delayMs, callback) => {
          timers.add(callback);
          return () => void timers.delete(callback);
        },
      },
    });
    const pass = () => {
      for (const callback of timers) callback();
    };
    return { link, posted, timers, time, pass };
  };

  test("asks once for all who want to know the same meanwhile", async () => {
    const { link, posted, timers } = createLink();
    const asked = [link.live.status(), link.live.status()];
    expect(posted).toHaveLength(1);
    link.settle({ type: "answer", id: posted[0]!.id, value: { peers: 1, notReady: null } });
    expect((await Promise.all(asked)).map(({ peers }) => peers)).toEqual([1, 1]);
    expect(timers.size).toBe(0);
    void link.live.status();
    expect(posted).toHaveLength(2);
  });

  test("asks for metrics once a second, however many want them", async () => {
    const { link, posted, time } = createLink();
    const page = (text: string) => ({ contentType: "text/plain", text });
    const first = [link.live.exposeMetrics(), link.live.exposeMetrics()];
    link.settle({ type: "answer", id: posted[0]!.id, value: page("first") });
    expect(await Promise.all(first)).toEqual([page("first"), page("first")]);
    time.ms = 999;
    expect(await link.live.exposeMetrics()).toEqual(page("first"));
    expect(posted).toHaveLength(1);
    time.ms = 1_000;
    const next = link.live.exposeMetrics();
    link.settle({ type: "answer", id: posted[1]!.id, value: page("next") });
    expect(await next).toEqual(page("next"));
  });

  test("asks for an epoch's certificate until there is one, and never again", async () => {
    const { link, posted } = createLink();
    const ask = (epoch: number) => link.live.rewardCert(epoch);
    const certificate = { bitmap: new Uint8Array(1), signatures: [] } as unknown as RewardCert;
    for (const value of [null, certificate]) {
      const asked = ask(7);
      link.settle({ type: "answer", id: posted.at(-1)!.id, value });
      expect(await asked).toBe(value);
    }
    expect(posted).toHaveLength(2);
    expect(await ask(7)).toBe(certificate);
    void ask(8);
    expect(posted.map(({ given }) => given)).toEqual([[7], [7], [8]]);
  });

  test("has few messages traced at once, and says when to ask again", async () => {
    const { link, posted, pass } = createLink();
    const trace = () => link.live.traceMessage(new Uint8Array(32));
    const asked = Array.from({ length: MAX_TRACES }, trace);
    await expect(trace()).rejects.toMatchObject({ status: 503, retryAfterS: 1 });
    // Nobody waits any longer, but the validator has them before it all the same.
    pass();
    await Promise.allSettled(asked);
    await expect(trace()).rejects.toMatchObject({ status: 503 });
    expect(posted).toHaveLength(MAX_TRACES);
    link.settle({ type: "failed", id: posted[0]!.id, error: "it broke" });
    const next = trace();
    link.settle({ type: "answer", id: posted.at(-1)!.id, value: null });
    expect(await next).toBeNull();
  });

  test("says in words that no answer comes, and takes a late one for nothing", async () => {
    const { link, posted, pass } = createLink();
    const asked = link.live.status();
    pass();
    await expect(asked).rejects.toMatchObject({ status: 503, message: expect.stringContaining("for 4 s") });
    link.settle({ type: "answer", id: posted[0]!.id, value: null });
    const again = link.live.status();
    link.settle({ type: "failed", id: posted[1]!.id, error: "it broke" });
    await expect(again).rejects.toThrow("it broke");
  });

  test("has no more before the validator than may wait, though nobody waits for them any longer", async () => {
    const { link, posted, pass } = createLink();
    const ask = () => link.live.isPending(new Uint8Array(32));
    const asked = Array.from({ length: MAX_QUESTIONS }, ask);
    pass();
    const settled = await Promise.allSettled(asked);
    expect(settled.every(({ status }) => status === "rejected")).toBe(true);
    await expect(ask()).rejects.toMatchObject({ status: 503 });
    link.settle({ type: "answer", id: posted[0]!.id, value: true });
    const later = ask();
    link.settle({ type: "answer", id: posted.at(-1)!.id, value: true });
    expect(await later).toBe(true);
  });
});
