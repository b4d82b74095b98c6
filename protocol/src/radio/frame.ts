/**
 * The beacon as it is on air: 24 bytes, which at SF10 and 125 kHz stay under the 400 ms a dwell limit allows.
 * `0xE0` (LoRaWAN's MHDR "proprietary", major 0), a version, the tag that reports refer to, and the secret itself.
 */

export const FRAME_BYTES = 24;
export const FRAME_VERSION = 1;
export const TAG_BYTES = 6;
export const SECRET_BYTES = 16;

const MHDR_PROPRIETARY = 0xe0;
const TAG_OFFSET = 2;
const SECRET_OFFSET = TAG_OFFSET + TAG_BYTES;

/** What a beacon carries: the first bytes of its commit, and the secret that proves who heard it. */
export type BeaconFrame = { readonly tag: Uint8Array; readonly secret: Uint8Array };

/** Why a received packet is no beacon of this network. */
export const FRAME_REASONS = ["wrong_length", "not_proprietary", "unknown_version"] as const;
export type FrameReason = (typeof FRAME_REASONS)[number];

/** The frame's 24 bytes. @throws RangeError where tag or secret have another length: a caller's bug. */
export function encodeFrame(frame: BeaconFrame): Uint8Array {
  if (frame.tag.length !== TAG_BYTES || frame.secret.length !== SECRET_BYTES) {
    throw new RangeError(`a frame takes ${TAG_BYTES} bytes of tag and ${SECRET_BYTES} of secret`);
  }
  const bytes = new Uint8Array(FRAME_BYTES);
  bytes[0] = MHDR_PROPRIETARY;
  bytes[1] = FRAME_VERSION;
  bytes.set(frame.tag, TAG_OFFSET);
  bytes.set(frame.secret, SECRET_OFFSET);
  return bytes;
}

/** The beacon in a packet's payload, in copies of its bytes, or the reason why it is none. */
export function decodeFrame(
  bytes: Uint8Array,
): { readonly ok: true; readonly frame: BeaconFrame } | { readonly ok: false; readonly reason: FrameReason } {
  if (bytes.length !== FRAME_BYTES) return { ok: false, reason: "wrong_length" };
  if (bytes[0] !== MHDR_PROPRIETARY) return { ok: false, reason: "not_proprietary" };
  if (bytes[1] !== FRAME_VERSION) return { ok: false, reason: "unknown_version" };
  const tag = Uint8Array.from(bytes.subarray(TAG_OFFSET, SECRET_OFFSET));
  const secret = Uint8Array.from(bytes.subarray(SECRET_OFFSET));
  return { ok: true, frame: { tag, secret } };
}
