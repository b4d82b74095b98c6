/** What `npm start` may be told, and what it is told when nothing is said. All faults are reported at once. */
import { Command } from "commander";
import { PRESET_NAMES, type PresetName } from "../../../protocol/src/network/presets.ts";

export type DevnetOptions = {
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

/** Parses the arguments after `npm start --`. */
export function parseOptions(args: readonly string[]): ParsedOptions {
  const command = new Command("npm start --")
    .description(
      "Runs a local Hexbeacon network: one validator, hotspots on a simulated radio, and the HTTP API.",
    )
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
  const given = command.opts<Record<string, string | undefined>>();
  const errors: string[] = command.args.map((extra) => `${extra}: is not an option`);
  const whole = (name: string, least: number, most: number): number => {
    const text = given[name];
    const value = Number(text);
    if (text !== undefined && /^[0-9]+$/.test(text) && value >= least && value <= most) return value;
    errors.push(`--${name}: must be a whole number from ${least} to ${most}`);
    return least;
  };
  const hotspots = whole("hotspots", 1, MAX_HOTSPOTS);
  const options: DevnetOptions = {
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
