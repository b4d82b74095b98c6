/**
 * What a validator answers a hotspot that knows the validator sets up to some epoch: the certificates that lead on from
 * there, and where validators of the newest set listen. Each asker is told of others, so that not all dial the same.
 */
import type { SetStep } from "../../../protocol/src/agreement/rewardEvidence.ts";
import {
  encodeSetsAnswer,
  MAX_ANSWERED_ADDRESSES,
  MAX_ANSWERED_STEPS,
  type ValidatorAddress,
} from "../../../protocol/src/agreement/setAnswers.ts";
import type { Ledger } from "../../../protocol/src/ledger/state.ts";
import { areStakeMultiaddrs } from "../../../protocol/src/wire/consents.ts";
import type { Attestor } from "../rounds/attestor.ts";
import { SET_LEAD_EPOCHS, type ValidatorQueries } from "../store/validatorRows.ts";

export type SetHistoryModules = {
  readonly store: Pick<ValidatorQueries, "findSet" | "listSetChanges">;
  readonly ledger: Pick<Ledger, "lastClosedEpoch" | "viewValidator">;
  readonly attestor: Pick<Attestor, "rewardCert">;
};

/**
 * The encoded answer to one whose newest known sets are those of `pinned` and the epoch after it. Null where this
 * validator lacks a certificate on the way, having joined later, or has not executed as far itself: others have it.
 * @param turn which of the validators' addresses come first; any whole number.
 */
export async function answerSets(
  pinned: number,
  turn: number,
  modules: SetHistoryModules,
): Promise<Uint8Array | null> {
  const { store, attestor } = modules;
  if ((await store.findSet(pinned + 1)) === null) return null;
  const epochs = await listEpochs(pinned, modules);
  const steps: SetStep[] = [];
  for (const epoch of epochs) {
    const certificate = attestor.rewardCert(epoch);
    const set = await store.findSet(epoch + SET_LEAD_EPOCHS);
    if (certificate === null || set === null) return null;
    steps.push({ certificate, validators: set.keys });
  }
  const members = steps.at(-1)?.validators ?? (await store.findSet(pinned + 1))!.keys;
  return encodeSetsAnswer({ steps, addresses: listAddresses(members, turn, modules) });
}

/**
 * The epochs whose certificates lead on: those that attest another set than the one before, and the last two, so that
 * whoever has checked them knows two sets that follow each other, each one attested.
 */
async function listEpochs(pinned: number, modules: SetHistoryModules): Promise<number[]> {
  const { store, ledger, attestor } = modules;
  const closed = ledger.lastClosedEpoch;
  const newest = attestor.rewardCert(closed) === null ? closed - 1 : closed;
  const room = MAX_ANSWERED_STEPS - 1;
  const changes = await store.listSetChanges(pinned + 1, newest + SET_LEAD_EPOCHS, room);
  const changing = changes.map(({ fromEpoch }) => fromEpoch - SET_LEAD_EPOCHS);
  // Where there are more changes than fit, the next question goes on behind the last of these.
  const last = changing.length < room ? newest : Math.min(newest, changing.at(-1)! + 1);
  const epochs = new Set([...changing, last - 1, last].filter((epoch) => epoch >= pinned));
  return [...epochs].sort((a, b) => a - b);
}

function listAddresses(
  members: readonly Uint8Array[],
  turn: number,
  { ledger }: SetHistoryModules,
): ValidatorAddress[] {
  const first = turn % members.length;
  return (
    [...members.slice(first), ...members.slice(0, first)]
      .flatMap((validator) =>
        (ledger.viewValidator(validator)?.multiaddrs ?? []).map((multiaddr) => ({ validator, multiaddr })),
      )
      // Genesis has room for longer ones.
      .filter(({ multiaddr }) => areStakeMultiaddrs([multiaddr]))
      .slice(0, MAX_ANSWERED_ADDRESSES)
  );
}
