/** From a batch's message bytes to what execution takes. */
import type { SigningDomains } from "../crypto/domain.ts";
import { computeEnvelopeId, decodeEnvelope } from "../wire/envelope.ts";
import { decodeReportBundle } from "../wire/reports.ts";
import { decodeTransaction } from "../wire/transactions.ts";
import type { LedgerMessage } from "./types.ts";

/** Why bytes are no message: reasons of admission, which hold without any state. */
export type DecodeReason = "oversized" | "malformed" | "unknown_kind";

/**
 * Strictly decodes an encoded envelope with its body. Signatures and co-signatures are for whoever admits it or
 * acknowledges its batch; nothing that fails here can stand in an acknowledged batch.
 */
export function decodeLedgerMessage(
  bytes: Uint8Array,
  domains: SigningDomains,
): LedgerMessage | DecodeReason {
  const decoded = decodeEnvelope(bytes);
  if (!decoded.ok) return decoded.reason;
  const { kind, sender, body } = decoded.envelope;
  const id = computeEnvelopeId(domains, decoded.envelope);
  if (kind === "reports") {
    const bundle = decodeReportBundle(body);
    return bundle === null ? "malformed" : { kind, id, sender, bundle };
  }
  const transaction = decodeTransaction(kind, body);
  return transaction === null ? "malformed" : { kind, id, sender, transaction };
}
