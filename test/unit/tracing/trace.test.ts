import { describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import type { Log } from "../../../node/src/host/types.ts";
import { createHotspotEmitter } from "../../../node/src/hotspot/events.ts";
import { MessageLog } from "../../../node/src/hotspot/messageLog.ts";
import { encodeBatch } from "../../../protocol/src/agreement/rounds.ts";
import { encodeHex, encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeEnvelopeId, decodeEnvelope } from "../../../protocol/src/wire/envelope.ts";
import type { RoundRow } from "../../../validator/src/store/store.ts";
import { Journeys } from "../../../validator/src/tracing/journeys.ts";
import { type TraceModules, traceMessage } from "../../../validator/src/tracing/trace.ts";
import {
  contextOf,
  createTestGenesis,
  hotspotKey,
  OWNER,
  signReports,
} from "../validator/support/network.ts";

const context = contextOf(createTestGenesis(3));
const envelopes = [0, 1, 2].map((hotspot) => signReports(context, hotspot, 0, hotspot));
const idOf = (bytes: Uint8Array): Uint8Array => {
  const decoded = decodeEnvelope(bytes);
  if (!decoded.ok) throw new Error(decoded.reason);
  return computeEnvelopeId(context.domains, decoded.envelope);
};
const [ID, OTHER] = envelopes.map(idOf) as [Uint8Array, Uint8Array];
const LANE = OWNER.publicKey;

const openJourneys = (log: Log = createSilentLog(), isVerbose = () => false) => {
  let nowMs = 1_000;
  return new Journeys({ nowMs: () => nowMs++, log, isVerbose });
};

/** A store of one round with two batches, of which the second holds the message. */
function openTrace(change: Partial<TraceModules> = {}): TraceModules & { journeys: Journeys } {
  const batch = (seq: number, messages: Uint8Array[]) =>
    encodeBatch({ lane: LANE, seq, prev: new Uint8Array(32), messages });
  const bodies = [batch(6, [envelopes[1]!]), batch(7, [envelopes[2]!, envelopes[0]!])];
  const digests = bodies.map((_, index) => new Uint8Array(32).fill(index));
  const round = {
    ...{ round: 9, epoch: 0, timeMs: 5_000, batchDigests: digests },
    batchSpans: [{ lane: LANE, firstSeq: 6, lastSeq: 7 }],
  } as unknown as RoundRow;
  return {
    domains: context.domains,
    journeys: openJourneys(),
    isPending: () => false,
    batches: { getBatch: async (digest) => bodies[digest[0]!]! },
    store: {
      messageStatus: async ([id]) => [{ id: id!, state: "included", round: 9, verdicts: [] }],
      getRound: async () => round,
      listReports: async () => [
        {
          ...{ reportId: { envelopeId: ID, index: 0 }, hotspot: hotspotKey(0).publicKey, kind: "witness" },
          ...{
            includedRound: 9,
            state: "refused",
            reason: "no_beacon",
            selectionPending: false,
            beacon: null,
          },
          ...{
            beaconReport: null,
            measurement: null,
            distanceM: null,
            ceilingCentiDbm: null,
            unitsPpm: null,
          },
        },
      ],
      getTransaction: async () => null,
      getBeacon: async () => null,
      getRewardLine: async () => null,
    },
    ...change,
  } as TraceModules & { journeys: Journeys };
}

describe("a message's way through a validator", () => {
  test("has its times, the batch that brought it, the round and each verdict", async () => {
    const modules = openTrace();
    const { journeys } = modules;
    journeys.onAdmitted(ID, "submission", 990);
    journeys.onCertified([OTHER, ID]);
    journeys.onDecided(9);
    journeys.onExecuted(9, [ID]);
    expect(await traceMessage(ID, modules)).toMatchObject({
      id: encodeHex0x(ID),
      state: "included",
      intake: { way: "submission", receivedMs: 990, admittedMs: 1_000, certifiedMs: 1_001 },
      batch: { lane: encodeDidKey(LANE), seq: 7 },
      round: { round: 9, epoch: 0, timeMs: 5_000, decidedMs: 1_002, executedMs: 1_003 },
      reports: [
        { kind: "witness", reason: "no_beacon", hotspot: encodeDidKey(hotspotKey(0).publicKey), paid: null },
      ],
    });
  });

  test("is told as far as it is known", async () => {
    const unknown = {
      store: { ...openTrace().store, messageStatus: openTrace().store.messageStatus },
    };
    const store = {
      ...unknown.store,
      messageStatus: async ([id]: readonly Uint8Array[]) => [
        { id: id!, state: "unknown" as const, round: 0, verdicts: [] },
      ],
    };
    expect(await traceMessage(ID, openTrace({ store }))).toBeNull();
    expect(await traceMessage(ID, openTrace({ store, isPending: () => true }))).toMatchObject({
      ...{ state: "pending", intake: null, round: null, reports: [] },
    });
    // Without its body nobody can say any more whose lane brought it.
    const gone = openTrace({ batches: { getBatch: async () => null } });
    expect(await traceMessage(ID, gone)).toMatchObject({ state: "included", batch: null });
  });

  test("is remembered for the newest only", () => {
    const journeys = openJourneys();
    const name = (n: number) => new Uint8Array(new Uint32Array([n]).buffer);
    for (let n = 0; n < 65_537; n++) journeys.onAdmitted(name(n), "reports", 0);
    const found = [journeys.find(name(32_767)), journeys.find(name(32_768))];
    expect(found).toMatchObject([null, { way: "reports" }]);
  });

  test("is in the log at each step while debug lines are written, and costs none otherwise", () => {
    const said: string[] = [];
    const log = {
      ...createSilentLog(),
      debug: (words: string, fields?: object) => void said.push(`${words} ${JSON.stringify(fields)}`),
    };
    let isVerbose = false;
    const journeys = openJourneys(log, () => isVerbose);
    journeys.onAdmitted(ID, "reports", 0);
    expect(said).toEqual([]);
    isVerbose = true;
    journeys.onCertified([ID]);
    journeys.onExecuted(3, [ID, OTHER]);
    expect(said).toEqual([
      `Certified a message {"id":"${encodeHex(ID)}"}`,
      `Executed a message {"id":"${encodeHex(ID)}","round":3}`,
      `Executed a message {"id":"${encodeHex(OTHER)}","round":3}`,
    ]);
  });
});

describe("a hotspot's log of its messages", () => {
  test("has every step in order, and the newest messages only", () => {
    let nowMs = 0;
    const messages = new MessageLog({ clock: { nowMs: () => nowMs++ }, log: createSilentLog() });
    const events = createHotspotEmitter();
    messages.watch(events);
    events.emit("spooled", { id: ID, timeMs: 5 });
    events.emit("receipted", { id: ID, validator: LANE, round: 4, reason: null });
    events.emit("included", { id: ID, round: 6, kinds: ["witness"] });
    events.emit("verdict", { id: ID, index: 0, kind: "witness", reason: "too_close" });
    expect(messages.find(ID)).toEqual({
      id: encodeHex0x(ID),
      steps: [
        { step: "spooled", time: "1970-01-01T00:00:00.000Z" },
        {
          step: "receipted",
          time: "1970-01-01T00:00:00.001Z",
          validator: encodeDidKey(LANE),
          round: 4,
          reason: null,
        },
        { step: "included", time: "1970-01-01T00:00:00.002Z", round: 6 },
        { step: "judged", time: "1970-01-01T00:00:00.003Z", index: 0, kind: "witness", reason: "too_close" },
      ],
    });
    for (let n = 0; n < 256; n++) events.emit("spooled", { id: new Uint8Array(32).fill(n), timeMs: 0 });
    expect(messages.find(ID)).toBeNull();
  });
});
