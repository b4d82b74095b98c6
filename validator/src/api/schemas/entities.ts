/** What the API answers with, form by form. Strengths are in dB and dBm, lengths in metres, shares in parts per million. */
import { type Static, Type } from "typebox";
import { POOL_NAMES } from "../../../../protocol/src/reward/pools.ts";
import { RSSI_KINDS } from "../../../../protocol/src/wire/reports.ts";
import type { TransactionKind } from "../../../../protocol/src/wire/transactions.ts";
import { HOTSPOT_STATUSES } from "../../store/hotspotStatus.ts";
import {
  Amount,
  CellText,
  Count,
  EpochNumber,
  Hash,
  Hex,
  Integer,
  Key,
  Name,
  object,
  oneOf,
  orNull,
  Ppm,
  ReasonCounts,
  ReasonText,
  ReportIdText,
  RoundNumber,
  TimeMs,
} from "./common.ts";

const PoolBooks = object({ emitted: Amount, carriedIn: Amount, paid: Amount, carriedOut: Amount });

export const Epoch = object(
  {
    epoch: EpochNumber,
    firstRound: RoundNumber,
    lastRound: RoundNumber,
    startTimeMs: TimeMs,
    endTimeMs: TimeMs,
    seed: Hash,
    nextSeed: Hash,
    pools: object(
      Object.fromEntries(POOL_NAMES.map((name) => [name, PoolBooks])) as Record<
        (typeof POOL_NAMES)[number],
        typeof PoolBooks
      >,
    ),
    beacons: object({ closed: Count, refused: ReasonCounts }),
    witnesses: object({ accepted: Count, unpaid: ReasonCounts, refused: ReasonCounts }),
    validators: Type.Array(object({ id: Key, name: Name, paid: Amount })),
    accounts: Count,
    record: Hex,
    recordDigest: Hash,
    inputsDigest: Hash,
    rewardRoot: Hash,
    stateRoot: Hash,
    escrow: object({
      carriedIn: Amount,
      withheld: Amount,
      released: Amount,
      returned: Amount,
      carriedOut: Amount,
    }),
  },
  "A closed epoch. In every pool emitted + carriedIn = paid + carriedOut, where what is withheld is paid into escrow; in escrow carriedIn + withheld = released + returned + carriedOut.",
);
export type EpochJson = Static<typeof Epoch>;

export const RewardLine = object({
  rank: Count,
  hotspot: Key,
  name: Name,
  owner: Key,
  beaconUnitsPpm: Ppm,
  witnessUnitsPpm: Ppm,
  scalePpm: Ppm,
  beaconPaid: Amount,
  witnessPaid: Amount,
  paid: Amount,
  trustPpm: Ppm,
  beaconWithheld: Amount,
  witnessWithheld: Amount,
});
export type RewardLineJson = Static<typeof RewardLine>;

export const HotspotStatusText = oneOf(
  HOTSPOT_STATUSES,
  "active: evidence accepted lately; silent: left a beacon unrevealed; unasserted: has no place yet; leaving: deregistered, its bond still locked; gone: its bond has returned.",
);

export const Hotspot = object({
  id: Key,
  name: Name,
  owner: Key,
  status: HotspotStatusText,
  registeredEpoch: Type.Integer({ minimum: -2 }),
  bond: Amount,
  assertion: orNull(
    object({
      cell: CellText,
      latitude: Type.Number({ minimum: -90, maximum: 90 }),
      longitude: Type.Number({ minimum: -180, maximum: 180 }),
      gainDbi: Type.Number(),
      elevationM: Integer,
      region: Type.String(),
      fromEpoch: Type.Integer({ minimum: -2 }),
    }),
  ),
  device: orNull(
    object(
      { key: Hex, fromEpoch: EpochNumber },
      "The secure element's P-256 key, and the first epoch whose beacons count with its signature only; null once its owner has ended that.",
    ),
  ),
  lastActiveEpoch: orNull(EpochNumber),
  silentUntilEpoch: orNull(EpochNumber),
  leavingUntilEpoch: orNull(EpochNumber),
});
export type HotspotJson = Static<typeof Hotspot>;

export const BeaconReport = object({
  commit: Hash,
  frequencyHz: Count,
  spreadingFactor: Count,
  bandwidthHz: Count,
  powerDbm: Type.Number(),
  timeMs: TimeMs,
});

export const Measurement = object({
  rssiDbm: Type.Number(),
  rssiKind: oneOf(RSSI_KINDS),
  snrDb: Type.Number(),
  frequencyHz: Count,
  spreadingFactor: Count,
  bandwidthHz: Count,
  timeMs: TimeMs,
});

const Verdict = oneOf(
  ["pending", "accepted", "refused"],
  "accepted with a reason is valid evidence that is not paid, for that reason.",
);
const SelectionPending = Type.Boolean({
  description: "Accepted; who is over the cap is decided at the epoch's end.",
});

const reportFields = {
  id: ReportIdText,
  kind: oneOf(["beacon", "witness", "reveal"]),
  includedRound: RoundNumber,
  verdict: Verdict,
  reason: orNull(ReasonText),
  selectionPending: SelectionPending,
  beacon: orNull(ReportIdText),
  distanceM: orNull(Count),
  ceilingDbm: orNull(Type.Number()),
  measurement: orNull(Measurement),
  unitsPpm: orNull(Ppm),
} as const;

export const Activity = object({ ...reportFields, report: orNull(BeaconReport) });
export type ActivityJson = Static<typeof Activity>;

export const Witness = object({
  ...reportFields,
  hotspot: Key,
  name: Name,
  scalePpm: orNull(Ppm),
});
export type WitnessJson = Static<typeof Witness>;

export const Beacon = object({
  id: ReportIdText,
  hotspot: Key,
  name: Name,
  includedRound: RoundNumber,
  verdict: Verdict,
  reason: orNull(ReasonText),
  report: orNull(BeaconReport),
  scalePpm: orNull(Ppm),
  closing: orNull(
    object({
      challengeEpoch: EpochNumber,
      closedEpoch: EpochNumber,
      closedRound: RoundNumber,
      eirpDbm: Type.Number(),
      secret: orNull(Hex),
      witnesses: object({ accepted: Count, unpaid: Count, refused: Count }),
      units: orNull(object({ paidWitnesses: Count, perWitnessPpm: Ppm, beaconerPpm: Ppm })),
    }),
  ),
  witnesses: Type.Array(Witness),
  truncated: Type.Boolean({ description: "Whether there are more witness reports than are shown." }),
});
export type BeaconJson = Static<typeof Beacon>;

export const Account = object({ id: Key, name: Name, balance: Amount, earned: Amount, nonce: Count });

/** Programs were promised these kinds and no others in `kind`; `type` has those that came later too. */
const PROMISED_KINDS = [
  "register",
  "assert",
  "transfer",
  "deregister",
  "stake",
  "unstake",
  "appeal",
  "rotate",
  "bind",
] as const satisfies readonly TransactionKind[];

export const Transaction = object(
  {
    id: Hash,
    verdict: oneOf(["pending", "accepted", "refused"]),
    reason: orNull(ReasonText),
    kind: orNull(oneOf(PROMISED_KINDS)),
    type: orNull(
      Type.String({
        pattern: "^[a-z_]+$",
        description: "Its kind by docs/protocol.md, 5.3; new ones may come.",
      }),
    ),
    sender: orNull(Key),
    round: orNull(RoundNumber),
  },
  "What became of a transaction. While it is pending, kind, type, sender and round are null; kind is also null where type says what came after bind.",
);
export type TransactionJson = Static<typeof Transaction>;

/** The kind for the field `kind`. */
export const presentKind = (kind: TransactionKind): TransactionJson["kind"] =>
  PROMISED_KINDS.find((promised) => promised === kind) ?? null;

export const CoverageCell = object({
  cell: CellText,
  cells: Count,
  hotspots: Count,
  counterpartsMax: Count,
  coveragePpmMax: Ppm,
});
export type CoverageCellJson = Static<typeof CoverageCell>;

export const Round = object({
  round: RoundNumber,
  epoch: EpochNumber,
  timeMs: TimeMs,
  value: Hash,
  finalCert: Hex,
  stateDigest: Hash,
  batches: Type.Array(Hash),
  messages: Count,
  reports: Count,
  transactions: Count,
  beaconsClosed: Count,
});

export const Status = object({
  network: object({ name: Type.String(), id: Hash, roundMs: Count, roundsPerEpoch: Count }),
  validator: Key,
  version: Type.String(),
  timeMs: TimeMs,
  ready: Type.Boolean(),
  notReady: orNull(Type.String()),
  peers: Count,
  round: orNull(RoundNumber),
  roundTimeMs: orNull(TimeMs),
  epoch: EpochNumber,
  closedEpoch: orNull(EpochNumber),
  oldestEpoch: orNull(EpochNumber),
  hotspots: Count,
});
