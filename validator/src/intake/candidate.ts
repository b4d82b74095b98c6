/**
 * From a parcel's bytes to candidates for admission: everything that can be said of a message without any state and
 * without a signature. What fails here costs its sender's connection, and nobody else, anything.
 */
import type { SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import type { AdmissionReason } from "../../../protocol/src/evidence/reasons.ts";
import {
  encodeAssertion,
  encodeBinding,
  encodeMembership,
  encodeRegistration,
  encodeRotation,
  membershipOf,
} from "../../../protocol/src/wire/consents.ts";
import {
  computeEnvelopeId,
  decodeEnvelope,
  decodeParcel,
  type Envelope,
  type EnvelopeKind,
  MAX_PARCEL_BYTES,
} from "../../../protocol/src/wire/envelope.ts";
import {
  countReports,
  decodeReportBundle,
  encodeCosignedBeacons,
  type ReportBundle,
} from "../../../protocol/src/wire/reports.ts";
import { decodeTransaction, type Transaction } from "../../../protocol/src/wire/transactions.ts";
import { keyOfBytes } from "../bytesKey.ts";
import type { SignatureClaim } from "../verify/signatureJob.ts";

/** A well-formed message whose signatures nobody has checked. */
export type Candidate = {
  /** The encoded envelope, as it goes into a batch. */
  readonly bytes: Uint8Array;
  readonly id: Uint8Array;
  /** `id` and `sender` as keys of maps. */
  readonly idKey: string;
  readonly senderKey: string;
  readonly kind: EnvelopeKind;
  readonly sender: Uint8Array;
  readonly epoch: number;
  /** Reports in it; 1 for a transaction. */
  readonly weight: number;
  readonly transaction: Transaction | null;
  /** The envelope's signature first, then the co-signatures in its body. */
  readonly claims: readonly SignatureClaim[];
};

/** A candidate, or why there is none; `id` is then SHA-256 of the bytes that could not be read. */
export type DecodedItem =
  | { readonly ok: true; readonly candidate: Candidate }
  | { readonly ok: false; readonly id: Uint8Array; readonly reason: AdmissionReason };

/** Decodes a parcel: one item an envelope, or one item for the whole where it is none. */
export function decodeCandidates(parcel: Uint8Array, domains: SigningDomains): DecodedItem[] {
  if (parcel.length > MAX_PARCEL_BYTES) return [refuse(parcel, "oversized")];
  const envelopes = decodeParcel(parcel);
  if (envelopes === null) return [refuse(parcel, "malformed")];
  return envelopes.map((bytes) => decodeCandidate(bytes, domains));
}

/** Decodes one envelope. */
export function decodeCandidate(bytes: Uint8Array, domains: SigningDomains): DecodedItem {
  const decoded = decodeEnvelope(bytes);
  if (!decoded.ok) return refuse(bytes, decoded.reason);
  const { envelope } = decoded;
  const body = decodeBody(envelope, domains);
  if (body === null) return refuse(bytes, "malformed");
  const { kind, sender, signature } = envelope;
  const id = computeEnvelopeId(domains, envelope);
  const own: SignatureClaim = { publicKey: sender, message: [domains[kind], envelope.body], signature };
  const candidate: Candidate = {
    bytes,
    id,
    idKey: keyOfBytes(id),
    senderKey: keyOfBytes(sender),
    kind,
    sender,
    epoch: body.epoch,
    weight: body.weight,
    transaction: body.transaction,
    claims: [own, ...body.cosignatures],
  };
  return { ok: true, candidate };
}

type Body = Pick<Candidate, "epoch" | "weight" | "transaction"> & {
  readonly cosignatures: readonly SignatureClaim[];
};

function decodeBody({ kind, sender, body }: Envelope, domains: SigningDomains): Body | null {
  if (kind === "reports") {
    const bundle = decodeReportBundle(body);
    return (
      bundle && {
        epoch: bundle.epoch,
        weight: countReports(bundle),
        transaction: null,
        cosignatures: listBundleCosignatures(bundle, sender, domains),
      }
    );
  }
  const transaction = decodeTransaction(kind, body);
  return (
    transaction && {
      epoch: transaction.epoch,
      weight: 1,
      transaction,
      cosignatures: listCosignatures(transaction, sender, domains),
    }
  );
}

/** The device that co-signs a bundle's beacons; whether it is the one that is bound is execution's to say. */
function listBundleCosignatures(
  bundle: ReportBundle,
  sender: Uint8Array,
  domains: SigningDomains,
): SignatureClaim[] {
  const { cosignature } = bundle;
  if (cosignature === undefined) return [];
  const message = [domains.cosigned, encodeCosignedBeacons(sender, bundle)];
  return [{ publicKey: cosignature.deviceKey, message, signature: cosignature.signature }];
}

/**
 * Who must have consented beside the sender: hotspot and owner to a registration, the hotspot to its assertion, a
 * validator to who stakes for it, a hotspot's old and new key to a rotation, hotspot and device to their binding.
 */
function listCosignatures(
  transaction: Transaction,
  sender: Uint8Array,
  domains: SigningDomains,
): SignatureClaim[] {
  switch (transaction.kind) {
    case "register": {
      const { registration, hotspotSignature, ownerSignature } = transaction;
      const message = [domains.registration, encodeRegistration(registration)];
      return [
        { publicKey: registration.hotspot, message, signature: hotspotSignature },
        { publicKey: registration.owner, message, signature: ownerSignature },
      ];
    }
    case "assert": {
      const { assertion, hotspotSignature } = transaction;
      const message = [domains.assertion, encodeAssertion(assertion)];
      return [{ publicKey: assertion.hotspot, message, signature: hotspotSignature }];
    }
    case "stake": {
      const { validator, validatorSignature } = transaction;
      const message = [domains.membership, encodeMembership(membershipOf(transaction, sender))];
      return [{ publicKey: validator, message, signature: validatorSignature }];
    }
    case "rotate": {
      const { hotspot, newKey, hotspotSignature, newSignature } = transaction;
      const message = [domains.rotation, encodeRotation(transaction)];
      return [
        { publicKey: hotspot, message, signature: hotspotSignature },
        { publicKey: newKey, message, signature: newSignature },
      ];
    }
    case "bind": {
      const { hotspot, deviceKey, hotspotSignature, deviceSignature } = transaction;
      const message = [domains.binding, encodeBinding(transaction)];
      return [
        { publicKey: hotspot, message, signature: hotspotSignature },
        { publicKey: deviceKey, message, signature: deviceSignature },
      ];
    }
    case "transfer":
    case "deregister":
    case "unstake":
    case "appeal":
    case "unbind":
      return [];
  }
}

const refuse = (bytes: Uint8Array, reason: AdmissionReason): DecodedItem => ({
  ok: false,
  id: sha256(bytes),
  reason,
});
