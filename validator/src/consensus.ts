/**
 * What a validator does with the others: their lanes and acknowledgements, agreement over the mesh, batches fetched
 * where they are missing, and a watch on everybody's state. One that is alone does the same, and hears nobody.
 */
import type { Clock, Log } from "../../node/src/host/types.ts";
import type { VerifySignature } from "../../protocol/src/agreement/certificates.ts";
import type { DropReason } from "../../protocol/src/agreement/drops.ts";
import type { Place } from "../../protocol/src/agreement/lanes/index.ts";
import type { Ack, PeerMessage, PeerMessageType } from "../../protocol/src/agreement/peerMessages.ts";
import type { AvailabilityCert } from "../../protocol/src/agreement/rounds.ts";
import type { SigningDomains } from "../../protocol/src/crypto/domain.ts";
import type { Genesis } from "../../protocol/src/network/genesis.ts";
import { epochOfRound } from "../../protocol/src/network/parameters.ts";
import type { ExecutedBatches, ExecutedRound, Executor } from "./execution/executor.ts";
import { SnapshotServer } from "./execution/snapshotServer.ts";
import { answerFetch } from "./fetchAnswers.ts";
import type { Forgeries } from "./forgeries.ts";
import { AckGatherer } from "./lanes/ackGatherer.ts";
import { AvailabilityBook } from "./lanes/availability.ts";
import { BatchFetcher } from "./lanes/batchFetcher.ts";
import type { Lane } from "./lanes/lane.ts";
import { LaneAdoption } from "./lanes/laneAdoption.ts";
import { LostAcks } from "./lanes/lostAcks.ts";
import { PeerLanes } from "./lanes/peerLanes.ts";
import { UnusedBodies } from "./lanes/unusedBodies.ts";
import type { Mesh, MeshHandlers, PeerName } from "./mesh/mesh.ts";
import type { Recovered } from "./recovery.ts";
import type { Finalized } from "./rounds/agreement.ts";
import type { Attestor } from "./rounds/attestor.ts";
import { DivergenceWatch } from "./rounds/divergenceWatch.ts";
import type { EvidencePool } from "./rounds/evidencePool.ts";
import { createMeshAgreement, type MeshAgreement } from "./rounds/meshAgreement.ts";
import { RestoreGuard } from "./rounds/restoreGuard.ts";
import type { KnownSets } from "./rounds/validatorSets.ts";
import type { Votes } from "./rounds/votes.ts";
import type { Signer } from "./signer.ts";
import type { Storage } from "./storage.ts";
import { toError } from "./toError.ts";
import type { VerifierPool } from "./verify/verifierPool.ts";

export type ConsensusOptions = {
  readonly genesis: Genesis;
  readonly domains: SigningDomains;
  readonly signer: Signer;
  /** d: the delay within which most messages between validators arrive. */
  readonly delayMs: number;
};
export type ConsensusModules = {
  readonly clock: Clock;
  readonly log: Log;
  readonly storage: Storage;
  readonly verify: VerifySignature;
  readonly verifier: Pick<VerifierPool, "verify">;
  readonly recovered: Recovered;
  readonly mesh: Mesh;
  readonly sets: KnownSets;
  readonly attestor: Attestor;
  /** The parts that are made with this one's help, asked for when they are needed. */
  readonly lane: () => Lane;
  readonly executor: () => Pick<Executor, "executed" | "backlog">;
  /** A batch of another's lane is about to be acknowledged, with these messages. */
  readonly onOthersBatch: (author: PeerName, idKeys: readonly string[]) => void;
  readonly onFinalized: (finalized: Finalized) => void;
  /** Whether to make a value of its own where it leads. */
  readonly mayPropose: () => boolean;
  /** The votes are older than what others hold of this validator; told once. */
  readonly onRestored: () => void;
  readonly onViewChanges: (views: number) => void;
  readonly evidence: EvidencePool;
  readonly onDropped: (message: PeerMessageType, reason: DropReason) => void;
  /** What `onDropped` is told of as well, and `verify` counts for. */
  readonly forgeries: Forgeries;
  readonly onFailure: (error: Error) => void;
};

export type Consensus = {
  readonly agreement: MeshAgreement;
  readonly acks: AckGatherer;
  readonly fetcher: BatchFetcher;
  readonly lostAcks: LostAcks;
  readonly guard: RestoreGuard;
  readonly handlers: MeshHandlers;
  readonly onExecuted: (executed: ExecutedRound & ExecutedBatches) => void;
  /** Asks again for what waited for acknowledgements when the validator ended, and goes on gathering. */
  readonly start: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

export function createConsensus(options: ConsensusOptions, modules: ConsensusModules): Consensus {
  const { genesis, signer } = options;
  const { clock, log, sets, storage, recovered } = modules;
  if (recovered.lane.isForgotten) adoptForgottenEnd(recovered.lane.end, storage.votes);
  const lanes = openLanes(options, modules, { agreement: () => agreement, guard: () => guard });
  const { fetcher, acks, lostAcks, peerLanes, unusedBodies, adoption } = lanes;
  const snapshots = new SnapshotServer({ store: storage.store, elapsedMs: clock.elapsedMs });
  const divergence = new DivergenceWatch(
    { self: signer.publicKey, execLagRounds: genesis.parameters.execLagRounds },
    { sets, log, onFailure: modules.onFailure },
  );
  const guard = openGuard(options, modules, lanes, () => agreement);
  const onFinalized = (finalized: Finalized): void => {
    const { cut: decided } = finalized.value;
    adoption.onCut(decided);
    guard.onDecided(finalized);
    // What this validator acknowledged is here; what it missed is on its way before its round is executed.
    fetcher.prefetch(peerLanes.listMissing(decided));
    peerLanes.onCut(decided);
    divergence.onDecided(finalized.value);
    modules.evidence.onDecided(finalized.value);
    modules.onFinalized(finalized);
  };
  const agreement = openAgreement(options, { ...modules, onFinalized, guard }, lanes.availability);
  return {
    agreement,
    acks,
    fetcher,
    lostAcks,
    guard,
    handlers: {
      onMessage: createMessageHandler(modules, lanes, agreement),
      answer: (fetch, from) => answerFetch(fetch, from, { ...storage, ...lanes, agreement, snapshots }),
    },
    onExecuted: (executed) => {
      const { round, stateDigest } = executed.result;
      divergence.onExecuted({ round, digest: stateDigest });
      lostAcks.onExecuted();
      unusedBodies.onExecuted(executed);
      snapshots.forgetUnused();
      agreement.onProgress();
    },
    start: async () => {
      const { last, end } = recovered.lane;
      const waiting =
        last !== null && last.seq > end.seq ? await storage.batches.getBatch(last.digest) : null;
      if (waiting !== null) acks.request(last!, waiting);
      acks.start();
      adoption.start();
      // The end may have come after these were stored and before they were looked at.
      for (const finalized of recovered.undone) guard.onDecided(finalized);
      guard.start();
    },
    stop: async () => {
      guard.stop();
      adoption.stop();
      acks.stop();
      fetcher.stop();
      await peerLanes.stop();
    },
  };
}

/** What of the lanes needs the others. The parts that are made later are asked for when they are needed. */
function openLanes(
  { genesis, domains, signer, delayMs }: ConsensusOptions,
  modules: ConsensusModules,
  late: { readonly agreement: () => MeshAgreement; readonly guard: () => RestoreGuard },
) {
  const { clock, log, mesh, sets, storage, verify, recovered, evidence, onDropped, onFailure } = modules;
  const { votes, batches } = storage;
  const cut = recovered.last?.value.cut ?? [];
  const laneEndOf = (key: Uint8Array) => recovered.ledger.laneEndOf(key);
  const nextRound = () => late.agreement().newestRound() + 1;
  const epoch = () => epochOfRound(genesis.parameters, nextRound());
  const availability = new AvailabilityBook({ sets, domains, verify, laneEndOf, cut }, modules);
  const fetcher = new BatchFetcher({ mesh, sets, batches, clock, log });
  const onProgress = () => late.agreement().onProgress();
  const onCertificate = (cert: AvailabilityCert): void => {
    availability.put(cert);
    modules.lane().onCertificate(cert);
    onProgress();
  };
  const onConflict = evidence.add;
  const acks = new AckGatherer(
    { sets, domains, resendMs: 2 * delayMs },
    { mesh, signer, verify, clock, epoch, onCertificate, onConflict, onDropped },
  );
  const lostAcks = new LostAcks(
    { self: signer.publicKey, parameters: genesis.parameters },
    { votes, sets, freshRound: () => late.guard().freshRound(), log },
  );
  const mayAcknowledge = (ack: Ack["ack"]) =>
    late.guard().maySign(nextRound()) && lostAcks.mayAcknowledge(ack);
  const peerLanes = new PeerLanes(
    { sets, domains, cut },
    { ...modules, signer, batches, votes, fetcher, laneEndOf, epoch, mayAcknowledge, onConflict },
  );
  const unusedBodies = new UnusedBodies({ ...storage, isMember: sets.isMember, laneEndOf, log });
  const adoption = new LaneAdoption(
    { self: signer.publicKey, end: recovered.lane.end },
    { votes, fetcher, acks, lane: modules.lane, onProgress, onFailure },
  );
  return { availability, fetcher, acks, lostAcks, peerLanes, unusedBodies, adoption, epoch };
}

type Lanes = ReturnType<typeof openLanes>;

function openGuard(
  { domains, signer, delayMs }: ConsensusOptions,
  modules: ConsensusModules,
  { adoption, lostAcks }: Lanes,
  agreement: () => MeshAgreement,
): RestoreGuard {
  const { votes } = modules.storage;
  return new RestoreGuard(
    { self: signer.publicKey, domains, retryMs: 2 * delayMs, isMarkedRestored: votes.isRestored() },
    {
      ...modules,
      votes,
      nextRound: () => agreement().newestRound() + 1,
      showRounds: (name, claimed) => agreement().showRounds(name, claimed),
      lane: adoption,
      onProgress: () => agreement().onProgress(),
      onRestored: () => {
        // What was found in decided rounds is not searched for again after a restart.
        if (!votes.isRestored()) {
          votes.markRestored();
          lostAcks.onLost();
        }
        modules.onRestored();
      },
      onFirstSigning: votes.unmarkRestored,
    },
  );
}

/** Takes each of the others' messages to who waits for it. */
function createMessageHandler(
  { attestor, evidence, forgeries, onFailure }: ConsensusModules,
  { peerLanes, acks, availability }: Lanes,
  agreement: MeshAgreement,
): MeshHandlers["onMessage"] {
  const takeMessage = (from: PeerName, message: PeerMessage): void => {
    switch (message.type) {
      case "batch":
        peerLanes.onBatch(from, message.signed);
        break;
      case "ack":
        acks.onAck(message.ack);
        break;
      case "availability":
        if (availability.put(message.cert)) agreement.onProgress();
        break;
      case "attest":
        attestor.onAttest(from, message.signed);
        break;
      case "rewardCert":
        attestor.onRewardCert(message.cert);
        break;
      case "evidence":
        if (!evidence.hear(message.evidence)) forgeries.onDropped("bad_signature");
        break;
      default:
        agreement.onMessage(from, message);
    }
  };
  // What peers send is judged by returned values, so what is thrown is no fault of theirs: the disk failed, or a bug left
  // the state half changed. Left to the stream it would end the peer's channel, and nobody would be told.
  return (from, message) => {
    try {
      forgeries.hear(from, () => takeMessage(from, message));
    } catch (error) {
      onFailure(toError(error));
    }
  };
}

function openAgreement(
  { genesis, domains, signer, delayMs }: ConsensusOptions,
  modules: ConsensusModules & { readonly guard: RestoreGuard },
  availability: AvailabilityBook,
): MeshAgreement {
  const { recovered, attestor, storage, guard } = modules;
  const { parameters, timeMs: genesisTimeMs } = genesis;
  return createMeshAgreement(
    { parameters, domains, genesisTimeMs, last: recovered.last, delayMs },
    {
      ...modules,
      signer,
      availability,
      votes: storage.votes,
      executed: () => modules.executor().executed(),
      backlog: () => modules.executor().backlog(),
      seedOf: (epoch) => recovered.ledger.seedOf(epoch),
      // Sets are known from the checkpoint on that a home began with: before it the operator's word stands.
      hasRewardCert: (epoch) => attestor.hasRewardCert(epoch) || modules.sets.setOf(epoch) === null,
      maySign: (round) => guard.maySign(round),
      onSigning: (round) => guard.onSigning(round),
      hear: (from, take) => modules.forgeries.hear(from, take),
      listEvidence: (round) => modules.evidence.listFor(round),
      onEvidence: modules.evidence.add,
    },
  );
}

/**
 * The cuts have own batches that the votes do not know, so other things may have been signed as well that they do not
 * know. Said first, so that a crash in between leaves the end to be found again.
 */
function adoptForgottenEnd(end: Place, votes: Pick<Votes, "adoptBatch" | "markRestored">): void {
  votes.markRestored();
  votes.adoptBatch(end);
}
