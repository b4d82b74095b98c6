/**
 * The physics of the simulated channel, as pure functions: how much of a signal arrives, and what a receiver then
 * prints of it. Log-distance path loss with an exponent by surroundings, shadowing that belongs to a pair of places,
 * a little fading a packet, thermal noise. Made so that honest receptions pass the protocol's gates as real ones do.
 * Host trigonometry is allowed here: nobody has to agree on what a simulation drew.
 */
import { computeDistanceM } from "../../protocol/src/geo/distance.ts";
import { computeFreeSpaceLossCentiDb } from "../../protocol/src/radio/pathLoss.ts";
import { createRandom, drawGaussian, mixSeed, type Random } from "./prng.ts";

/** How built-up a place is. */
export type Clutter = "urban" | "suburban" | "open";

/** A place with an antenna. */
export type Station = {
  /** Names the station in the seed's draws: the same name has the same links and the same receiver. */
  readonly id: string;
  readonly latE7: number;
  readonly lngE7: number;
  /** Above sea level: only differences between stations count. */
  readonly elevationM: number;
  readonly gainCentiDbi: number;
  readonly clutter: Clutter;
};

/**
 * What the surroundings of both ends add to free space: so much at 1 km, growing with the exponent beyond. Drives with
 * LoRa nodes at 2 m found 129 dB at 1 km and an exponent of 2.32 in Oulu (Petajajarvi et al., 2015), 132 dB and 2.65 in
 * Dortmund (Joerke et al., 2017), where free space has 91 dB; a hotspot's antenna, on a roof or at a window, does some
 * 10 dB better than a car.
 */
const CLUTTER: Readonly<Record<Clutter, { excessDb: number; exponent: number; shadowingDb: number }>> = {
  urban: { excessDb: 28, exponent: 2.9, shadowingDb: 7 },
  suburban: { excessDb: 21, exponent: 2.7, shadowingDb: 6 },
  open: { excessDb: 13, exponent: 2.4, shadowingDb: 4 },
};
/** Up to here the path is free space; from here to the reference the excess grows with the logarithm. */
const FREE_SPACE_M = 100;
const REFERENCE_M = 1_000;
/** Antennas nearer than this are in each other's near field, where no formula of distance holds. */
const NEAREST_M = 30;
/** A hill sees over the houses: an advantage of this height and more takes away most of what they cost. */
const CLEARANCE_M = 150;
const CLEARANCE_SHARE = 0.75;
/** Antennas stand on masts and roofs. */
const MAST_M = 10;
/** The radio horizon of a height over the smooth Earth with the usual refraction, 4/3 of its radius: 4.12 km x sqrt(h / m). */
const HORIZON_M_PER_SQRT_M = 4_120;
/** Beyond it diffraction loses about this much, the smooth-Earth order of magnitude near 900 MHz (ITU-R P.526). */
const BEYOND_HORIZON_DB_PER_KM = 1;
/** Reflections can add to the direct path, but not beyond this: the ceiling gate allows 6 dB. */
const GAIN_OVER_FREE_SPACE_MAX_DB = 2;
const FADING_SIGMA_DB = 1.2;
const FADING_MAX_DB = 3;
/** Thermal noise at 290 K in a bandwidth of 1 Hz. */
const THERMAL_NOISE_DBM = -174;
const NOISE_FIGURE_RANGE_DB = [3, 6] as const;
/** How many receivers tell the signal's strength apart from the channel's: 21 of 35 real hotspots. */
const SIGNAL_KIND_SHARE = 0.6;

/** The lowest SNR at which each spreading factor is demodulated, in dB (SX1261/2 data sheet). */
export const DEMODULATION_LIMIT_DB: Readonly<Record<number, number>> = {
  5: -2.5,
  6: -5,
  7: -7.5,
  8: -10,
  9: -12.5,
  10: -15,
  11: -17.5,
  12: -20,
};
/** So far below its limit a frame is still noticed, and arrives with a bad checksum. */
export const CRC_MARGIN_DB = 1.5;
/** With this much more power than its rivals together, a frame survives a collision. */
export const CAPTURE_DB = 6;

/** A receiver's own properties. */
export type Receiver = { readonly noiseFigureDb: number; readonly printsSignal: boolean };

/** What the seed gives a station for a receiver. */
export function drawReceiver(seed: number, stationId: string): Receiver {
  const random = createRandom(mixSeed(seed, "receiver", stationId));
  const [least, most] = NOISE_FIGURE_RANGE_DB;
  return { noiseFigureDb: least + (most - least) * random(), printsSignal: random() < SIGNAL_KIND_SHARE };
}

/** The shadowing of a pair of stations in dB, the same both ways and for the whole run; positive is loss. */
export function drawShadowingDb(seed: number, a: Station, b: Station): number {
  const [first, second] = a.id < b.id ? [a.id, b.id] : [b.id, a.id];
  const random = createRandom(mixSeed(seed, "shadowing", first, second));
  // Sums of both ends' variances, halved: each end's surroundings shadow half of the path.
  const sigmaDb = Math.hypot(CLUTTER[a.clutter].shadowingDb, CLUTTER[b.clutter].shadowingDb) / Math.SQRT2;
  return drawGaussian(random) * sigmaDb;
}

/** The loss between two stations' antennas in dB, at a frequency, without fading. Symmetric. */
export function computePathLossDb(seed: number, a: Station, b: Station, freqHz: number): number {
  const groundM = computeDistanceM(a.latE7, a.lngE7, b.latE7, b.lngE7);
  const distanceM = Math.max(NEAREST_M, groundM);
  const freeSpaceDb = computeFreeSpaceLossCentiDb(Math.round(distanceM), freqHz) / 100;
  if (distanceM <= FREE_SPACE_M) return freeSpaceDb;

  const clearance = Math.min(1, Math.abs(a.elevationM - b.elevationM) / CLEARANCE_M);
  const clutterDb = (computeClutterDb(a.clutter, distanceM) + computeClutterDb(b.clutter, distanceM)) / 2;
  const extraDb = clutterDb * (1 - CLEARANCE_SHARE * clearance) + drawShadowingDb(seed, a, b);
  return freeSpaceDb + Math.max(-GAIN_OVER_FREE_SPACE_MAX_DB, extraDb) + computeHorizonDb(a, b, distanceM);
}

/** What the Earth's bulge takes. Heights above sea level stand for heights above ground: a bound that favours hearing. */
function computeHorizonDb(a: Station, b: Station, distanceM: number): number {
  const sightM = (station: Station) =>
    HORIZON_M_PER_SQRT_M * Math.sqrt(MAST_M + Math.max(0, station.elevationM));
  return (Math.max(0, distanceM - (sightM(a) + sightM(b))) / 1_000) * BEYOND_HORIZON_DB_PER_KM;
}

/** The loss over free space on a path that lies wholly in such surroundings. */
function computeClutterDb(clutter: Clutter, distanceM: number): number {
  const { excessDb, exponent } = CLUTTER[clutter];
  const decades = Math.log10(distanceM / REFERENCE_M);
  if (decades > 0) return excessDb + 10 * (exponent - 2) * decades;
  return excessDb * (1 - decades / Math.log10(FREE_SPACE_M / REFERENCE_M));
}

/** One packet's deviation from its link's mean in dB. */
export function drawFadingDb(random: Random): number {
  return Math.max(-FADING_MAX_DB, Math.min(FADING_MAX_DB, drawGaussian(random) * FADING_SIGMA_DB));
}

/** Noise in a receiver's channel, in dBm. */
export function computeNoiseDbm(receiver: Receiver, bandwidthHz: number): number {
  return THERMAL_NOISE_DBM + 10 * Math.log10(bandwidthHz) + receiver.noiseFigureDb;
}

/** What a concentrator measures of a frame. */
export type Measurement = {
  /** Whole dBm. */
  readonly rssiChannelDbm: number;
  /** Whole dBm; null where the receiver does not tell it. */
  readonly rssiSignalDbm: number | null;
  /** In quarters of a dB. */
  readonly snrDb: number;
};

/** Above this the modem's estimate falls behind, */
const SNR_LINEAR_MAX_DB = 9;
/** a tenth of a dB for every dB, */
const SNR_COMPRESSION = 0.1;
/** and ends here. */
const SNR_MAX_DB = 14;
const SNR_SIGMA_DB = 0.4;

/** What the receiver prints of a signal of this strength. */
export function measureSignal(
  receiver: Receiver,
  signalDbm: number,
  bandwidthHz: number,
  random: Random,
): Measurement {
  const noiseDbm = computeNoiseDbm(receiver, bandwidthHz);
  const snrDb = signalDbm - noiseDbm;
  const linearDb = Math.min(snrDb, SNR_LINEAR_MAX_DB);
  const compressedDb = Math.max(0, snrDb - SNR_LINEAR_MAX_DB) * SNR_COMPRESSION;
  const printedDb = Math.min(SNR_MAX_DB, linearDb + compressedDb + drawGaussian(random) * SNR_SIGMA_DB);
  return {
    rssiChannelDbm: Math.round(addPowersDbm(signalDbm, noiseDbm)),
    rssiSignalDbm: receiver.printsSignal ? Math.round(signalDbm) : null,
    snrDb: Math.round(printedDb * 4) / 4,
  };
}

/** The sum of powers that are given in dBm, in dBm. */
export function addPowersDbm(...powersDbm: readonly number[]): number {
  let milliwatts = 0;
  for (const powerDbm of powersDbm) milliwatts += 10 ** (powerDbm / 10);
  return 10 * Math.log10(milliwatts);
}

/** A copy of a strong frame in a neighbouring channel. */
export type Ghost = {
  readonly offsetHz: number;
  readonly attenuationDb: number;
  readonly tmstOffsetUs: number;
};

/** Signals above this overload the receiver's filters. */
const GHOST_THRESHOLD_DBM = -70;
const GHOST_CHANNEL_STEP_HZ = 200_000;
const GHOST_CHANNELS = [-3, -2, -1, 1, 2, 3] as const;
const GHOST_SHARE = 0.35;
/** Seen between 50 and 75 dB below the frame itself. */
const GHOST_ATTENUATION_RANGE_DB = [50, 75] as const;
const GHOST_TMST_OFFSET_MAX_US = 20;

/** The ghosts of a frame of this strength at one receiver: none where it is not strong. */
export function drawGhosts(signalDbm: number, random: Random): Ghost[] {
  if (signalDbm < GHOST_THRESHOLD_DBM) return [];
  const [least, most] = GHOST_ATTENUATION_RANGE_DB;
  const ghosts: Ghost[] = [];
  for (const channel of GHOST_CHANNELS) {
    if (random() >= GHOST_SHARE) continue;
    ghosts.push({
      offsetHz: channel * GHOST_CHANNEL_STEP_HZ,
      attenuationDb: least + (most - least) * random(),
      tmstOffsetUs: Math.round((2 * random() - 1) * GHOST_TMST_OFFSET_MAX_US),
    });
  }
  return ghosts;
}
