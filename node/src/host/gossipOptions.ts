/**
 * How gossipsub is set up. Each option that is not the library's own stands here because of a measured failure or an
 * advisory, with its reason.
 */
import { hash } from "node:crypto";
import { type gossipsub, StrictNoSign } from "@chainsafe/libp2p-gossipsub";
import {
  createPeerScoreParams,
  createTopicScoreParams,
  type PeerScoreParams,
} from "@chainsafe/libp2p-gossipsub/score";
import { MAX_ENVELOPE_BYTES, MAX_PARCEL_BYTES } from "../../../protocol/src/wire/envelope.ts";
import { COLOCATED_PEERS } from "./connectionLimits.ts";

type GossipOptions = NonNullable<Parameters<typeof gossipsub>[0]>;

/** A whole frame of gossip: a parcel and the control messages that ride with it. */
export const MAX_GOSSIP_FRAME_BYTES = 131_072;
/**
 * What waits for a peer that does not read: some ten seconds of parcels on a busy mesh. Beyond it the stream is reset;
 * without the limit one stalled peer pins all that is published.
 */
export const MAX_STREAM_BUFFER_BYTES = 4 * 1_048_576;
/** Report buckets, transactions and rounds are 66; a peer may subscribe and unsubscribe to each in one frame. */
const MAX_SUBSCRIPTIONS = 160;
/** 5,000 ids an IHAVE, as gossipsub sends them, fit the frame only when they are short; 160 bits do not collide. */
const MESSAGE_ID_BYTES = 20;

/** @param topics every topic that this node subscribes or publishes to; nothing is heard of any other. */
export function createGossipOptions(topics: readonly string[]): GossipOptions {
  return {
    // The envelope's signature is the only one, and is checked once.
    globalSignaturePolicy: StrictNoSign,
    // CVE-2026-46679: subscriptions to made-up topics grew the topic table without bound.
    allowedTopics: new Set(topics),
    // Over the full bytes, signature included, so that nobody can spoil a message's id with a bad copy. Synchronous:
    // an asynchronous id lets duplicates pass while the first is being hashed.
    msgIdFn: (message) => hash("sha256", message.data, "buffer").subarray(0, MESSAGE_ID_BYTES),
    emitSelf: false,
    fallbackToFloodsub: false,
    // To every subscriber above the score threshold: a hotspot knows three or four validators, and a round's
    // announcement should not wait for a heartbeat to reach those outside the mesh.
    floodPublish: true,
    allowPublishToZeroTopicPeers: true,
    ignoreDuplicatePublishError: true,
    doPX: false,
    maxInboundDataLength: MAX_GOSSIP_FRAME_BYTES,
    maxOutboundBufferSize: MAX_STREAM_BUFFER_BYTES,
    // Above a report's size: announcing that one does not want a small message costs more than the message.
    idontwantMinDataSize: 4 * MAX_ENVELOPE_BYTES,
    decodeRpcLimits: {
      maxSubscriptions: MAX_SUBSCRIPTIONS,
      // The smallest parcel is some 150 bytes, and a frame holds this many of them.
      maxMessages: 1_024,
      maxIhaveMessageIDs: 5_000,
      maxIwantMessageIDs: 5_000,
      maxIdontwantMessageIDs: 512,
      maxControlMessages: MAX_SUBSCRIPTIONS,
      maxPeerInfos: 16,
    },
    scoreParams: createScoreParams(topics),
    // Only what a peer does wrong lowers its score, by ten times the square of its misdeeds: 4 invalid messages mute
    // its gossip, 7 bar it from what is published, 10 make it unheard. Counters decay within minutes.
    scoreThresholds: {
      gossipThreshold: -150,
      publishThreshold: -480,
      graylistThreshold: -990,
      acceptPXThreshold: Number.MAX_SAFE_INTEGER,
      opportunisticGraftThreshold: 1,
    },
  };
}

/** The largest message that may be published. */
export const MAX_GOSSIP_MESSAGE_BYTES = MAX_PARCEL_BYTES;

function createScoreParams(topics: readonly string[]): PeerScoreParams {
  const topicScore = createTopicScoreParams({
    topicWeight: 1,
    timeInMeshWeight: 0.01,
    timeInMeshQuantum: 1_000,
    timeInMeshCap: 300,
    firstMessageDeliveriesWeight: 0.1,
    firstMessageDeliveriesDecay: 0.9,
    firstMessageDeliveriesCap: 50,
    // P3 is off: rates differ from bucket to bucket and hour to hour, and an idle topic would condemn its members.
    meshMessageDeliveriesWeight: 0,
    meshFailurePenaltyWeight: 0,
    invalidMessageDeliveriesWeight: -10,
    invalidMessageDeliveriesDecay: 0.99,
  });
  return createPeerScoreParams({
    topics: Object.fromEntries(topics.map((topic) => [topic, topicScore])),
    topicScoreCap: 20,
    appSpecificScore: () => 0,
    IPColocationFactorWeight: -1,
    IPColocationFactorThreshold: COLOCATED_PEERS,
    IPColocationFactorWhitelist: new Set(["127.0.0.1", "::1"]),
    behaviourPenaltyWeight: -10,
    behaviourPenaltyThreshold: 6,
    behaviourPenaltyDecay: 0.9,
    retainScore: 600_000,
  });
}
