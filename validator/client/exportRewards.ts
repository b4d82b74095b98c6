/**
 * Everything that was paid, for whoever keeps a copy: the export's lines without a gap and none twice, however often the
 * stream breaks off. Closed epochs never change, so it goes on with the epoch that was broken and leaves out of it what it
 * has given already.
 *
 *     for await (const line of exportRewards(client, { fromEpoch: 0 })) keep(line);
 */
import type { Gets } from "./api.ts";
import { ApiError, type Client } from "./client.ts";
import { sleep } from "./sleep.ts";

export type ExportLine = Gets["/v1/export/rewards"]["lines"];

export type ExportRequest = {
  readonly fromEpoch: number;
  /** The last epoch; without it the newest that has closed when the copy gets there. */
  readonly toEpoch?: number;
  readonly signal?: AbortSignal;
  /** Tries in a row that bring nothing new; default 8, with the waits some two minutes. */
  readonly tries?: number;
  /** How it is waited for the next try; tests give their own. */
  readonly wait?: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
};

const TRIES = 8;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;
/** What passes by itself: too many requests, and a server, or one before it, that is being restarted. */
const PASSING = [429, 502, 503, 504];

/** What the API gives is not what it said before, or says of itself: another try would not help. */
export class ExportMismatch extends Error {
  override readonly name = "ExportMismatch";
}

/** A stream that ended in order, and before its epoch did. */
class CutOff extends Error {}

/**
 * Streams the export, and goes on where it broke.
 * @throws ApiError for a refusal that does not pass; ExportMismatch where an epoch has not as many lines as it says; the last
 *   failure after so many tries without anything new; the signal's reason where it was aborted.
 */
export async function* exportRewards(
  client: Pick<Client, "lines">,
  { fromEpoch, toEpoch, signal, tries = TRIES, wait = sleep }: ExportRequest,
): AsyncGenerator<ExportLine, void> {
  // The epoch that is being copied, and how many of its lines were given.
  let epoch = fromEpoch;
  let given = 0;
  for (let failures = 0; ; ) {
    const before = { epoch, given };
    const isNew = () => epoch !== before.epoch || given !== before.given;
    try {
      let skipped = 0;
      for await (const line of client.lines("/v1/export/rewards", {
        query: { fromEpoch: epoch, toEpoch },
        signal,
      })) {
        if (line.epoch !== epoch)
          throw new ExportMismatch(`Epoch ${line.epoch} came where ${epoch} was due.`);
        if (line.type === "epoch") {
          if (line.lines !== given || skipped < before.given)
            throw new ExportMismatch(`Epoch ${epoch} has ${line.lines} lines, of which ${given} came.`);
          epoch++;
          given = 0;
        } else if (epoch === before.epoch && skipped < before.given) {
          skipped++;
          continue;
        } else given++;
        yield line;
      }
      if (given > 0) throw new CutOff(`The export ended within epoch ${epoch}.`);
      // Where there was nothing more there is nothing more; otherwise an epoch may have closed meanwhile, or been cut off.
      if (!isNew() || epoch > (toEpoch ?? Number.POSITIVE_INFINITY)) return;
      failures = 0;
    } catch (error) {
      signal?.throwIfAborted();
      failures = isNew() ? 1 : failures + 1;
      if (!isPassing(error) || failures >= tries) throw error;
      await wait(Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS), signal);
    }
  }
}

/** A refusal for now, no connection (TypeError, as `fetch` has it), or a stream that broke off, be it within a line. */
const isPassing = (error: unknown): boolean =>
  error instanceof ApiError
    ? PASSING.includes(error.status)
    : error instanceof TypeError || error instanceof SyntaxError || error instanceof CutOff;
