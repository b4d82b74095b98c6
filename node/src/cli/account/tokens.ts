/** Tokens as people write them, and the base units that the ledger counts in. No floating point lies between. */
import { BASE_UNITS_PER_TOKEN } from "../../../../protocol/src/network/parameters.ts";

const DECIMALS = BASE_UNITS_PER_TOKEN.toString().length - 1;
/** Amounts travel in 64 bits. */
const MOST_BASE_UNITS = (1n << 64n) - 1n;

/** Base units as tokens without trailing zeros: 150000000n is "1.5". */
export function formatTokens(baseUnits: bigint): string {
  const whole = baseUnits / BASE_UNITS_PER_TOKEN;
  const fraction = (baseUnits % BASE_UNITS_PER_TOKEN).toString().padStart(DECIMALS, "0").replace(/0+$/, "");
  return fraction === "" ? `${whole}` : `${whole}.${fraction}`;
}

/**
 * Base units of an amount in tokens, such as "12" or "0.5"; null where it is none, is finer than a base unit, is zero
 * or does not fit 64 bits.
 */
export function parseTokens(text: string): bigint | null {
  const match = /^(\d{1,12})(?:\.(\d{1,8}))?$/.exec(text);
  if (match === null) return null;
  const fraction = BigInt((match[2] ?? "").padEnd(DECIMALS, "0"));
  const baseUnits = BigInt(match[1]!) * BASE_UNITS_PER_TOKEN + fraction;
  return baseUnits > 0n && baseUnits <= MOST_BASE_UNITS ? baseUnits : null;
}
