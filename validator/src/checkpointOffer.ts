/** What somebody who joins pins: the newest epoch whose state is kept here and attested to by a quorum. */
import type { OperatedNetwork } from "../../node/src/host/network.ts";
import { decodeBitmap } from "../../protocol/src/agreement/rounds.ts";
import type { CheckpointOffer } from "./admin/modules.ts";
import type { Attestor } from "./rounds/attestor.ts";
import type { Store } from "./store/store.ts";

export type CheckpointOfferModules = {
  /** Whose addresses are given: this validator's key. */
  readonly validator: Uint8Array;
  readonly store: Pick<Store, "latestEpoch" | "hasSnapshot" | "getValidator" | "findSet">;
  readonly attestor: Pick<Attestor, "rewardCert">;
  readonly network: Pick<OperatedNetwork, "multiaddrs">;
};

/**
 * Finds it; null where there is none. An epoch is attested to some rounds after its end, and not each has a snapshot, so
 * it looks back.
 */
export async function findCheckpoint(modules: CheckpointOfferModules): Promise<CheckpointOffer | null> {
  const { store, attestor } = modules;
  const latest = await store.latestEpoch();
  if (latest === null) return null;
  for (let { epoch } = latest; epoch >= 0; epoch--) {
    if (!(await store.hasSnapshot(epoch))) continue;
    const cert = attestor.rewardCert(epoch);
    const set = await store.findSet(epoch);
    if (cert === null || set === null) continue;
    const validators = set.keys.length;
    const signers = decodeBitmap(cert.bitmap, validators)?.length ?? 0;
    const { stateRoot } = cert.attest;
    return { epoch, stateRoot, signers, validators, multiaddrs: await listAddresses(modules) };
  }
  return null;
}

/** Where its stake says it is reached: the network itself knows only the machine's own addresses. */
async function listAddresses({
  validator,
  store,
  network,
}: CheckpointOfferModules): Promise<readonly string[]> {
  const multiaddrs = (await store.getValidator(validator))?.multiaddrs ?? [];
  return multiaddrs.length > 0 ? multiaddrs : network.multiaddrs();
}
