/**
 * A hotspot's reward of an epoch taken apart: the units of each report, the line's scale, the share, the pool's split, to
 * the base unit. All from the stored line, the epoch's books and the reports; what is multiplied here must give what was
 * paid, and where a stored amount does not follow from its factors the answer is an error and not a number.
 */
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import { decodeEpochRecord } from "../../../protocol/src/reward/epochRecord.ts";
import { PENALTY_REASONS } from "../../../protocol/src/trust/finding.ts";
import type { EpochRow, QueryStore, RankedLine } from "../store/store.ts";
import { presentReportId } from "./present.ts";
import type { ExplanationJson } from "./schemas/trust.ts";

type ExplainStore = Pick<QueryStore, "getEpoch" | "getRewardLine" | "listReceptions">;

/** The explanation, or null where the epoch is not closed or has no line for the hotspot. */
export async function explainReward(
  store: ExplainStore,
  hotspot: Uint8Array,
  epoch: number,
): Promise<ExplanationJson | null> {
  const [row, line] = [await store.getEpoch(epoch), await store.getRewardLine(epoch, hotspot)];
  if (row === null || line === null) return null;
  const reports = await listReports(store, hotspot, epoch);
  const sum = (kind: string): number =>
    reports.filter((report) => report.kind === kind).reduce((total, { unitsPpm }) => total + unitsPpm, 0);
  return {
    hotspot: encodeDidKey(hotspot),
    name: computeName(hotspot),
    owner: encodeDidKey(line.owner),
    epoch,
    scoreVersion: decodeEpochRecord(row.record)?.scoreVersion ?? 0,
    trustPpm: line.trustPpm,
    suspended: line.beaconWithheld + line.witnessWithheld > 0n,
    penalties: PENALTY_REASONS.filter((_, place) => (line.penalties & (1 << place)) !== 0),
    ...explainPools(row, line),
    reports,
    complete: sum("beacon") === line.beaconUnitsPpm && sum("witness") === line.witnessUnitsPpm,
    paid: `${line.paid}`,
    withheld: `${line.beaconWithheld + line.witnessWithheld}`,
  };
}

/** The reports of the hotspot that the epoch counted, with what each was worth. */
async function listReports(store: ExplainStore, hotspot: Uint8Array, epoch: number) {
  const reports = new Map<string, ExplanationJson["reports"][number]>();
  for (const one of await store.listReceptions(hotspot, epoch)) {
    if (one.closedEpoch !== epoch) continue;
    const unitsPpm = one.isHeard ? one.unitsPpm : one.beaconerPpm;
    if (unitsPpm === null) continue;
    const id = presentReportId(one.isHeard ? one.reportId : one.beacon);
    reports.set(id, { id, kind: one.isHeard ? "witness" : "beacon", unitsPpm });
  }
  return [...reports.values()];
}

function explainPools({ pools, shares }: EpochRow, line: RankedLine) {
  const { beaconPaid, beaconWithheld, witnessPaid, witnessWithheld } = line;
  return {
    beacons: explainPool(line.scalePpm, line.beaconUnitsPpm, pools.beacons.paid, shares.beacons, {
      ...{ paid: beaconPaid, withheld: beaconWithheld },
    }),
    witnesses: explainPool(line.scalePpm, line.witnessUnitsPpm, pools.witnesses.paid, shares.witnesses, {
      ...{ paid: witnessPaid, withheld: witnessWithheld },
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
  return {
    ...{ unitsPpm, scalePpm },
    share: `${share}`,
    shares: `${shares}`,
    poolPaid: `${poolPaid}`,
    quotient: `${quotient}`,
    remainderUnit: Number(amount - quotient),
    amount: `${amount}`,
    withheld: withheld > 0n,
  };
}
