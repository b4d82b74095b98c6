/**
 * Base64 as forwarders in the field write it. The protocol asks for the padded standard alphabet, its own example is
 * unpadded and mixes alphabets, and the meaning is clear in every case: so this reads them all, and writes only the
 * standard form, because a real forwarder exits on `-` or `_`.
 */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const SKIPPED = 64;
const INVALID = 255;
const PADDING = "=".charCodeAt(0);

const VALUES = new Uint8Array(128).fill(INVALID);
for (let value = 0; value < 64; value++) VALUES[ALPHABET.charCodeAt(value)] = value;
VALUES["-".charCodeAt(0)] = 62;
VALUES["_".charCodeAt(0)] = 63;
// Line breaks and spaces carry no bits, and neither does the backslash of a slash that was escaped twice.
for (const skipped of "\r\n\t \\") VALUES[skipped.charCodeAt(0)] = SKIPPED;

/**
 * Decodes base64 of either alphabet, padded or not.
 * @returns null where a character belongs to neither alphabet, or the last group has a single character.
 */
export function decodeTolerantBase64(text: string): Uint8Array | null {
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4));
  let length = 0;
  let bits = 0;
  let bitCount = 0;
  let padded = false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === PADDING) {
      padded = true;
      continue;
    }
    const value = code < 128 ? VALUES[code]! : INVALID;
    if (value === SKIPPED) continue;
    if (value === INVALID || padded) return null;
    bits = ((bits << 6) | value) & 0xffff;
    bitCount += 6;
    if (bitCount >= 8) {
      bitCount -= 8;
      bytes[length++] = (bits >> bitCount) & 0xff;
    }
  }
  return bitCount === 6 ? null : bytes.subarray(0, length);
}

/** Standard base64 with padding. */
export function encodeStandardBase64(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += ALPHABET[group >> 18]! + ALPHABET[(group >> 12) & 63]!;
    text += i + 1 < bytes.length ? ALPHABET[(group >> 6) & 63]! : "=";
    text += i + 2 < bytes.length ? ALPHABET[group & 63]! : "=";
  }
  return text;
}
