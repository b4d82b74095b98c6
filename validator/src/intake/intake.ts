/**
 * Admission: from a parcel off the wire to messages in the lane, in one fixed order. The connection's bucket, before a
 * byte is decoded, size and form at once; then, as the verifier has room, the signatures; then the rules that need state;
 * then the lane. A submission is answered only when what it says of each envelope is true on disk.
 */
import { hash } from "node:crypto";
import type { Clock, GossipVerdict } from "../../../node/src/host/types.ts";
import type { SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import type { AdmissionReason } from "../../../protocol/src/evidence/reasons.ts";
import { epochOfRound, type Parameters } from "../../../protocol/src/network/parameters.ts";
import { MAX_ENVELOPES_PER_PARCEL } from "../../../protocol/src/wire/envelope.ts";
import { keyOfBytes } from "../bytesKey.ts";
import type { Lane } from "../lanes/lane.ts";
import type { Journeys } from "../tracing/journeys.ts";
import type { VerifierPool } from "../verify/verifierPool.ts";
import { TokenBuckets } from "./buckets.ts";
import { type Candidate, type DecodedItem, decodeCandidates } from "./candidate.ts";
import { ConnectionAllowances } from "./connectionAllowances.ts";
import { computeHoldRounds, HeldGossip } from "./heldGossip.ts";
import { Inbox, type IntakeKind } from "./inbox.ts";
import { PendingIds, type PendingState } from "./pendingIds.ts";
import { type AdmissionView, checkAdmission, gossipVerdictOf, NONCE_WINDOW } from "./rules.ts";

/** Transactions of one account that may come at once: as many as can wait for each other; one a round comes back. */
const TRANSACTIONS_AT_ONCE = NONCE_WINDOW;
/** Senders with a bucket that is not full: a million hotspots, 100 MB. Beyond it the longest idle starts afresh. */
const MAX_SENDER_BUCKETS = 1_000_000;

/** What became of one envelope. `duplicate_message` of a submission: this validator holds it, durably. */
export type AdmittedItem = { readonly id: Uint8Array; readonly reason: AdmissionReason | null };

export type IntakeOptions = {
  readonly parameters: Parameters;
  readonly domains: SigningDomains;
  /** The round that is decided next. */
  readonly nextRound: number;
};
export type IntakeModules = {
  readonly clock: Clock;
  readonly verifier: Pick<VerifierPool, "verify" | "canAcceptWork">;
  readonly lane: Pick<Lane, "append" | "canAcceptWork">;
  readonly isHotspot: (key: Uint8Array) => boolean;
  readonly accountOf: AdmissionView["accountOf"];
  /** Whether an executed round holds the id of a body of this epoch; asked for the epochs of the window only. */
  readonly isIncluded: (epoch: number, id: Uint8Array) => boolean;
  /** Whose turn it is to batch what came by gossip only, by its id (specification A6): 0 for who does so at once. */
  readonly turnOf: (id: Uint8Array) => number;
  readonly onAdmitted?: (kind: IntakeKind, messages: number) => void;
  /** Told of each message that is taken, and of those that are durable in an own batch. */
  readonly journeys?: Pick<Journeys, "onAdmitted" | "onCertified">;
  readonly onRefused?: (kind: IntakeKind, reason: AdmissionReason) => void;
};

export type Intake = {
  /**
   * Admits a submitted parcel. Resolves with one item an envelope once all that was admitted is durable; rejects where
   * the lane failed, and then nothing may be acknowledged. A parcel that is none, or that its connection has no room
   * for, is one item, by the digest of its bytes.
   * @param connection names the connection that it came over.
   */
  readonly submit: (connection: string, parcel: Uint8Array) => Promise<readonly AdmittedItem[]>;
  /** Admits a gossiped parcel; resolves with what gossip does with it, without waiting for the disk. */
  readonly gossip: (
    connection: string,
    kind: "reports" | "transactions",
    parcel: Uint8Array,
  ) => Promise<GossipVerdict>;
  /** Whether an id was admitted here and is in no executed round yet. */
  readonly isPending: (id: Uint8Array) => boolean;
  /** Ids that the lane held when the validator started. */
  readonly remember: (ids: readonly Uint8Array[]) => void;
  /** Another validator's batch holds these messages and is acknowledged: they are waited for in a cut from now on. */
  readonly onOthersBatch: (author: string, idKeys: readonly string[]) => void;
  /** A round with these messages was executed: windows move on, and the lane may have room again. */
  readonly onRound: (round: number, ids: readonly Uint8Array[]) => void;
  readonly depth: (kind: IntakeKind) => { readonly parcels: number; readonly bytes: number };
  /** Parcels whose messages are being checked and brought into the lane. */
  readonly underWay: () => number;
  /** Refuses everything from here on, and what waits. */
  readonly close: () => void;
};

type Work = {
  readonly kind: IntakeKind;
  readonly connection: string;
  readonly bytes: number;
  readonly receivedMs: number;
  readonly items: readonly DecodedItem[];
  readonly settle: (outcome: Outcome) => void;
  readonly fail: (error: unknown) => void;
};
/** Reasons in the order of the items, and what must be on disk before a receipt may say so. */
type Outcome = { readonly reasons: readonly (AdmissionReason | null)[]; readonly durable: Promise<unknown> };

export function createIntake(options: IntakeOptions, modules: IntakeModules): Intake {
  return new ParcelIntake(options, modules);
}

class ParcelIntake implements Intake {
  #options: IntakeOptions;
  #modules: IntakeModules;
  #inbox: Inbox<Work>;
  #connections = new ConnectionAllowances();
  #reportAllowances: TokenBuckets;
  #transactionAllowances: TokenBuckets;
  #pending = new PendingIds();
  #held = new HeldGossip();
  #nextRound: number;
  #epoch: number;
  #underWay = 0;
  #isClosed = false;

  constructor(options: IntakeOptions, modules: IntakeModules) {
    const { parameters } = options;
    this.#options = options;
    this.#modules = modules;
    this.#inbox = new Inbox((work) => this.#refuseAll(work, "busy"));
    this.#reportAllowances = new TokenBuckets({
      capacity: parameters.reportsPerEpoch,
      refillPerMs: parameters.reportsPerEpoch / (parameters.roundsPerEpoch * parameters.roundMs),
      maxBuckets: MAX_SENDER_BUCKETS,
    });
    this.#transactionAllowances = new TokenBuckets({
      capacity: TRANSACTIONS_AT_ONCE,
      refillPerMs: 1 / parameters.roundMs,
      maxBuckets: MAX_SENDER_BUCKETS,
    });
    this.#nextRound = options.nextRound;
    this.#epoch = epochOfRound(parameters, options.nextRound);
  }

  submit = async (connection: string, parcel: Uint8Array): Promise<readonly AdmittedItem[]> => {
    if (!this.#connections.takeParcel(connection, parcel, this.#modules.clock.elapsedMs())) {
      this.#modules.onRefused?.("submission", "rate_limited");
      return [{ id: hash("sha256", parcel, "buffer"), reason: "rate_limited" }];
    }
    const { items, outcome } = this.#receive(connection, "submission", parcel);
    const { reasons, durable } = await outcome;
    await durable;
    return items.map((item, index) => ({ id: idOf(item), reason: reasons[index]! }));
  };

  gossip = async (
    connection: string,
    kind: "reports" | "transactions",
    parcel: Uint8Array,
  ): Promise<GossipVerdict> => {
    if (!this.#connections.takeParcel(connection, parcel, this.#modules.clock.elapsedMs())) {
      this.#modules.onRefused?.(kind, "rate_limited");
      return gossipVerdictOf(["rate_limited"]);
    }
    const { outcome } = this.#receive(connection, kind, parcel);
    const { reasons, durable } = await outcome;
    // Gossip promises nothing: whoever needs certainty submits. A failed write stops the validator elsewhere.
    durable.catch(() => {});
    return gossipVerdictOf(reasons);
  };

  isPending = (id: Uint8Array): boolean => this.#pending.get(keyOfBytes(id)) !== undefined;

  remember = (ids: readonly Uint8Array[]): void => {
    for (const id of ids) this.#pending.add(keyOfBytes(id), "durable");
  };

  onOthersBatch = (author: string, idKeys: readonly string[]): void => {
    for (const idKey of idKeys) this.#held.renew(idKey, author, this.#dueRound());
  };

  onRound = (round: number, ids: readonly Uint8Array[]): void => {
    for (const id of ids) {
      const idKey = keyOfBytes(id);
      this.#pending.forget(idKey);
      this.#held.forget(idKey);
    }
    this.#nextRound = round + 1;
    const epoch = epochOfRound(this.#options.parameters, this.#nextRound);
    if (epoch > this.#epoch) {
      this.#epoch = epoch;
      const nowMs = this.#modules.clock.elapsedMs();
      for (const each of [this.#connections, this.#reportAllowances, this.#transactionAllowances])
        each.prune(nowMs);
    }
    this.#admitHeld();
    this.#pump();
  };

  depth = (kind: IntakeKind) => this.#inbox.depth(kind);

  underWay = (): number => this.#underWay;

  close = (): void => {
    this.#isClosed = true;
    for (let work = this.#inbox.take(); work !== null; work = this.#inbox.take())
      this.#refuseAll(work, "busy");
  };

  /** Size, form, and what its devices' signatures cost the connection; then the parcel waits for the verifier. */
  #receive(
    connection: string,
    kind: IntakeKind,
    parcel: Uint8Array,
  ): { items: DecodedItem[]; outcome: Promise<Outcome> } {
    const decoded = decodeCandidates(parcel, this.#options.domains);
    const items = decoded.map((item) => checkKind(item, kind));
    const { promise, resolve, reject } = Promise.withResolvers<Outcome>();
    const { clock } = this.#modules;
    const work = {
      kind,
      connection,
      bytes: parcel.length,
      receivedMs: clock.nowMs(),
      items,
      settle: resolve,
      fail: reject,
    };
    if (!this.#connections.takeSurcharge(connection, items, clock.elapsedMs()))
      this.#refuseAll(work, "rate_limited");
    else if (this.#isClosed) this.#refuseAll(work, "busy");
    else if (items.some((item) => item.ok)) {
      this.#inbox.put(work);
      this.#pump();
    } else this.#settle(work, items.map(reasonOf), []);
    return { items, outcome: promise };
  }

  /** Takes work while those after it have room: the verifier first, then the lane. */
  #pump(): void {
    while (!this.#isClosed && this.#modules.verifier.canAcceptWork() && this.#modules.lane.canAcceptWork()) {
      const work = this.#inbox.take();
      if (work === null) return;
      void this.#process(work).finally(() => this.#pump());
    }
  }

  async #process(work: Work): Promise<void> {
    this.#underWay++;
    try {
      const signatureReasons = await this.#verifySignatures(work.items);
      this.#admit(work, signatureReasons);
    } catch (error) {
      work.fail(error);
    } finally {
      this.#underWay--;
    }
  }

  /** A reason an item: null where every signature is valid. */
  async #verifySignatures(items: readonly DecodedItem[]): Promise<(AdmissionReason | null)[]> {
    const claims = items.flatMap((item) => (item.ok ? item.candidate.claims : []));
    const answers = claims.length === 0 ? new Uint8Array(0) : await this.#modules.verifier.verify(claims);
    const faults = new Map<DecodedItem, AdmissionReason>();
    let at = 0;
    for (const item of items) {
      if (!item.ok) continue;
      const own = answers.subarray(at, at + item.candidate.claims.length);
      at += own.length;
      if (own[0] === 0) faults.set(item, "bad_signature");
      else if (own.includes(0)) faults.set(item, "bad_cosignature");
    }
    return items.map((item) => reasonOf(item) ?? faults.get(item) ?? null);
  }

  /**
   * The rules that need state, then the lane: all in one turn, so that whatever came in while the verifier worked is
   * seen here, and nothing comes between a check and what it allows.
   */
  #admit(work: Work, signatureReasons: readonly (AdmissionReason | null)[]): void {
    const admitted: Candidate[] = [];
    const repeated: PendingState[] = [];
    const isSubmitted = work.kind === "submission";
    const view = this.#view(isSubmitted);
    const durable = Promise.withResolvers<void>();
    const reasons = work.items.map((item, index) => {
      const signatureReason = signatureReasons[index]!;
      if (!item.ok || signatureReason !== null) return signatureReason;
      const { candidate } = item;
      const reason = checkAdmission(candidate, view);
      if (reason === "duplicate_message") repeated.push(this.#pending.get(candidate.idKey) ?? "durable");
      if (reason !== null) return reason;
      this.#spendAllowance(candidate);
      this.#modules.journeys?.onAdmitted(candidate.id, work.kind, work.receivedMs);
      const turn = isSubmitted ? 0 : this.#modules.turnOf(candidate.id);
      if (turn > 0) {
        this.#held.put(candidate, this.#dueRound() + turn - 1);
        return null;
      }
      this.#held.forget(candidate.idKey);
      this.#pending.add(candidate.idKey, { durable: durable.promise });
      admitted.push(candidate);
      return null;
    });
    this.#append(work.kind, admitted).then(durable.resolve, durable.reject);
    const others = repeated.flatMap((state) => (state === "durable" ? [] : [state.durable]));
    this.#settle(work, reasons, [durable.promise, ...others]);
  }

  /** Into the lane; resolves once all are durable, and remembered as such. */
  async #append(kind: IntakeKind, admitted: readonly Candidate[]): Promise<void> {
    this.#modules.onAdmitted?.(kind, admitted.length);
    if (admitted.length === 0) return;
    await this.#modules.lane.append(admitted.map(({ bytes }) => bytes));
    for (const { idKey } of admitted) this.#pending.settle(idKey);
    this.#modules.journeys?.onCertified(admitted.map(({ id }) => id));
  }

  /** When patience ends with what is held from now on. */
  #dueRound(): number {
    return this.#nextRound + computeHoldRounds(this.#options.parameters);
  }

  /** Batches what its nearest validators have not brought into a cut for so long, as far as the lane has room. */
  #admitHeld(): void {
    while (!this.#isClosed && this.#modules.lane.canAcceptWork()) {
      const due = this.#held.takeDue(this.#nextRound, MAX_ENVELOPES_PER_PARCEL);
      if (due.length === 0) return;
      const view = { ...this.#view(true), hasAllowance: () => true };
      const admitted = due.filter((candidate) => checkAdmission(candidate, view) === null);
      for (const kind of ["reports", "transactions"] as const) {
        const own = admitted.filter((candidate) => (candidate.kind === "reports") === (kind === "reports"));
        const durable = this.#append(kind, own);
        // As with gossip that is batched at once: a failed write stops the validator elsewhere.
        durable.catch(() => {});
        for (const { idKey } of own) this.#pending.add(idKey, { durable });
      }
    }
  }

  /** @param isSubmitted what is held counts as seen where it comes again by gossip, and not where it is submitted. */
  #view(isSubmitted: boolean): AdmissionView {
    return {
      epoch: this.#epoch,
      isHotspot: this.#modules.isHotspot,
      accountOf: this.#modules.accountOf,
      txFee: this.#options.parameters.txFee,
      isSeen: ({ epoch, id, idKey }) =>
        this.#pending.get(idKey) !== undefined ||
        (!isSubmitted && this.#held.has(idKey)) ||
        this.#modules.isIncluded(epoch, id),
      // What is held has used its share of the allowance.
      hasAllowance: (candidate) =>
        this.#held.has(candidate.idKey) ||
        this.#allowancesOf(candidate).has(
          candidate.senderKey,
          candidate.weight,
          this.#modules.clock.elapsedMs(),
        ),
    };
  }

  #spendAllowance(candidate: Candidate): void {
    if (this.#held.has(candidate.idKey)) return;
    this.#allowancesOf(candidate).take(
      candidate.senderKey,
      candidate.weight,
      this.#modules.clock.elapsedMs(),
    );
  }

  #allowancesOf(candidate: Candidate): TokenBuckets {
    return candidate.kind === "reports" ? this.#reportAllowances : this.#transactionAllowances;
  }

  /** Refuses what is well-formed with this reason; what is not keeps its own. */
  #refuseAll(work: Work, reason: AdmissionReason): void {
    this.#settle(
      work,
      work.items.map((item) => reasonOf(item) ?? reason),
      [],
    );
  }

  #settle(work: Work, reasons: readonly (AdmissionReason | null)[], durable: readonly Promise<void>[]): void {
    for (const reason of reasons) if (reason !== null) this.#modules.onRefused?.(work.kind, reason);
    work.settle({ reasons, durable: Promise.all(durable) });
  }
}

const idOf = (item: DecodedItem): Uint8Array => (item.ok ? item.candidate.id : item.id);
const reasonOf = (item: DecodedItem): AdmissionReason | null => (item.ok ? null : item.reason);

/** A topic carries its own kind only; a submission may carry any. */
function checkKind(item: DecodedItem, kind: IntakeKind): DecodedItem {
  if (!item.ok || kind === "submission") return item;
  const fits = (item.candidate.kind === "reports") === (kind === "reports");
  return fits ? item : { ok: false, id: item.candidate.id, reason: "unknown_kind" };
}
