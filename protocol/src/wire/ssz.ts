/**
 * The SSZ building blocks of the wire, and strict decoding. SSZ has no signed integers: where a field is signed it
 * travels as two's complement in the unsigned type of the same width, and `toInt16`/`fromInt16` stand at the edge.
 */
import { ByteVectorType, type Type, UintBigintType, UintNumberType } from "@chainsafe/ssz";

export const Uint8 = new UintNumberType(1);
export const Uint16 = new UintNumberType(2);
export const Uint32 = new UintNumberType(4);

/**
 * SSZ's uint64 as a JavaScript number. Only up to 2^53 - 1 is every integer its own double; above that some numbers
 * would decode and their neighbours not, which no other language's implementation would do by itself.
 */
class CountType extends UintNumberType {
  constructor() {
    super(8);
  }

  override value_deserializeFromBytes(
    ...[data, start, end]: Parameters<UintNumberType["value_deserializeFromBytes"]>
  ): number {
    const value = super.value_deserializeFromBytes(data, start, end);
    if (!Number.isSafeInteger(value)) throw new RangeError("a count is above 2^53 - 1");
    return value;
  }
}

/** Counts, rounds, epochs and Unix milliseconds: at most 2^53 - 1. Strict decoding refuses what is above. */
export const Uint64 = new CountType();
/** Amounts of money and H3 indexes. */
export const UintBig64 = new UintBigintType(8);
export const Bytes6 = new ByteVectorType(6);
export const Bytes16 = new ByteVectorType(16);
export const Bytes32 = new ByteVectorType(32);
export const Bytes33 = new ByteVectorType(33);
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
  // Lists beyond their limit decode without an error in some types: re-encoding tells.
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
