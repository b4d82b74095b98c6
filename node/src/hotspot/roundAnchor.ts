/**
 * Remembers the newest round over a restart, in one small file. A hotspot that comes up while the network is out of
 * reach can then still say which epoch its reports belong to. A hint only: what is damaged is as good as absent.
 */
import { join } from "node:path";
import { readFileIfAny, replaceFile } from "../host/durableFile.ts";
import type { Clock, Log } from "../host/types.ts";
import type { RoundAnchor, RoundFollower } from "./roundFollower.ts";

/** Its name in the home. */
export const ROUND_ANCHOR_FILE = "round.json";
/** The estimate goes by the planned pace, and so do rounds, nearly: an hour's is off by seconds. */
const KEEP_INTERVAL_MS = 3_600_000;

/** What was kept; null where nothing usable is. @throws CodedError where the file cannot be read. */
export async function loadRoundAnchor(home: string): Promise<RoundAnchor | null> {
  const bytes = await readFileIfAny(join(home, ROUND_ANCHOR_FILE));
  if (bytes === null) return null;
  try {
    const { round, heardAtMs } = JSON.parse(Buffer.from(bytes).toString("utf8")) as Partial<RoundAnchor>;
    const isWhole = Number.isSafeInteger(round) && Number.isSafeInteger(heardAtMs);
    return isWhole && round! >= 0 ? { round: round!, heardAtMs: heardAtMs! } : null;
  } catch {
    return null;
  }
}

export type RoundAnchorKeeperModules = {
  readonly follower: Pick<RoundFollower, "newest" | "ageMs" | "onRound">;
  readonly clock: Pick<Clock, "nowMs" | "elapsedMs">;
  readonly log: Log;
};

/** Keeps the newest round on the disk: the first that is heard, then one an hour, and the last. */
export class RoundAnchorKeeper {
  readonly #home: string;
  readonly #modules: RoundAnchorKeeperModules;
  #keptAtMs = Number.NEGATIVE_INFINITY;
  #keeping: Promise<void> = Promise.resolve();

  constructor(home: string, modules: RoundAnchorKeeperModules) {
    this.#home = home;
    this.#modules = modules;
  }

  start(): void {
    const { follower, clock } = this.#modules;
    follower.onRound(() => {
      if (clock.elapsedMs() - this.#keptAtMs >= KEEP_INTERVAL_MS) this.#keep();
    });
  }

  async stop(): Promise<void> {
    this.#keep();
    await this.#keeping;
  }

  #keep(): void {
    const { follower, clock, log } = this.#modules;
    const newest = follower.newest();
    if (newest === null) return;
    this.#keptAtMs = clock.elapsedMs();
    // By the clock as it is now: it may have been set since.
    const anchor: RoundAnchor = { round: newest.round, heardAtMs: clock.nowMs() - follower.ageMs() };
    this.#keeping = this.#keeping
      .then(() => replaceFile(join(this.#home, ROUND_ANCHOR_FILE), `${JSON.stringify(anchor)}\n`))
      .catch((error: unknown) => log.warn("Could not keep the newest round", { error: String(error) }));
  }
}
