/** Everything that a store answers about a history, so that two stores can be compared. */
import type { ReportId } from "../../../protocol/src/ledger/types.ts";
import { computeWholeRange } from "../../../validator/src/store/cellRange.ts";
import type { Store } from "../../../validator/src/store/store.ts";
import { readAll } from "./compliance.ts";

/** What to ask about: every hotspot and account, these beacons, and these messages. */
export type Questions = {
  readonly hotspots: readonly Uint8Array[];
  readonly accounts: readonly Uint8Array[];
  readonly beacons: readonly ReportId[];
  readonly messages: readonly Uint8Array[];
};

export async function readAnswers(store: Store, questions: Questions) {
  const epochs = await readAll((before: number | null) => store.listEpochs(before, 2));
  const coverageEpoch = await store.latestCoverageEpoch();
  return {
    rounds: await store.listRounds(0, 1_000),
    epochs,
    lines: await Promise.all(epochs.map(({ epoch }) => store.listRewardLines(epoch, 0, 100))),
    hotspots: (await store.listHotspots({}, null, 1_000)).rows,
    accounts: await Promise.all(questions.accounts.map((key) => store.getAccount(key))),
    activity: await Promise.all(
      questions.hotspots.map((key) => readAll((before: number | null) => store.listActivity(key, before, 3))),
    ),
    rewards: await Promise.all(
      questions.hotspots.map((key) => store.listHotspotRewards(key, 0, epochs.length, { size: "epoch" })),
    ),
    earnings: await Promise.all(
      questions.accounts.map((key) => store.listAccountRewards(key, 0, epochs.length, { size: "epoch" })),
    ),
    beacons: await Promise.all(questions.beacons.map((id) => store.getBeacon(id))),
    statuses: await store.messageStatus(questions.messages),
    coverageEpoch,
    coverage:
      coverageEpoch === null
        ? null
        : await store.listCoverage(coverageEpoch, 8, computeWholeRange(8), null, 100),
  };
}
