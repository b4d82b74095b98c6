/** Hexadecimal text for bytes: what the API, the genesis file and map keys use. */

/** The ASCII codes of the digits, by value. */
const DIGIT_CODES = [..."0123456789abcdef"].map((digit) => digit.charCodeAt(0));
/** Bytes turned into text at a time: a call takes some ten thousand arguments on any engine. */
const BYTES_AT_ONCE = 4_096;
/** By ASCII code; 255 for what is no digit. */
const DIGIT_VALUES = new Uint8Array(128).fill(255);
for (let value = 0; value < 16; value++) {
  const digit = value.toString(16);
  DIGIT_VALUES[digit.charCodeAt(0)] = value;
  DIGIT_VALUES[digit.toUpperCase().charCodeAt(0)] = value;
}

/**
 * Lower-case hexadecimal without a prefix, two digits a byte. Made of all its codes at once: text that is put together
 * digit by digit is a tree, which a `Map` flattens before it looks for it, at the cost of making the text again.
 */
export function encodeHex(bytes: Uint8Array): string {
  if (bytes.length <= BYTES_AT_ONCE) return encodePiece(bytes);
  let text = "";
  for (let from = 0; from < bytes.length; from += BYTES_AT_ONCE)
    text += encodePiece(bytes.subarray(from, from + BYTES_AT_ONCE));
  return text;
}

function encodePiece(bytes: Uint8Array): string {
  const codes = new Array<number>(2 * bytes.length);
  for (let index = 0; index < bytes.length; index++) {
    const byte = bytes[index]!;
    codes[2 * index] = DIGIT_CODES[byte >> 4]!;
    codes[2 * index + 1] = DIGIT_CODES[byte & 15]!;
  }
  return String.fromCharCode(...codes);
}

/** As `encodeHex`, with the `0x` that JSON interfaces carry. */
export function encodeHex0x(bytes: Uint8Array): string {
  return `0x${encodeHex(bytes)}`;
}

/**
 * Decodes hexadecimal of either case, with or without `0x`.
 * @param length bytes expected; any other length gives null.
 * @returns null where the text is not exactly that many bytes of hexadecimal.
 */
export function decodeHex(text: string, length?: number): Uint8Array | null {
  const start = text.startsWith("0x") ? 2 : 0;
  const digits = text.length - start;
  if (digits % 2 !== 0 || (length !== undefined && digits !== length * 2)) return null;
  const bytes = new Uint8Array(digits / 2);
  for (let i = 0; i < bytes.length; i++) {
    const high = DIGIT_VALUES[text.charCodeAt(start + 2 * i)] ?? 255;
    const low = DIGIT_VALUES[text.charCodeAt(start + 2 * i + 1)] ?? 255;
    if ((high | low) === 255) return null;
    bytes[i] = high * 16 + low;
  }
  return bytes;
}
