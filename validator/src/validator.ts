/**
 * A validator: its home opened and recovered, its parts started in order and ended in reverse. The command and the
 * tests make one; nothing else knows all of its parts.
 */

import type { Standing } from "../../node/src/host/connectionLimits.ts";
import type { LeveledLog } from "../../node/src/host/log.ts";
import { createNetwork, type NetworkModules, type OperatedNetwork } from "../../node/src/host/network.ts";
import type { Clock, Log, Network, PeerRef } from "../../node/src/host/types.ts";
import { equalBytes } from "../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../protocol/src/crypto/didKey.ts";
import type { Ledger } from "../../protocol/src/ledger/state.ts";
import type { RoundResult } from "../../protocol/src/ledger/types.ts";
import type { Genesis } from "../../protocol/src/network/genesis.ts";
import { roundsTopic } from "../../protocol/src/wire/topics.ts";
import { type BanBook, openBans } from "./admin/bans.ts";
import type { AgreementSources } from "./agreementMetrics.ts";
import { AgreementWatch } from "./agreementWatch.ts";
import { createAnnouncer } from "./announcement.ts";
import { Backups } from "./backup/backup.ts";
import { Closers } from "./closers.ts";
import { type Core, createCore } from "./core.ts";
import type { ExecutedRound } from "./execution/executor.ts";
import { homePaths } from "./home.ts";
import { createIdentity, type Identity } from "./identity.ts";
import { answerSets } from "./intake/setHistory.ts";
import { intakeTopics, openStreams } from "./intake/streams.ts";
import { LEDGER_MODULES } from "./ledgerModules.ts";
import { createMesh, type MeshPeer, type OpenedMesh } from "./mesh/mesh.ts";
import { createValidatorMetrics } from "./metrics.ts";
import { readNetworkHealth, readNewestEpoch } from "./networkHealth.ts";
import { type AdministrationOptions, createDraining, openAdministration } from "./openAdministration.ts";
import { type HttpOptions, openHttp } from "./openHttp.ts";
import { type Recovered, recover } from "./recovery.ts";
import { KnownSets } from "./rounds/validatorSets.ts";
import { type OpenedStorage, openStorage, type Storage } from "./storage.ts";
import { explainingFailure, explainStorageFailure } from "./storageFailure.ts";
import type { RetentionPolicy } from "./store/store.ts";
import { Journeys } from "./tracing/journeys.ts";
import { traceMessage as traceMessageOf } from "./tracing/trace.ts";
import { rememberClaims } from "./verify/rememberedClaims.ts";
import { createVerifierPool, type VerifierPool } from "./verify/verifierPool.ts";

export type ValidatorOptions = {
  readonly home: string;
  readonly genesis: Genesis;
  readonly secretSeed: Uint8Array;
  /** Multiaddrs to listen on. */
  readonly listen: readonly string[];
  readonly http: HttpOptions;
  readonly maxConnections: number;
  /** By default as many as the machine runs at once. */
  readonly verifierThreads?: number;
  readonly retention: RetentionPolicy;
  readonly snapshotEpochs: number;
  /** Where its operators ask, and who they are; null where nobody administers it. */
  readonly admin: Pick<AdministrationOptions, "listen" | "operators"> | null;
};
export type ValidatorModules = { readonly clock: Clock; readonly log: LeveledLog };

/** Where a running validator is reached, and who it is. */
export type ValidatorAddresses = {
  readonly http: string;
  readonly multiaddrs: readonly string[];
  readonly did: string;
  /** Where operators ask: `unix:` and a path, or an http address; null where nobody can. */
  readonly admin: string | null;
};

export type Validator = {
  readonly addresses: ValidatorAddresses;
  /** Settles when something failed that the validator cannot go on without. It must then be closed. */
  readonly failed: Promise<Error>;
  /** Settles when an operator has drained it, and it should be closed: with null, or with what is not done. */
  readonly drained: Promise<Error | null>;
  /** Finishes what is acknowledged or decided, and lets go of everything. */
  readonly close: () => Promise<void>;
};

/**
 * Opens a validator and starts deciding rounds.
 * @throws CodedError for whatever the operator or the machine must put right.
 */
export async function openValidator(
  options: ValidatorOptions,
  modules: ValidatorModules,
): Promise<Validator> {
  const closers = new Closers(modules.log);
  try {
    return await openParts(options, modules, closers);
  } catch (error) {
    await closers.close();
    throw error;
  }
}

/** In order: the disk, what was left on it, the network, agreement and execution, and the doors to the outside. */
async function openParts(
  options: ValidatorOptions,
  modules: ValidatorModules,
  closers: Closers,
): Promise<Validator> {
  const { clock, log } = modules;
  const { promise: failed, resolve: fail } = Promise.withResolvers<Error>();
  const identity = createIdentity(options.genesis, options.secretSeed);
  const storage = await explainingFailure(options.home, () => openHome(options.home, identity, log));
  closers.add("storage", storage.close);
  const verifier = await openVerifier(options, closers);
  const recovered = await explainingFailure(options.home, () => recoverFrom(storage, identity, log));
  const bans = await openBans(homePaths(options.home).bans, clock.nowMs);
  const sets = new KnownSets(identity.genesis.parameters, { ledger: recovered.ledger, votes: storage.votes });
  const standingOf = (peer: PeerRef) => readStanding(peer, sets, recovered.ledger);
  const network = await openNetwork(options, { clock, log, standingOf }, identity, bans);
  closers.add("network", () => network.stop());
  const mesh = createMeshOf(identity, sets, { network, clock, log });
  closers.add("mesh", mesh.close);

  const opened = { options, clock, log, identity, storage, verifier, recovered, network, mesh, sets, fail };
  const { core, metrics, onRound, announcer, watch, standing, journeys } = openCore(opened);
  closers.add("core", core.close);
  metrics.onRecovered(Math.max(0, recovered.ledger.round), await readNewestEpoch(storage.store));
  if (recovered.stored !== null) announcer.announce(recovered.stored.cert);
  const { ledger } = recovered;
  const want = () => mesh.want(listMeshPeers(sets, ledger));
  sets.onChange(want);
  want();
  await mesh.open({
    ...core.handlers,
    onRefused: metrics.onRefusedByMesh,
    onMessage: (from, message) => {
      watch.onMessage(from, message);
      core.handlers.onMessage(from, message);
    },
  });
  await core.catchUp();
  const { store } = storage;
  await openStreams(
    { ...identity, deadlineRounds: options.genesis.parameters.witnessWindowRounds },
    {
      network,
      clock,
      log,
      signer: identity.signer,
      intake: core.intake,
      // By what the others say too: one that is behind would date its receipts, and their deadlines, in the past.
      newestRound: () => Math.max(0, core.agreement.newestRound() + standing.roundsBehind()),
      newestAnnouncement: announcer.newest,
      setsSince: (epoch, turn) => answerSets(epoch, turn, { store, ledger, attestor: core.attestor }),
      messageStatus: store.messageStatus,
    },
  );
  const { batches } = storage;
  const traced = { store, batches, domains: identity.domains, journeys, isPending: core.intake.isPending };
  const traceMessage = (id: Uint8Array) => traceMessageOf(id, traced);
  const doors = {
    traceMessage,
    identity,
    store,
    ledger,
    core,
    mesh,
    sets,
    network,
    metrics,
    clock,
    log,
  };
  const { store: storePath } = homePaths(options.home);
  const http = await openHttp(options.http, { ...doors, storePath, onRound });
  closers.add("http", http.close);
  const draining = createDraining(identity, { core, clock, log });
  closers.add("draining", async () => draining.stop());
  const { version } = options.http;
  const backups = new Backups({ home: options.home, identity, version }, { storage, nowMs: clock.nowMs });
  const administration = { ...doors, bans, draining, backups, level: log };
  const admin =
    options.admin &&
    (await openAdministration({ ...options.admin, home: options.home, version }, administration));
  if (admin !== null) closers.add("admin", admin.close);
  // Ended before the interface, so that what became of a backup still gets its line in the audit log.
  closers.add("backups", backups.stop);
  core.agreement.start();
  const did = encodeDidKey(identity.signer.publicKey);
  return {
    addresses: { http: http.url, multiaddrs: network.multiaddrs(), did, admin: admin?.address ?? null },
    failed,
    drained: draining.ended,
    close: closers.close,
  };
}

type Opened = ValidatorModules & {
  readonly options: ValidatorOptions;
  readonly identity: Identity;
  readonly storage: OpenedStorage;
  readonly verifier: VerifierPool;
  readonly recovered: Recovered;
  readonly network: Network;
  readonly mesh: OpenedMesh;
  readonly sets: KnownSets;
  readonly fail: (error: Error) => void;
};

/** The core, and those who are told what happens in it. */
function openCore(opened: Opened) {
  const { options, clock, log, identity, storage, verifier, recovered, network, mesh, sets } = opened;
  const { ledger } = recovered;
  const { parameters } = identity.genesis;
  let health = readNetworkHealth(ledger, parameters, ledger.lastClosedEpoch + 1);
  const standing = readAgreement(opened, { core: () => core, watch: () => watch });
  const metrics = createValidatorMetrics({
    inboxDepth: (kind) => core.intake.depth(kind),
    verifier: () => verifier,
    batchesInFlight: () => core.lane.inFlight(),
    executionBacklog: () => core.executor.backlog(),
    peers: () => network.peers().length,
    ...standing,
    storeBytes: storage.store.sizeBytes,
    diskFreeBytes: storage.freeBytes,
    networkHealth: () => health,
  });
  const watch = new AgreementWatch({ nowMs: clock.nowMs, observer: metrics });
  let tellRound = (_result: RoundResult): void => {};
  const journeys = new Journeys({ nowMs: clock.nowMs, log, isVerbose: () => log.level() === "debug" });
  const topic = roundsTopic(identity.networkId);
  const announcer = createAnnouncer({ ledger, signer: identity.signer, network, topic, log });
  const onRoundExecuted = (executed: ExecutedRound): void => {
    const { result, finalized } = executed;
    metrics.onRoundExecuted(executed, clock.nowMs() - result.timeMs);
    // The value carries the certificate of the round before, which in an epoch's first round is the set's before.
    const deciders = sets.setOfRound(Math.max(0, result.round - 1));
    if (deciders !== null) metrics.onParticipation(finalized.value, deciders);
    watch.onCut(finalized.value.cut);
    if (result.epochClose !== null) health = readNetworkHealth(ledger, parameters, result.epoch + 1);
    // Of rounds that were executed together the newest is announced.
    if (result.round === ledger.round) announcer.announce(finalized.cert);
    tellRound(result);
    journeys.onExecuted(result.round, executed.messageIds);
    logRound(result, log);
  };
  const onRoundDecided = (): void => {
    metrics.onRoundDecided();
    journeys.onDecided(core.agreement.newestRound());
    watch.onDecided(core.agreement.newestRound());
  };
  const onFailure = (failure: Error): void => {
    const error = explainStorageFailure(failure, options.home);
    log.error("Stop: the validator cannot go on", { error: error.message });
    opened.fail(error);
  };
  const { retention, snapshotEpochs } = options;
  const core = createCore(
    { ...identity, retention, snapshotEpochs },
    {
      clock,
      log,
      storage,
      verifier: rememberClaims(verifier),
      recovered,
      observer: { ...metrics, onRoundExecuted, onRoundDecided },
      onFailure,
      journeys,
      mesh: watch.observe(mesh),
      sets,
    },
  );
  const onRound = (listener: typeof tellRound): void => {
    tellRound = listener;
  };
  return { core, metrics, onRound, announcer, watch, standing, journeys };
}

/** Where agreement stands, for the metrics. The parts are asked for when Prometheus asks. */
function readAgreement(
  { identity, recovered, mesh, sets }: Opened,
  parts: { readonly core: () => Core; readonly watch: () => AgreementWatch },
): AgreementSources {
  const { publicKey } = identity.signer;
  const running = () => sets.setOf(recovered.ledger.nextEpoch);
  return {
    validatorsConnected: () => mesh.connected().length,
    seats: () => {
      const set = running();
      const own = set?.positionOf(publicKey) ?? null;
      return { count: set?.keys.length ?? 0, quorum: set?.quorum ?? 0, own };
    },
    roundsBehind: () => {
      const { nextEpoch } = recovered.ledger;
      // Who is behind by epochs hears those who have got their seats since as well.
      const known = [nextEpoch, nextEpoch + 1].flatMap((epoch) => sets.setOf(epoch) ?? []);
      return parts.watch().computeBehind(parts.core().agreement.newestRound() + 1, known);
    },
    batchesMissing: () => parts.core().missingBatches(),
    ackWaitEpochs: () => parts.core().ackWaitEpochs(),
    clockOffsetMs: () => parts.watch().computeClockOffsetMs(),
    laneWindows: () =>
      (running()?.keys ?? []).map((key, seat) => ({
        seat,
        batches: equalBytes(key, publicKey)
          ? parts.core().lane.inFlight()
          : parts.watch().countWaiting(encodeHex(key)),
      })),
  };
}

function openHome(home: string, identity: Identity, log: Log): Promise<OpenedStorage> {
  return openStorage(home, identity, (plan) =>
    log.warn("Bring the store to this program's schema, and keep a copy of it", { ...plan }),
  );
}

async function openVerifier(options: ValidatorOptions, closers: Closers): Promise<VerifierPool> {
  const { verifierThreads } = options;
  const verifier = createVerifierPool(verifierThreads === undefined ? {} : { threads: verifierThreads });
  closers.add("verifier", () => verifier.close());
  await verifier.whenReady();
  return verifier;
}

function createMeshOf(
  { signer }: Identity,
  sets: KnownSets,
  modules: ValidatorModules & { readonly network: Network },
): OpenedMesh {
  return createMesh({ self: signer.publicKey, seatsOf: sets.seatsOf }, modules);
}

/** Everyone with a seat about now, and where they listen by their stake's newest word. */
function listMeshPeers(sets: KnownSets, ledger: Ledger): MeshPeer[] {
  return sets.members().map((key) => ({ key, multiaddrs: ledger.viewValidator(key)?.multiaddrs ?? [] }));
}

/** What a peer is to the network: seats go first where connections are few, then those who have registered. */
function readStanding({ publicKey }: PeerRef, sets: KnownSets, ledger: Ledger): Standing {
  if (publicKey === null) return "stranger";
  if (sets.isMember(publicKey)) return "seated";
  return ledger.registry.find(publicKey) === null ? "stranger" : "registered";
}

function recoverFrom(storage: Storage, identity: Identity, log: Log): Promise<Recovered> {
  const { genesis, domains, signer } = identity;
  return recover({
    ...storage,
    genesis,
    domains,
    validator: signer.publicKey,
    ledgerModules: LEDGER_MODULES,
    log,
  });
}

function openNetwork(
  options: ValidatorOptions,
  modules: NetworkModules,
  identity: Identity,
  bans: BanBook,
): Promise<OperatedNetwork> {
  return createNetwork(
    {
      secretSeed: options.secretSeed,
      listen: options.listen,
      subscribe: intakeTopics(identity.networkId),
      publishOnly: [roundsTopic(identity.networkId)],
      maxConnections: options.maxConnections,
      role: "validator",
    },
    { ...modules, mayConnect: ({ publicKey }) => publicKey === null || !bans.isBanned(publicKey) },
  );
}

function logRound({ round, included, epochClose }: RoundResult, log: Log): void {
  log.debug("Executed a round", { round, messages: included.length });
  if (epochClose === null) return;
  const { epoch, beaconsClosed, witnessesAccepted, accounts } = epochClose;
  log.info("Closed an epoch", { epoch, beaconsClosed, witnessesAccepted, accounts });
}
