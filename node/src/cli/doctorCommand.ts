/** `node doctor`: says in words what is wrong with a hotspot and what to do, also with network and hotspot down. */
import { Command } from "commander";
import { parseEndpoint } from "./config.ts";
import { ConfigErrors, exit, type NodeIo, printJson, printLine, runAction } from "./io.ts";
import { PASSPHRASE_OPTION, readPassphrase } from "./passphrase.ts";
import { DEFAULT_GWMP, DEFAULT_HTTP } from "./runCommand.ts";

type DoctorFlags = {
  readonly home?: string;
  readonly gwmp: string;
  readonly http: string;
  readonly validator: readonly string[];
  readonly genesis?: string;
  readonly passphraseFile?: string;
  readonly forwarderConfig?: string;
  readonly timeServer: readonly string[];
  readonly listen: string;
  readonly json?: boolean;
};

/** Statistics come every 30 s, and are all that a forwarder reports where nothing is heard. */
const DEFAULT_LISTEN_S = 35;
const MOST_LISTEN_S = 600;

/** Creates the command. The status is 1 where something failed, 0 else, warnings included, and 2 for wrong flags. */
export function createDoctorCommand(io: NodeIo): Command {
  const collect = (value: string, before: readonly string[]) => [...before, value];
  return new Command("doctor")
    .description("say what is wrong with a hotspot, and what to do")
    .option("--home <dir>", "the hotspot's folder")
    .option("--gwmp <host:port>", "where packet forwarders send to (UDP)", DEFAULT_GWMP)
    .option("--http <host:port>", "where the running hotspot serves its pages", DEFAULT_HTTP)
    .option("--validator <multiaddr>", "a validator's address; may be given again", collect, [])
    .option("--genesis <file>", "the network's genesis file, where the home has none")
    .option(...PASSPHRASE_OPTION)
    .option("--forwarder-config <file>", "the packet forwarder's global_conf.json, to check its power table")
    .option("--time-server <host:port>", "an NTP server; may be given again", collect, [])
    .option(
      "--listen <s>",
      "how long to wait for a forwarder while the hotspot is stopped",
      String(DEFAULT_LISTEN_S),
    )
    .option("--json", "print one JSON object")
    .action((flags: DoctorFlags) => runAction(io, () => examineHome(flags, io)));
}

async function examineHome(flags: DoctorFlags, io: NodeIo): Promise<void> {
  const gwmp = parseEndpoint(flags.gwmp);
  const http = parseEndpoint(flags.http);
  const listenS = /^\d{1,3}$/.test(flags.listen) ? Number(flags.listen) : Number.NaN;
  const faults: string[] = [];
  if (flags.home === undefined) faults.push("--home must name a hotspot's folder");
  if (gwmp === null) faults.push(`--gwmp must be host:port, such as ${DEFAULT_GWMP}`);
  if (http === null) faults.push(`--http must be host:port, such as ${DEFAULT_HTTP}`);
  if (!(listenS <= MOST_LISTEN_S)) faults.push(`--listen must be seconds, 0 to ${MOST_LISTEN_S}`);
  if (faults.length > 0) throw new ConfigErrors(faults);

  // Loaded only when asked for: a running hotspot carries nothing of it.
  const { examine } = await import("./doctor/doctor.ts");
  const { DEFAULT_TIME_SERVERS } = await import("./doctor/clockChecks.ts");
  const { describeFinding, worstResult } = await import("./doctor/finding.ts");
  const findings = await examine(
    {
      home: flags.home!,
      ...(flags.genesis === undefined ? {} : { genesisFile: flags.genesis }),
      ...(flags.forwarderConfig === undefined ? {} : { forwarderConfigFile: flags.forwarderConfig }),
      gwmp: gwmp!,
      http: http!,
      validators: flags.validator,
      timeServers: flags.timeServer.length > 0 ? flags.timeServer : DEFAULT_TIME_SERVERS,
      listenMs: listenS * 1_000,
    },
    {
      askPassphrase: () => readPassphrase(flags, io),
      onWait: (sentence) => io.stderr.write(`${sentence}\n`),
    },
  );
  const worst = worstResult(findings);
  if (flags.json === true) printJson(io, { worst, findings });
  else for (const line of findings.flatMap(describeFinding)) printLine(io, line);
  if (worst === "fail") exit(io, 1);
}
