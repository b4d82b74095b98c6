/** What a hotspot makes of a validator that lies, is behind or is silent: nothing that another one has not said too. */
import { randomBytes } from "node:crypto";
import { afterEach, describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { createHotspotEmitter } from "../../../node/src/hotspot/events.ts";
import { Outbox } from "../../../node/src/hotspot/outbox.ts";
import type { SpoolEntry } from "../../../node/src/hotspot/spool.ts";
import { Submitter } from "../../../node/src/hotspot/submitter.ts";
import { createValidatorSet } from "../../../protocol/src/agreement/certificates.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { createSigningDomains } from "../../../protocol/src/crypto/domain.ts";
import type { Ed25519KeyPair } from "../../../protocol/src/crypto/ed25519.ts";
import { encodeReason, type Reason } from "../../../protocol/src/evidence/reasons.ts";
import { PRESETS } from "../../../protocol/src/network/presets.ts";
import { computeEnvelopeId, decodeEnvelope, decodeParcel } from "../../../protocol/src/wire/envelope.ts";
import {
  decodeStatusQuery,
  encodeStatusAnswer,
  type MessageStatus,
  SUBMIT_PROTOCOL,
  VERDICT_PENDING,
  VERDICT_SELECTION_PENDING,
} from "../../../protocol/src/wire/receipts.ts";
import type { ReportBundle } from "../../../protocol/src/wire/reports.ts";
import { ManualClock } from "../validator/support/manualClock.ts";
import { newKey, signReceipt } from "./fakeValidator.ts";

const parameters = PRESETS.mainnet;
const domains = createSigningDomains(new Uint8Array(32));
const keyPair = newKey();
const START_ROUND = 40_000;

/** A validator as the test wants it; by default it admits all and knows of nothing. */
class Validator {
  readonly keys: Ed25519KeyPair = newKey();
  readonly peer = { peerId: encodeHex(this.keys.publicKey), publicKey: this.keys.publicKey };
  refusal: Reason | null = null;
  /** The round that its receipts name; null for the newest. */
  receiptRound: number | null = null;
  /** Null where it gives no answer. */
  status: Omit<MessageStatus, "id"> | null = { state: "pending", round: 0, verdicts: [] };
  submissions = 0;
  questions = 0;

  answer(protocol: string, request: Uint8Array, newestRound: number): Uint8Array {
    if (protocol === SUBMIT_PROTOCOL) return this.#receipt(request, this.receiptRound ?? newestRound);
    this.questions++;
    const { status } = this;
    if (status === null) throw new Error("no answer");
    return encodeStatusAnswer(decodeStatusQuery(request)!.map((id) => ({ id, ...status })));
  }

  #receipt(parcel: Uint8Array, round: number): Uint8Array {
    this.submissions++;
    const items = decodeParcel(parcel)!.map((bytes) => {
      const decoded = decodeEnvelope(bytes);
      if (!decoded.ok) throw new Error(decoded.reason);
      return { id: computeEnvelopeId(domains, decoded.envelope), reason: this.refusal };
    });
    const deadlineRound = round + parameters.witnessWindowRounds;
    return signReceipt(this.keys, domains, { round, deadlineRound, items });
  }
}

const includedIn = (round: number, verdict: Reason | null = null): Omit<MessageStatus, "id"> => ({
  state: "included",
  round,
  verdicts: [verdict === null ? 0 : encodeReason(verdict)],
});
/** What an honest one says of a report whose beacon has not closed. */
const pendingIn = (round: number): Omit<MessageStatus, "id"> => ({
  state: "included",
  round,
  verdicts: [VERDICT_PENDING],
});

/** A submitter, the validators of its network, and those of them that it is connected to. */
class World {
  readonly clock = new ManualClock(1_790_000_000_000);
  readonly validators: readonly Validator[];
  connected: readonly Validator[];
  round = START_ROUND;
  epoch = 55;
  readonly told: (Reason | null)[] = [];
  /** The rounds and the verdicts that it tells its own parts of. */
  readonly included: number[] = [];
  readonly judged: (Reason | null)[] = [];
  readonly spooled = new Set<string>();
  readonly submitter: Submitter;
  readonly #outbox: Outbox;
  readonly #abort = new AbortController();

  constructor(seats: number, connected: number) {
    this.validators = Array.from({ length: seats }, () => new Validator());
    this.connected = this.validators.slice(0, connected);
    const events = createHotspotEmitter();
    events.on("submitted", ({ reason }) => this.told.push(reason));
    events.on("included", ({ round }) => this.included.push(round));
    events.on("verdict", ({ reason }) => this.judged.push(reason));
    const set = createValidatorSet(this.validators.map(({ peer }) => peer.publicKey));
    const spool = {
      entries: () => [],
      append: async ({ id }: SpoolEntry) => void this.spooled.add(encodeHex(id)),
      has: (id: Uint8Array) => this.spooled.has(encodeHex(id)),
      settle: (id: Uint8Array) => void this.spooled.delete(encodeHex(id)),
      onHeard: () => undefined,
    };
    const modules = { clock: this.clock, log: createSilentLog(), spool: spool as never };
    this.submitter = new Submitter(
      { domains, parameters, topic: null },
      {
        ...modules,
        random: randomBytes,
        events,
        sets: { epoch: 0, setOf: () => set },
        follower: {
          newest: () => ({ round: this.round, epoch: this.epoch }),
          onRound: () => undefined,
        } as never,
        links: {
          connected: () => this.connected.map(({ peer }) => peer),
          onConnected: () => undefined,
        } as never,
        network: {
          publicKey: keyPair.publicKey,
          request: async (peerId: string, protocol: string, request: Uint8Array) =>
            this.validators.find(({ peer }) => peer.peerId === peerId)!.answer(protocol, request, this.round),
        } as never,
      },
    );
    this.#outbox = new Outbox({ domains, keyPair }, { ...modules, submitter: this.submitter });
    this.submitter.start(this.#abort.signal);
  }

  /** Sends a report, and lets what follows at once happen. @returns the envelope's id. */
  async send(bundle: Partial<ReportBundle>): Promise<Uint8Array> {
    const whole = { epoch: 55, beacons: [], witnesses: [], reveals: [], ...bundle };
    const id = await this.#outbox.send(whole);
    await this.pass(0);
    return id;
  }

  /** Lets rounds pass, and all that each sets off. */
  async pass(rounds: number): Promise<void> {
    for (let i = 0; i <= rounds; i++) {
      if (i > 0) this.round++;
      this.clock.advance(i > 0 ? parameters.roundMs : 0);
      await new Promise(setImmediate);
    }
  }

  async end(): Promise<void> {
    this.#abort.abort();
    await this.submitter.stopped();
  }
}

const worlds: World[] = [];
function begin(seats: number, connected: number): World {
  const world = new World(seats, connected);
  worlds.push(world);
  return world;
}
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.end();
});

const createReveal = () => ({ reveals: [{ tag: randomBytes(6), secret: randomBytes(16) }] });
const createBeacon = () => ({
  beacons: [
    {
      commit: randomBytes(32),
      freqHz: 868_100_000,
      spreadingFactor: 9,
      bandwidthHz: 125_000,
      powerCentiDbm: 1_400,
      timeMs: 1_790_000_000_000,
    },
  ],
});

describe("a refusal for good", () => {
  test("by the only validator in reach of several is not believed, however often it is said", async () => {
    const world = begin(4, 1);
    const [liar, other] = world.validators as [Validator, Validator];
    liar.refusal = "unknown_sender";
    await world.send(createReveal());
    await world.pass(60);
    expect(liar.submissions).toBeGreaterThan(2);
    // Backed off, up to half a minute: not one try a round.
    expect(liar.submissions).toBeLessThan(20);
    expect([world.told, world.spooled.size]).toEqual([[], 1]);
    expect(world.submitter.status().refusal).toBe("unknown_sender");
    world.connected = [liar, other];
    await world.pass(12);
    expect([world.told, world.spooled.size]).toEqual([[null], 1]);
  });

  test("is believed where a second validator says so, though both are never connected at once", async () => {
    const world = begin(4, 1);
    for (const validator of world.validators) validator.refusal = "unknown_sender";
    await world.send(createReveal());
    expect(world.told).toEqual([]);
    world.connected = world.validators.slice(1, 2);
    await world.pass(12);
    expect([world.told, world.spooled.size]).toEqual([["unknown_sender"], 0]);
  });

  test("is believed of the one validator that a network has", async () => {
    const world = begin(1, 1);
    world.validators[0]!.refusal = "unknown_sender";
    await world.send(createReveal());
    expect([world.told, world.spooled.size]).toEqual([["unknown_sender"], 0]);
  });
});

describe("an envelope's state", () => {
  test.each([
    ["does not answer", null],
    ["knows nothing of it", { state: "unknown", round: 0, verdicts: [] }],
    ["always calls it pending", { state: "pending", round: 0, verdicts: [] }],
    ["names a round that nobody has heard", includedIn(2 ** 40)],
  ] as const)("is asked of another where the first %s", async (_, status) => {
    const world = begin(4, 3);
    const id = await world.send(createReveal());
    for (const validator of world.validators) validator.status = includedIn(START_ROUND + 1);
    // Who admitted it is asked first, and who that is the keys decide.
    const first = world.validators.find(({ submissions }) => submissions > 0)!;
    first.status = status;
    await world.pass(6);
    expect(first.questions).toBeGreaterThan(0);
    expect([world.submitter.includedRound(id), world.spooled.size]).toEqual([START_ROUND + 1, 0]);
  });

  test.each([
    ["one that is still to come", 2 ** 40],
    ["one of long ago", 0],
  ])("has a quarter of its window, whichever round the receipt names: %s", async (_, receiptRound) => {
    const world = begin(2, 1);
    const [validator] = world.validators as [Validator];
    validator.receiptRound = receiptRound;
    await world.send(createReveal());
    await world.pass(parameters.witnessWindowRounds / 4);
    expect(validator.submissions).toBe(1);
    await world.pass(2);
    expect(validator.submissions).toBe(2);
  });
});

describe("what one of several validators says of an envelope that is in no round", () => {
  test("neither takes it out of the spool nor keeps it from the others", async () => {
    const world = begin(4, 4);
    const [liar, ...others] = world.validators as [Validator, ...Validator[]];
    for (const validator of others) validator.refusal = "busy";
    const id = await world.send(createReveal());
    liar.status = includedIn(START_ROUND);
    await world.pass(10);
    for (const validator of others) {
      validator.refusal = null;
      validator.submissions = 0;
    }
    await world.pass(30);
    expect(others.some(({ submissions }) => submissions > 0)).toBe(true);
    expect([world.spooled.size, world.included, world.judged]).toEqual([1, [], []]);
    expect(world.submitter.includedRound(id)).toBeNull();
    for (const validator of others) validator.status = pendingIn(START_ROUND + 40);
    await world.pass(6);
    expect([world.spooled.size, world.included]).toEqual([0, [START_ROUND + 40]]);
  });

  test("has it offered to the others again, and not to that one, when it is overdue", async () => {
    const world = begin(4, 2);
    const [liar, other] = world.validators as [Validator, Validator];
    await world.send(createReveal());
    liar.status = includedIn(START_ROUND);
    const count = () => [liar.submissions, other.submissions];
    await world.pass(parameters.witnessWindowRounds / 4);
    expect(count()).toEqual([1, 1]);
    await world.pass(parameters.witnessWindowRounds / 4);
    expect(count()).toEqual([1, 2]);
  });

  test("is not asked for again where it is the only one in reach, and the report is not called too old", async () => {
    const world = begin(4, 1);
    const [only] = world.validators as [Validator];
    await world.send(createReveal());
    only.status = includedIn(START_ROUND + 1);
    await world.pass(parameters.witnessWindowRounds);
    expect([only.submissions, only.questions]).toEqual([1, 1]);
    world.epoch += 3;
    await world.pass(1);
    expect(world.told).toEqual([null]);
    expect(world.spooled.size).toBe(0);
  });
});

describe("a report's round", () => {
  test.each([
    ["an own beacon's", 0],
    ["an own beacon's", 1],
    ["a reveal's", 0],
    ["a reveal's", 1],
  ] as const)("%s is the latest that two have named, whichever lies: number %d", async (kind, liar) => {
    const world = begin(4, 2);
    const id = await world.send(kind === "a reveal's" ? createReveal() : createBeacon());
    for (const [i, validator] of world.validators.entries()) {
      validator.status = includedIn(START_ROUND + (i === liar ? 1 : 5));
    }
    const rounds = new Set<number | null>();
    for (let i = 0; i < 8; i++) {
      await world.pass(1);
      rounds.add(world.submitter.includedRound(id));
    }
    expect([...rounds]).toEqual([null, START_ROUND + 5]);
    // Then there is nothing more to ask.
    const count = () => world.validators.reduce((sum, { questions }) => sum + questions, 0);
    const asked = count();
    await world.pass(8);
    expect(count()).toBe(asked);
  });

  test("stays where one names a later one each time that it is asked", async () => {
    const world = begin(4, 2);
    const [liar, honest] = world.validators as [Validator, Validator];
    const id = await world.send(createReveal());
    honest.status = pendingIn(START_ROUND + 1);
    const rounds = new Set<number | null>();
    for (let i = 0; i < 20; i++) {
      liar.status = pendingIn(world.round);
      await world.pass(1);
      rounds.add(world.submitter.includedRound(id));
    }
    expect(rounds.size).toBe(2);
    expect(world.submitter.includedRound(id)).toBeLessThan(START_ROUND + 5);
  });
});

describe("a report's verdict", () => {
  test.each([0, 1, 2])("is no refusal that one of four makes up: number %d", async (liar) => {
    const world = begin(4, 4);
    const id = await world.send(createBeacon());
    for (const [i, validator] of world.validators.entries()) {
      validator.status = i === liar ? includedIn(START_ROUND + 1, "out_of_slot") : pendingIn(START_ROUND + 1);
    }
    await world.pass(12);
    expect(world.submitter.verdictOf(id, 0)).toBeUndefined();
    expect(world.submitter.isWaiting(id, 0)).toBe(true);
    // The beacon closes: who is honest says so.
    for (const [i, validator] of world.validators.entries()) {
      if (i !== liar) validator.status = includedIn(START_ROUND + 1);
    }
    await world.pass(6);
    expect(world.submitter.verdictOf(id, 0)).toBeNull();
    expect(world.judged).toEqual([null]);
  });

  test("is told of once, whatever one says each time that it is asked", async () => {
    const world = begin(4, 4);
    const id = await world.send(createReveal());
    for (const validator of world.validators) validator.status = pendingIn(START_ROUND + 1);
    const [liar, ...others] = world.validators as [Validator, ...Validator[]];
    await world.pass(4);
    for (let i = 0; i < 12; i++) {
      liar.status = includedIn(START_ROUND + 1, i % 2 === 0 ? "late" : null);
      await world.pass(1);
      expect(world.submitter.isWaiting(id, 0)).toBe(true);
    }
    for (const validator of others) validator.status = includedIn(START_ROUND + 1);
    await world.pass(8);
    expect(world.judged).toEqual([null]);
  });

  test("is a refusal where two say so", async () => {
    const world = begin(4, 2);
    const id = await world.send(createBeacon());
    for (const validator of world.validators) validator.status = includedIn(START_ROUND + 1, "out_of_slot");
    await world.pass(6);
    expect(world.submitter.verdictOf(id, 0)).toBe("out_of_slot");
  });

  test("is not waited for by who would help its beacon, where two say that it has closed", async () => {
    const world = begin(4, 2);
    const id = await world.send(createReveal());
    const [first, second] = world.validators as [Validator, Validator];
    first.status = { ...pendingIn(START_ROUND + 1), verdicts: [VERDICT_SELECTION_PENDING] };
    second.status = pendingIn(START_ROUND + 1);
    await world.pass(6);
    expect(world.submitter.isWaiting(id, 0)).toBe(true);
    second.status = first.status;
    await world.pass(4);
    expect(world.submitter.isWaiting(id, 0)).toBe(false);
    expect(world.submitter.verdictOf(id, 0)).toBeUndefined();
  });
});
