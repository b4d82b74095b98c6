/**
 * One signature at a time by libsodium, in half of the time that Node's OpenSSL takes: what validators say to each other
 * is judged on the event loop, a few signatures a message. Threads of the verifier pool have checked before that this
 * libsodium judges by the network's rule.
 */
import sodium from "sodium-native";
import type { VerifySignature } from "../../../protocol/src/agreement/certificates.ts";
import { ED25519_PUBLIC_KEY_BYTES } from "../../../protocol/src/crypto/ed25519.ts";
import type { VerifyDetached } from "./signatureJob.ts";

const SIGNATURE_BYTES = 64;

/** libsodium takes any typed array; its declarations ask for Buffers. It throws where a length is wrong. */
export const sodiumVerify = sodium.crypto_sign_verify_detached as unknown as VerifyDetached;

/** Whether the signature (64 bytes) is the key's (32 bytes) over the message. Every argument may be of any length. */
export const verifyEd25519: VerifySignature = (publicKey, message, signature) =>
  publicKey.length === ED25519_PUBLIC_KEY_BYTES &&
  signature.length === SIGNATURE_BYTES &&
  sodiumVerify(signature, message, publicKey);
