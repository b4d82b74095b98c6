/** The doctor's judgement of packet forwarders: of what it heard itself, or of what the running hotspot says. */
import { formatDuration, REPORT_SILENCE_MS } from "../../hotspot/problems.ts";
import type { HotspotStatus } from "../../hotspot/status.ts";
import { FORWARDER_ALIVE_MS } from "../../radio/gwmp/forwarders.ts";
import type { ForwarderStatus } from "../../radio/radio.ts";
import { type Finding, finding } from "./finding.ts";
import type { ForwarderConfig } from "./forwarderConfig.ts";
import type { ForwarderHeard } from "./forwarderListener.ts";

const ZERO_EUI = "0".repeat(16);

/** How two forwarders come to have one EUI, and what becomes of them. */
const RIVALS = {
  elsewhere: {
    found: (eui: string) => `Another address uses the EUI ${eui}; what comes from there is refused.`,
    advice:
      "Stop that one, or give it a gateway_ID of its own. One that has moved itself is served within a minute.",
  },
  in_turns: {
    found: (eui: string) => `Two forwarders on one machine use the EUI ${eui}, in turns.`,
    advice: "Beacons go to the one that pulled last: stop one, or give it a gateway_ID of its own.",
  },
  perhaps: {
    found: (eui: string) => `Two forwarders use the EUI ${eui}, or one has just restarted.`,
    advice: "Where there are two, stop one, or give it a gateway_ID of its own.",
  },
} as const;

/** What is judged of one forwarder, whoever heard it. */
type ForwarderView = {
  readonly eui: string;
  readonly pushes: boolean;
  readonly pulls: boolean;
  /** How another uses its EUI, null where none does. */
  readonly rival: keyof typeof RIVALS | null;
  readonly version: 1 | 2;
};

/** Where it was listened, and who may speak there: any where none is named. */
export type ForwarderPort = { readonly endpoint: string; readonly allowed: readonly string[] };

/** Judges what was heard on the port while the hotspot was stopped. */
export function judgeHeard(
  heard: readonly ForwarderHeard[],
  { endpoint, allowed }: ForwarderPort,
  listenS: number,
): Finding[] {
  const isAllowed = ({ eui }: ForwarderHeard) => allowed.length === 0 || allowed.includes(eui);
  const result = heard.some(isAllowed) ? "warn" : "fail";
  const strangers = heard
    .filter((one) => !isAllowed(one))
    .map(({ eui }) => judgeStranger(result, `${eui} is not among those that forwarders names`));
  const views = heard.filter(isAllowed).map(({ eui, pushes, pulls, pullSources, version }) => {
    const rival = pullSources.size > 1 ? ("perhaps" as const) : null;
    return { eui, version, pushes: pushes > 0, pulls: pulls > 0, rival };
  });
  return judge(views, strangers, { endpoint, allowed }, `within ${listenS} s`);
}

/** Judges what the running hotspot has seen since it started. */
export function judgeStatus({ radio }: HotspotStatus, allowed: readonly string[], nowMs: number): Finding[] {
  const refused = radio.datagrams.eui_not_allowed;
  const isSilent = ({ lastSeenMs }: ForwarderStatus) => nowMs - lastSeenMs >= FORWARDER_ALIVE_MS;
  const silent = radio.forwarders.filter(isSilent);
  const speaking = radio.forwarders.filter((one) => !isSilent(one));
  const result = speaking.length > 0 ? "warn" : "fail";
  const named = "had an EUI that forwarders does not name, since the hotspot started";
  const strangers = refused > 0 ? [judgeStranger(result, `${refused} datagrams ${named}`)] : [];
  const fallen = silent.map(({ eui, lastSeenMs }) => {
    const found = `${eui} has been silent for ${formatDuration(nowMs - lastSeenMs)}.`;
    const advice = "Is it running? One that was taken away is forgotten when the hotspot starts anew.";
    return finding("forwarder", result, found, advice);
  });
  const views = speaking.map((forwarder) => {
    const { eui, version, alive, lastPushMs } = forwarder;
    const pushes = lastPushMs !== null && nowMs - lastPushMs < REPORT_SILENCE_MS;
    return { eui, version, pushes, pulls: alive, rival: findRival(forwarder) };
  });
  const port = { endpoint: radio.listeningOn ?? "a closed port", allowed };
  return judge(views, [...fallen, ...strangers], port, "since the hotspot started");
}

function findRival({ takeoversRefused, downlinkReturns }: ForwarderStatus): keyof typeof RIVALS | null {
  if (downlinkReturns > 0) return "in_turns";
  return takeoversRefused > 0 ? "elsewhere" : null;
}

/** Judges where the forwarder's own configuration sends to. */
export function judgeDestination(config: ForwarderConfig, host: string, port: number): Finding[] {
  const findings: Finding[] = [];
  const ports = [config.portUp, config.portDown].filter((configured) => configured !== null);
  if (ports.some((configured) => configured !== port)) {
    const found = `Its configuration sends to port ${ports.join(" and ")}, the hotspot listens on ${port}.`;
    findings.push(finding("forwarder", "fail", found, `Set serv_port_up and serv_port_down to ${port}.`));
  }
  const isLocal = ["localhost", "127.0.0.1", "::1", host].includes(config.serverAddress ?? host);
  if (!isLocal) {
    const found = `Its configuration sends to ${config.serverAddress}, the hotspot listens on ${host}.`;
    findings.push(finding("forwarder", "fail", found, `Set server_address to ${host}.`));
  }
  if (config.gatewayId === ZERO_EUI) findings.push(zeroEui());
  return findings;
}

/** The port is taken, and not by this hotspot. */
export function judgePortTaken(endpoint: string): Finding {
  const found = `Another program has UDP ${endpoint}, and no hotspot answers here.`;
  const advice =
    "Find it with ss -lunp; a second hotspot, or a network server's bridge, would take the packets.";
  return finding("forwarder", "fail", found, advice);
}

/** @param others what was found of who does not speak here now, or may not. */
function judge(
  views: readonly ForwarderView[],
  others: readonly Finding[],
  { endpoint, allowed }: ForwarderPort,
  when: string,
): Finding[] {
  if (views.length === 0 && others.length === 0) {
    const advice = `Is it running? Its server_address, serv_port_up and serv_port_down must be ${endpoint}.`;
    return [finding("forwarder", "fail", `No packet forwarder has spoken to ${endpoint} ${when}.`, advice)];
  }
  const findings = views.flatMap(judgeOne);
  // Who has named them has meant them.
  if (views.length > 1 && allowed.length === 0) {
    const found = `${views.length} forwarders speak here: ${views.map(({ eui }) => eui).join(", ")}.`;
    const advice =
      "Right for several concentrators on one mast, which forwarders may name; else stop what was forgotten.";
    findings.push(finding("forwarder", "warn", found, advice));
  }
  return [...findings, ...others];
}

function judgeOne({ eui, pushes, pulls, rival, version }: ForwarderView): Finding[] {
  const findings: Finding[] = [];
  if (eui === ZERO_EUI) findings.push(zeroEui());
  if (rival !== null) {
    findings.push(finding("forwarder", "warn", RIVALS[rival].found(eui), RIVALS[rival].advice));
  }
  if (pulls && !pushes) {
    const found = `${eui} asks for frames to send (PULL), but reports nothing (PUSH), not even statistics.`;
    const advice =
      "Its serv_port_up may be another one; statistics come each stat_interval, 30 s by default.";
    findings.push(finding("forwarder", "warn", found, advice));
  }
  if (pushes && !pulls) {
    const found = `${eui} reports packets (PUSH), but never asks for frames to send (PULL).`;
    const advice = "No beacon can leave: its serv_port_down may be another one, or a firewall is between.";
    findings.push(finding("forwarder", "fail", found, advice));
  }
  if (version === 1) {
    const found = `${eui} speaks version 1, which never says whether a frame was taken.`;
    findings.push(finding("forwarder", "warn", found, "Update it: version 2 came in 2015."));
  }
  if (findings.length > 0) return findings;
  return [finding("forwarder", "ok", `${eui} reports packets and asks for frames to send.`)];
}

function judgeStranger(result: "warn" | "fail", whose: string): Finding {
  const advice = "Add its gateway_ID to forwarders, or stop who sends there.";
  return finding("forwarder", result, `${whose}: refused.`, advice);
}

function zeroEui(): Finding {
  const advice = "Set gateway_ID to the concentrator's own number; RAK and Seeed print it on the board.";
  return finding("forwarder", "fail", "A forwarder's EUI is all zeros, as it is shipped.", advice);
}
