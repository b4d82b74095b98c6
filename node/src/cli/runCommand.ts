/** `node run`: runs one hotspot on the packet forwarders that speak to it, until a signal. */
import { randomBytes } from "node:crypto";
import { Command } from "commander";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import { createSystemClock } from "../host/clock.ts";
import { stopOnSignals } from "../host/lifecycle.ts";
import { createLog, LOG_FORMATS, LOG_LEVELS, type LogFormat, type LogLevel } from "../host/log.ts";
import { createServiceManager } from "../host/serviceManager.ts";
import { preferMemoryToSpeed } from "../host/smallHeap.ts";
import type { Clock, Log } from "../host/types.ts";
import { createHotspot, findGenesisPlacement, type Hotspot, type Placement } from "../hotspot/hotspot.ts";
import { ProgressWatch } from "../hotspot/progress.ts";
import { createGwmpRadio } from "../radio/gwmp/gwmpRadio.ts";
import { findCell, type NodeConfig, parseEndpoint } from "./config.ts";
import { openHome } from "./home.ts";
import { exit, type NodeIo, printJson, runAction } from "./io.ts";
import { PASSPHRASE_OPTION, readPassphrase } from "./passphrase.ts";

export const DEFAULT_GWMP = "127.0.0.1:1700";
export const DEFAULT_HTTP = "127.0.0.1:4468";

type RunFlags = {
  readonly home?: string;
  readonly gwmp: string;
  readonly http: string;
  readonly validator: readonly string[];
  readonly forwarder: readonly string[];
  readonly genesis?: string;
  readonly passphraseFile?: string;
  readonly logLevel: string;
  readonly logFormat: string;
  readonly readyJson?: boolean;
  readonly exitWithParent?: boolean;
};

/** Creates the command. */
export function createRunCommand(io: NodeIo): Command {
  const collect = (value: string, before: readonly string[]) => [...before, value];
  return new Command("run")
    .description("run a hotspot")
    .option("--home <dir>", "the hotspot's folder")
    .option("--gwmp <host:port>", "where packet forwarders send to (UDP)", DEFAULT_GWMP)
    .option("--http <host:port>", "where its pages are served", DEFAULT_HTTP)
    .option("--validator <multiaddr>", "a validator's address; may be given again", collect, [])
    .option(
      "--forwarder <eui>",
      "a packet forwarder that may speak; may be given again, all may by default",
      collect,
      [],
    )
    .option("--genesis <file>", "the network's genesis file, where the home has none")
    .option(...PASSPHRASE_OPTION)
    .option("--log-level <level>", LOG_LEVELS.join(", "), "info")
    .option("--log-format <format>", LOG_FORMATS.join(", "), "plain")
    .option("--ready-json", "print one line of JSON when it is ready")
    .option("--exit-with-parent", "end when standard input closes")
    .action((flags: RunFlags) => runAction(io, () => run(flags, io)));
}

async function run(flags: RunFlags, io: NodeIo): Promise<void> {
  preferMemoryToSpeed();
  const faults: string[] = [];
  const gwmp = parseEndpoint(flags.gwmp);
  if (gwmp === null) faults.push(`--gwmp must be host:port, such as ${DEFAULT_GWMP}`);
  const http = parseEndpoint(flags.http);
  if (http === null) faults.push(`--http must be host:port, such as ${DEFAULT_HTTP}`);
  for (const address of flags.validator) {
    if (!isMultiaddr(address)) faults.push("--validator must be a multiaddr, such as /dns4/host/tcp/4467");
  }
  for (const eui of flags.forwarder) {
    if (!/^[0-9a-fA-F]{16}$/.test(eui)) faults.push("--forwarder must be 16 hexadecimal digits");
  }
  if (!LOG_LEVELS.includes(flags.logLevel as LogLevel)) {
    faults.push(`--log-level must be one of ${LOG_LEVELS.join(", ")}`);
  }
  if (!LOG_FORMATS.includes(flags.logFormat as LogFormat)) {
    faults.push(`--log-format must be one of ${LOG_FORMATS.join(", ")}`);
  }
  const { config, keyPair, genesis } = await openHome(flags.home, flags.genesis, faults, () =>
    readPassphrase(flags, io),
  );
  const log = createLog({ level: flags.logLevel as LogLevel, format: flags.logFormat as LogFormat });
  const clock = createSystemClock();
  const radio = createGwmpRadio(
    { ...gwmp!, ...(flags.forwarder.length > 0 ? { allowedEuis: flags.forwarder } : {}) },
    { clock, log },
  );
  const asserted = findGenesisPlacement(genesis, keyPair.publicKey);
  const placement = await choosePlacement(config, asserted, log);
  const hotspot = createHotspot(
    { home: flags.home!, genesis, keyPair, placement, radio, validators: flags.validator, http: http! },
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

/** What the network knows of a hotspot decides; the configuration serves one that it does not know yet. */
async function choosePlacement(config: NodeConfig, asserted: Placement | null, log: Log): Promise<Placement> {
  const { region, gainCentiDbi } = config;
  if (asserted === null) return { region, gainCentiDbi, cell: await findCell(config) };
  if (asserted.region !== region || asserted.gainCentiDbi !== gainCentiDbi) {
    log.warn("The configuration differs from what is asserted; go by what is asserted", {
      region: asserted.region,
      gainDbi: asserted.gainCentiDbi / 100,
    });
  }
  return asserted;
}

/** Says that it is ready, and from then on that it lives. @returns what ends it. */
async function tellServiceManager(hotspot: Hotspot, clock: Clock, log: Log): Promise<() => void> {
  const manager = createServiceManager({ env: process.env }, { clock, log });
  const progress = new ProgressWatch(clock.nowMs());
  const readHealth = () => progress.judge(hotspot.status(), clock.nowMs());
  await manager.ready(readHealth().words);
  return manager.watch(readHealth);
}

/** For programs that start hotspots: when their end of standard input closes, they are gone. */
function stopWithParent(hotspot: Hotspot): void {
  process.stdin.on("end", () => void hotspot.stop());
  process.stdin.on("error", () => void hotspot.stop());
  process.stdin.resume();
}

/** Only the form; whether anybody answers there shows at run time. */
function isMultiaddr(text: string): boolean {
  return /^\/(ip4|ip6|dns|dns4|dns6)\/[^/\s]+\/tcp\/\d{1,5}(\/p2p\/[1-9A-HJ-NP-Za-km-z]+)?$/.test(text);
}
