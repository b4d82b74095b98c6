/** Rows of the store as the API's JSON. Nothing is computed here but a unit's decimal point. */
import { encodeHex, encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import type { ReportId } from "../../../protocol/src/ledger/types.ts";
import { POOL_NAMES } from "../../../protocol/src/reward/pools.ts";
import type { BeaconReport, Measurement } from "../../../protocol/src/wire/reports.ts";
import { computeHotspotStatus, type StatusEpochs } from "../store/hotspotStatus.ts";
import type {
  BeaconRow,
  CoverageCell,
  EpochRow,
  HotspotRow,
  RankedLine,
  ReportRow,
  RoundRow,
  TransactionRow,
  WitnessRow,
} from "../store/store.ts";
import { didOf, nameOf } from "./keyTexts.ts";
import {
  type ActivityJson,
  type BeaconJson,
  type CoverageCellJson,
  type EpochJson,
  type HotspotJson,
  presentKind,
  type RewardLineJson,
  type TransactionJson,
  type WitnessJson,
} from "./schemas/entities.ts";

const E7 = 10_000_000;
const CENTI = 100;
const DECI = 10;

export const presentReportId = (id: ReportId): string => `${encodeHex(id.envelopeId)}-${id.index}`;
export const presentCell = (cell: bigint): string => cell.toString(16);

export function presentEpoch(row: EpochRow): EpochJson {
  const pools = Object.fromEntries(
    POOL_NAMES.map((name) => {
      const { emitted, carriedIn, paid, carriedOut } = row.pools[name];
      return [
        name,
        { emitted: `${emitted}`, carriedIn: `${carriedIn}`, paid: `${paid}`, carriedOut: `${carriedOut}` },
      ];
    }),
  ) as EpochJson["pools"];
  return {
    epoch: row.epoch,
    firstRound: row.firstRound,
    lastRound: row.lastRound,
    startTimeMs: row.startTimeMs,
    endTimeMs: row.endTimeMs,
    seed: encodeHex0x(row.seed),
    nextSeed: encodeHex0x(row.nextSeed),
    pools,
    beacons: { closed: row.beaconsClosed, refused: { ...row.beaconsRefused } },
    witnesses: {
      accepted: row.witnessesAccepted,
      unpaid: { ...row.witnessesUnpaid },
      refused: { ...row.witnessesRefused },
    },
    validators: row.validatorsPaid.map(({ key, amount }) => ({
      id: didOf(key),
      name: nameOf(key),
      paid: `${amount}`,
    })),
    accounts: row.accounts,
    record: encodeHex0x(row.record),
    recordDigest: encodeHex0x(row.recordDigest),
    inputsDigest: encodeHex0x(row.inputsDigest),
    rewardRoot: encodeHex0x(row.rewardRoot),
    stateRoot: encodeHex0x(row.stateRoot),
    escrow: {
      carriedIn: `${row.escrow.carriedIn}`,
      withheld: `${row.escrow.withheld}`,
      released: `${row.escrow.released}`,
      returned: `${row.escrow.returned}`,
      carriedOut: `${row.escrow.carriedOut}`,
    },
  };
}

/** The columns of a table of reward lines, in the order in which they stand in CSV. */
export const REWARD_LINE_COLUMNS = [
  "rank",
  "hotspot",
  "name",
  "owner",
  "beaconUnitsPpm",
  "witnessUnitsPpm",
  "scalePpm",
  "beaconPaid",
  "witnessPaid",
  "paid",
  "trustPpm",
  "beaconWithheld",
  "witnessWithheld",
] as const satisfies readonly (keyof RewardLineJson)[];

export const presentLine = (line: RankedLine): RewardLineJson =>
  presentLineOf(line, {
    hotspot: didOf(line.hotspot),
    name: nameOf(line.hotspot),
    owner: didOf(line.owner),
  });

/** A line whose keys are texts already. */
export function presentLineOf(
  line: Omit<RankedLine, "hotspot" | "owner" | "penalties">,
  { hotspot, name, owner }: Pick<RewardLineJson, "hotspot" | "name" | "owner">,
): RewardLineJson {
  return {
    rank: line.rank,
    hotspot,
    name,
    owner,
    beaconUnitsPpm: line.beaconUnitsPpm,
    witnessUnitsPpm: line.witnessUnitsPpm,
    scalePpm: line.scalePpm,
    beaconPaid: `${line.beaconPaid}`,
    witnessPaid: `${line.witnessPaid}`,
    paid: `${line.paid}`,
    trustPpm: line.trustPpm,
    beaconWithheld: `${line.beaconWithheld}`,
    witnessWithheld: `${line.witnessWithheld}`,
  };
}

/** Where a hotspot says that it stands, and with what antenna. */
export function presentAssertion(
  assertion: NonNullable<HotspotRow["assertion"]>,
): NonNullable<HotspotJson["assertion"]> {
  return {
    cell: presentCell(assertion.cell),
    latitude: assertion.latE7 / E7,
    longitude: assertion.lngE7 / E7,
    gainDbi: assertion.gainCentiDbi / CENTI,
    elevationM: assertion.elevationM,
    region: assertion.region,
    fromEpoch: assertion.fromEpoch,
  };
}

export function presentHotspot(row: HotspotRow, epochs: StatusEpochs): HotspotJson {
  return {
    id: didOf(row.key),
    name: nameOf(row.key),
    owner: didOf(row.owner),
    status: computeHotspotStatus(row, epochs),
    registeredEpoch: row.registeredEpoch,
    bond: `${row.bond}`,
    assertion: row.assertion === null ? null : presentAssertion(row.assertion),
    device: row.device && { key: encodeHex0x(row.device.key), fromEpoch: row.device.fromEpoch },
    lastActiveEpoch: row.lastActiveEpoch,
    silentUntilEpoch: row.silentUntilEpoch,
    // A key that was given up for another is gone at once, as if its leaving had ended an epoch ago: before epoch 0, even.
    leavingUntilEpoch: row.leavingUntilEpoch === null ? null : Math.max(0, row.leavingUntilEpoch),
  };
}

function presentReport(report: BeaconReport) {
  return {
    commit: encodeHex0x(report.commit),
    frequencyHz: report.freqHz,
    spreadingFactor: report.spreadingFactor,
    bandwidthHz: report.bandwidthHz,
    powerDbm: report.powerCentiDbm / CENTI,
    timeMs: report.timeMs,
  };
}

function presentMeasurement(m: Measurement) {
  return {
    rssiDbm: m.rssiDeciDbm / DECI,
    rssiKind: m.rssiKind,
    snrDb: m.snrCentiDb / CENTI,
    frequencyHz: m.freqHz,
    spreadingFactor: m.spreadingFactor,
    bandwidthHz: m.bandwidthHz,
    timeMs: m.timeMs,
  };
}

const presentOutcome = (row: ReportRow) => ({
  id: presentReportId(row.reportId),
  kind: row.kind,
  includedRound: row.includedRound,
  verdict: row.state,
  reason: row.reason,
  selectionPending: row.selectionPending,
  beacon: row.beacon === null ? null : presentReportId(row.beacon),
  distanceM: row.distanceM,
  ceilingDbm: row.ceilingCentiDbm === null ? null : row.ceilingCentiDbm / CENTI,
  measurement: row.measurement === null ? null : presentMeasurement(row.measurement),
  unitsPpm: row.unitsPpm,
});

export function presentActivity(row: ReportRow): ActivityJson {
  return {
    ...presentOutcome(row),
    report: row.beaconReport === null ? null : presentReport(row.beaconReport),
  };
}

/** @param isCounted whether the closing epoch has ended: then what is not worth anything is worth 0. */
function presentWitness(row: WitnessRow, isCounted: boolean): WitnessJson {
  return {
    ...presentOutcome(row),
    hotspot: didOf(row.hotspot),
    name: nameOf(row.hotspot),
    unitsPpm: isCounted ? (row.unitsPpm ?? 0) : null,
    scalePpm: row.scalePpm,
  };
}

export function presentBeacon({ report, closing, scalePpm, witnesses, truncated }: BeaconRow): BeaconJson {
  const isCounted = closing !== null && closing.units !== null;
  return {
    id: presentReportId(report.reportId),
    hotspot: didOf(report.hotspot),
    name: nameOf(report.hotspot),
    includedRound: report.includedRound,
    verdict: report.state,
    reason: closing?.reason ?? report.reason,
    report: report.beaconReport === null ? null : presentReport(report.beaconReport),
    scalePpm,
    closing:
      closing === null
        ? null
        : {
            challengeEpoch: closing.challengeEpoch,
            closedEpoch: closing.closedEpoch,
            closedRound: closing.closedRound,
            eirpDbm: closing.eirpCentiDbm / CENTI,
            secret: closing.secret === null ? null : encodeHex0x(closing.secret),
            witnesses: {
              accepted: closing.witnessesAccepted,
              unpaid: closing.witnessesUnpaid,
              refused: closing.witnessesRefused,
            },
            units: closing.units === null ? null : { ...closing.units },
          },
    witnesses: witnesses.map((row) => presentWitness(row, isCounted)),
    truncated,
  };
}

/** A transaction that an executed round holds. */
export function presentTransaction(row: TransactionRow): TransactionJson {
  return {
    id: encodeHex0x(row.id),
    verdict: row.reason === null ? "accepted" : "refused",
    reason: row.reason,
    kind: presentKind(row.kind),
    type: row.kind,
    sender: didOf(row.sender),
    round: row.round,
  };
}

export function presentCoverage(row: CoverageCell): CoverageCellJson {
  return { ...row, cell: presentCell(row.cell) };
}

export function presentRound(row: RoundRow) {
  return {
    round: row.round,
    epoch: row.epoch,
    timeMs: row.timeMs,
    value: encodeHex0x(row.valueDigest),
    finalCert: encodeHex0x(row.finalCert),
    stateDigest: encodeHex0x(row.stateDigest),
    batches: row.batchDigests.map(encodeHex0x),
    messages: row.messages,
    reports: row.reports,
    transactions: row.transactions,
    beaconsClosed: row.beaconsClosed,
  };
}
