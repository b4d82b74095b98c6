/** The doctor's look at the machine: room on the disk, how worn it is, and which programs run. */
import { readdir, readFile, statfs } from "node:fs/promises";
import { join } from "node:path";
import { VERSION } from "../../host/version.ts";
import { type Finding, finding } from "./finding.ts";
import { isWritable } from "./homeChecks.ts";

/** The spool's 8 MiB and their rewriting. */
const FAIL_FREE_BYTES = 32 * 1_048_576;
const WARN_FREE_BYTES = 256 * 1_048_576;
const LEAST_NODE = [24, 12] as const;
const BLOCK_DEVICES = "/sys/block";
/** JEDEC eMMC: tenths of the life that are used up, 0x0b beyond all of it. */
const WARN_LIFE_TENTHS = 9;

/** Whether reports can be written: rights, room and, where the card tells, wear. */
export async function checkDisk(home: string): Promise<Finding[]> {
  const findings: Finding[] = [];
  try {
    const { bavail, bsize, ffree, files } = await statfs(home);
    const freeBytes = bavail * bsize;
    const found = `${Math.floor(freeBytes / 1_048_576)} MiB are free at ${home}.`;
    // The package's service knows the home by its place, and may write nowhere else.
    const advice = "Make room, or mount another disk at it.";
    if (!(await isWritable(home))) {
      const why = "Run this as the hotspot's user; a disk that fails is mounted read-only.";
      findings.push(finding("disk", "fail", `${home} cannot be written to.`, why));
    } else if (freeBytes < FAIL_FREE_BYTES || (files > 0 && ffree === 0)) {
      findings.push(finding("disk", "fail", found, advice));
    } else if (freeBytes < WARN_FREE_BYTES) findings.push(finding("disk", "warn", found, advice));
    else findings.push(finding("disk", "ok", found));
  } catch {
    findings.push(finding("disk", "fail", `${home} cannot be looked at.`, "Is it there, and mounted?"));
  }
  findings.push(await checkWear());
  return findings;
}

async function checkWear(): Promise<Finding> {
  const devices = await readdir(BLOCK_DEVICES).catch(() => []);
  const tenths: number[] = [];
  for (const device of devices.filter((name) => name.startsWith("mmcblk"))) {
    const text = await readFile(join(BLOCK_DEVICES, device, "device/life_time"), "latin1").catch(() => "");
    tenths.push(...text.split(/\s+/).filter(Boolean).map(Number));
  }
  const worst = Math.max(0, ...tenths.filter(Number.isFinite));
  if (worst === 0) {
    return finding("disk", "not_checked", "No disk here says how worn it is; SD cards do not.");
  }
  const found = `The eMMC has used up to ${worst * 10} % of its life.`;
  if (worst < WARN_LIFE_TENTHS) return finding("disk", "ok", found);
  return finding("disk", "warn", found, "Make a backup, and replace it.");
}

/** Whether the programs are new enough. */
export function checkVersions(): Finding {
  const found = `Hexbeacon ${VERSION}, Node ${process.versions.node} on ${process.platform} ${process.arch}.`;
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])) {
    return finding("versions", "ok", found);
  }
  return finding("versions", "fail", found, `Node ${LEAST_NODE.join(".")} or newer is needed.`);
}
