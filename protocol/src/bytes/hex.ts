/** Hexadecimal text for bytes: what the API, the genesis file and map keys use. */

const HEX_DIGITS = Array.from({ length: 256 }, (_, value) => value.toString(16).padStart(2, "0"));

/** Lower-case hexadecimal without a prefix, two digits a byte. */
export function encodeHex(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += HEX_DIGITS[byte];
  return text;
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
  const digits = text.startsWith("0x") ? text.slice(2) : text;
  if (digits.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(digits)) return null;
  if (length !== undefined && digits.length !== length * 2) return null;
  const bytes = new Uint8Array(digits.length / 2);
  for (let i = 0; i < bytes.length; i++) bytes[i] = Number.parseInt(digits.slice(i * 2, i * 2 + 2), 16);
  return bytes;
}
