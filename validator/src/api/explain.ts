/**
 * A hotspot's reward of an epoch taken apart: the links behind each report's units, the line's scale, the share, the pool's
 * split, to the base unit. All from the stored line, the epoch's books and the reports; what is multiplied here must give
 * what was paid, and where a stored amount does not follow from its factors the answer is an error and not a number.
 */
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import type { Parameters } from "../../../protocol/src/network/parameters.ts";
import { decodeEpochRecord } from "../../../protocol/src/reward/epochRecord.ts";
import { PENALTY_REASONS } from "../../../protocol/src/trust/finding.ts";
import type { EpochRow, QueryStore, RankedLine, ReceptionRow } from "../store/store.ts";
import { findCrowd, UnitsExplainer, type UnitsStore } from "./explainUnits.ts";
import { presentReportId } from "./present.ts";
import type { ExplanationJson, FactorsJson } from "./schemas/trust.ts";

export type ExplainStore = UnitsStore & Pick<QueryStore, "getEpoch" | "getRewardLine" | "listReceptions">;

/**
 * Reports whose units are taken apart, each by its beacon's whole evidence; some milliseconds. On mainnet a hotspot in a
 * beacon's reach of 300 others hears 50 in an epoch.
 */
const MAX_TAKEN_APART = 64;

/**
 * The explanation, or null where the epoch is not closed or has no line for the hotspot.
 * @throws Error where an amount does not follow from its factors: the store is not what the ledger wrote.
 */
export async function explainReward(
  store: ExplainStore,
  parameters: Parameters,
  hotspot: Uint8Array,
  epoch: number,
): Promise<ExplanationJson | null> {
  const [row, line] = [await store.getEpoch(epoch), await store.getRewardLine(epoch, hotspot)];
  if (row === null || line === null) return null;
  const scoreVersion = decodeEpochRecord(row.record)?.scoreVersion ?? 0;
  const explainer = scoreVersion === 2 ? new UnitsExplainer(store, parameters) : null;
  const reports = await listReports(store, explainer, hotspot, epoch);
  const sum = (kind: string): number =>
    reports.filter((report) => report.kind === kind).reduce((total, { unitsPpm }) => total + unitsPpm, 0);
  return {
    hotspot: encodeDidKey(hotspot),
    name: computeName(hotspot),
    owner: encodeDidKey(line.owner),
    epoch,
    scoreVersion,
    trustPpm: line.trustPpm,
    suspended: line.beaconWithheld + line.witnessWithheld > 0n,
    penalties: PENALTY_REASONS.filter((_, place) => (line.penalties & (1 << place)) !== 0),
    ...explainPools(row, line),
    crowd: scoreVersion === 2 ? findCrowd(line.scalePpm) : null,
    reports,
    complete: sum("beacon") === line.beaconUnitsPpm && sum("witness") === line.witnessUnitsPpm,
    paid: `${line.paid}`,
    withheld: `${line.beaconWithheld + line.witnessWithheld}`,
  };
}

/** The reports of the hotspot that the epoch counted, with what each was worth and by what. */
async function listReports(
  store: ExplainStore,
  explainer: UnitsExplainer | null,
  hotspot: Uint8Array,
  epoch: number,
): Promise<ExplanationJson["reports"]> {
  // A beacon comes with each of its receptions.
  const receptions = new Map<string, ReceptionRow>();
  for (const one of await store.listReceptions(hotspot, epoch, epoch)) {
    if (unitsOf(one) === null) continue;
    receptions.set(presentReportId(one.isHeard ? one.reportId : one.beacon), one);
  }
  const taken = explainer === null ? [] : [...receptions.values()].slice(0, MAX_TAKEN_APART);
  const factors = (await explainer?.explain(hotspot, taken)) ?? [];
  return [...receptions].map(([id, one], place) => ({
    id,
    kind: one.isHeard ? "witness" : "beacon",
    unitsPpm: unitsOf(one)!,
    factors: factors[place] ?? null,
    missing: describeMissing(factors[place], explainer !== null),
  }));
}

const unitsOf = ({ isHeard, unitsPpm, beaconerPpm }: ReceptionRow): number | null =>
  isHeard ? unitsPpm : beaconerPpm;

/** Why there are no factors; null where there are. @param factors undefined for what was not taken apart. */
function describeMissing(factors: FactorsJson | null | undefined, isByTrust: boolean): string | null {
  if (!isByTrust) return "Under score version 1 a beacon's witnesses are all worth the same.";
  if (factors === undefined) return `Only ${MAX_TAKEN_APART} reports are taken apart in one answer.`;
  return factors === null ? NOT_KEPT : null;
}

const NOT_KEPT =
  "What is kept here does not give these units any more: a hotspot has moved, changed hands or key, or rows are gone.";

function explainPools({ pools, shares }: EpochRow, line: RankedLine) {
  const { beaconPaid, beaconWithheld, witnessPaid, witnessWithheld } = line;
  return {
    beacons: explainPool(line.scalePpm, line.beaconUnitsPpm, pools.beacons.paid, shares.beacons, {
      paid: beaconPaid,
      withheld: beaconWithheld,
    }),
    witnesses: explainPool(line.scalePpm, line.witnessUnitsPpm, pools.witnesses.paid, shares.witnesses, {
      paid: witnessPaid,
      withheld: witnessWithheld,
    }),
  };
}

function explainPool(
  scalePpm: number,
  unitsPpm: number,
  poolPaid: bigint,
  shares: bigint,
  { paid, withheld }: { readonly paid: bigint; readonly withheld: bigint },
): ExplanationJson["beacons"] {
  const share = BigInt(unitsPpm) * BigInt(scalePpm);
  const quotient = shares === 0n ? 0n : (poolPaid * share) / shares;
  const amount = paid + withheld;
  const remainder = amount - quotient;
  // The largest fractions get one base unit more, and nobody anything else.
  if (remainder !== 0n && remainder !== 1n) {
    throw new Error(`a stored amount of ${amount} does not follow from its factors, which give ${quotient}`);
  }
  return {
    unitsPpm,
    scalePpm,
    share: `${share}`,
    shares: `${shares}`,
    poolPaid: `${poolPaid}`,
    quotient: `${quotient}`,
    remainderUnit: Number(remainder),
    amount: `${amount}`,
    withheld: withheld > 0n,
  };
}
