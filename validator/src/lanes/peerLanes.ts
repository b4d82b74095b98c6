/**
 * The other validators' lanes as this one holds them: which of their batches it has, chained to the last decided cut,
 * and its acknowledgements. An acknowledgement promises that everything between the cut and the batch is durable here
 * and passed the stateless checks (specification A3).
 */
import { hash } from "node:crypto";
import type { Log } from "../../../node/src/host/types.ts";
import type { ValidatorSet, VerifySignature } from "../../../protocol/src/agreement/certificates.ts";
import { type Cut, LANE_START } from "../../../protocol/src/agreement/cut.ts";
import type { SignedBatch } from "../../../protocol/src/agreement/peerMessages.ts";
import {
  type Batch,
  decodeBatch,
  encodeAckBody,
  encodeBatchBody,
} from "../../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { type SigningDomains, signingMessage } from "../../../protocol/src/crypto/domain.ts";
import { decodeCandidate } from "../intake/candidate.ts";
import { isCentreWithin } from "../intake/rules.ts";
import type { Mesh } from "../mesh/mesh.ts";
import type { Votes } from "../rounds/votes.ts";
import type { Signer } from "../signer.ts";
import type { BatchStore } from "../store/batchStore.ts";
import type { SignatureClaim } from "../verify/signatureJob.ts";
import type { VerifierPool } from "../verify/verifierPool.ts";
import type { BatchFetcher } from "./batchFetcher.ts";
import { MAX_BATCHES_IN_FLIGHT, MAX_UNCUT_BATCHES } from "./lane.ts";

/**
 * Three units of 1e-7 degrees, against the one that a validator asks of its own batches: two machines whose
 * trigonometry differs in the last bit never refuse each other's batch.
 */
export const PEER_CENTRE_TOLERANCE_E7 = 3;
/** Signatures handed to the verifier at a time, so that a full batch leaves room in it for admission. */
const CLAIMS_AT_ONCE = 256;

export type PeerLanesOptions = {
  readonly set: ValidatorSet;
  readonly domains: SigningDomains;
  readonly cut: Cut;
};
export type PeerLanesModules = {
  readonly mesh: Pick<Mesh, "send">;
  readonly signer: Signer;
  readonly verify: VerifySignature;
  readonly verifier: Pick<VerifierPool, "verify">;
  readonly batches: Pick<BatchStore, "putBatch">;
  readonly votes: Pick<Votes, "recordAck" | "pruneAcks">;
  readonly fetcher: Pick<BatchFetcher, "find">;
  readonly epoch: () => number;
  readonly log: Log;
  readonly onFailure: (error: Error) => void;
};

type Place = { readonly seq: number; readonly digest: Uint8Array };
/** A batch with its encoding and digest. */
type Taken = { readonly batch: Batch; readonly digest: Uint8Array; readonly encoded: Uint8Array };
type PeerLane = {
  readonly position: number;
  cut: Place;
  /** Digests from the cut on, without a gap. */
  readonly held: Map<number, Uint8Array>;
  head: Place;
  /** Batches are taken one after the other. */
  work: Promise<void>;
  waiting: number;
};

export class PeerLanes {
  readonly #options: PeerLanesOptions;
  readonly #modules: PeerLanesModules;
  readonly #lanes: readonly (PeerLane | null)[];
  #isStopped = false;

  constructor(options: PeerLanesOptions, modules: PeerLanesModules) {
    this.#options = options;
    this.#modules = modules;
    this.#lanes = options.set.keys.map((key, position) => {
      if (equalBytes(key, modules.signer.publicKey)) return null;
      const start = { seq: 0, digest: LANE_START };
      return { position, cut: start, head: start, held: new Map(), work: Promise.resolve(), waiting: 0 };
    });
    this.onCut(options.cut);
  }

  /** Takes a batch from its author. What does not fit in the queue is dropped: the author sends it again. */
  onBatch = (from: number, signed: SignedBatch): void => {
    const lane = this.#lanes[from] ?? null;
    if (lane === null || this.#isStopped || lane.waiting >= MAX_BATCHES_IN_FLIGHT) return;
    lane.waiting++;
    lane.work = lane.work
      .then(() => this.#take(lane, signed))
      .catch((error: unknown) => {
        if (!this.#isStopped)
          this.#modules.onFailure(error instanceof Error ? error : new Error(String(error)));
      })
      .finally(() => {
        lane.waiting--;
      });
  };

  /** Digests of a decided cut's new entries that were never acknowledged here. */
  listMissing(cut: Cut): Uint8Array[] {
    const isMissing = ({ lane: key, seq }: Cut[number]): boolean => {
      const lane = this.#lanes[this.#options.set.positionOf(key) ?? -1] ?? null;
      return lane !== null && seq > lane.head.seq;
    };
    return cut.filter(isMissing).map(({ digest }) => digest);
  }

  /** A decided cut is where every lane's chain begins from now on. */
  onCut(cut: Cut): void {
    for (const { lane: key, seq, digest } of cut) {
      const lane = this.#lanes[this.#options.set.positionOf(key) ?? -1] ?? null;
      if (lane === null || seq <= lane.cut.seq) continue;
      lane.cut = { seq, digest };
      for (const held of lane.held.keys()) if (held <= seq) lane.held.delete(held);
      if (lane.head.seq <= seq) lane.head = lane.cut;
      this.#modules.votes.pruneAcks(key, seq);
    }
  }

  /** Finishes what is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#lanes.map((lane) => lane?.work));
  }

  async #take(lane: PeerLane, { batch: encoded, epoch, signature }: SignedBatch): Promise<void> {
    if (this.#isStopped) return;
    const batch = decodeBatch(encoded);
    const key = this.#options.set.keys[lane.position]!;
    if (batch === null || !equalBytes(batch.lane, key)) return;
    if (batch.seq <= lane.cut.seq || batch.seq > lane.cut.seq + MAX_UNCUT_BATCHES) return;
    const digest = hash("sha256", encoded, "buffer");
    const body = encodeBatchBody({ lane: key, seq: batch.seq, digest });
    const { verify, log } = this.#modules;
    if (!verify(key, signingMessage(this.#options.domains, "batch", body), signature)) return;
    if (batch.seq <= lane.head.seq) {
      const held = lane.held.get(batch.seq);
      if (held !== undefined && equalBytes(held, digest))
        this.#acknowledge(lane, { seq: batch.seq, digest }, epoch);
      else log.warn("A validator signed two batches under one number", { validator: lane.position });
      return;
    }
    const chain = await this.#reachHead(lane, { batch, digest, encoded });
    if (chain === null) return;
    for (const taken of chain) if (!(await this.#hold(lane, taken))) return;
    this.#acknowledge(lane, { seq: batch.seq, digest }, epoch);
  }

  /** The batches between the head and this one, oldest first, missing ones fetched; null where the chain is none. */
  async #reachHead(lane: PeerLane, newest: Taken): Promise<Taken[] | null> {
    const chain = [newest];
    for (let { batch } = newest; batch.seq > lane.head.seq + 1; ) {
      const encoded = await this.#modules.fetcher.find(batch.prev, lane.position);
      const before = encoded === null ? null : decodeBatch(encoded);
      if (before === null || before.seq !== batch.seq - 1 || !equalBytes(before.lane, batch.lane))
        return null;
      chain.push({ batch: before, digest: batch.prev, encoded: encoded! });
      batch = before;
    }
    return chain.reverse();
  }

  /** Checks a batch that follows the head and makes it durable. False where it may not be held. */
  async #hold(lane: PeerLane, { batch, digest, encoded }: Taken): Promise<boolean> {
    // A cut may have come in between, and then the chain begins beyond this batch.
    if (batch.seq <= lane.head.seq) return true;
    if (batch.seq !== lane.head.seq + 1 || !equalBytes(batch.prev, lane.head.digest)) return false;
    if (!(await this.#passesStatelessChecks(batch))) return false;
    await this.#modules.batches.putBatch(digest, encoded);
    if (batch.seq <= lane.head.seq) return true;
    const verdict = this.#modules.votes.recordAck({ lane: batch.lane, seq: batch.seq, digest });
    if (verdict === "conflict") {
      this.#modules.log.warn("Refuse to acknowledge a second batch under one number", {
        validator: lane.position,
      });
      return false;
    }
    lane.held.set(batch.seq, digest);
    lane.head = { seq: batch.seq, digest };
    return true;
  }

  /** Form, size, signatures and the tolerant centre check of every message; what needs state is execution's to judge. */
  async #passesStatelessChecks(batch: Batch): Promise<boolean> {
    const claims: SignatureClaim[] = [];
    for (const bytes of batch.messages) {
      const item = decodeCandidate(bytes, this.#options.domains);
      if (!item.ok || !isCentreWithin(item.candidate, PEER_CENTRE_TOLERANCE_E7)) return false;
      claims.push(...item.candidate.claims);
    }
    try {
      for (let first = 0; first < claims.length; first += CLAIMS_AT_ONCE) {
        const answers = await this.#modules.verifier.verify(claims.slice(first, first + CLAIMS_AT_ONCE));
        if (answers.includes(0)) return false;
      }
      return true;
    } catch (error) {
      // The verifier is full: the author sends the batch again.
      this.#modules.log.debug("Could not verify a batch now", { error: String(error) });
      return false;
    }
  }

  /** Signs for the epoch that the author asks for, where that is about the current one. */
  #acknowledge(lane: PeerLane, { seq, digest }: Place, epoch: number): void {
    if (Math.abs(epoch - this.#modules.epoch()) > 1) return;
    const { set } = this.#options;
    const { signer, mesh } = this.#modules;
    const ack = { lane: set.keys[lane.position]!, seq, digest, epoch };
    const signature = signer.sign("ack", encodeAckBody(ack));
    const validator = set.positionOf(signer.publicKey)!;
    mesh.send(lane.position, { type: "ack", ack: { ack, validator, signature } });
  }
}
