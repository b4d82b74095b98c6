/**
 * Answers of more rows than are put together at once: streams that go as fast as their client reads and no faster. What
 * is made ahead is one page, a client that stops reading is let go, and few are served at once, of an address one.
 */
import { Readable } from "node:stream";
import { AddressCounts, networkOfIp } from "../../../node/src/host/connectionLimits.ts";
import type { Clock } from "../../../node/src/host/types.ts";
import { ApiProblem } from "./problem.ts";

/** Each may keep the store busy: half of one processor's time is the most that all of them take from the rounds. */
const MAX_LONG_ANSWERS = 4;
/** A client that has taken nothing for so long has gone away, whatever its connection says. */
const STALL_MS = 30_000;
/** When to ask again while others are served: an export of a month takes seconds. */
const RETRY_AFTER_S = 5;

export class LongAnswers {
  readonly #clock: Pick<Clock, "after">;
  readonly #places = new AddressCounts(1);
  #open = 0;

  constructor(clock: Pick<Clock, "after">) {
    this.#clock = clock;
  }

  /**
   * Opens one. It closes itself when nobody has taken anything from it for `STALL_MS`.
   * @param parts of its text, such as the lines of a page.
   * @param ip who reads it: one that reads slowly on purpose keeps one place and not all of them.
   * @throws ApiProblem 503 where as many are served already, or one to this address.
   */
  open(parts: AsyncGenerator<string>, ip: string): Readable {
    const leave = this.#open < MAX_LONG_ANSWERS ? this.#places.take(networkOfIp(ip)) : null;
    if (leave === null) {
      const detail = `${MAX_LONG_ANSWERS} exports and tables are being read, or one by your address; ask again when one has ended.`;
      throw new ApiProblem(503, detail, { retryAfterS: RETRY_AFTER_S });
    }
    // One part is made ahead.
    const stream: Readable = Readable.from(
      this.#watch(parts, () => stream.destroy()),
      { highWaterMark: 1 },
    );
    this.#open++;
    stream.once("close", () => {
      this.#open--;
      leave();
    });
    return stream;
  }

  async *#watch(parts: AsyncGenerator<string>, letGo: () => void): AsyncGenerator<string> {
    let cancelStall = () => {};
    try {
      for await (const part of parts) {
        cancelStall = this.#clock.after(STALL_MS, letGo);
        yield part;
        cancelStall();
      }
    } finally {
      cancelStall();
    }
  }
}
