/** What the status page shows, computed from the server's answers: pure, without a document, so that tests need none. */

const BARS = 30;
const CHART_SPAN_MS = 3_600_000;
/** As many rows as the server keeps: if all are there, older ones are gone and the chart begins with them. */
const PACKETS_KEPT = 200;

/** A span of time in words, such as "4 min". */
export function formatSpan(ms) {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}

/** How long ago an ISO time was, such as "4 min ago". */
export function formatAge(time, nowMs) {
  return `${formatSpan(nowMs - Date.parse(time))} ago`;
}

/** A count of bytes for people. */
export function formatBytes(bytes) {
  if (bytes < 1_024) return `${bytes} bytes`;
  return bytes < 1_048_576 ? `${(bytes / 1_024).toFixed(1)} KiB` : `${(bytes / 1_048_576).toFixed(1)} MiB`;
}

/** The line below the name. */
export function describeSummary(status) {
  const { network, region, cell, antennaGainDbi, rounds } = status;
  const place = cell === null ? "no place asserted" : `cell ${cell}`;
  const reached = rounds === null ? "no round heard yet" : `round ${rounds.round}, epoch ${rounds.epoch}`;
  return `${network.name}, ${region}, ${place}, ${antennaGainDbi} dBi; ${reached}`;
}

/** The last beacon, what comes next, and why the last attempt failed: sentences. */
export function describeBeacons(status, nowMs) {
  const last = status.beacons.at(-1);
  const lines = [];
  if (last === undefined) {
    lines.push("No beacon has been sent yet.");
  } else {
    const when = last.time === null ? `in epoch ${last.epoch}` : formatAge(last.time, nowMs);
    const power = last.powerDbm === null ? "" : `, ${last.powerDbm} dBm`;
    const how = `${last.frequencyHz / 1e6} MHz, SF${last.spreadingFactor}${power}`;
    lines.push(`Last beacon ${when}: ${how}. ${last.words}`);
  }
  if (status.lastBeaconFailure !== null) {
    lines.push(`The last attempt failed. ${status.lastBeaconFailureWords}`);
  }
  return [...lines, ...status.next];
}

/** How a report is coloured. That there is no beacon is no fault where the hotspot asked by it whether it is known. */
export function reportTone({ isQuestion, state, verdict, words }) {
  if (verdict === null || (isQuestion && verdict === "unknown_beacon")) return "pending";
  if (verdict === "accepted") return "good";
  return state === "judged" && words.startsWith("Valid") ? "unpaid" : "bad";
}

/**
 * The chart of packets: bars from the oldest to now, each with its counts of beacons heard, of others, and of what was
 * no usable reception.
 */
export function computeChart(packets, nowMs) {
  const oldestMs = packets.length < PACKETS_KEPT ? nowMs - CHART_SPAN_MS : Date.parse(packets.at(-1).time);
  const spanMs = Math.max(BARS * 1_000, Math.min(CHART_SPAN_MS, nowMs - oldestMs));
  const bars = Array.from({ length: BARS }, () => ({ beacon: 0, other: 0, refused: 0 }));
  for (const packet of packets) {
    const ageMs = nowMs - Date.parse(packet.time);
    if (ageMs > spanMs) continue;
    // The clocks of browser and hotspot differ a little, so that the newest may come from the future.
    const index = Math.min(BARS - 1, Math.floor(((spanMs - ageMs) / spanMs) * BARS));
    const heard = packet.crc === "ok";
    const kind = packet.kind === "beacon" ? "beacon" : heard ? "other" : "refused";
    bars[Math.max(0, index)][kind]++;
  }
  const most = Math.max(1, ...bars.map(({ beacon, other, refused }) => beacon + other + refused));
  return { bars, most, spanMs };
}

/** Above the chart: how many there were of each. */
export function describePackets(packets, { bars, spanMs }) {
  if (packets.length === 0) return "Nothing has been heard yet.";
  const sum = (kind) => bars.reduce((total, bar) => total + bar[kind], 0);
  const parts = [`${sum("beacon")} beacons`, `${sum("other")} others`, `${sum("refused")} damaged`];
  return `In the last ${formatSpan(spanMs)}: ${parts.join(", ")}.`;
}

/** Base units, a decimal string, as tokens: no number, which would round. */
export function formatTokens(units) {
  const digits = units.padStart(9, "0");
  const [whole, part] = [digits.slice(0, -8), digits.slice(-8).replace(/0{1,6}$/, "")];
  return `${whole}.${part}`;
}

/** What was earned: what is proven and what a validator only says. */
export function describeEarnings(earnings) {
  if (earnings === null) {
    return { lines: ["Set api to a validator's HTTP API to see them."], tone: "dim", epochs: [] };
  }
  const { proven, words, fault, epochs, api, withheld } = earnings;
  if (fault !== null) return { lines: [`${fault}.`], tone: "bad", epochs: [] };
  const total =
    proven === null
      ? []
      : [
          `The owner's account earned ${formatTokens(proven.total)} tokens by the end of epoch ${proven.epoch}.`,
        ];
  const rows = epochs.map((earned) => {
    const { epoch, paid, beaconPaid, witnessPaid } = earned;
    const parts = [
      `${formatTokens(beaconPaid)} for beacons, ${formatTokens(witnessPaid)} for witnessing`,
      ...(earned.withheld === "0" ? [] : [`${formatTokens(earned.withheld)} withheld into escrow`]),
      ...(earned.released === "0" ? [] : [`${formatTokens(earned.released)} released from escrow`]),
    ].join("; ");
    const tone = earned.withheld === "0" ? "" : "unpaid";
    return { text: `Epoch ${epoch}: ${formatTokens(paid)} tokens, ${parts}`, tone };
  });
  const said = rows.length === 0 ? [] : [`This hotspot's last epochs, as ${api} says:`];
  const held = withheld === null ? [] : describeWithheld(withheld);
  return { lines: [...held, ...total, words, ...said], tone: proven === null ? "pending" : "", epochs: rows };
}

/** Why pay is withheld, what is held and until when, and what the owner can do. */
function describeWithheld({ isSuspended, penalties, escrow, isAppealed }) {
  const held = escrow.map(({ amount, untilEpoch }) => {
    return `${formatTokens(amount)} tokens are held in escrow, and can be released until epoch ${untilEpoch}.`;
  });
  if (!isSuspended) return held;
  const appeal = isAppealed
    ? "Its owner has appealed; the next computation of trust decides."
    : "Its owner can have that judged anew: hexbeacon account appeal.";
  return [`Pay is withheld, as this was found: ${penalties.join(", ")}.`, ...held, appeal];
}

const RESULT_TONES = { ok: "good", not_checked: "dim", warn: "unpaid", fail: "bad" };
const RESULT_ORDER = ["fail", "warn", "not_checked", "ok"];

/** What the doctor has found, the worst first, each with what to do. */
export function describeExamination(examination, nowMs) {
  if (examination === null) return { lines: ["Nobody can be asked here."], findings: [] };
  const { time, findings } = examination;
  if (findings === null)
    return { lines: ["The doctor gave no answer: hexbeacon node doctor."], findings: [] };
  const rank = ({ result }) => RESULT_ORDER.indexOf(result);
  const rows = findings.toSorted((a, b) => rank(a) - rank(b));
  return {
    lines: [`Asked ${formatAge(time, nowMs)}.`],
    findings: rows.map(({ check, result, found, advice }) => {
      const words = advice === null ? found : `${found} ${advice}`;
      return { text: `${check.replaceAll("_", " ")}: ${words}`, tone: RESULT_TONES[result] };
    }),
  };
}

/** The budget of each band that was used, or of all while none was. */
export function describeDuty(bands) {
  const used = bands.filter(({ usedMs }) => usedMs > 0);
  return (used.length > 0 ? used : bands).map(({ band, usedMs, limitMs, windowMs }) => {
    const name = /^[A-Z]/.test(band) ? `Band ${band}` : band.replace(/^e/, "E");
    const window = windowMs === 3_600_000 ? "this hour" : `in ${windowMs / 1_000} s`;
    return {
      label: `${name}: ${(usedMs / 1_000).toFixed(1)} s of ${(limitMs / 1_000).toFixed(1)} s ${window}`,
      used: Math.min(1, usedMs / limitMs),
    };
  });
}

/** What waits on the disk, and what is on its way. */
export function describeSpool({ spool, delivery }) {
  const lines = [
    `${spool.entries} envelopes, ${formatBytes(spool.bytes)}.`,
    `${delivery.waiting} wait for a validator, ${delivery.admitted} for a round (${delivery.admittedTwice} with two receipts); ${delivery.included} are in rounds.`,
  ];
  if (spool.damagedBytes > 0) lines.push(`${formatBytes(spool.damagedBytes)} were damaged and skipped.`);
  return lines;
}

/** Each validator's address and whether it is connected. */
export function describeValidators(validators) {
  return validators.map(({ address, connected, lastError }) => {
    if (connected) return { text: `${address}: connected`, tone: "good" };
    const why = { unreachable: "cannot be reached", not_a_validator: "is no validator" }[lastError];
    return { text: `${address}: ${why ?? "not connected"}`, tone: why === undefined ? "pending" : "bad" };
  });
}

function describeDelay(timing) {
  return timing?.latencyMs == null ? "" : `, packets ${timing.latencyMs} ms old`;
}

/** Nothing below a tenth of a second, which is what a datagram may take. */
function describeSkew(timing) {
  const skewMs = timing?.gpsSkewMs ?? 0;
  if (Math.abs(skewMs) < 100) return "";
  const amount = `${(Math.abs(skewMs) / 1_000).toFixed(1)} s`;
  return `, this machine's clock ${amount} ${skewMs > 0 ? "ahead of" : "behind"} its GPS`;
}

/** Each forwarder, when it was last heard, and how its packets are dated. */
export function describeForwarders({ forwarders }, nowMs) {
  return forwarders.map((forwarder) => {
    const { eui, alive, timing, stat, takeoversRefused, downlinkReturns } = forwarder;
    const seen = `last heard ${formatSpan(nowMs - forwarder.lastSeenMs)} ago`;
    const received =
      stat?.values.rxnb === undefined ? "" : `, ${stat.values.rxnb} packets in its last report`;
    const sends = forwarder.transmits && forwarders.length > 1 ? ", transmits" : "";
    const times = `${describeDelay(timing)}${describeSkew(timing)}`;
    const refused =
      takeoversRefused === 0 ? "" : `, ${takeoversRefused} datagrams from another address refused`;
    const turns =
      downlinkReturns > 0 ? ", two forwarders take turns with this EUI: give each its own gateway_ID" : "";
    const tone = downlinkReturns > 0 || !alive ? "bad" : "good";
    return { text: `${eui}: ${seen}${received}${sends}${times}${refused}${turns}`, tone };
  });
}
