/** How many receptions of real, honest gateways the single-report gates refuse, over all and set by set. */
import { isUnpaidReason } from "../../protocol/src/evidence/reasons.ts";
import { checkLink, GATES, type GateReason, type LinkMeasurement } from "../../protocol/src/radio/gates.ts";
import type { DataFolder, Row } from "./dataFolder.ts";
import { createFigure, type Figure, type SectionResult } from "./figure.ts";
import { isEndDeviceSet, type LinkSet, readLinkSets } from "./linkFiles.ts";
import { estimateShare, UNMEASURED } from "./statistics.ts";

const OVERALL_MAX = 0.001;
const SET_MAX = 0.002;

/** LR-FHSS has neither SNR nor spreading factor, so only these can be judged of it. */
const JUDGED_WITHOUT_SNR: readonly GateReason[] = ["rssi_out_of_range", "rssi_above_ceiling"];

export function evaluateGates(folder: DataFolder): SectionResult {
  const sets = readLinkSets(folder).filter(({ rows }) => rows.length > 0);
  const gateways = sets.filter(({ set }) => !isEndDeviceSet(set));
  const refused = gateways.map(({ rows }) => rows.filter(isRefused).length);
  const sum = (counts: readonly number[]): number => counts.reduce((total, count) => total + count, 0);
  const overall = estimateShare(sum(refused), sum(gateways.map(({ rows }) => rows.length)));
  const shares = gateways.map(({ set, rows }, i) => ({
    set,
    share: estimateShare(refused[i]!, rows.length),
  }));
  // One set may be worse; of the others, the worst.
  const second = shares.toSorted((a, b) => b.share.value - a.share.value)[1];
  const name = second === undefined ? "second worst set" : `second worst set: ${second.set} refused`;
  const figures: Figure[] = [
    createFigure("gates", "honest gateways refused", overall, { atMost: OVERALL_MAX }),
    createFigure("gates", name, second?.share ?? UNMEASURED, { atMost: SET_MAX }),
    ...shares.map(({ set, share }) => createFigure("gates", `${set} refused`, share)),
    ...sets.filter(({ set }) => isEndDeviceSet(set)).map(createEndDeviceFigure),
  ];
  return { figures, scores: refused };
}

const createEndDeviceFigure = ({ set, rows }: LinkSet): Figure =>
  createFigure(
    "gates",
    `${set} refused (end devices)`,
    estimateShare(rows.filter(isRefused).length, rows.length),
  );

function isRefused(row: Row): boolean {
  const scaled = (text: string | undefined, factor: number) => Math.round(Number(text) * factor);
  const link: LinkMeasurement = {
    rssiDeciDbm: scaled(row.rssi_dbm, 10),
    snrCentiDb: scaled(row.snr_db, 100),
    spreadingFactor: Number(row.sf),
    bandwidthHz: Number(row.bw_hz),
    eirpCentiDbm: scaled(row.eirp_max_dbm, 100),
    rxGainCentiDbi: null,
    // An empty cell is an unknown: without a distance or a power there is no ceiling.
    ...(row.distance_m === "" || row.eirp_max_dbm === "" ? {} : { distanceM: scaled(row.distance_m, 1) }),
    ...(row.freq_hz === "" ? {} : { freqHz: Number(row.freq_hz) }),
  };
  const reason =
    row.snr_db === ""
      ? GATES.find((gate) => JUDGED_WITHOUT_SNR.includes(gate.reason) && gate.fails(link))?.reason
      : checkLink(link);
  return reason !== null && reason !== undefined && !isUnpaidReason(reason);
}
