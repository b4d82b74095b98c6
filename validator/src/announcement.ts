/** What hotspots and light clients follow: the newest executed round with its certificate, and the seed that comes. */
import assert from "node:assert/strict";
import type { Log, Network } from "../../node/src/host/types.ts";
import {
  encodeAnnouncement,
  encodeSignedAnnouncement,
  type FinalCert,
  type RoundAnnouncement,
} from "../../protocol/src/agreement/rounds.ts";
import type { Ledger } from "../../protocol/src/ledger/state.ts";
import type { Signer } from "./signer.ts";

export type Announcer = {
  /** The encoded announcement of the newest executed round; null before round 0. */
  readonly newest: () => Uint8Array | null;
  /** Signs an announcement of the ledger's newest round, and publishes it. @param final that round's certificate. */
  readonly announce: (final: FinalCert) => void;
};

/** @param modules.topic the gossip topic of rounds. */
export function createAnnouncer(modules: {
  readonly ledger: Ledger;
  readonly signer: Signer;
  readonly network: Pick<Network, "publish">;
  readonly topic: string;
  readonly log: Log;
}): Announcer {
  const { ledger, signer, network, topic, log } = modules;
  let newest: Uint8Array | null = null;
  return {
    newest: () => newest,
    announce: (final) => {
      newest = signAnnouncement(ledger, final, signer);
      // Gossip is for reach: who misses an announcement asks for it, or takes the next.
      network.publish(topic, newest).catch((error: unknown) => {
        log.debug("Could not publish a round", { error: String(error) });
      });
    },
  };
}

function signAnnouncement(ledger: Ledger, final: FinalCert, signer: Signer): Uint8Array {
  const epoch = ledger.nextEpoch;
  const seed = ledger.seedOf(epoch);
  assert(seed !== null && final.round === ledger.round);
  const announcement: RoundAnnouncement = { round: ledger.round, timeMs: ledger.timeMs, epoch, seed, final };
  const signature = signer.sign("round", encodeAnnouncement(announcement));
  return encodeSignedAnnouncement({ validator: signer.publicKey, announcement, signature });
}
