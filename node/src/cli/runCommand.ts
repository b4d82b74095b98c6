/** `node run`: runs one hotspot on the packet forwarders that speak to it, until a signal. */
import { randomBytes } from "node:crypto";
import { Command } from "commander";
import type { Checkpoint } from "../../../protocol/src/agreement/rewardEvidence.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import { computeNetworkId, type Genesis } from "../../../protocol/src/network/genesis.ts";
import { createSystemClock } from "../host/clock.ts";
import type { DeviceKey } from "../host/deviceKey.ts";
import { stopOnSignals } from "../host/lifecycle.ts";
import { createLog } from "../host/log.ts";
import { createServiceManager } from "../host/serviceManager.ts";
import { preferMemoryToSpeed } from "../host/smallHeap.ts";
import type { Clock, Log } from "../host/types.ts";
import type { Cosigner } from "../hotspot/beaconRecord.ts";
import { createHotspot, type Hotspot } from "../hotspot/hotspot.ts";
import { findGenesisPlacement } from "../hotspot/placement.ts";
import { ProgressWatch } from "../hotspot/progress.ts";
import { createGwmpRadio } from "../radio/gwmp/gwmpRadio.ts";
import { parseEndpoint } from "./addresses.ts";
import { readCheckpoint } from "./boundedFiles.ts";
import { findDeviceKey, type OpenDeviceKey } from "./deviceKey.ts";
import { askFor, openHome } from "./home.ts";
import { ConfigErrors, exit, type NodeIo, printJson, runAction } from "./io.ts";
import { choosePlacement } from "./placement.ts";
import { nameOf, type Resolution } from "./settings/layers.ts";
import { addSettings, findSettings } from "./settings/options.ts";

type RunFlags = { readonly readyJson?: boolean; readonly exitWithParent?: boolean };

/** Creates the command. */
export function createRunCommand(io: NodeIo): Command {
  return addSettings(new Command("run").description("run a hotspot"))
    .option("--ready-json", "print one line of JSON when it is ready")
    .option("--exit-with-parent", "end when standard input closes")
    .action((flags: RunFlags) => runAction(io, () => run(flags, io)));
}

async function run(flags: RunFlags, io: NodeIo): Promise<void> {
  preferMemoryToSpeed();
  const resolution = await findSettings(flags, io);
  const { settings } = resolution;
  const faults: string[] = [];
  const openDevice = findDeviceKey(resolution, io, faults);
  const checkpoint = await readCheckpoint(settings.checkpoint, nameOf(resolution, "checkpoint"));
  if (!checkpoint.ok) faults.push(...checkpoint.faults);
  const { home, config, keyPair, genesis } = await openHome(resolution, faults, askFor(resolution, io));
  const trusted = checkpoint.ok ? checkTrusted(checkpoint.value, genesis, resolution) : {};
  const { forwarders, validators } = settings;
  const [gwmp, http] = [parseEndpoint(settings.gwmp)!, parseEndpoint(settings.http)!];
  const log = createLog({ level: settings["log.level"], format: settings["log.format"] });
  const clock = createSystemClock();
  const radio = createGwmpRadio(
    { ...gwmp, ...(forwarders.length > 0 ? { allowedEuis: forwarders } : {}) },
    { clock, log },
  );
  const placement = await choosePlacement(config, findGenesisPlacement(genesis, keyPair.publicKey), log);
  const earnings = settings.api === null ? {} : { earnings: { api: settings.api, owner: config.owner } };
  const lowestPowerDbm = settings["antenna.lowestPowerDbm"];
  const power = lowestPowerDbm === null ? {} : { lowestPowerDbm };
  const device = openDevice === null ? {} : { cosign: createCosigner(openDevice) };
  const examine = async () => {
    const { host } = new URL(hotspot.httpAddress()!);
    const { examineSelf } = await import("./selfExamination.ts");
    const gwmp = radio.status().listeningOn ?? settings.gwmp;
    return await examineSelf(settings, { http: host, gwmp }, clock);
  };
  const hotspot: Hotspot = createHotspot(
    {
      home,
      genesis,
      keyPair,
      placement,
      radio,
      validators,
      http,
      examine,
      ...earnings,
      ...power,
      ...device,
      ...trusted,
    },
    { clock, log, random: randomBytes },
  );
  const release = stopOnSignals(hotspot, { log });
  if (flags.exitWithParent === true) stopWithParent(hotspot);
  await hotspot.start();
  const { publicKey } = keyPair;
  const ready = {
    http: hotspot.httpAddress(),
    gwmp: radio.status().listeningOn,
    did: encodeDidKey(publicKey),
  };
  log.info("Run", { ...ready, name: computeName(publicKey) });
  if (flags.readyJson === true) printJson(io, ready);
  const unwatch = await tellServiceManager(hotspot, clock, log);
  const failure = await hotspot.stopped;
  unwatch();
  release();
  if (failure !== null) throw failure;
  // Sockets of peers that never answer would hold the process for seconds more.
  exit(io, 0);
}

/** Where trust in validators begins, if not in genesis. @throws ConfigErrors where it is another network's. */
function checkTrusted(checkpoint: Checkpoint | null, genesis: Genesis, resolution: Resolution) {
  if (checkpoint === null) return {};
  if (equalBytes(checkpoint.networkId, computeNetworkId(genesis))) return { checkpoint };
  throw new ConfigErrors([
    `${nameOf(resolution, "checkpoint")}: the checkpoint is another network's than genesis`,
  ]);
}

/** Opens the device when it is first needed: a token that is not there yet costs a beacon, and not the hotspot. */
function createCosigner(openDevice: OpenDeviceKey): Cosigner {
  let opened: DeviceKey | null = null;
  return async (message) => {
    opened ??= await openDevice();
    return { deviceKey: opened.publicKey, signature: await opened.sign(message) };
  };
}

/** Says that it is ready, and from then on that it lives. @returns what ends it. */
async function tellServiceManager(hotspot: Hotspot, clock: Clock, log: Log): Promise<() => void> {
  const manager = createServiceManager({ env: process.env }, { clock, log });
  const progress = new ProgressWatch(clock.elapsedMs());
  const readHealth = () => progress.judge(hotspot.status(), clock.elapsedMs());
  await manager.ready(readHealth().words);
  return manager.watch(readHealth);
}

/** For programs that start hotspots: when their end of standard input closes, they are gone. */
function stopWithParent(hotspot: Hotspot): void {
  process.stdin.on("end", () => void hotspot.stop());
  process.stdin.on("error", () => void hotspot.stop());
  process.stdin.resume();
}
