/**
 * The budget of time on air: what a hotspot has sent, what it may send now, and when it may send again. A sliding
 * window for each band (Europe's duty cycles) and for each channel (America's dwell), over a plain list of
 * transmissions, queued ones included; whoever keeps the list decides where it is stored.
 */
import { type DutyBand, findDutyBands, NO_DUTY_LIMIT_PPM, type RegionPlan } from "./regions.ts";

/** A packet that was, or will be, on air. */
export type Transmission = {
  readonly freqHz: number;
  /** Unix milliseconds at which it begins. */
  readonly startMs: number;
  readonly airtimeUs: number;
  readonly eirpCentiDbm: number;
};

export const DUTY_REASONS = ["out_of_band", "over_eirp", "over_dwell", "over_duty_cycle"] as const;
export type DutyReason = (typeof DUTY_REASONS)[number];

/** `earliestStartMs`: when the same packet may begin if nothing else is sent; null: never. */
export type DutyVerdict =
  | { readonly ok: true }
  | { readonly ok: false; readonly reason: DutyReason; readonly earliestStartMs: number | null };

/** One limit that applies to a transmission: at most `limitUs` among those counted in any `windowMs`. */
type Budget = {
  readonly reason: DutyReason;
  readonly limitUs: number;
  readonly windowMs: number;
  readonly counts: (transmission: Transmission) => boolean;
};

/**
 * Whether a transmission is within its plan's bands, power, dwell and duty cycle. Of the bands that hold its frequency
 * the first that allows its power counts. An exactly used-up budget is still kept.
 * @param ledger what was sent, and what is queued, in any order.
 */
export function checkTransmission(
  plan: RegionPlan,
  ledger: readonly Transmission[],
  candidate: Transmission,
): DutyVerdict {
  const bands = findDutyBands(plan, candidate.freqHz);
  if (bands.length === 0) return { ok: false, reason: "out_of_band", earliestStartMs: null };
  const band = findBandFor(plan, candidate);
  if (band === null) return { ok: false, reason: "over_eirp", earliestStartMs: null };

  const broken: { reason: DutyReason; earliestStartMs: number | null }[] = [];
  for (const budget of budgetsFor(plan, band, candidate)) {
    const earliestStartMs = findEarliestStart(budget, ledger, candidate);
    if (earliestStartMs !== candidate.startMs) broken.push({ reason: budget.reason, earliestStartMs });
  }
  if (broken.length === 0) return { ok: true };
  const never = broken.find(({ earliestStartMs }) => earliestStartMs === null);
  if (never !== undefined) return { ok: false, ...never };
  const latest = broken.reduce((a, b) => (b.earliestStartMs! > a.earliestStartMs! ? b : a));
  return { ok: false, ...latest };
}

/**
 * The ledger with one more transmission, without those that no window reaches any more. Since only what was allowed is
 * recorded, its length is bounded by the longest window's budget over the shortest packet.
 */
export function recordTransmission(
  plan: RegionPlan,
  ledger: readonly Transmission[],
  transmission: Transmission,
): Transmission[] {
  const windowMs = longestWindowMs(plan);
  const kept = ledger.filter(({ startMs }) => startMs > transmission.startMs - windowMs);
  kept.push(transmission);
  return kept;
}

/**
 * A ledger that has used up every budget from now on, for who has forgotten what was sent: nothing that a window limits
 * fits before that window is past.
 */
export function createUsedUpLedger(plan: RegionPlan, nowMs: number): Transmission[] {
  const bands = plan.dutyBands.filter(isLimited).map((band) => ({
    freqHz: (band.fromHz + band.toHz) / 2,
    startMs: nowMs,
    airtimeUs: dutyLimitUs(band),
    eirpCentiDbm: band.maxEirpCentiDbm,
  }));
  const { dwellMs, dwellWindowMs, maxEirpCentiDbm: eirpCentiDbm } = plan;
  if (dwellMs === null || dwellWindowMs === null) return bands;
  const airtimeUs = dwellMs * 1_000;
  return [
    ...bands,
    ...plan.beaconFreqsHz.map((freqHz) => ({ freqHz, startMs: nowMs, airtimeUs, eirpCentiDbm })),
  ];
}

/** A budget for people to see: microseconds used and allowed in the window that ends now. */
export type BudgetUse = {
  readonly band: string;
  readonly usedUs: number;
  readonly limitUs: number;
  readonly windowMs: number;
};

/**
 * What a dwell limit over a window has left: of every channel that was used within it, and `each channel` where none was.
 * A limit on each transmission by itself leaves nothing to use up.
 */
export function computeDwellUse(
  plan: RegionPlan,
  ledger: readonly Transmission[],
  nowMs: number,
): BudgetUse[] {
  const { dwellMs, dwellWindowMs } = plan;
  if (dwellMs === null || dwellWindowMs === null) return [];
  const limits = { limitUs: dwellMs * 1_000, windowMs: dwellWindowMs };
  const recent = ledger.filter(({ startMs }) => startMs > nowMs - dwellWindowMs);
  if (recent.length === 0) return [{ band: "each channel", usedUs: 0, ...limits }];
  const channels = [...new Set(recent.map(({ freqHz }) => freqHz))].sort((a, b) => a - b);
  return channels.map((freqHz) => {
    const onIt = recent.filter((sent) => Math.abs(sent.freqHz - freqHz) < plan.bwHz);
    const usedUs = onIt.reduce((sum, { airtimeUs }) => sum + airtimeUs, 0);
    return { band: `${freqHz / 1e6} MHz`, usedUs, ...limits };
  });
}

/** What is left of each limited band. */
export function computeDutyUse(
  plan: RegionPlan,
  ledger: readonly Transmission[],
  nowMs: number,
): BudgetUse[] {
  return plan.dutyBands.filter(isLimited).map((band) => {
    const limitUs = dutyLimitUs(band);
    const usedUs = ledger
      .filter((sent) => findBandUsed(plan, sent) === band && sent.startMs > nowMs - band.windowMs)
      .reduce((sum, { airtimeUs }) => sum + airtimeUs, 0);
    return { band: band.name, usedUs, limitUs, windowMs: band.windowMs };
  });
}

/** The band that a transmission may draw on: the first at its frequency that allows its power. */
function findBandFor(plan: RegionPlan, { freqHz, eirpCentiDbm }: Transmission): DutyBand | null {
  return findDutyBands(plan, freqHz).find(({ maxEirpCentiDbm }) => maxEirpCentiDbm >= eirpCentiDbm) ?? null;
}

/**
 * The band that a packet has drawn on. What a forwarder sent louder than any band allows was on air all the same, and
 * counts where least is allowed.
 */
function findBandUsed(plan: RegionPlan, sent: Transmission): DutyBand | null {
  const bands = findDutyBands(plan, sent.freqHz).sort((a, b) => a.dutyPpm - b.dutyPpm);
  return findBandFor(plan, sent) ?? bands[0] ?? null;
}

function budgetsFor(plan: RegionPlan, band: DutyBand, candidate: Transmission): Budget[] {
  const budgets: Budget[] = [];
  if (isLimited(band)) {
    budgets.push({
      reason: "over_duty_cycle",
      limitUs: dutyLimitUs(band),
      windowMs: band.windowMs,
      counts: (sent) => findBandUsed(plan, sent) === band,
    });
  }
  if (plan.dwellMs !== null) {
    budgets.push({
      reason: "over_dwell",
      limitUs: plan.dwellMs * 1_000,
      windowMs: plan.dwellWindowMs ?? 0,
      // Two packets share a channel where their spectra overlap.
      counts: ({ freqHz }) => Math.abs(freqHz - candidate.freqHz) < plan.bwHz,
    });
  }
  return budgets;
}

/**
 * The first start from the candidate's own on at which it fits the budget: its own, or that at which one of the others
 * falls out of the window. A queued packet counts as one sent: both are within a window of the candidate.
 */
function findEarliestStart(
  budget: Budget,
  ledger: readonly Transmission[],
  candidate: Transmission,
): number | null {
  if (candidate.airtimeUs > budget.limitUs) return null;
  const counted = ledger.filter(budget.counts);
  const fitsAt = (startMs: number): boolean => {
    const near = counted.filter((sent) => Math.abs(sent.startMs - startMs) < budget.windowMs);
    return near.reduce((sum, { airtimeUs }) => sum + airtimeUs, candidate.airtimeUs) <= budget.limitUs;
  };
  const starts = counted
    .map(({ startMs }) => startMs + budget.windowMs)
    .filter((ms) => ms > candidate.startMs);
  starts.push(candidate.startMs);
  starts.sort((a, b) => a - b);
  return starts.find(fitsAt) ?? null;
}

function isLimited({ dutyPpm }: DutyBand): boolean {
  return dutyPpm < NO_DUTY_LIMIT_PPM;
}

/** Time on air that a band allows in its window, rounded down. */
function dutyLimitUs({ windowMs, dutyPpm }: DutyBand): number {
  return Math.floor((windowMs * dutyPpm) / 1_000);
}

function longestWindowMs(plan: RegionPlan): number {
  return Math.max(
    plan.dwellWindowMs ?? 0,
    ...plan.dutyBands.filter(isLimited).map(({ windowMs }) => windowMs),
  );
}
