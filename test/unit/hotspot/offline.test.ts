/**
 * Outages on a clock that tests move, with a real spool on a real disk: what was heard meanwhile arrives once, in order,
 * with its own time, if it can still count; also over a crash in the middle.
 */
import { randomBytes } from "node:crypto";
import { mkdtemp, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import type { Network, PeerRef } from "../../../node/src/host/types.ts";
import { Bundler } from "../../../node/src/hotspot/bundler.ts";
import { createHotspotEmitter } from "../../../node/src/hotspot/events.ts";
import { Outbox } from "../../../node/src/hotspot/outbox.ts";
import { PacketLog } from "../../../node/src/hotspot/packetLog.ts";
import { RoundFollower } from "../../../node/src/hotspot/roundFollower.ts";
import { openSpool, SPOOL_FILE, type Spool, type SpoolDrop } from "../../../node/src/hotspot/spool.ts";
import { Submitter } from "../../../node/src/hotspot/submitter.ts";
import { Witness } from "../../../node/src/hotspot/witness.ts";
import { createValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { createSigningDomains } from "../../../protocol/src/crypto/domain.ts";
import type { Reason } from "../../../protocol/src/evidence/reasons.ts";
import { epochOfRound } from "../../../protocol/src/network/parameters.ts";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { encodeFrame } from "../../../protocol/src/radio/frame.ts";
import { computeEnvelopeId, decodeEnvelope, decodeParcel } from "../../../protocol/src/wire/envelope.ts";
import {
  decodeStatusQuery,
  encodeStatusAnswer,
  RECEIPT_PROTOCOL,
  SUBMIT_PROTOCOL,
} from "../../../protocol/src/wire/receipts.ts";
import { decodeReportBundle, type ReportBundle } from "../../../protocol/src/wire/reports.ts";
import { eventually } from "../host/eventually.ts";
import { ManualClock } from "../validator/support/manualClock.ts";
import { FakeRadio } from "./fakeRadio.ts";
import { newKey, signReceipt } from "./fakeValidator.ts";

const parameters = PRESETS.mainnet;
const START_MS = 1_790_000_000_000;
const START_ROUND = 40_000;
const MINUTE_MS = 60_000;
const domains = createSigningDomains(new Uint8Array(32));
const keyPair = newKey();

/** Two validators and the rounds that go on while the hotspot cannot reach them. */
class World {
  readonly clock = new ManualClock(START_MS);
  readonly #keys = [newKey(), newKey()];
  readonly peers: readonly PeerRef[] = this.#keys.map(({ publicKey }, i) => ({ peerId: `v${i}`, publicKey }));
  readonly sets = { epoch: 0, setOf: () => createValidatorSet(this.#keys.map(({ publicKey }) => publicKey)) };
  isReachable = true;
  /** Which submission is never answered, counted from 1. */
  hangsAt: number | null = null;
  #submissions = 0;
  /** What came first into a round, in the order of coming. */
  readonly included: { readonly id: string; readonly bundle: ReportBundle }[] = [];
  /** Every envelope of every submission that was answered "admitted", by validator. */
  readonly admitted = new Map<string, string[]>(this.peers.map(({ peerId }) => [peerId, []]));
  readonly refused: Reason[] = [];

  get round(): number {
    return START_ROUND + Math.floor((this.clock.nowMs() - START_MS) / parameters.roundMs);
  }

  get epoch(): number {
    return epochOfRound(parameters, this.round + 1);
  }

  request: Network["request"] = async (peerId, protocol, request, options) => {
    if (!this.isReachable) throw new Error("no network");
    if (protocol === RECEIPT_PROTOCOL) return this.#answer(request);
    expect(protocol).toBe(SUBMIT_PROTOCOL);
    if (++this.#submissions === this.hangsAt) {
      await new Promise((_, reject) => options.signal?.addEventListener("abort", reject, { once: true }));
    }
    const items = decodeParcel(request)!.map((bytes) => this.#admit(peerId, bytes));
    const keys = this.#keys[this.peers.findIndex((peer) => peer.peerId === peerId)]!;
    const { round } = this;
    return signReceipt(keys, domains, {
      round,
      deadlineRound: round + parameters.witnessWindowRounds,
      items,
    });
  };

  #admit(peerId: string, bytes: Uint8Array): { id: Uint8Array; reason: Reason | null } {
    const decoded = decodeEnvelope(bytes);
    if (!decoded.ok) throw new Error(decoded.reason);
    const id = computeEnvelopeId(domains, decoded.envelope);
    const bundle = decodeReportBundle(decoded.envelope.body)!;
    if (bundle.epoch < this.epoch - 1 || bundle.epoch > this.epoch) {
      const reason = bundle.epoch > this.epoch ? "future_epoch" : "stale_epoch";
      this.refused.push(reason);
      return { id, reason };
    }
    const key = encodeHex(id);
    const had = this.admitted.get(peerId)!;
    if (had.includes(key)) return { id, reason: "duplicate_message" };
    had.push(key);
    if (!this.included.some((one) => one.id === key)) this.included.push({ id: key, bundle });
    return { id, reason: null };
  }

  #answer(query: Uint8Array): Uint8Array {
    return encodeStatusAnswer(
      decodeStatusQuery(query)!.map((id) => {
        const found = this.included.find((one) => one.id === encodeHex(id));
        if (found === undefined) return { id, state: "unknown" as const, round: 0, verdicts: [] };
        const { beacons, witnesses, reveals } = found.bundle;
        const verdicts = [...beacons, ...witnesses, ...reveals].map(() => 0);
        return { id, state: "included" as const, round: this.round, verdicts };
      }),
    );
  }

  /** Times of the witness reports that came into rounds. */
  times(): number[] {
    return this.included.flatMap(({ bundle }) => bundle.witnesses.map((w) => w.measurement.timeMs));
  }
}

/** One process: it may end without a goodbye. */
class Life {
  readonly radio = new FakeRadio();
  readonly drops: SpoolDrop[] = [];
  readonly reasons: (Reason | null)[] = [];
  /** Called when an envelope is on the disk. */
  onStored = (): void => undefined;
  spool!: Spool;
  bundler!: Bundler;
  outbox!: Outbox;
  submitter!: Submitter;
  #witness!: Witness;
  readonly #abort = new AbortController();

  static async begin(world: World): Promise<Life> {
    const life = new Life();
    const { clock } = world;
    const modules = { clock, log: createSilentLog(), random: randomBytes };
    life.spool = await openSpool(
      { home, domains, maxBytes: 8 * 1_048_576, onDrop: (_, reason) => void life.drops.push(reason) },
      { clock },
    );
    const events = createHotspotEmitter();
    events.on("submitted", ({ reason }) => life.reasons.push(reason));
    const links = {
      connected: () => (world.isReachable ? [...world.peers] : []),
      onConnected: () => undefined,
    };
    const network = { publicKey: keyPair.publicKey, request: world.request, publish: async () => 0 };
    const real = new RoundFollower(
      {
        judge: { domains, parameters, sets: { setOf: () => null } },
        roundsTopic: "",
        anchor: { round: START_ROUND, heardAtMs: START_MS },
      },
      { ...modules, links, network: network as never, setFollower: null as never },
    );
    // Its estimate is what an outage is about; the rounds themselves are the world's.
    const follower = {
      newest: () =>
        world.isReachable
          ? { round: world.round, epoch: world.epoch, timeMs: clock.nowMs(), heardAtMs: clock.nowMs() }
          : null,
      onRound: () => undefined,
      estimateEpoch: () => real.estimateEpoch(),
    };
    life.submitter = new Submitter(
      { domains, parameters, topic: null },
      {
        ...modules,
        spool: life.spool,
        events,
        follower: follower as never,
        network: network as never,
        links: links as never,
        sets: world.sets,
      },
    );
    life.outbox = new Outbox(
      { domains, keyPair },
      { ...modules, spool: life.spool, submitter: life.submitter },
    );
    life.bundler = new Bundler(parameters, {
      ...modules,
      follower,
      onReported: () => undefined,
      outbox: {
        send: async (bundle) => {
          const id = await life.outbox.send(bundle);
          life.onStored();
          return id;
        },
      },
    });
    life.#witness = new Witness(
      { hotspot: keyPair.publicKey, parameters },
      {
        ...modules,
        radio: life.radio,
        bundler: life.bundler,
        packets: new PacketLog(),
        events,
        onJudged: () => undefined,
      },
    );
    life.#witness.start();
    life.submitter.start(life.#abort.signal);
    return life;
  }

  /** Hears a beacon, and has it on the disk before time goes on. */
  async hear(world: World): Promise<void> {
    const { promise: stored, resolve } = Promise.withResolvers<void>();
    this.onStored = resolve;
    const payload = encodeFrame({ tag: randomBytes(6), secret: randomBytes(16) });
    this.radio.hear(payload, { receivedAtMs: world.clock.nowMs() });
    world.clock.advance(12_000);
    await stored;
  }

  end(): void {
    this.#abort.abort();
  }
}

let home: string;
const lives: Life[] = [];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "hexbeacon-offline-"));
});
afterEach(async () => {
  for (const life of lives.splice(0)) {
    life.end();
    await life.submitter.stopped();
    await life.spool.close();
  }
});

async function begin(world: World): Promise<Life> {
  const life = await Life.begin(world);
  lives.push(life);
  return life;
}

/** Lets time pass until nothing waits any more. */
async function settle(world: World, life: Life): Promise<void> {
  await eventually(() => {
    world.clock.advance(5_000);
    return life.spool.size.entries;
  }).toBe(0);
}

const ascending = (times: readonly number[]) => times.toSorted((a, b) => a - b);

describe("an outage", () => {
  test("case 45: half an hour with 50 witnessed beacons and an own one, killed at minute 20", async () => {
    const world = new World();
    world.isReachable = false;
    const first = await begin(world);
    const heardMs: number[] = [];
    const own = {
      commit: randomBytes(32),
      freqHz: 868_100_000,
      spreadingFactor: 9,
      bandwidthHz: 125_000,
      powerCentiDbm: 1_400,
      timeMs: START_MS,
    };
    await first.outbox.send({ epoch: world.epoch, beacons: [own], witnesses: [], reveals: [] });
    const hear = async (life: Life) => {
      heardMs.push(world.clock.nowMs());
      await life.hear(world);
      world.clock.advance(23_000);
    };
    while (world.clock.nowMs() < START_MS + 20 * MINUTE_MS) await hear(first);
    // No close, no flush: what is on the disk is what there is.
    first.end();
    const second = await begin(world);
    while (heardMs.length < 50) await hear(second);
    expect(world.clock.nowMs() - START_MS).toBeLessThanOrEqual(30 * MINUTE_MS);
    expect((await stat(join(home, SPOOL_FILE))).size).toBeLessThan(51 * 600);

    world.isReachable = true;
    await settle(world, second);
    expect(world.times()).toEqual(heardMs);
    expect(world.included[0]!.bundle.beacons).toHaveLength(1);
    expect(world.included).toHaveLength(51);
    for (const ids of world.admitted.values()) expect(new Set(ids).size).toBe(51);
    expect(world.refused).toEqual([]);
  });

  test("of a day, restarts in between: all that can still count arrives once, in order; the rest is told of", async () => {
    const world = new World();
    world.isReachable = false;
    let life = await begin(world);
    const all = { drops: 0, heardMs: [] as number[] };
    for (let i = 0; i < 24 * 6; i++) {
      all.heardMs.push(world.clock.nowMs());
      await life.hear(world);
      world.clock.advance(10 * MINUTE_MS - 12_000);
      if (i % 40 !== 39) continue;
      life.end();
      all.drops += life.drops.length;
      life = await begin(world);
    }
    // Only a round can tell what is too old to count.
    expect(life.spool.size.entries).toBe(all.heardMs.length);

    world.isReachable = true;
    await settle(world, life);
    const countsFrom = world.epoch - 1;
    const epochAt = (ms: number) =>
      epochOfRound(parameters, START_ROUND + 1 + Math.floor((ms + 12_000 - START_MS) / parameters.roundMs));
    const due = all.heardMs.filter((ms) => epochAt(ms) >= countsFrom);
    expect(due.length).toBeGreaterThan(6);
    expect(world.times()).toEqual(ascending(world.times()));
    // At an epoch's edge a report may belong to either; every other one that is due is there, and none twice.
    expect(world.times()).toEqual(expect.arrayContaining(due.slice(1)));
    expect(new Set(world.times()).size).toBe(world.times().length);
    const told = all.drops + life.drops.length + life.reasons.filter((r) => r === "stale_epoch").length;
    expect(told + world.times().length).toBe(all.heardMs.length);
    expect(world.refused).toEqual([]);
    for (const ids of world.admitted.values()) expect(new Set(ids).size).toBe(ids.length);
  });

  test("in which rounds stood still too: what was dated ahead is tried again until its epoch has begun", async () => {
    const world = new World();
    world.isReachable = false;
    const life = await begin(world);
    world.clock.advance(3 * 60 * MINUTE_MS);
    await life.hear(world);
    // The network is three hours behind its plan.
    const { admitted } = world;
    Object.defineProperty(world, "round", {
      get: () => START_ROUND + Math.floor((world.clock.nowMs() - START_MS) / parameters.roundMs) - 3 * 720,
    });
    world.isReachable = true;
    await eventually(() => {
      world.clock.advance(5_000);
      return world.refused.length;
    }).toBeGreaterThan(3);
    expect(new Set(world.refused)).toEqual(new Set(["future_epoch"]));
    expect(life.spool.size.entries).toBe(1);
    await eventually(() => {
      world.clock.advance(10 * MINUTE_MS);
      return [...admitted.values()].map((ids) => ids.length);
    }).toEqual([1, 1]);
    // Backed off: in three hours at pauses of up to half a minute, not one try a round.
    expect(world.refused.length).toBeLessThan(1_000);
  });
});

test("what is too old to count leaves the spool with the first round, also where nobody follows it", async () => {
  const world = new World();
  world.isReachable = false;
  const life = await begin(world);
  const stamp = { timeMs: world.clock.nowMs(), envelope: randomBytes(300) };
  for (const age of [0, 1, 2]) {
    await life.spool.append({ id: randomBytes(32), epoch: world.epoch - age, ...stamp });
  }
  // A day ahead: the clock is set, and no round says so.
  world.clock.set(24 * 60 * MINUTE_MS);
  await life.hear(world);
  expect([life.spool.size.entries, life.drops]).toEqual([4, []]);
  world.clock.set(-24 * 60 * MINUTE_MS);
  world.isReachable = true;
  await eventually(() => {
    world.clock.advance(5_000);
    return life.drops;
  }).toEqual(["over_age"]);
  expect(life.spool.size.entries).toBe(3);
});

test("a validator that is asked for a second receipt and never answers delays no first one", async () => {
  const world = new World();
  world.hangsAt = 2;
  const life = await begin(world);
  await life.hear(world);
  await eventually(() => world.included.length).toBe(1);
  await life.hear(world);
  await eventually(() => world.included.length).toBe(2);
  expect([...world.admitted.values()].map((ids) => ids.length).toSorted()).toEqual([0, 2]);
});
