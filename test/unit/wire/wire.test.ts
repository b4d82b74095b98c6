/** The wire: what is encoded decodes to itself, and no other bytes decode at all. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  decodeBatch,
  decodeFinalCert,
  decodeSignedAnnouncement,
  decodeValue,
  encodeBatch,
  encodeFinalCert,
  encodeSignedAnnouncement,
} from "../../../protocol/src/agreement/rounds.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { createSigningDomains, SIGNED_KINDS } from "../../../protocol/src/crypto/domain.ts";
import {
  computeEnvelopeId,
  decodeEnvelope,
  decodeParcel,
  ENVELOPE_KINDS,
  type EnvelopeKind,
  encodeEnvelope,
  encodeParcel,
  envelopeSigningMessage,
  MAX_BODY_BYTES,
  MAX_ENVELOPE_BYTES,
  MAX_ENVELOPES_PER_PARCEL,
  MAX_PARCEL_BYTES,
  peekParcelCount,
} from "../../../protocol/src/wire/envelope.ts";
import {
  decodeReceipt,
  decodeSignedReceipt,
  decodeStatusAnswer,
  decodeStatusQuery,
  encodeReceipt,
  encodeStatusAnswer,
} from "../../../protocol/src/wire/receipts.ts";
import {
  decodeReportBundle,
  encodeCosignedBeacons,
  encodeMeasurement,
  encodeReportBundle,
  MAX_REPORT_BUNDLE_BYTES,
  MAX_REPORTS_PER_BUNDLE,
  MEASUREMENT_BYTES,
} from "../../../protocol/src/wire/reports.ts";
import {
  decodeTransaction,
  encodeTransaction,
  TRANSACTION_KINDS,
} from "../../../protocol/src/wire/transactions.ts";
import {
  bytes,
  cosignatures,
  measurements,
  reportBundles,
  transactions,
  witnessReports,
} from "../support/arbitraries.ts";

const kinds = fc.constantFrom(...(Object.keys(ENVELOPE_KINDS) as EnvelopeKind[]));
const envelopes = fc
  .record({ kind: kinds, sender: bytes(32), signature: bytes(64) })
  .chain((rest) =>
    fc.uint8Array({ maxLength: MAX_BODY_BYTES[rest.kind] }).map((body) => ({ ...rest, body })),
  );
/** Flips one bit at a place that the property picks. */
const flip = (encoded: Uint8Array, at: number): Uint8Array => {
  const changed = encoded.slice();
  changed[Math.floor(at / 8) % changed.length]! ^= 1 << (at % 8);
  return changed;
};

describe("report bundles", () => {
  test("decode to what was encoded", () => {
    fc.assert(
      fc.property(reportBundles, (bundle) => {
        expect(decodeReportBundle(encodeReportBundle(bundle))).toEqual(bundle);
      }),
    );
  });

  test("a changed bit never decodes to the same bundle", () => {
    fc.assert(
      fc.property(reportBundles, fc.nat(), (bundle, at) => {
        const decoded = decodeReportBundle(flip(encodeReportBundle(bundle), at));
        if (decoded !== null) expect(decoded).not.toEqual(bundle);
      }),
    );
  });

  test("are refused empty and with more than sixteen reports", () => {
    const empty = { epoch: 1, beacons: [], witnesses: [], reveals: [] };
    expect(decodeReportBundle(encodeReportBundle(empty))).toBeNull();
    const [witness] = fc.sample(witnessReports, 1);
    const filled = (count: number) => ({
      ...empty,
      witnesses: Array.from({ length: count }, () => witness!),
    });
    const full = encodeReportBundle(filled(MAX_REPORTS_PER_BUNDLE));
    expect(full.length).toBeLessThanOrEqual(MAX_REPORT_BUNDLE_BYTES);
    expect(decodeReportBundle(full)?.witnesses).toHaveLength(MAX_REPORTS_PER_BUNDLE);
    const reveal = { tag: new Uint8Array(6), secret: new Uint8Array(16) };
    const over = { ...filled(MAX_REPORTS_PER_BUNDLE), reveals: [reveal] };
    expect(decodeReportBundle(encodeReportBundle(over))).toBeNull();
  });

  test("an RSSI kind off the list is refused", () => {
    const [witness] = fc.sample(witnessReports, 1);
    const encoded = encodeReportBundle({ epoch: 0, beacons: [], witnesses: [witness!], reveals: [] });
    const kindAt = encoded.length - MEASUREMENT_BYTES + 2;
    expect(encoded[kindAt]).toBeLessThan(2);
    encoded[kindAt] = 2;
    expect(decodeReportBundle(encoded)).toBeNull();
  });

  test("a co-signature without a beacon is refused", () => {
    const [witness] = fc.sample(witnessReports, 1);
    const [cosignature] = fc.sample(cosignatures, 1);
    const bundle = { epoch: 0, beacons: [], witnesses: [witness!], reveals: [], cosignature: cosignature! };
    expect(decodeReportBundle(encodeReportBundle(bundle))).toBeNull();
  });

  // Computed by hand from the SSZ specification: epoch, four offsets, then 51 bytes of beacon and 97 of co-signature.
  test("a co-signed beacon has the bytes that docs/protocol.md gives", () => {
    const beacon = {
      commit: new Uint8Array(32).fill(0xc0),
      ...{ freqHz: 868_100_000, spreadingFactor: 9, bandwidthHz: 125_000, powerCentiDbm: -100 },
      timeMs: 1_700_000_000_000,
    };
    const cosignature = {
      deviceKey: Uint8Array.of(2, ...new Uint8Array(32).fill(0xd0)),
      signature: new Uint8Array(64).fill(0x51),
    };
    const bundle = { epoch: 7, beacons: [beacon], witnesses: [], reveals: [], cosignature };
    const report = `${"c0".repeat(32)}a027be330948e801009cff0068e5cf8b010000`;
    expect(encodeHex(encodeReportBundle(bundle))).toBe(
      `070000000000000018000000${"4b000000".repeat(3)}${report}02${"d0".repeat(32)}${"51".repeat(64)}`,
    );
    expect(encodeHex(encodeCosignedBeacons(new Uint8Array(32).fill(0xaa), bundle))).toBe(
      `${"aa".repeat(32)}07000000000000002c000000${report}`,
    );
  });

  test("a measurement has 22 bytes whatever it says", () => {
    fc.assert(
      fc.property(measurements, (measurement) => {
        expect(encodeMeasurement(measurement)).toHaveLength(22);
      }),
    );
  });
});

describe("envelopes and parcels", () => {
  test("decode to what was encoded", () => {
    fc.assert(
      fc.property(envelopes, (envelope) => {
        expect(decodeEnvelope(encodeEnvelope(envelope))).toEqual({ ok: true, envelope });
      }),
    );
  });

  test("have a reason for each way of being wrong", () => {
    expect(decodeEnvelope(new Uint8Array(MAX_ENVELOPE_BYTES + 1))).toEqual({
      ok: false,
      reason: "oversized",
    });
    expect(decodeEnvelope(new Uint8Array(20))).toEqual({ ok: false, reason: "malformed" });
    const rest = { sender: new Uint8Array(32), signature: new Uint8Array(64) };
    const encoded = encodeEnvelope({ kind: "transfer", body: new Uint8Array(4), ...rest });
    encoded[0] = 200;
    expect(decodeEnvelope(encoded)).toEqual({ ok: false, reason: "unknown_kind" });
    const long = encodeEnvelope({
      kind: "transfer",
      body: new Uint8Array(MAX_BODY_BYTES.transfer + 1),
      ...rest,
    });
    expect(decodeEnvelope(long)).toEqual({ ok: false, reason: "oversized" });
  });

  test("the id covers kind, network, sender and body, and not the signature", () => {
    const domains = createSigningDomains(new Uint8Array(32).fill(1));
    const others = createSigningDomains(new Uint8Array(32).fill(2));
    const envelope = {
      kind: "reports" as const,
      sender: new Uint8Array(32),
      body: new Uint8Array([1, 2, 3]),
      signature: new Uint8Array(64),
    };
    const id = encodeHex(computeEnvelopeId(domains, envelope));
    const idOf = (change: Partial<typeof envelope> | { kind: EnvelopeKind }, on = domains) =>
      encodeHex(computeEnvelopeId(on, { ...envelope, ...change }));
    expect(idOf({ signature: new Uint8Array(64).fill(9) })).toBe(id);
    expect(idOf({ sender: new Uint8Array(32).fill(9) })).not.toBe(id);
    expect(idOf({ body: new Uint8Array([1, 2, 4]) })).not.toBe(id);
    expect(idOf({ kind: "transfer" })).not.toBe(id);
    expect(idOf({}, others)).not.toBe(id);
  });

  test("no two kinds and no two networks share a signed message", () => {
    const messages = new Set<string>();
    for (const network of [1, 2]) {
      const domains = createSigningDomains(new Uint8Array(32).fill(network));
      for (const kind of SIGNED_KINDS) messages.add(encodeHex(domains[kind]));
    }
    expect(messages.size).toBe(2 * SIGNED_KINDS.length);
    const domains = createSigningDomains(new Uint8Array(32));
    const message = envelopeSigningMessage(domains, {
      kind: "reports",
      sender: new Uint8Array(32),
      body: new Uint8Array([7]),
    });
    expect(new TextDecoder().decode(message.slice(0, 18))).toBe("hexbeacon/reports/");
    expect(message).toHaveLength(18 + 32 + 1);
  });

  test("parcels keep their envelopes, and are refused empty, overfull or oversized", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 20 }), (parts) => {
        expect(decodeParcel(encodeParcel(parts))).toEqual(parts);
      }),
    );
    expect(decodeParcel(encodeParcel([]))).toBeNull();
    const overfull = Array.from({ length: MAX_ENVELOPES_PER_PARCEL + 1 }, () => new Uint8Array(1));
    expect(decodeParcel(encodeParcel(overfull))).toBeNull();
    const oversized = Array.from({ length: 60 }, () => new Uint8Array(MAX_ENVELOPE_BYTES));
    expect(encodeParcel(oversized).length).toBeGreaterThan(MAX_PARCEL_BYTES);
    expect(decodeParcel(encodeParcel(oversized))).toBeNull();
  });

  test("a parcel's count is peeked as it decodes, whatever the bytes", () => {
    const parts = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 66 });
    const change = fc.tuple(fc.nat(3), fc.nat(255));
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.tuple(parts, fc.option(change)).map(([envelopes, changed]) => {
        const parcel = encodeParcel(envelopes);
        if (changed !== null && parcel.length > 3) parcel[changed[0]] = changed[1];
        return parcel;
      }),
    );
    fc.assert(
      fc.property(bytes, (parcel) => {
        const envelopes = decodeParcel(parcel);
        if (envelopes !== null) expect(peekParcelCount(parcel)).toBe(envelopes.length);
        if (peekParcelCount(parcel) === null) expect(envelopes).toBeNull();
      }),
    );
    expect(peekParcelCount(new Uint8Array(0))).toBeNull();
    expect(peekParcelCount(encodeParcel(Array.from({ length: 65 }, () => Uint8Array.of(1))))).toBeNull();
    expect(peekParcelCount(encodeParcel([new Uint8Array(MAX_PARCEL_BYTES - 3)]))).toBeNull();
  });
});

describe("transactions", () => {
  test("decode to what was encoded, and only as their own kind", () => {
    fc.assert(
      fc.property(transactions, (transaction) => {
        const encoded = encodeTransaction(transaction);
        expect(decodeTransaction(transaction.kind, encoded)).toEqual(transaction);
        for (const kind of TRANSACTION_KINDS) {
          // These have one form; which of them a body is, its domain says.
          if (["deregister", "unstake", "unbind"].includes(kind) && encoded.length === 48) continue;
          if (kind !== transaction.kind) expect(decodeTransaction(kind, encoded)).toBeNull();
        }
      }),
    );
  });
});

describe("receipts", () => {
  const items = fc.array(
    fc.record({ id: bytes(32), reason: fc.constantFrom(null, "busy" as const, "malformed" as const) }),
    {
      maxLength: MAX_ENVELOPES_PER_PARCEL,
    },
  );

  test("decode to what was encoded, and a reason off the list is refused", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), items, (round, deadlineRound, list) => {
        const encoded = encodeReceipt({ round, deadlineRound, items: list });
        expect(decodeReceipt(encoded)).toEqual({ round, deadlineRound, items: list });
        if (list.length === 0) return;
        encoded[encoded.length - 1] = 254;
        expect(decodeReceipt(encoded)).toBeNull();
      }),
    );
  });

  test("statuses decode to what was encoded", () => {
    const statuses = fc.array(
      fc.record({
        id: bytes(32),
        state: fc.constantFrom("unknown" as const, "pending" as const, "included" as const),
        round: fc.nat(),
        verdicts: fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 16 }),
      }),
      { maxLength: 64 },
    );
    fc.assert(
      fc.property(statuses, (list) => {
        expect(decodeStatusAnswer(encodeStatusAnswer(list))).toEqual(list);
      }),
    );
  });
});

describe("counts", () => {
  const id = new Uint8Array(32);
  const signature = new Uint8Array(64);
  const cert = { round: 1, view: 1, value: id, bitmap: new Uint8Array(1), signatures: [] };
  const announcement = { round: 1, timeMs: 1, epoch: 1, seed: id, final: cert };
  const transfer = encodeTransaction({ kind: "transfer", epoch: 1, nonce: 1, to: id, amount: 1n });
  /** An encoding, where in it a count stands, and its decoder. */
  const places: readonly [string, Uint8Array, number, (data: Uint8Array) => unknown][] = [
    ["a bundle's epoch", encodeReportBundle(fc.sample(reportBundles, 1)[0]!), 0, decodeReportBundle],
    ["a transaction's epoch", transfer, 0, (data) => decodeTransaction("transfer", data)],
    ["a transaction's nonce", transfer, 8, (data) => decodeTransaction("transfer", data)],
    ["a receipt's round", encodeReceipt({ round: 1, deadlineRound: 2, items: [] }), 0, decodeReceipt],
    [
      "a state's round",
      encodeStatusAnswer([{ id, state: "included", round: 1, verdicts: [] }]),
      4 + 32 + 1,
      decodeStatusAnswer,
    ],
    ["a batch's seq", encodeBatch({ lane: id, seq: 1, prev: id, messages: [] }), 32, decodeBatch],
    ["a certificate's round", encodeFinalCert(cert), 0, decodeFinalCert],
    [
      "an announcement's time",
      encodeSignedAnnouncement({ validator: id, announcement, signature }),
      32 + 4 + 64 + 8,
      decodeSignedAnnouncement,
    ],
  ];

  test.each(places)(
    "%s is refused beyond 2^53 - 1, also where a double holds it",
    (_, encoded, at, decode) => {
      const decodeWith = (count: bigint): unknown => {
        const changed = encoded.slice();
        new DataView(changed.buffer).setBigUint64(at, count, true);
        return decode(changed);
      };
      const largest = 2n ** 53n - 1n;
      expect(decodeWith(largest)).not.toBeNull();
      for (const count of [2n ** 53n, 2n ** 53n + 1n, 2n ** 53n + 2n, 2n ** 60n, 2n ** 64n - 1n]) {
        expect(decodeWith(count)).toBeNull();
      }
      fc.assert(
        fc.property(fc.oneof(fc.bigInt(0n, 2n * largest), fc.bigInt(0n, 2n ** 64n - 1n)), (count) => {
          expect(decodeWith(count) === null).toBe(count > largest);
        }),
      );
    },
  );
});

describe("arbitrary bytes", () => {
  const decoders: Record<string, (data: Uint8Array) => unknown> = {
    decodeEnvelope: (data) => (decodeEnvelope(data).ok ? data : null),
    decodeParcel,
    decodeReportBundle,
    decodeRegister: (data) => decodeTransaction("register", data),
    decodeAssert: (data) => decodeTransaction("assert", data),
    decodeTransfer: (data) => decodeTransaction("transfer", data),
    decodeDeregister: (data) => decodeTransaction("deregister", data),
    decodeReceipt,
    decodeSignedReceipt,
    decodeStatusQuery,
    decodeStatusAnswer,
    decodeBatch,
    decodeValue,
    decodeFinalCert,
    decodeSignedAnnouncement,
  };

  test.each(Object.keys(decoders))("%s never throws", (name) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (data) => {
        expect(() => decoders[name]!(data)).not.toThrow();
      }),
      { numRuns: 300 },
    );
  });

  test("a batch with one bit changed is another batch or none", () => {
    const batch = {
      lane: new Uint8Array(32),
      seq: 3,
      prev: new Uint8Array(32),
      messages: [new Uint8Array(101), new Uint8Array(5)],
    };
    const encoded = encodeBatch(batch);
    expect(decodeBatch(encoded)).toEqual(batch);
    for (let bit = 0; bit < encoded.length * 8; bit++) {
      const decoded = decodeBatch(flip(encoded, bit));
      if (decoded !== null) expect(decoded).not.toEqual(batch);
    }
  });
});
