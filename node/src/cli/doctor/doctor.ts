/** The doctor: looks at everything that a hotspot needs, with the hotspot stopped or running, online or not. */
import { readFile } from "node:fs/promises";
import { encodeDidKey } from "../../../../protocol/src/crypto/didKey.ts";
import type { AskPassphrase } from "../../host/keystore.ts";
import type { HotspotStatus } from "../../hotspot/status.ts";
import type { Checked, NodeConfig } from "../config.ts";
import { checkClock } from "./clockChecks.ts";
import { CHECKS, type Finding, finding } from "./finding.ts";
import { judgeDestination, judgeHeard, judgePortTaken, judgeStatus } from "./forwarderChecks.ts";
import { decodeForwarderConfig, type ForwarderConfig } from "./forwarderConfig.ts";
import { listenToForwarders } from "./forwarderListener.ts";
import { checkHome, type HomeView } from "./homeChecks.ts";
import { checkDisk, checkVersions } from "./machineChecks.ts";
import { checkListenFirst, checkPosition, checkPower, checkRegion } from "./placeChecks.ts";
import { checkValidators } from "./reachChecks.ts";
import { checkDevice, type DeviceSetting, judgeRegistration, readRegistered } from "./registryChecks.ts";

type Endpoint = { readonly host: string; readonly port: number };

export type DoctorOptions = {
  readonly home: string;
  /** What the hotspot is by its settings, or all that is wrong with them. */
  readonly config: Checked<NodeConfig>;
  readonly genesisFile: string;
  /** The forwarder's own configuration file; null where it is not shown. */
  readonly forwarderConfigFile: string | null;
  /** What the hotspot goes by for the least power of the gain table; null where it is not set. */
  readonly lowestPowerDbm: number | null;
  /** Where forwarders send to, and where the running hotspot serves its pages. */
  readonly gwmp: Endpoint;
  /** The forwarders that may speak, as they are set; any where none is. */
  readonly forwarders: readonly string[];
  readonly http: Endpoint;
  /** A validator's HTTP API, which is asked what is registered; null where none is set. */
  readonly api: string | null;
  readonly device: DeviceSetting;
  /** Multiaddrs beside those that genesis names. */
  readonly validators: readonly string[];
  /** Time servers, `host:port`. */
  readonly timeServers: readonly string[];
  /** How long to wait for a forwarder where the hotspot is stopped. */
  readonly listenMs: number;
};
export type DoctorModules = {
  readonly askPassphrase: AskPassphrase;
  /** Told before something that takes seconds. */
  readonly onWait: (sentence: string) => void;
};

const STATUS_TIMEOUT_MS = 2_000;

/** Examines; the findings come in the order of `CHECKS`. Changes nothing, and never throws for what it finds. */
export async function examine(options: DoctorOptions, modules: DoctorModules): Promise<Finding[]> {
  const { view, findings } = await checkHome(options, modules.askPassphrase);
  const status = await readStatus(options.http);
  const forwarder = await readForwarderConfig(options.forwarderConfigFile);
  const validators = [
    ...options.validators,
    ...(view.genesis?.validators.flatMap(({ multiaddrs }) => multiaddrs) ?? []),
    // A running hotspot was told of some when it was started.
    ...(status?.validators.map(({ address }) => address) ?? []),
  ];
  const apart = await Promise.all([
    checkClock(options.timeServers),
    checkForwarders(options, modules, status),
    checkValidators(validators),
    checkDisk(options.home),
    checkVersions(),
    checkRegistered(options, view),
  ]);
  const { host, port } = options.gwmp;
  const all = [
    ...findings,
    ...judgeHotspot(view, status),
    ...apart.flat(),
    ...checkPosition(view.config, status),
    checkPower(view, forwarder.config, options.lowestPowerDbm),
    checkListenFirst(view.config, forwarder.config),
    ...forwarder.findings,
    ...(forwarder.config === null ? [] : judgeDestination(forwarder.config, host, port)),
  ];
  return CHECKS.flatMap((check) => all.filter((one) => one.check === check));
}

/** What the network has registered, and what of this home is held against it. */
async function checkRegistered({ api, device }: DoctorOptions, view: HomeView): Promise<Finding[]> {
  const registered = await readRegistered(view, api);
  return [
    judgeRegistration(view, registered),
    await checkRegion(view, registered.isKnown ? registered.hotspot : null),
    await checkDevice(device, registered),
  ];
}

/** The running hotspot's own word; null where none answers. */
async function readStatus({ host, port }: Endpoint): Promise<HotspotStatus | null> {
  const name = host.includes(":") ? `[${host}]` : host;
  try {
    const signal = AbortSignal.timeout(STATUS_TIMEOUT_MS);
    const response = await fetch(`http://${name}:${port}/v1/status`, { signal });
    const status = (await response.json()) as HotspotStatus;
    const lists = [status?.problems, status?.validators, status?.radio?.forwarders];
    return lists.every(Array.isArray) ? status : null;
  } catch {
    return null;
  }
}

function judgeHotspot({ publicKey }: HomeView, status: HotspotStatus | null): Finding[] {
  if (status === null) {
    return [
      finding("hotspot", "not_checked", "No hotspot runs here; its parts were looked at by themselves."),
    ];
  }
  if (publicKey !== null && status.did !== encodeDidKey(publicKey)) {
    const advice = "Name the right one with --home and --http; two on one machine need ports of their own.";
    return [finding("hotspot", "warn", `Another hotspot runs here, ${status.name}.`, advice)];
  }
  const problems = status.problems.map((problem) => finding("hotspot", "warn", problem));
  if (problems.length > 0) return problems;
  return [finding("hotspot", "ok", `${status.name} runs, and lacks nothing.`)];
}

async function checkForwarders(
  { gwmp, forwarders, listenMs }: DoctorOptions,
  { onWait }: DoctorModules,
  status: HotspotStatus | null,
): Promise<Finding[]> {
  const endpoint = gwmp.host.includes(":") ? `[${gwmp.host}]:${gwmp.port}` : `${gwmp.host}:${gwmp.port}`;
  // The running hotspot has the port, and knows more than could be heard beside it.
  if (status !== null) return judgeStatus(status, forwarders, Date.now());
  const listenS = Math.ceil(listenMs / 1_000);
  if (listenMs === 0) return [finding("forwarder", "not_checked", "It was asked not to listen.")];
  onWait(`listening for packet forwarders on UDP ${endpoint}, for at most ${listenS} s`);
  const listening = await listenToForwarders(gwmp, listenMs);
  if (!listening.bound) return [judgePortTaken(endpoint)];
  return judgeHeard(listening.forwarders, { endpoint, allowed: forwarders }, listenS);
}

async function readForwarderConfig(path: string | null): Promise<{
  readonly config: ForwarderConfig | null;
  readonly findings: readonly Finding[];
}> {
  if (path === null) return { config: null, findings: [] };
  const text = await readFile(path, "utf8").catch(() => null);
  const config = text === null ? null : decodeForwarderConfig(text);
  if (config !== null) return { config, findings: [] };
  const [found, advice] =
    text === null
      ? [
          `${path} is not there, or hidden from this user.`,
          "From the package's service the folders of users are hidden: copy the file to /etc/hexbeacon, and name it there.",
        ]
      : [
          `${path} is no forwarder's configuration.`,
          "It is the global_conf.json, or local_conf.json, that the forwarder is started with.",
        ];
  return { config: null, findings: [finding("forwarder", "warn", found, advice)] };
}
