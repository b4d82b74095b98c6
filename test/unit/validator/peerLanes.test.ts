/** Rule A3: what is acknowledged is held without a gap, checked and durable, and never two batches under one number. */
import { beforeEach, describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { verifySignature } from "../../../node/src/host/verify.ts";
import {
  checkAvailabilityCert,
  createValidatorSet,
  fixedSets,
} from "../../../protocol/src/agreement/certificates.ts";
import { LANE_START } from "../../../protocol/src/agreement/cut.ts";
import type { DropReason } from "../../../protocol/src/agreement/drops.ts";
import { checkEvidence, evidenceKindOf } from "../../../protocol/src/agreement/evidence.ts";
import type { Place } from "../../../protocol/src/agreement/lanes/index.ts";
import type { Ack, PeerMessage, SignedBatch } from "../../../protocol/src/agreement/peerMessages.ts";
import {
  type AvailabilityCert,
  computeBatchDigest,
  type Evidence,
  encodeAckBody,
  encodeBatch,
  encodeBatchBody,
} from "../../../protocol/src/agreement/rounds.ts";
import { concatBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { signingMessage } from "../../../protocol/src/crypto/domain.ts";
import { AckGatherer } from "../../../validator/src/lanes/ackGatherer.ts";
import { AvailabilityBook } from "../../../validator/src/lanes/availability.ts";
import { PeerLanes } from "../../../validator/src/lanes/peerLanes.ts";
import { openVotes, type Votes } from "../../../validator/src/rounds/votes.ts";
import { createSigner } from "../../../validator/src/signer.ts";
import { ManualClock } from "./support/manualClock.ts";
import { contextOf, createTestGenesis, keyNamed, signBody, signReports } from "./support/network.ts";

const context = contextOf(createTestGenesis(2));
const validators = [0, 1, 2, 3].map((index) => keyNamed(`validator ${index}`));
const set = createValidatorSet(validators.map(({ publicKey }) => publicKey));
const sets = fixedSets(set);
const SELF = 0;
const AUTHOR = 2;
const nameOf = (position: number) => encodeHex(validators[position]!.publicKey);
const lane = validators[AUTHOR]!.publicKey;
const { domains } = context;

type Made = { readonly digest: Uint8Array; readonly encoded: Uint8Array; readonly signed: SignedBatch };

function makeBatch(seq: number, prev: Uint8Array, messages: readonly Uint8Array[], epoch = 0): Made {
  const encoded = encodeBatch({ lane, seq, prev, messages });
  const digest = computeBatchDigest(encoded);
  const signature = signBody(context, validators[AUTHOR]!, "batch", encodeBatchBody({ lane, seq, digest }));
  return { digest, encoded, signed: { epoch, batch: encoded, signature } };
}

/** Batches 1 to `count`, chained. */
function makeChain(count: number, salt = 0): Made[] {
  const chain: Made[] = [];
  for (let seq = 1; seq <= count; seq++) {
    const prev = chain.at(-1)?.digest ?? LANE_START;
    chain.push(makeBatch(seq, prev, [signReports(context, 0, 0, salt * 100 + seq)]));
  }
  return chain;
}

describe("another validator's lane", () => {
  let votes: Votes;
  let disk: Map<string, Uint8Array>;
  let elsewhere: Map<string, Uint8Array>;
  /** Digests, one after the other. */
  let asked: string[];
  let isGivenOnce: boolean;
  let acks: Ack[];
  let conflicts: Evidence[];
  let batched: [string, number][];
  let dropped: DropReason[];
  let lanes: PeerLanes;
  let epoch: number;
  let laneEnd: Place;

  function open(): void {
    acks = [];
    asked = [];
    conflicts = [];
    batched = [];
    dropped = [];
    lanes = new PeerLanes(
      { sets, domains, cut: [] },
      {
        mesh: {
          send: (to, message) => {
            if (to === nameOf(AUTHOR) && message.type === "ack") acks.push(message.ack);
          },
        },
        signer: createSigner(domains, validators[SELF]!.secretSeed),
        verify: verifySignature,
        verifier: {
          verify: async (claims) =>
            Uint8Array.from(claims, ({ publicKey, message, signature }) =>
              verifySignature(publicKey, concatBytes(...message), signature) ? 1 : 0,
            ),
        },
        batches: {
          putBatch: async (digest, bytes) => {
            disk.set(encodeHex(digest), bytes);
          },
        },
        votes,
        fetcher: {
          find: async (digest) => {
            const name = encodeHex(digest);
            const body = elsewhere.get(name) ?? null;
            if (isGivenOnce) elsewhere.delete(name);
            asked.push(name);
            return body;
          },
        },
        laneEndOf: () => laneEnd,
        epoch: () => epoch,
        log: createSilentLog(),
        mayAcknowledge: () => true,
        onOthersBatch: (author, idKeys) => batched.push([author, idKeys.length]),
        onConflict: (conflict) => conflicts.push(conflict),
        onDropped: (_, reason) => dropped.push(reason),
        onFailure: (error) => {
          throw error;
        },
      },
    );
  }
  beforeEach(() => {
    votes = openVotes(":memory:", { network: context.networkId, validator: validators[SELF]!.publicKey });
    disk = new Map();
    elsewhere = new Map();
    isGivenOnce = false;
    epoch = 0;
    laneEnd = { seq: 0, digest: LANE_START };
    open();
  });

  test("is acknowledged batch by batch, each durable first", async () => {
    const chain = makeChain(3);
    await takeAll(chain);
    expect(acks.map(({ ack }) => ack.seq)).toEqual([1, 2, 3]);
    expect(chain.every(({ digest }) => disk.has(encodeHex(digest)))).toBe(true);
    lanes.onBatch(nameOf(AUTHOR), makeBatch(4, chain[2]!.digest, []).signed);
    await lanes.stop();
    // Whoever ends acknowledges nothing more.
    expect(acks).toHaveLength(3);
  });

  test("goes on where it ended, when its author comes back to a seat", async () => {
    const chain = makeChain(4);
    laneEnd = { seq: 2, digest: chain[1]!.digest };
    await takeAll([chain[2]!]);
    expect(acks.map(({ ack }) => ack.seq)).toEqual([3]);
    await takeAll([makeBatch(1, LANE_START, []), chain[3]!]);
    expect(acks.map(({ ack }) => ack.seq)).toEqual([3, 4]);
  });

  test("is acknowledged only with everything before it", async () => {
    const chain = makeChain(4);
    await takeAll([chain[0]!, chain[3]!]);
    expect(acks.map(({ ack }) => ack.seq)).toEqual([1]);
    for (const { digest, encoded } of chain) elsewhere.set(encodeHex(digest), encoded);
    await takeAll([chain[3]!]);
    expect(acks.map(({ ack }) => ack.seq)).toEqual([1, 4]);
    for (const { digest } of chain) expect(disk.has(encodeHex(digest))).toBe(true);
    // Whoever holds back what these contain hears of each.
    expect(batched.map(([author]) => author)).toEqual(chain.map(() => nameOf(AUTHOR)));
    const { ack, signature, validator } = acks.at(-1)!;
    const message = signingMessage(domains, "ack", encodeAckBody(ack));
    expect([validator, verifySignature(validators[SELF]!.publicKey, message, signature)]).toEqual([
      SELF,
      true,
    ]);
  });

  test("is fetched from its end and checked from its beginning, with few bodies in memory between", async () => {
    const chain: Made[] = [];
    for (let seq = 1; seq <= 60; seq++) chain.push(makeBatch(seq, chain.at(-1)?.digest ?? LANE_START, []));
    const names = chain.map(({ digest }) => encodeHex(digest));
    for (const [index, { encoded }] of chain.entries()) elsewhere.set(names[index]!, encoded);
    await takeAll([chain[59]!]);
    await settleUntil(() => acks.length > 0);
    expect(acks.map(({ ack }) => ack.seq)).toEqual([60]);
    expect(disk.size).toBe(60);
    // All but the offered one, newest first; then again those behind the 32 that are checked first.
    expect(asked).toEqual([...names.slice(0, 59).reverse(), ...names.slice(32, 59)]);
  });

  test("is not acknowledged where a body does not come again", async () => {
    const chain: Made[] = [];
    for (let seq = 1; seq <= 40; seq++) chain.push(makeBatch(seq, chain.at(-1)?.digest ?? LANE_START, []));
    const names = chain.map(({ digest }) => encodeHex(digest));
    for (const [index, { encoded }] of chain.entries()) elsewhere.set(names[index]!, encoded);
    isGivenOnce = true;
    lanes.onBatch(nameOf(AUTHOR), chain[39]!.signed);
    await settleUntil(() => dropped.length > 0);
    expect([acks, dropped, disk.size]).toEqual([[], ["malformed"], 32]);
    await takeAll([chain[32]!]);
    expect(acks.map(({ ack }) => ack.seq)).toEqual([33]);
  });

  test("gets no acknowledgement for a second batch under one number, also after a crash", async () => {
    const [first] = makeChain(1);
    const [second] = makeChain(1, 7);
    // Said again while it is under way, a batch is acknowledged once; and again when it is said after that.
    await takeAll([first!, second!, first!]);
    await takeAll([first!]);
    expect(acks.map(({ ack }) => encodeHex(ack.digest))).toEqual(Array(2).fill(encodeHex(first!.digest)));
    expect(conflicts).toMatchObject([{ offender: lane }]);
    expect(evidenceKindOf(conflicts[0]!)).toBe("double_batch");
    expect(checkEvidence(conflicts[0]!, { domains, verify: verifySignature })).toBeNull();
    open();
    await takeAll([second!]);
    expect(acks).toEqual([]);
    expect(disk.has(encodeHex(second!.digest))).toBe(false);
    await takeAll([first!]);
    expect(acks).toHaveLength(1);
  });

  test("gets none for a message that is not signed, a chain that is none, or another's signature", async () => {
    const forged = signReports(context, 0, 0, 1).slice();
    forged[forged.length - 1]! ^= 1;
    const badBody = makeBatch(1, LANE_START, [forged]);
    const noEnvelope = makeBatch(1, LANE_START, [new Uint8Array(200)]);
    const badStart = makeBatch(1, new Uint8Array(32).fill(9), []);
    const [good] = makeChain(1);
    const unsigned: Made = { ...good!, signed: { ...good!.signed, signature: new Uint8Array(64) } };
    await takeAll([badBody, noEnvelope, badStart, unsigned]);
    // A batch of one lane from another validator's stream is nobody's.
    lanes.onBatch(nameOf(3), good!.signed);
    await settle();
    expect(acks).toEqual([]);
    expect(disk.size).toBe(0);
    await takeAll([good!]);
    expect(acks).toHaveLength(1);
  });

  test("is decoded only where its author signed it and it is the next one", async () => {
    // A batch whose place can be read and whose messages cannot.
    const spoil = ({ encoded }: Made): Made => {
      const bytes = encoded.slice();
      bytes[76] = 255;
      const digest = computeBatchDigest(bytes);
      const signature = signBody(
        context,
        validators[AUTHOR]!,
        "batch",
        encodeBatchBody({ lane, seq: 1, digest }),
      );
      return { digest, encoded: bytes, signed: { epoch: 0, batch: bytes, signature } };
    };
    const [good] = makeChain(1);
    const spoilt = spoil(good!);
    const unsigned: Made = { ...spoilt, signed: { ...spoilt.signed, signature: new Uint8Array(64) } };
    await takeAll([unsigned]);
    expect(dropped).toEqual(["bad_signature"]);
    await takeAll([spoilt]);
    await takeAll([good!]);
    expect(dropped).toEqual(["bad_signature", "malformed"]);
    expect(acks).toHaveLength(1);
  });

  test("is acknowledged for the epoch that is asked for, where that is about now", async () => {
    const [first] = makeChain(1);
    const inEpoch = (asked: number): Made => ({ ...first!, signed: { ...first!.signed, epoch: asked } });
    epoch = 5;
    await takeAll([inEpoch(3), inEpoch(4), inEpoch(5), inEpoch(6), inEpoch(7)]);
    expect(acks.map(({ ack }) => ack.epoch)).toEqual([4, 5, 6]);
  });

  test("goes on from a cut that passed it", async () => {
    const chain = makeChain(5);
    const cut = { ...tip(chain, 3), epoch: 0, bitmap: new Uint8Array(1), signatures: [] };
    lanes.onCut([cut]);
    await takeAll([chain[1]!, chain[3]!, chain[4]!]);
    expect(acks.map(({ ack }) => ack.seq)).toEqual([4, 5]);
  });

  const tip = (chain: readonly Made[], seq: number) => ({ lane, seq, digest: chain[seq - 1]!.digest });

  /** Several turns of the event loop: what is in memory is done by then. */
  async function settle(): Promise<void> {
    for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
  async function settleUntil(condition: () => boolean): Promise<void> {
    for (let turn = 0; turn < 20_000 && !condition(); turn++)
      await new Promise((resolve) => setImmediate(resolve));
  }
  async function takeAll(batches: readonly Made[]): Promise<void> {
    for (const { signed } of batches) lanes.onBatch(nameOf(AUTHOR), signed);
    await settle();
  }
});

describe("acknowledgements of the own lane", () => {
  const signer = createSigner(domains, validators[AUTHOR]!.secretSeed);

  function open() {
    const clock = new ManualClock(0);
    const sent: { to: string; message: PeerMessage }[] = [];
    const certs: AvailabilityCert[] = [];
    const conflicts: Evidence[] = [];
    const dropped: DropReason[] = [];
    let epoch = 3;
    const gatherer = new AckGatherer(
      { sets, domains, resendMs: 100 },
      {
        mesh: {
          broadcast: (message) => sent.push({ to: "all", message }),
          send: (to, message) => sent.push({ to, message }),
        },
        signer,
        verify: verifySignature,
        clock,
        epoch: () => epoch,
        onCertificate: (cert) => certs.push(cert),
        onConflict: (conflict) => conflicts.push(conflict),
        onDropped: (_, reason) => dropped.push(reason),
      },
    );
    gatherer.start();
    const setEpoch = (next: number) => {
      epoch = next;
    };
    return { gatherer, clock, sent, certs, conflicts, dropped, setEpoch };
  }
  const ackBy = (validator: number, { digest }: Made, epoch = 3, signedBy = validator): Ack => {
    const ack = { lane, seq: 1, digest, epoch };
    return { ack, validator, signature: signBody(context, validators[signedBy]!, "ack", encodeAckBody(ack)) };
  };
  const [batch] = makeChain(1);
  const [other] = makeChain(1, 5);

  test("make a certificate at a quorum of valid ones, each validator's once", () => {
    const { gatherer, sent, certs, conflicts, dropped } = open();
    gatherer.request({ seq: 1, digest: batch!.digest }, batch!.encoded);
    expect(sent).toMatchObject([{ to: "all", message: { type: "batch" } }]);
    gatherer.onAck(ackBy(0, batch!));
    gatherer.onAck(ackBy(0, batch!));
    gatherer.onAck(ackBy(1, batch!, 3, 3));
    gatherer.onAck(ackBy(1, other!));
    gatherer.onAck(ackBy(1, batch!, 2));
    expect(certs).toEqual([]);
    expect(dropped).toEqual(["repeated", "bad_signature", "conflict", "past"]);
    // Only who has acknowledged both is convicted, whichever came first.
    expect(conflicts).toEqual([]);
    gatherer.onAck(ackBy(0, other!));
    expect(conflicts).toMatchObject([{ offender: validators[0]!.publicKey }]);
    expect(evidenceKindOf(conflicts[0]!)).toBe("double_ack");
    expect(checkEvidence(conflicts[0]!, { domains, verify: verifySignature })).toBeNull();
    gatherer.onAck(ackBy(3, batch!));
    expect(certs).toHaveLength(1);
    expect(checkAvailabilityCert(certs[0]!, set, domains, verifySignature)).toBeNull();
    expect(sent.at(-1)).toMatchObject({ to: "all", message: { type: "availability" } });
    const refused: DropReason[] = [];
    const onDropped = (_: string, reason: DropReason) => refused.push(reason);
    const book = new AvailabilityBook(
      { sets, domains, verify: verifySignature, laneEndOf: () => ({ seq: 0 }), cut: [] },
      { onDropped },
    );
    expect([book.put(certs[0]!), book.put(certs[0]!)]).toEqual([true, false]);
    expect(book.newest(3)).toEqual(certs);
    expect(book.newest(5)).toEqual([]);
    book.onCut(certs, 3);
    expect(book.newest(3)).toEqual([]);
    const { signatures } = certs[0]!;
    const forged = { ...certs[0]!, seq: 2, signatures };
    expect([certs[0]!, { ...forged, seq: 1_000 }, forged].map((cert) => book.put(cert))).toEqual([
      false,
      false,
      false,
    ]);
    expect(refused).toEqual(["repeated", "past", "far_ahead", "bad_signature"]);
  });

  test("are asked for again, of those who are missing, and for the epoch that has come", () => {
    const { gatherer, clock, sent, certs, setEpoch } = open();
    gatherer.request({ seq: 1, digest: batch!.digest }, batch!.encoded);
    gatherer.onAck(ackBy(0, batch!));
    clock.advance(100);
    expect(sent.slice(1).map(({ to }) => to)).toEqual([1, 3].map(nameOf));
    setEpoch(4);
    clock.advance(100);
    expect(sent.slice(3).map(({ to }) => to)).toEqual([0, 1, 3].map(nameOf));
    gatherer.onAck(ackBy(1, batch!));
    for (const validator of [0, 1]) gatherer.onAck(ackBy(validator, batch!, 4));
    expect(certs.map(({ epoch }) => epoch)).toEqual([4]);
    clock.advance(1_000);
    expect(sent.at(-1)).toMatchObject({ to: "all", message: { type: "availability" } });
  });
});
