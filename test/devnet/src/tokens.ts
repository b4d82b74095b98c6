/** Base units as tokens, for people: exact, without trailing zeros beyond two decimals. */
import { BASE_UNITS_PER_TOKEN } from "../../../protocol/src/network/parameters.ts";

const DECIMALS = BASE_UNITS_PER_TOKEN.toString().length - 1;

/** For example 123450000000n is "1234.50". */
export function formatTokens(baseUnits: bigint): string {
  const whole = baseUnits / BASE_UNITS_PER_TOKEN;
  const fraction = (baseUnits % BASE_UNITS_PER_TOKEN).toString().padStart(DECIMALS, "0");
  return `${whole}.${fraction.replace(/0+$/, "").padEnd(2, "0")}`;
}
