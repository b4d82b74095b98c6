/**
 * The quorum behind own batches: acknowledgements are gathered until they make an availability certificate, and what is
 * lost on the way is sent again to those whose acknowledgement is missing. Nobody in particular is waited for.
 */
import { equalBytes } from "../../bytes/bytes.ts";
import { encodeHex } from "../../bytes/hex.ts";
import { signingMessage } from "../../crypto/domain.ts";
import { assembleSignatures, type ValidatorSet } from "../certificates.ts";
import { DROPPED, type DropEffect, type DropReason } from "../drops.ts";
import { createEvidence } from "../evidence.ts";
import type { Ack } from "../peerMessages.ts";
import { type AvailabilityCert, type Evidence, encodeAckBody, encodeBatchBody } from "../rounds.ts";
import type { LaneConfig, Place } from "./config.ts";
import { RESENT_AT_ONCE } from "./limits.ts";

/** One batch that waits for its quorum. All of a certificate's acknowledgements name one epoch, and count in its set. */
export type Pending = Place & {
  readonly epoch: number;
  readonly acks: ReadonlyMap<number, Uint8Array>;
  /** What was acknowledged of this number otherwise: at most one a validator, by its key, for the evidence. */
  readonly others: ReadonlyMap<string, Ack>;
};

export type GatherState = {
  readonly config: LaneConfig;
  /** By number: as many as the author lets be in flight. */
  readonly pending: ReadonlyMap<number, Pending>;
  /** The newest batch that has a certificate and is in no cut, and the certificate's epoch. */
  readonly certified: (Place & { readonly epoch: number }) | null;
};

export type GatherEvent =
  /** A batch is durable under its number. `epoch`: of the round that is decided next. */
  | { readonly type: "offer"; readonly place: Place; readonly epoch: number }
  | { readonly type: "ack"; readonly ack: Ack }
  /** Time to send again what waits. */
  | { readonly type: "resend"; readonly epoch: number }
  /** A decided cut holds the own lane up to here. */
  | { readonly type: "cut"; readonly seq: number };

export type GatherEffect =
  /** Send the batch, whose body the shell holds, to one member of the set or, with null, to all. */
  | {
      readonly type: "sendBatch";
      readonly to: Uint8Array | null;
      readonly place: Place;
      readonly epoch: number;
      readonly signature: Uint8Array;
    }
  /** A4: broadcast it; the batch and all before it are available. */
  | { readonly type: "certificate"; readonly cert: AvailabilityCert }
  /** The bodies up to here are asked for no more. */
  | { readonly type: "forget"; readonly seq: number }
  | { readonly type: "evidence"; readonly evidence: Evidence }
  | DropEffect;

export type GatherStep = { readonly state: GatherState; readonly effects: readonly GatherEffect[] };

export function createGather(config: LaneConfig): GatherState {
  return { config, pending: new Map(), certified: null };
}

/** One step of the gathering. */
export function stepGather(state: GatherState, event: GatherEvent): GatherStep {
  switch (event.type) {
    case "offer":
      return offer(state, event.place, event.epoch);
    case "ack":
      return takeAck(state, event.ack);
    case "resend":
      return resend(state, event.epoch);
    case "cut":
      return onCut(state, event.seq);
  }
}

/** A3 for the own batch: it is durable, so its author is the first to acknowledge it; then everybody is asked. */
function offer(state: GatherState, place: Place, epoch: number): GatherStep {
  const { config, pending } = state;
  const entry = acknowledgeOwn(config, { ...place, epoch, acks: new Map(), others: new Map() });
  const send = { type: "sendBatch", to: null, place, epoch, signature: signBatch(config, place) } as const;
  const certified = certifyIfQuorum({ ...state, pending: new Map(pending).set(place.seq, entry) }, entry);
  return { state: certified.state, effects: [send, ...certified.effects] };
}

/** Counts an acknowledgement of the batch that waits, in the epoch that was asked for, once it is verified. */
function takeAck(state: GatherState, signed: Ack): GatherStep {
  const { config, pending } = state;
  const { ack, validator, signature } = signed;
  const entry = pending.get(ack.seq);
  const dropped = (reason: DropReason) => ({ state, effects: DROPPED[reason] });
  if (!equalBytes(ack.lane, config.self)) return dropped("unentitled");
  if (entry === undefined) return dropped("past");
  if (!equalBytes(ack.digest, entry.digest)) return takeOtherAck(state, entry, signed);
  if (entry.epoch !== ack.epoch) return dropped("past");
  if (entry.acks.has(validator)) return dropped("repeated");
  const key = config.sets.setOf(ack.epoch)?.keys[validator];
  if (key === undefined) return dropped("unentitled");
  if (!isAckSigned(config, key, signed)) return dropped("bad_signature");
  const counted = { ...entry, acks: new Map(entry.acks).set(validator, signature) };
  const next = { ...state, pending: new Map(pending).set(ack.seq, counted) };
  const evidence = convict(key, entry.others.get(encodeHex(key)), signed);
  const certified = certifyIfQuorum(next, counted);
  return { state: certified.state, effects: [...evidence, ...certified.effects] };
}

/** A3 forbids a second digest under one number: who acknowledged both in one epoch is convicted, whichever came first. */
function takeOtherAck(state: GatherState, entry: Pending, signed: Ack): GatherStep {
  const { config, pending } = state;
  const { ack, validator } = signed;
  const dropped = (reason: DropReason) => ({ state, effects: DROPPED[reason] });
  const key = config.sets.setOf(ack.epoch)?.keys[validator];
  if (key === undefined) return dropped("unentitled");
  // It convicts nobody here, and must not stand in the place of one that does.
  if (ack.epoch !== entry.epoch) return dropped("past");
  if (entry.others.has(encodeHex(key))) return dropped("repeated");
  if (!isAckSigned(config, key, signed)) return dropped("bad_signature");
  const others = new Map(entry.others).set(encodeHex(key), signed);
  const held = entry.acks.get(validator);
  const body = { lane: config.self, seq: entry.seq, digest: entry.digest, epoch: entry.epoch };
  const first = held === undefined ? undefined : { ack: body, validator, signature: held };
  return {
    state: { ...state, pending: new Map(pending).set(entry.seq, { ...entry, others }) },
    effects: [...convict(key, first, signed), ...DROPPED.conflict],
  };
}

function convict(offender: Uint8Array, first: Ack | undefined, second: Ack): GatherEffect[] {
  const [a, b] = [first, second].map(
    (signed) =>
      signed && { kind: "ack" as const, body: encodeAckBody(signed.ack), signature: signed.signature },
  );
  const evidence = a === undefined ? null : createEvidence(offender, a, b!);
  return evidence === null ? [] : [{ type: "evidence", evidence }];
}

/** A4 on a quorum: the certificate settles the batches before it too, since an acknowledgement covers them. */
function certifyIfQuorum(state: GatherState, entry: Pending): GatherStep {
  const { config } = state;
  const set = config.sets.setOf(entry.epoch);
  if (set === null || entry.acks.size < set.quorum) return { state, effects: [] };
  const { seq, digest, epoch, acks } = entry;
  const cert = { lane: config.self, seq, digest, epoch, ...assembleSignatures(acks, set) };
  return {
    state: { config, pending: dropUpTo(state.pending, seq), certified: { seq, digest, epoch } },
    effects: [
      { type: "certificate", cert },
      { type: "forget", seq: seq - 1 },
    ],
  };
}

/**
 * A3 the same digest may be acknowledged again: what waits is sent to those who have not acknowledged it, and asked for
 * in the epoch that has come, since a cut takes certificates of the current epoch and the one before only. For the same
 * reason a batch that was certified in an epoch before, and no cut has, waits again.
 */
function resend(state: GatherState, epoch: number): GatherStep {
  const { config, certified } = state;
  const set = config.sets.setOf(epoch);
  if (set === null) return { state, effects: [] };
  const pending = new Map(state.pending);
  // Without a seat in this epoch its author's lane is in no cut of the next.
  const isSeated = set.positionOf(config.self) !== undefined;
  if (certified !== null && certified.epoch < epoch && isSeated && !pending.has(certified.seq))
    pending.set(certified.seq, { ...certified, acks: new Map(), others: new Map() });
  const oldest = [...pending.values()].sort((a, b) => a.seq - b.seq).slice(0, RESENT_AT_ONCE);
  const effects: GatherEffect[] = [];
  for (const before of oldest) {
    const entry =
      before.epoch === epoch
        ? before
        : acknowledgeOwn(config, { ...before, epoch, acks: new Map(), others: new Map() });
    pending.set(entry.seq, entry);
    const place = { seq: entry.seq, digest: entry.digest };
    const signature = signBatch(config, place);
    for (const to of listMissing(config, set, entry)) {
      effects.push({ type: "sendBatch", to, place, epoch, signature });
    }
  }
  return { state: { ...state, pending }, effects };
}

function onCut(state: GatherState, seq: number): GatherStep {
  const pending = dropUpTo(state.pending, seq);
  const certified = state.certified !== null && state.certified.seq > seq ? state.certified : null;
  const isSettled = pending.size < state.pending.size || certified !== state.certified;
  return { state: { ...state, pending, certified }, effects: isSettled ? [{ type: "forget", seq }] : [] };
}

const dropUpTo = (pending: GatherState["pending"], seq: number): GatherState["pending"] =>
  new Map([...pending].filter(([each]) => each > seq));

/** The own acknowledgement, where this validator has a seat in the epoch's set. */
function acknowledgeOwn(config: LaneConfig, entry: Pending): Pending {
  const position = config.sets.setOf(entry.epoch)?.positionOf(config.self);
  if (position === undefined) return entry;
  const { seq, digest, epoch } = entry;
  const signature = config.sign("ack", encodeAckBody({ lane: config.self, seq, digest, epoch }));
  return { ...entry, acks: new Map(entry.acks).set(position, signature) };
}

function listMissing(config: LaneConfig, set: ValidatorSet, { acks }: Pending): Uint8Array[] {
  return set.keys.filter((key, position) => !acks.has(position) && !equalBytes(key, config.self));
}

const signBatch = (config: LaneConfig, { seq, digest }: Place): Uint8Array =>
  config.sign("batch", encodeBatchBody({ lane: config.self, seq, digest }));

const isAckSigned = (config: LaneConfig, key: Uint8Array, { ack, signature }: Ack): boolean =>
  config.verify(key, signingMessage(config.domains, "ack", encodeAckBody(ack)), signature);
