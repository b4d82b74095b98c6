import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { parse } from "smol-toml";
import { beforeEach, describe, expect, test } from "vitest";
import { renderDefaultFile } from "../../../node/src/cli/settings/describe.ts";
import { parseSettingsToml, resolveSettings } from "../../../node/src/cli/settings/layers.ts";
import { findNearest } from "../../../node/src/cli/settings/nearest.ts";
import { SETTING_KEYS, SETTINGS, variableOf } from "../../../node/src/cli/settings/settings.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { newKey } from "../hotspot/fakeValidator.ts";
import { initHome, runWith } from "./runNode.ts";

let folder: string;
let systemFile: string;
let home: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hexbeacon-settings-"));
  systemFile = join(folder, "node.toml");
  home = join(folder, "home");
  await mkdir(home);
});

const resolve = (flags: Record<string, unknown> = {}, env: NodeJS.ProcessEnv = {}) =>
  resolveSettings({ flags, env, systemFile });
const wordsOf = ({ faults }: Awaited<ReturnType<typeof resolve>>) => faults.map(({ words }) => words);

describe("settings", () => {
  test("of flags win over the environment, over the home's file, over the machine's, over defaults", async () => {
    const atHome = join(home, "config.toml");
    await writeFile(
      systemFile,
      `home = ${JSON.stringify(home)}\nhttp = "127.0.0.1:1"\ngwmp = "127.0.0.1:1"\n`,
    );
    await writeFile(atHome, 'gwmp = "127.0.0.1:2"\n[log]\nlevel = "warn"\nformat = "json"\n');
    const env = { HEXBEACON_NODE_LOG_LEVEL: "error", HEXBEACON_NODE_LOG_FORMAT: "" };
    const found = await resolve({ logLevel: "debug" }, env);
    expect(wordsOf(found)).toEqual([]);
    expect(found.files).toEqual([atHome, systemFile]);
    const { settings, origins } = found;
    expect([settings.http, origins.http]).toEqual([
      "127.0.0.1:1",
      { kind: "file", path: systemFile, name: "http" },
    ]);
    expect([settings.gwmp, origins.gwmp]).toEqual([
      "127.0.0.1:2",
      { kind: "file", path: atHome, name: "gwmp" },
    ]);
    expect([settings["log.level"], origins["log.level"]]).toEqual([
      "debug",
      { kind: "flag", name: "--log-level" },
    ]);
    // An empty variable is one that is not set.
    expect(settings["log.format"]).toBe("json");
    expect([settings["location.elevationM"], origins["location.elevationM"]]).toEqual([
      0,
      { kind: "default" },
    ]);
    expect((await resolve({}, { HEXBEACON_NODE_LOG_LEVEL: "error" })).settings["log.level"]).toBe("error");
  });

  test("of the machine step back where a home or another file is named", async () => {
    await writeFile(systemFile, 'http = "127.0.0.1:1"\n');
    const other = join(folder, "other.toml");
    await writeFile(other, 'http = "127.0.0.1:3"\n');
    expect((await resolve()).settings.http).toBe("127.0.0.1:1");
    expect((await resolve({ home })).settings.http).toBe("127.0.0.1:4468");
    expect((await resolve({ home, config: other })).settings.http).toBe("127.0.0.1:3");
    expect((await resolve({}, { HEXBEACON_NODE_CONFIG: other })).settings.http).toBe("127.0.0.1:3");
    expect(wordsOf(await resolve({ config: join(folder, "none") }))).toEqual([
      `there is no configuration file at ${join(folder, "none")}`,
    ]);
  });

  test("that nobody knows are refused in every source, with the nearest that there is", async () => {
    await writeFile(
      join(home, "config.toml"),
      'regoin = "EU868"\n[location]\nlat = 1\n[log]\nlevle = "info"\n',
    );
    const found = await resolve(
      { home },
      { HEXBEACON_NODE_HTPP: "x", HEXBEACON_PASSPHRASE: "not a setting" },
    );
    const path = join(home, "config.toml");
    expect(wordsOf(found)).toEqual([
      "HEXBEACON_NODE_HTPP is no setting; did you mean HEXBEACON_NODE_HTTP?",
      `${path}: regoin is no setting; did you mean region?`,
      `${path}: location.lat is no setting`,
      `${path}: log.levle is no setting; did you mean log.level?`,
    ]);
    expect(found.faults.map(({ inFile }) => inFile)).toEqual([false, true, true, true]);
  });

  test("that are wrong are named as their source names them, all at once", async () => {
    const path = join(home, "config.toml");
    await writeFile(
      path,
      'home = "/elsewhere"\nvalidators = "/ip4/1.2.3.4/tcp/1"\n[antenna]\ngainDbi = "high"\n',
    );
    const env = { HEXBEACON_NODE_FORWARDERS: "aa555a0000000001, zz" };
    expect(wordsOf(await resolve({ home, latitude: "91" }, env))).toEqual([
      `${path}: home cannot be set in the home's own file`,
      "--latitude must be a number from -90 to 90",
      `${path}: antenna.gainDbi must be a number from -10 to 15`,
      "HEXBEACON_NODE_FORWARDERS must be 16 hexadecimal digits",
    ]);
    await writeFile(path, "no = toml = at all");
    expect(wordsOf(await resolve({ home })).join()).toContain(`${path}: Invalid TOML`);
  });

  test("can each be given by the environment, lists with commas or spaces", async () => {
    const owner = encodeDidKey(newKey().publicKey);
    const texts: Record<string, string> = {
      home,
      owner,
      region: "US915",
      genesis: "/g",
      api: "http://127.0.0.1:8080",
      gwmp: "[::1]:1",
      checkpoint: "/c",
      http: "0.0.0.0:2",
      passphraseFile: "/p",
      "location.latitude": "-33.5",
      "log.level": "debug",
      "location.longitude": "151",
      "location.elevationM": "7",
      "antenna.gainDbi": "5.8",
      "antenna.lowestPowerDbm": "-6",
      validators: "/dns4/a/tcp/1 /dns4/b/tcp/2",
      forwarders: "aa555a0000000001,aa555a0000000002",
      "deviceKey.module": "/m",
      "deviceKey.token": "t",
      "deviceKey.id": "0a",
      "deviceKey.pinFile": "/n",
      "log.format": "json",
      "doctor.forwarderConfig": "/f",
      "doctor.timeServers": "a:123, b",
    };
    const env = Object.fromEntries(SETTING_KEYS.map((key) => [variableOf(key), texts[key]]));
    const { settings, faults } = await resolve({}, env);
    expect(faults).toEqual([]);
    expect(settings).toMatchObject({
      "location.latitude": -33.5,
      "antenna.gainDbi": 5.8,
      region: "US915",
      "log.level": "debug",
      validators: ["/dns4/a/tcp/1", "/dns4/b/tcp/2"],
      "doctor.timeServers": ["a:123", "b"],
    });
    expect(Object.values(settings)).not.toContain(null);
  });

  test("of any file are read without an exception", () => {
    const value = fc.anything({ maxDepth: 2, withDate: true });
    fc.assert(
      fc.property(fc.constantFrom(...SETTING_KEYS), value, (key, raw) => void SETTINGS[key].parse(raw)),
    );
    fc.assert(fc.property(fc.string(), (text) => void parseSettingsToml(text, "x")));
  });
});

describe("the default file", () => {
  test("sets what it is told to, and offers everything else", () => {
    const text = renderDefaultFile({ home: "/var/lib/x" });
    const sections = { log: {}, location: {}, antenna: {}, doctor: {}, deviceKey: {} };
    expect(parse(text)).toEqual({ home: "/var/lib/x", ...sections });
    // Every value that is shown as a comment is one that would be taken.
    const offered = text.replace(/^# (\w+ = .+)$/gm, "$1");
    const { values, faults } = parseSettingsToml(offered, "x");
    expect(faults).toEqual([]);
    for (const [key, raw] of values) expect([key, SETTINGS[key].parse(raw)]).not.toContain(null);
    expect(values.size).toBe(SETTING_KEYS.filter((key) => SETTINGS[key].fallback !== null).length + 1);
    for (const key of SETTING_KEYS) expect(text).toContain(`${key.split(".").at(-1)} =`);
  });
});

describe("node config", () => {
  test("shows what is in force and from where, never a passphrase, and ends with 2 where something is wrong", async () => {
    await initHome(join(folder, "new"), encodeDidKey(newKey().publicKey));
    const env = {
      HEXBEACON_PASSPHRASE: "seven blue herons",
      HEXBEACON_NODE_HTTP: "127.0.0.1:80",
      HEXBEACON_NODE_PASSPHRASE_FILE: join(folder, "secret"),
    };
    await writeFile(join(folder, "secret"), "eight red herons\n");
    const flags = ["config", "--print", "--home", join(folder, "new"), "--log-level", "warn"];
    const shown = await runWith({ env }, ...flags);
    expect([shown.code, shown.stderr]).toEqual([0, ""]);
    expect(shown.stdout).toMatch(/^http = "127\.0\.0\.1:80" +# environment HEXBEACON_NODE_HTTP$/m);
    expect(shown.stdout).toMatch(/^log\.level = "warn" +# flag --log-level$/m);
    expect(shown.stdout).toMatch(/^region = "EU868" +# .*config\.toml$/m);
    expect(shown.stdout).toMatch(/^gwmp = "127\.0\.0\.1:1700" +# default$/m);
    expect(shown.stdout).toContain("HEXBEACON_PASSPHRASE is set, and is never shown");
    expect(shown.stdout).not.toContain("herons");
    // What is shown is a file that says the same.
    expect(parseSettingsToml(shown.stdout, "x").faults).toEqual([]);
    const json = await runWith({ env: { HEXBEACON_NODE_GWMPP: "1" } }, ...flags, "--json", "--http", "x");
    expect(json.code).toBe(2);
    expect((JSON.parse(json.stdout) as { faults: string[] }).faults).toEqual([
      "HEXBEACON_NODE_GWMPP is no setting; did you mean HEXBEACON_NODE_GWMP?",
      "--http must be host:port, such as 127.0.0.1:4468",
    ]);
  });
});

describe("the nearest name", () => {
  test("is found through one slip of any kind, and not where nothing is near", () => {
    const names = ["gwmp", "http", "validators", "location.latitude"];
    for (const slip of ["gwpm", "gwm", "gwmpp", "gwmq", "GWMP"])
      expect(findNearest(slip, names)).toBe("gwmp");
    expect(findNearest("validator", names)).toBe("validators");
    expect(findNearest("location.lattitude", names)).toBe("location.latitude");
    expect(findNearest("banana", names)).toBe(null);
    expect(findNearest("", names)).toBe(null);
  });

  test("of a name is the name, and swaps cost one whichever way round", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{4,12}$/), fc.nat(10), (name, at) => {
        expect(findNearest(name, [name])).toBe(name);
        const i = at % (name.length - 1);
        const swapped = name.slice(0, i) + name[i + 1] + name[i] + name.slice(i + 2);
        expect(findNearest(swapped, [name])).toBe(name);
      }),
    );
  });
});
