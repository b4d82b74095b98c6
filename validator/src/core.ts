/**
 * The part of a validator that agrees and executes: intake, lane, agreement and execution, wired to each other over an
 * opened home. Sockets are not in here; a message's way is intake.ts, lane.ts, soloAgreement.ts, executor.ts, and the
 * ledger.
 */
import type { Clock, Log } from "../../node/src/host/types.ts";
import { verifySignature } from "../../node/src/host/verify.ts";
import type { ValidatorSet } from "../../protocol/src/agreement/certificates.ts";
import { equalBytes } from "../../protocol/src/bytes/bytes.ts";
import type { SigningDomains } from "../../protocol/src/crypto/domain.ts";
import type { AdmissionReason } from "../../protocol/src/evidence/reasons.ts";
import type { Genesis } from "../../protocol/src/network/genesis.ts";
import { createExecutor, type ExecutedRound, type Executor } from "./execution/executor.ts";
import type { IntakeKind } from "./intake/inbox.ts";
import { createIntake, type Intake } from "./intake/intake.ts";
import { createLane, type Lane } from "./lanes/lane.ts";
import type { Recovered } from "./recovery.ts";
import type { Agreement, Finalized } from "./rounds/agreement.ts";
import { createSoloAgreement } from "./rounds/soloAgreement.ts";
import type { Signer } from "./signer.ts";
import type { Storage } from "./storage.ts";
import type { RetentionPolicy } from "./store/store.ts";
import type { VerifierPool } from "./verify/verifierPool.ts";

export type CoreOptions = {
  readonly genesis: Genesis;
  readonly domains: SigningDomains;
  readonly set: ValidatorSet;
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
  readonly observer: CoreObserver;
  /** Something failed that the validator cannot go on without. */
  readonly onFailure: (error: Error) => void;
};

/** Who is told what happens; the metrics are one of them. */
export type CoreObserver = {
  readonly onAdmitted: (kind: IntakeKind, messages: number) => void;
  readonly onRefused: (kind: IntakeKind, reason: AdmissionReason) => void;
  readonly onBatch: (messages: number, bytes: number, milliseconds: number) => void;
  readonly onRoundDecided: () => void;
  readonly onRoundExecuted: (executed: ExecutedRound) => void;
};

export type Core = {
  readonly intake: Intake;
  readonly lane: Lane;
  readonly executor: Executor;
  readonly agreement: Agreement;
  /** Executes what was decided before the last end. Done before anything new is decided. */
  readonly catchUp: () => Promise<void>;
  /** Decides no further round, refuses what waits, and finishes what is under way. */
  readonly close: () => Promise<void>;
};

/** A batch waits for company for at most this long, or a quarter of a round where that is shorter. */
const FLUSH_MAX_MS = 50;

/** Wires the parts; nothing runs before `catchUp` and `agreement.start`. */
export function createCore(options: CoreOptions, modules: CoreModules): Core {
  const { recovered } = modules;
  const lane = openLane(options, modules);
  const intake = openIntake(options, modules, lane);
  intake.remember(recovered.lane.waitingIds);
  const executor = openExecutor(options, modules, intake);
  const agreement = openAgreement(options, modules, lane, executor);
  return {
    intake,
    lane,
    executor,
    agreement,
    catchUp: async () => {
      for (const finalized of recovered.undone) executor.enqueue(finalized);
      await executor.idle();
    },
    close: async () => {
      agreement.stop();
      intake.close();
      await lane.close();
      await executor.stop();
    },
  };
}

function openLane({ genesis, set, signer }: CoreOptions, modules: CoreModules): Lane {
  const { clock, storage, recovered, observer, onFailure } = modules;
  const flushMs = Math.min(genesis.parameters.roundMs / 4, FLUSH_MAX_MS);
  const { last, cutSeq } = recovered.lane;
  const { votes, batches } = storage;
  return createLane(
    { flushMs, set, last, cutSeq },
    { clock, signer, votes, batches, onFailure, onBatch: observer.onBatch },
  );
}

function openIntake({ genesis, domains }: CoreOptions, modules: CoreModules, lane: Lane): Intake {
  const { clock, verifier, observer, recovered } = modules;
  const { ledger } = recovered;
  return createIntake(
    { parameters: genesis.parameters, domains, nextRound: ledger.round + 1 },
    {
      clock,
      lane,
      verifier,
      isHotspot: (key) => ledger.registry.find(key) !== null,
      isAccount: (key) => ledger.accounts.find(key) !== null,
      isIncluded: (epoch, id) => ledger.seen.has(epoch, id),
      onAdmitted: observer.onAdmitted,
      onRefused: observer.onRefused,
    },
  );
}

function openExecutor(options: CoreOptions, modules: CoreModules, intake: Intake): Executor {
  const { domains, set, signer, retention, snapshotEpochs } = options;
  const { storage, recovered, observer, log, onFailure } = modules;
  return createExecutor(
    { retention, snapshotEpochs, cut: recovered.cut },
    {
      domains,
      set,
      log,
      onFailure,
      ledger: recovered.ledger,
      store: storage.store,
      batches: storage.batches,
      elapsedMs: () => performance.now(),
      onExecuted: (executed) => {
        const { result, messageIds, finalized } = executed;
        intake.onRound(result.round, messageIds);
        // What is executed is in the store with its certificate; the votes need it no more.
        if (result.epochClose !== null) storage.votes.prune(finalized.round, ownSeqOf(finalized, signer));
        observer.onRoundExecuted(executed);
      },
    },
  );
}

function openAgreement(
  options: CoreOptions,
  modules: CoreModules,
  lane: Lane,
  executor: Executor,
): Agreement {
  const { genesis, domains, set, signer } = options;
  const { clock, storage, recovered, observer, onFailure } = modules;
  return createSoloAgreement(
    { parameters: genesis.parameters, domains, set, genesisTimeMs: genesis.timeMs, last: recovered.last },
    {
      clock,
      signer,
      onFailure,
      votes: storage.votes,
      verify: verifySignature,
      laneTip: lane.tip,
      executed: executor.executed,
      onFinalized: (finalized) => {
        lane.onCut(ownSeqOf(finalized, signer));
        executor.enqueue(finalized);
        observer.onRoundDecided();
      },
    },
  );
}

const ownSeqOf = ({ value }: Finalized, { publicKey }: Signer): number =>
  value.cut.find(({ lane }) => equalBytes(lane, publicKey))?.seq ?? 0;
