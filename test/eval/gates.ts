/** How many receptions of real, honest gateways the single-report gates refuse, over all and set by set. */
import { isUnpaidReason } from "../../protocol/src/evidence/reasons.ts";
import { checkLink, GATES, type GateReason, type LinkMeasurement } from "../../protocol/src/radio/gates.ts";
import { listFiles, type Row, readCsv } from "./dataFolder.ts";
import { createFigure, type Figure, type SectionResult } from "./figure.ts";
import { estimateShare } from "./statistics.ts";

/** Sets received by gateways, which is what a hotspot has; the others are received by end devices. */
const GATEWAY_SETS = /^(balloon|grenoble|lyon|medellin|juizdefora).*\.csv\.gz$/;
const OVERALL_MAX = 0.001;
const SET_MAX = 0.002;

/** LR-FHSS has neither SNR nor spreading factor, so only these can be judged of it. */
const JUDGED_WITHOUT_SNR: readonly GateReason[] = ["rssi_out_of_range", "rssi_above_ceiling"];

export function evaluateGates(folder: string): SectionResult {
  const shares: Figure[] = [];
  let [refused, total] = [0, 0];
  for (const name of listFiles(folder, GATEWAY_SETS)) {
    const rows = readCsv(folder, name);
    const setRefused = rows.filter(isRefused).length;
    refused += setRefused;
    total += rows.length;
    shares.push(
      createFigure("gates", `${name.replace(".csv.gz", "")} refused`, estimateShare(setRefused, rows.length)),
    );
  }
  // One set may be worse; of the others, the worst.
  const others = shares.toSorted((a, b) => b.value - a.value).slice(1);
  const figures = [
    createFigure("gates", "honest gateways refused", estimateShare(refused, total), { atMost: OVERALL_MAX }),
    ...others
      .slice(0, 1)
      .map((worst) => createFigure("gates", `second worst set: ${worst.name}`, worst, { atMost: SET_MAX })),
    ...shares,
  ];
  return { figures, scores: shares.map(({ value, n }) => Math.round(value * n)) };
}

function isRefused(row: Row): boolean {
  const scaled = (text: string | undefined, factor: number) => Math.round(Number(text) * factor);
  const link: LinkMeasurement = {
    rssiDeciDbm: scaled(row.rssi_dbm, 10),
    snrCentiDb: scaled(row.snr_db, 100),
    spreadingFactor: Number(row.sf),
    bandwidthHz: Number(row.bw_hz),
    eirpCentiDbm: scaled(row.eirp_max_dbm, 100),
    rxGainCentiDbi: null,
    distanceM: scaled(row.distance_m, 1),
    freqHz: Number(row.freq_hz),
  };
  const reason =
    row.snr_db === ""
      ? GATES.find((gate) => JUDGED_WITHOUT_SNR.includes(gate.reason) && gate.fails(link))?.reason
      : checkLink(link);
  return reason !== null && reason !== undefined && !isUnpaidReason(reason);
}
