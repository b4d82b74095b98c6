/** What another validator misses, where this one has it. */
import type { Fetch } from "../../protocol/src/agreement/fetches.ts";
import { encodeAvailabilityCert } from "../../protocol/src/agreement/rounds.ts";
import { encodeStanding } from "../../protocol/src/agreement/standing.ts";
import { decodeHex, encodeHex } from "../../protocol/src/bytes/hex.ts";
import type { SnapshotServer } from "./execution/snapshotServer.ts";
import type { AvailabilityBook } from "./lanes/availability.ts";
import type { PeerLanes } from "./lanes/peerLanes.ts";
import type { PeerName } from "./mesh/mesh.ts";
import { answerRounds } from "./rounds/catchUp.ts";
import type { MeshAgreement } from "./rounds/meshAgreement.ts";
import type { Storage } from "./storage.ts";

export type Answerers = Storage & {
  readonly agreement: MeshAgreement;
  readonly availability: AvailabilityBook;
  readonly peerLanes: PeerLanes;
  readonly snapshots: SnapshotServer;
  /** Of the round that is decided next. */
  readonly epoch: () => number;
};

/** @returns the answer's bytes; null where this validator has none. */
export async function answerFetch(
  fetch: Fetch,
  from: PeerName,
  { batches, store, votes, agreement, availability, peerLanes, snapshots, epoch }: Answerers,
): Promise<Uint8Array | null> {
  switch (fetch.type) {
    case "batch":
      return await batches.getBatch(fetch.digest);
    case "value":
      return agreement.valueOf(encodeHex(fetch.digest));
    case "rounds":
      return await answerRounds(fetch.from, { store, votes });
    case "standing": {
      const key = decodeHex(from, 32);
      const tips = key && agreement.tipsOf(key);
      const batch = peerLanes.newestOf(from);
      return encodeStanding({
        rounds: agreement.newestRound() + 1,
        tips: tips === null ? [] : [tips],
        batch: batch === null ? [] : [batch],
      });
    }
    case "rewardCert":
      return votes.rewardCert(fetch.epoch);
    case "availability": {
      const cert = availability.certificateOf(fetch.tip, epoch());
      return cert && encodeAvailabilityCert(cert);
    }
    case "manifest":
      return await snapshots.manifest(fetch.epoch);
    case "piece":
      return await snapshots.piece(fetch.epoch, fetch.piece);
  }
}
