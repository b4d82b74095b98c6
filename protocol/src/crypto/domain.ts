/**
 * What a signature covers. One domain serves every message, consensus included: the ASCII bytes `hexbeacon/<kind>/`,
 * the 32-byte network id, then the exact body bytes. Nothing valid on one network, or as one kind, is valid as another.
 */
import { asciiBytes, concatBytes } from "../bytes/bytes.ts";

/** Every kind of signed body, in one list, so that no two of them can ever share a domain. */
export const SIGNED_KINDS = [
  "reports",
  "register",
  "registration",
  "assert",
  "assertion",
  "transfer",
  "batch",
  "ack",
  "tips",
  "notarize",
  "nullify",
  "finalize",
  "propose",
  "attest",
  "receipt",
  "round",
  "deregister",
  "stake",
  "membership",
  "unstake",
  "appeal",
  "rotate",
  "rotation",
  "bind",
  "binding",
  "cosigned",
  "unbind",
] as const;

/** The name of a signed body's kind. */
export type SignedKind = (typeof SIGNED_KINDS)[number];

/** Bytes of a network id: a SHA-256. */
export const NETWORK_ID_BYTES = 32;

/** The prefixes that a network's signatures carry, made once: `hexbeacon/<kind>/` and the network id. */
export type SigningDomains = Readonly<Record<SignedKind, Uint8Array>>;

/**
 * Makes the signature prefixes of one network.
 * @param networkId 32 bytes, SHA-256 of the genesis's SSZ encoding.
 */
export function createSigningDomains(networkId: Uint8Array): SigningDomains {
  if (networkId.length !== NETWORK_ID_BYTES) throw new Error("a network id has 32 bytes");
  const prefix = (kind: SignedKind) => concatBytes(asciiBytes(`hexbeacon/${kind}/`), networkId);
  return Object.fromEntries(SIGNED_KINDS.map((kind) => [kind, prefix(kind)])) as Record<
    SignedKind,
    Uint8Array
  >;
}

/** The message that is signed: domain, then body. */
export function signingMessage(domains: SigningDomains, kind: SignedKind, body: Uint8Array): Uint8Array {
  return concatBytes(domains[kind], body);
}
