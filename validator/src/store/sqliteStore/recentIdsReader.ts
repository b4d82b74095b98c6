/** Fills the memory of recent envelopes from the file: all of it when a store is opened, what is new where it is followed. */
import type { DatabaseSync } from "node:sqlite";
import { REMEMBERED_EPOCHS, type RecentIds } from "./recentIds.ts";

/**
 * @returns what reads the ids that are not in `recent` yet, of the epochs in which verdicts may still change: a scan of
 *   the warm end of the file, as long as what was committed since the call before.
 */
export function createRecentIdsReader(db: DatabaseSync, recent: RecentIds): () => void {
  const newest = db.prepare("SELECT epoch FROM rounds ORDER BY round DESC LIMIT 1");
  const firstRound = db.prepare("SELECT last_round + 1 AS round FROM epochs WHERE epoch = ?");
  const firstSeq = db.prepare("SELECT first_envelope AS seq FROM rounds WHERE round = ?");
  const lowest = db.prepare("SELECT min(round) AS round FROM rounds");
  const rows = db.prepare("SELECT seq, id FROM envelopes WHERE seq >= ? AND seq < ?");
  rows.setReturnArrays(true);
  let nextSeq = 0;

  const startOf = (epoch: number, newestEpoch: number): number => {
    if (epoch > newestEpoch) return Number.MAX_SAFE_INTEGER;
    const round = firstRound.get(epoch - 1)?.round ?? lowest.get()!.round;
    return (firstSeq.get(round as number)?.seq as number | undefined) ?? Number.MAX_SAFE_INTEGER;
  };
  const readNew = (): void => {
    const newestEpoch = newest.get()?.epoch as number | undefined;
    if (newestEpoch === undefined) return;
    for (let epoch = Math.max(0, newestEpoch - REMEMBERED_EPOCHS + 1); epoch <= newestEpoch; epoch++) {
      const from = Math.max(nextSeq, startOf(epoch, newestEpoch));
      for (const row of rows.iterate(from, startOf(epoch + 1, newestEpoch)) as Iterable<unknown>) {
        const [seq, id] = row as [number, Uint8Array];
        recent.add(epoch, id, seq);
        nextSeq = seq + 1;
      }
    }
  };
  return () => {
    // One state of the file, whoever writes meanwhile: else the next epoch's envelopes would count as this one's.
    db.exec("BEGIN");
    try {
      readNew();
    } finally {
      db.exec("COMMIT");
    }
  };
}
