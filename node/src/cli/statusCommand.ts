/** `node status`: asks a running hotspot how it stands, and says it in words. */
import { Command } from "commander";
import { CodedError } from "../host/codedError.ts";
import type { HotspotStatus } from "../hotspot/status.ts";
import { type NodeIo, printJson, printLine, runAction } from "./io.ts";
import { addSettings, requireSettings } from "./settings/options.ts";

const TIMEOUT_MS = 5_000;

type StatusFlags = { readonly json?: boolean };

/** Creates the command; the status is 1 where no hotspot answers. */
export function createStatusCommand(io: NodeIo): Command {
  const command = new Command("status")
    .description("ask a running hotspot how it stands")
    .option("--json", "print all of it, as /v1/status gives it");
  return addSettings(command, ["http"]).action((flags: StatusFlags) =>
    runAction(io, async () => {
      const { settings } = await requireSettings(flags, io);
      const status = await fetchStatus(settings.http);
      if (flags.json === true) printJson(io, status);
      else for (const line of describe(status)) printLine(io, line);
    }),
  );
}

async function fetchStatus(endpoint: string): Promise<HotspotStatus> {
  try {
    const response = await fetch(`http://${endpoint}/v1/status`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (!response.ok) throw new Error(`status ${response.status}`);
    return (await response.json()) as HotspotStatus;
  } catch (cause) {
    throw new CodedError("peer_unreachable", `no hotspot answers on ${endpoint}`, cause);
  }
}

function describe(status: HotspotStatus): string[] {
  const { rounds, spool, delivery } = status;
  const connected = status.validators.filter((v) => v.connected).length;
  const reached = rounds === null ? "no round heard yet" : `round ${rounds.round}, epoch ${rounds.epoch}`;
  const verdicts = Object.entries(status.verdicts).map(([kind, counts]) => {
    const parts = Object.entries(counts).map(([verdict, count]) => `${verdict} ${count}`);
    return `  ${kind}: ${parts.length === 0 ? "none yet" : parts.join(", ")}`;
  });
  return [
    `${status.name} ${status.did}`,
    `network ${status.network.name}, region ${status.region}, ${reached}, ${connected} validators`,
    ...status.problems.map((problem) => `problem: ${problem}`),
    ...status.next.map((next) => `next: ${next}`),
    `reports: ${delivery.waiting} waiting, ${delivery.admitted} admitted, ${delivery.included} included, ${spool.bytes} bytes spooled`,
    "verdicts:",
    ...verdicts,
  ];
}
