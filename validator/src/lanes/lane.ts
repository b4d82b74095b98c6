/**
 * The own lane: admitted messages become hash-chained batches, each durable and acknowledged before anyone is told.
 * What `append` promises is what a receipt rests on: the messages are on disk, in a batch with an availability
 * certificate, and the next round's tips name it.
 *
 * Batches are written at the same time and recorded in order, several in one commit of the votes database, so that a
 * slow disk costs latency and not throughput.
 */

import { CodedError } from "../../../node/src/host/codedError.ts";
import type { Clock } from "../../../node/src/host/types.ts";
import { assembleSignatures, type ValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import { LANE_START } from "../../../protocol/src/agreement/cut.ts";
import {
  type AvailabilityCert,
  type Batch,
  computeBatchDigest,
  encodeAckBody,
  encodeBatch,
  MAX_BATCH_BYTES,
  MAX_BATCH_MESSAGES,
} from "../../../protocol/src/agreement/rounds.ts";
import type { AuthoredBatch, Votes } from "../rounds/votes.ts";
import type { Signer } from "../signer.ts";

/** Batches written and not yet certified (specification A5): enough to keep a disk busy, and 8 MiB of memory at most. */
export const MAX_BATCHES_IN_FLIGHT = 32;
/**
 * Certified batches that no finalized cut holds yet. 256 are 64 MiB, three times what 10,000 reports a second of 330
 * bytes bring in a round of 5 s: beyond that, rounds have stopped, and taking on more would only be promised.
 */
export const MAX_UNCUT_BATCHES = 256;
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
  readonly set: ValidatorSet;
  /** The newest certified batch, by the votes database; null before the first. */
  readonly last: AuthoredBatch | null;
  /** The own lane's entry in the last finalized cut; 0 before the first. */
  readonly cutSeq: number;
};
export type LaneModules = {
  readonly clock: Clock;
  readonly votes: Pick<Votes, "recordBatches">;
  readonly batches: BatchWriter;
  readonly signer: Signer;
  /** The disk failed, or the votes contradict: the lane is closed, and the validator must stop. */
  readonly onFailure: (error: Error) => void;
  /**
   * Asks the other validators to acknowledge a batch that is durable here; `onCertificate` brings what comes of it.
   * Absent in a set of one, which has its quorum with the own acknowledgement.
   */
  readonly requestAcks?: (batch: AuthoredBatch, encoded: Uint8Array) => void;
  readonly onBatch?: (messages: number, bytes: number, milliseconds: number) => void;
};

export type Lane = {
  /** Whether to pull more work for the lane: the open batch has a place and few enough are under way. */
  readonly canAcceptWork: () => boolean;
  /**
   * Puts encoded envelopes into batches, in order. Resolves once all are durable and certified; rejects where the lane
   * failed, and then nothing was acknowledged.
   */
  readonly append: (messages: readonly Uint8Array[]) => Promise<void>;
  /** The newest batch's certificate, made for the epoch or the one before; null before the first batch. */
  readonly tip: (epoch: number) => AvailabilityCert | null;
  /** A quorum acknowledged a batch, and with it all before it. */
  readonly onCertificate: (cert: AvailabilityCert) => void;
  /** A round took in the lane's batches up to this one. */
  readonly onCut: (seq: number) => void;
  readonly inFlight: () => number;
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
type SealedBatch = AuthoredBatch & {
  readonly durable: PromiseWithResolvers<void>;
  readonly messages: number;
  readonly bytes: number;
  readonly sealedAtMs: number;
  /** The body, until it is recorded. */
  encoded: Uint8Array | null;
  isWritten: boolean;
};

/** Opens the own lane where it was left. */
export function createLane(options: LaneOptions, modules: LaneModules): Lane {
  return new OwnLane(options, modules);
}

class OwnLane implements Lane {
  #options: LaneOptions;
  #modules: LaneModules;
  #open: OpenBatch | null = null;
  #sealed: SealedBatch[] = [];
  /** The newest sealed and the newest certified batch. */
  #head: AuthoredBatch;
  #certified: AuthoredBatch;
  #certificate: AvailabilityCert | null = null;
  #cutSeq: number;
  #cancelFlush: (() => void) | null = null;
  /** The open batch has waited long enough, and goes as soon as the disk is free. */
  #isFlushDue = false;
  #writing = new Set<Promise<void>>();
  #failure: Error | null = null;

  constructor(options: LaneOptions, modules: LaneModules) {
    this.#options = options;
    this.#modules = modules;
    this.#head = options.last ?? { seq: 0, digest: LANE_START };
    this.#cutSeq = options.cutSeq;
    // What nobody acknowledged before the end is in flight again.
    const isCertified = modules.requestAcks === undefined || this.#head.seq <= options.cutSeq;
    this.#certified = isCertified ? this.#head : { seq: options.cutSeq, digest: LANE_START };
    if (!isCertified) this.#sealed.push(this.#resume(this.#head));
  }

  canAcceptWork = (): boolean =>
    this.#failure === null &&
    this.#sealed.length < MAX_BATCHES_IN_FLIGHT &&
    this.#certified.seq - this.#cutSeq < MAX_UNCUT_BATCHES;

  inFlight = (): number => this.#sealed.length;

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

  tip = (epoch: number): AvailabilityCert | null => {
    if (this.#modules.requestAcks !== undefined) return this.#certificate;
    if (this.#certified.seq === 0) return null;
    // The same digest may be acknowledged again, for a set that can still be asked.
    const isOld = this.#certificate === null || this.#certificate.epoch < epoch - 1;
    if (isOld || this.#certificate!.seq !== this.#certified.seq) this.#certificate = this.#certify(epoch);
    return this.#certificate;
  };

  onCertificate = (cert: AvailabilityCert): void => {
    if (cert.seq < this.#certified.seq) return;
    this.#certificate = cert;
    this.#settle(this.#sealed.filter(({ seq }) => seq <= cert.seq));
  };

  onCut = (seq: number): void => {
    this.#cutSeq = Math.max(this.#cutSeq, seq);
    // A batch in a cut was certified, whether its certificate came back here or not.
    if (this.#modules.requestAcks !== undefined)
      this.#settle(this.#sealed.filter((batch) => batch.seq <= seq));
  };

  close = async (): Promise<void> => {
    this.#seal();
    await Promise.allSettled(this.#writing);
    this.#failure ??= new CodedError("stopped", "the lane is closed");
    for (const batch of this.#sealed) batch.durable.reject(this.#failure);
  };

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

  /** A batch of before the last end, which is on disk and waits for a quorum. */
  #resume({ seq, digest }: AuthoredBatch): SealedBatch {
    const durable = Promise.withResolvers<void>();
    durable.promise.catch(() => {});
    const sealedAtMs = this.#modules.clock.nowMs();
    return { seq, digest, durable, messages: 0, bytes: 0, sealedAtMs, encoded: null, isWritten: true };
  }

  /**
   * While earlier batches are being written the open one goes on filling: a busy disk gets fewer, larger writes, and
   * the wait is no longer than it would have been behind them.
   */
  #flushIfDue(): void {
    if (this.#isFlushDue && this.#sealed.length === 0) this.#seal();
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
    const batch: Batch = { lane, seq: this.#head.seq + 1, prev: this.#head.digest, messages: open.messages };
    const encoded = encodeBatch(batch);
    const sealed: SealedBatch = {
      seq: batch.seq,
      digest: computeBatchDigest(encoded),
      durable: open.durable,
      messages: open.messages.length,
      bytes: encoded.length,
      sealedAtMs: this.#modules.clock.nowMs(),
      encoded,
      isWritten: false,
    };
    this.#head = { seq: sealed.seq, digest: sealed.digest };
    this.#sealed.push(sealed);
    const writing = this.#write(sealed, encoded).finally(() => this.#writing.delete(writing));
    this.#writing.add(writing);
  }

  /** The body first, then its name in the votes: a name without a body could never be continued from. */
  async #write(sealed: SealedBatch, encoded: Uint8Array): Promise<void> {
    try {
      await this.#modules.batches.putBatch(sealed.digest, encoded);
      sealed.isWritten = true;
      this.#recordWritten();
    } catch (error) {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Records the written batches that have no unwritten one before them, in one commit. */
  #recordWritten(): void {
    const firstUnwritten = this.#sealed.findIndex((batch) => !batch.isWritten);
    const written = firstUnwritten === -1 ? this.#sealed : this.#sealed.slice(0, firstUnwritten);
    const ready = written.filter(({ encoded }) => encoded !== null);
    if (ready.length === 0 || this.#failure !== null) return;
    const verdict = this.#modules.votes.recordBatches(ready.map(({ seq, digest }) => ({ seq, digest })));
    if (verdict === "conflict") {
      this.#fail(new CodedError("votes_conflict", "another batch was signed under this sequence number"));
      return;
    }
    for (const batch of ready) {
      this.#modules.requestAcks?.({ seq: batch.seq, digest: batch.digest }, batch.encoded!);
      batch.encoded = null;
    }
    if (this.#modules.requestAcks === undefined) this.#settle(ready);
  }

  /** These batches, the oldest in flight, are certified: whoever appended to them is told. */
  #settle(ready: readonly SealedBatch[]): void {
    const newest = ready.at(-1);
    if (newest === undefined) return;
    this.#certified = { seq: newest.seq, digest: newest.digest };
    this.#sealed = this.#sealed.slice(ready.length);
    const nowMs = this.#modules.clock.nowMs();
    for (const batch of ready) {
      this.#modules.onBatch?.(batch.messages, batch.bytes, nowMs - batch.sealedAtMs);
      batch.durable.resolve();
    }
    this.#flushIfDue();
  }

  /** A set of one has its quorum with the own acknowledgement. */
  #certify(epoch: number): AvailabilityCert {
    const { set } = this.#options;
    const { signer } = this.#modules;
    const ack = { lane: signer.publicKey, seq: this.#certified.seq, digest: this.#certified.digest, epoch };
    const signature = signer.sign("ack", encodeAckBody(ack));
    const position = set.positionOf(signer.publicKey)!;
    return { ...ack, ...assembleSignatures(new Map([[position, signature]]), set) };
  }

  #fail(error: Error): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    for (const batch of this.#sealed) batch.durable.reject(error);
    this.#open?.durable.reject(error);
    this.#modules.onFailure(error);
  }
}
