/**
 * The doctor's word on the running hotspot, for its page. The doctor works in a process of its own, for the seconds that
 * it takes, so that a hotspot carries nothing of it; it is told every setting that is in force here.
 */
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Clock } from "../host/types.ts";
import type { Examination } from "../hotspot/server.ts";
import { SETTING_KEYS, type Settings, variableOf } from "./settings/settings.ts";

/** It waits 10 s for a validator's API, and less for whatever else does not answer. */
const TIMEOUT_MS = 60_000;
/** A finding is a sentence or two, and there are some twenty. */
const MAX_OUTPUT_BYTES = 262_144;

/** Where the hotspot really listens, which settings may leave to the system. */
export type Listening = { readonly http: string; readonly gwmp: string };

/** How this program was started, without its commands. */
const PROGRAM = [...process.execArgv, process.argv[1]!];

/** Examines. Never rejects: that the doctor cannot be asked is an answer too. @param program for tests. */
export async function examineSelf(
  settings: Settings,
  listening: Listening,
  { nowMs }: Pick<Clock, "nowMs">,
  program: readonly string[] = PROGRAM,
): Promise<Examination> {
  const time = new Date(nowMs()).toISOString();
  const words = [...program, "node", "doctor", "--json", "--listen", "0"];
  const env = { ...process.env, ...settingsToEnvironment({ ...settings, ...listening }) };
  const doctor = promisify(execFile)(process.execPath, words, {
    env,
    timeout: TIMEOUT_MS,
    maxBuffer: MAX_OUTPUT_BYTES,
  });
  const kill = () => void doctor.child.kill();
  process.once("exit", kill);
  // Nobody is there to be asked for a passphrase.
  doctor.child.stdin?.end();
  // Where something fails its status is 1, which rejects with what it has said.
  const stdout = await doctor.then(
    (said) => said.stdout,
    (error: { readonly stdout?: string }) => error.stdout ?? "",
  );
  process.off("exit", kill);
  return { time, findings: readFindings(stdout) };
}

/** Settings as the environment has them; what is not set is left out. */
export function settingsToEnvironment(settings: Settings): Record<string, string> {
  const given = SETTING_KEYS.flatMap((key) => {
    const value = settings[key];
    const text = Array.isArray(value) ? value.join(",") : value;
    return text === null || text === "" ? [] : [[variableOf(key), String(text)]];
  });
  return Object.fromEntries(given) as Record<string, string>;
}

function readFindings(stdout: string): Examination["findings"] {
  try {
    const { findings } = JSON.parse(stdout) as { findings?: unknown };
    return Array.isArray(findings) ? (findings as Examination["findings"]) : null;
  } catch {
    return null;
  }
}
