/** A hotspot's trust in words, for its owner. */
import { PPM } from "../../../../protocol/src/network/parameters.ts";
import { isCap } from "../../../../protocol/src/trust/finding.ts";
import { PENALTY_TABLE } from "../../../../protocol/src/trust/penaltyTable.ts";
import type { TrustAnswer, TrustComputation } from "../../host/trustAnswer.ts";
import { formatTokens } from "./tokens.ts";

const NOT_COMPUTED =
  "trust: not computed yet, as it came after the newest computation; it counts wholly only as long as no seeds decide";

/**
 * How a hotspot stands: its trust with every finding, what is held and until when, and its appeals. A line each.
 * @param isNewcomer it came after the newest computation of trust, which therefore says nothing of it.
 */
export function describeTrust(
  { computations, escrow, appeal, paidMinPpm }: TrustAnswer,
  isNewcomer: boolean,
): string[] {
  const [newest] = computations;
  return [
    ...(newest === undefined
      ? [isNewcomer ? NOT_COMPUTED : "trust: whole, and always was"]
      : describeComputation(newest, paidMinPpm)),
    ...(escrow.length === 0 ? ["held in escrow: nothing"] : []),
    ...escrow.map(({ amount, untilEpoch }) => {
      return `held in escrow: ${formatTokens(amount)} tokens, which an appeal can release up to epoch ${untilEpoch}`;
    }),
    ...describeVerdict(computations, paidMinPpm),
    ...describeAppeal(appeal),
  ];
}

function describeComputation(computation: TrustComputation, paidMinPpm: number): string[] {
  const { fromEpoch, graphPpm, trustPpm, isSuspended, findings } = computation;
  const parts = `${formatPercent(graphPpm)} by its links${findings.length > 0 ? ", times its findings" : ""}`;
  const pay = isSuspended
    ? `suspended from pay, as without the caps that is below ${formatPercent(paidMinPpm)}`
    : graphPpm < paidMinPpm
      ? "not paid, as its links do not reach whom the network trusts"
      : "paid";
  return [
    `trust: ${formatPercent(trustPpm)} since epoch ${fromEpoch} (${parts}); ${pay}`,
    ...findings.map(({ penalty, factorPpm, endsEpoch }) => {
      const asks = PENALTY_TABLE.find(({ reason }) => reason === penalty)?.asks;
      const about = asks === undefined ? "" : `: ${asks}`;
      // Of one reason the lowest counts, once.
      const isMilder = findings.some((other) => other.penalty === penalty && other.factorPpm < factorPpm);
      const times = `times ${formatPercent(factorPpm)}${isMilder ? " once the harsher one has ended" : ""}`;
      return `found: ${penalty} (${times}, ends with epoch ${endsEpoch})${about}`;
    }),
  ];
}

/** What became of the newest appeal that was decided. The caps, which accuse nobody, have no say in it. */
function describeVerdict(computations: readonly TrustComputation[], paidMinPpm: number): string[] {
  const decided = computations.find(({ isAppealed }) => isAppealed);
  if (decided === undefined) return [];
  const { fromEpoch, graphPpm, isSuspended, findings } = decided;
  const accusations = findings.filter(({ penalty }) => !isCap(penalty));
  const names = [...new Set(accusations.map(({ penalty }) => penalty))].join(", ");
  if (!isSuspended && graphPpm >= paidMinPpm) {
    const rest = names === "" ? "nothing was found again" : `less was found than before (${names})`;
    const released = names === "" ? "all that was held" : "what that leaves of what was held";
    return [`appeal decided for epoch ${fromEpoch}: heard, ${rest}; ${released} was released`];
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
