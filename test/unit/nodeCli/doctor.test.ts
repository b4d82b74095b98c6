import { createSocket } from "node:dgram";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { CHECKS, type Finding, RESULTS } from "../../../node/src/cli/doctor/finding.ts";
import { decodeForwarderConfig } from "../../../node/src/cli/doctor/forwarderConfig.ts";
import { encodeFromForwarder } from "../../../node/src/radio/gwmp/datagram.ts";
import { encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { decodeDidKey, encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { cellFromHex, cellToBigint } from "../../../protocol/src/geo/cell.ts";
import {
  computeNetworkId,
  decodeGenesisJson,
  encodeGenesisJson,
} from "../../../protocol/src/network/genesis.ts";
import type { RegionName } from "../../../protocol/src/radio/regions.ts";
import { findFreePorts } from "../../devnet/src/validators.ts";
import { createSoftToken, isTokenThere } from "../host/softToken.ts";
import { createTestGenesis, newKey } from "../hotspot/fakeValidator.ts";
import { initHome, run, runWith } from "./runNode.ts";

const EUI = "aa555a0000000001";
const STAT = '{"stat":{"time":"2020-03-04 07:01:02 GMT","rxnb":0,"rxok":0,"ackr":0.0}}';
const owner = encodeDidKey(newKey().publicKey);
const cleanups: (() => unknown)[] = [];
let folder: string;
let home: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hexbeacon-doctor-"));
  home = join(folder, "home");
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A port that the system gives to no other test's socket meanwhile. */
async function findPort(): Promise<number> {
  const [port] = await findFreePorts(1);
  return port!;
}

/** Speaks to a port as a forwarder does, again and again until the test ends. */
async function startForwarder(
  port: number,
  kinds: readonly ("push_data" | "pull_data")[] = ["push_data", "pull_data"],
  { eui = EUI, version = 2 }: { eui?: string; version?: 1 | 2 } = {},
): Promise<void> {
  for (const kind of kinds) {
    const socket = createSocket("udp4").bind(0, "127.0.0.1");
    await once(socket, "listening");
    const bytes = encodeFromForwarder(kind, version, 0x1234, eui, kind === "push_data" ? STAT : "");
    const timer = setInterval(() => socket.send(bytes, port, "127.0.0.1"), 20);
    cleanups.push(() => {
      clearInterval(timer);
      socket.close();
    });
  }
}

/** An NTP server whose clock is behind by so much: this machine's then looks ahead. */
async function startTimeServer(behindMs: number): Promise<string> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  cleanups.push(() => socket.close());
  socket.on("message", (request, from) => {
    const answer = Buffer.alloc(48);
    answer.set([0x24, 2]);
    request.copy(answer, 24, 40, 48);
    const nowS = (Date.now() - behindMs) / 1_000 + 2_208_988_800;
    for (const offset of [32, 40]) {
      answer.writeUInt32BE(Math.floor(nowS), offset);
      answer.writeUInt32BE(Math.floor((nowS % 1) * 2 ** 32), offset + 4);
    }
    socket.send(answer, from.port, from.address);
  });
  return `127.0.0.1:${socket.address().port}`;
}

async function startValidator(): Promise<string> {
  const server = createServer((socket) => socket.destroy()).listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => server.close());
  return `/ip4/127.0.0.1/tcp/${(server.address() as AddressInfo).port}`;
}

/** A home whose network has asserted it as it is configured. */
async function makeHome(...more: string[]): Promise<string> {
  const { stdout } = await initHome(home, owner, ...more);
  const info = JSON.parse((await run("info", "--home", home)).stdout) as {
    cell: string;
    antennaGainDbi: number;
    region: RegionName;
  };
  const did = stdout.split("\n")[0]!;
  const publicKey = decodeDidKey(did)!;
  const genesis = createTestGenesis([newKey()], [{ publicKey, secretSeed: new Uint8Array(32) }]);
  const [hotspot] = genesis.hotspots;
  const asserted = {
    ...hotspot!,
    cell: cellToBigint(cellFromHex(info.cell)!),
    gainCentiDbi: Math.round(100 * info.antennaGainDbi),
    region: info.region,
  };
  await writeFile(join(home, "genesis.json"), encodeGenesisJson({ ...genesis, hotspots: [asserted] }));
  return did;
}

async function examine(...flags: string[]): Promise<{ code: number; findings: Finding[]; text: string }> {
  const nobody = ["--http", "127.0.0.1:9", "--time-server", "127.0.0.1:9", "--listen", "0"];
  const { code, stdout } = await run("doctor", "--home", home, "--json", ...nobody, ...flags);
  const { findings } = JSON.parse(stdout) as { findings: Finding[] };
  return { code, findings, text: findings.map(({ found, advice }) => `${found} ${advice}`).join("\n") };
}

const of = (findings: readonly Finding[], check: Finding["check"]) =>
  findings.filter((one) => one.check === check);
const resultOf = (findings: readonly Finding[], check: Finding["check"]) =>
  of(findings, check).map(({ result }) => result);

describe("the doctor", () => {
  test("finds nothing wrong where nothing is, and ends with 0", async () => {
    await makeHome();
    await writeFile(
      join(folder, "global_conf.json"),
      `{ "SX130x_conf": { /* board */ "antenna_gain": 0, "radio_0": { "tx_gain_lut": [
        {"rf_power": 6}, {"rf_power": 14}, {"rf_power": 27} ] } } }`,
    );
    const port = await findPort();
    await startForwarder(port);
    const { code, findings } = await examine(
      ...["--gwmp", `127.0.0.1:${port}`, "--listen", "1", "--validator", await startValidator()],
      ...["--time-server", await startTimeServer(0)],
      ...["--forwarder-config", join(folder, "global_conf.json")],
    );
    expect(findings.filter(({ result }) => result === "warn" || result === "fail")).toEqual([]);
    expect(code).toBe(0);
    expect([...new Set(findings.map(({ check }) => check))]).toEqual([...CHECKS]);
    expect(findings.every(({ result }) => RESULTS.includes(result))).toBe(true);
    expect(resultOf(findings, "forwarder")).toEqual(["ok"]);
    expect(resultOf(findings, "region")).toEqual(["ok"]);
    expect(of(findings, "clock")[0]!.found).toMatch(/^The clock is \d+ ms/);
  });

  test("names every fault of an empty home at once, each with what to do, and ends with 1", async () => {
    const { code, findings } = await examine();
    expect(code).toBe(1);
    for (const check of ["configuration", "key", "genesis", "validators", "disk"] as const) {
      expect(of(findings, check)[0]).toMatchObject({ result: "fail", advice: expect.any(String) });
    }
    const words = await run("doctor", "--home", home, "--listen", "0", "--time-server", "127.0.0.1:9");
    expect(words.stdout).toMatch(/^fail {8}configuration {2}there is no /m);
    expect((await run("doctor", "--listen", "x")).stderr.split("\n")).toHaveLength(3);
  });

  test("does not take a sealed key for a fault, and opens it where it can", async () => {
    const env = { HEXBEACON_PASSPHRASE: "seven blue herons" };
    const flags = ["--home", home, "--region", "EU868", "--owner", owner, "--location", "46.95,7.45"];
    await runWith({ env }, "init", ...flags, "--gain", "2.15", "--passphrase");
    expect(resultOf((await examine()).findings, "key")).toEqual(["not_checked"]);
    await chmod(join(home, "key"), 0o644);
    const { findings } = await examine();
    expect(of(findings, "key")[0]!.advice).toContain("chmod 600");
  });
});

describe("the doctor's look at the record of own beacons", () => {
  test("tells a whole one from a damaged one, and one that was set aside", async () => {
    await makeHome();
    expect(resultOf((await examine()).findings, "beacons")).toEqual(["ok"]);
    for (const [name, text, found] of [
      ["beacons.json", '{"version":1', /is damaged/],
      ["beacons.json.damaged", "", /was damaged once/],
    ] as const) {
      await writeFile(join(home, name), text);
      const [beacons] = of((await examine()).findings, "beacons");
      expect(beacons).toMatchObject({ result: "warn", found: expect.stringMatching(found) });
      expect(beacons!.advice).toEqual(expect.any(String));
      await writeFile(join(home, "beacons.json"), '{"version":1,"beacons":[],"transmissions":[]}');
    }
  });
});

test("docs/running-a-hotspot.md has a row for each of the doctor's lines, in their order", async () => {
  const guide = await readFile(join(import.meta.dirname, "../../../docs/running-a-hotspot.md"), "utf8");
  const section = guide.slice(guide.indexOf("## The doctor's lines"), guide.indexOf("**Power.**"));
  expect([...section.matchAll(/^\| `([a-z_]+)` \|/gm)].map((row) => row[1])).toEqual([...CHECKS]);
});

/** A validator's API that has this to say of any hotspot; null: that there is none such. */
async function startApi(hotspot: object | null, networkId?: string): Promise<string> {
  const genesis = decodeGenesisJson(await readFile(join(home, "genesis.json"), "utf8"));
  if (!genesis.ok) throw new Error(genesis.errors.join());
  const id = networkId ?? encodeHex0x(computeNetworkId(genesis.genesis));
  const server = createHttpServer((request, response) => {
    const answer = request.url === "/v1/status" ? { network: { id }, epoch: 7 } : hotspot;
    response.writeHead(answer === null ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(answer ?? {}));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("the doctor's look at what is registered", () => {
  const place = { cell: "8c1f8342cc609ff", gainDbi: 2.15, elevationM: 0, region: "EU868" };
  const registered = { owner, status: "active", leavingUntilEpoch: null, assertion: place, device: null };
  const bound = { ...registered, device: { key: `0x02${"ab".repeat(32)}`, fromEpoch: 5 } };

  test.each([
    ["as it should be", registered, "ok", /registered to did:key:.*, and active/],
    ["not at all", null, "fail", /does not know this hotspot/],
    ["no more", { ...registered, status: "gone" }, "fail", /does not know this hotspot/],
    ["until its bond returns", { ...registered, leavingUntilEpoch: 9 }, "fail", /returns after epoch 9/],
    ["to another account", { ...registered, owner: encodeDidKey(newKey().publicKey) }, "fail", /is paid/],
    ["without a place", { ...registered, assertion: null }, "fail", /no place is asserted/],
    ["silent", { ...registered, status: "silent" }, "warn", /left a beacon unrevealed/],
  ])("%s", async (_, hotspot, result, found) => {
    await makeHome();
    const { findings } = await examine("--api", await startApi(hotspot));
    const [registration] = of(findings, "registration");
    expect(registration).toMatchObject({ result, found: expect.stringMatching(found) });
    if (result !== "ok") expect(registration!.advice).toEqual(expect.any(String));
  });

  test("is no fault where nobody tells, and one where another network does", async () => {
    await makeHome();
    expect(resultOf((await examine()).findings, "registration")).toEqual(["not_checked"]);
    const away = (await examine("--api", "http://127.0.0.1:9")).findings;
    expect(resultOf(away, "registration")).toEqual(["not_checked"]);
    const foreign = (await examine("--api", await startApi(registered, `0x${"00".repeat(32)}`))).findings;
    expect(of(foreign, "registration")).toMatchObject([
      { result: "fail", found: expect.stringContaining("another network") },
    ]);
  });

  test("compares the configuration with the place of today, rather than with that of genesis", async () => {
    await makeHome();
    const moved = { ...registered, assertion: { ...place, gainDbi: 8 } };
    const [region] = of((await examine("--api", await startApi(moved))).findings, "region");
    expect(region).toMatchObject({ result: "warn", found: expect.stringContaining("8 dBi, not 2.15") });
  });

  test("names a device that is bound where none is set, and what to do where it is lost", async () => {
    await makeHome();
    const none = await examine("--api", await startApi(registered));
    expect(resultOf(none.findings, "device")).toEqual(["ok"]);
    const [device] = of((await examine("--api", await startApi(bound))).findings, "device");
    expect(device).toMatchObject({ result: "fail", found: expect.stringContaining("from epoch 5") });
    expect(device!.advice).toContain("node unbind");
    // Set in part, or to an element that is not there, it is a fault without any network.
    const module = ["--device-key-module", join(home, "none.so")];
    expect(of((await examine(...module)).findings, "device")[0]!.found).toContain("--device-key-token");
    await writeFile(join(home, "pin"), "1\n", { mode: 0o600 });
    const away = [...module, "--device-key-token", "roof", "--device-key-pin-file", join(home, "pin")];
    const [unopened] = of((await examine(...away)).findings, "device");
    expect(unopened).toMatchObject({ result: "fail", found: expect.stringContaining("cannot be opened") });
  });

  test.skipIf(!isTokenThere)("holds the element that is set against the one that is bound", async () => {
    await makeHome();
    const token = await createSoftToken(join(folder, "token"));
    const see = async (hotspot: object | null, ...flags: string[]) => {
      const api = hotspot === null ? [] : ["--api", await startApi(hotspot)];
      const env = token.env as NodeJS.ProcessEnv;
      const nobody = ["--http", "127.0.0.1:9", "--time-server", "127.0.0.1:9", "--listen", "0"];
      const all = ["--json", ...nobody, ...token.flags, ...api, ...flags];
      const { stdout } = await runWith({ env }, "doctor", "--home", home, ...all);
      return of((JSON.parse(stdout) as { findings: Finding[] }).findings, "device")[0]!;
    };
    const alone = await see(null);
    expect(alone).toMatchObject({ result: "not_checked", found: expect.stringContaining("answers") });
    const key = alone.found.split(" ")[0]!;
    expect(key).toMatch(/^0[23][0-9a-f]{64}$/);
    expect(await see({ ...bound, device: { key: `0x${key}`, fromEpoch: 5 } })).toMatchObject({
      result: "ok",
    });
    expect(await see(bound)).toMatchObject({ result: "fail", advice: expect.stringContaining("node bind") });
    expect(await see(registered)).toMatchObject({
      result: "warn",
      advice: expect.stringContaining("node bind"),
    });
  });
});

describe("the doctor's look at the clock", () => {
  test.each([
    [0, "ok"],
    [1_500, "warn"],
    [-1_500, "warn"],
    [20_000, "fail"],
  ] as const)("%d ms off: %s", async (behindMs, result) => {
    const { findings } = await examine("--time-server", await startTimeServer(behindMs));
    const [clock] = of(findings, "clock");
    expect(clock!.result).toBe(result);
    if (behindMs !== 0) expect(clock!.found).toContain(behindMs > 0 ? "ahead of" : "behind");
  });

  test("says that it was not checked where no server answers", async () => {
    expect(resultOf((await examine()).findings, "clock")).toEqual(["not_checked"]);
  });
});

/** A running hotspot that says this of itself, as it stands when it is asked. @returns where it says so. */
async function startHotspot(status: object): Promise<string> {
  const server = createHttpServer((_, response) => response.end(JSON.stringify(status)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  cleanups.push(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe("the doctor's look at forwarders", () => {
  const listen = async (port: number) => {
    const { findings } = await examine("--gwmp", `127.0.0.1:${port}`, "--listen", "1");
    return of(findings, "forwarder");
  };

  test("nobody", async () => {
    const port = await findPort();
    expect(await listen(port)).toMatchObject([
      { result: "fail", advice: expect.stringContaining(`127.0.0.1:${port}`) },
    ]);
  });

  test.each<[string, Parameters<typeof startForwarder>[1], Parameters<typeof startForwarder>[2], object]>([
    ["an EUI of zeros", undefined, { eui: "0".repeat(16) }, { result: "fail", found: /all zeros/ }],
    ["PULL without PUSH", ["pull_data"], {}, { result: "warn", found: /reports nothing/ }],
    ["PUSH without PULL", ["push_data"], {}, { result: "fail", found: /never asks/ }],
    ["version 1", undefined, { version: 1 }, { result: "warn", found: /version 1/ }],
  ])("%s", async (_, kinds, more, expected) => {
    const port = await findPort();
    await startForwarder(port, kinds, more);
    const [first, ...rest] = await listen(port);
    const { result, found } = expected as { result: string; found: RegExp };
    expect([first!.result, rest]).toEqual([result, []]);
    expect(first!.found).toMatch(found);
  });

  test("two with one EUI, and two with their own", async () => {
    const port = await findPort();
    await startForwarder(port);
    await startForwarder(port);
    expect(await listen(port)).toMatchObject([
      { result: "warn", found: expect.stringContaining("Two forwarders use") },
    ]);
    const another = await findPort();
    await startForwarder(another);
    await startForwarder(another, undefined, { eui: "aa555a0000000002" });
    expect((await listen(another)).map(({ result }) => result)).toEqual(["ok", "ok", "warn"]);
    // Both are meant where both are named, and who is not named is refused.
    const named = async (...euis: string[]) => {
      const flags = euis.flatMap((eui) => ["--forwarder", eui]);
      const { findings } = await examine("--gwmp", `127.0.0.1:${another}`, "--listen", "1", ...flags);
      return of(findings, "forwarder");
    };
    expect((await named(EUI.toUpperCase(), "aa555a0000000002")).map(({ result }) => result)).toEqual([
      "ok",
      "ok",
    ]);
    expect(await named(EUI)).toMatchObject([
      { result: "ok" },
      { result: "warn", found: expect.stringContaining("aa555a0000000002 is not among those") },
    ]);
    expect(resultOf(await named("aa555a0000000009"), "forwarder")).toEqual(["fail", "fail"]);
  });

  test("a port that another program has", async () => {
    const taken = createSocket("udp4").bind(0, "127.0.0.1");
    await once(taken, "listening");
    cleanups.push(() => taken.close());
    const [found] = await listen(taken.address().port);
    expect(found).toMatchObject({ result: "fail", found: expect.stringContaining("Another program") });
  });

  test("as the running hotspot tells it", async () => {
    const did = await makeHome();
    const lastSeenMs = Date.now();
    const forwarder = {
      eui: EUI,
      alive: true,
      lastSeenMs,
      lastPushMs: null,
      version: 2,
      takeoversRefused: 2,
      downlinkReturns: 0,
    };
    const other = { ...forwarder, takeoversRefused: 0, downlinkReturns: 3, lastPushMs: lastSeenMs };
    const gone = { ...other, eui: "aa555a0000000003", alive: false, lastSeenMs: lastSeenMs - 10_800_000 };
    const radio = {
      listeningOn: "127.0.0.1:1700",
      datagrams: { eui_not_allowed: 4 },
      forwarders: [forwarder, { ...other, eui: "aa555a0000000002" }, gone],
    };
    const validators = [{ address: await startValidator(), connected: false, lastError: "unreachable" }];
    const problems = ["No validator is in reach."];
    const http = await startHotspot({ did, name: "calm-blue-heron", problems, validators, radio });
    const { findings } = await examine("--http", http);
    expect(of(findings, "hotspot")).toMatchObject([{ result: "warn", found: "No validator is in reach." }]);
    expect(resultOf(findings, "validators")).toEqual(["ok", "not_checked"]);
    expect(of(findings, "forwarder").map(({ found }) => found)).toEqual([
      expect.stringMatching(/^Another address uses .* refused/),
      expect.stringContaining("reports nothing"),
      expect.stringMatching(/^Two forwarders on one machine use .* in turns/),
      expect.stringContaining("2 forwarders speak here"),
      expect.stringMatching(/^aa555a0000000003 has been silent for 3 h/),
      expect.stringMatching(/^4 datagrams had an EUI that forwarders does not name/),
    ]);
    expect(new Set(resultOf(findings, "forwarder"))).toEqual(new Set(["warn"]));
    // One that is silent has not simply never asked.
    radio.forwarders = [gone];
    const later = await examine("--http", http);
    expect(of(later.findings, "forwarder").map(({ found }) => found.slice(0, 30))).toEqual([
      ...["aa555a0000000003 has been sile", "4 datagrams had an EUI that fo"],
    ]);
    expect(resultOf(later.findings, "forwarder")).toEqual(["fail", "fail"]);
  });
});

describe("the doctor's look at place and power", () => {
  const tables = (...radios: number[][]) => {
    const named = radios.map((powers, i) => {
      return [`radio_${i}`, { tx_gain_lut: powers.map((rf_power) => ({ rf_power })) }];
    });
    return JSON.stringify({ SX130x_conf: Object.fromEntries(named) });
  };
  const lut = (...powers: number[]) => tables(powers);

  test.each([
    // The reference table begins at 12 dBm: 16 dBm EIRP less 5.8 dBi is 10.
    ["EU868 with 5.8 dBi, table unknown", ["--gain", "5.8"], null, "fail", /more than the plan allows/],
    [
      "EU868 with 5.8 dBi, table from 12",
      ["--gain", "5.8"],
      lut(12, 27),
      "fail",
      /more than the plan allows/,
    ],
    [
      // Beacons leave by the first radio, whatever the second could do.
      "EU868 with 5.8 dBi, the second radio's table from 0",
      ["--gain", "5.8"],
      tables([12, 27], [0, 27]),
      "fail",
      /begins at 12 dBm/,
    ],
    ["EU868 with 5.8 dBi, table from 4", ["--gain", "5.8"], lut(4, 10, 27), "fail", /goes by 12 dBm/],
    // A step goes no lower than the stock table; one that begins above it costs the beacons of the lower step.
    ["EU868 with 2.15 dBi, table from 12", [], lut(12, 27), "ok", /asks/],
    ["EU868 with 0 dBi, table from 15", ["--gain", "0"], lut(15, 27), "warn", /12 dBm are refused/],
    ["US915 with 8 dBi, table from 12", ["--gain", "8", "--region", "US915"], lut(12, 27), "ok", /asks/],
    ["a gain taken off twice", [], '{"SX1301_conf":{"antenna_gain":2}}', "fail", /taken off already/],
  ])("%s", async (_, flags, config, result, found) => {
    await makeHome(...flags);
    const file = join(folder, "conf.json");
    if (config !== null) await writeFile(file, config);
    const { findings } = await examine(...(config === null ? [] : ["--forwarder-config", file]));
    const [power] = of(findings, "power");
    expect(power!.result).toBe(result);
    expect(power!.found).toMatch(found);
  });

  test("a forwarder's file that is not to be seen is told with where the service sees it", async () => {
    await makeHome();
    const path = join(folder, "hidden", "global_conf.json");
    const { findings } = await examine("--forwarder-config", path);
    expect(of(findings, "forwarder")).toContainEqual(
      expect.objectContaining({
        result: "warn",
        found: `${path} is not there, or hidden from this user.`,
        advice: expect.stringContaining("/etc/hexbeacon"),
      }),
    );
  });

  test("a table that goes low enough, once the hotspot is told", async () => {
    await makeHome("--gain", "5.8");
    const { findings } = await examine("--lowest-power", "4");
    expect(of(findings, "power")).toMatchObject([{ result: "ok", found: expect.stringContaining("4 dBm") }]);
  });

  test("where the forwarder's GPS has it stand, where it has one", async () => {
    const did = await makeHome();
    const see = async (lati: number, long: number, alive = true) => {
      const stat = { receivedAtMs: 0, values: { lati, long } };
      const forwarder = {
        eui: EUI,
        version: 2,
        alive,
        stat,
        lastSeenMs: Date.now(),
        lastPushMs: null,
      };
      const radio = { listeningOn: null, datagrams: { eui_not_allowed: 0 }, forwarders: [forwarder] };
      const http = await startHotspot({ did, problems: [], validators: [], radio });
      const [, ...findings] = of((await examine("--http", http)).findings, "region");
      return findings.map(({ result, found }) => [result, found]);
    };
    expect(await see(46.951, 7.45)).toEqual([
      ["ok", `The GPS of ${EUI} is 111 m from the place that is set.`],
    ]);
    expect(await see(46.96, 7.45)).toEqual([
      ["warn", `The GPS of ${EUI} is 1112 m from the place that is set.`],
    ]);
    // One that has no fix, and one that is gone.
    expect([...(await see(0, 0)), ...(await see(46.96, 7.45, false))]).toEqual([]);
  });

  test("what is configured and what is asserted", async () => {
    await makeHome();
    await rm(join(home, "config.toml"));
    await writeFile(
      join(home, "config.toml"),
      `owner = "${owner}"\nregion = "US915"\n[location]\nlatitude = 46.95\nlongitude = 7.46\nelevationM = 0\n[antenna]\ngainDbi = 3`,
    );
    const place = { cell: "8c1f8342cc609ff", gainDbi: 2.15, elevationM: 0, region: "EU868" };
    const registered = { owner, status: "active", leavingUntilEpoch: null, assertion: place, device: null };
    // Genesis may be past, and what a validator tells is not.
    for (const [result, flags] of [
      ["warn", []],
      ["fail", ["--api", await startApi(registered)]],
    ] as const) {
      const [region] = of((await examine(...flags)).findings, "region");
      expect(region!.result).toBe(result);
      for (const word of ["EU868, not US915", "cell", "2.15 dBi, not 3"]) {
        expect(region!.found).toContain(word);
      }
    }
  });

  test("listening first, where a country asks for it", async () => {
    await makeHome("--region", "KR920");
    const [unknown] = of((await examine()).findings, "listen_first");
    expect(unknown).toMatchObject({
      result: "not_checked",
      found: expect.stringContaining("South Korea: 6 ms"),
    });
    const file = join(folder, "conf.json");
    const config = (enable: boolean) => ({ SX130x_conf: { sx1261_conf: { lbt: { enable } } } });
    for (const [enable, result] of [
      [true, "ok"],
      [false, "warn"],
    ] as const) {
      await writeFile(file, JSON.stringify(config(enable)));
      const { findings } = await examine("--forwarder-config", file);
      expect(resultOf(findings, "listen_first")).toEqual([result]);
    }
  });

  test("the forwarder's destination", async () => {
    const file = join(folder, "conf.json");
    const gateway_conf = {
      gateway_ID: "0000000000000000",
      server_address: "eu1.cloud.example",
      serv_port_up: 1730,
      serv_port_down: 1700,
    };
    await writeFile(file, JSON.stringify({ gateway_conf }));
    const { text } = await examine("--forwarder-config", file);
    for (const word of ["port 1730 and 1700", "eu1.cloud.example", "all zeros"]) expect(text).toContain(word);
  });
});

describe("a forwarder's configuration", () => {
  test("is read with its comments, in both vendors' forms", () => {
    const old = `{ "SX1301_conf": { "tx_lut_0": { /* -6 */ "rf_power": -6 }, "tx_lut_1": {"rf_power": 14} },
      // where to
      "gateway_conf": { "gateway_ID": "AA555A0000000000", "server_address": "http://x//y" } }`;
    expect(decodeForwarderConfig(old)).toMatchObject({
      powersDbm: [-6, 14],
      gatewayId: "aa555a0000000000",
      serverAddress: "http://x//y",
      antennaGainDbi: 0,
    });
    for (const none of ["", "{}", "[]", "null", "{", '{"a":1}'])
      expect(decodeForwarderConfig(none)).toBe(null);
  });
});
