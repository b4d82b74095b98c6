/**
 * What a validator serves its hotspots over libp2p: submissions answered with signed receipts, the state of message
 * ids, the newest announcement, the validator sets that came after one; and the gossip topics it hears.
 */

import type { Clock, GossipVerdict, Log, Network, PeerRef } from "../../../node/src/host/types.ts";
import { decodeSetsQuestion, SETS_QUESTION_BYTES } from "../../../protocol/src/agreement/setAnswers.ts";
import type { SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { MAX_PARCEL_BYTES } from "../../../protocol/src/wire/envelope.ts";
import {
  decodeStatusQuery,
  encodeReceipt,
  encodeSignedReceipt,
  encodeStatusAnswer,
  type MessageStatus,
  RECEIPT_PROTOCOL,
  STATUS_QUERY_MAX_BYTES,
  SUBMIT_PROTOCOL,
  SYNC_PROTOCOL,
} from "../../../protocol/src/wire/receipts.ts";
import { reportTopics, transactionsTopic } from "../../../protocol/src/wire/topics.ts";
import type { Signer } from "../signer.ts";
import { TokenBuckets } from "./buckets.ts";
import type { Intake } from "./intake.ts";

/** Requests under way at once, of all peers: as many as a validator has hotspots connected, each with one open. */
const MAX_CONCURRENT_REQUESTS = 1_024;
/**
 * Questions for validator sets that one connection may ask at once, and a second. A hotspot asks once or twice an epoch,
 * and so often at once only when it has slept through a hundred changes; each answer is some reads of the store.
 */
const SETS_QUESTIONS_AT_ONCE = 16;
const SETS_QUESTIONS_PER_SECOND = 1;

export type StreamsOptions = {
  readonly networkId: Uint8Array;
  readonly domains: SigningDomains;
  /** Rounds after the newest within which an admitted message must be in a cut: the witness window. */
  readonly deadlineRounds: number;
};
export type StreamsModules = {
  readonly network: Network;
  readonly intake: Pick<Intake, "submit" | "gossip" | "isPending">;
  readonly signer: Signer;
  readonly clock: Pick<Clock, "elapsedMs">;
  readonly log: Log;
  /** The newest decided round, as far as is known; 0 before the first. */
  readonly newestRound: () => number;
  /** The encoded newest announcement; null before the first. */
  readonly newestAnnouncement: () => Uint8Array | null;
  /** The encoded certificates that lead on from an epoch's sets; null where they are not here. See `answerSets`. */
  readonly setsSince: (epoch: number, turn: number) => Promise<Uint8Array | null>;
  readonly messageStatus: (ids: readonly Uint8Array[]) => Promise<readonly MessageStatus[]>;
};

/** Topics a validator subscribes to. */
export function intakeTopics(networkId: Uint8Array): string[] {
  return [...reportTopics(networkId), transactionsTopic(networkId)];
}

/** Serves the streams and hears the topics until the network stops. */
export async function openStreams(options: StreamsOptions, modules: StreamsModules): Promise<void> {
  const { network, intake, log } = modules;
  const hear = (topic: string, kind: "reports" | "transactions") =>
    network.onGossip(topic, async (from, data): Promise<GossipVerdict> => {
      try {
        return await intake.gossip(from.peerId, kind, data);
      } catch (error) {
        // The verifier or the lane is gone, which says nothing about the message.
        log.debug("Ignored a gossiped parcel", { error: String(error) });
        return "ignore";
      }
    });
  for (const topic of reportTopics(options.networkId)) hear(topic, "reports");
  hear(transactionsTopic(options.networkId), "transactions");

  const limitsOf = (maxRequestBytes: number) => ({ maxRequestBytes, maxConcurrent: MAX_CONCURRENT_REQUESTS });
  await network.serve(SUBMIT_PROTOCOL, limitsOf(MAX_PARCEL_BYTES), (from, request) =>
    answerSubmission(from.peerId, request, options, modules),
  );
  await network.serve(RECEIPT_PROTOCOL, limitsOf(STATUS_QUERY_MAX_BYTES), (_, request) =>
    answerStatus(request, modules),
  );
  const allowances = new TokenBuckets({
    capacity: SETS_QUESTIONS_AT_ONCE,
    refillPerMs: SETS_QUESTIONS_PER_SECOND / 1_000,
    maxBuckets: MAX_CONCURRENT_REQUESTS,
  });
  // An empty question asks for the newest announcement, an epoch for the sets that came after it.
  await network.serve(SYNC_PROTOCOL, limitsOf(SETS_QUESTION_BYTES), async (from, request) =>
    request.length === 0
      ? modules.newestAnnouncement()
      : await answerSetsQuestion(from, request, allowances, modules),
  );
}

/** Certificates prove themselves, so whoever asks is answered, within its allowance. */
async function answerSetsQuestion(
  { peerId, publicKey }: PeerRef,
  request: Uint8Array,
  allowances: TokenBuckets,
  { clock, setsSince }: StreamsModules,
): Promise<Uint8Array | null> {
  const epoch = decodeSetsQuestion(request);
  if (epoch === null || !allowances.take(peerId, 1, clock.elapsedMs())) return null;
  // Any byte of a key is as good as a draw, and each hotspot is told of the same validators every time.
  return await setsSince(epoch, publicKey?.[0] ?? 0);
}

/** A receipt says what is on disk; without that there is no answer at all, and the hotspot keeps the messages. */
async function answerSubmission(
  connection: string,
  parcel: Uint8Array,
  options: StreamsOptions,
  modules: StreamsModules,
): Promise<Uint8Array | null> {
  const { signer, log } = modules;
  try {
    const items = await modules.intake.submit(connection, parcel);
    const round = modules.newestRound();
    const body = encodeReceipt({ round, deadlineRound: round + options.deadlineRounds, items });
    return encodeSignedReceipt({ signer: signer.publicKey, body, signature: signer.sign("receipt", body) });
  } catch (error) {
    log.debug("Answered no receipt", { error: String(error) });
    return null;
  }
}

async function answerStatus(request: Uint8Array, modules: StreamsModules): Promise<Uint8Array | null> {
  const ids = decodeStatusQuery(request);
  if (ids === null) return null;
  // Asked for before the store: an id that is executed in between is then found there, and never unknown in both.
  const wasPending = ids.map((id) => modules.intake.isPending(id));
  const stored = await modules.messageStatus(ids);
  const statuses = stored.map((status, index): MessageStatus => {
    if (status.state !== "unknown" || !wasPending[index]) return status;
    return { ...status, state: "pending" };
  });
  return encodeStatusAnswer(statuses);
}
