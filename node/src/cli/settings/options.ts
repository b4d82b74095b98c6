/** Settings as a command's flags: what each command takes, and what is in force when it is called. */
import { type Command, Option } from "commander";
import { ConfigErrors, type NodeIo } from "../io.ts";
import { type Resolution, resolveSettings } from "./layers.ts";
import { CONFIG_FLAG, optionOf, SETTING_KEYS, SETTINGS, type SettingKey } from "./settings.ts";

/** What every command that looks into a home takes. */
export const HOME_KEYS = ["home", "genesis", "passphraseFile"] as const satisfies readonly SettingKey[];

const collect = (value: string, before: readonly string[] | undefined) => [...(before ?? []), value];

/** Gives a command the flags of these settings, all of them by default, and the one that names the file. */
export function addSettings(command: Command, keys: readonly SettingKey[] = SETTING_KEYS): Command {
  command.option(CONFIG_FLAG, "the configuration file, beside the home's own");
  for (const key of keys) {
    const { flag, text, fallback, isList } = SETTINGS[key];
    const given = Array.isArray(fallback) ? fallback.join(", ") : fallback;
    const again = isList ? "; may be given again" : "";
    const byDefault = given === null || given === "" ? "" : ` (default: ${given})`;
    const option = new Option(flag, `${text}${again}${byDefault}`);
    command.addOption(isList ? option.argParser<readonly string[]>(collect) : option);
  }
  return command;
}

/**
 * What is in force for a command; the faults are for the caller to judge.
 * @param keys the settings whose flags the command takes: another of its flags may have a setting's name.
 */
export async function findSettings(
  flags: Readonly<Record<string, unknown>>,
  { env = process.env, systemConfigFile }: NodeIo,
  keys: readonly SettingKey[] = SETTING_KEYS,
): Promise<Resolution> {
  const taken = Object.fromEntries(["config", ...keys.map(optionOf)].map((name) => [name, flags[name]]));
  const systemFile = systemConfigFile === undefined ? {} : { systemFile: systemConfigFile };
  return await resolveSettings({ flags: taken, env, ...systemFile });
}

/** As `findSettings`, for a command that cannot go on with a fault in what it was called with or in a file. */
export async function requireSettings(
  flags: Readonly<Record<string, unknown>>,
  io: NodeIo,
): Promise<Resolution> {
  const resolution = await findSettings(flags, io);
  if (resolution.faults.length > 0) throw new ConfigErrors(resolution.faults.map(({ words }) => words));
  return resolution;
}
