/** What the history of links takes, a judged report, and what it gives back: the record of one direction of a pair. */
import type { Moments } from "./moments.ts";

/** How a witness report ended: valid, or refused by a gate on its measurement, which still says how it was made. */
export type HistoryVerdict = "valid" | "refused";

/** One judged report: who heard whom, how it ended and what was measured. */
export type HistoryEntry = {
  readonly witness: number;
  readonly beaconer: number;
  readonly epoch: number;
  readonly verdict: HistoryVerdict;
  readonly distanceM: number;
  readonly moments: Moments;
  /** SNR over the demodulation limit. */
  readonly marginCentiDb: number;
};

/** Sums over what one end of a pair heard of the other: what the slope and the trend are computed from. */
export type LinkSums = Pick<
  Moments,
  "count" | "signal" | "power" | "powerSquare" | "powerSignal" | "signalSquare"
>;

/** What is remembered of one direction of a pair, over both windows. */
export type LinkRecord = LinkSums & {
  /** Of the time that the pair has been known without a gap longer than the history, either way. */
  readonly firstEpoch: number;
  /** Newest epoch with a valid report this way; -1: none. */
  readonly lastEpoch: number;
  /** Epochs with a valid report this way. */
  readonly epochs: number;
  /** By the newest valid report of either direction, as asserted places move; at most the farthest that is paid. */
  readonly distanceM: number;
  /** Sum of margins over the demodulation limit, each rounded down to whole dB from 0 to 31. */
  readonly marginsDb: number;
};
