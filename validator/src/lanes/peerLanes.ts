/**
 * The other validators' lanes: the shell of `peerLane.ts` in the protocol, which decides what is acknowledged. Bodies on
 * their way to the disk, their hashes and the stateless checks of their messages are here.
 */
import { hash } from "node:crypto";
import type { Log } from "../../../node/src/host/types.ts";
import type { ValidatorSets, VerifySignature } from "../../../protocol/src/agreement/certificates.ts";
import type { Cut } from "../../../protocol/src/agreement/cut.ts";
import type { DropReason } from "../../../protocol/src/agreement/drops.ts";
import {
  createPeerLane,
  type Held,
  type LaneConfig,
  MAX_BATCHES_IN_FLIGHT,
  type PeerLaneEffect,
  type PeerLaneEvent,
  type PeerLaneState,
  type Place,
  stepPeerLane,
} from "../../../protocol/src/agreement/lanes/index.ts";
import type { Ack, SignedBatch } from "../../../protocol/src/agreement/peerMessages.ts";
import {
  type Batch,
  decodeBatch,
  type Evidence,
  peekBatchPlace,
} from "../../../protocol/src/agreement/rounds.ts";
import type { SignedPlace } from "../../../protocol/src/agreement/standing.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { decodeHex, encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { decodeCandidate } from "../intake/candidate.ts";
import { isCentreWithin } from "../intake/rules.ts";
import type { Mesh, PeerName } from "../mesh/mesh.ts";
import type { Votes } from "../rounds/votes.ts";
import type { Signer } from "../signer.ts";
import type { BatchStore } from "../store/batchStore.ts";
import { toError } from "../toError.ts";
import type { SignatureClaim } from "../verify/signatureJob.ts";
import type { VerifierPool } from "../verify/verifierPool.ts";
import type { BatchFetcher, Missing } from "./batchFetcher.ts";

/**
 * Three units of 1e-7 degrees, against the one that a validator asks of its own batches: two machines whose
 * trigonometry differs in the last bit never refuse each other's batch.
 */
export const PEER_CENTRE_TOLERANCE_E7 = 3;
/** Signatures handed to the verifier at a time, so that a full batch leaves room in it for admission. */
const CLAIMS_AT_ONCE = 256;
/** What no batch encodes to. */
const NO_BODY = new Uint8Array(0);

export type PeerLanesOptions = {
  readonly sets: ValidatorSets;
  readonly domains: SigningDomains;
  readonly cut: Cut;
};
export type PeerLanesModules = {
  readonly mesh: Pick<Mesh, "send">;
  readonly signer: Signer;
  readonly verify: VerifySignature;
  readonly verifier: Pick<VerifierPool, "verify">;
  readonly batches: Pick<BatchStore, "putBatch">;
  readonly votes: Pick<Votes, "recordAck">;
  readonly fetcher: Pick<BatchFetcher, "find">;
  /** Where the executed cuts have left a lane. */
  readonly laneEndOf: (lane: Uint8Array) => Place;
  /** The epoch of the round that is decided next. */
  readonly epoch: () => number;
  readonly log: Log;
  /** Whether an acknowledgement may leave: what was signed before must be known, and not speak of the same number. */
  readonly mayAcknowledge: (ack: Ack["ack"]) => boolean;
  /** A batch passed the checks and is about to be acknowledged: names of the messages in it. */
  readonly onOthersBatch: (author: PeerName, idKeys: readonly string[]) => void;
  /** A validator signed two batches under one number. */
  readonly onConflict: (evidence: Evidence) => void;
  readonly onDropped: (message: "batch", reason: DropReason) => void;
  readonly onFailure: (error: Error) => void;
};

type PeerLane = {
  readonly name: PeerName;
  state: PeerLaneState;
  /** Encodings of batches that the lane works on, by digest; it says when it needs them no more. */
  readonly bodies: Map<string, Uint8Array>;
};

export class PeerLanes {
  readonly #options: PeerLanesOptions;
  readonly #modules: PeerLanesModules;
  readonly #config: LaneConfig;
  readonly #lanes = new Map<PeerName, PeerLane>();
  readonly #working = new Set<Promise<void>>();
  #cut: Cut;
  #isStopped = false;

  constructor(options: PeerLanesOptions, modules: PeerLanesModules) {
    this.#options = options;
    this.#modules = modules;
    const { signer, verify } = modules;
    this.#config = { ...options, self: signer.publicKey, verify, sign: signer.sign };
    this.#cut = options.cut;
  }

  /** Takes a batch from its author. Its messages are decoded when place and signature have been found good. */
  onBatch = (from: PeerName, { batch: encoded, epoch, signature }: SignedBatch): void => {
    if (this.#isStopped) return;
    const lane = this.#laneOf(from);
    const place = lane === null ? null : peekBatchPlace(encoded);
    if (lane === null || place === null || !equalBytes(place.lane, lane.state.lane)) {
      this.#modules.onDropped("batch", lane !== null && place === null ? "malformed" : "unentitled");
      return;
    }
    const digest = hash("sha256", encoded, "buffer");
    const { seq, prev } = place;
    lane.bodies.set(encodeHex(digest), encoded);
    this.#post(lane, { type: "batch", offer: { seq, prev, digest, epoch, signature } });
    release(lane, digest);
  };

  /** The newest batch of a lane that is held with its author's own signature; null where there is none. */
  newestOf(name: PeerName): SignedPlace | null {
    const { lane, held } = this.#lanes.get(name)?.state ?? { lane: null, held: new Map<number, Held>() };
    for (const [seq, { digest, signature }] of [...held].reverse())
      if (lane !== null && signature !== null) return { place: { lane, seq, digest }, signature };
    return null;
  }

  /** A decided cut's new entries that were never acknowledged here. */
  listMissing(cut: Cut): Missing[] {
    const self = encodeHex(this.#config.self);
    return cut.flatMap((cert) => {
      const name = encodeHex(cert.lane);
      const aboveSeq = this.#lanes.get(name)?.state.head.seq ?? this.#placeOf(cert.lane).seq;
      return name !== self && cert.seq > aboveSeq ? [{ digest: cert.digest, aboveSeq, cert }] : [];
    });
  }

  /** A decided cut is where every lane's chain begins from now on. */
  onCut(cut: Cut): void {
    this.#cut = cut;
    for (const { lane: key, seq, digest } of cut) {
      const lane = this.#lanes.get(encodeHex(key));
      if (lane !== undefined) this.#post(lane, { type: "cut", place: { seq, digest } });
    }
    // Lanes of those who have left their seats are begun again from the cut, should they come back.
    for (const [name, { state }] of this.#lanes) if (!this.#isAuthor(state.lane)) this.#lanes.delete(name);
  }

  /** Finishes what is under way. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    while (this.#working.size > 0) await Promise.all(this.#working);
  }

  /** The lane of a validator that has a seat about now; null for anybody else's, and for the own. */
  #laneOf(name: PeerName): PeerLane | null {
    const key = decodeHex(name, 32);
    if (key === null || equalBytes(key, this.#config.self) || !this.#isAuthor(key)) return null;
    const known = this.#lanes.get(name);
    if (known !== undefined) return known;
    const state = createPeerLane(this.#config, key, this.#placeOf(key), this.#modules.epoch());
    const lane: PeerLane = { name, state, bodies: new Map() };
    this.#lanes.set(name, lane);
    return lane;
  }

  /** Where the cuts have left a lane: one that was out of them, since its author had no seat, goes on where it ended. */
  #placeOf(key: Uint8Array): Place {
    return this.#cut.find((entry) => equalBytes(entry.lane, key)) ?? this.#modules.laneEndOf(key);
  }

  /** Acknowledgements are about the current epoch, so are authors. */
  #isAuthor(key: Uint8Array): boolean {
    const epoch = this.#modules.epoch();
    return [epoch - 1, epoch, epoch + 1].some(
      (each) => each >= 0 && this.#options.sets.setOf(each)?.positionOf(key) !== undefined,
    );
  }

  #post(lane: PeerLane, event: PeerLaneEvent): void {
    const epoch = this.#modules.epoch();
    if (epoch !== lane.state.epoch) lane.state = stepPeerLane(lane.state, { type: "epoch", epoch }).state;
    const { state, effects } = stepPeerLane(lane.state, event);
    lane.state = state;
    for (const effect of effects) this.#carryOut(lane, effect);
  }

  #carryOut(lane: PeerLane, effect: PeerLaneEffect): void {
    const { mesh, votes, mayAcknowledge, onConflict, onDropped } = this.#modules;
    switch (effect.type) {
      case "fetch":
        this.#work(lane, () => this.#fetch(lane, effect.digest));
        break;
      case "check":
        this.#work(lane, async () => {
          const batch = decodeBatch(await this.#bodyOf(lane, effect.digest));
          const isValid = batch !== null && (await this.#passesStatelessChecks(lane, batch));
          return { type: "checked", digest: effect.digest, isValid };
        });
        break;
      case "write":
        this.#work(lane, async () => {
          await this.#modules.batches.putBatch(effect.digest, await this.#bodyOf(lane, effect.digest));
          return { type: "written", digest: effect.digest };
        });
        break;
      case "record":
        this.#work(lane, async () => {
          const { digest } = effect.place;
          const verdict = votes.recordAck({ lane: lane.state.lane, ...effect.place });
          if (verdict === "conflict") this.#warnOfConflict(lane);
          return { type: "recorded", digest, verdict };
        });
        break;
      case "acknowledge":
        // The author sends its batch again, and is answered then. Of one that has left meanwhile bodies may be gone.
        if (this.#isAuthor(lane.state.lane) && mayAcknowledge(effect.ack.ack))
          mesh.send(lane.name, { type: "ack", ack: effect.ack });
        break;
      case "release":
        for (const digest of effect.digests) release(lane, digest);
        break;
      case "evidence":
        onConflict(effect.evidence);
        break;
      case "drop":
        onDropped("batch", effect.reason);
    }
  }

  /** Does what the lane waits for, and tells it. Whoever ends acknowledges nothing more. */
  #work(lane: PeerLane, work: () => Promise<PeerLaneEvent>): void {
    const { onFailure } = this.#modules;
    const working: Promise<void> = work()
      .then((event) => {
        if (this.#isStopped) return;
        this.#post(lane, event);
        if (event.type === "fetched") {
          release(lane, event.digest);
          releaseFar(lane);
        }
      })
      .catch((error: unknown) => {
        if (!this.#isStopped) onFailure(toError(error));
      })
      .finally(() => this.#working.delete(working));
    this.#working.add(working);
  }

  async #fetch(lane: PeerLane, digest: Uint8Array): Promise<PeerLaneEvent> {
    const encoded = await this.#modules.fetcher.find(digest, lane.name);
    if (encoded !== null) lane.bodies.set(encodeHex(digest), encoded);
    return { type: "fetched", digest, batch: encoded && peekBatchPlace(encoded) };
  }

  /** The body that the lane works on. One that was let go comes again; where nobody gives it, what is none. */
  async #bodyOf(lane: PeerLane, digest: Uint8Array): Promise<Uint8Array> {
    const held = lane.bodies.get(encodeHex(digest));
    if (held !== undefined) return held;
    const body = (await this.#modules.fetcher.find(digest, lane.name)) ?? NO_BODY;
    lane.bodies.set(encodeHex(digest), body);
    return body;
  }

  /** Form, size, signatures and the tolerant centre check of every message; what needs state is execution's to judge. */
  async #passesStatelessChecks({ name }: PeerLane, batch: Batch): Promise<boolean> {
    const claims: SignatureClaim[] = [];
    const idKeys: string[] = [];
    for (const bytes of batch.messages) {
      const item = decodeCandidate(bytes, this.#options.domains);
      if (!item.ok || !isCentreWithin(item.candidate, PEER_CENTRE_TOLERANCE_E7)) return false;
      claims.push(...item.candidate.claims);
      idKeys.push(item.candidate.idKey);
    }
    try {
      for (let first = 0; first < claims.length; first += CLAIMS_AT_ONCE) {
        const answers = await this.#modules.verifier.verify(claims.slice(first, first + CLAIMS_AT_ONCE));
        if (answers.includes(0)) return false;
      }
      this.#modules.onOthersBatch(name, idKeys);
      return true;
    } catch (error) {
      // The verifier is full: the author sends the batch again.
      this.#modules.log.debug("Could not verify a batch now", { error: String(error) });
      return false;
    }
  }

  #warnOfConflict({ name }: PeerLane): void {
    this.#modules.log.warn("Refuse to acknowledge a second batch under one number", { validator: name });
  }
}

/** Lets a body go, unless the lane still has a place for its batch. */
function release({ state, bodies }: PeerLane, digest: Uint8Array): void {
  const isWanted = [...(state.work?.chain ?? []), ...state.queue].some((link) =>
    equalBytes(link.digest, digest),
  );
  if (!isWanted) bodies.delete(encodeHex(digest));
}

/**
 * Of a chain that is fetched, keeps the bodies that have their turn first, as many as may be in flight: an author that
 * begins with its 256th batch would have all of them kept, and what it says in them is looked at later.
 */
function releaseFar({ state, bodies }: PeerLane): void {
  const far = state.work?.chain.at(MAX_BATCHES_IN_FLIGHT);
  if (far === undefined) return;
  const isOffered = [state.work!.offer, ...state.queue].some(({ digest }) => equalBytes(digest, far.digest));
  if (!isOffered) bodies.delete(encodeHex(far.digest));
}
