/**
 * A hotspot: composes radio, rounds, beaconer, witness, spool and submitter, and starts and stops them. It holds no
 * state of its own; a process may run many, and each works with no validator in reach.
 */
import assert from "node:assert";
import type { LightAnchor } from "../../../protocol/src/agreement/lightClient.ts";
import type { Checkpoint } from "../../../protocol/src/agreement/rewardEvidence.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { createSigningDomains, type SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import type { Ed25519KeyPair } from "../../../protocol/src/crypto/ed25519.ts";
import { type Cell, cellFromBigint } from "../../../protocol/src/geo/cell.ts";
import { computeNetworkId, type Genesis } from "../../../protocol/src/network/genesis.ts";
import { REGION_PLANS, type RegionName } from "../../../protocol/src/radio/regions.ts";
import {
  computeReportBucket,
  reportTopic,
  reportTopics,
  roundsTopic,
} from "../../../protocol/src/wire/topics.ts";
import { makePrivateFolder, removeTemporaries } from "../host/durableFile.ts";
import { lockHome } from "../host/homeLock.ts";
import { createLifecycle, type Part } from "../host/lifecycle.ts";
import { createNetwork } from "../host/network.ts";
import { occasionally } from "../host/occasionally.ts";
import type { Clock, Log, Network, PeerRef } from "../host/types.ts";
import type { Radio } from "../radio/radio.ts";
import { createBeaconer } from "./beaconer.ts";
import type { Cosigner } from "./beaconRecord.ts";
import { Bundler } from "./bundler.ts";
import { EarningsReader } from "./earnings.ts";
import { createHotspotEmitter, type HotspotEmitter } from "./events.ts";
import { openFirstChallenge } from "./firstChallenge.ts";
import { HeardSecrets } from "./heardSecrets.ts";
import { openKnownSets } from "./knownSets.ts";
import { MessageLog } from "./messageLog.ts";
import { createHotspotMetrics, type HotspotMetrics } from "./metrics.ts";
import { Outbox } from "./outbox.ts";
import { PacketLog } from "./packetLog.ts";
import type { RandomBytes } from "./random.ts";
import { ReportLog } from "./reportLog.ts";
import { loadRoundAnchor, RoundAnchorKeeper } from "./roundAnchor.ts";
import { RoundFollower } from "./roundFollower.ts";
import { createHotspotServer, type Examination } from "./server.ts";
import { SetFollower } from "./setFollower.ts";
import { openSpool, type Spool, type SpoolEntry } from "./spool.ts";
import { Standing } from "./standing.ts";
import { createVerdictCounts, type HotspotStatus, readHotspotStatus, type VerdictCounts } from "./status.ts";
import { Submitter } from "./submitter.ts";
import { MAX_VALIDATOR_LINKS, ValidatorLinks } from "./validatorLinks.ts";
import { Witness } from "./witness.ts";

/** Where and with what a hotspot stands; `cell` is null where that is not known. */
export type Placement = {
  readonly region: RegionName;
  readonly gainCentiDbi: number;
  readonly cell: Cell | null;
};

export type HotspotOptions = {
  /** The folder of its spool and its beacons' state; created where absent. */
  readonly home: string;
  readonly genesis: Genesis;
  readonly keyPair: Ed25519KeyPair;
  readonly placement: Placement;
  /** Created and not started. */
  readonly radio: Radio;
  /** Multiaddrs of validators, beside those that genesis names and those that members of the set are said to have. */
  readonly validators: readonly string[];
  /** Where trust in validators begins; absent for genesis. The home's own knowledge counts where it is newer. */
  readonly checkpoint?: Checkpoint;
  /** Where its pages are served; absent for none. Port 0 lets the system choose. */
  readonly http?: { readonly host: string; readonly port: number };
  /** Whose earnings its page shows, and the validator's API that tells them; absent for none. */
  readonly earnings?: { readonly api: string; readonly owner: Uint8Array };
  /** Asks the doctor, who takes seconds; absent where there is none. */
  readonly examine?: () => Promise<Examination>;
  readonly spoolMaxBytes?: number;
  /** The least conducted power of the concentrator's gain table; absent where it is to be learnt from its warnings. */
  readonly lowestPowerDbm?: number;
  /** Of the device that is bound to the hotspot, where one is. */
  readonly cosign?: Cosigner;
};
export type HotspotModules = { readonly clock: Clock; readonly log: Log; readonly random: RandomBytes };

export type Hotspot = {
  /** Opens everything. @throws CodedError or RadioError where a file, a port or the radio cannot be opened. */
  readonly start: () => Promise<void>;
  /** Stops everything; what is spooled stays for the next start. */
  readonly stop: () => Promise<void>;
  /** Only between start and stop. */
  readonly status: () => HotspotStatus;
  /** The address of its pages, null where none are served. */
  readonly httpAddress: () => string | null;
  readonly events: HotspotEmitter;
  /** Settles when all has stopped: with null, or with the failure that was the reason. */
  readonly stopped: Promise<unknown>;
};

/** A fortnight of a lone hotspot's reports, or a day of a busy one's; small beside an SD card. */
const SPOOL_MAX_BYTES = 8 * 1_048_576;

/** A page that is left open must cost little: the doctor takes some seconds of a small machine, and others' servers. */
const EXAMINATION_REFRESH_MS = 600_000;

/** The place that genesis gives a hotspot, or null where genesis does not name it. */
export function findGenesisPlacement(genesis: Genesis, hotspot: Uint8Array): Placement | null {
  const key = encodeHex(hotspot);
  const found = genesis.hotspots.find((entry) => encodeHex(entry.key) === key);
  if (found === undefined) return null;
  return { region: found.region, gainCentiDbi: found.gainCentiDbi, cell: cellFromBigint(found.cell) };
}

/** Creates a hotspot; nothing is opened before `start`. */
export function createHotspot(options: HotspotOptions, modules: HotspotModules): Hotspot {
  const networkId = computeNetworkId(options.genesis);
  const events = createHotspotEmitter();
  const context: Context = {
    ...{ options, modules, events, networkId },
    domains: createSigningDomains(networkId),
    verdicts: createVerdictCounts(),
  };
  const opened: Opened = { body: null, httpAddress: null };
  const readStatus = (): HotspotStatus => {
    assert(opened.body !== null, "the status is read between start and stop");
    return opened.body.readStatus();
  };
  const metrics = createHotspotMetrics(readStatus);
  const lifecycle = createLifecycle(createParts(context, opened, metrics), { log: modules.log });
  return {
    start: lifecycle.start,
    stop: lifecycle.stop,
    status: readStatus,
    httpAddress: () => opened.httpAddress,
    events,
    stopped: lifecycle.stopped,
  };
}

/** What starting leaves for those who ask. */
type Opened = { body: Body | null; httpAddress: string | null };

/** The parts in the order in which they start. */
function createParts(context: Context, opened: Opened, metrics: HotspotMetrics): Part[] {
  const { home, radio } = context.options;
  let unlockHome = (): void => {};
  let spool: Spool | null = null;
  let network: Network | null = null;
  const parts: Part[] = [
    {
      name: "home",
      start: async () => {
        await makePrivateFolder(home);
        unlockHome = lockHome(home);
        const files = await removeTemporaries(home);
        if (files > 0) context.modules.log.info("Removed what interrupted writes had left", { files });
      },
      stop: async () => unlockHome(),
    },
    {
      name: "spool",
      start: async () => {
        spool = await openHotspotSpool(context, metrics);
      },
      stop: () => spool!.close(),
    },
    {
      name: "network",
      start: async () => {
        network = await openHotspotNetwork(context);
      },
      stop: () => network!.stop(),
    },
    {
      name: "body",
      start: async (signal) => {
        opened.body = await createBody(context, spool!, network!, metrics);
        opened.body.start(signal);
      },
      stop: () => opened.body!.stop(),
    },
    // What is heard is shown and spooled whatever else is in reach.
    { name: "radio", start: () => radio.start(), stop: () => radio.stop() },
    {
      name: "links",
      start: async (signal) => opened.body!.links.start(signal),
      stop: async () => opened.body!.links.stop(),
    },
  ];
  if (context.options.http !== undefined) parts.push(createHttpPart(context, opened, metrics));
  return parts;
}

function createHttpPart(context: Context, opened: Opened, metrics: HotspotMetrics): Part {
  const { options, modules } = context;
  let stop = async (): Promise<void> => undefined;
  return {
    name: "http",
    start: async () => {
      const { readStatus, packets, messages, rewardAnchor } = opened.body!;
      const server = createHotspotServer(options.http!, {
        ...{ readStatus, packets, messages, metrics, log: modules.log },
        ...createEarnings(context, rewardAnchor),
        ...createExamination(options, modules),
      });
      opened.httpAddress = await server.start();
      stop = server.stop;
    },
    stop: () => stop(),
  };
}

/** How earnings are read, where there is an API that tells them. */
function createEarnings({ options, modules }: Context, anchor: () => LightAnchor) {
  const { earnings, keyPair } = options;
  if (earnings === undefined) return {};
  const reader = new EarningsReader({ ...earnings, hotspot: keyPair.publicKey, anchor }, modules);
  return { readEarnings: () => reader.read() };
}

/** How the doctor is asked, where there is one. */
function createExamination({ examine }: HotspotOptions, { clock }: HotspotModules) {
  if (examine === undefined) return {};
  return { readExamination: occasionally(examine, EXAMINATION_REFRESH_MS, clock) };
}

/** What all parts of one hotspot share. */
type Context = {
  readonly options: HotspotOptions;
  readonly modules: HotspotModules;
  readonly events: HotspotEmitter;
  readonly networkId: Uint8Array;
  readonly domains: SigningDomains;
  readonly verdicts: VerdictCounts;
};

/** The parts that work between disk, network and radio. */
type Body = {
  readonly links: ValidatorLinks;
  readonly packets: PacketLog;
  readonly messages: MessageLog;
  readonly readStatus: () => HotspotStatus;
  /** What rewards are proven by now. */
  readonly rewardAnchor: () => LightAnchor;
  readonly start: (signal: AbortSignal) => void;
  readonly stop: () => Promise<void>;
};

async function openHotspotSpool(context: Context, metrics: HotspotMetrics): Promise<Spool> {
  const { options, modules, domains } = context;
  return await openSpool(
    {
      ...{ home: options.home, domains },
      maxBytes: options.spoolMaxBytes ?? SPOOL_MAX_BYTES,
      onDrop: (_, reason) => metrics.countSpoolDrop(reason),
    },
    { clock: modules.clock },
  );
}

async function openHotspotNetwork({ options, modules, networkId }: Context): Promise<Network> {
  return await createNetwork(
    {
      secretSeed: options.keyPair.secretSeed,
      // Nothing depends on a hotspot being reachable from outside: it dials.
      listen: [],
      subscribe: [roundsTopic(networkId)],
      // Report topics are named to be heard of, since only named topics' subscribers are known.
      publishOnly: reportTopics(networkId),
      maxConnections: 2 * MAX_VALIDATOR_LINKS,
      role: "hotspot",
    },
    modules,
  );
}

async function createBody(
  context: Context,
  spool: Spool,
  network: Network,
  metrics: HotspotMetrics,
): Promise<Body> {
  const { options, modules, events, networkId, domains, verdicts } = context;
  const { home, genesis, keyPair, placement, radio } = options;
  const { gainCentiDbi, cell } = placement;
  const { parameters } = genesis;
  const hotspot = keyPair.publicKey;
  const plan = REGION_PLANS[placement.region];

  const { sets, setFollower, links } = await openValidators(options, modules, network);
  const follower = new RoundFollower(
    {
      judge: { domains, parameters, sets },
      roundsTopic: roundsTopic(networkId),
      anchor: await loadRoundAnchor(home),
    },
    { ...modules, network, links, setFollower },
  );
  const anchorKeeper = new RoundAnchorKeeper(home, { ...modules, follower });
  const topic = cell === null ? null : reportTopic(networkId, computeReportBucket(cell));
  const submitter = new Submitter(
    { domains, parameters, topic },
    { ...modules, spool, network, links, sets, follower, events },
  );
  const messages = new MessageLog(modules);
  messages.watch(events);
  const take = (entry: SpoolEntry): void => {
    events.emit("spooled", entry);
    submitter.take(entry);
  };
  const outbox = new Outbox({ domains, keyPair }, { ...modules, spool, submitter: { take } });
  const bundler = new Bundler(parameters, {
    ...{ ...modules, outbox, follower },
    onReported: (id, bundle, heard) => {
      secrets.keep(id, heard);
      standing.noteReported(id, bundle);
    },
  });
  const secrets = new HeardSecrets(parameters, { follower, submitter, bundler });
  const packets = new PacketLog();
  const witness = new Witness(
    { hotspot, parameters },
    { ...modules, radio, bundler, packets, events, onJudged: metrics.countPacket },
  );
  const isNamed = findGenesisPlacement(genesis, hotspot) !== null;
  const firstChallenge = await openFirstChallenge(home, networkId);
  const standing = new Standing(isNamed, {
    ...{ ...modules, follower, bundler, events, firstChallenge },
    hasBeaconed: () => beaconer.beacons().length > 0,
  });
  const beaconer = await createBeaconer(
    {
      ...{ home, networkId, hotspot, domains, parameters, plan, gainCentiDbi },
      ...{ lowestPowerDbm: options.lowestPowerDbm ?? null, cosign: options.cosign ?? null },
    },
    {
      ...{ ...modules, radio, follower, outbox, submitter, standing, firstChallenge, events },
      onOwnTag: (tag) => witness.addOwnTag(tag),
    },
  );
  countEvents(events, metrics, verdicts);
  const reports = new ReportLog({ ...modules, standing });
  reports.watch(events);
  const statusParts = {
    ...{ networkName: genesis.name, networkId, parameters, plan, gainCentiDbi, cell, verdicts, reports },
    ...{ clock: modules.clock, network, radio, links, follower, beaconer, standing, spool, submitter },
    firstChallenge,
  };
  return {
    ...{ links, packets, messages },
    readStatus: () => readHotspotStatus(statusParts),
    rewardAnchor: () => sets.rewardAnchor,
    start: (signal) => {
      follower.onRound(({ round, timeMs, epoch }) => events.emit("round", { round, timeMs, epoch }));
      witness.start();
      secrets.start();
      standing.start();
      anchorKeeper.start();
      setFollower.start(links, signal);
      follower.start(signal);
      beaconer.start(signal);
      submitter.start(signal);
    },
    stop: async () => {
      follower.stop();
      // What has been heard is still signed and spooled.
      witness.stop();
      await bundler.flush();
      await standing.stop();
      await anchorKeeper.stop();
      await sets.stop();
      // Last, since a secure element may take longer than there is; what it is asked for is asked again after the start.
      await beaconer.stopped();
      await submitter.stopped();
    },
  };
}

/** Whose rounds count, and the way to them: those of genesis at first, then those that certificates lead to. */
async function openValidators(options: HotspotOptions, modules: HotspotModules, network: Network) {
  const { home, genesis, checkpoint } = options;
  const sets = await openKnownSets({ home, genesis, trusted: checkpoint ?? null }, modules);
  const setFollower = new SetFollower(genesis.parameters, { ...modules, sets, network });
  const addresses = [...options.validators, ...genesis.validators.flatMap(({ multiaddrs }) => multiaddrs)];
  const askForSets = (peer: PeerRef) => setFollower.ask(peer);
  const links = new ValidatorLinks({ addresses }, { ...modules, network, sets, askForSets });
  return { sets, setFollower, links };
}

function countEvents(events: HotspotEmitter, metrics: HotspotMetrics, verdicts: VerdictCounts): void {
  events.on("beaconSent", () => metrics.countBeacon());
  events.on("beaconHeldBack", ({ reason }) => metrics.countHeldBack(reason));
  events.on("submitted", ({ kinds, reason }) => metrics.countSubmitted(kinds.length, reason));
  events.on("included", ({ kinds }) => metrics.countIncluded(kinds.length));
  events.on("verdict", ({ kind, reason }) => {
    metrics.countVerdict(kind, reason);
    const key = reason ?? "accepted";
    verdicts[kind][key] = (verdicts[kind][key] ?? 0) + 1;
  });
}
