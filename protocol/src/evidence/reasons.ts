/**
 * Every reason for which anything is refused, unpaid or dropped, in one closed list. The same names are metric labels,
 * values of the API and rows in docs/protocol.md; a test compares them. On the wire a reason is its place in the table,
 * so the table only ever grows at its end.
 */

/**
 * Reason and where it is given: `admission` before a message reaches a batch; `report` by execution to reports of any
 * kind; `beacon`, `witness` and `reveal` by execution to those (`never_revealed` and `no_witness` when the beacon
 * closes; a witness of a beacon that was never revealed gets `never_revealed` too); `unpaid` is valid evidence that
 * earns nothing; `transaction` by execution, two of them at admission too; `retired` by nothing any more: the number stays taken.
 */
const REASON_TABLE = [
  ["oversized", "admission"],
  ["malformed", "admission"],
  ["unknown_kind", "admission"],
  ["bad_signature", "admission"],
  ["bad_cosignature", "admission"],
  ["stale_epoch", "admission"],
  ["future_epoch", "admission"],
  ["unknown_sender", "admission"],
  ["duplicate_message", "admission"],
  ["rate_limited", "admission"],
  ["busy", "admission"],
  ["centre_off_cell", "admission"],
  ["unknown_hotspot", "report"],
  ["not_asserted", "report"],
  ["suspended", "retired"],
  ["over_quota", "report"],
  ["future_dated", "report"],
  ["not_challenged", "beacon"],
  ["out_of_slot", "beacon"],
  ["duplicate_beacon", "beacon"],
  ["region_violated", "beacon"],
  ["challenge_unmet", "beacon"],
  ["over_eirp", "beacon"],
  ["never_revealed", "beacon"],
  ["no_witness", "beacon"],
  ["waiting_full", "witness"],
  ["no_beacon", "witness"],
  ["beacon_refused", "witness"],
  ["proof_mismatch", "witness"],
  ["self_witness", "witness"],
  ["duplicate_witness", "witness"],
  ["late", "witness"],
  ["region_mismatch", "witness"],
  ["frequency_mismatch", "witness"],
  ["data_rate_mismatch", "witness"],
  ["rssi_out_of_range", "witness"],
  ["snr_out_of_range", "witness"],
  ["snr_off_grid", "witness"],
  ["snr_below_demodulation", "witness"],
  ["rssi_below_noise", "witness"],
  ["rssi_above_ceiling", "witness"],
  ["too_close", "unpaid"],
  ["too_far", "unpaid"],
  ["not_reciprocal", "unpaid"],
  ["below_trust", "unpaid"],
  ["over_owner_cap", "unpaid"],
  ["over_witness_cap", "unpaid"],
  ["unknown_beacon", "reveal"],
  ["early_reveal", "reveal"],
  ["not_beaconer", "reveal"],
  ["reveal_mismatch", "reveal"],
  ["already_revealed", "reveal"],
  ["wrong_nonce", "transaction"],
  ["insufficient_balance", "transaction"],
  ["already_registered", "transaction"],
  ["not_registered", "transaction"],
  ["not_owner", "transaction"],
  ["invalid_location", "transaction"],
  ["epoch_mismatch", "transaction"],
  ["not_validator", "transaction"],
  ["stake_too_small", "transaction"],
  ["tombstoned", "transaction"],
  ["over_place_cap", "unpaid"],
  ["not_penalised", "transaction"],
  ["no_evidence", "transaction"],
  ["rotated_lately", "transaction"],
  ["not_cosigned", "beacon"],
  ["device_taken", "transaction"],
  ["not_bound", "transaction"],
  ["asserted_lately", "transaction"],
  ["over_link_cap", "unpaid"],
] as const;

type Row = (typeof REASON_TABLE)[number];
type ReasonOf<Group extends Row[1]> = Extract<Row, readonly [string, Group]>[0];

/** Any reason. */
export type Reason = Row[0];
/** What a transaction is refused for before it can be paid for: at admission, and by execution too. */
const UNPAYABLE_REASONS = ["wrong_nonce", "insufficient_balance"] as const satisfies TransactionReason[];
export type AdmissionReason = ReasonOf<"admission"> | (typeof UNPAYABLE_REASONS)[number];
export type ReportReason = ReasonOf<"report">;
export type BeaconReason = ReasonOf<"beacon"> | ReportReason;
export type WitnessReason = ReasonOf<"witness"> | ReportReason | "never_revealed";
export type UnpaidReason = ReasonOf<"unpaid">;
export type RevealReason = ReasonOf<"reveal"> | ReportReason;
export type TransactionReason = ReasonOf<"transaction">;

/** The whole list in the order of its numbers on the wire, which start at 1: number 0 says "accepted". */
export const REASONS: readonly Reason[] = REASON_TABLE.map(([reason]) => reason);

const reasonsOf = <Group extends Row[1]>(group: Group) =>
  REASON_TABLE.filter(([, itsGroup]) => itsGroup === group).map(([reason]) => reason as ReasonOf<Group>);

export const ADMISSION_REASONS: readonly AdmissionReason[] = [
  ...reasonsOf("admission"),
  ...UNPAYABLE_REASONS,
];
export const REPORT_REASONS = reasonsOf("report");
export const BEACON_REASONS = reasonsOf("beacon");
export const WITNESS_REASONS = reasonsOf("witness");
export const UNPAID_REASONS = reasonsOf("unpaid");
export const REVEAL_REASONS = reasonsOf("reveal");
export const TRANSACTION_REASONS = reasonsOf("transaction");

/** Of those that leave evidence unpaid the ones that the draw at the epoch's end gives, to what was accepted before it. */
export const DRAW_REASONS = [
  "over_owner_cap",
  "over_witness_cap",
  "over_place_cap",
] as const satisfies UnpaidReason[];
export type DrawReason = (typeof DRAW_REASONS)[number];

const DRAW = new Set<Reason>(DRAW_REASONS);
const UNPAID = new Set<Reason>(UNPAID_REASONS);
const REASON_CODES = new Map<Reason, number>(REASONS.map((reason, index) => [reason, index + 1]));

/** Whether a report with this reason is valid evidence all the same, only not paid. */
export function isUnpaidReason(reason: Reason): reason is UnpaidReason {
  return UNPAID.has(reason);
}

/** Whether the draw left a report with this reason out. */
export function isDrawReason(reason: Reason): reason is DrawReason {
  return DRAW.has(reason);
}

/** The number of a reason on the wire; null (accepted) is 0. */
export function encodeReason(reason: Reason | null): number {
  return reason === null ? 0 : REASON_CODES.get(reason)!;
}

/** The reason of a number: null is "accepted", undefined a number that is not on the list. */
export function decodeReason(code: number): Reason | null | undefined {
  return code === 0 ? null : REASONS[code - 1];
}
