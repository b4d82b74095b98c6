/**
 * Alerts as an operator gets them: a real Prometheus scrapes real validators and hotspots, things go wrong, and what it
 * sends says so. The rules are the shipped ones with their times shortened. What no fault can bring about, because the
 * protocol rules it out, is said by an instance that lies.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { PENALTY_REASONS } from "../../../protocol/src/trust/finding.ts";
import { createValidatorMetrics, type MetricSources } from "../../../validator/src/metrics.ts";
import { countersOf } from "../../../validator/src/networkHealth.ts";
import { HOTSPOT_STATUSES } from "../../../validator/src/store/hotspotStatus.ts";
import { type Fleet, startFleet } from "../../devnet/src/fleet/fleet.ts";
import { type Load, openLoad } from "../../devnet/src/fleet/load.ts";
import { createDevnetEther, type RunningHotspot, startIsolatedHotspot } from "../../devnet/src/hotspots.ts";
import { ask, waitFor } from "../validatorApi.ts";
import { type AlertWatch, hasPrometheus, startPrometheus } from "./prometheus.ts";

const VALIDATORS = 4;
/**
 * The world goes round two cities: hotspots 0, 2 and 4 stand in one and hear each other. They belong to three owners, or
 * nobody would be paid on their word.
 */
const WORLD_HOTSPOTS = 12;
const IN_ONE_CITY = [0, 2, 4];
/**
 * Half as many rounds as the preset's, twice as long, so that four validators, three hotspots and Prometheus keep up on
 * two cores: an epoch of 4 s, in which each hotspot beacons once.
 */
const PARAMETERS = {
  ...{ roundMs: 400, roundsPerEpoch: 10, beaconToleranceRounds: 3 },
  ...{ witnessWindowRounds: 4, revealWindowRounds: 4, waitRounds: 4 },
  // The quota would let a dozen hotspots flood nobody.
  reportsPerEpoch: 1_000_000,
} as const;
/** More than the alert's 2 GB, until something else takes of it. */
const DISK_MIB = 2_200;
const TAKEN_MIB = 400;
const CLOCK_AHEAD = "+90s";
/** Some 2 MB a second: below a quorum it fills a lane's window and the inbox before it, 8 MiB each, within seconds. */
const FLOOD = { reportsPerSecond: 30_000, reportsPerEnvelope: 12 } as const;

const FAKETIME = ["x86_64", "aarch64"]
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`)
  .find((path) => existsSync(path));
const folder = mkdtempSync(join(tmpdir(), "hexbeacon-alerts-"));
const disk = join(folder, "disk");
mkdirSync(disk);
const isMounted =
  spawnSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_MIB}m`, "tmpfs", disk], { stdio: "ignore" })
    .status === 0;
const missing = [
  ...(hasPrometheus ? [] : ["prometheus (apt-get install prometheus)"]),
  ...(FAKETIME === undefined ? ["libfaketime (apt-get install libfaketime)"] : []),
  ...(isMounted ? [] : ["leave to mount a disk"]),
];
const clearFolder = (): void => {
  if (isMounted) execFileSync("umount", ["-l", disk]);
  rmSync(folder, { recursive: true, force: true });
};
// Where nothing runs, nothing is called after it either.
if (missing.length > 0) clearFolder();

let fleet: Fleet | null = null;
let load: Load | null = null;
let prometheus: AlertWatch | null = null;
let liar: Server | null = null;
const hotspots: RunningHotspot[] = [];
afterAll(async () => {
  await load?.close();
  await prometheus?.stop();
  liar?.close();
  await Promise.all(hotspots.map((hotspot) => hotspot.stop()));
  await fleet?.stop();
  if (missing.length === 0) clearFolder();
});

/** A validator's metrics without a validator: it says of itself what no honest one can come to. */
async function startLiar(): Promise<{ readonly host: string; readonly lie: () => void }> {
  let isBalanced = true;
  const nothing = { parcels: 0, bytes: 0 };
  const sources: MetricSources = {
    inboxDepth: () => nothing,
    verifier: () => ({ pending: 0, threads: 1, restarts: 0 }),
    batchesInFlight: () => 0,
    executionBacklog: () => 0,
    peers: () => 3,
    storeBytes: async () => 0,
    diskFreeBytes: async () => 1e12,
    networkHealth: () => ({
      ...{ booksBalanced: isBalanced, hotspots: countersOf(HOTSPOT_STATUSES) },
      ...{ suspended: 0, foundAgainst: countersOf(PENALTY_REASONS) },
    }),
    validatorsConnected: () => 3,
    seats: () => ({ count: 4, quorum: 3, own: 0 }),
    roundsBehind: () => 0,
    batchesMissing: () => 0,
    ackWaitEpochs: () => 0,
    clockOffsetMs: () => 0,
    laneWindows: () => [],
  };
  const metrics = createValidatorMetrics(sources);
  liar = createServer(async (_request, response) => {
    // What is counted fires no longer than its window, and other faults take their time to be injected.
    if (!isBalanced) metrics.onSplitAttestation();
    const { contentType, text } = await metrics.expose();
    response.setHeader("content-type", contentType).end(text);
  }).listen(0, "127.0.0.1");
  await once(liar, "listening");
  const { port } = liar.address() as AddressInfo;
  const lie = (): void => {
    isBalanced = false;
  };
  return { host: `127.0.0.1:${port}`, lie };
}

const hostOf = (url: string): string => new URL(url).host;

test.skipIf(missing.length > 0)(
  `an operator hears of what goes wrong${missing.length > 0 ? ` (skipped: needs ${missing.join(", ")})` : ""}`,
  async () => {
    let skewed = -1;
    const env = { LD_PRELOAD: FAKETIME!, FAKETIME: CLOCK_AHEAD, FAKETIME_DONT_FAKE_MONOTONIC: "1" };
    fleet = await startFleet({
      ...{ validators: VALIDATORS, hotspots: WORLD_HOTSPOTS, seed: 1, preset: "test" },
      parameters: PARAMETERS,
      parent: disk,
      extrasOf: (index) => (index === skewed ? { env } : {}),
    });
    const { genesis, validators, world } = fleet;
    const surroundings = {
      ...{ genesis, dataDir: disk, ether: createDevnetEther(1) },
      genesisFile: join(fleet.folder, "genesis.json"),
      validators: validators.map((role) => role.ready().multiaddrs[0]!),
    };
    for (const index of IN_ONE_CITY)
      hotspots.push(await startIsolatedHotspot(world.hotspots[index]!, surroundings));
    const { host: liarHost, lie } = await startLiar();
    const hosts = validators.map((role) => hostOf(role.ready().http));
    const [first, , third, fourth] = hosts as [string, string, string, string];
    const [silenced, killed] = hotspots.map(({ http }) => hostOf(http!)) as [string, string];
    prometheus = await startPrometheus(folder, {
      validators: [...hosts, liarHost],
      hotspots: hotspots.map(({ http }) => hostOf(http!)),
    });
    const { fired, resolved, firing } = prometheus;

    // All is well: in the first epochs nobody was heard yet, and later ones are paid.
    await waitFor(validators[0]!, async () => {
      const rewards = await ask<{ items: unknown[] }>(validators[0]!, "/v1/epochs/latest/rewards").catch(
        () => null,
      );
      return rewards !== null && rewards.items.length > 0 ? rewards : null;
    });
    await resolved(`HexbeaconEpochUnpaid ${first}`);
    const expected = [
      `HexbeaconClockSkew ${fourth}`,
      `HexbeaconDiskFilling ${first}`,
      `HexbeaconEpochUnpaid ${first}`,
      `HexbeaconHotspotDown ${killed}`,
      `HexbeaconHotspotSilent ${silenced}`,
      `HexbeaconEmissionNotBalanced ${liarHost}`,
      `HexbeaconSplitAttestation ${liarHost}`,
    ];
    const outage = [
      `HexbeaconValidatorMissing ${third}`,
      `HexbeaconValidatorMissing ${fourth}`,
      `HexbeaconNoFinalizedRound ${first}`,
      `HexbeaconQuorumUnreachable ${first}`,
      `HexbeaconInboxDropping ${first}`,
      `HexbeaconLaneWindowFull ${first}`,
    ];
    expect([...expected, ...outage].filter((alert) => firing().has(alert))).toEqual([]);

    // Faults with which the network goes on.
    execFileSync("fallocate", ["-l", `${TAKEN_MIB}MiB`, join(disk, "filler")]);
    lie();
    await Promise.all(hotspots.map(({ silence }) => silence()));
    await hotspots[1]!.kill();
    await validators[3]!.kill();
    skewed = 3;
    await validators[3]!.start();
    await fired(...expected);

    // Two of four validators are lost, and what comes in meanwhile is more than the others can keep.
    load = await openLoad(fleet, FLOOD.reportsPerEnvelope);
    // Reports name their epoch, which it hears of with the next round.
    await load.reached(1);
    await Promise.all([validators[2]!.kill(), validators[3]!.kill()]);
    const flood = load.start(FLOOD.reportsPerSecond, { receipts: 0, isGossiped: true });
    await fired(...outage).finally(flood.stop);
  },
);
