/** Why a transaction was refused, for the person who sent it. The type holds the table to the closed lists. */
import {
  type AdmissionReason,
  REASONS,
  type TransactionReason,
} from "../../../../protocol/src/evidence/reasons.ts";

const WORDS: Readonly<Record<AdmissionReason | TransactionReason, string>> = {
  oversized: "the transaction is longer than its kind may be",
  malformed: "the validator could not read the transaction",
  unknown_kind: "the validator does not know this kind of transaction",
  bad_signature: "the account's signature is wrong",
  bad_cosignature: "a signature of the hotspot, of its owner, of its device or of the validator is wrong",
  stale_epoch: "it came after its epoch could still count it; send it again",
  future_epoch: "it names an epoch that has not begun",
  unknown_sender: "the network does not know this account: nothing was ever paid to it",
  duplicate_message: "the same transaction was there already",
  rate_limited: "this account sends faster than it may; wait a round",
  busy: "the validator has no room; try again later",
  centre_off_cell: "the asserted point is not its cell's centre",
  wrong_nonce: "another transaction of this account came first; send it again",
  insufficient_balance: "the account has too little",
  already_registered: "the hotspot is registered already",
  not_registered: "the hotspot is not registered",
  not_owner: "the account does not own the hotspot or the stake",
  invalid_location: "the place is none that can be asserted",
  epoch_mismatch: "the hotspot consented for another epoch",
  not_validator: "nothing is staked for this validator",
  stake_too_small: "a seat asks for a larger stake",
  tombstoned: "the validator was convicted and never has a seat again",
  not_penalised: "no finding stands against the hotspot, and nothing of it is withheld",
  no_evidence:
    "a hotspot that was named as evidence has no link with this one on record, or this one was moved since it was found",
  rotated_lately: "the hotspot's key was changed in this epoch or one of the two before",
  device_taken: "the device is bound to another hotspot",
  not_bound: "no device is bound to the hotspot",
  asserted_lately:
    "the hotspot's place, antenna or region was changed lately: again only a window of evidence after that",
};

/** A reason with its words, such as "not_owner (the account does not own the hotspot)". */
export function describeRefusal(reason: string | null): string {
  if (reason === null || !REASONS.some((known) => known === reason)) return "no reason that is known here";
  return Object.hasOwn(WORDS, reason) ? `${reason} (${WORDS[reason as keyof typeof WORDS]})` : reason;
}
