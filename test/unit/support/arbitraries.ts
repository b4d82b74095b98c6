/** Generators of protocol values for property tests, within the ranges that the wire can carry. */
import fc from "fast-check";
import type { Assertion, Registration } from "../../../protocol/src/wire/consents.ts";
import type {
  BeaconReport,
  Cosignature,
  Measurement,
  ReportBundle,
  RevealReport,
  WitnessReport,
} from "../../../protocol/src/wire/reports.ts";
import type { Transaction } from "../../../protocol/src/wire/transactions.ts";

export const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const safe = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const int16 = fc.integer({ min: -0x8000, max: 0x7fff });
const uint8 = fc.integer({ min: 0, max: 255 });
const uint64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });

export const beaconReports: fc.Arbitrary<BeaconReport> = fc.record({
  commit: bytes(32),
  freqHz: uint32,
  spreadingFactor: uint8,
  bandwidthHz: uint32,
  powerCentiDbm: int16,
  timeMs: safe,
});
export const measurements: fc.Arbitrary<Measurement> = fc.record({
  rssiDeciDbm: int16,
  rssiKind: fc.constantFrom("channel" as const, "signal" as const),
  snrCentiDb: int16,
  freqHz: uint32,
  spreadingFactor: uint8,
  bandwidthHz: uint32,
  timeMs: safe,
});
export const witnessReports: fc.Arbitrary<WitnessReport> = fc.record({
  tag: bytes(6),
  proof: bytes(32),
  measurement: measurements,
});
export const revealReports: fc.Arbitrary<RevealReport> = fc.record({
  tag: bytes(6),
  secret: bytes(16),
});
export const cosignatures: fc.Arbitrary<Cosignature> = fc.record({
  deviceKey: bytes(33),
  signature: bytes(64),
});
const bundleParts = {
  epoch: safe,
  beacons: fc.array(beaconReports, { maxLength: 5 }),
  witnesses: fc.array(witnessReports, { maxLength: 5 }),
  reveals: fc.array(revealReports, { maxLength: 5 }),
};
export const reportBundles: fc.Arbitrary<ReportBundle> = fc.oneof(
  fc
    .record(bundleParts)
    .filter(({ beacons, witnesses, reveals }) => beacons.length + witnesses.length + reveals.length > 0),
  fc.record({
    ...bundleParts,
    beacons: fc.array(beaconReports, { minLength: 1, maxLength: 5 }),
    cosignature: cosignatures,
  }),
);

const registrations: fc.Arbitrary<Registration> = fc.record({
  hotspot: bytes(32),
  owner: bytes(32),
  epoch: safe,
});
const assertions: fc.Arbitrary<Assertion> = fc.record({
  hotspot: bytes(32),
  cell: uint64,
  latE7: int32,
  lngE7: int32,
  gainCentiDbi: int16,
  elevationM: int16,
  region: uint8,
  epoch: safe,
});
export const transactions: fc.Arbitrary<Transaction> = fc.oneof(
  fc.record({
    kind: fc.constant("register" as const),
    epoch: safe,
    nonce: safe,
    registration: registrations,
    hotspotSignature: bytes(64),
    ownerSignature: bytes(64),
  }),
  fc.record({
    kind: fc.constant("assert" as const),
    epoch: safe,
    nonce: safe,
    assertion: assertions,
    hotspotSignature: bytes(64),
  }),
  fc.record({
    kind: fc.constant("transfer" as const),
    epoch: safe,
    nonce: safe,
    to: bytes(32),
    amount: uint64,
  }),
  fc.record({
    kind: fc.constant("stake" as const),
    epoch: safe,
    nonce: safe,
    validator: bytes(32),
    amount: uint64,
    multiaddrs: fc.array(fc.stringMatching(/^\/[!-~]{1,40}$/), { maxLength: 4 }),
    validatorSignature: bytes(64),
  }),
  fc.record({
    kind: fc.constant("unstake" as const),
    epoch: safe,
    nonce: safe,
    validator: bytes(32),
  }),
  fc.record({
    kind: fc.constant("appeal" as const),
    epoch: safe,
    nonce: safe,
    hotspot: bytes(32),
    evidence: fc.array(bytes(32), { minLength: 1, maxLength: 14 }),
  }),
  fc.record({
    kind: fc.constant("rotate" as const),
    epoch: safe,
    nonce: safe,
    hotspot: bytes(32),
    newKey: bytes(32),
    hotspotSignature: bytes(64),
    newSignature: bytes(64),
  }),
  fc.record({
    kind: fc.constant("bind" as const),
    epoch: safe,
    nonce: safe,
    hotspot: bytes(32),
    deviceKey: bytes(33),
    hotspotSignature: bytes(64),
    deviceSignature: bytes(64),
  }),
  fc.record({
    kind: fc.constant("unbind" as const),
    epoch: safe,
    nonce: safe,
    hotspot: bytes(32),
  }),
  fc.record({
    kind: fc.constant("deregister" as const),
    epoch: safe,
    nonce: safe,
    hotspot: bytes(32),
  }),
);
