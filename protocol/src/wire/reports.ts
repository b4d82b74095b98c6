/**
 * What a hotspot says of the radio: beacon, witness and reveal reports, up to 16 under one signature. A report's id is
 * (envelope id, index), the index counting beacons first, then witnesses, then reveals.
 */
import { ContainerType, ListCompositeType, type ValueOf } from "@chainsafe/ssz";
import {
  Bytes6,
  Bytes16,
  Bytes32,
  Bytes33,
  Bytes64,
  decodeStrict,
  fromInt16,
  toInt16,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
} from "./ssz.ts";

/** A signature costs a hundred times all else in a report, so reports share one; sixteen keep a bundle near 1 kB. */
export const MAX_REPORTS_PER_BUNDLE = 16;

const BeaconReportSsz = new ContainerType(
  {
    commit: Bytes32,
    freqHz: Uint32,
    spreadingFactor: Uint8,
    bandwidthHz: Uint32,
    powerCentiDbm: Uint16,
    timeMs: Uint64,
  },
  { typeName: "BeaconReport" },
);
const MeasurementSsz = new ContainerType(
  {
    rssiDeciDbm: Uint16,
    rssiKind: Uint8,
    snrCentiDb: Uint16,
    freqHz: Uint32,
    spreadingFactor: Uint8,
    bandwidthHz: Uint32,
    timeMs: Uint64,
  },
  { typeName: "Measurement" },
);
const WitnessReportSsz = new ContainerType(
  { tag: Bytes6, proof: Bytes32, measurement: MeasurementSsz },
  { typeName: "WitnessReport" },
);
const RevealReportSsz = new ContainerType({ tag: Bytes6, secret: Bytes16 }, { typeName: "RevealReport" });
const CosignatureSsz = new ContainerType(
  { deviceKey: Bytes33, signature: Bytes64 },
  { typeName: "Cosignature" },
);
const CosignedBeaconsSsz = new ContainerType(
  {
    hotspot: Bytes32,
    epoch: Uint64,
    beacons: new ListCompositeType(BeaconReportSsz, MAX_REPORTS_PER_BUNDLE),
  },
  { typeName: "CosignedBeacons" },
);
const ReportBundleSsz = new ContainerType(
  {
    epoch: Uint64,
    beacons: new ListCompositeType(BeaconReportSsz, MAX_REPORTS_PER_BUNDLE),
    witnesses: new ListCompositeType(WitnessReportSsz, MAX_REPORTS_PER_BUNDLE),
    reveals: new ListCompositeType(RevealReportSsz, MAX_REPORTS_PER_BUNDLE),
    cosignatures: new ListCompositeType(CosignatureSsz, 1),
  },
  { typeName: "ReportBundle" },
);

/** Which strength a forwarder printed: of the whole channel, or of the despread signal. Both occur in the field. */
export const RSSI_KINDS = ["channel", "signal"] as const;
export type RssiKind = (typeof RSSI_KINDS)[number];

/** Sent after the concentrator took the beacon. `powerCentiDbm`: conducted power really used. Power is before antenna gain. */
export type BeaconReport = {
  readonly commit: Uint8Array;
  readonly freqHz: number;
  readonly spreadingFactor: number;
  readonly bandwidthHz: number;
  readonly powerCentiDbm: number;
  readonly timeMs: number;
};
/** One reception as the forwarder printed it. */
export type Measurement = {
  readonly rssiDeciDbm: number;
  readonly rssiKind: RssiKind;
  readonly snrCentiDb: number;
  readonly freqHz: number;
  readonly spreadingFactor: number;
  readonly bandwidthHz: number;
  readonly timeMs: number;
};
/** `tag`: the 6 bytes heard on air; `proof = H("witness", secret, witness, measurement bytes)`. */
export type WitnessReport = {
  readonly tag: Uint8Array;
  readonly proof: Uint8Array;
  readonly measurement: Measurement;
};
/**
 * What a beacon said on air. It names no beaconer, so that whoever heard the beacon can reveal it: whose it was is told
 * by the commit that the secret fits.
 */
export type RevealReport = {
  readonly tag: Uint8Array;
  readonly secret: Uint8Array;
};
/** A device key (P-256, a compressed point) and its signature over the bundle's beacons, as `encodeCosignedBeacons` has them. */
export type Cosignature = {
  readonly deviceKey: Uint8Array;
  readonly signature: Uint8Array;
};
/**
 * The body of an envelope of kind `reports`: at least one and at most 16 reports in all. A co-signature stands only beside
 * beacons, and is left out where there is none.
 */
export type ReportBundle = {
  readonly epoch: number;
  readonly beacons: readonly BeaconReport[];
  readonly witnesses: readonly WitnessReport[];
  readonly reveals: readonly RevealReport[];
  readonly cosignature?: Cosignature;
};

/** Bytes of a measurement's encoding, which a witness's proof covers. */
export const MEASUREMENT_BYTES = MeasurementSsz.fixedSize!;
/** The largest body of kind `reports`: epoch, four list offsets, sixteen of the largest report and a co-signature. */
export const MAX_REPORT_BUNDLE_BYTES =
  8 +
  4 * 4 +
  MAX_REPORTS_PER_BUNDLE *
    Math.max(BeaconReportSsz.fixedSize!, WitnessReportSsz.fixedSize!, RevealReportSsz.fixedSize!) +
  CosignatureSsz.fixedSize!;

type RawMeasurement = ValueOf<typeof MeasurementSsz>;

const toRawMeasurement = (m: Measurement): RawMeasurement => ({
  rssiDeciDbm: fromInt16(m.rssiDeciDbm),
  rssiKind: RSSI_KINDS.indexOf(m.rssiKind),
  snrCentiDb: fromInt16(m.snrCentiDb),
  freqHz: m.freqHz,
  spreadingFactor: m.spreadingFactor,
  bandwidthHz: m.bandwidthHz,
  timeMs: m.timeMs,
});

/** The exact bytes that a witness's proof binds: 22 bytes. */
export function encodeMeasurement(measurement: Measurement): Uint8Array {
  return MeasurementSsz.serialize(toRawMeasurement(measurement));
}

const toRawBeacon = (beacon: BeaconReport) => ({
  ...beacon,
  powerCentiDbm: fromInt16(beacon.powerCentiDbm),
});

/** The bytes that a hotspot's device signs under the domain `cosigned`. @param hotspot the bundle's sender. */
export function encodeCosignedBeacons(
  hotspot: Uint8Array,
  { epoch, beacons }: Pick<ReportBundle, "epoch" | "beacons">,
): Uint8Array {
  return CosignedBeaconsSsz.serialize({ hotspot, epoch, beacons: beacons.map(toRawBeacon) });
}

/** Encodes a bundle; the caller keeps the limits (a bug otherwise). */
export function encodeReportBundle(bundle: ReportBundle): Uint8Array {
  return ReportBundleSsz.serialize({
    epoch: bundle.epoch,
    beacons: bundle.beacons.map(toRawBeacon),
    witnesses: bundle.witnesses.map((w) => ({
      tag: w.tag,
      proof: w.proof,
      measurement: toRawMeasurement(w.measurement),
    })),
    reveals: bundle.reveals.map((r) => ({ ...r })),
    cosignatures: bundle.cosignature === undefined ? [] : [{ ...bundle.cosignature }],
  });
}

/**
 * Strictly decodes a bundle: null where malformed, empty, over 16 reports, with an RSSI kind that is not on the list, or
 * with a co-signature and no beacon.
 */
export function decodeReportBundle(bytes: Uint8Array): ReportBundle | null {
  const raw = decodeStrict(ReportBundleSsz, bytes, MAX_REPORT_BUNDLE_BYTES);
  if (raw === null) return null;
  const count = raw.beacons.length + raw.witnesses.length + raw.reveals.length;
  if (count === 0 || count > MAX_REPORTS_PER_BUNDLE) return null;
  const [cosignature] = raw.cosignatures;
  if (cosignature !== undefined && raw.beacons.length === 0) return null;
  const witnesses: WitnessReport[] = [];
  for (const { tag, proof, measurement } of raw.witnesses) {
    const rssiKind = RSSI_KINDS[measurement.rssiKind];
    if (rssiKind === undefined) return null;
    witnesses.push({
      tag,
      proof,
      measurement: {
        ...measurement,
        rssiDeciDbm: toInt16(measurement.rssiDeciDbm),
        rssiKind,
        snrCentiDb: toInt16(measurement.snrCentiDb),
      },
    });
  }
  const beacons = raw.beacons.map((b) => ({ ...b, powerCentiDbm: toInt16(b.powerCentiDbm) }));
  const bundle = { epoch: raw.epoch, beacons, witnesses, reveals: raw.reveals };
  return cosignature === undefined ? bundle : { ...bundle, cosignature };
}

/** How many reports a bundle holds. */
export function countReports(bundle: ReportBundle): number {
  return bundle.beacons.length + bundle.witnesses.length + bundle.reveals.length;
}
