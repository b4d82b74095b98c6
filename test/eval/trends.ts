/**
 * How signals follow distance and power. Rooms: a hotspot's real pairs with their levels dealt out anew, independent of
 * the claimed distances. Ignorant forgers: real receptions with known power steps and the signals dealt out anew.
 */
import { computeSignalDeciDbm, type Reception, sumReceptions } from "../../protocol/src/trust/moments.ts";
import {
  computeTrendMilliT,
  TREND_RECEPTIONS_MIN,
  type TrendPair,
} from "../../protocol/src/trust/penalties/distanceInsensitivity.ts";
import { computeJudgedSlopeMilli } from "../../protocol/src/trust/penalties/powerSlope.ts";
import { COUNTERPARTS_MIN, RAMPS } from "../../protocol/src/trust/thresholds.ts";
import { createRandom } from "../bench/population.ts";
import { type DataFolder, listFiles, type Row, readCsv } from "./dataFolder.ts";
import { createFigure, type Figure, type SectionResult } from "./figure.ts";
import { bootstrap, computeAuc, computeTpr, estimateShare } from "./statistics.ts";

/** Hotspots' sets with exact distances; a sender's packets are gathered by place, as a moving one has many. */
const TREND_SETS = /^grenoble_helium.*\.csv\.gz$/;
/** A moving sender counts as another counterpart in each ring of this width, as a cell would make it one. */
const RING_M = 200;
const DRAWS_PER_STATION = 48;
/** Who is not judged is as who follows the power, dB for dB. */
const NOT_JUDGED_MILLI = 1_000;

export function evaluateTrends(folder: DataFolder): SectionResult {
  const trend = evaluateDistance(folder);
  const slope = evaluatePower(folder);
  return { figures: [...trend.figures, ...slope.figures], scores: [...trend.scores, ...slope.scores] };
}

function evaluateDistance(folder: DataFolder): SectionResult {
  const figures: Figure[] = [];
  const scores: number[] = [];
  const stations = listFiles(folder, TREND_SETS).flatMap((name) => gatherStations(readCsv(folder, name)));
  for (const pairs of [10, 20, 40]) {
    const random = createRandom(pairs);
    const honest: number[] = [];
    const rooms: number[] = [];
    for (const station of stations.filter((list) => list.length >= pairs)) {
      for (let draw = 0; draw < DRAWS_PER_STATION; draw++) {
        const drawn = shuffle(station, random).slice(0, pairs);
        const levels = shuffle(drawn, random);
        const room = drawn.map((pair, i) => ({ ...pair, signalCentiDbm: levels[i]!.signalCentiDbm }));
        honest.push(computeTrendMilliT(drawn, pairs)!);
        rooms.push(computeTrendMilliT(room, pairs)!);
      }
    }
    const label = `room of radios, ${pairs} pairs`;
    const from = RAMPS.distanceInsensitivityMilliT.from;
    const over = (list: readonly number[]) => estimateShare(list.filter((t) => t > from).length, list.length);
    figures.push(
      createFigure("trends", `${label}, AUC`, bootstrap(honest, rooms, computeAuc)),
      createFigure(
        "trends",
        `${label}, TPR1`,
        bootstrap(honest, rooms, (h, g) => computeTpr(h, g, 0.01)),
        pairs === 20 ? { atLeast: 0.88 } : null,
      ),
      createFigure("trends", `  caught at the threshold`, over(rooms)),
      createFigure("trends", `  honest refused at the threshold`, over(honest)),
    );
    scores.push(...honest, ...rooms);
  }
  return { figures, scores };
}

/**
 * For each station that stands still and that many others heard, or that heard many: its pairs, with the mean signal of
 * each. A sender on the move is many counterparts of those who hear it, and no station itself.
 */
function gatherStations(rows: readonly Row[]): TrendPair[][] {
  const stations = new Map<string, Map<string, { count: number; signal: number; distance: number }>>();
  const placesOf = Map.groupBy(rows, ({ tx }) => tx!);
  const moves = new Set(
    [...placesOf]
      .filter(([, sent]) => new Set(sent.map((row) => `${row.tx_lat} ${row.tx_lon}`)).size > 1)
      .map(([tx]) => tx),
  );
  for (const row of rows) {
    const signal = computeSignalDeciDbm({
      rssiDeciDbm: Math.round(Number(row.rssi_dbm) * 10),
      rssiKind: "channel",
      snrCentiDb: Math.round(Number(row.snr_db) * 100),
    });
    const distance = Math.round(Number(row.distance_m));
    const ring = Math.round(distance / RING_M);
    for (const [station, other] of [
      [moves.has(row.tx!) ? null : `tx ${row.tx}`, `${row.rx} ${row.rx_lat} ${row.rx_lon}`],
      [`rx ${row.rx}`, `${row.tx} ${ring}`],
    ] as const) {
      if (station === null) continue;
      const pairs = stations.get(station) ?? new Map();
      stations.set(station, pairs);
      const pair = pairs.get(other) ?? { count: 0, signal: 0, distance: 0 };
      pairs.set(other, pair);
      pair.count++;
      pair.signal += signal;
      pair.distance += distance;
    }
  }
  return [...stations.values()].map((pairs) =>
    [...pairs.values()]
      .filter(({ count }) => count >= TREND_RECEPTIONS_MIN)
      .map(({ count, signal, distance }) => ({
        receptions: count,
        signalCentiDbm: Math.round((signal * 10) / count),
        distanceM: Math.round(distance / count),
      })),
  );
}

function evaluatePower(folder: DataFolder): SectionResult {
  const figures: Figure[] = [];
  const scores: number[] = [];
  const random = createRandom(7);
  const receptions = listFiles(folder, /^lyon_urban\.csv\.gz$/)
    .flatMap((name) => readCsv(folder, name))
    .filter((row) => row.tx_dbm !== "" && row.snr_db !== "")
    .map((row) => ({ sender: `${row.tx} ${row.sf}`, reception: toReception(row) }));
  const senders = Map.groupBy(receptions, ({ sender }) => sender);
  for (const size of [32, 64]) {
    const honest: number[] = [];
    const forged: number[] = [];
    for (const list of senders.values()) {
      const real = list.map(({ reception }) => reception);
      if (new Set(real.map(({ powerStepDb }) => powerStepDb)).size < 2) continue;
      for (let draw = 0; draw < 4 * DRAWS_PER_STATION; draw++) {
        // Power as the challenge draws it: each step as often as any other.
        const drawn = drawByPower(real, size, random);
        const powers = shuffle(drawn, random);
        const slopeOf = (window: readonly Reception[]) =>
          computeJudgedSlopeMilli(deal(window, COUNTERPARTS_MIN).map(sumReceptions)) ?? NOT_JUDGED_MILLI;
        honest.push(slopeOf(drawn));
        forged.push(slopeOf(drawn.map((one, i) => ({ ...one, powerStepDb: powers[i]!.powerStepDb }))));
      }
    }
    const under = (list: readonly number[]) =>
      estimateShare(list.filter((slope) => slope < RAMPS.powerSlopeMilli.from).length, list.length);
    const negated = (list: readonly number[]) => list.map((slope) => -slope);
    const label = `forger who does not know the power, ${size} receptions`;
    figures.push(
      createFigure("trends", `${label}, AUC`, bootstrap(negated(honest), negated(forged), computeAuc)),
      createFigure(
        "trends",
        `${label}, TPR1`,
        bootstrap(negated(honest), negated(forged), (h, g) => computeTpr(h, g, 0.01)),
      ),
      createFigure("trends", "  caught at the threshold", under(forged)),
      createFigure("trends", "  honest refused at the threshold", under(honest)),
    );
    scores.push(...honest, ...forged);
  }
  return { figures, scores };
}

function toReception(row: Row): Reception {
  return {
    rssiDeciDbm: Math.round(Number(row.rssi_dbm) * 10),
    rssiKind: "channel",
    snrCentiDb: Math.round(Number(row.snr_db) * 100),
    bandwidthHz: Number(row.bw_hz),
    powerStepDb: 14 - Number(row.tx_dbm),
  };
}

function drawByPower(receptions: readonly Reception[], count: number, random: () => number): Reception[] {
  const byPower = [...Map.groupBy(receptions, ({ powerStepDb }) => powerStepDb).values()];
  return Array.from({ length: count }, () => {
    const step = byPower[Math.floor(random() * byPower.length)]!;
    return step[Math.floor(random() * step.length)]!;
  });
}

/** Values in so many hands, by turns. */
function deal<T>(values: readonly T[], hands: number): T[][] {
  return Array.from({ length: hands }, (_, hand) => values.filter((_value, i) => i % hands === hand));
}

/** A shuffled copy (Fisher and Yates). */
function shuffle<T>(values: readonly T[], random: () => number): T[] {
  const shuffled = [...values];
  for (let i = shuffled.length - 1; i > 0; i--) {
    const other = Math.floor(random() * (i + 1));
    [shuffled[i], shuffled[other]] = [shuffled[other]!, shuffled[i]!];
  }
  return shuffled;
}
