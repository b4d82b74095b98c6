/** Numbers, amounts, times and keys as people read them, in the reader's own locale and time zone. */

/** A token is 10^8 base units; the protocol's own constant comes with all of SSZ, and a test compares the two. */
const TOKEN_DECIMALS = 8;
export const PPM = 1_000_000;
const counts = new Intl.NumberFormat();
const percents = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 });
const exactPercents = new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 4 });
const unitNumbers = new Intl.NumberFormat(undefined, { minimumFractionDigits: 6, maximumFractionDigits: 6 });
const amounts = new Intl.NumberFormat(undefined, { minimumFractionDigits: 2, maximumFractionDigits: 8 });
const briefAmounts = new Intl.NumberFormat(undefined, {
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
  roundingMode: "floor",
});
const roughAmounts = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 3 });
const times = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

export const formatCount = (count: number | bigint): string => counts.format(count);

/** Parts per million as a percentage. */
export const formatPpm = (ppm: number): string => percents.format(ppm / PPM);

/** The same with every digit that there is, where it is a factor of something. */
export const formatExactPpm = (ppm: number): string => exactPercents.format(ppm / PPM);

/** A factor of a reward, or units: to the millionth, since they are there to be multiplied. */
export const formatUnits = (ppm: number): string => unitNumbers.format(ppm / PPM);

/** A channel, to its last digit: 865.0625 MHz is one of IN865's. */
export const formatMegahertz = (frequencyHz: number): string => `${frequencyHz / 1e6} MHz`;

/** An amount of base units, in decimal, as tokens: exact, since the text itself is formatted and never a double. */
export const formatAmount = (baseUnits: string): string => amounts.format(placePoint(baseUnits));

/** The same with two decimals, rounded down, where many stand in a narrow column. */
export const formatBriefAmount = (baseUnits: string): string => briefAmounts.format(placePoint(baseUnits));

/** The same to three digits, for the words of a scale. */
export const formatRoughAmount = (baseUnits: string): string => roughAmounts.format(placePoint(baseUnits));

function placePoint(baseUnits: string): `${number}` {
  const digits = baseUnits.padStart(TOKEN_DECIMALS + 1, "0");
  return `${digits.slice(0, -TOKEN_DECIMALS)}.${digits.slice(-TOKEN_DECIMALS)}` as `${number}`;
}

/** A time in the reader's own clocks. What a stranger signed may lie beyond the last date that there is. */
export const formatTime = (timeMs: number): string =>
  formatIsoTime(timeMs) === null ? "beyond any calendar" : times.format(timeMs);

/** The same for machines, in UTC; null where no date is (ECMA-262, 21.4.1.1: from 8.64e15 ms on). */
export function formatIsoTime(timeMs: number): string | null {
  const date = new Date(timeMs);
  return Number.isNaN(date.valueOf()) ? null : date.toISOString();
}

/** The part of a did:key that tells one from another: its last eight characters. */
export const shortenKey = (did: string): string => `…${did.slice(-8)}`;

/** The part of a hash that a person compares: its first ten digits. */
export const shortenHash = (hash: string): string => (hash.length > 14 ? `${hash.slice(0, 12)}…` : hash);
