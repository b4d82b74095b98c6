/** `node doctor`: says in words what is wrong with a hotspot and what to do, also with network and hotspot down. */
import { Command } from "commander";
import { parseEndpoint } from "./addresses.ts";
import { type Checked, type NodeConfig, readConfig } from "./config.ts";
import { findDeviceKey } from "./deviceKey.ts";
import { askFor, findGenesisFile, findHome } from "./home.ts";
import { ConfigErrors, exit, type NodeIo, printJson, printLine, runAction } from "./io.ts";
import type { Resolution } from "./settings/layers.ts";
import { addSettings, findSettings } from "./settings/options.ts";

type DoctorFlags = { readonly listen: string; readonly json?: boolean };

/** Statistics come every 30 s, and are all that a forwarder reports where nothing is heard. */
const DEFAULT_LISTEN_S = 35;
const MOST_LISTEN_S = 600;

/** Creates the command. The status is 1 where something failed, 0 else, warnings included, and 2 for wrong flags. */
export function createDoctorCommand(io: NodeIo): Command {
  const command = new Command("doctor")
    .description("say what is wrong with a hotspot, and what to do")
    .option(
      "--listen <s>",
      "how long to wait for a forwarder while the hotspot is stopped",
      String(DEFAULT_LISTEN_S),
    )
    .option("--json", "print one JSON object");
  return addSettings(command).action((flags: DoctorFlags) => runAction(io, () => examineHome(flags, io)));
}

async function examineHome(flags: DoctorFlags, io: NodeIo): Promise<void> {
  const resolution = await findSettings(flags, io);
  const { settings } = resolution;
  const listenS = /^\d{1,3}$/.test(flags.listen) ? Number(flags.listen) : Number.NaN;
  // What is wrong in a file is a finding; how the doctor was called is not.
  const faults = resolution.faults.filter(({ inFile }) => !inFile).map(({ words }) => words);
  const home = findHome(resolution, faults);
  if (!(listenS <= MOST_LISTEN_S)) faults.push(`--listen must be seconds, 0 to ${MOST_LISTEN_S}`);
  if (home === null || faults.length > 0) throw new ConfigErrors(faults);

  const deviceFaults: string[] = [];
  const openDevice = findDeviceKey(resolution, io, deviceFaults);
  // Loaded only when asked for: a running hotspot carries nothing of it.
  const { examine } = await import("./doctor/doctor.ts");
  const { describeFinding, worstResult } = await import("./doctor/finding.ts");
  const findings = await examine(
    {
      home,
      config: readExaminedConfig(resolution),
      genesisFile: findGenesisFile(resolution)!,
      forwarderConfigFile: settings["doctor.forwarderConfig"],
      lowestPowerDbm: settings["antenna.lowestPowerDbm"],
      gwmp: parseEndpoint(settings.gwmp)!,
      forwarders: settings.forwarders.map((eui) => eui.toLowerCase()),
      http: parseEndpoint(settings.http)!,
      api: settings.api,
      device: { open: openDevice, faults: deviceFaults },
      validators: settings.validators,
      timeServers: settings["doctor.timeServers"],
      listenMs: listenS * 1_000,
    },
    {
      askPassphrase: askFor(resolution, io),
      onWait: (sentence) => io.stderr.write(`${sentence}\n`),
    },
  );
  const worst = worstResult(findings);
  if (flags.json === true) printJson(io, { worst, findings });
  else for (const line of findings.flatMap(describeFinding)) printLine(io, line);
  if (worst === "fail") exit(io, 1);
}

/** The configuration, or all that is wrong with it and with the files that it is read from. */
function readExaminedConfig(resolution: Resolution): Checked<NodeConfig> {
  const wrong = resolution.faults.map(({ words }) => words);
  const config = readConfig(resolution);
  if (wrong.length === 0) return config;
  return { ok: false, faults: config.ok ? wrong : [...wrong, ...config.faults] };
}
