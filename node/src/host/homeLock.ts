/**
 * One process a home: two hotspots with one key would beacon twice, two validators would sign twice. The lock is a file
 * that names its process; one whose process is gone is taken over.
 */
import { readFile, unlink } from "node:fs/promises";
import { join } from "node:path";
import { CodedError } from "./codedError.ts";
import { createFile, readFileIfAny } from "./durableFile.ts";

const LOCK_FILE = "lock";

/**
 * Takes a home for this process.
 * @returns what gives it back.
 * @throws CodedError "home_in_use" while another live process has it, "file_unwritable".
 */
export async function lockHome(home: string): Promise<() => Promise<void>> {
  const path = join(home, LOCK_FILE);
  const self = `${process.pid} ${await readStartTime(process.pid)}\n`;
  // Twice: a stale lock is removed once; one that is there again belongs to somebody who was faster.
  for (let attempt = 0; attempt < 2; attempt++) {
    if (await createFile(path, self)) return async () => await unlink(path).catch(() => undefined);
    const holder = Buffer.from((await readFileIfAny(path)) ?? new Uint8Array(0)).toString("latin1");
    if (await isAlive(holder)) break;
    await unlink(path).catch(() => undefined);
  }
  throw new CodedError("home_in_use", `another process uses ${home}`);
}

async function isAlive(holder: string): Promise<boolean> {
  const match = /^(\d+) (\S+)\n$/.exec(holder);
  if (match === null) return false;
  const pid = Number(match[1]);
  try {
    process.kill(pid, 0);
  } catch (error) {
    // EPERM says that there is such a process, and that it is another user's.
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  return (await readStartTime(pid)) === match[2];
}

/** When a process started, in the kernel's ticks, so that a reused number is not taken for it; "-" where unknown. */
async function readStartTime(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "latin1");
    // The second field is the program's name in parentheses and may hold spaces; the start time is the 20th after it.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "-";
  } catch {
    return "-";
  }
}
