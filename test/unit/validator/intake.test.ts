/** Admission: every reason, in the order that no unauthenticated message can turn against its alleged sender. */
import { hash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { verifyDeviceSignature, verifySignature } from "../../../node/src/host/verify.ts";
import { concatBytes } from "../../../protocol/src/bytes/bytes.ts";
import { signingMessage } from "../../../protocol/src/crypto/domain.ts";
import { createP256KeyPair, signP256 } from "../../../protocol/src/crypto/p256.ts";
import type { AdmissionReason } from "../../../protocol/src/evidence/reasons.ts";
import { cellToBigint } from "../../../protocol/src/geo/cell.ts";
import { computeCentre } from "../../../protocol/src/geo/centre.ts";
import { REGION_PLANS } from "../../../protocol/src/radio/regions.ts";
import { type Assertion, encodeAssertion, encodeRegistration } from "../../../protocol/src/wire/consents.ts";
import {
  decodeEnvelope,
  encodeEnvelope,
  encodeParcel,
  MAX_ENVELOPES_PER_PARCEL,
  MAX_PARCEL_BYTES,
} from "../../../protocol/src/wire/envelope.ts";
import { encodeCosignedBeacons, encodeReportBundle } from "../../../protocol/src/wire/reports.ts";
import { keyOfBytes } from "../../../validator/src/bytesKey.ts";
import { decodeCandidate } from "../../../validator/src/intake/candidate.ts";
import {
  CONNECTION_ENVELOPES_PER_SECOND,
  DEVICE_SIGNATURE_COST,
} from "../../../validator/src/intake/connectionAllowances.ts";
import { computeHoldRounds } from "../../../validator/src/intake/heldGossip.ts";
import type { IntakeKind } from "../../../validator/src/intake/inbox.ts";
import { createIntake } from "../../../validator/src/intake/intake.ts";
import { NONCE_WINDOW } from "../../../validator/src/intake/rules.ts";
import type { SignatureClaim } from "../../../validator/src/verify/signatureJob.ts";
import { ManualClock } from "./support/manualClock.ts";
import {
  CELL,
  contextOf,
  createTestGenesis,
  hotspotKey,
  keyNamed,
  OWNER,
  signBody,
  signEnvelope,
  signReports,
  signTransaction,
} from "./support/network.ts";

const context = contextOf(createTestGenesis(2));
const { roundsPerEpoch, reportsPerEpoch } = context.parameters;
const hotspots = [0, 1].map((index) => hotspotKey(index).publicKey.join());
const FIRST_ROUND = 2 * roundsPerEpoch;

/** Intake in epoch 2, over a verifier and a lane that work when the test lets them. */
function openIntake(change: { disk?: "at once" | "by hand"; verifier?: "at once" | "by hand" } = {}) {
  const clock = new ManualClock(1_000_000);
  const appended: Uint8Array[] = [];
  const included = new Set<string>();
  const refused: [IntakeKind, AdmissionReason][] = [];
  const writes: PromiseWithResolvers<void>[] = [];
  const verifications: { claims: readonly SignatureClaim[]; finish: () => void }[] = [];
  const room = { verifier: true, lane: true };
  const account = { nonce: 0, balance: context.parameters.txFee };
  const admitted: [IntakeKind, number][] = [];
  const nearest = { is: true };
  const rounds = { next: FIRST_ROUND };
  const judge = (claims: readonly SignatureClaim[]) =>
    Uint8Array.from(claims, ({ publicKey, message, signature }) =>
      (publicKey.length === 32 ? verifySignature : verifyDeviceSignature)(
        publicKey,
        concatBytes(...message),
        signature,
      )
        ? 1
        : 0,
    );
  const intake = createIntake(
    { parameters: context.parameters, domains: context.domains, nextRound: FIRST_ROUND },
    {
      clock,
      isHotspot: (key) => hotspots.includes(key.join()),
      accountOf: (key) => (key.join() === OWNER.publicKey.join() ? account : null),
      isIncluded: (_, id) => included.has(id.join()),
      turnOf: () => (nearest.is ? 0 : 1),
      onAdmitted: (kind, messages) => void (messages > 0 && admitted.push([kind, messages])),
      onRefused: (kind, reason) => refused.push([kind, reason]),
      verifier: {
        canAcceptWork: () => room.verifier,
        verify: (claims) =>
          change.verifier === "by hand"
            ? new Promise((resolve) => verifications.push({ claims, finish: () => resolve(judge(claims)) }))
            : Promise.resolve(judge(claims)),
      },
      lane: {
        canAcceptWork: () => room.lane,
        append: (messages) => {
          appended.push(...messages);
          const write = Promise.withResolvers<void>();
          writes.push(write);
          if (change.disk !== "by hand") write.resolve();
          return write.promise;
        },
      },
    },
  );
  return {
    intake,
    clock,
    account,
    appended,
    admitted,
    nearest,
    included,
    refused,
    writes,
    verifications,
    room,
    rounds,
  };
}

const reasonsOf = (items: readonly { reason: AdmissionReason | null }[]) => items.map(({ reason }) => reason);
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
const idOfReport = (bytes: Uint8Array): Uint8Array => {
  const item = decodeCandidate(bytes, context.domains);
  if (!item.ok) throw new Error("no report");
  return item.candidate.id;
};
const report = (salt: number, hotspot = 0, epoch = 2) => signReports(context, hotspot, epoch, salt);
/** A beacon's report, co-signed for one that was sent so much later. */
function cosigned(lateMs: number): Uint8Array {
  const device = createP256KeyPair(new Uint8Array(32).fill(8));
  const sent = { freqHz: 868_100_000, spreadingFactor: 9, bandwidthHz: 125_000, powerCentiDbm: 1_300 };
  const beacon = { commit: new Uint8Array(32), ...sent, timeMs: 1 };
  const bundle = { epoch: 2, beacons: [beacon], witnesses: [], reveals: [] };
  const signed = { ...bundle, beacons: [{ ...beacon, timeMs: 1 + lateMs }] };
  const body = encodeCosignedBeacons(hotspotKey(0).publicKey, signed);
  const signature = signP256(device.secret, signingMessage(context.domains, "cosigned", body));
  const cosignature = { deviceKey: device.publicKey, signature };
  return signEnvelope(context, hotspotKey(0), "reports", encodeReportBundle({ ...bundle, cosignature }));
}
const parcelOf = (...envelopes: Uint8Array[]) => encodeParcel(envelopes);

function withBadSignature(envelope: Uint8Array): Uint8Array {
  const decoded = decodeEnvelope(envelope);
  if (!decoded.ok) throw new Error("no envelope");
  const signature = decoded.envelope.signature.slice();
  signature[3]! ^= 1;
  return encodeEnvelope({ ...decoded.envelope, signature });
}

function assertTransaction(change: Partial<Assertion> = {}, signer = hotspotKey(0)): Uint8Array {
  const assertion: Assertion = {
    hotspot: hotspotKey(0).publicKey,
    cell: cellToBigint(CELL),
    ...computeCentre(CELL),
    gainCentiDbi: 200,
    elevationM: 5,
    region: REGION_PLANS.EU868.id,
    epoch: 2,
    ...change,
  };
  const hotspotSignature = signBody(context, signer, "assertion", encodeAssertion(assertion));
  return signTransaction(context, OWNER, { kind: "assert", epoch: 2, nonce: 0, assertion, hotspotSignature });
}

function registerTransaction(ownerSigns: boolean): Uint8Array {
  const fresh = keyNamed("new hotspot");
  const registration = { hotspot: fresh.publicKey, owner: OWNER.publicKey, epoch: 2 };
  const body = encodeRegistration(registration);
  const hotspotSignature = signBody(context, fresh, "registration", body);
  const ownerSignature = signBody(context, ownerSigns ? OWNER : fresh, "registration", body);
  return signTransaction(context, OWNER, {
    kind: "register",
    epoch: 2,
    nonce: 0,
    registration,
    hotspotSignature,
    ownerSignature,
  });
}

describe("admission", () => {
  test("puts valid messages into the lane, in the parcel's order", async () => {
    const { intake, appended } = openIntake();
    const envelopes = [report(1), report(2, 1), assertTransaction(), registerTransaction(true)];
    expect(reasonsOf(await intake.submit("peer", parcelOf(...envelopes)))).toEqual([null, null, null, null]);
    expect(appended).toEqual(envelopes);
  });

  const transfer = (from: typeof OWNER, nonce: number) =>
    signTransaction(context, from, { kind: "transfer", epoch: 2, nonce, to: OWNER.publicKey, amount: 1n });
  const centre = computeCentre(CELL);
  test.each<[AdmissionReason | null, string, () => Uint8Array]>([
    ["malformed", "bytes that are no envelope", () => Uint8Array.of(1, 2, 3)],
    [
      "malformed",
      "an envelope around bytes that are no bundle",
      () => signEnvelope(context, hotspotKey(0), "reports", new Uint8Array(40)),
    ],
    ["malformed", "trailing bytes", () => concatBytes(report(1), Uint8Array.of(0))],
    [
      "unknown_kind",
      "a kind that is not on the list",
      () => Uint8Array.from(report(1), (byte, at) => (at === 0 ? 77 : byte)),
    ],
    ["bad_signature", "a flipped bit", () => withBadSignature(report(1))],
    [
      "bad_signature",
      "a signature of another network",
      () => signReports(contextOf(createTestGenesis(3)), 0, 2, 1),
    ],
    [
      "bad_cosignature",
      "an assertion that the hotspot has not signed",
      () => assertTransaction({}, keyNamed("thief")),
    ],
    ["bad_cosignature", "a registration that the owner has not signed", () => registerTransaction(false)],
    ["bad_cosignature", "a beacon with a device's signature over another one", () => cosigned(1)],
    [null, "a beacon that a device has signed too", () => cosigned(0)],
    ["stale_epoch", "a body two epochs old", () => report(1, 0, 0)],
    [null, "a body one epoch old", () => report(1, 0, 1)],
    ["future_epoch", "a body of the next epoch", () => report(1, 0, 3)],
    ["unknown_sender", "a report from nobody's hotspot", () => report(1, 9)],
    ["unknown_sender", "a transfer from no account", () => transfer(keyNamed("stranger"), 0)],
    [null, "a centre that differs in the last digit", () => assertTransaction({ latE7: centre.latE7 + 1 })],
    ["centre_off_cell", "a centre beside the cell's", () => assertTransaction({ lngE7: centre.lngE7 - 2 })],
    ["centre_off_cell", "an index that is no cell", () => assertTransaction({ cell: 5n })],
  ])("answers %s to %s", async (reason, _, make) => {
    const { intake, appended, refused } = openIntake();
    expect(reasonsOf(await intake.submit("peer", parcelOf(make())))).toEqual([reason]);
    expect(appended).toHaveLength(reason === null ? 1 : 0);
    expect(refused).toEqual(reason === null ? [] : [["submission", reason]]);
  });

  test("takes no transaction that execution would refuse for nothing, and a parcel of those that follow", async () => {
    const { intake, account } = openIntake();
    account.nonce = 5;
    const admit = async (nonce: number) =>
      (await intake.submit("p", parcelOf(transfer(OWNER, nonce))))[0]!.reason;
    expect(await admit(4)).toBe("wrong_nonce");
    expect(await admit(5 + NONCE_WINDOW)).toBe("wrong_nonce");
    account.balance--;
    expect(await admit(5)).toBe("insufficient_balance");
    account.balance++;
    const pending = Array.from({ length: NONCE_WINDOW }, (_, at) => transfer(OWNER, 5 + at));
    expect(new Set(reasonsOf(await intake.submit("p", parcelOf(...pending))))).toEqual(new Set([null]));
    // Once it is executed, a copy is told that it is here, not that its nonce is spent.
    account.nonce = 6;
    expect(await admit(5)).toBe("duplicate_message");
  });

  test("judges each envelope of a parcel by itself, and a parcel that is none as one", async () => {
    const { intake, appended } = openIntake();
    const good = report(1);
    const items = await intake.submit("peer", parcelOf(withBadSignature(report(2)), good, Uint8Array.of(9)));
    expect(reasonsOf(items)).toEqual(["bad_signature", null, "malformed"]);
    expect(appended).toEqual([good]);
    expect(reasonsOf(await intake.submit("peer", Uint8Array.of(1, 2, 3, 4, 5)))).toEqual(["malformed"]);
    expect(reasonsOf(await intake.submit("peer", new Uint8Array(64_001)))).toEqual(["oversized"]);
  });

  test("takes an id once, whoever brings it and however often", async () => {
    const { intake, appended, included } = openIntake();
    const envelope = report(1);
    expect(reasonsOf(await intake.submit("a", parcelOf(envelope, envelope)))).toEqual([
      null,
      "duplicate_message",
    ]);
    expect(reasonsOf(await intake.submit("b", parcelOf(envelope)))).toEqual(["duplicate_message"]);
    expect(await intake.gossip("c", "reports", parcelOf(envelope))).toBe("ignore");
    expect(appended).toHaveLength(1);
    // Executed: the ledger remembers it from here on.
    const { id } = (await intake.submit("b", parcelOf(envelope)))[0]!;
    expect(intake.isPending(id)).toBe(true);
    included.add(id.join());
    intake.onRound(FIRST_ROUND, [id]);
    expect(intake.isPending(id)).toBe(false);
    expect(reasonsOf(await intake.submit("b", parcelOf(envelope)))).toEqual(["duplicate_message"]);
    // Executed without effect: it may come again.
    included.clear();
    expect(reasonsOf(await intake.submit("b", parcelOf(envelope)))).toEqual([null]);
  });

  test("sees a copy that came while the verifier worked", async () => {
    const { intake, verifications, appended } = openIntake({ verifier: "by hand" });
    const envelope = report(1);
    const first = intake.submit("a", parcelOf(envelope));
    const second = intake.submit("b", parcelOf(envelope));
    expect(verifications).toHaveLength(2);
    for (const verification of verifications.reverse()) verification.finish();
    const reasons = [reasonsOf(await first)[0], reasonsOf(await second)[0]];
    expect(reasons.sort()).toEqual([null, "duplicate_message"].sort());
    expect(appended).toHaveLength(1);
  });

  test("lets no copy with a bad signature stand in a good one's way", async () => {
    const { intake } = openIntake();
    const envelope = report(1);
    expect(reasonsOf(await intake.submit("a", parcelOf(withBadSignature(envelope))))).toEqual([
      "bad_signature",
    ]);
    expect(reasonsOf(await intake.submit("a", parcelOf(envelope)))).toEqual([null]);
    expect(reasonsOf(await intake.submit("a", parcelOf(withBadSignature(envelope))))).toEqual([
      "bad_signature",
    ]);
  });

  test("answers a submission only when the disk has it, and the second of a message too", async () => {
    const { intake, writes } = openIntake({ disk: "by hand" });
    const answers: string[] = [];
    const envelope = report(1);
    const first = intake.submit("a", parcelOf(envelope)).then(() => answers.push("first"));
    const second = intake.submit("b", parcelOf(envelope)).then(() => answers.push("second"));
    expect(await intake.gossip("c", "reports", parcelOf(report(2, 1)))).toBe("accept");
    await turn();
    expect(answers).toEqual([]);
    writes[0]!.resolve();
    await Promise.all([first, second]);
    expect(answers.sort()).toEqual(["first", "second"]);
  });

  test("gives no answer at all where the disk failed", async () => {
    const { intake, writes } = openIntake({ disk: "by hand" });
    const first = intake.submit("a", parcelOf(report(1)));
    await turn();
    writes[0]!.reject(new Error("no space left"));
    await expect(first).rejects.toThrow("no space left");
  });
});

describe("gossip", () => {
  test("forwards what is new, ignores what is old, rejects what no honest peer relays", async () => {
    const { intake } = openIntake();
    expect(await intake.gossip("a", "reports", parcelOf(report(1)))).toBe("accept");
    expect(await intake.gossip("a", "reports", parcelOf(report(2, 0, 0)))).toBe("ignore");
    expect(await intake.gossip("a", "reports", parcelOf(report(2, 9)))).toBe("ignore");
    expect(await intake.gossip("a", "reports", parcelOf(withBadSignature(report(2))))).toBe("reject");
    expect(await intake.gossip("a", "reports", parcelOf(report(3), withBadSignature(report(4))))).toBe(
      "reject",
    );
    expect(await intake.gossip("a", "reports", Uint8Array.of(1))).toBe("reject");
  });

  test("forwards no parcel that is mostly copies, and takes what is new of it all the same", async () => {
    const { intake, appended } = openIntake();
    const [old, ...fresh] = [1, 2, 3].map((salt) => report(salt)) as [Uint8Array, Uint8Array, Uint8Array];
    await intake.submit("a", parcelOf(old));
    expect(await intake.gossip("b", "reports", parcelOf(fresh[0]!, old, old))).toBe("ignore");
    expect(await intake.gossip("b", "reports", parcelOf(fresh[1]!, old))).toBe("accept");
    expect(appended).toEqual([old, ...fresh]);
  });

  test("keeps each kind to its topic", async () => {
    const { intake, refused } = openIntake();
    expect(await intake.gossip("a", "transactions", parcelOf(report(1)))).toBe("reject");
    expect(await intake.gossip("a", "reports", parcelOf(registerTransaction(true)))).toBe("reject");
    expect(await intake.gossip("a", "transactions", parcelOf(registerTransaction(true)))).toBe("accept");
    expect(refused).toEqual([
      ["transactions", "unknown_kind"],
      ["reports", "unknown_kind"],
    ]);
  });
});

describe("what came by gossip only, where others are nearer to its id", () => {
  const HOLD_ROUNDS = computeHoldRounds(context.parameters);

  /** Intake of a validator that is nearest to nothing. */
  function openFar() {
    const opened = openIntake();
    opened.nearest.is = false;
    const passRounds = (count: number, ids: readonly Uint8Array[] = []) => {
      for (let at = 0; at < count; at++) opened.intake.onRound(opened.rounds.next++, ids);
    };
    return { ...opened, passRounds };
  }

  test("is relayed, and batched here only when no cut has had it for k rounds", async () => {
    const { intake, appended, admitted, passRounds } = openFar();
    expect(await intake.gossip("a", "reports", parcelOf(report(1)))).toBe("accept");
    expect(await intake.gossip("a", "transactions", parcelOf(registerTransaction(true)))).toBe("accept");
    expect(appended).toEqual([]);
    passRounds(HOLD_ROUNDS - 1);
    expect(appended).toEqual([]);
    passRounds(1);
    expect(appended).toHaveLength(2);
    expect(admitted).toEqual([
      ["reports", 1],
      ["transactions", 1],
    ]);
    passRounds(HOLD_ROUNDS);
    expect(appended).toHaveLength(2);
  });

  test("is waited for anew when others' batches contain it, for each author once", async () => {
    const { intake, appended, passRounds } = openFar();
    await intake.gossip("a", "reports", parcelOf(report(1)));
    const name = keyOfBytes(idOfReport(report(1)));
    passRounds(HOLD_ROUNDS - 1);
    for (const author of ["x", "x", "y"]) intake.onOthersBatch(author, [name]);
    passRounds(HOLD_ROUNDS - 1);
    expect(appended).toEqual([]);
    intake.onOthersBatch("x", [name]);
    passRounds(1);
    expect(appended).toEqual([report(1)]);
  });

  test("is not batched when a cut had it, and then counts as any other", async () => {
    const { intake, appended, included, passRounds } = openFar();
    await intake.gossip("a", "reports", parcelOf(report(1)));
    const id = idOfReport(report(1));
    expect(intake.isPending(id)).toBe(false);
    included.add(id.join());
    passRounds(1, [id]);
    passRounds(HOLD_ROUNDS);
    expect(appended).toEqual([]);
    expect(await intake.gossip("a", "reports", parcelOf(report(1), report(1)))).toBe("ignore");
  });

  test("is batched at once when it is submitted here too, and uses its sender's allowance once", async () => {
    const { intake, appended, passRounds } = openFar();
    for (let salt = 1; salt <= reportsPerEpoch; salt++)
      await intake.gossip(`peer ${salt}`, "reports", parcelOf(report(salt)));
    expect(reasonsOf(await intake.submit("a", parcelOf(report(reportsPerEpoch + 1))))).toEqual([
      "rate_limited",
    ]);
    expect(reasonsOf(await intake.submit("a", parcelOf(report(1))))).toEqual([null]);
    expect(appended).toEqual([report(1)]);
    expect(reasonsOf(await intake.submit("b", parcelOf(report(1))))).toEqual(["duplicate_message"]);
    passRounds(HOLD_ROUNDS);
    expect(appended).toHaveLength(reportsPerEpoch);
  });

  test("is known when it comes by gossip again, and waits on where the lane has no room", async () => {
    const { intake, appended, room, passRounds } = openFar();
    await intake.gossip("a", "reports", parcelOf(report(1)));
    expect(await intake.gossip("b", "reports", parcelOf(report(1), report(1)))).toBe("ignore");
    room.lane = false;
    passRounds(HOLD_ROUNDS + 3);
    expect(appended).toEqual([]);
    room.lane = true;
    passRounds(1);
    expect(appended).toEqual([report(1)]);
    expect(await intake.gossip("c", "reports", parcelOf(report(1)))).toBe("ignore");
  });

  test("is let go when it is too old by then, and when the validator closes", async () => {
    const { intake, appended, rounds, passRounds } = openFar();
    await intake.gossip("a", "reports", parcelOf(report(1, 0, 1)));
    rounds.next = FIRST_ROUND + roundsPerEpoch;
    passRounds(1);
    await intake.gossip("a", "reports", parcelOf(report(1, 0, 3)));
    intake.close();
    passRounds(HOLD_ROUNDS);
    expect(appended).toEqual([]);
  });
});

describe("limits", () => {
  test("a connection brings so much a second, and costs others nothing", async () => {
    const { intake, clock } = openIntake();
    const full = parcelOf(...Array.from({ length: MAX_ENVELOPES_PER_PARCEL }, () => Uint8Array.of(1)));
    const parcels = CONNECTION_ENVELOPES_PER_SECOND / MAX_ENVELOPES_PER_PARCEL;
    for (let i = 0; i < parcels; i++)
      expect(reasonsOf(await intake.submit("flood", full))[0]).toBe("malformed");
    expect(reasonsOf(await intake.submit("flood", parcelOf(report(1))))).toEqual(["rate_limited"]);
    expect(reasonsOf(await intake.submit("honest", parcelOf(report(1))))).toEqual([null]);
    clock.advance(1_000);
    expect(reasonsOf(await intake.submit("flood", parcelOf(report(2))))).toEqual([null]);
  });

  test("what a connection has no room for is answered as one, and nobody reads it", async () => {
    const { intake, verifications, refused } = openIntake({ verifier: "by hand" });
    const full = parcelOf(...Array.from({ length: MAX_ENVELOPES_PER_PARCEL }, (_, salt) => report(salt)));
    const parcels = CONNECTION_ENVELOPES_PER_SECOND / MAX_ENVELOPES_PER_PARCEL;
    for (let i = 0; i < parcels; i++) void intake.submit("flood", full);
    const [item, ...others] = await intake.submit("flood", full);
    expect([item!.reason, others]).toEqual(["rate_limited", []]);
    expect(item!.id).toEqual(hash("sha256", full, "buffer"));
    expect(refused).toEqual([["submission", "rate_limited"]]);
    expect(verifications).toHaveLength(parcels);
  });

  test("bytes cost as much as envelopes, whatever they say that they are", async () => {
    const { intake } = openIntake();
    const one = parcelOf(new Uint8Array(MAX_PARCEL_BYTES - 4));
    for (let i = 0; i < CONNECTION_ENVELOPES_PER_SECOND / MAX_ENVELOPES_PER_PARCEL; i++)
      expect(reasonsOf(await intake.submit("flood", one))).toEqual(["malformed"]);
    expect(reasonsOf(await intake.submit("flood", parcelOf(report(1))))).toEqual(["rate_limited"]);
  });

  test("gossip beyond the bucket goes unread, and tells against nobody", async () => {
    const { intake, clock, verifications } = openIntake({ verifier: "by hand" });
    const full = parcelOf(...Array.from({ length: MAX_ENVELOPES_PER_PARCEL }, (_, salt) => report(salt)));
    const parcels = CONNECTION_ENVELOPES_PER_SECOND / MAX_ENVELOPES_PER_PARCEL;
    for (let i = 0; i < parcels; i++) void intake.gossip("relay", "reports", full);
    // What four senders brought to a relay that had room for each of them.
    for (let i = 0; i < 3 * parcels; i++)
      expect(await intake.gossip("relay", "reports", full)).toBe("ignore");
    expect(verifications).toHaveLength(parcels);
    clock.advance(1_000);
    void intake.gossip("relay", "reports", full);
    expect(verifications).toHaveLength(parcels + 1);
  });

  test("a device's signature costs a connection what it takes to verify", async () => {
    const { intake } = openIntake();
    const full = parcelOf(...Array.from({ length: MAX_ENVELOPES_PER_PARCEL }, () => cosigned(1)));
    const cost = MAX_ENVELOPES_PER_PARCEL * (1 + DEVICE_SIGNATURE_COST);
    const parcels = Math.floor(CONNECTION_ENVELOPES_PER_SECOND / cost);
    for (let i = 0; i < parcels; i++)
      expect(reasonsOf(await intake.submit("flood", full))[0]).toBe("bad_cosignature");
    expect(reasonsOf(await intake.submit("flood", full))[0]).toBe("rate_limited");
    expect(reasonsOf(await intake.submit("flood", parcelOf(report(1))))).toEqual([null]);
  });

  test("a sender has its quota, which a replay by others does not use up", async () => {
    const { intake, clock } = openIntake();
    for (let salt = 1; salt < reportsPerEpoch; salt++) {
      expect(reasonsOf(await intake.submit(`peer ${salt}`, parcelOf(report(salt))))).toEqual([null]);
      expect(reasonsOf(await intake.submit("replayer", parcelOf(report(salt))))).toEqual([
        "duplicate_message",
      ]);
    }
    expect(reasonsOf(await intake.submit("peer", parcelOf(report(1_000), report(1_001))))).toEqual([
      null,
      "rate_limited",
    ]);
    expect(reasonsOf(await intake.submit("peer", parcelOf(report(1_002, 1))))).toEqual([null]);
    clock.advance(context.parameters.roundMs);
    expect(reasonsOf(await intake.submit("peer", parcelOf(report(1_001))))).toEqual([null]);
  });

  test("work waits while verifier or lane has no room, bounded, and is pulled when there is", async () => {
    const { intake, room, appended } = openIntake();
    for (const part of ["verifier", "lane"] as const) {
      room[part] = false;
      const before = appended.length;
      const waiting = intake.submit("peer", parcelOf(report(part.length * 100)));
      await turn();
      expect(appended).toHaveLength(before);
      expect(intake.depth("submission").parcels).toBe(1);
      room[part] = true;
      intake.onRound(FIRST_ROUND, []);
      expect(reasonsOf(await waiting)).toEqual([null]);
    }
  });

  test("what waits when it closes is refused as busy, and so is what comes after", async () => {
    const { intake, room } = openIntake();
    room.lane = false;
    const waiting = intake.submit("peer", parcelOf(report(1)));
    intake.close();
    expect(reasonsOf(await waiting)).toEqual(["busy"]);
    expect(reasonsOf(await intake.submit("peer", parcelOf(report(2))))).toEqual(["busy"]);
  });

  test("the window moves with the rounds", async () => {
    const { intake } = openIntake();
    intake.onRound(FIRST_ROUND + roundsPerEpoch - 2, []);
    expect(reasonsOf(await intake.submit("p", parcelOf(report(1, 0, 3))))).toEqual(["future_epoch"]);
    intake.onRound(FIRST_ROUND + roundsPerEpoch - 1, []);
    expect(reasonsOf(await intake.submit("p", parcelOf(report(1, 0, 3), report(2, 0, 1))))).toEqual([
      null,
      "stale_epoch",
    ]);
  });
});

test("no bytes crash intake, and nothing unsigned gets into the lane", async () => {
  const { intake, appended } = openIntake();
  const good = report(7);
  const mutated = fc.tuple(fc.nat(good.length - 1), fc.integer({ min: 1, max: 255 })).map(([at, flip]) => {
    const bytes = good.slice();
    bytes[at]! ^= flip;
    return bytes;
  });
  const envelope = fc.oneof(fc.uint8Array({ maxLength: 600 }), mutated);
  const parcel = fc.oneof(
    fc.uint8Array({ maxLength: 800 }),
    fc.array(envelope, { minLength: 1, maxLength: 4 }).map((envelopes) => encodeParcel(envelopes)),
  );
  await fc.assert(
    fc.asyncProperty(
      parcel,
      fc.constantFrom("submission", "reports", "transactions"),
      async (bytes, kind) => {
        if (kind === "submission")
          for (const { reason } of await intake.submit("peer", bytes)) expect(reason).not.toBeNull();
        else expect(await intake.gossip("peer", kind, bytes)).not.toBe("accept");
      },
    ),
    { numRuns: 300 },
  );
  expect(appended).toEqual([]);
});
