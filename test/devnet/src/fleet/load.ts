/**
 * Reports without a radio: signed witness reports that match no beacon, brought to validators as hotspots bring theirs
 * (submitted to two, gossiped once), and a ledger of what was receipted, so that every receipt can be held to its word.
 */
import { createSystemClock } from "../../../../node/src/host/clock.ts";
import { createSilentLog } from "../../../../node/src/host/log.ts";
import { createNetwork } from "../../../../node/src/host/network.ts";
import type { Network, PeerRef } from "../../../../node/src/host/types.ts";
import { decodeSignedAnnouncement } from "../../../../protocol/src/agreement/rounds.ts";
import { asciiBytes } from "../../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../../protocol/src/bytes/hex.ts";
import { createSigningDomains, type SigningDomains } from "../../../../protocol/src/crypto/domain.ts";
import { sha256 } from "../../../../protocol/src/crypto/sha256.ts";
import { computeNetworkId } from "../../../../protocol/src/network/genesis.ts";
import {
  computeEnvelopeId,
  encodeEnvelope,
  encodeParcel,
  MAX_ENVELOPES_PER_PARCEL,
} from "../../../../protocol/src/wire/envelope.ts";
import {
  decodeReceipt,
  decodeSignedReceipt,
  SIGNED_RECEIPT_MAX_BYTES,
  SUBMIT_PROTOCOL,
} from "../../../../protocol/src/wire/receipts.ts";
import { encodeReportBundle } from "../../../../protocol/src/wire/reports.ts";
import { reportTopic, roundsTopic } from "../../../../protocol/src/wire/topics.ts";
import { createSigner, type Signer } from "../../../../validator/src/signer.ts";
import type { Fleet } from "./fleet.ts";

export type SignedReport = { readonly id: Uint8Array; readonly envelope: Uint8Array };

/** What a validator's word was worth. */
export type ReceiptCheck = {
  readonly receipted: number;
  /** Of the receipted: in no round, and in a round after the deadline that the first receipt named. */
  readonly missing: number;
  readonly late: number;
  /** The most rounds from the newest at the receipt to the one that included it, among those that were included. */
  readonly slowestRounds: number;
};

export type Load = {
  /** The newest round announced, and the epoch of the one after it. */
  readonly newest: () => { readonly round: number; readonly epoch: number };
  /** Resolves when a round as high as this has been announced. */
  readonly reached: (round: number) => Promise<void>;
  /** Signs an envelope of an epoch; each one is new. */
  readonly sign: (epoch: number) => SignedReport;
  /** Brings a parcel to so many validators and to gossip. Resolves with how many gave a receipt for all of it. */
  readonly bring: (reports: readonly SignedReport[], how: Bringing) => Promise<number>;
  /** Brings parcels at this rate until it is stopped; what finds no validator is let go, as it has no spool. */
  readonly start: (reportsPerSecond: number, how: Bringing) => { readonly stop: () => Promise<void> };
  readonly brought: () => number;
  /** Holds every receipt to its word. @param included the round of each included message, by its id in hexadecimal. */
  readonly checkReceipts: (included: ReadonlyMap<string, number>) => ReceiptCheck;
  readonly close: () => Promise<void>;
};

export type Bringing = { readonly receipts: number; readonly isGossiped: boolean };

/** As hotspots do. */
export const AS_HOTSPOTS: Bringing = { receipts: 2, isGossiped: true };

/** Looks at what is owed: parcels are as full as the rate allows, up to a whole one. */
const LOOKS_PER_SECOND = 20;
const LEAST_PARCELS_PER_SECOND = 4;
const SUBMIT_TIMEOUT_MS = 5_000;
/** From one look at broken connections to the next. */
const RECONNECT_MS = 200;

/** Connects to a fleet. */
export async function openLoad({ genesis, world, validators }: Fleet, reportsPerEnvelope = 1): Promise<Load> {
  const clock = createSystemClock();
  const networkId = computeNetworkId(genesis);
  const domains = createSigningDomains(networkId);
  const topic = reportTopic(networkId, 0);
  const network = await createNetwork(
    {
      secretSeed: sha256(asciiBytes("load")),
      listen: [],
      subscribe: [roundsTopic(networkId)],
      publishOnly: [topic],
      maxConnections: 2 * validators.length,
      role: "hotspot",
    },
    { clock, log: createSilentLog() },
  );
  const rounds = followRounds(network, networkId);
  const links = keepLinks(network, validators, clock);
  const book = new ReceiptBook();
  const signers = world.hotspots.map(({ keys }) => createSigner(domains, keys.secretSeed));
  let signed = 0;
  let turn = 0;
  let brought = 0;
  /** Parcels under way to each validator, by peer id. */
  const underWay = new Map<string, number>();

  const loadOf = ({ peerId }: PeerRef): number => underWay.get(peerId) ?? 0;
  const count = (peer: PeerRef, change: number): void =>
    void underWay.set(peer.peerId, loadOf(peer) + change);
  const submit = async (peer: PeerRef, parcel: Uint8Array): Promise<boolean> => {
    const options = { maxAnswerBytes: SIGNED_RECEIPT_MAX_BYTES, timeoutMs: SUBMIT_TIMEOUT_MS };
    count(peer, 1);
    const answer = await network.request(peer.peerId, SUBMIT_PROTOCOL, parcel, options).catch(() => null);
    count(peer, -1);
    const body = answer && decodeSignedReceipt(answer)?.body;
    const receipt = body && decodeReceipt(body);
    if (!receipt) return false;
    const isTaken = ({ reason }: { reason: string | null }) =>
      reason === null || reason === "duplicate_message";
    for (const item of receipt.items.filter(isTaken)) book.put(item.id, receipt.round, receipt.deadlineRound);
    return receipt.items.every(isTaken);
  };
  const bring: Load["bring"] = async (reports, { receipts, isGossiped }) => {
    const parcel = encodeParcel(reports.map(({ envelope }) => envelope));
    const peers = links.connected();
    const first = turn++ % Math.max(1, peers.length);
    const inTurn = [...peers.slice(first), ...peers.slice(0, first)];
    const chosen = inTurn.toSorted((a, b) => loadOf(a) - loadOf(b)).slice(0, receipts);
    brought += reports.length;
    if (isGossiped) void network.publish(topic, parcel).catch(() => 0);
    const answers = await Promise.all(chosen.map((peer) => submit(peer, parcel)));
    return answers.filter((isReceipted) => isReceipted).length;
  };
  const sign: Load["sign"] = (epoch) => {
    const salt = signed++;
    return signReports(signers[salt % signers.length]!, domains, epoch, salt, reportsPerEnvelope);
  };
  return {
    newest: rounds.newest,
    reached: rounds.reached,
    sign,
    bring,
    brought: () => brought,
    start: (reportsPerSecond, how) => {
      const underWay = new Set<Promise<unknown>>();
      const perSecond = reportsPerSecond / reportsPerEnvelope;
      const count = Math.min(MAX_ENVELOPES_PER_PARCEL, Math.ceil(perSecond / LEAST_PARCELS_PER_SECOND));
      let owed = 0;
      const cancel = clock.every(1_000 / LOOKS_PER_SECOND, () => {
        for (owed += perSecond / LOOKS_PER_SECOND; owed >= count; owed -= count) {
          const reports = Array.from({ length: count }, () => sign(rounds.newest().epoch));
          const bringing = bring(reports, how).finally(() => underWay.delete(bringing));
          underWay.add(bringing);
        }
      });
      return {
        stop: async () => {
          cancel();
          await Promise.all(underWay);
        },
      };
    },
    checkReceipts: book.check,
    close: async () => {
      links.close();
      await network.stop();
    },
  };
}

/** So many witness reports with a salt of their own in their hotspot's envelope. */
function signReports(
  signer: Signer,
  domains: SigningDomains,
  epoch: number,
  salt: number,
  count: number,
): SignedReport {
  const measurement = {
    rssiDeciDbm: -1_050,
    rssiKind: "channel" as const,
    snrCentiDb: 250,
    freqHz: 868_100_000,
    spreadingFactor: 9,
    bandwidthHz: 125_000,
    timeMs: Date.now(),
  };
  const witnesses = Array.from({ length: count }, (_, i) => {
    const proof = sha256(asciiBytes(`load ${salt} ${i}`));
    return { tag: proof.subarray(0, 6), proof, measurement };
  });
  const body = encodeReportBundle({ epoch, beacons: [], witnesses, reveals: [] });
  const unsigned = { kind: "reports" as const, sender: signer.publicKey, body };
  const envelope = { ...unsigned, signature: signer.sign("reports", body) };
  return { id: computeEnvelopeId(domains, envelope), envelope: encodeEnvelope(envelope) };
}

/** What the newest announcement says; signatures are not looked at, since only the fleet's validators are connected. */
function followRounds(network: Network, networkId: Uint8Array) {
  let newest = { round: 0, epoch: 0 };
  const waiting = new Set<() => void>();
  network.onGossip(roundsTopic(networkId), (_, data) => {
    const signed = decodeSignedAnnouncement(data);
    if (signed === null) return "reject";
    const { round, epoch } = signed.announcement;
    if (round < newest.round) return "ignore";
    newest = { round, epoch };
    for (const look of waiting) look();
    return "accept";
  });
  return {
    newest: () => newest,
    reached: (round: number) =>
      new Promise<void>((resolve) => {
        const look = (): void => {
          if (newest.round < round) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
  };
}

/** Connections to all validators, made anew where they broke. */
function keepLinks(
  network: Network,
  validators: Fleet["validators"],
  clock: ReturnType<typeof createSystemClock>,
) {
  const peers = new Map<number, PeerRef>();
  const dialling = new Set<number>();
  const look = (): void => {
    for (const [index, role] of validators.entries()) {
      const isConnected = network.isConnected(peers.get(index)?.peerId ?? "");
      if (isConnected || dialling.has(index) || !role.isUp()) continue;
      peers.delete(index);
      dialling.add(index);
      network
        .connect(role.ready().multiaddrs[0]!)
        .then((peer) => void peers.set(index, peer))
        .catch(() => {})
        .finally(() => dialling.delete(index));
    }
  };
  look();
  const close = clock.every(RECONNECT_MS, look);
  const isUsable = ([index, { peerId }]: [number, PeerRef]): boolean =>
    validators[index]!.isUp() && network.isConnected(peerId);
  return {
    close,
    connected: () => [...peers].filter(isUsable).map(([, peer]) => peer),
  };
}

/** The first receipt of each report. */
class ReceiptBook {
  readonly #receipts = new Map<string, { readonly round: number; readonly deadlineRound: number }>();

  put(id: Uint8Array, round: number, deadlineRound: number): void {
    const key = encodeHex(id);
    if (!this.#receipts.has(key)) this.#receipts.set(key, { round, deadlineRound });
  }

  check = (included: ReadonlyMap<string, number>): ReceiptCheck => {
    const rounds = [...this.#receipts].map(([id, receipt]) => ({
      ...receipt,
      included: included.get(id) ?? null,
    }));
    const slowness = rounds.map(({ round, included }) => (included === null ? 0 : included - round));
    return {
      receipted: rounds.length,
      missing: rounds.filter((each) => each.included === null).length,
      late: rounds.filter((each) => each.included !== null && each.included > each.deadlineRound).length,
      slowestRounds: Math.max(0, ...slowness),
    };
  };
}
