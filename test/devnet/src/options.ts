/** What `npm start` may be told, and what it is told when nothing is said. All faults are reported at once. */
import { Command } from "commander";
import { PRESET_NAMES, type PresetName } from "../../../protocol/src/network/presets.ts";

/** Something that is done to a validator while the network runs. */
export type Fault = {
  readonly kind: "kill" | "restart";
  /** Which one, counted from 0. */
  readonly validator: number;
  /** Seconds after the network runs. */
  readonly atSeconds: number;
};

export type DevnetOptions = {
  readonly validators: number;
  /** In the order of their times. */
  readonly faults: readonly Fault[];
  readonly hotspots: number;
  /** How many of the hotspots run as processes of their own. */
  readonly isolate: number;
  readonly seed: number;
  /** Port of the validator's HTTP API on loopback; 0 takes any free one. */
  readonly port: number;
  /** Ends by itself after so many epochs; null runs until it is stopped. */
  readonly epochs: number | null;
  readonly summaryFile: string | null;
  /** Kept and resumable; null is a temporary folder that is removed at the end. */
  readonly dataDir: string | null;
  readonly preset: PresetName;
};

export type ParsedOptions =
  | { readonly ok: true; readonly options: DevnetOptions }
  | { readonly ok: false; readonly errors: readonly string[] }
  | { readonly ok: "help"; readonly text: string };

/** Every hotspot is a libp2p node with a forwarder: 200 of them are what two cores and a few GiB carry in one process. */
const MAX_HOTSPOTS = 200;
/** A process each, of about 130 MB. */
const MAX_ISOLATED = 24;
/** A process each, of some 200 MB, and all of them on the same cores. */
const MAX_VALIDATORS_HERE = 16;
/** The fewest that agree although any one of them is lost. */
const DEFAULT_VALIDATORS = 4;
/** Which validator, and when: 1@20. */
const FAULT_PATTERN = /^(\d{1,3})@(\d{1,6})$/;

const collect = (text: string, before: string[]): string[] => [...before, text];

/** Parses the arguments after `npm start --`. */
export function parseOptions(args: readonly string[]): ParsedOptions {
  const command = new Command("npm start --")
    .description(
      "Runs a local Hexbeacon network: validators, hotspots on a simulated radio, and the HTTP API.",
    )
    .option("--validators <count>", "how many validators, each a process of its own", `${DEFAULT_VALIDATORS}`)
    .option("--kill <validator@second>", "kill a validator (counted from 0) at that second", collect, [])
    .option("--restart <validator@second>", "start it again at that second", collect, [])
    .option("--hotspots <count>", "how many hotspots", "24")
    .option("--isolate <count>", "how many of them run as processes of their own", "0")
    .option("--seed <number>", "same seed: same hotspots, places and channel", "1")
    .option("--port <port>", "port of the HTTP API on 127.0.0.1 (0: any free one)", "8080")
    .option("--epochs <count>", "end after so many epochs")
    .option("--summary <file>", "write a summary as JSON at the end")
    .option("--data <dir>", "keep everything here, and go on from it the next time")
    .option("--preset <name>", `parameters: ${PRESET_NAMES.join(", ")}`, "devnet")
    .allowExcessArguments()
    .exitOverride()
    .configureOutput({ writeOut: () => {}, writeErr: () => {} });
  try {
    command.parse([...args], { from: "user" });
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    if (code === "commander.helpDisplayed") return { ok: "help", text: command.helpInformation() };
    return { ok: false, errors: [message.replace(/^error: /, "")] };
  }
  const { kill, restart, ...given } = command.opts<
    Record<string, string | undefined> & { kill: string[]; restart: string[] }
  >();
  const lists = { kill, restart };
  const errors: string[] = command.args.map((extra) => `${extra}: is not an option`);
  const whole = (name: string, least: number, most: number): number => {
    const text = given[name];
    const value = Number(text);
    if (text !== undefined && /^[0-9]+$/.test(text) && value >= least && value <= most) return value;
    errors.push(`--${name}: must be a whole number from ${least} to ${most}`);
    return least;
  };
  const hotspots = whole("hotspots", 1, MAX_HOTSPOTS);
  const validators = whole("validators", 1, MAX_VALIDATORS_HERE);
  const faultsOf = (kind: Fault["kind"]): Fault[] =>
    lists[kind].flatMap((text) => {
      const match = FAULT_PATTERN.exec(text);
      const validator = Number(match?.[1]);
      if (match !== null && validator < validators) return [{ kind, validator, atSeconds: Number(match[2]) }];
      errors.push(`--${kind}: ${text} is not VALIDATOR@SECOND with a validator from 0 to ${validators - 1}`);
      return [];
    });
  const faults = [...faultsOf("kill"), ...faultsOf("restart")];
  const options: DevnetOptions = {
    validators,
    faults: faults.sort((a, b) => a.atSeconds - b.atSeconds),
    hotspots,
    isolate: whole("isolate", 0, Math.min(hotspots, MAX_ISOLATED)),
    seed: whole("seed", 0, 0xffff_ffff),
    port: whole("port", 0, 65_535),
    epochs: given.epochs === undefined ? null : whole("epochs", 1, 1_000_000),
    summaryFile: given.summary ?? null,
    dataDir: given.data ?? null,
    preset: (given.preset ?? "devnet") as PresetName,
  };
  if (!PRESET_NAMES.includes(options.preset))
    errors.push(`--preset: must be one of ${PRESET_NAMES.join(", ")}`);
  return errors.length > 0 ? { ok: false, errors } : { ok: true, options };
}
