/** The rules of lanes as functions of state and event: any order of events, and never a promise that is not kept. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createValidatorSet, fixedSets } from "../../../protocol/src/agreement/certificates.ts";
import { LANE_START } from "../../../protocol/src/agreement/cut.ts";
import { DROPPED } from "../../../protocol/src/agreement/drops.ts";
import { checkEvidence } from "../../../protocol/src/agreement/evidence.ts";
import {
  createAuthor,
  createGather,
  createPeerLane,
  type GatherEvent,
  type LaneConfig,
  listHolders,
  MAX_BATCHES_IN_FLIGHT,
  MAX_UNCUT_BATCHES,
  mayTakeOn,
  nextPlace,
  type Offer,
  orderAsked,
  type PeerLaneEvent,
  stepAuthor,
  stepGather,
  stepPeerLane,
} from "../../../protocol/src/agreement/lanes/index.ts";
import { encodeAckBody, encodeBatchBody } from "../../../protocol/src/agreement/rounds.ts";
import { asciiBytes, equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { createSigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { createCheapSigner, verifyCheaply } from "../../sim/stack/signatures.ts";

const named = (name: string) => sha256(asciiBytes(name));
const domains = createSigningDomains(named("network"));
const keys = [0, 1, 2, 3].map((position) => named(`validator ${position}`));
const signers = keys.map((key) => createCheapSigner(domains, key));
const sets = fixedSets(createValidatorSet(keys));
const AUTHOR = 2;
const lane = keys[AUTHOR]!;

const configOf = (position: number): LaneConfig => ({
  self: keys[position]!,
  sets,
  domains,
  verify: verifyCheaply,
  sign: signers[position]!.sign,
});

describe("an author", () => {
  test("offers batches in order, and only when body and name are durable, whatever the disk does first", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.infiniteStream(fc.nat()), (count, choices) => {
        let state = createAuthor(null, 0);
        const [writing, recorded, offered]: [number[], number[], number[]] = [[], [], []];
        const run = (event: Parameters<typeof stepAuthor>[1]) => {
          const step = stepAuthor(state, event);
          state = step.state;
          for (const effect of step.effects) {
            if (effect.type === "write") writing.push(effect.place.seq);
            if (effect.type === "record") {
              recorded.push(...effect.places.map(({ seq }) => seq));
              run({ type: "recorded", seq: effect.places.at(-1)!.seq });
            }
            if (effect.type === "offer") {
              expect(recorded).toContain(effect.place.seq);
              offered.push(effect.place.seq);
            }
          }
        };
        for (let made = 1; made <= count; made++) {
          expect(nextPlace(state).seq).toBe(made);
          run({ type: "close", digest: named(`batch ${made}`) });
        }
        while (writing.length > 0) {
          const [seq] = writing.splice(choices.next().value! % writing.length, 1);
          run({ type: "written", seq: seq! });
        }
        const inOrder = Array.from({ length: count }, (_, index) => index + 1);
        expect([recorded, offered]).toEqual([inOrder, inOrder]);
      }),
    );
  });

  test("names nothing while an earlier body is not written", () => {
    let { state } = stepAuthor(createAuthor(null, 0), { type: "close", digest: named("1") });
    state = stepAuthor(state, { type: "close", digest: named("2") }).state;
    const second = stepAuthor(state, { type: "written", seq: 2 });
    expect(second.effects).toEqual([]);
    expect(stepAuthor(second.state, { type: "written", seq: 1 }).effects).toMatchObject([
      { type: "record", places: [{ seq: 1 }, { seq: 2 }] },
    ]);
  });

  test("takes on no more than may be in flight, or than cuts take in", () => {
    let state = createAuthor(null, 0);
    for (let seq = 1; seq <= MAX_BATCHES_IN_FLIGHT; seq++) {
      expect(mayTakeOn(state)).toBe(true);
      state = stepAuthor(state, { type: "close", digest: named(`${seq}`) }).state;
    }
    expect(mayTakeOn(state)).toBe(false);
    state = stepAuthor(state, { type: "cut", seq: 1 }).state;
    expect(mayTakeOn(state)).toBe(true);
    const place = { seq: MAX_UNCUT_BATCHES, digest: named("far") };
    const far = stepAuthor(createAuthor(place, 0), { type: "certified", place }).state;
    expect(mayTakeOn(far)).toBe(false);
  });

  test("changes no state that it was given", () => {
    const state = Object.freeze(createAuthor(null, 0));
    Object.freeze(state.inFlight);
    stepAuthor(state, { type: "close", digest: named("1") });
    expect(state.inFlight).toEqual([]);
  });
});

type Fork = { readonly seq: number; readonly digest: Uint8Array; readonly prev: Uint8Array };

/** Two chains of three batches, the second with other digests from its second on. */
const chain = (salt: string): Fork[] => {
  const forks: Fork[] = [];
  for (let seq = 1; seq <= 3; seq++) {
    const digest = named(seq === 1 ? "batch 1" : `batch ${seq} ${salt}`);
    forks.push({ seq, digest, prev: forks.at(-1)?.digest ?? LANE_START });
  }
  return forks;
};
const BATCHES = [...chain("a"), ...chain("b").slice(1)];

const offerOf = ({ seq, digest, prev }: Fork, epoch = 0): Offer => ({
  ...{ seq, digest, prev, epoch },
  signature: signers[AUTHOR]!.sign("batch", encodeBatchBody({ lane, seq, digest })),
});

/** What a shell may say next, in answer to what was asked or of itself. */
const arbitraryEvents = fc.array(
  fc.record({ kind: fc.nat(7), batch: fc.nat(BATCHES.length - 1), good: fc.boolean() }),
  { maxLength: 60 },
);

describe("another's lane", () => {
  test("is acknowledged only as far as it was checked, written and named without a gap, and never twice", () => {
    fc.assert(
      fc.property(arbitraryEvents, (events) => {
        let state = createPeerLane(configOf(0), lane, null, 0);
        const passed = { checked: new Set<string>(), written: new Set<string>(), named: new Set<string>() };
        const acked = new Map<number, string>();
        let cutSeq = 0;
        for (const { kind, batch: place, good } of events) {
          const batch = BATCHES[place]!;
          const event = toEvent(kind, batch, good);
          const before = state.work;
          const step = stepPeerLane(state, event);
          state = step.state;
          if (event.type === "cut" && event.place.seq > cutSeq) cutSeq = event.place.seq;
          const turn = before === null ? null : encodeHex(before.chain[0]!.digest);
          if (
            event.type === "checked" &&
            event.isValid &&
            before?.phase === "checking" &&
            isTurn(event, turn)
          )
            passed.checked.add(turn!);
          if (event.type === "written" && before?.phase === "writing" && isTurn(event, turn))
            passed.written.add(turn!);
          if (event.type === "recorded" && event.verdict !== "conflict" && before?.phase === "recording")
            if (isTurn(event, turn)) passed.named.add(turn!);
          for (const effect of step.effects) {
            if (effect.type !== "acknowledge") continue;
            const { seq, digest } = effect.ack.ack;
            expect(acked.get(seq) ?? encodeHex(digest)).toBe(encodeHex(digest));
            acked.set(seq, encodeHex(digest));
            for (let link = digest, number = seq; number > cutSeq; number--) {
              const name = encodeHex(link);
              for (const stage of Object.values(passed)) expect(stage.has(name)).toBe(true);
              link = BATCHES.find((each) => equalBytes(each.digest, link))!.prev;
            }
          }
        }
      }),
      { numRuns: 400 },
    );
  });

  test("lets go of bodies that a cut has passed while others were fetched", () => {
    const [first, second, third] = BATCHES as [Fork, Fork, Fork];
    let state = createPeerLane(configOf(0), lane, null, 0);
    const post = (event: PeerLaneEvent) => {
      const step = stepPeerLane(state, event);
      state = step.state;
      return step.effects;
    };
    post({ type: "batch", offer: offerOf(third) });
    post({ type: "fetched", digest: second.digest, batch: { lane, ...second } });
    post({ type: "cut", place: second });
    expect(post({ type: "fetched", digest: first.digest, batch: null })).toMatchObject([
      { type: "release", digests: [second.digest] },
      { type: "check", digest: third.digest },
    ]);
  });

  test("that its author signed twice convicts the author, with what it signed", () => {
    let state = createPeerLane(configOf(0), lane, null, 0);
    const effects = [];
    for (const batch of [BATCHES[1]!, BATCHES[3]!]) {
      const step = stepPeerLane(state, { type: "batch", offer: offerOf(batch) });
      state = step.state;
      effects.push(...step.effects);
    }
    expect(effects).toMatchObject([
      { type: "fetch" },
      { type: "evidence", evidence: { offender: lane } },
      { type: "drop", reason: "conflict" },
    ]);
  });

  test("has no place for what is unsigned, far ahead, or one too many", () => {
    const state = createPeerLane(configOf(0), lane, null, 0);
    const unsigned = { ...offerOf(BATCHES[0]!), signature: new Uint8Array(64) };
    expect(stepPeerLane(state, { type: "batch", offer: unsigned }).effects).toEqual(DROPPED.bad_signature);
    const far = offerOf({ seq: MAX_UNCUT_BATCHES + 1, digest: named("far"), prev: named("near") });
    expect(stepPeerLane(state, { type: "batch", offer: far }).effects).toEqual(DROPPED.far_ahead);
    let full = state;
    let dropped = 0;
    for (let seq = 2; seq < 2 + 2 * MAX_BATCHES_IN_FLIGHT; seq++) {
      const offer = offerOf({ seq, digest: named(`${seq}`), prev: named("before") });
      const step = stepPeerLane(full, { type: "batch", offer });
      full = step.state;
      if (step.effects.some((effect) => effect.type === "drop" && effect.reason === "full")) dropped++;
    }
    expect(dropped).toBe(MAX_BATCHES_IN_FLIGHT);
    expect(full.queue.length + 1).toBe(MAX_BATCHES_IN_FLIGHT);
  });
});

const isTurn = (event: { readonly digest: Uint8Array }, turn: string | null): boolean =>
  encodeHex(event.digest) === turn;

function toEvent(kind: number, batch: Fork, good: boolean): PeerLaneEvent {
  const { digest, seq, prev } = batch;
  switch (kind) {
    case 0:
    case 1:
      return { type: "batch", offer: offerOf(batch) };
    case 2:
      return { type: "fetched", digest, batch: good ? { lane, seq, prev } : null };
    case 3:
      return { type: "checked", digest, isValid: good };
    case 4:
      return { type: "written", digest };
    case 5:
      return { type: "recorded", digest, verdict: good ? "recorded" : "conflict" };
    case 6:
      return { type: "epoch", epoch: seq };
    default:
      return { type: "cut", place: { seq: 1, digest: BATCHES[0]!.digest } };
  }
}

describe("the gathering of acknowledgements", () => {
  const place = { seq: 1, digest: named("batch 1") };
  const ackBy = (validator: number, digest: Uint8Array, epoch: number, signedBy = validator) => {
    const ack = { lane, seq: 1, digest, epoch };
    return { ack, validator, signature: signers[signedBy]!.sign("ack", encodeAckBody(ack)) };
  };

  test("makes one certificate, of a quorum of valid ones of one epoch, whatever else comes", () => {
    const acks = fc.record({
      validator: fc.nat(4),
      signedBy: fc.nat(3),
      isOther: fc.boolean(),
      epoch: fc.nat(2),
    });
    fc.assert(
      fc.property(fc.array(acks, { maxLength: 24 }), (said) => {
        let { state } = stepGather(createGather(configOf(AUTHOR)), { type: "offer", place, epoch: 1 });
        const valid = new Set([AUTHOR]);
        for (const { validator, signedBy, isOther, epoch } of said) {
          const ack = ackBy(validator, isOther ? named("other") : place.digest, epoch, signedBy);
          const isDone = state.pending.size === 0;
          const step = stepGather(state, { type: "ack", ack });
          state = step.state;
          if (validator === signedBy && !isOther && epoch === 1 && !isDone) valid.add(validator);
          const certs = step.effects.filter(({ type }) => type === "certificate");
          expect(certs.length).toBe(!isDone && valid.size === 3 ? 1 : 0);
          for (const effect of step.effects) {
            if (effect.type !== "evidence") continue;
            expect(checkEvidence(effect.evidence, { domains, verify: verifyCheaply })).toBeNull();
          }
        }
      }),
    );
  });

  test("convicts who acknowledged two in one epoch, whatever it acknowledged in another", () => {
    let { state } = stepGather(createGather(configOf(AUTHOR)), { type: "offer", place, epoch: 1 });
    const post = (digest: Uint8Array, epoch: number) => {
      const step = stepGather(state, { type: "ack", ack: ackBy(0, digest, epoch) });
      state = step.state;
      return step.effects.map(({ type }) => type);
    };
    expect(post(named("other"), 2)).toEqual(["drop"]);
    expect(post(named("other"), 1)).toEqual(["drop"]);
    expect(post(place.digest, 1)).toContain("evidence");
  });

  test("asks again those who are missing, for the epoch that has come", () => {
    const { state } = stepGather(createGather(configOf(AUTHOR)), { type: "offer", place, epoch: 1 });
    const acked = stepGather(state, { type: "ack", ack: ackBy(0, place.digest, 1) }).state;
    const again = stepGather(acked, { type: "resend", epoch: 1 });
    expect(again.effects.map((effect) => effect.type === "sendBatch" && effect.to)).toEqual([
      keys[1],
      keys[3],
    ]);
    const later = stepGather(acked, { type: "resend", epoch: 2 });
    expect(later.effects).toHaveLength(3);
    expect(later.effects).toMatchObject([{ epoch: 2 }, { epoch: 2 }, { epoch: 2 }]);
  });

  test("asks again for what was certified in an epoch before, until a cut has it", () => {
    let { state } = stepGather(createGather(configOf(AUTHOR)), { type: "offer", place, epoch: 1 });
    const post = (event: GatherEvent) => {
      const step = stepGather(state, event);
      state = step.state;
      return step.effects.map(({ type }) => type);
    };
    post({ type: "ack", ack: ackBy(0, place.digest, 1) });
    // The body is kept, since it may have to be sent again.
    expect(post({ type: "ack", ack: ackBy(1, place.digest, 1) })).toEqual(["certificate", "forget"]);
    expect(post({ type: "resend", epoch: 1 })).toEqual([]);
    expect(post({ type: "resend", epoch: 2 })).toEqual(Array(3).fill("sendBatch"));
    post({ type: "ack", ack: ackBy(0, place.digest, 2) });
    expect(post({ type: "ack", ack: ackBy(3, place.digest, 2) })).toEqual(["certificate", "forget"]);
    expect(post({ type: "resend", epoch: 2 })).toEqual([]);
    expect(post({ type: "cut", seq: 1 })).toEqual(["forget"]);
    expect(post({ type: "resend", epoch: 3 })).toEqual([]);
  });
});

describe("who is asked for a batch", () => {
  test("are all who can be, each once: the sender, then the certificate's signers, then the rest", () => {
    const names = ["a", "b", "c", "d", "e", "f"];
    fc.assert(
      fc.property(
        fc.subarray(names),
        fc.subarray(names),
        fc.option(fc.constantFrom(...names)),
        fc.nat(50),
        (connected, signers, first, turn) => {
          const holders = new Set(signers);
          const asked = orderAsked(connected, { first, holders, turn });
          expect([...asked].sort()).toEqual(
            [...new Set([...connected, ...(first === null ? [] : [first])])].sort(),
          );
          if (first !== null) expect(asked.shift()).toBe(first);
          const isHolder = asked.map((name) => holders.has(name));
          expect(isHolder).toEqual(isHolder.toSorted((x, y) => Number(y) - Number(x)));
          // Another turn begins with another of them.
          const next = orderAsked(connected, { first, holders: new Set(), turn: turn + 1 });
          if (connected.length > 1 && first === null)
            expect(next[0]).not.toBe(orderAsked(connected, { first, holders: new Set(), turn })[0]);
        },
      ),
    );
  });

  test("who signed is said by the set of the certificate's epoch, and nobody where that is forgotten", () => {
    const cert = { bitmap: Uint8Array.of(0b1010), epoch: 3 };
    expect(listHolders(cert, sets)).toEqual([keys[1], keys[3]]);
    expect(listHolders(cert, { setOf: () => null })).toEqual([]);
  });
});
