/** The factors of a reward as numbers to multiply: each to its last digit. */
import type { Explanation } from "../../../../client/api.ts";
import { formatUnits, PPM } from "../../ui/format.ts";

type Between = NonNullable<Explanation["crowd"]>;

/** The rule's own constants come with all of the protocol's scoring, and a test compares them. */
export const CROWD_HALF = 4;
const LINKS_FULL = 3;

/** What lies between two numbers, which both give what is stored. */
export const formatBetween = ({ leastPpm, mostPpm }: Between): string =>
  leastPpm === mostPpm ? formatUnits(leastPpm) : `${formatUnits(leastPpm)} … ${formatUnits(mostPpm)}`;

/** Three links' worth where that gives the units, else what the witness had on record, as far as its units tell. */
export const formatDivisor = (divisor: Between): string =>
  divisor.leastPpm === LINKS_FULL * PPM ? formatUnits(divisor.leastPpm) : formatBetween(divisor);
