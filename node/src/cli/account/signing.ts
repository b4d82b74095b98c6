/** What hotspot and owner sign when a hotspot comes onto the network, and the envelope that a transaction travels in. */
import type { SigningDomains } from "../../../../protocol/src/crypto/domain.ts";
import { signingMessage } from "../../../../protocol/src/crypto/domain.ts";
import { type Ed25519KeyPair, sign } from "../../../../protocol/src/crypto/ed25519.ts";
import {
  type Assertion,
  encodeAssertion,
  encodeMembership,
  encodeRegistration,
  membershipOf,
} from "../../../../protocol/src/wire/consents.ts";
import {
  computeEnvelopeId,
  encodeEnvelope,
  envelopeSigningMessage,
} from "../../../../protocol/src/wire/envelope.ts";
import {
  type AssertTransaction,
  encodeTransaction,
  type RegisterTransaction,
  type StakeTransaction,
  type Transaction,
} from "../../../../protocol/src/wire/transactions.ts";

/** Where and with what a hotspot stands: an assertion before it is of one hotspot and one epoch. */
export type Place = Omit<Assertion, "hotspot" | "epoch">;

/** What owner and hotspot agree on. `networkId`: 32 bytes; keys: 32 bytes. */
export type Claim = {
  readonly networkId: Uint8Array;
  readonly hotspot: Uint8Array;
  readonly owner: Uint8Array;
  readonly place: Place;
};

/** A hotspot's two signatures (64 bytes each) for one epoch: to its owner's registration and to its place. */
export type Consent = {
  readonly epoch: number;
  readonly registration: Uint8Array;
  readonly assertion: Uint8Array;
};

/** The bytes that a consent's signatures cover. */
export function consentMessages(domains: SigningDomains, { hotspot, owner, place }: Claim, epoch: number) {
  return {
    registration: signingMessage(domains, "registration", encodeRegistration({ hotspot, owner, epoch })),
    assertion: signingMessage(domains, "assertion", encodeAssertion({ ...place, hotspot, epoch })),
  };
}

/** Consents to a claim for one epoch, with the hotspot's seed. */
export function signConsent(
  domains: SigningDomains,
  hotspotSeed: Uint8Array,
  claim: Claim,
  epoch: number,
): Consent {
  const messages = consentMessages(domains, claim, epoch);
  return {
    epoch,
    registration: sign(hotspotSeed, messages.registration),
    assertion: sign(hotspotSeed, messages.assertion),
  };
}

/** The registration that a consent allows. @param ownerSeed the owner's, who also sends it and pays the bond. */
export function createRegister(
  domains: SigningDomains,
  ownerSeed: Uint8Array,
  claim: Claim,
  consent: Consent,
  nonce: number,
): RegisterTransaction {
  const { epoch } = consent;
  return {
    kind: "register",
    epoch,
    nonce,
    registration: { hotspot: claim.hotspot, owner: claim.owner, epoch },
    hotspotSignature: consent.registration,
    ownerSignature: sign(ownerSeed, consentMessages(domains, claim, epoch).registration),
  };
}

/** The assertion of a place that a consent allows. */
export function createAssert(claim: Claim, consent: Consent, nonce: number): AssertTransaction {
  const { epoch } = consent;
  const assertion = { ...claim.place, hotspot: claim.hotspot, epoch };
  return { kind: "assert", epoch, nonce, assertion, hotspotSignature: consent.assertion };
}

/** What somebody stakes for a validator, and under which addresses it is to be reached. `owner`: the sender's key. */
export type StakeTerms = Pick<StakeTransaction, "epoch" | "nonce" | "amount" | "multiaddrs"> & {
  readonly owner: Uint8Array;
};

/** The stake that a validator's key consents to. */
export function createStake(
  domains: SigningDomains,
  validator: Ed25519KeyPair,
  { owner, ...terms }: StakeTerms,
): StakeTransaction {
  const body = { ...terms, validator: validator.publicKey };
  const consent = encodeMembership(membershipOf(body, owner));
  const validatorSignature = sign(validator.secretSeed, signingMessage(domains, "membership", consent));
  return { kind: "stake", ...body, validatorSignature };
}

/** Signs a transaction as its sender. @returns the encoded envelope, and the id (32 bytes) that the API tells of it by. */
export function signTransaction(
  domains: SigningDomains,
  sender: Ed25519KeyPair,
  transaction: Transaction,
): { readonly id: Uint8Array; readonly envelope: Uint8Array } {
  const body = encodeTransaction(transaction);
  const unsigned = { kind: transaction.kind, sender: sender.publicKey, body };
  const signature = sign(sender.secretSeed, envelopeSigningMessage(domains, unsigned));
  return {
    id: computeEnvelopeId(domains, unsigned),
    envelope: encodeEnvelope({ ...unsigned, signature }),
  };
}
