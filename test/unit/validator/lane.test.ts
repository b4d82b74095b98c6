/** The own lane over a disk that the test drives: nothing is acknowledged before it is durable, whatever happens. */
import { describe, expect, test } from "vitest";
import { verifySignature } from "../../../node/src/host/verify.ts";
import { checkAvailabilityCert, fixedSets } from "../../../protocol/src/agreement/certificates.ts";
import { LANE_START } from "../../../protocol/src/agreement/cut.ts";
import { MAX_BATCHES_IN_FLIGHT, MAX_UNCUT_BATCHES } from "../../../protocol/src/agreement/lanes/index.ts";
import {
  type AvailabilityCert,
  decodeBatch,
  MAX_BATCH_BYTES,
} from "../../../protocol/src/agreement/rounds.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { AckGatherer } from "../../../validator/src/lanes/ackGatherer.ts";
import { createLane, type Lane } from "../../../validator/src/lanes/lane.ts";
import { type AuthoredBatch, openVotes, type Votes } from "../../../validator/src/rounds/votes.ts";
import { createSigner } from "../../../validator/src/signer.ts";
import { ManualClock } from "./support/manualClock.ts";
import { contextOf, createTestGenesis, VALIDATOR } from "./support/network.ts";
import { SILENT_MESH } from "./support/silentMesh.ts";

const context = contextOf(createTestGenesis(1));
const message = (fill: number, length = 300) => new Uint8Array(length).fill(fill);
const FLUSH_MS = 50;
/** As many messages as fit one batch, less than one more of them. */
const fullBatch = (fill: number) => Array.from({ length: 262 }, () => message(fill, 996));

/** A lane of a validator that is alone, over a disk whose writes end when the test says so. */
function openLane(change: { last?: AuthoredBatch; cutSeq?: number; votes?: Votes } = {}) {
  const clock = new ManualClock(1_000);
  const votes =
    change.votes ?? openVotes(":memory:", { network: context.networkId, validator: VALIDATOR.publicKey });
  const writes: {
    digest: Uint8Array;
    bytes: Uint8Array;
    finish: () => void;
    fail: (error: Error) => void;
  }[] = [];
  const failures: Error[] = [];
  const signer = createSigner(context.domains, VALIDATOR.secretSeed);
  const lane: Lane = createLane(
    {
      flushMs: FLUSH_MS,
      last: change.last ?? null,
      cutSeq: change.cutSeq ?? 0,
    },
    {
      clock,
      votes,
      signer,
      batches: {
        putBatch: (digest, bytes) =>
          new Promise<void>((finish, fail) => {
            writes.push({ digest, bytes, finish, fail });
          }),
      },
      onFailure: (error) => failures.push(error),
      requestAcks: (batch, encoded) => acks.request(batch, encoded),
    },
  );
  const certs: AvailabilityCert[] = [];
  const acks = new AckGatherer(
    { sets: fixedSets(context.set), domains: context.domains, resendMs: 1_000 },
    {
      mesh: SILENT_MESH,
      signer,
      verify: verifySignature,
      clock,
      epoch: () => 0,
      onCertificate: (cert) => {
        certs.push(cert);
        lane.onCertificate(cert);
      },
      onConflict: () => {},
      onDropped: () => {},
    },
  );
  return { lane, acks, certs, clock, votes, writes, failures };
}

/** Lets promises that are settled run what follows them. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  await turn();
  return (
    (await Promise.race([
      promise.then(
        () => "settled",
        () => "settled",
      ),
      Promise.resolve("open"),
    ])) === "settled"
  );
}

describe("the own lane", () => {
  test("acknowledges nothing before the batch and its vote are durable", async () => {
    const { lane, certs, clock, writes, votes } = openLane();
    const appended = lane.append([message(1), message(2)]);
    expect(writes).toHaveLength(0);
    clock.advance(FLUSH_MS);
    expect(writes).toHaveLength(1);
    expect(await isSettled(appended)).toBe(false);
    expect(certs).toEqual([]);
    expect(votes.lastBatch()).toBeNull();
    writes[0]!.finish();
    await appended;
    expect(votes.lastBatch()).toEqual({ seq: 1, digest: writes[0]!.digest });
    const batch = decodeBatch(writes[0]!.bytes)!;
    expect(batch).toMatchObject({ seq: 1, prev: LANE_START, messages: [message(1), message(2)] });
    const [cert] = certs as [AvailabilityCert];
    expect(checkAvailabilityCert(cert, context.set, context.domains, verifySignature)).toBeNull();
    expect([cert.seq, encodeHex(cert.digest)]).toEqual([1, encodeHex(writes[0]!.digest)]);
  });

  test("chains batches and certifies them in order, though the disk finishes them in another", async () => {
    const { lane, certs, writes } = openLane();
    const appended = [1, 2, 3, 4].map((fill) => lane.append(fullBatch(fill)));
    const batches = writes.map(({ bytes }) => decodeBatch(bytes)!);
    expect(batches.map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect(batches[1]!.prev).toEqual(writes[0]!.digest);
    expect(batches[2]!.prev).toEqual(writes[1]!.digest);
    writes[2]!.finish();
    writes[1]!.finish();
    expect(await isSettled(appended[1]!)).toBe(false);
    expect(certs).toEqual([]);
    writes[0]!.finish();
    await Promise.all(appended.slice(0, 3));
    expect(certs.map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  test("fills a batch and no more than a batch", async () => {
    const { lane, writes } = openLane();
    void lane.append(
      Array.from({ length: 2 * Math.floor(MAX_BATCH_BYTES / 1_004) }, (_, i) => message(i & 255, 1_000)),
    );
    expect(writes.length).toBe(1);
    for (const { bytes } of writes) {
      expect(bytes.length).toBeLessThanOrEqual(MAX_BATCH_BYTES);
      expect(bytes.length).toBeGreaterThan(MAX_BATCH_BYTES - 1_100);
      expect(decodeBatch(bytes)).not.toBeNull();
    }
  });

  test("lets a batch fill while the disk is busy, and writes it when that is free", async () => {
    const { lane, clock, writes } = openLane();
    const first = lane.append([message(1)]);
    clock.advance(FLUSH_MS);
    const second = lane.append([message(2)]);
    clock.advance(FLUSH_MS * 3);
    const third = lane.append([message(3)]);
    expect(writes).toHaveLength(1);
    writes[0]!.finish();
    await first;
    expect(decodeBatch(writes[1]!.bytes)!.messages).toEqual([message(2), message(3)]);
    writes[1]!.finish();
    await Promise.all([second, third]);
  });

  test("goes on where it was left", async () => {
    const last = { seq: 7, digest: message(9, 32) };
    const votes = openVotes(":memory:", { network: context.networkId, validator: VALIDATOR.publicKey });
    for (let seq = 1; seq <= 7; seq++)
      votes.recordBatches([{ seq, digest: seq === 7 ? last.digest : message(seq, 32) }]);
    const { lane, acks, certs, clock, writes } = openLane({ last, cutSeq: 6, votes });
    expect(lane.inFlight()).toBe(1);
    const appended = lane.append([message(1)]);
    clock.advance(FLUSH_MS);
    // What nobody certified before the end is asked for again, and goes first.
    expect(writes).toEqual([]);
    acks.request(last, message(0));
    expect(decodeBatch(writes[0]!.bytes)).toMatchObject({ seq: 8, prev: last.digest });
    writes[0]!.finish();
    await appended;
    expect(certs.map(({ seq }) => seq)).toEqual([7, 8]);
    expect(lane.inFlight()).toBe(0);
  });

  test("accepts no more than may be in flight, and no more than rounds take in", async () => {
    const { lane, writes } = openLane();
    for (let i = 0; i <= MAX_BATCHES_IN_FLIGHT; i++) {
      expect(lane.canAcceptWork()).toBe(true);
      void lane.append(fullBatch(1));
    }
    expect(lane.canAcceptWork()).toBe(false);
    writes[0]!.finish();
    await turn();
    expect(lane.canAcceptWork()).toBe(true);

    const seq = MAX_UNCUT_BATCHES + 1;
    const last = { seq, digest: message(1, 32) };
    const uncut = openLane({ last, cutSeq: 1 });
    uncut.acks.request(last, message(0));
    expect(uncut.lane.canAcceptWork()).toBe(false);
    uncut.lane.onCut(2);
    expect(uncut.lane.canAcceptWork()).toBe(true);
  });

  test("fails as a whole when the disk does, and acknowledges nothing more", async () => {
    const { lane, clock, writes, failures } = openLane();
    const first = lane.append([message(1)]);
    clock.advance(FLUSH_MS);
    const second = lane.append([message(2)]);
    clock.advance(FLUSH_MS);
    writes[0]!.fail(new Error("no space left"));
    await expect(first).rejects.toThrow("no space left");
    await expect(second).rejects.toThrow("no space left");
    await expect(lane.append([message(3)])).rejects.toThrow("no space left");
    expect(lane.canAcceptWork()).toBe(false);
    expect(failures).toHaveLength(1);
  });

  test("never signs a second batch under one number", async () => {
    const votes = openVotes(":memory:", { network: context.networkId, validator: VALIDATOR.publicKey });
    votes.recordBatches([{ seq: 1, digest: message(1, 32) }]);
    const { lane, certs, clock, writes, failures } = openLane({ votes });
    const appended = lane.append([message(1)]);
    clock.advance(FLUSH_MS);
    writes[0]!.finish();
    await expect(appended).rejects.toMatchObject({ code: "votes_conflict" });
    expect(failures).toHaveLength(1);
    expect(certs).toEqual([]);
  });

  test("writes what is open when it closes", async () => {
    const { lane, writes } = openLane();
    const appended = lane.append([message(1)]);
    const closed = lane.close();
    writes[0]!.finish();
    await Promise.all([appended, closed]);
    await expect(lane.append([message(2)])).rejects.toMatchObject({ code: "stopped" });
  });
});
