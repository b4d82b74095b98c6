/** A hotspot's trust as a validator tells it, every field checked, and the same in words for its owner. */
import { PPM, parseAmount } from "../../../../protocol/src/network/parameters.ts";
import { PENALTY_TABLE } from "../../../../protocol/src/trust/penaltyTable.ts";
import { type Fields, toFields, toText } from "./jsonFields.ts";
import { formatTokens } from "./tokens.ts";

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
  /** The newest first; none for a hotspot that always was wholly trusted. */
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

/** How a hotspot stands: its trust with every finding, what is held and until when, and its appeals. A line each. */
export function describeTrust({ computations, escrow, appeal, paidMinPpm }: TrustAnswer): string[] {
  const [newest] = computations;
  return [
    ...(newest === undefined ? ["trust: whole, and always was"] : describeComputation(newest, paidMinPpm)),
    ...(escrow.length === 0 ? ["held in escrow: nothing"] : []),
    ...escrow.map(({ amount, untilEpoch }) => {
      return `held in escrow: ${formatTokens(amount)} tokens, to be released in epoch ${untilEpoch} at the latest`;
    }),
    ...describeVerdict(computations, paidMinPpm),
    ...describeAppeal(appeal),
  ];
}

function describeComputation(computation: TrustComputation, paidMinPpm: number): string[] {
  const { fromEpoch, graphPpm, trustPpm, isSuspended, findings } = computation;
  const parts = `${formatPercent(graphPpm)} by its links${findings.length > 0 ? ", times its findings" : ""}`;
  const pay = isSuspended
    ? `suspended from pay, as that is below ${formatPercent(paidMinPpm)}`
    : trustPpm < paidMinPpm
      ? "not paid, as its links do not reach whom the network trusts"
      : "paid";
  return [
    `trust: ${formatPercent(trustPpm)} since epoch ${fromEpoch} (${parts}); ${pay}`,
    ...findings.map(({ penalty, factorPpm, endsEpoch }) => {
      const asks = PENALTY_TABLE.find(({ reason }) => reason === penalty)?.asks;
      const about = asks === undefined ? "" : `: ${asks}`;
      return `found: ${penalty} (times ${formatPercent(factorPpm)}, ends with epoch ${endsEpoch})${about}`;
    }),
  ];
}

/** What became of the newest appeal that was decided. */
function describeVerdict(computations: readonly TrustComputation[], paidMinPpm: number): string[] {
  const decided = computations.find(({ isAppealed }) => isAppealed);
  if (decided === undefined) return [];
  const { fromEpoch, trustPpm, findings } = decided;
  const names = findings.map(({ penalty }) => penalty).join(", ");
  if (trustPpm >= paidMinPpm) {
    const rest = names === "" ? "nothing was found again" : `less was found than before (${names})`;
    return [`appeal decided for epoch ${fromEpoch}: heard, ${rest}; all that was held was released`];
  }
  const why = names === "" ? "its links do not reach whom the network trusts" : `found again: ${names}`;
  return [`appeal decided for epoch ${fromEpoch}: not heard, ${why}; nothing was released`];
}

function describeAppeal(appeal: TrustAnswer["appeal"]): string[] {
  if (appeal === null) return ["appeal: none can be made of a hotspot that is gone"];
  const { isPending, decidedFromEpoch, barredUntilEpoch } = appeal;
  if (isPending) return [`appeal: pending, decided at the end of epoch ${decidedFromEpoch - 1}`];
  if (barredUntilEpoch === null) return [];
  return [
    `appeal: none is heard up to epoch ${barredUntilEpoch}, as the hotspot moved after it was found against`,
  ];
}

/** Parts per million as per cent, without trailing zeros. */
function formatPercent(ppm: number): string {
  return `${(ppm * 100) / PPM} %`;
}
