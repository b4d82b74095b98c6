/**
 * What a hotspot does between disk, network and radio, made in three steps: the validators and the rounds that count, what
 * is signed and sent, and the radio's side, which hears and beacons. It starts and stops as one.
 */
import type { LightAnchor } from "../../../protocol/src/agreement/lightClient.ts";
import type { Checkpoint } from "../../../protocol/src/agreement/rewardEvidence.ts";
import type { SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import type { Ed25519KeyPair } from "../../../protocol/src/crypto/ed25519.ts";
import type { Genesis } from "../../../protocol/src/network/genesis.ts";
import { REGION_PLANS } from "../../../protocol/src/radio/regions.ts";
import { computeReportBucket, reportTopic, roundsTopic } from "../../../protocol/src/wire/topics.ts";
import type { Clock, Log, Network, PeerRef } from "../host/types.ts";
import type { Radio } from "../radio/radio.ts";
import { createBeaconer } from "./beaconer.ts";
import type { Cosigner } from "./beaconRecord.ts";
import { Bundler } from "./bundler.ts";
import type { HotspotEmitter } from "./events.ts";
import { openFirstChallenge } from "./firstChallenge.ts";
import { HeardSecrets } from "./heardSecrets.ts";
import { openKnownSets } from "./knownSets.ts";
import { MessageLog } from "./messageLog.ts";
import type { HotspotMetrics } from "./metrics.ts";
import { Outbox } from "./outbox.ts";
import { PacketLog } from "./packetLog.ts";
import { findGenesisPlacement, type Placement } from "./placement.ts";
import type { RandomBytes } from "./random.ts";
import { ReportLog } from "./reportLog.ts";
import { loadRoundAnchor, RoundAnchorKeeper } from "./roundAnchor.ts";
import { RoundFollower } from "./roundFollower.ts";
import { SetFollower } from "./setFollower.ts";
import type { Spool, SpoolEntry } from "./spool.ts";
import { Standing } from "./standing.ts";
import { createVerdictCounts, type HotspotStatus, readHotspotStatus } from "./status.ts";
import { Submitter } from "./submitter.ts";
import { ValidatorLinks } from "./validatorLinks.ts";
import { Witness } from "./witness.ts";

export type BodyOptions = {
  /** The folder of its spool and its beacons' state. */
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
  /** The least conducted power of the concentrator's gain table; absent where it is to be learnt from its warnings. */
  readonly lowestPowerDbm?: number;
  /** Of the device that is bound to the hotspot, where one is. */
  readonly cosign?: Cosigner;
};
export type HotspotModules = { readonly clock: Clock; readonly log: Log; readonly random: RandomBytes };

/** What all of it shares, and what was opened before. */
export type BodyParts = {
  readonly options: BodyOptions;
  readonly modules: HotspotModules;
  readonly events: HotspotEmitter;
  readonly networkId: Uint8Array;
  readonly domains: SigningDomains;
  readonly metrics: HotspotMetrics;
  readonly spool: Spool;
  readonly network: Network;
};

export type Body = {
  readonly links: ValidatorLinks;
  readonly packets: PacketLog;
  readonly messages: MessageLog;
  readonly readStatus: () => HotspotStatus;
  /** What rewards are proven by now. */
  readonly rewardAnchor: () => LightAnchor;
  readonly start: (signal: AbortSignal) => void;
  readonly stop: () => Promise<void>;
};

/** Creates it, with what an earlier process has left. @throws CodedError where a file of the home cannot be used. */
export async function createBody(parts: BodyParts): Promise<Body> {
  const rounds = await createRounds(parts);
  const sending = await createSending(parts, rounds, () => air.beaconer.beacons().length > 0);
  const air = await createAir(parts, rounds, sending);
  const { sets, setFollower, links, follower, anchorKeeper } = rounds;
  const { submitter, messages, bundler, secrets, standing } = sending;
  const { packets, witness, beaconer } = air;
  const { events } = parts;
  return {
    links,
    packets,
    messages,
    readStatus: createStatusReader(parts, rounds, sending, air),
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
async function createRounds({ options, modules, networkId, domains, network }: BodyParts) {
  const { home, genesis, checkpoint } = options;
  const { parameters } = genesis;
  const sets = await openKnownSets({ home, genesis, trusted: checkpoint ?? null }, modules);
  const setFollower = new SetFollower(parameters, { ...modules, sets, network });
  const addresses = [...options.validators, ...genesis.validators.flatMap(({ multiaddrs }) => multiaddrs)];
  const askForSets = (peer: PeerRef) => setFollower.ask(peer);
  const links = new ValidatorLinks({ addresses }, { ...modules, network, sets, askForSets });
  const follower = new RoundFollower(
    {
      judge: { domains, parameters, sets },
      roundsTopic: roundsTopic(networkId),
      anchor: await loadRoundAnchor(home),
    },
    { ...modules, network, links, setFollower },
  );
  const anchorKeeper = new RoundAnchorKeeper(home, { ...modules, follower });
  return { sets, setFollower, links, follower, anchorKeeper };
}
type Rounds = Awaited<ReturnType<typeof createRounds>>;

/** What gathers, signs, spools and submits, and what is known from the answers. */
async function createSending(
  { options, modules, events, networkId, domains, spool, network }: BodyParts,
  { sets, links, follower }: Rounds,
  hasBeaconed: () => boolean,
) {
  const { home, genesis, keyPair, placement } = options;
  const { parameters } = genesis;
  const topic = placement.cell === null ? null : reportTopic(networkId, computeReportBucket(placement.cell));
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
    ...modules,
    outbox,
    follower,
    onReported: (id, bundle, heard) => {
      secrets.keep(id, heard);
      standing.noteReported(id, bundle);
    },
  });
  const secrets = new HeardSecrets(parameters, { follower, submitter, bundler });
  const firstChallenge = await openFirstChallenge(home, networkId);
  const isNamed = findGenesisPlacement(genesis, keyPair.publicKey) !== null;
  const standing = new Standing(isNamed, {
    ...modules,
    follower,
    bundler,
    events,
    firstChallenge,
    hasBeaconed,
  });
  return { submitter, messages, outbox, bundler, secrets, firstChallenge, standing };
}
type Sending = Awaited<ReturnType<typeof createSending>>;

/** What hears others' beacons and sends its own. */
async function createAir(
  { options, modules, events, networkId, domains, metrics }: BodyParts,
  { follower }: Rounds,
  { submitter, outbox, bundler, firstChallenge, standing }: Sending,
) {
  const { home, genesis, keyPair, placement, radio, lowestPowerDbm, cosign } = options;
  const { parameters } = genesis;
  const hotspot = keyPair.publicKey;
  const packets = new PacketLog();
  const witness = new Witness(
    { hotspot, parameters },
    { ...modules, radio, bundler, packets, events, onJudged: metrics.countPacket },
  );
  const beaconer = await createBeaconer(
    {
      home,
      networkId,
      hotspot,
      domains,
      parameters,
      plan: REGION_PLANS[placement.region],
      gainCentiDbi: placement.gainCentiDbi,
      lowestPowerDbm: lowestPowerDbm ?? null,
      cosign: cosign ?? null,
    },
    {
      ...modules,
      radio,
      follower,
      outbox,
      submitter,
      standing,
      firstChallenge,
      events,
      onOwnTag: (tag) => witness.addOwnTag(tag),
    },
  );
  return { packets, witness, beaconer };
}
type Air = Awaited<ReturnType<typeof createAir>>;

/** Counts from now on what the status tells. @returns what reads the status. */
function createStatusReader(
  { options, modules, events, networkId, metrics, spool, network }: BodyParts,
  { links, follower }: Rounds,
  { submitter, firstChallenge, standing }: Sending,
  { beaconer }: Air,
): () => HotspotStatus {
  const { genesis, placement, radio } = options;
  const verdicts = createVerdictCounts();
  events.on("beaconSent", () => metrics.countBeacon());
  events.on("beaconHeldBack", ({ reason }) => metrics.countHeldBack(reason));
  events.on("submitted", ({ kinds, reason }) => metrics.countSubmitted(kinds.length, reason));
  events.on("included", ({ kinds }) => metrics.countIncluded(kinds.length));
  events.on("verdict", ({ kind, reason }) => {
    metrics.countVerdict(kind, reason);
    const key = reason ?? "accepted";
    verdicts[kind][key] = (verdicts[kind][key] ?? 0) + 1;
  });
  const reports = new ReportLog({ ...modules, standing });
  reports.watch(events);
  const statusParts = {
    networkName: genesis.name,
    networkId,
    parameters: genesis.parameters,
    plan: REGION_PLANS[placement.region],
    gainCentiDbi: placement.gainCentiDbi,
    cell: placement.cell,
    clock: modules.clock,
    network,
    radio,
    links,
    follower,
    beaconer,
    standing,
    firstChallenge,
    spool,
    submitter,
    verdicts,
    reports,
  };
  return () => readHotspotStatus(statusParts);
}
