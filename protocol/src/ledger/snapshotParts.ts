/** The larger parts of a snapshot: hotspots, the book of open beacons and waiting reports, and the epoch's evidence. */
import { P256_PUBLIC_KEY_BYTES } from "../crypto/p256Form.ts";
import { computeTag } from "../evidence/commitReveal.ts";
import { decodeReason, encodeReason, isUnpaidReason } from "../evidence/reasons.ts";
import { findRegionPlanById } from "../radio/regions.ts";
import { type BeaconReport, encodeMeasurement, type Measurement, RSSI_KINDS } from "../wire/reports.ts";
import { type BeaconBook, type Candidate, FATES } from "./beaconBook.ts";
import { byteKey, bytesOfKey } from "./byteKey.ts";
import type { ByteReader } from "./byteReader.ts";
import type { ByteWriter } from "./byteWriter.ts";
import { type Hotspot, type Place, planOf, type Registration, type Registry } from "./registry.ts";
import type { EvidencedBeacon, Ledger } from "./state.ts";
import type { ReportId } from "./types.ts";

const SECRET_BYTES = 16;
const TAG_BYTES = 6;
/** Stands for "none": a key begins with 2 or 3. */
const NO_DEVICE_KEY = new Uint8Array(P256_PUBLIC_KEY_BYTES);

export function writeHotspot(out: ByteWriter, hotspot: Hotspot): void {
  out.bytes(hotspot.key);
  out.int32(hotspot.owner);
  out.int64(hotspot.registeredEpoch);
  out.amount(hotspot.bond);
  out.int32(hotspot.payer);
  out.optional(hotspot.leaving, ({ sinceEpoch, untilEpoch }) => {
    out.int64(sinceEpoch);
    out.int64(untilEpoch);
  });
  out.uint8(hotspot.isGone ? 1 : 0);
  out.list(hotspot.places, (place) => writePlace(out, place));
  out.optional(hotspot.movedEpoch, (epoch) => out.int64(epoch));
  out.optional(hotspot.lastActiveEpoch, (epoch) => out.int64(epoch));
  out.optional(hotspot.silence, ({ fromEpoch, untilEpoch }) => {
    out.int64(fromEpoch);
    out.int64(untilEpoch);
  });
  out.int32(hotspot.reportsInEpoch);
  out.list(hotspot.formerKeys, (key) => out.bytes(key));
  out.optional(hotspot.rotatedEpoch, (epoch) => out.int64(epoch));
  out.list(hotspot.devices, ({ key, fromEpoch }) => {
    out.bytes(key ?? NO_DEVICE_KEY);
    out.int64(fromEpoch);
  });
}

/** @param register adds the hotspot to the ledger's registry. How many of its reports wait follows from the book. */
export function readHotspot(
  input: ByteReader,
  registry: Registry,
  register: (entry: Omit<Registration, "ownerKey">) => Hotspot,
): void {
  const hotspot = register({
    key: input.bytes(32),
    owner: input.uint32(),
    registeredEpoch: input.int64(),
    bond: input.amount(),
    payer: input.uint32(),
  });
  hotspot.leaving = input.optional(() => ({ sinceEpoch: input.int64(), untilEpoch: input.int64() }));
  const isGone = input.uint8() === 1;
  hotspot.places = input.list(() => readPlace(input));
  hotspot.movedEpoch = input.optional(() => input.int64());
  hotspot.lastActiveEpoch = input.optional(() => input.int64());
  hotspot.silence = input.optional(() => ({ fromEpoch: input.int64(), untilEpoch: input.int64() }));
  hotspot.reportsInEpoch = input.uint32();
  hotspot.isGone = isGone;
  for (const key of input.list(() => input.bytes(32))) registry.retire(hotspot, key);
  hotspot.rotatedEpoch = input.optional(() => input.int64());
  const devices = input.list(() => {
    const key = input.bytes(P256_PUBLIC_KEY_BYTES);
    return { key: key[0] === 0 ? null : key, fromEpoch: input.int64() };
  });
  registry.restoreDevices(hotspot, devices);
}

function writePlace(out: ByteWriter, place: Place): void {
  out.int32(place.cellHi);
  out.int32(place.cellLo);
  out.int32(place.latE7);
  out.int32(place.lngE7);
  out.int32(place.gainCentiDbi);
  out.int32(place.elevationM);
  out.uint8(planOf(place).id);
  out.int64(place.fromEpoch);
}

function readPlace(input: ByteReader): Place {
  const place = {
    cellHi: input.uint32(),
    cellLo: input.uint32(),
    latE7: input.int32(),
    lngE7: input.int32(),
    gainCentiDbi: input.int32(),
    elevationM: input.int32(),
  };
  const plan = findRegionPlanById(input.uint8());
  if (plan === null) throw new RangeError("a region that does not exist");
  return { ...place, region: plan.name, fromEpoch: input.int64() };
}

/** Open beacons and stubs by inclusion, waiting reports in finalized order, marks of closed beacons by hotspot. */
export function writeBook(out: ByteWriter, book: BeaconBook): void {
  out.list(book.candidates, (candidate) => writeCandidate(out, candidate));
  out.list(book.waiting, (waiting) => {
    writeReportId(out, waiting.reportId);
    out.int32(waiting.witness);
    out.int64(waiting.includedRound);
    out.bytes(waiting.report.tag);
    out.bytes(waiting.report.proof);
    writeMeasurement(out, waiting.report.measurement);
    out.uint8(FATES.indexOf(waiting.fate));
    out.optional(waiting.fateBeacon, (reportId) => writeReportId(out, reportId));
  });
  const closed = [...book.marks.values()].filter(({ state }) => state !== "open");
  closed.sort((a, b) => a.hotspot - b.hotspot || a.challengeEpoch - b.challengeEpoch);
  out.list(closed, ({ hotspot, challengeEpoch, tag, state }) => {
    out.int32(hotspot);
    out.int64(challengeEpoch);
    out.bytes(bytesOfKey(tag));
    out.uint8(state === "revealed" ? 1 : 0);
  });
}

export function readBook(input: ByteReader, { book, registry, parameters, round }: Ledger): void {
  const hotspotAt = (index: number): Hotspot => {
    const hotspot = registry.list[index];
    if (hotspot === undefined) throw new RangeError("a report of a hotspot that does not exist");
    return hotspot;
  };
  input.list(() => {
    const candidate = readCandidate(input);
    hotspotAt(candidate.hotspot);
    book.addCandidate(candidate);
  });
  input.list(() => {
    const reportId = readReportId(input);
    const witness = input.uint32();
    const includedRound = input.int64();
    const tag = input.bytes(TAG_BYTES);
    const report = { tag, proof: input.bytes(32), measurement: readMeasurement(input) };
    const fate = FATES[input.uint8()];
    if (fate === undefined) throw new RangeError("a fate that does not exist");
    const fateBeacon = input.optional(() => readReportId(input));
    hotspotAt(witness).waiting++;
    const waiting = { reportId, witness, includedRound, tag: byteKey(tag), report, fate, fateBeacon };
    book.addWaiting(waiting, includedRound + parameters.waitRounds > round);
  });
  input.list(() => {
    const { index: hotspot } = hotspotAt(input.uint32());
    const challengeEpoch = input.int64();
    const tag = byteKey(input.bytes(TAG_BYTES));
    book.mark({ hotspot, challengeEpoch, tag, state: input.uint8() === 1 ? "revealed" : "never_revealed" });
  });
}

function writeCandidate(out: ByteWriter, candidate: Candidate): void {
  writeReportId(out, candidate.reportId);
  out.int32(candidate.hotspot);
  out.int64(candidate.challengeEpoch);
  out.int64(candidate.includedRound);
  writeBeaconReport(out, candidate.report);
  out.int32(candidate.eirpCentiDbm);
  out.optional(candidate.challenge, (challenge) => {
    out.int64(challenge.slotRound);
    out.int32(challenge.freqHz);
    out.uint8(challenge.spreadingFactor);
    out.int32(challenge.bandwidthHz);
    out.uint8(challenge.powerStepDb);
  });
}

function readCandidate(input: ByteReader): Candidate {
  const reportId = readReportId(input);
  const hotspot = input.uint32();
  const challengeEpoch = input.int64();
  const includedRound = input.int64();
  const report = readBeaconReport(input);
  const eirpCentiDbm = input.int32();
  const challenge = input.optional(() => ({
    slotRound: input.int64(),
    freqHz: input.uint32(),
    spreadingFactor: input.uint8(),
    bandwidthHz: input.uint32(),
    powerStepDb: input.uint8(),
  }));
  const tag = byteKey(computeTag(report.commit));
  return {
    reportId,
    hotspot,
    challengeEpoch,
    includedRound,
    tag,
    report,
    challenge,
    eirpCentiDbm,
    secret: null,
  };
}

export function writeEvidence(out: ByteWriter, beacon: EvidencedBeacon): void {
  writeReportId(out, beacon.reportId);
  out.bytes(beacon.commit);
  out.int32(beacon.hotspot);
  out.int64(beacon.challengeEpoch);
  out.bytes(beacon.secret);
  out.list(beacon.witnesses, (witness) => {
    writeReportId(out, witness.reportId);
    out.int32(witness.witness);
    out.int64(witness.includedRound);
    writeMeasurement(out, witness.measurement);
    out.int32(witness.distanceM);
    out.int32(witness.ceilingCentiDbm);
    out.uint8(encodeReason(witness.reason));
  });
}

export function readEvidence(input: ByteReader): EvidencedBeacon {
  const reportId = readReportId(input);
  const commit = input.bytes(32);
  const hotspot = input.uint32();
  const challengeEpoch = input.int64();
  const secret = input.bytes(SECRET_BYTES);
  const witnesses = input.list(() => {
    const witness = {
      reportId: readReportId(input),
      witness: input.uint32(),
      includedRound: input.int64(),
      measurement: readMeasurement(input),
      distanceM: input.int32(),
      ceilingCentiDbm: input.int32(),
    };
    const reason = decodeReason(input.uint8());
    if (reason === undefined || (reason !== null && !isUnpaidReason(reason))) {
      throw new RangeError("a valid witness with a reason that refuses it");
    }
    return { ...witness, reason };
  });
  return { reportId, commit, hotspot, challengeEpoch, secret, witnesses };
}

function writeReportId(out: ByteWriter, { envelopeId, index }: ReportId): void {
  out.bytes(envelopeId);
  out.uint8(index);
}

function readReportId(input: ByteReader): ReportId {
  return { envelopeId: input.bytes(32), index: input.uint8() };
}

function writeBeaconReport(out: ByteWriter, report: BeaconReport): void {
  out.bytes(report.commit);
  out.int32(report.freqHz);
  out.uint8(report.spreadingFactor);
  out.int32(report.bandwidthHz);
  out.int32(report.powerCentiDbm);
  out.int64(report.timeMs);
}

function readBeaconReport(input: ByteReader): BeaconReport {
  return {
    commit: input.bytes(32),
    freqHz: input.uint32(),
    spreadingFactor: input.uint8(),
    bandwidthHz: input.uint32(),
    powerCentiDbm: input.int32(),
    timeMs: input.int64(),
  };
}

/** The very bytes that proofs cover. */
function writeMeasurement(out: ByteWriter, measurement: Measurement): void {
  out.bytes(encodeMeasurement(measurement));
}

function readMeasurement(input: ByteReader): Measurement {
  const rssiDeciDbm = ((input.uint8() | (input.uint8() << 8)) << 16) >> 16;
  const rssiKind = RSSI_KINDS[input.uint8()];
  if (rssiKind === undefined) throw new RangeError("a kind of strength that does not exist");
  const snrCentiDb = ((input.uint8() | (input.uint8() << 8)) << 16) >> 16;
  return {
    rssiDeciDbm,
    rssiKind,
    snrCentiDb,
    freqHz: input.uint32(),
    spreadingFactor: input.uint8(),
    bandwidthHz: input.uint32(),
    timeMs: input.int64(),
  };
}
