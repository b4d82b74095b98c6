/**
 * What is in force: flags before the environment, before the home's config.toml, before the machine's file, before the
 * defaults. Every fault of every source is said, with the source's own name for the setting.
 */
import { join } from "node:path";
import { parse } from "smol-toml";
import { readFileIfAny } from "../../host/durableFile.ts";
import { CONFIG_FILE } from "../../host/homeFiles.ts";
import { findNearest } from "./nearest.ts";
import {
  CONFIG_VARIABLE,
  flagOf,
  optionOf,
  SETTING_KEYS,
  SETTINGS,
  type SettingKey,
  type Settings,
  VARIABLE_PREFIX,
  variableOf,
} from "./settings.ts";

/** The machine's file, which the package brings; read where neither a file nor a home is named. */
export const SYSTEM_CONFIG_FILE = "/etc/hexbeacon/node.toml";

/** Where a value comes from. `name` is the source's own name for it. */
export type Origin =
  | { readonly kind: "default" }
  | { readonly kind: "file"; readonly path: string; readonly name: string }
  | { readonly kind: "environment" | "flag"; readonly name: string };

/** A fault in words, and whether it stands in a file, which a doctor looks at, or in how the command was called. */
export type SettingFault = { readonly inFile: boolean; readonly words: string };

export type Resolution = {
  readonly settings: Settings;
  readonly origins: Readonly<Record<SettingKey, Origin>>;
  /** The files that were read, the stronger first. */
  readonly files: readonly string[];
  readonly faults: readonly SettingFault[];
};

export type SettingSources = {
  /** Flags as commander keeps them; an absent one has no field, or is undefined. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly env: NodeJS.ProcessEnv;
  /** For tests; `SYSTEM_CONFIG_FILE` by default. */
  readonly systemFile?: string;
};

type Given = Exclude<Origin, { kind: "default" }>;

/** One source's values, not yet looked at. */
type Layer = {
  readonly entries: ReadonlyMap<SettingKey, { readonly raw: unknown; readonly origin: Given }>;
};

/** Reads all sources. Never throws for what they say; what cannot be read at all is a fault too. */
export async function resolveSettings(sources: SettingSources): Promise<Resolution> {
  const faults: SettingFault[] = [];
  const called = [readFlags(sources.flags), readEnvironment(sources.env, faults)];
  const files: string[] = [];
  const machine = await readMachineFile(sources, called, files, faults);
  const home = findRaw([...called, machine], "home");
  const homeFile = typeof home === "string" && home !== "" ? join(home, CONFIG_FILE) : null;
  const ofHome = homeFile === null ? EMPTY : await readFileLayer(homeFile, files, faults);
  if (ofHome.entries.has("home")) {
    faults.push({ inFile: true, words: `${homeFile}: home cannot be set in the home's own file` });
  }
  return { ...settle([...called, ofHome, machine], faults), files: files.toReversed(), faults };
}

/** Whether any source but the defaults gives a setting. */
export function isGiven({ origins }: Pick<Resolution, "origins">, key: SettingKey): boolean {
  return origins[key].kind !== "default";
}

/** A setting by the name that it has where it comes from; by its flag where it has only its default. */
export function nameOf({ origins }: Pick<Resolution, "origins">, key: SettingKey): string {
  const origin = origins[key];
  return origin.kind === "default" ? flagOf(key) : describeName(origin);
}

/** Reads a file's text into values by key; unknown keys are faults, since a misspelt one would do nothing. */
export function parseSettingsToml(
  text: string,
  path: string,
): { readonly values: ReadonlyMap<SettingKey, unknown>; readonly faults: readonly string[] } {
  let toml: Record<string, unknown>;
  try {
    toml = parse(text);
  } catch (error) {
    const line = error instanceof Error ? error.message.split("\n", 1)[0] : "it is no TOML";
    return { values: new Map(), faults: [`${path}: ${line}`] };
  }
  const values = new Map<SettingKey, unknown>();
  const faults: string[] = [];
  for (const [name, value] of flatten(toml)) {
    const key = SETTING_KEYS.find((known) => known === name);
    if (key !== undefined) values.set(key, value);
    else faults.push(`${path}: ${describeUnknown(name, SETTING_KEYS)}`);
  }
  return { values, faults };
}

const EMPTY: Layer = { entries: new Map() };

function readFlags(flags: Readonly<Record<string, unknown>>): Layer {
  const entries = new Map<SettingKey, { raw: unknown; origin: Given }>();
  for (const key of SETTING_KEYS) {
    const raw = flags[optionOf(key)];
    // A list that was never given is kept as an empty one.
    if (raw === undefined || (Array.isArray(raw) && raw.length === 0)) continue;
    entries.set(key, { raw, origin: { kind: "flag", name: flagOf(key) } });
  }
  return { entries };
}

function readEnvironment(env: NodeJS.ProcessEnv, faults: SettingFault[]): Layer {
  const entries = new Map<SettingKey, { raw: unknown; origin: Given }>();
  const variables = SETTING_KEYS.map(variableOf);
  for (const [name, raw] of Object.entries(env)) {
    // Empty is how compose files and shells say that a variable is not set.
    if (!name.startsWith(VARIABLE_PREFIX) || raw === undefined || raw === "" || name === CONFIG_VARIABLE) {
      continue;
    }
    const at = variables.indexOf(name);
    if (at !== -1) entries.set(SETTING_KEYS[at]!, { raw, origin: { kind: "environment", name } });
    else faults.push({ inFile: false, words: describeUnknown(name, [...variables, CONFIG_VARIABLE]) });
  }
  return { entries };
}

/** A file that is named must be there; the machine's own may be absent, and steps back where a home is named. */
async function readMachineFile(
  { flags, env, systemFile = SYSTEM_CONFIG_FILE }: SettingSources,
  called: readonly Layer[],
  files: string[],
  faults: SettingFault[],
): Promise<Layer> {
  const named = typeof flags.config === "string" ? flags.config : env[CONFIG_VARIABLE] || null;
  if (named === null && findRaw(called, "home") !== undefined) return EMPTY;
  const layer = await readFileLayer(named ?? systemFile, files, faults);
  if (named !== null && !files.includes(named)) {
    faults.push({ inFile: false, words: `there is no configuration file at ${named}` });
  }
  return layer;
}

async function readFileLayer(path: string, files: string[], faults: SettingFault[]): Promise<Layer> {
  let bytes: Uint8Array | null;
  try {
    bytes = await readFileIfAny(path);
  } catch (error) {
    faults.push({ inFile: true, words: error instanceof Error ? error.message : String(error) });
    return EMPTY;
  }
  if (bytes === null) return EMPTY;
  files.push(path);
  const { values, faults: found } = parseSettingsToml(Buffer.from(bytes).toString("utf8"), path);
  faults.push(...found.map((words) => ({ inFile: true, words })));
  const entries = new Map(
    [...values].map(([key, raw]) => [key, { raw, origin: { kind: "file", path, name: key } as const }]),
  );
  return { entries };
}

function settle(layers: readonly Layer[], faults: SettingFault[]): Pick<Resolution, "settings" | "origins"> {
  const settings: Record<string, unknown> = {};
  const origins: Record<string, Origin> = {};
  for (const key of SETTING_KEYS) {
    const { parse, must, fallback } = SETTINGS[key];
    const found = layers.map(({ entries }) => entries.get(key)).find((entry) => entry !== undefined);
    const value = found === undefined ? null : parse(found.raw);
    if (found !== undefined && value === null) {
      faults.push({
        inFile: found.origin.kind === "file",
        words: `${describeName(found.origin)} ${must}`,
      });
    }
    settings[key] = value ?? fallback;
    origins[key] = found?.origin ?? { kind: "default" };
  }
  return { settings: settings as Settings, origins: origins as Record<SettingKey, Origin> };
}

function findRaw(layers: readonly Layer[], key: SettingKey): unknown {
  return layers.map(({ entries }) => entries.get(key)?.raw).find((raw) => raw !== undefined);
}

function describeName(origin: Given): string {
  return origin.kind === "file" ? `${origin.path}: ${origin.name}` : origin.name;
}

function describeUnknown(name: string, known: readonly string[]): string {
  const nearest = findNearest(name, known);
  return `${name} is no setting${nearest === null ? "" : `; did you mean ${nearest}?`}`;
}

/** Keys of nested tables with dots between. Settings have no table for a value, so every table is a section. */
function flatten(table: Record<string, unknown>, prefix = ""): [string, unknown][] {
  return Object.entries(table).flatMap(([name, value]) => {
    const isTable =
      typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Date);
    if (!isTable || SETTING_KEYS.some((key) => key === prefix + name)) return [[prefix + name, value]];
    return flatten(value as Record<string, unknown>, `${prefix}${name}.`);
  });
}
