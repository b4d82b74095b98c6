/**
 * Another validator's lane as this one holds it, and the promise of an acknowledgement (rule A3): everything between
 * the last cut and the batch is held here without a gap, passed the stateless checks, is durable, and no second digest
 * gets one as long as this home is not lost. A pure state machine: bodies, their hashes, the disk and the checks of messages are the shell's.
 */
import { equalBytes } from "../../bytes/bytes.ts";
import { signingMessage } from "../../crypto/domain.ts";
import { LANE_START } from "../cut.ts";
import { type DropEffect, type DropReason, drop } from "../drops.ts";
import { createEvidence } from "../evidence.ts";
import type { Ack } from "../peerMessages.ts";
import { type Evidence, encodeAckBody, encodeBatchBody } from "../rounds.ts";
import type { LaneConfig, Place } from "./config.ts";
import { MAX_BATCHES_IN_FLIGHT, MAX_UNCUT_BATCHES } from "./limits.ts";

/** A batch and the one that it names as the one before. */
export type Link = Place & { readonly prev: Uint8Array };
/** A batch as it came on its author's stream. `epoch`: whose set it asks to acknowledge. */
export type Offer = Link & { readonly epoch: number; readonly signature: Uint8Array };
/** A held batch, with its author's signature where it came from the author. */
export type Held = { readonly digest: Uint8Array; readonly signature: Uint8Array | null };

/** What a batch goes through, one batch of the lane at a time. */
export type Phase = "fetching" | "checking" | "recording" | "writing";
type Work = {
  readonly offer: Offer;
  /** From the oldest that is not held to the offer, without a gap. While `fetching`, the one before its first is missing. */
  readonly chain: readonly Link[];
  readonly phase: Phase;
};

export type PeerLaneState = {
  readonly config: LaneConfig;
  /** The author's key. */
  readonly lane: Uint8Array;
  /** Of the round that is decided next. */
  readonly epoch: number;
  /** The lane's entry in the last finalized cut, and the newest batch held with everything between. */
  readonly cut: Place;
  readonly head: Place;
  /** By number, from the cut on, without a gap. */
  readonly held: ReadonlyMap<number, Held>;
  /** Batches that wait for their turn, and the one that has it. */
  readonly queue: readonly Offer[];
  readonly work: Work | null;
  /** One piece of evidence against an author is enough. */
  readonly isConvicted: boolean;
};

export type PeerLaneEvent =
  | { readonly type: "batch"; readonly offer: Offer }
  /** The answer to `fetch`: what the body with this digest is, or null where nobody gave it. */
  | { readonly type: "fetched"; readonly digest: Uint8Array; readonly batch: FetchedBatch | null }
  /** The answer to `check`. */
  | { readonly type: "checked"; readonly digest: Uint8Array; readonly isValid: boolean }
  /** The answer to `write`. */
  | { readonly type: "written"; readonly digest: Uint8Array }
  /** The answer to `record`. */
  | {
      readonly type: "recorded";
      readonly digest: Uint8Array;
      readonly verdict: "recorded" | "repeated" | "conflict";
    }
  | { readonly type: "cut"; readonly place: Place }
  | { readonly type: "epoch"; readonly epoch: number };

/** What a fetched body says of itself. */
export type FetchedBatch = { readonly lane: Uint8Array; readonly seq: number; readonly prev: Uint8Array };

export type PeerLaneEffect =
  /** Ask for the body of this digest, the author first. */
  | { readonly type: "fetch"; readonly digest: Uint8Array }
  /** Check form, size, signatures and centres of the messages in it. */
  | { readonly type: "check"; readonly digest: Uint8Array }
  /** Make the body durable. */
  | { readonly type: "write"; readonly digest: Uint8Array }
  /** Name the digest under its number, durably, or find that another has the number. */
  | { readonly type: "record"; readonly place: Place }
  | { readonly type: "acknowledge"; readonly ack: Ack }
  /** The lane has no use for these bodies in memory any more. */
  | { readonly type: "release"; readonly digests: readonly Uint8Array[] }
  | { readonly type: "evidence"; readonly evidence: Evidence }
  /** The batch that came, or the one that had its turn. */
  | DropEffect;

export type PeerLaneStep = {
  readonly state: PeerLaneState;
  readonly effects: readonly PeerLaneEffect[];
};

type Draft = { -readonly [Key in keyof PeerLaneState]: PeerLaneState[Key] } & {
  readonly effects: PeerLaneEffect[];
};

/** A lane of which nothing beyond the last cut is held. @param cut null for one that no cut has yet. */
export function createPeerLane(
  config: LaneConfig,
  lane: Uint8Array,
  cut: Place | null,
  epoch: number,
): PeerLaneState {
  const start = cut ?? { seq: 0, digest: LANE_START };
  return {
    config,
    lane,
    epoch,
    cut: start,
    head: start,
    held: new Map(),
    queue: [],
    work: null,
    isConvicted: false,
  };
}

/** One step of the lane. */
export function stepPeerLane(state: PeerLaneState, event: PeerLaneEvent): PeerLaneStep {
  const draft: Draft = { ...state, effects: [] };
  switch (event.type) {
    case "batch":
      drop(draft, takeOffer(draft, event.offer));
      break;
    case "fetched":
      extendChain(draft, event.digest, event.batch);
      break;
    case "checked":
      if (isAt(draft, "checking", event.digest)) {
        if (event.isValid) nameBatch(draft);
        else abandon(draft, "malformed");
      }
      break;
    case "recorded":
      if (isAt(draft, "recording", event.digest)) {
        if (event.verdict === "conflict") abandon(draft, "conflict");
        else enterPhase(draft, "writing", { type: "write", digest: event.digest });
      }
      break;
    case "written":
      if (isAt(draft, "writing", event.digest)) holdBatch(draft);
      break;
    case "cut":
      onCut(draft, event.place);
      break;
    case "epoch":
      draft.epoch = event.epoch;
  }
  const { effects, ...next } = draft;
  return { state: next, effects };
}

/**
 * A5 window, then repetition, then the author's signature; only then a batch has a place in the queue. What has none is
 * dropped: the author sends it again.
 */
function takeOffer(draft: Draft, offer: Offer): DropReason | null {
  const { cut, head, held, queue, work } = draft;
  if (offer.seq <= cut.seq) return "past";
  if (offer.seq > cut.seq + MAX_UNCUT_BATCHES) return "far_ahead";
  const waiting = work === null ? queue : [work.offer, ...queue];
  if (waiting.some((each) => isSameOffer(each, offer))) return "repeated";
  const known = held.get(offer.seq) ?? waiting.find(({ seq }) => seq === offer.seq);
  if (known === undefined && waiting.length >= MAX_BATCHES_IN_FLIGHT) return "full";
  if (!isOfferSigned(draft, offer)) return "bad_signature";
  if (known !== undefined && !equalBytes(known.digest, offer.digest)) {
    convictAuthor(draft, { ...known, seq: offer.seq }, offer);
    return "conflict";
  }
  if (offer.seq <= head.seq) return acknowledgeIfHeld(draft, offer);
  if (waiting.length >= MAX_BATCHES_IN_FLIGHT) return "full";
  draft.queue = [...queue, offer];
  proceed(draft);
  return null;
}

const isSameOffer = (a: Offer, b: Offer): boolean =>
  a.seq === b.seq && a.epoch === b.epoch && equalBytes(a.digest, b.digest);

/** Evidence: an author that signed two digests under one number (A2). */
function convictAuthor(draft: Draft, first: Place & Held, second: Offer): void {
  const { lane } = draft;
  if (draft.isConvicted || first.signature === null) return;
  const signedBodyOf = ({ seq, digest }: Place, signature: Uint8Array) => ({
    kind: "batch" as const,
    body: encodeBatchBody({ lane, seq, digest }),
    signature,
  });
  const one = signedBodyOf(first, first.signature);
  const evidence = createEvidence(lane, one, signedBodyOf(second, second.signature));
  if (evidence === null) return;
  draft.isConvicted = true;
  draft.effects.push({ type: "evidence", evidence });
}

/** Gives the next waiting batch its turn. */
function proceed(draft: Draft): void {
  while (draft.work === null && draft.queue.length > 0) {
    const [offer, ...rest] = draft.queue as [Offer, ...Offer[]];
    draft.queue = rest;
    if (offer.seq <= draft.head.seq) drop(draft, acknowledgeIfHeld(draft, offer));
    else {
      draft.work = { offer, chain: [offer], phase: "fetching" };
      reachHead(draft);
    }
  }
}

/** A3 every batch after the last cut up to this one is held: what is missing between is fetched, newest first. */
function reachHead(draft: Draft): void {
  const { chain } = draft.work!;
  const oldest = chain[0]!;
  if (oldest.seq > draft.head.seq + 1) {
    enterPhase(draft, "fetching", { type: "fetch", digest: oldest.prev });
  } else checkNext(draft);
}

/** A4 a missing batch came, by its digest: it must be the one that the chain names. */
function extendChain(draft: Draft, digest: Uint8Array, batch: FetchedBatch | null): void {
  const { work } = draft;
  if (work?.phase !== "fetching" || !equalBytes(work.chain[0]!.prev, digest)) return;
  const oldest = work.chain[0]!;
  // A cut may have passed the gap while the body was on its way.
  if (oldest.seq <= draft.head.seq + 1) checkNext(draft);
  else if (batch === null || batch.seq !== oldest.seq - 1 || !equalBytes(batch.lane, draft.lane)) {
    abandon(draft, "incomplete");
  } else {
    const link = { seq: batch.seq, digest, prev: batch.prev };
    draft.work = { ...work, chain: [link, ...work.chain] };
    reachHead(draft);
  }
}

/** A3 chained by `prev` to what is held, and every message in it passes the stateless checks. */
function checkNext(draft: Draft): void {
  const { work, head } = draft;
  const chain = work!.chain.filter(({ seq }) => seq > head.seq);
  const [next] = chain;
  if (next === undefined) {
    finish(draft);
    return;
  }
  if (next.seq !== head.seq + 1 || !equalBytes(next.prev, head.digest)) {
    abandon(draft, "incomplete");
    return;
  }
  draft.work = { ...work!, chain };
  const passed = work!.chain.slice(0, -chain.length).map(({ digest }) => digest);
  if (passed.length > 0) draft.effects.push({ type: "release", digests: passed });
  enterPhase(draft, "checking", { type: "check", digest: next.digest });
}

/**
 * A3 no other digest was acknowledged for the number: the name is durable before anything is promised with it. It comes
 * before the body, so that an author cannot fill the disk with bodies that are refused.
 */
function nameBatch(draft: Draft): void {
  const { seq, digest } = draft.work!.chain[0]!;
  // A cut came in between, and the chain begins beyond this batch.
  if (seq <= draft.head.seq) checkNext(draft);
  else enterPhase(draft, "recording", { type: "record", place: { seq, digest } });
}

/** A3 the batch is fsynced. */
function holdBatch(draft: Draft): void {
  const { offer, chain } = draft.work!;
  const { seq, digest } = chain[0]!;
  if (seq === draft.head.seq + 1) {
    const signature = seq === offer.seq ? offer.signature : null;
    draft.held = new Map(draft.held).set(seq, { digest, signature });
    draft.head = { seq, digest };
    draft.effects.push({ type: "release", digests: [digest] });
  }
  checkNext(draft);
}

/** All that the offer rests on is held. */
function finish(draft: Draft): void {
  const { offer } = draft.work!;
  releaseWork(draft);
  drop(draft, acknowledgeIfHeld(draft, offer));
  proceed(draft);
}

/** The batch may not be held: its author, if it is an honest one, sends it again. */
function abandon(draft: Draft, reason: DropReason): void {
  drop(draft, reason);
  releaseWork(draft);
  proceed(draft);
}

function releaseWork(draft: Draft): void {
  draft.effects.push({ type: "release", digests: draft.work!.chain.map(({ digest }) => digest) });
  draft.work = null;
}

/** @returns why it is not acknowledged, or null. A batch that a cut took in meanwhile needs no acknowledgement. */
function acknowledgeIfHeld(draft: Draft, offer: Offer): DropReason | null {
  const held = draft.held.get(offer.seq);
  if (held === undefined) return "past";
  if (equalBytes(held.digest, offer.digest)) return acknowledge(draft, offer);
  convictAuthor(draft, { ...held, seq: offer.seq }, offer);
  return "conflict";
}

/** A3 signs for the epoch that the author asks for, where that is about the current one and gives this validator a seat. */
function acknowledge(draft: Draft, { seq, digest, epoch }: Offer): DropReason | null {
  const { config, lane } = draft;
  const validator = config.sets.setOf(epoch)?.positionOf(config.self);
  if (epoch < draft.epoch - 1) return "past";
  if (epoch > draft.epoch + 1) return "far_ahead";
  if (validator === undefined) return "unentitled";
  const ack = { lane, seq, digest, epoch };
  const signature = config.sign("ack", encodeAckBody(ack));
  draft.effects.push({ type: "acknowledge", ack: { ack, validator, signature } });
  return null;
}

/** A decided cut is where the lane's chain begins from now on, whether its batches are held or not. */
function onCut(draft: Draft, place: Place): void {
  if (place.seq <= draft.cut.seq) return;
  draft.cut = place;
  draft.held = new Map([...draft.held].filter(([seq]) => seq > place.seq));
  if (draft.head.seq <= place.seq) draft.head = place;
}

function enterPhase(draft: Draft, phase: Phase, effect: PeerLaneEffect): void {
  draft.work = { ...draft.work!, phase };
  draft.effects.push(effect);
}

const isAt = ({ work }: Draft, phase: Phase, digest: Uint8Array): boolean =>
  work?.phase === phase && equalBytes(work.chain[0]!.digest, digest);

function isOfferSigned({ config, lane }: Draft, { seq, digest, signature }: Offer): boolean {
  return config.verify(
    lane,
    signingMessage(config.domains, "batch", encodeBatchBody({ lane, seq, digest })),
    signature,
  );
}
