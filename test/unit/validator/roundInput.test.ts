/** From a decided value to execution's input: batches by their chain, lanes in the order of seats, and what is missing. */
import { describe, expect, test } from "vitest";
import { LANE_START } from "../../../protocol/src/agreement/cut.ts";
import { computeBatchDigest, encodeBatch, type Value } from "../../../protocol/src/agreement/rounds.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { createLedger } from "../../../protocol/src/ledger/state.ts";
import { loadRound } from "../../../validator/src/execution/roundInput.ts";
import { contextOf, createTestGenesis, keyNamed, signReports } from "./support/network.ts";

const LANES = ["first", "second"].map((name) => keyNamed(name).publicKey);
const genesis = {
  ...createTestGenesis(1),
  validators: LANES.map((key) => ({ key, stake: 1n << 40n, multiaddrs: [] })),
};
const context = contextOf(genesis);
const ROUND = 0;

function createWorld() {
  const ledger = createLedger(genesis);
  const disk = new Map<string, Uint8Array>();
  const batches = { getBatch: async (digest: Uint8Array) => disk.get(encodeHex(digest)) ?? null };
  /** A batch with one message, told by its salt. */
  const write = (lane: Uint8Array, seq: number, prev: Uint8Array, salt: number): Uint8Array => {
    const encoded = encodeBatch({ lane, seq, prev, messages: [signReports(context, 0, 0, salt)] });
    const digest = computeBatchDigest(encoded);
    disk.set(encodeHex(digest), encoded);
    return digest;
  };
  const load = (...entries: readonly { lane: Uint8Array; seq: number; digest: Uint8Array }[]) => {
    const tips = { round: ROUND, validator: LANES[0]!, timeMs: 7, tips: [], executedRound: 0 };
    const value: Value = {
      round: ROUND,
      tips: [{ tips: { ...tips, executedDigest: LANE_START }, signature: new Uint8Array(64) }],
      cut: entries.map((entry) => ({ ...entry, epoch: 0, bitmap: new Uint8Array(1), signatures: [] })),
      previousFinal: [],
      evidence: [],
    };
    return loadRound(value, 5, { batches, domains: context.domains, ledger });
  };
  return { ledger, disk, write, load };
}

/** The salt of each message, in the order of execution. */
const saltsOf = ({ input }: Awaited<ReturnType<ReturnType<typeof createWorld>["load"]>>) =>
  input.messages.map((message) => (message.kind === "reports" ? message.bundle.witnesses[0]!.tag[0] : null));

describe("a round's input", () => {
  test("has what is new in each lane, lanes in the order of seats, and where they end", async () => {
    const { ledger, write, load } = createWorld();
    const first = write(LANES[0]!, 1, LANE_START, 1);
    const second = write(LANES[0]!, 2, first, 2);
    const other = write(LANES[1]!, 1, LANE_START, 3);
    const entries = [
      { lane: LANES[1]!, seq: 1, digest: other },
      { lane: LANES[0]!, seq: 2, digest: second },
    ];
    const loaded = await load(...entries);
    expect(saltsOf(loaded)).toEqual([1, 2, 3]);
    expect(loaded.input.timeMs).toBe(7);
    expect(loaded.input.lanes).toEqual([entries[1], entries[0]]);
    ledger.validators.find(LANES[0]!)!.laneEnd = { seq: 1, digest: first };
    expect(saltsOf(await load(...entries))).toEqual([2, 3]);
  });

  test("goes on with the chain that is decided, though it names another batch than the last cut took", async () => {
    const { ledger, disk, write, load } = createWorld();
    const taken = write(LANES[0]!, 1, LANE_START, 1);
    const twin = write(LANES[0]!, 1, LANE_START, 2);
    const next = write(LANES[0]!, 2, twin, 3);
    ledger.validators.find(LANES[0]!)!.laneEnd = { seq: 1, digest: taken };
    // Nobody needs the twin for it: what it held is lost to its author, and never executed.
    disk.delete(encodeHex(twin));
    expect(saltsOf(await load({ lane: LANES[0]!, seq: 2, digest: next }))).toEqual([3]);
  });

  test("is not made where a batch is missing or is not the one that its lane has there", async () => {
    const { disk, write, load } = createWorld();
    const first = write(LANES[0]!, 1, LANE_START, 1);
    const second = write(LANES[0]!, 2, first, 2);
    const wrongLane = load({ lane: LANES[1]!, seq: 2, digest: second });
    await expect(wrongLane).rejects.toMatchObject({ code: "batch_missing" });
    const wrongSeq = load({ lane: LANES[0]!, seq: 3, digest: second });
    await expect(wrongSeq).rejects.toMatchObject({ code: "batch_missing" });
    disk.delete(encodeHex(first));
    const missing = load({ lane: LANES[0]!, seq: 2, digest: second });
    await expect(missing).rejects.toMatchObject({ code: "batch_missing" });
  });
});
