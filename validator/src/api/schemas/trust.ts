/** What the API says of trust: a hotspot's, with every finding and its evidence, the penalties there are, and a reward taken apart. */
import { type Static, Type } from "typebox";
import { DRAW_REASONS } from "../../../../protocol/src/evidence/reasons.ts";
import { PENALTY_REASONS } from "../../../../protocol/src/trust/finding.ts";
import {
  Amount,
  Count,
  Cursor,
  EpochNumber,
  Integer,
  Key,
  Name,
  object,
  oneOf,
  orNull,
  Ppm,
  ReportIdText,
} from "./common.ts";

const Penalty = oneOf(PENALTY_REASONS, "One of /v1/trust/penalties.");

const Evidence = object(
  {
    counterpart: Key,
    name: Name,
    heardEpoch: orNull(EpochNumber),
    heardByEpoch: orNull(EpochNumber),
    reports: Type.Array(ReportIdText),
  },
  "A counterpart, the newest epochs in which the hotspot heard it and was heard by it, and those reports as long as they are kept. What floor_window and snr_grid go by was refused: the hotspot's activity has it, with its reason.",
);

const FindingForm = object(
  {
    penalty: Penalty,
    factorPpm: Ppm,
    madeEpoch: EpochNumber,
    endsEpoch: EpochNumber,
    evidence: Type.Array(Evidence),
  },
  "What was found, and from which epoch's start on it no longer counts if it is not found again: by new evidence, or by the same while that is on record, for two windows at most.",
);

export const TrustState = object(
  {
    fromEpoch: EpochNumber,
    graphPpm: Ppm,
    trustPpm: Ppm,
    suspended: Type.Boolean({
      description: "From pay, never from the protocol: rewards are withheld in escrow.",
    }),
    appealed: Type.Boolean({ description: "Whether this computation decided an appeal." }),
    findings: Type.Array(FindingForm),
  },
  "A hotspot's trust from an epoch on: what the graph gives, times the lowest factor of each penalty found.",
);
export type TrustStateJson = Static<typeof TrustState>;

const Held = object(
  {
    owner: Key,
    amount: Amount,
    untilEpoch: EpochNumber,
  },
  "Withheld pay of one owner: an appeal that is decided up to the end of that epoch can release it to that account; after it, it returns to the pools.",
);

const Appeal = object(
  {
    pending: Type.Boolean(),
    decidedFromEpoch: EpochNumber,
    barredUntilEpoch: orNull(EpochNumber),
  },
  "Whether the next computation of trust decides an appeal; from when on it is in force; and the last epoch in which none is heard, as the hotspot's record was forgotten.",
);

export const TrustHistory = object({
  hotspot: Key,
  name: Name,
  paidMinPpm: Ppm,
  current: orNull(TrustState),
  held: Amount,
  escrow: Type.Array(Held),
  appeal: orNull(Appeal),
  items: Type.Array(TrustState),
  next: orNull(Cursor),
});

export type TrustHistoryJson = Static<typeof TrustHistory>;

export const Penalties = object({
  paidMinPpm: Ppm,
  intervalEpochs: Count,
  penaltyEpochs: Count,
  escrowEpochs: Count,
  items: Type.Array(
    object({
      number: Count,
      penalty: Penalty,
      asks: Type.String(),
      unit: Type.String(),
      begins: Integer,
      largest: Integer,
      leastFactorPpm: Ppm,
      source: Type.String(),
    }),
  ),
});

const PoolShare = object(
  {
    unitsPpm: Ppm,
    scalePpm: Ppm,
    share: Type.String({ pattern: "^[0-9]{1,20}$" }),
    shares: Type.String({ pattern: "^[0-9]{1,30}$" }),
    poolPaid: Amount,
    quotient: Amount,
    remainderUnit: Type.Integer({ minimum: 0, maximum: 1 }),
    amount: Amount,
    withheld: Type.Boolean(),
  },
  "units times scale is the share; the pool's payment times share over all shares, rounded down, and one base unit more for the largest fractions, is the amount.",
);

const Link = object(
  {
    counterpart: Key,
    name: Name,
    distanceM: Count,
    trustPpm: Ppm,
    counterpartTrustPpm: Ppm,
    qualityPpm: Ppm,
    valuePpm: Ppm,
  },
  "The lesser of both trusts (its own by the graph and the caps while it is suspended), times the quality by distance, rounded down.",
);
const Between = (description: string) => object({ leastPpm: Ppm, mostPpm: Ppm }, description);

const Factors = object(
  {
    links: Type.Array(Link),
    candidates: Count,
    divisor: Between(
      "Three links' worth, or where that was more all that the witness had on record, over its own trust.",
    ),
    unpaid: orNull(oneOf(DRAW_REASONS)),
    mayEarn: Type.Boolean({
      description: "False where others said too little of the hotspot by then for it to earn anything.",
    }),
  },
  "Units are the sum of the links' values times 1,000,000 over the divisor, rounded down; nothing where it is `unpaid` or may not earn. A beacon's links are the best three of its `candidates`, of witnesses that stand apart and within their owner's cap. What a witness had on record is not kept: the divisor lies between least and most, and each gives the units.",
);
export type FactorsJson = Static<typeof Factors>;

const CountedReport = object({
  id: ReportIdText,
  kind: oneOf(["beacon", "witness"]),
  unitsPpm: Ppm,
  factors: orNull(Factors),
  missing: orNull(Type.String({ description: "Why there are no factors." })),
});

export const Explanation = object({
  hotspot: Key,
  name: Name,
  owner: Key,
  epoch: EpochNumber,
  scoreVersion: Count,
  trustPpm: Ppm,
  suspended: Type.Boolean(),
  penalties: Type.Array(Penalty),
  beacons: PoolShare,
  witnesses: PoolShare,
  crowd: orNull(
    Between(
      "Trust of the others around it, half as much with each ring of resolution-8 cells. The scale is 4 / (4 + crowd), rounded down: the crowd lies between least and most, and each gives the scale. Null under score version 1.",
    ),
  ),
  reports: Type.Array(CountedReport),
  complete: Type.Boolean({
    description: "Whether the units of the reports make the line's: bodies are kept for a while only.",
  }),
  paid: Amount,
  withheld: Amount,
});
export type ExplanationJson = Static<typeof Explanation>;
