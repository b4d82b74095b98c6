/** What a process uses, from /proc: Linux only, as the signals are that tests stop processes with. */
import { readFileSync } from "node:fs";

/** Clock ticks are hundredths of a second on every Linux that Node runs on (USER_HZ). */
const MS_PER_TICK = 10;

/** CPU time of all its threads so far, in ms. */
export function readCpuMs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  // The name in brackets may hold anything; user and system time are the 14th and 15th field (proc(5)).
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return MS_PER_TICK * (Number(fields[11]) + Number(fields[12]));
}

/** Memory that it has in RAM, in MiB. */
export function readResidentMiB(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(match?.[1] ?? 0) / 1_024;
}
