/** Settings for people to read: what is in force and from where, the default file, and the documentation's table. */
import { stringify } from "smol-toml";
import type { Origin, Resolution } from "./layers.ts";
import { flagOf, SETTING_KEYS, SETTINGS, type Settings, variableOf } from "./settings.ts";

const HEAD = [
  "# A Hexbeacon hotspot's settings. What is commented out has the default that is shown, or none.",
  "# Each can be given by flag or environment as well; `hexbeacon node config --print` shows what is in force and from",
  "# where. Owner, place and antenna stand in the home's own config.toml, which `hexbeacon node init` writes.",
];

/** One line a setting, as a configuration file would have it, and where it comes from. Paths only, never a secret. */
export function describeSettings({ settings, origins }: Resolution): string[] {
  const lines = SETTING_KEYS.map((key) => {
    const value = settings[key];
    const line = value === null ? `# ${key} is not set` : encodeEntry(key, value);
    return { line, origin: describeOrigin(origins[key]) };
  });
  const width = Math.max(...lines.map(({ line }) => line.length));
  return lines.map(({ line, origin }) => `${line.padEnd(width)}  # ${origin}`);
}

/** A configuration file with every setting, as the package brings it. @param given what it sets; the rest is comment. */
export function renderDefaultFile(given: Partial<Settings>): string {
  const lines = [...HEAD];
  let section = "";
  // Keys without a section stand first: after a section's head they would belong to it.
  const keys = SETTING_KEYS.toSorted((a, b) => Number(a.includes(".")) - Number(b.includes(".")));
  for (const key of keys) {
    const [name, of] = [key.split(".").at(-1)!, key.split(".").slice(0, -1).join(".")];
    if (of !== section) lines.push("", `[${of}]`);
    else lines.push("");
    section = of;
    const { text, unit, type, fallback } = SETTINGS[key];
    const value = given[key] ?? fallback;
    const set = value === null ? `${name} = ` : encodeEntry(name, value);
    lines.push(`# ${text} (${unit ?? type}).`, given[key] === undefined ? `# ${set}`.trimEnd() : set);
  }
  return `${lines.join("\n")}\n`;
}

/** The rows of the documentation's table: key, variable, flag, type or unit, default, what it is. */
export function renderSettingRows(): string[] {
  return SETTING_KEYS.map((key) => {
    const { type, unit, fallback, text } = SETTINGS[key];
    const shown = Array.isArray(fallback) ? fallback.join(", ") : String(fallback ?? "");
    const byDefault = shown === "" ? "-" : `\`${shown}\``;
    const cells = [
      `\`${key}\``,
      `\`${variableOf(key)}\``,
      `\`${flagOf(key)}\``,
      unit ?? type,
      byDefault,
      text,
    ];
    return `| ${cells.join(" | ")} |`;
  });
}

function encodeEntry(name: string, value: unknown): string {
  return stringify({ value })
    .trim()
    .replace(/^value/, name);
}

function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case "default":
      return "default";
    case "file":
      return origin.path;
    default:
      return `${origin.kind} ${origin.name}`;
  }
}
