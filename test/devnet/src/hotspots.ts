/**
 * The devnet's hotspots: each one a real libp2p node with a home and a UDP packet forwarder of its own on the simulated
 * channel. Most share this process; an isolated one is a process of its own, started as an owner would start it.
 */
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { CONFIG_FILE, encodeConfigToml, KEY_FILE } from "../../../node/src/cli/config.ts";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import { createFile, makePrivateFolder, readFileIfAny } from "../../../node/src/host/durableFile.ts";
import { writeKeyFile } from "../../../node/src/host/keystore.ts";
import { createSilentLog } from "../../../node/src/host/log.ts";
import type { HotspotEmitter } from "../../../node/src/hotspot/events.ts";
import { createHotspot } from "../../../node/src/hotspot/hotspot.ts";
import { findGenesisPlacement } from "../../../node/src/hotspot/placement.ts";
import type { HotspotStatus } from "../../../node/src/hotspot/status.ts";
import { createGwmpRadio } from "../../../node/src/radio/gwmp/gwmpRadio.ts";
import type { Genesis } from "../../../protocol/src/network/genesis.ts";
import { REGION_PLANS } from "../../../protocol/src/radio/regions.ts";
import { createEther, type Ether } from "../../ether/ether.ts";
import { createForwarder } from "../../ether/forwarder.ts";
import { WIDE_LUT_DBM } from "../../ether/pullResp.ts";
import { startHexbeacon } from "./processes.ts";
import type { DevnetHotspot } from "./world.ts";

/** A hotspot that runs, with its forwarder. */
export type RunningHotspot = {
  /** What happens to it; null for an isolated one, whose events stay in its process. */
  readonly events: HotspotEmitter | null;
  /** Where an isolated one's page and metrics are; null for the others. */
  readonly http: string | null;
  /** What it says of itself. */
  readonly readStatus: () => Promise<HotspotStatus>;
  readonly stop: () => Promise<void>;
  /** Takes the antenna off the air, as when the forwarder dies. */
  readonly silence: () => Promise<void>;
  /** SIGKILL, of an isolated one; the others share this process and cannot crash alone. */
  readonly kill: () => Promise<void>;
};

/** What all hotspots of a devnet share. */
export type HotspotSurroundings = {
  readonly genesis: Genesis;
  readonly genesisFile: string;
  readonly dataDir: string;
  readonly validators: readonly string[];
  readonly ether: Ether;
};

const E7 = 1e7;
const LOOPBACK = "127.0.0.1";
const clock = createSystemClock();
const log = createSilentLog();

/** Its forwarders' gain table begins here. */
const LOWEST_POWER_DBM = WIDE_LUT_DBM[0]!;

/** The simulated channel of a seed, on the real clock. */
export function createDevnetEther(seed: number): Ether {
  return createEther({ seed }, { clock });
}

/** Where a hotspot's key, spool and state lie. */
export function homeOf(dataDir: string, index: number): string {
  return join(dataDir, "hotspots", String(index).padStart(3, "0"));
}

/** Runs a hotspot in this process. */
export async function startSharedHotspot(
  hotspot: DevnetHotspot,
  surroundings: HotspotSurroundings,
): Promise<RunningHotspot> {
  const { genesis, dataDir, validators } = surroundings;
  const radio = createGwmpRadio({ host: "127.0.0.1", port: 0, allowedEuis: [hotspot.eui] }, { clock, log });
  const placement = findGenesisPlacement(genesis, hotspot.keys.publicKey)!;
  const home = homeOf(dataDir, hotspot.index);
  await prepareHome(hotspot, home);
  const node = createHotspot(
    {
      ...{ home, genesis, keyPair: hotspot.keys, placement, radio, validators },
      lowestPowerDbm: LOWEST_POWER_DBM,
    },
    { clock, log, random: (length) => randomBytes(length) },
  );
  await node.start();
  const port = Number(radio.status().listeningOn!.split(":").at(-1));
  const stopForwarder = await startForwarder(hotspot, surroundings.ether, { host: LOOPBACK, port });
  return {
    events: node.events,
    http: null,
    silence: stopForwarder,
    readStatus: async () => node.status(),
    stop: async () => {
      await stopForwarder();
      await node.stop();
    },
    kill: async () => {
      throw new Error("only an isolated hotspot can be killed");
    },
  };
}

/** Runs a hotspot as a process of its own, with its forwarder here. */
export async function startIsolatedHotspot(
  hotspot: DevnetHotspot,
  surroundings: HotspotSurroundings,
): Promise<RunningHotspot> {
  const { genesisFile, dataDir, validators } = surroundings;
  const home = homeOf(dataDir, hotspot.index);
  await prepareHome(hotspot, home);
  const args = ["node", "run", "--home", home, "--genesis", genesisFile, "--gwmp", "127.0.0.1:0"];
  const links = validators.flatMap((multiaddr) => ["--validator", multiaddr]);
  const child = await startHexbeacon<{ readonly http: string; readonly gwmp: string }>(
    [...args, "--http", "127.0.0.1:0", ...links, "--ready-json", "--exit-with-parent"],
    join(home, "log.txt"),
  );
  const port = Number(child.ready.gwmp.split(":").at(-1));
  const stopForwarder = await startForwarder(hotspot, surroundings.ether, { host: LOOPBACK, port });
  return {
    events: null,
    http: child.ready.http,
    silence: stopForwarder,
    readStatus: async () => (await (await fetch(`${child.ready.http}/v1/status`)).json()) as HotspotStatus,
    stop: async () => {
      await stopForwarder();
      await child.stop();
    },
    kill: async () => {
      await child.kill();
      await stopForwarder();
    },
  };
}

/** Puts the key of the devnet's seed and the configuration into a hotspot's home, once. */
export async function prepareHome(hotspot: DevnetHotspot, home: string): Promise<void> {
  await makePrivateFolder(home);
  const keyFile = join(home, KEY_FILE);
  if ((await readFileIfAny(keyFile)) === null) await writeKeyFile(keyFile, hotspot.keys.secretSeed);
  const { lat, lng, elevationM, region } = hotspot.place;
  const config = { owner: hotspot.owner.publicKey, region, latitude: lat, longitude: lng, elevationM };
  await createFile(
    join(home, CONFIG_FILE),
    encodeConfigToml({ ...config, gainCentiDbi: hotspot.gainCentiDbi }, LOWEST_POWER_DBM),
  );
}

/** Puts the hotspot's antenna on the air. @param server where it listens for forwarders. @returns what takes it off. */
export async function startForwarder(
  hotspot: DevnetHotspot,
  ether: Ether,
  server: { readonly host: string; readonly port: number },
): Promise<() => Promise<void>> {
  const { place } = hotspot;
  const etherPort = ether.attach({
    id: hotspot.eui,
    latE7: Math.round(place.lat * E7),
    lngE7: Math.round(place.lng * E7),
    elevationM: place.elevationM,
    gainCentiDbi: hotspot.gainCentiDbi,
    clutter: place.clutter,
  });
  const forwarder = createForwarder(
    {
      eui: hotspot.eui,
      server,
      plan: REGION_PLANS[place.region],
      lutDbm: WIDE_LUT_DBM,
    },
    { port: etherPort, clock },
  );
  await forwarder.start();
  return async () => {
    await forwarder.stop();
    etherPort.detach();
  };
}
