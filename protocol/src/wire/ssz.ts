/**
 * The SSZ building blocks of the wire, and strict decoding. SSZ has no signed integers: where a field is signed it
 * travels as two's complement in the unsigned type of the same width, and `toInt16`/`fromInt16` stand at the edge.
 */
import { ByteVectorType, type Type, UintBigintType, UintNumberType } from "@chainsafe/ssz";

export const Uint8 = new UintNumberType(1);
export const Uint16 = new UintNumberType(2);
export const Uint32 = new UintNumberType(4);
/** Counts, rounds, epochs and Unix milliseconds; strict decoding refuses what a double cannot hold exactly. */
export const Uint64 = new UintNumberType(8);
/** Amounts of money and H3 indexes. */
export const UintBig64 = new UintBigintType(8);
export const Bytes6 = new ByteVectorType(6);
export const Bytes16 = new ByteVectorType(16);
export const Bytes32 = new ByteVectorType(32);
export const Bytes64 = new ByteVectorType(64);

/** Reads a uint16 as two's complement. */
export const toInt16 = (raw: number): number => (raw << 16) >> 16;
/** Writes a signed 16-bit integer as two's complement; the caller has checked the range. */
export const fromInt16 = (value: number): number => value & 0xffff;
/** Reads a uint32 as two's complement. */
export const toInt32 = (raw: number): number => raw | 0;
/** Writes a signed 32-bit integer as two's complement; the caller has checked the range. */
export const fromInt32 = (value: number): number => value >>> 0;

/**
 * Strict decoding: within the limit, well-formed, and the one encoding of its value (decoded bytes must re-encode to
 * themselves), or null. The size is checked before a byte is parsed.
 */
export function decodeStrict<V>(type: Type<V>, bytes: Uint8Array, maxBytes: number): V | null {
  if (bytes.length > maxBytes) return null;
  let value: V;
  try {
    value = type.deserialize(bytes);
  } catch {
    return null;
  }
  // Lists beyond their limit and integers beyond a double decode without an error in some types: re-encoding tells.
  let again: Uint8Array;
  try {
    again = type.serialize(value);
  } catch {
    return null;
  }
  if (again.length !== bytes.length) return null;
  for (let i = 0; i < bytes.length; i++) if (again[i] !== bytes[i]) return null;
  return value;
}
