/** A hotspot's trust as a validator's API tells it, every field checked: what answers there is a stranger's. */
import { parseAmount } from "../../../protocol/src/network/parameters.ts";
import { type Fields, toFields, toText } from "./jsonFields.ts";

/** A computation of trust. `isAppealed`: it decided an appeal. */
export type TrustComputation = {
  readonly fromEpoch: number;
  readonly graphPpm: number;
  readonly trustPpm: number;
  readonly isSuspended: boolean;
  readonly isAppealed: boolean;
  readonly findings: readonly {
    readonly penalty: string;
    readonly factorPpm: number;
    readonly endsEpoch: number;
  }[];
};
export type TrustAnswer = {
  readonly paidMinPpm: number;
  /** The newest first; none for a hotspot that always was wholly trusted, or came after the newest of them. */
  readonly computations: readonly TrustComputation[];
  /** What is held of its pay, in base units, and the last epoch in which each can be released. */
  readonly escrow: readonly { readonly amount: bigint; readonly untilEpoch: number }[];
  /** Null where the hotspot is gone. */
  readonly appeal: {
    readonly isPending: boolean;
    readonly decidedFromEpoch: number;
    readonly barredUntilEpoch: number | null;
  } | null;
};

/** Reads `/v1/hotspots/{id}/trust`; null where it is none. */
export function readTrustAnswer({ paidMinPpm, items, escrow, appeal }: Fields): TrustAnswer | null {
  if (!isCount(paidMinPpm)) return null;
  const computations = readList(items, readComputation);
  const held = readList(escrow, ({ amount, untilEpoch }) => {
    const baseUnits = parseAmount(amount);
    return baseUnits === null || !isCount(untilEpoch) ? null : { amount: baseUnits, untilEpoch };
  });
  if (computations === null || held === null) return null;
  const { pending, decidedFromEpoch, barredUntilEpoch } = toFields(appeal);
  if (appeal === null) return { paidMinPpm, computations, escrow: held, appeal };
  if (typeof pending !== "boolean" || !isCount(decidedFromEpoch)) return null;
  if (barredUntilEpoch !== null && !isCount(barredUntilEpoch)) return null;
  const standing = { isPending: pending, decidedFromEpoch, barredUntilEpoch };
  return { paidMinPpm, computations, escrow: held, appeal: standing };
}

function readComputation(fields: Fields): TrustComputation | null {
  const { fromEpoch, graphPpm, trustPpm, suspended, appealed } = fields;
  const findings = readList(fields.findings, ({ penalty, factorPpm, endsEpoch }) =>
    isCount(factorPpm) && isCount(endsEpoch) ? { penalty: toText(penalty), factorPpm, endsEpoch } : null,
  );
  if (findings === null || !isCount(fromEpoch) || !isCount(graphPpm) || !isCount(trustPpm)) return null;
  return {
    fromEpoch,
    graphPpm,
    trustPpm,
    findings,
    isSuspended: suspended === true,
    isAppealed: appealed === true,
  };
}

function readList<T>(value: unknown, read: (fields: Fields) => T | null): T[] | null {
  if (!Array.isArray(value)) return null;
  const list = value.map((one) => read(toFields(one)));
  return list.every((one) => one !== null) ? (list as T[]) : null;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
