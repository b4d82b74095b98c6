/** Time on air of a LoRa packet: what dwell limits, duty cycles and challenges count in. */

/** A packet as the modem sends it; what is left out is a beacon's: preamble 8, coding rate 4/5, CRC, explicit header. */
export type LoraPacket = {
  /** 5 to 12. */
  readonly spreadingFactor: number;
  readonly bandwidthHz: number;
  /** Physical payload, 0 to 255. */
  readonly payloadBytes: number;
  readonly preambleSymbols?: number;
  /** 1 to 4 for 4/5 to 4/8. */
  readonly codingRate?: number;
  readonly crc?: boolean;
  readonly explicitHeader?: boolean;
};

export const SPREADING_FACTOR_MIN = 5;
export const SPREADING_FACTOR_MAX = 12;
/** The widest that LoRa is defined for (SX1280, 2.4 GHz, rounded up). */
export const BANDWIDTH_MAX_HZ = 2_000_000;
export const PAYLOAD_BYTES_MAX = 255;
export const PREAMBLE_SYMBOLS_MAX = 65_535;

/**
 * Time on air in microseconds, rounded half up (exact at LoRaWAN's bandwidths, where a quarter symbol is whole
 * microseconds). Semtech's formula in the SX1261/2 and SX1276 data sheets ("LoRa Time-on-Air"), in quarter symbols.
 * Low data rate optimisation is on from 16 ms a symbol, as the specification says; the SX1302 library sets it for every
 * spreading factor from 11, which lengthens SF11 at 250 kHz, a rate that no region plan here uses.
 * @throws RangeError on a packet that no modem sends: a caller's bug.
 */
export function computeAirtimeUs(packet: LoraPacket): number {
  const { spreadingFactor: sf, bandwidthHz, payloadBytes } = packet;
  const { preambleSymbols = 8, codingRate = 1, crc = true, explicitHeader = true } = packet;
  assertWithin("spreadingFactor", sf, SPREADING_FACTOR_MIN, SPREADING_FACTOR_MAX);
  assertWithin("bandwidthHz", bandwidthHz, 1, BANDWIDTH_MAX_HZ);
  assertWithin("payloadBytes", payloadBytes, 0, PAYLOAD_BYTES_MAX);
  assertWithin("preambleSymbols", preambleSymbols, 0, PREAMBLE_SYMBOLS_MAX);
  assertWithin("codingRate", codingRate, 1, 4);
  const chips = 2 ** sf;
  const lowDataRate = chips * 1_000 >= 16 * bandwidthHz;
  // SF5 and SF6 have a longer synchronisation and fit 8 bits less beside the header in the first block.
  const isShort = sf <= 6;
  const syncQuarters = isShort ? 25 : 17;
  const bits = 8 * payloadBytes - 4 * sf + (crc ? 16 : 0) + (isShort ? 0 : 8) + (explicitHeader ? 20 : 0);
  const bitsPerBlock = 4 * (lowDataRate ? sf - 2 : sf);
  const payloadSymbols = 8 + Math.ceil(Math.max(bits, 0) / bitsPerBlock) * (codingRate + 4);
  const quarters = 4 * preambleSymbols + syncQuarters + 4 * payloadSymbols;
  return Math.floor((quarters * chips * 1_000_000) / (4 * bandwidthHz) + 0.5);
}

function assertWithin(name: string, value: number, least: number, most: number): void {
  if (Number.isInteger(value) && value >= least && value <= most) return;
  throw new RangeError(`${name} must be a whole number from ${least} to ${most}, not ${value}`);
}
