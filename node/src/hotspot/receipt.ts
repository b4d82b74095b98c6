/** Judges what validators answer: a signed receipt for a parcel, and the state of envelopes. */
import { hash } from "node:crypto";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { type SigningDomains, signingMessage } from "../../../protocol/src/crypto/domain.ts";
import type { Reason } from "../../../protocol/src/evidence/reasons.ts";
import {
  decodeReceipt,
  decodeSignedReceipt,
  decodeStatusAnswer,
  type MessageStatus,
  type Receipt,
} from "../../../protocol/src/wire/receipts.ts";
import { verifySignature } from "../host/verify.ts";
import { classifyReceipt } from "./delivery.ts";

/** A parcel as it was sent, and the ids of the envelopes in it, in order. */
type SubmittedParcel = { readonly parcel: Uint8Array; readonly ids: readonly Uint8Array[] };

/**
 * Reads the answer to a submission.
 * @param validator the key of the peer that answered; it must be the signer.
 * @returns the receipt, an item an envelope in the parcel's order, also where the parcel was refused whole; null where it
 *   is not what was asked for, or not signed.
 */
export function readReceipt(
  domains: SigningDomains,
  validator: Uint8Array,
  submitted: SubmittedParcel,
  answer: Uint8Array,
): Receipt | null {
  const signed = decodeSignedReceipt(answer);
  if (signed === null || !equalBytes(signed.signer, validator)) return null;
  const message = signingMessage(domains, "receipt", signed.body);
  if (!verifySignature(validator, message, signed.signature)) return null;
  const receipt = decodeReceipt(signed.body);
  if (receipt === null) return null;
  const { ids } = submitted;
  const { items } = receipt;
  if (items.length === ids.length && items.every(({ id }, i) => equalBytes(id, ids[i]!))) return receipt;
  const reason = findRefusalOfWhole(items, submitted.parcel);
  return reason === null ? null : { ...receipt, items: ids.map((id) => ({ id, reason })) };
}

/** Why a parcel was refused unread, in one item by its digest; null where the items do not say that. */
function findRefusalOfWhole([item, ...others]: Receipt["items"], parcel: Uint8Array): Reason | null {
  if (item === undefined || others.length > 0 || !equalBytes(item.id, hash("sha256", parcel, "buffer")))
    return null;
  // Who has read no envelope can have admitted none.
  return classifyReceipt(item.reason) === "admitted" ? null : item.reason;
}

/** Reads the states of these envelopes, by id in hexadecimal; null where malformed. What was not asked is left out. */
export function readStatuses(
  ids: readonly Uint8Array[],
  answer: Uint8Array,
): ReadonlyMap<string, MessageStatus> | null {
  const statuses = decodeStatusAnswer(answer);
  if (statuses === null) return null;
  const asked = new Set(ids.map(encodeHex));
  return new Map(
    statuses.map((status) => [encodeHex(status.id), status] as const).filter(([id]) => asked.has(id)),
  );
}
