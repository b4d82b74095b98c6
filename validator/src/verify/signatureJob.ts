/**
 * The bytes of one job that crosses to a verifier thread and back: keys, signatures and messages flat in one
 * ArrayBuffer, with room for the answers. The buffer is transferred, never copied, so that a signature costs the main
 * thread about a microsecond of packing against the sixty of its verification.
 *
 *     count u32 | message ends u32 x 64 | answers u8 x 64 | keys 33 x 64 | signatures 64 x 64 | messages
 *
 * A key of P-256 fills its place; its first byte is 2 or 3. One of Ed25519 stands after a zero.
 */
import { ED25519_PUBLIC_KEY_BYTES } from "../../../protocol/src/crypto/ed25519.ts";
import { P256_PUBLIC_KEY_BYTES } from "../../../protocol/src/crypto/p256Form.ts";

/**
 * A signature and what it is said to sign: the message's parts are joined in order, domain first. The key's length tells
 * whose: 32 bytes of Ed25519, or 33 of a device's P-256.
 */
export interface SignatureClaim {
  readonly publicKey: Uint8Array;
  readonly message: readonly Uint8Array[];
  readonly signature: Uint8Array;
}

/**
 * Signatures in a job: some 4 ms of work, against which a crossing's 20 microseconds vanish, and short enough that
 * one job never makes another wait for long.
 */
export const JOB_SIGNATURES_MAX = 64;

/** Message bytes in a job, and in the buffers that are reused: a gossip parcel's 64 kB. A longer message goes alone. */
export const JOB_MESSAGE_BYTES = 65_536;

const KEY_BYTES = P256_PUBLIC_KEY_BYTES;
const SIGNATURE_BYTES = 64;
const ENDS_AT = 4;
const ANSWERS_AT = ENDS_AT + 4 * JOB_SIGNATURES_MAX;
const KEYS_AT = ANSWERS_AT + JOB_SIGNATURES_MAX;
const SIGNATURES_AT = KEYS_AT + KEY_BYTES * JOB_SIGNATURES_MAX;
const MESSAGES_AT = SIGNATURES_AT + SIGNATURE_BYTES * JOB_SIGNATURES_MAX;

/** The size of buffers worth keeping for the next job. */
export const JOB_BUFFER_BYTES = MESSAGES_AT + JOB_MESSAGE_BYTES;

/** The message's length, all parts together. */
export function countMessageBytes(claim: SignatureClaim): number {
  let length = 0;
  for (const part of claim.message) length += part.length;
  return length;
}

/**
 * Packs 1 to `JOB_SIGNATURES_MAX` claims. A key or signature of the wrong length is packed as zeros, which no rule
 * accepts: the all-zero key is a point of small order.
 * @param spare a buffer of an earlier job, used again where it is long enough.
 */
export function packJob(claims: readonly SignatureClaim[], spare?: ArrayBuffer): ArrayBuffer {
  let messageBytes = 0;
  for (const claim of claims) messageBytes += countMessageBytes(claim);
  const needed = MESSAGES_AT + Math.max(messageBytes, JOB_MESSAGE_BYTES);
  const buffer = spare !== undefined && spare.byteLength >= needed ? spare : new ArrayBuffer(needed);
  const bytes = new Uint8Array(buffer);
  const words = new Uint32Array(buffer, 0, ANSWERS_AT / 4);
  words[0] = claims.length;
  let end = MESSAGES_AT;
  for (let i = 0; i < claims.length; i++) {
    const { publicKey, message, signature } = claims[i]!;
    writeKey(bytes, KEYS_AT + i * KEY_BYTES, publicKey);
    writeExact(bytes, SIGNATURES_AT + i * SIGNATURE_BYTES, signature, SIGNATURE_BYTES);
    for (const part of message) {
      bytes.set(part, end);
      end += part.length;
    }
    words[ENDS_AT / 4 + i] = end;
  }
  return buffer;
}

function writeKey(target: Uint8Array, at: number, key: Uint8Array): void {
  const isDevice = key.length === P256_PUBLIC_KEY_BYTES && key[0] !== 0;
  if (!isDevice) target[at] = 0;
  writeExact(target, isDevice ? at : at + 1, key, isDevice ? KEY_BYTES : ED25519_PUBLIC_KEY_BYTES);
}

function writeExact(target: Uint8Array, at: number, value: Uint8Array, length: number): void {
  if (value.length === length) target.set(value, at);
  else target.fill(0, at, at + length);
}

/** Judges one signature; libsodium's argument order. */
export type VerifyDetached = (signature: Uint8Array, message: Uint8Array, publicKey: Uint8Array) => boolean;
/** Who judges the signatures of each kind of key. */
export type Verifiers = { readonly ed25519: VerifyDetached; readonly p256: VerifyDetached };

/** Verifies every claim of a packed job and writes the answers into it. */
export function verifyJob(buffer: ArrayBuffer, { ed25519, p256 }: Verifiers): void {
  const bytes = new Uint8Array(buffer);
  const words = new Uint32Array(buffer, 0, ANSWERS_AT / 4);
  const count = words[0]!;
  let start = MESSAGES_AT;
  for (let i = 0; i < count; i++) {
    const end = words[ENDS_AT / 4 + i]!;
    const keyAt = KEYS_AT + i * KEY_BYTES;
    const signatureAt = SIGNATURES_AT + i * SIGNATURE_BYTES;
    const signature = bytes.subarray(signatureAt, signatureAt + SIGNATURE_BYTES);
    const key = bytes.subarray(keyAt, keyAt + KEY_BYTES);
    const message = bytes.subarray(start, end);
    const isValid =
      key[0] === 0 ? ed25519(signature, message, key.subarray(1)) : p256(signature, message, key);
    bytes[ANSWERS_AT + i] = isValid ? 1 : 0;
    start = end;
  }
}

/** The answers of a verified job in the claims' order, 1 for valid: a view that ends with the buffer's next use. */
export function readAnswers(buffer: ArrayBuffer, count: number): Uint8Array {
  return new Uint8Array(buffer, ANSWERS_AT, count);
}
