/**
 * A validator on a real libp2p node, in whose place tests decide: it announces the rounds it is told to, receipts what
 * it is sent, and answers for it as the test says.
 */
import { randomBytes } from "node:crypto";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { createNetwork } from "../../../node/src/host/network.ts";
import type { Network } from "../../../node/src/host/types.ts";
import {
  encodeAnnouncement,
  encodeBitmap,
  encodeSignedAnnouncement,
  encodeVoteBody,
  type RoundAnnouncement,
} from "../../../protocol/src/agreement/rounds.ts";
import { decodeSetsQuestion, SETS_QUESTION_BYTES } from "../../../protocol/src/agreement/setAnswers.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import {
  createSigningDomains,
  type SigningDomains,
  signingMessage,
} from "../../../protocol/src/crypto/domain.ts";
import { createKeyPair, type Ed25519KeyPair, sign } from "../../../protocol/src/crypto/ed25519.ts";
import { computeChallenge } from "../../../protocol/src/evidence/challenge.ts";
import type { Reason } from "../../../protocol/src/evidence/reasons.ts";
import { cellFromHex, cellToBigint } from "../../../protocol/src/geo/cell.ts";
import { computeNetworkId, type Genesis } from "../../../protocol/src/network/genesis.ts";
import { epochOfRound, type Parameters } from "../../../protocol/src/network/parameters.ts";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { REGION_PLANS } from "../../../protocol/src/radio/regions.ts";
import {
  computeEnvelopeId,
  decodeEnvelope,
  decodeParcel,
  MAX_PARCEL_BYTES,
} from "../../../protocol/src/wire/envelope.ts";
import {
  decodeStatusQuery,
  encodeReceipt,
  encodeSignedReceipt,
  encodeStatusAnswer,
  type MessageStatus,
  RECEIPT_PROTOCOL,
  type Receipt,
  STATUS_QUERY_MAX_BYTES,
  SUBMIT_PROTOCOL,
  SYNC_PROTOCOL,
} from "../../../protocol/src/wire/receipts.ts";
import { decodeReportBundle, type ReportBundle } from "../../../protocol/src/wire/reports.ts";
import { reportTopics, roundsTopic } from "../../../protocol/src/wire/topics.ts";
import { MadeSets, type SeatsOf } from "./madeSets.ts";

/** A network of these validators and hotspots, whose hotspots stand in Bern. */
export function createTestGenesis(
  validators: readonly Ed25519KeyPair[],
  hotspots: readonly Ed25519KeyPair[],
  parameters: Partial<Parameters> = {},
): Genesis {
  const all = { ...PRESETS.test, ...parameters };
  const cell = cellToBigint(cellFromHex("8c1f8b1a6a9b9ff") ?? cellFromHex("8c1fb46741ae9ff")!);
  return {
    name: "hotspot test",
    timeMs: 0,
    seed: new Uint8Array(32).fill(7),
    parameters: all,
    validators: validators.map(({ publicKey }) => ({
      key: publicKey,
      stake: all.validatorStake,
      multiaddrs: [],
    })),
    accounts: [],
    hotspots: hotspots.map(({ publicKey }) => ({
      ...{ key: publicKey, owner: publicKey, cell, latE7: 0, lngE7: 0 },
      ...{ gainCentiDbi: 200, elevationM: 10, region: "EU868" as const },
    })),
  };
}

export const newKey = () => createKeyPair(randomBytes(32));

/** A new hotspot's key whose challenge of epoch 0 has its slot in one of these rounds. */
export function newKeyWithSlot(first: number, last: number): Ed25519KeyPair {
  for (;;) {
    const keyPair = newKey();
    const seed = FakeValidator.seedOf(0);
    const challenge = computeChallenge(PRESETS.test, seed, keyPair.publicKey, 0, REGION_PLANS.EU868);
    if (challenge !== null && challenge.slotRound >= first && challenge.slotRound <= last) return keyPair;
  }
}

/** A validator's signed receipt, as it goes over the wire. */
export function signReceipt(keyPair: Ed25519KeyPair, domains: SigningDomains, receipt: Receipt): Uint8Array {
  const body = encodeReceipt(receipt);
  const signature = sign(keyPair.secretSeed, signingMessage(domains, "receipt", body));
  return encodeSignedReceipt({ signer: keyPair.publicKey, body, signature });
}

export type Submission = { readonly id: Uint8Array; readonly bundle: ReportBundle };

export class FakeValidator {
  readonly network: Network;
  /** Every envelope submitted over the stream, in order, repetitions included. */
  readonly submissions: Submission[] = [];
  /** Every envelope that came by gossip. */
  readonly gossiped: Submission[] = [];
  round = -1;
  /** What a receipt says of an envelope. */
  judge: (submission: Submission) => Reason | null = () => null;
  /** What became of an envelope; by default included in the round after it came. */
  answer: (id: Uint8Array) => Omit<MessageStatus, "id">;
  /** Whether the receipt carries the right signature. */
  signsWell = true;
  /** Whether requests to submit are answered at all. */
  isUp = true;
  readonly #keyPair: Ed25519KeyPair;
  /** Everyone with a seat, in order, epoch by epoch: this one signs for all. */
  readonly sets: MadeSets;
  readonly #genesis: Genesis;
  readonly #networkId: Uint8Array;
  readonly #arrived = new Map<string, number>();
  readonly #watchers = new Set<() => void>();

  private constructor(network: Network, keyPair: Ed25519KeyPair, sets: MadeSets, genesis: Genesis) {
    this.sets = sets;
    this.network = network;
    this.#keyPair = keyPair;
    this.#genesis = genesis;
    this.#networkId = computeNetworkId(genesis);
    this.answer = (id) => {
      const arrived = this.#arrived.get(encodeHex(id));
      if (arrived === undefined) return { state: "unknown", round: 0, verdicts: [] };
      if (this.round <= arrived) return { state: "pending", round: 0, verdicts: [] };
      const count = this.submissions.find((s) => encodeHex(s.id) === encodeHex(id))!.bundle;
      const verdicts = [...count.beacons, ...count.witnesses, ...count.reveals].map(() => 0);
      return { state: "included", round: arrived + 1, verdicts };
    };
  }

  /** @param committee the set of every epoch, or what gives an epoch's. */
  static async start(
    keyPair: Ed25519KeyPair,
    genesis: Genesis,
    committee: readonly Ed25519KeyPair[] | SeatsOf = [keyPair],
  ): Promise<FakeValidator> {
    const networkId = computeNetworkId(genesis);
    const network = await createNetwork(
      {
        secretSeed: keyPair.secretSeed,
        listen: ["/ip4/127.0.0.1/tcp/0"],
        subscribe: [roundsTopic(networkId), ...reportTopics(networkId)],
        publishOnly: [],
        maxConnections: 32,
        role: "validator",
      },
      { clock: createSystemClock(), log: createSilentLog() },
    );
    const seatsOf = typeof committee === "function" ? committee : () => committee;
    const fake = new FakeValidator(network, keyPair, new MadeSets(genesis, seatsOf), genesis);
    await fake.#serve();
    return fake;
  }

  get address(): string {
    return this.network.multiaddrs()[0]!;
  }

  /** The seed that this validator announces for an epoch. */
  static seedOf(epoch: number): Uint8Array {
    return new Uint8Array(32).fill(epoch + 1);
  }

  /** Finalizes rounds up to this one and announces the last. */
  async advanceTo(round: number): Promise<void> {
    this.round = round;
    await this.network.publish(roundsTopic(this.#networkId), this.announce(round));
    for (const check of this.#watchers) check();
  }

  announce(round: number, change: Partial<RoundAnnouncement> = {}, signer = this.#keyPair): Uint8Array {
    const domains = createSigningDomains(this.#networkId);
    const epoch = epochOfRound(this.#genesis.parameters, round + 1);
    const vote = { round, view: 1, value: new Uint8Array(32).fill(round & 255) };
    const message = signingMessage(domains, "finalize", encodeVoteBody(vote));
    const committee = this.sets.seatsOf(epochOfRound(this.#genesis.parameters, round));
    const positions = committee.map((_, position) => position);
    const final = {
      ...vote,
      bitmap: encodeBitmap(positions, positions.length),
      signatures: committee.map(({ secretSeed }) => sign(secretSeed, message)),
    };
    const announcement: RoundAnnouncement = {
      ...{ round, epoch, final, timeMs: 1_000 * round, seed: FakeValidator.seedOf(epoch) },
      ...change,
    };
    const body = signingMessage(domains, "round", encodeAnnouncement(announcement));
    const signature = sign(signer.secretSeed, body);
    return encodeSignedAnnouncement({ validator: signer.publicKey, announcement, signature });
  }

  /** Waits until something holds, looking again whenever something arrives here. */
  async until(holds: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const check = () => holds() && resolve();
    this.#watchers.add(check);
    check();
    await promise;
    this.#watchers.delete(check);
  }

  /** What came after an epoch's sets; every epoch that is over has its certificate. */
  async answerSets(pinned: number): Promise<Uint8Array | null> {
    const closed = epochOfRound(this.#genesis.parameters, this.round + 1) - 1;
    return await this.sets.answer(pinned, closed);
  }

  async stop(): Promise<void> {
    await this.network.stop();
  }

  async #serve(): Promise<void> {
    const domains = createSigningDomains(this.#networkId);
    const limits = { maxRequestBytes: MAX_PARCEL_BYTES, maxConcurrent: 8 };
    await this.network.serve(SUBMIT_PROTOCOL, limits, async (_, parcel) => {
      if (!this.isUp) return null;
      const submissions = this.#read(parcel);
      for (const submission of submissions) {
        this.submissions.push(submission);
        const key = encodeHex(submission.id);
        if (!this.#arrived.has(key)) this.#arrived.set(key, this.round);
      }
      const items = submissions.map((submission) => ({ id: submission.id, reason: this.judge(submission) }));
      const receipt = { round: Math.max(0, this.round), deadlineRound: this.round + 8, items };
      for (const check of this.#watchers) check();
      // Another domain's signature is none here.
      return signReceipt(
        this.#keyPair,
        this.signsWell ? domains : { ...domains, receipt: domains.ack },
        receipt,
      );
    });
    const queries = { maxRequestBytes: STATUS_QUERY_MAX_BYTES, maxConcurrent: 8 };
    await this.network.serve(RECEIPT_PROTOCOL, queries, async (_, query) =>
      encodeStatusAnswer(decodeStatusQuery(query)!.map((id) => ({ id, ...this.answer(id) }))),
    );
    const syncs = { maxRequestBytes: SETS_QUESTION_BYTES, maxConcurrent: 8 };
    await this.network.serve(SYNC_PROTOCOL, syncs, async (_, question) => {
      if (question.length > 0) return await this.answerSets(decodeSetsQuestion(question)!);
      return this.round < 0 ? null : this.announce(this.round);
    });
    for (const topic of reportTopics(this.#networkId)) {
      this.network.onGossip(topic, (_, data) => {
        this.gossiped.push(...this.#read(data));
        for (const check of this.#watchers) check();
        return "accept";
      });
    }
  }

  #read(parcel: Uint8Array): Submission[] {
    const domains = createSigningDomains(this.#networkId);
    return decodeParcel(parcel)!.map((bytes) => {
      const decoded = decodeEnvelope(bytes);
      if (!decoded.ok) throw new Error(decoded.reason);
      const { envelope } = decoded;
      return { id: computeEnvelopeId(domains, envelope), bundle: decodeReportBundle(envelope.body)! };
    });
  }
}
