/**
 * The own lane: admitted messages become hash-chained batches, each durable and acknowledged before anyone is told.
 * What `append` promises is what a receipt rests on: the messages are on disk, in a batch with an availability
 * certificate, and the next round's tips name it. The rules of numbering are `author.ts` in the protocol.
 *
 * Batches are written at the same time and recorded in order, several in one commit of the votes database, so that a
 * slow disk costs latency and not throughput.
 */

import { CodedError } from "../../../node/src/host/codedError.ts";
import type { Clock } from "../../../node/src/host/types.ts";
import {
  type AuthorEffect,
  type AuthorEvent,
  type AuthorState,
  createAuthor,
  mayTakeOn,
  nextPlace,
  type Place,
  stepAuthor,
} from "../../../protocol/src/agreement/lanes/index.ts";
import {
  type AvailabilityCert,
  type Batch,
  computeBatchDigest,
  encodeBatch,
  MAX_BATCH_BYTES,
  MAX_BATCH_MESSAGES,
} from "../../../protocol/src/agreement/rounds.ts";
import type { AuthoredBatch, Votes } from "../rounds/votes.ts";
import type { Signer } from "../signer.ts";
import { toError } from "../toError.ts";

/** Lane, seq, prev and the list's offset; and each message's own offset. */
const BATCH_OVERHEAD_BYTES = 32 + 8 + 32 + 4;
const MESSAGE_OVERHEAD_BYTES = 4;

export type BatchWriter = {
  /** Resolves once the bytes are durable under their digest. */
  readonly putBatch: (digest: Uint8Array, bytes: Uint8Array) => Promise<unknown>;
};

export type LaneOptions = {
  /** How long a message may wait for others to share its batch's write. */
  readonly flushMs: number;
  /** The newest batch that was ever numbered; null before the first. */
  readonly last: AuthoredBatch | null;
  /** The own lane's entry in the last finalized cut; 0 before the first. */
  readonly cutSeq: number;
};
export type LaneModules = {
  readonly clock: Clock;
  readonly votes: Pick<Votes, "recordBatches">;
  readonly batches: BatchWriter;
  readonly signer: Pick<Signer, "publicKey">;
  /** The disk failed, or the votes contradict: the lane is closed, and the validator must stop. */
  readonly onFailure: (error: Error) => void;
  /** Asks for acknowledgements of a batch that is durable here; `onCertificate` brings what comes of it, at once in a set of one. */
  readonly requestAcks: (batch: AuthoredBatch, encoded: Uint8Array) => void;
  readonly onBatch?: (bytes: number, milliseconds: number) => void;
};

export type Lane = {
  /** Whether to pull more work for the lane: the open batch has a place and few enough are under way. */
  readonly canAcceptWork: () => boolean;
  /**
   * Puts encoded envelopes into batches, in order. Resolves once all are durable and certified; rejects where the lane
   * failed, and then nothing was acknowledged.
   */
  readonly append: (messages: readonly Uint8Array[]) => Promise<void>;
  /** A quorum acknowledged a batch, and with it all before it. */
  readonly onCertificate: (cert: AvailabilityCert) => void;
  /** A round took in the lane's batches up to this one. */
  readonly onCut: (seq: number) => void;
  /** Goes on behind a batch that others hold by the own word, and these votes did not know. */
  readonly adopt: (place: AuthoredBatch) => void;
  readonly inFlight: () => number;
  /** Batches that are open or without a certificate. */
  readonly waiting: () => number;
  /**
   * Writes what is open and waits for all of it. Among several validators it does not wait for their acknowledgements:
   * nothing was promised without them, and what is on disk is certified after the next start.
   */
  readonly close: () => Promise<void>;
};

type OpenBatch = {
  readonly messages: Uint8Array[];
  bytes: number;
  readonly durable: PromiseWithResolvers<void>;
};
/** A batch with a number, and who waits for its certificate. */
type SealedBatch = {
  readonly durable: PromiseWithResolvers<void>;
  readonly bytes: number;
  readonly sealedAtMs: number;
  /** The body, until it is recorded. */
  encoded: Uint8Array | null;
};

/** Opens the own lane where it was left. */
export function createLane(options: LaneOptions, modules: LaneModules): Lane {
  return new OwnLane(options, modules);
}

class OwnLane implements Lane {
  #options: LaneOptions;
  #modules: LaneModules;
  #state: AuthorState;
  #open: OpenBatch | null = null;
  /** By number, as long as they are in flight. */
  #sealed = new Map<number, SealedBatch>();
  #cancelFlush: (() => void) | null = null;
  /** The open batch has waited long enough, and goes as soon as the disk is free. */
  #isFlushDue = false;
  #writing = new Set<Promise<void>>();
  #failure: Error | null = null;

  constructor(options: LaneOptions, modules: LaneModules) {
    this.#options = options;
    this.#modules = modules;
    this.#state = createAuthor(options.last, options.cutSeq);
    for (const { seq } of this.#state.inFlight)
      this.#sealed.set(seq, this.#enter(Promise.withResolvers(), null));
  }

  canAcceptWork = (): boolean => this.#failure === null && mayTakeOn(this.#state);

  inFlight = (): number => this.#state.inFlight.length;

  waiting = (): number => this.inFlight() + (this.#open === null ? 0 : 1);

  append = async (messages: readonly Uint8Array[]): Promise<void> => {
    if (this.#failure !== null) throw this.#failure;
    const touched = new Set<Promise<void>>();
    for (const message of messages) {
      const bytes = message.length + MESSAGE_OVERHEAD_BYTES;
      const open = this.#open;
      const isFull =
        open !== null &&
        (open.bytes + bytes > MAX_BATCH_BYTES || open.messages.length === MAX_BATCH_MESSAGES);
      if (isFull) this.#seal();
      this.#open ??= this.#openBatch();
      this.#open.messages.push(message);
      this.#open.bytes += bytes;
      touched.add(this.#open.durable.promise);
    }
    await Promise.all(touched);
  };

  onCertificate = ({ seq, digest }: AvailabilityCert): void =>
    this.#post({ type: "certified", place: { seq, digest } });

  onCut = (seq: number): void => this.#post({ type: "cut", seq });

  adopt = (place: AuthoredBatch): void => {
    this.#post({ type: "adopt", place });
    if (this.#state.inFlight.some(({ seq }) => seq === place.seq) && !this.#sealed.has(place.seq))
      this.#sealed.set(place.seq, this.#enter(Promise.withResolvers(), null));
  };

  close = async (): Promise<void> => {
    this.#seal();
    await Promise.allSettled(this.#writing);
    this.#failure ??= new CodedError("stopped", "the lane is closed");
    for (const { durable } of this.#sealed.values()) durable.reject(this.#failure);
  };

  #post(event: AuthorEvent): void {
    const { state, effects } = stepAuthor(this.#state, event);
    this.#state = state;
    for (const effect of effects) {
      if (this.#failure !== null) return;
      this.#carryOut(effect);
    }
  }

  #carryOut(effect: AuthorEffect): void {
    switch (effect.type) {
      case "write":
        this.#write(effect.place);
        break;
      case "record":
        this.#record(effect.places);
        break;
      case "offer":
        this.#offer(effect.place);
        break;
      case "settle":
        this.#settle(effect.places);
    }
  }

  #openBatch(): OpenBatch {
    this.#isFlushDue = false;
    this.#cancelFlush = this.#modules.clock.after(this.#options.flushMs, () => {
      this.#isFlushDue = true;
      this.#flushIfDue();
    });
    const durable = Promise.withResolvers<void>();
    // Who appended is told; a batch that nobody waits for any more must not end the process.
    durable.promise.catch(() => {});
    return { messages: [], bytes: BATCH_OVERHEAD_BYTES, durable };
  }

  /**
   * While earlier batches are being written the open one goes on filling: a busy disk gets fewer, larger writes, and
   * the wait is no longer than it would have been behind them.
   */
  #flushIfDue(): void {
    if (this.#isFlushDue && this.#state.inFlight.length === 0) this.#seal();
  }

  /** Gives the open batch its place in the chain and starts its write. */
  #seal(): void {
    const open = this.#open;
    if (open === null) return;
    this.#cancelFlush?.();
    this.#open = null;
    if (this.#failure !== null) {
      open.durable.reject(this.#failure);
      return;
    }
    const lane = this.#modules.signer.publicKey;
    const { seq, prev } = nextPlace(this.#state);
    const batch: Batch = { lane, seq, prev, messages: open.messages };
    const encoded = encodeBatch(batch);
    this.#sealed.set(seq, this.#enter(open.durable, encoded));
    this.#post({ type: "close", digest: computeBatchDigest(encoded) });
  }

  #enter(durable: PromiseWithResolvers<void>, encoded: Uint8Array | null): SealedBatch {
    durable.promise.catch(() => {});
    const bytes = encoded?.length ?? 0;
    return { durable, bytes, sealedAtMs: this.#modules.clock.nowMs(), encoded };
  }

  #write({ seq, digest }: Place): void {
    const writing: Promise<void> = this.#modules.batches
      .putBatch(digest, this.#sealed.get(seq)!.encoded!)
      .then(() => this.#post({ type: "written", seq }))
      .catch((error: unknown) => this.#fail(toError(error)))
      .finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }

  #record(places: readonly Place[]): void {
    if (this.#modules.votes.recordBatches(places) === "conflict")
      this.#fail(new CodedError("votes_conflict", "another batch was signed under this sequence number"));
    else this.#post({ type: "recorded", seq: places.at(-1)!.seq });
  }

  /** The body is not needed here any more: whoever gathers acknowledgements keeps it. */
  #offer(place: Place): void {
    const sealed = this.#sealed.get(place.seq)!;
    this.#modules.requestAcks(place, sealed.encoded!);
    sealed.encoded = null;
  }

  /** These batches, the oldest in flight, are certified: whoever appended to them is told. */
  #settle(places: readonly Place[]): void {
    const nowMs = this.#modules.clock.nowMs();
    for (const { seq } of places) {
      const { bytes, sealedAtMs, durable } = this.#sealed.get(seq)!;
      this.#sealed.delete(seq);
      this.#modules.onBatch?.(bytes, nowMs - sealedAtMs);
      durable.resolve();
    }
    this.#flushIfDue();
  }

  #fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    for (const { durable } of this.#sealed.values()) durable.reject(error);
    this.#open?.durable.reject(error);
    this.#modules.onFailure(error);
  }
}
