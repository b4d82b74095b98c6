/**
 * The air of a laboratory: which radios hear which, over the simulated channel that the devnet uses too, without its
 * collisions (beacons of an epoch are spread over hours).
 */

import { computeDistanceM } from "../../protocol/src/geo/distance.ts";
import type { Measurement } from "../../protocol/src/wire/reports.ts";
import {
  computeNoiseDbm,
  computePathLossDb,
  DEMODULATION_LIMIT_DB,
  drawFadingDb,
  drawReceiver,
  measureSignal,
  type Receiver,
  type Station,
} from "../ether/channel.ts";
import type { Random } from "../ether/prng.ts";
import type { Site } from "./city.ts";
import type { Member } from "./population.ts";
import { drawSitingDb } from "./siting.ts";

/** Antennas of all hotspots; what varies more between real ones is where they stand (`siting.ts`). */
export const GAIN_CENTI_DBI = 300;
/** No link of the simulated channel reaches farther, but between hills, which few stand on. */
const REACH_M = 30_000;
/** The nearest radios: a city of ten thousand has fifty million pairs. */
const NEAR_MAX = 400;
/** Radios that report one beacon at most: fourteen are paid, and the rest only costs the laboratory time. */
const HEARD_BY_MAX = 24;
/** Beyond this nothing is demodulated: the strongest beacon, both antennas, and a good receiver at the slowest rate. */
const LOSS_MAX_DB = 180;

export type Frame = {
  readonly freqHz: number;
  readonly spreadingFactor: number;
  readonly bandwidthHz: number;
  readonly powerCentiDbm: number;
  readonly timeMs: number;
};

type Radio = { readonly station: Station; readonly receiver: Receiver; readonly sitingDb: number };
type Link = { readonly radio: number; readonly lossDb: number };

export class Airwaves {
  readonly #radios: Radio[] = [];
  readonly #links: Link[][] = [];
  /** By member's index: its radio's, or -1. */
  readonly radioOf: readonly number[];
  /** By radio's index: the members that it feeds. */
  readonly fed: readonly number[][];

  constructor(seed: number, members: readonly Member[], freqHz: number) {
    const numbers = new Map<string, number>();
    const fed: number[][] = [];
    this.radioOf = members.map(({ radio }, member) => {
      if (radio === null) return -1;
      const known = numbers.get(radio.name);
      const number = known ?? numbers.size;
      if (known === undefined) {
        numbers.set(radio.name, number);
        const station = createStation(radio.name, radio.site);
        const sitingDb = radio.isOnRoof === true ? 0 : drawSitingDb(seed, radio.name);
        this.#radios.push({ station, receiver: drawReceiver(seed, station.id), sitingDb });
        fed.push([]);
      }
      fed[number]!.push(member);
      return number;
    });
    this.fed = fed;
    for (const radio of this.#radios) this.#links.push(this.#findLinks(seed, radio, freqHz));
  }

  /** The radios that can hear another at all, in the order of their numbers. */
  #findLinks(seed: number, { station: from, sitingDb }: Radio, freqHz: number): Link[] {
    const near: { radio: number; distanceM: number }[] = [];
    for (const [radio, { station }] of this.#radios.entries()) {
      if (station === from) continue;
      const distanceM = computeDistanceM(from.latE7, from.lngE7, station.latE7, station.lngE7);
      if (distanceM <= REACH_M) near.push({ radio, distanceM });
    }
    near.sort((a, b) => a.distanceM - b.distanceM || a.radio - b.radio);
    return near
      .slice(0, NEAR_MAX)
      .map(({ radio }) => {
        const to = this.#radios[radio]!;
        return { radio, lossDb: computePathLossDb(seed, from, to.station, freqHz) + sitingDb + to.sitingDb };
      })
      .filter(({ lossDb }) => lossDb <= LOSS_MAX_DB)
      .sort((a, b) => a.radio - b.radio);
  }

  /**
   * What radios in reach measure of a frame that a radio sends. Where more hear it than report, chance says which, as
   * the strongest alone would leave most pairs without a way back.
   */
  transmit(radio: number, frame: Frame, random: Random): { radio: number; measurement: Measurement }[] {
    const heard: { radio: number; measurement: Measurement }[] = [];
    const links = this.#links[radio]!;
    const first = Math.floor(random() * links.length);
    for (let i = 0; i < links.length && heard.length < HEARD_BY_MAX; i++) {
      const { radio: to, lossDb } = links[(first + i) % links.length]!;
      const { station, receiver } = this.#radios[to]!;
      const gainsCentiDb = this.#radios[radio]!.station.gainCentiDbi + station.gainCentiDbi;
      const signalDbm = (frame.powerCentiDbm + gainsCentiDb) / 100 - lossDb - drawFadingDb(random);
      const measurement = measure(receiver, signalDbm, frame, random);
      if (measurement !== null) heard.push({ radio: to, measurement });
    }
    return heard;
  }
}

/** What a receiver prints of a signal of some strength, or null where it cannot demodulate it. */
function measure(receiver: Receiver, signalDbm: number, frame: Frame, random: Random): Measurement | null {
  const { freqHz, spreadingFactor, bandwidthHz, timeMs } = frame;
  const snrDb = signalDbm - computeNoiseDbm(receiver, bandwidthHz);
  if (snrDb < DEMODULATION_LIMIT_DB[spreadingFactor]!) return null;
  const printed = measureSignal(receiver, signalDbm, bandwidthHz, random);
  const rssiKind = printed.rssiSignalDbm === null ? "channel" : "signal";
  const rssiDeciDbm = 10 * (printed.rssiSignalDbm ?? printed.rssiChannelDbm);
  const snrCentiDb = Math.round(100 * printed.snrDb);
  return { rssiDeciDbm, rssiKind, snrCentiDb, freqHz, spreadingFactor, bandwidthHz, timeMs };
}

export function createStation(id: string, site: Site): Station {
  return { id, gainCentiDbi: GAIN_CENTI_DBI, ...site };
}

/** A receiver as liars imagine one. */
const IMAGINED: Receiver = { noiseFigureDb: 5, printsSignal: true };

/** What would be measured where both members say they stand: how one forges who knows the channel. Null: nothing would. */
export function imagine(
  seed: number,
  from: Member,
  to: Member,
  frame: Frame,
  random: Random,
): Measurement | null {
  const [a, b] = [createStation(from.name, from.asserted), createStation(to.name, to.asserted)];
  const sitingDb = drawSitingDb(seed, from.name) + drawSitingDb(seed, to.name);
  const lossDb = computePathLossDb(seed, a, b, frame.freqHz) + sitingDb;
  const signalDbm = (frame.powerCentiDbm + 2 * GAIN_CENTI_DBI) / 100 - lossDb - drawFadingDb(random);
  return measure(IMAGINED, signalDbm, frame, random);
}
