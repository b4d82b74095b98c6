/**
 * The part of a validator that agrees and executes: intake, lane, agreement and execution, wired to each other over an
 * opened home. Sockets are not in here; a message's way is intake.ts, lane.ts, meshAgreement.ts, executor.ts, and the
 * ledger. A validator that is alone runs the same parts as one among a hundred.
 */
import type { Clock, Log } from "../../node/src/host/types.ts";
import type { VerifySignature } from "../../protocol/src/agreement/certificates.ts";
import type { DropReason } from "../../protocol/src/agreement/drops.ts";
import type { PeerMessageType } from "../../protocol/src/agreement/peerMessages.ts";
import type { Evidence } from "../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../protocol/src/bytes/bytes.ts";
import type { SigningDomains } from "../../protocol/src/crypto/domain.ts";
import type { AdmissionReason } from "../../protocol/src/evidence/reasons.ts";
import type { Genesis } from "../../protocol/src/network/genesis.ts";
import { computeParametersHash } from "../../protocol/src/network/parameters.ts";
import { type Consensus, createConsensus } from "./consensus.ts";
import { createExecutor, type ExecutedRound, type Executor } from "./execution/executor.ts";
import { Forgeries } from "./forgeries.ts";
import { computeTurn } from "./intake/heldGossip.ts";
import type { IntakeKind } from "./intake/inbox.ts";
import { createIntake, type Intake } from "./intake/intake.ts";
import { createLane, type Lane } from "./lanes/lane.ts";
import type { Mesh, MeshHandlers } from "./mesh/mesh.ts";
import type { Recovered } from "./recovery.ts";
import type { Finalized } from "./rounds/agreement.ts";
import { Attestor } from "./rounds/attestor.ts";
import { EvidencePool } from "./rounds/evidencePool.ts";
import type { MeshAgreement } from "./rounds/meshAgreement.ts";
import { createRememberedVerifier } from "./rounds/rememberedVerifier.ts";
import type { RestoreGuard } from "./rounds/restoreGuard.ts";
import type { KnownSets } from "./rounds/validatorSets.ts";
import type { Signer } from "./signer.ts";
import type { Storage } from "./storage.ts";
import type { RetentionPolicy } from "./store/store.ts";
import type { Journeys } from "./tracing/journeys.ts";
import type { VerifierPool } from "./verify/verifierPool.ts";
import { verifyEd25519 } from "./verify/verifyEd25519.ts";

export type CoreOptions = {
  readonly genesis: Genesis;
  readonly domains: SigningDomains;
  readonly signer: Signer;
  readonly retention: RetentionPolicy;
  readonly snapshotEpochs: number;
};
export type CoreModules = {
  readonly clock: Clock;
  readonly log: Log;
  readonly storage: Storage;
  readonly verifier: Pick<VerifierPool, "verify" | "canAcceptWork">;
  readonly recovered: Recovered;
  /** The way to the other validators. */
  readonly mesh: Mesh;
  readonly sets: KnownSets;
  readonly observer: CoreObserver;
  /** Keeps when messages passed through, for those who ask. */
  readonly journeys?: Journeys;
  /** Something failed that the validator cannot go on without. */
  readonly onFailure: (error: Error) => void;
  /** What judges validators' signatures; by default the network's rule. A simulation has a cheaper one. */
  readonly verify?: VerifySignature;
  /** Lets others have their turn between pieces of work; by default the event loop's. */
  readonly yieldTurn?: () => Promise<void>;
};

/** Who is told what happens; the metrics are one of them. */
export type CoreObserver = {
  readonly onAdmitted: (kind: IntakeKind, messages: number) => void;
  readonly onRefused: (kind: IntakeKind, reason: AdmissionReason) => void;
  readonly onBatch: (bytes: number, milliseconds: number) => void;
  readonly onRoundDecided: () => void;
  readonly onRoundExecuted: (executed: ExecutedRound) => void;
  /** A round was decided after so many leaders were passed over. */
  readonly onViewChanges: (views: number) => void;
  /** A validator signed what no honest one signs. */
  readonly onEvidence: (evidence: Evidence) => void;
  readonly onRewardCert: () => void;
  /** The votes are older than what others hold of this validator: it signs nothing for now. */
  readonly onRestored: () => void;
  /** Validators attested differently of one epoch. */
  readonly onSplitAttestation: () => void;
  /** What another validator said had no effect. */
  readonly onDropped: (message: PeerMessageType, reason: DropReason) => void;
};

export type Core = {
  readonly intake: Intake;
  readonly lane: Lane;
  readonly executor: Executor;
  readonly agreement: MeshAgreement;
  readonly attestor: Attestor;
  /** What takes the other validators' messages. */
  readonly handlers: MeshHandlers;
  readonly guard: RestoreGuard;
  /**
   * Begins to execute what was decided before the last end. Rounds go on beside that, since batches may have to come
   * from the others first.
   */
  readonly catchUp: () => Promise<void>;
  /** Takes on nothing more, and leaves proposals to others; all else goes on. */
  readonly withdraw: () => void;
  readonly isWithdrawn: () => boolean;
  /** Parcels and own batches that were taken on and are in no executed round yet. */
  readonly countWaiting: () => number;
  /** Batches that execution waits for, and that nobody who can be asked has. */
  readonly missingBatches: () => number;
  /** Epochs until this validator acknowledges others' batches again, since its home was lost or restored; else 0. */
  readonly ackWaitEpochs: () => number;
  /** Decides no further round, refuses what waits, and finishes what is under way. */
  readonly close: () => Promise<void>;
};

/**
 * A batch waits for company for at most this long, or a quarter of a round where that is shorter. Each batch costs every
 * validator a durable acknowledgement, and whoever catches up a question; a hotspot does not notice a tenth of a second.
 */
const FLUSH_MAX_MS = 100;

/**
 * The delay within which most messages between validators arrive, as a share of a round: views time out after six of
 * them. Not below what a busy machine needs for a commit and an answer, nor above what any continent needs.
 */
const DELAYS_PER_ROUND = 4;
const DELAY_MIN_MS = 150;
const DELAY_MAX_MS = 500;

/** Wires the parts; nothing runs before `catchUp` and `agreement.start`. */
export function createCore(options: CoreOptions, given: CoreModules): Core {
  const forgeries = new Forgeries(given.mesh);
  const modules = { ...given, observer: watchForgeries(given.observer, forgeries) };
  const { recovered, onFailure } = modules;
  const { delayMs } = timesOf(options);
  const verify = modules.verify ?? createRememberedVerifier(forgeries.count(verifyEd25519));
  const nextRound = () => consensus.agreement.newestRound() + 1;
  const evidence = openEvidencePool(options, modules, { verify, nextRound });
  const attestor = openAttestor(options, modules, verify, evidence);
  const onFinalized = (finalized: Finalized): void => {
    const seq = ownSeqOf(finalized, options.signer);
    lane.onCut(seq);
    consensus.acks.onCut(seq);
    executor.enqueue(finalized);
    modules.observer.onRoundDecided();
  };
  let isWithdrawn = false;
  const consensus = createConsensus(
    { ...options, delayMs },
    {
      ...modules,
      verify,
      attestor,
      lane: () => lane,
      executor: () => executor,
      onOthersBatch: (author, idKeys) => intake.onOthersBatch(author, idKeys),
      onFinalized,
      onViewChanges: modules.observer.onViewChanges,
      onRestored: modules.observer.onRestored,
      onDropped: modules.observer.onDropped,
      forgeries,
      // Alone it is the only one who can.
      mayPropose: () => !isWithdrawn || modules.sets.setOfRound(nextRound())?.keys.length === 1,
      evidence,
      onFailure,
    },
  );
  const { agreement } = consensus;
  const lane = openLane(options, modules, consensus);
  const intake = openIntake(options, modules, { lane, consensus });
  intake.remember(recovered.lane.waitingIds);
  const executor = openExecutor(options, modules, { intake, attestor, consensus });
  return {
    intake,
    lane,
    executor,
    agreement,
    attestor,
    handlers: consensus.handlers,
    guard: consensus.guard,
    missingBatches: () => consensus.fetcher.countMissing(),
    ackWaitEpochs: () => consensus.lostAcks.countWaitEpochs(recovered.ledger.nextEpoch),
    catchUp: async () => {
      attestor.start(recovered.ledger.lastClosedEpoch);
      // The end may have come after the epoch was stored and before it was attested to.
      const closed = await modules.storage.store.latestEpoch();
      if (closed !== null) attestor.onEpochClosed(closed);
      for (const finalized of recovered.undone) executor.enqueue(finalized);
      await consensus.start();
    },
    withdraw: () => {
      isWithdrawn = true;
      intake.close();
    },
    isWithdrawn: () => isWithdrawn,
    countWaiting: () => {
      const named = modules.storage.votes.lastBatch()?.seq ?? 0;
      const { seq: executed } = recovered.ledger.laneEndOf(options.signer.publicKey);
      return intake.underWay() + Math.max(lane.waiting(), named - executed);
    },
    close: async () => {
      agreement.stop();
      attestor.stop();
      intake.close();
      await lane.close();
      await consensus.stop();
      await executor.stop();
    },
  };
}

const watchForgeries = (observer: CoreObserver, forgeries: Forgeries): CoreObserver => ({
  ...observer,
  onDropped: (message, reason) => {
    forgeries.onDropped(reason);
    observer.onDropped(message, reason);
  },
});

function timesOf({ genesis }: CoreOptions): { flushMs: number; delayMs: number } {
  const { roundMs } = genesis.parameters;
  const share = roundMs / DELAYS_PER_ROUND;
  const delayMs = Math.min(Math.max(share, DELAY_MIN_MS), DELAY_MAX_MS);
  return { flushMs: Math.min(share, FLUSH_MAX_MS), delayMs };
}

function openEvidencePool(
  { genesis, domains, signer }: CoreOptions,
  { storage, recovered, sets, mesh, observer, log, onFailure }: CoreModules,
  parts: { readonly verify: VerifySignature; readonly nextRound: () => number },
): EvidencePool {
  const { votes } = storage;
  const isTombstoned = (key: Uint8Array) => recovered.ledger.viewValidator(key)?.isTombstoned ?? false;
  return new EvidencePool(
    { parameters: genesis.parameters, domains, self: signer.publicKey },
    {
      ...{ votes, log, isTombstoned, mesh, onFailure, ...parts },
      isMember: sets.isMember,
      onEvidence: observer.onEvidence,
    },
  );
}

function openAttestor(
  options: CoreOptions,
  modules: CoreModules,
  verify: VerifySignature,
  evidence: EvidencePool,
): Attestor {
  const { genesis, domains, signer } = options;
  const { clock, log, storage, observer, onFailure, mesh, sets } = modules;
  return new Attestor(
    {
      sets,
      domains,
      parametersHash: computeParametersHash(genesis.parameters),
      repeatMs: genesis.parameters.roundMs,
    },
    {
      clock,
      log,
      signer,
      verify,
      votes: storage.votes,
      mesh,
      onRewardCert: observer.onRewardCert,
      onSplit: observer.onSplitAttestation,
      onDropped: observer.onDropped,
      onConflict: evidence.add,
      onFailure,
    },
  );
}

function openLane(options: CoreOptions, modules: CoreModules, consensus: Consensus): Lane {
  const { signer } = options;
  const { clock, storage, recovered, observer, onFailure } = modules;
  const { last, end } = recovered.lane;
  const { votes, batches } = storage;
  const { flushMs } = timesOf(options);
  return createLane(
    { flushMs, last, cutSeq: end.seq },
    {
      clock,
      signer,
      votes,
      batches,
      onFailure,
      onBatch: observer.onBatch,
      requestAcks: consensus.acks.request,
    },
  );
}

/** Only who has a seat gets its lane acknowledged, so others take on nothing: whoever submits tries elsewhere. */
function openIntake(
  options: CoreOptions,
  modules: CoreModules,
  { lane, consensus }: { readonly lane: Lane; readonly consensus: Consensus },
): Intake {
  const { genesis, domains, signer } = options;
  const { clock, sets, verifier, observer, recovered } = modules;
  const { ledger } = recovered;
  const nextSet = () => sets.setOfRound(consensus.agreement.newestRound() + 1);
  return createIntake(
    { parameters: genesis.parameters, domains, nextRound: ledger.round + 1 },
    {
      clock,
      lane: {
        ...lane,
        canAcceptWork: () => {
          const isSeated = nextSet()?.positionOf(signer.publicKey) !== undefined;
          return isSeated && consensus.guard.mayAuthor() && lane.canAcceptWork();
        },
      },
      verifier,
      isHotspot: (key) => ledger.registry.find(key) !== null,
      accountOf: (key) => ledger.accounts.find(key),
      isIncluded: (epoch, id) => ledger.seen.has(epoch, id),
      turnOf: (id) => {
        const set = nextSet();
        const seat = set?.positionOf(signer.publicKey);
        // Without a seat nothing is batched, whenever its turn comes.
        return seat === undefined ? 1 : computeTurn(id, seat, set!.keys.length);
      },
      onAdmitted: observer.onAdmitted,
      ...(modules.journeys === undefined ? {} : { journeys: modules.journeys }),
      onRefused: observer.onRefused,
    },
  );
}

function openExecutor(
  options: CoreOptions,
  modules: CoreModules,
  parts: { readonly intake: Intake; readonly attestor: Attestor; readonly consensus: Consensus },
): Executor {
  const { intake, attestor, consensus } = parts;
  const { domains, signer, retention, snapshotEpochs } = options;
  const { sets, storage, recovered, observer, log, onFailure } = modules;
  return createExecutor(
    { retention, snapshotEpochs },
    {
      domains,
      log,
      onFailure,
      ledger: recovered.ledger,
      store: storage.store,
      batches: storage.batches,
      source: consensus.fetcher,
      elapsedMs: () => performance.now(),
      ...(modules.yieldTurn === undefined ? {} : { yieldTurn: modules.yieldTurn }),
      onExecuted: (executed) => {
        const { result, messageIds, finalized } = executed;
        intake.onRound(result.round, messageIds);
        if (result.epochClose !== null) {
          sets.update();
          attestor.onEpochClosed(result.epochClose);
          // What is executed is in the store with its certificate; the votes need it no more.
          storage.votes.prune(finalized.round, ownSeqOf(finalized, signer));
        }
        consensus.onExecuted(executed);
        observer.onRoundExecuted(executed);
      },
    },
  );
}

const ownSeqOf = ({ value }: Finalized, { publicKey }: Signer): number =>
  value.cut.find(({ lane }) => equalBytes(lane, publicKey))?.seq ?? 0;
