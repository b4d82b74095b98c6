/** Judges what validators answer: a signed receipt for a parcel, and the state of envelopes. */
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { type SigningDomains, signingMessage } from "../../../protocol/src/crypto/domain.ts";
import {
  decodeReceipt,
  decodeSignedReceipt,
  decodeStatusAnswer,
  type MessageStatus,
  type Receipt,
} from "../../../protocol/src/wire/receipts.ts";
import { verifySignature } from "../host/verify.ts";

/**
 * Reads the answer to a submission of these envelopes.
 * @param validator the key of the peer that answered; it must be the signer.
 * @returns the receipt, its items in the parcel's order; null where it is not what was asked for, or not signed.
 */
export function readReceipt(
  domains: SigningDomains,
  validator: Uint8Array,
  ids: readonly Uint8Array[],
  answer: Uint8Array,
): Receipt | null {
  const signed = decodeSignedReceipt(answer);
  if (signed === null || !equalBytes(signed.signer, validator)) return null;
  const message = signingMessage(domains, "receipt", signed.body);
  if (!verifySignature(validator, message, signed.signature)) return null;
  const receipt = decodeReceipt(signed.body);
  if (receipt === null || receipt.items.length !== ids.length) return null;
  return receipt.items.every(({ id }, i) => equalBytes(id, ids[i]!)) ? receipt : null;
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
