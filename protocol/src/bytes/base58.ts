/**
 * Base58 with Bitcoin's alphabet, as multibase calls `base58btc`: the text form of keys in `did:key`. Encoding and
 * decoding are inverse: every accepted text is what `encodeBase58` gives for the bytes it decodes to.
 */

const ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/**
 * The most bytes either direction takes. The work grows with the square of the length, and the longest thing the
 * protocol writes so is a key with its two-byte codec, 34 bytes; 64 leaves room for a signature.
 */
export const BASE58_MAX_BYTES = 64;

/** 64 bytes need at most ceil(64 * log 256 / log 58) digits; a leading zero byte is one digit, so this bounds both. */
const MAX_DIGITS = 88;

const DIGIT_OF_CHAR_CODE = new Int8Array(128).fill(-1);
for (let digit = 0; digit < ALPHABET.length; digit++) DIGIT_OF_CHAR_CODE[ALPHABET.charCodeAt(digit)] = digit;

/**
 * Multiplies a little-endian number by `factor` and adds `carry`, in place.
 * @returns the number's new length in digits of `base`.
 */
function multiplyAdd(
  digits: Uint8Array,
  length: number,
  base: number,
  factor: number,
  carry: number,
): number {
  let rest = carry;
  let used = length;
  for (let i = 0; i < used || rest > 0; i++) {
    rest += (i < used ? digits[i]! : 0) * factor;
    digits[i] = rest % base;
    rest = Math.floor(rest / base);
    if (i >= used) used = i + 1;
  }
  return used;
}

/** Base58 of at most `BASE58_MAX_BYTES` bytes; a RangeError above that. Each leading zero byte becomes a `1`. */
export function encodeBase58(bytes: Uint8Array): string {
  if (bytes.length > BASE58_MAX_BYTES) throw new RangeError(`base58 takes at most ${BASE58_MAX_BYTES} bytes`);
  let zeros = 0;
  while (zeros < bytes.length && bytes[zeros] === 0) zeros++;
  const digits = new Uint8Array(MAX_DIGITS);
  let length = 0;
  for (let i = zeros; i < bytes.length; i++) length = multiplyAdd(digits, length, 58, 256, bytes[i]!);
  let text = "1".repeat(zeros);
  for (let i = length - 1; i >= 0; i--) text += ALPHABET[digits[i]!];
  return text;
}

/**
 * Decodes base58 text.
 * @returns null where a character is outside the alphabet, or the bytes would be more than `BASE58_MAX_BYTES`.
 */
export function decodeBase58(text: string): Uint8Array | null {
  if (text.length > MAX_DIGITS) return null;
  let zeros = 0;
  while (zeros < text.length && text[zeros] === "1") zeros++;
  const reversed = new Uint8Array(MAX_DIGITS);
  let length = 0;
  for (let i = zeros; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const digit = code < 128 ? DIGIT_OF_CHAR_CODE[code]! : -1;
    if (digit < 0) return null;
    length = multiplyAdd(reversed, length, 256, 58, digit);
  }
  if (zeros + length > BASE58_MAX_BYTES) return null;
  const bytes = new Uint8Array(zeros + length);
  for (let i = 0; i < length; i++) bytes[bytes.length - 1 - i] = reversed[i]!;
  return bytes;
}
