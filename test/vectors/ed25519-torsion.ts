/**
 * Ed25519 signatures over every kind of point a verifier may disagree about: keys and commitments of small order in
 * each of their fourteen encodings, points with and without a small-order part, and equations that hold exactly or
 * only up to the cofactor. They cover the classes of the CCTV set (C2SP, ed25519), constructed anew from a seed.
 *
 * `node test/vectors/ed25519-torsion.ts` prints them as JSON, for a second implementation.
 */
import { ed25519 } from "@noble/curves/ed25519.js";
import { sha512 } from "@noble/hashes/sha2.js";
import { asciiBytes, concatBytes } from "../../protocol/src/bytes/bytes.ts";
import { decodeHex, encodeHex } from "../../protocol/src/bytes/hex.ts";

/** One signature and what is known of it; `residueOrder` is the order of SB - R - kA, 1 where the equation holds. */
export interface TorsionVector {
  readonly publicKey: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
  readonly keyKind: PointKind;
  readonly commitmentKind: PointKind;
  readonly residueOrder: number;
  /** Whether k was hashed over canonical encodings in place of the bytes as sent. */
  readonly isRehashed: boolean;
  /** The network's answer. */
  readonly valid: boolean;
}

type PointKind = "prime" | "mixed" | "small" | "small_non_canonical";

interface EdgePoint {
  readonly kind: PointKind;
  readonly bytes: Uint8Array;
  readonly canonical: Uint8Array;
  /** The point is scalar * B + torsion * T, with T of order 8. */
  readonly scalar: bigint;
  readonly torsion: number;
}

const { Point } = ed25519;
const L = Point.Fn.ORDER;

/** A generator of the eight small-order points. */
const TORSION_GENERATOR = Point.fromHex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");

/** The six encodings of small-order points that RFC 8032 does not allow: y >= p, or a sign where x = 0. */
const NON_CANONICAL = [
  "0100000000000000000000000000000000000000000000000000000000000080",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

/** How many messages are tried for a wanted residue; one in eight fits, so this never runs out in practice. */
const MESSAGE_TRIES = 256;

/** All vectors, always the same ones. Those with k rehashed are added where an encoding is not canonical. */
export function createTorsionVectors(): TorsionVector[] {
  const keys = createEdgePoints("key");
  const commitments = createEdgePoints("commitment");
  const vectors: TorsionVector[] = [];
  for (const key of keys) {
    for (const commitment of commitments) {
      for (const wantExact of [true, false]) {
        const found = findVector(key, commitment, wantExact, false);
        if (found !== null) vectors.push(found);
      }
      if (key.kind === "small_non_canonical" || commitment.kind === "small_non_canonical") {
        const rehashed = findVector(key, commitment, true, true);
        if (rehashed !== null) vectors.push(rehashed);
      }
    }
  }
  return vectors;
}

/** Twenty-two points: one of prime order, seven mixed, the eight small ones and their six other encodings. */
function createEdgePoints(label: string): EdgePoint[] {
  const points: EdgePoint[] = [];
  const small: { canonical: Uint8Array; torsion: number }[] = [];
  const scalar = scalarOf(asciiBytes(`hexbeacon torsion vectors: ${label}`));
  let torsionPoint = Point.ZERO;
  for (let torsion = 0; torsion < 8; torsion++) {
    const bytes = Point.BASE.multiply(scalar).add(torsionPoint).toBytes();
    points.push({ kind: torsion === 0 ? "prime" : "mixed", bytes, canonical: bytes, scalar, torsion });
    small.push({ canonical: torsionPoint.toBytes(), torsion });
    torsionPoint = torsionPoint.add(TORSION_GENERATOR);
  }
  for (const { canonical, torsion } of small) {
    points.push({ kind: "small", bytes: canonical, canonical, scalar: 0n, torsion });
  }
  for (const text of NON_CANONICAL) {
    const bytes = decodeHex(text, 32)!;
    const canonical = Point.fromBytes(bytes, true).toBytes();
    const { torsion } = small.find((point) => encodeHex(point.canonical) === encodeHex(canonical))!;
    points.push({ kind: "small_non_canonical", bytes, canonical, scalar: 0n, torsion });
  }
  return points;
}

/** Tries messages until the residue is as wanted; null where none can be, as when neither point has torsion. */
function findVector(
  key: EdgePoint,
  commitment: EdgePoint,
  wantExact: boolean,
  isRehashed: boolean,
): TorsionVector | null {
  for (let attempt = 0; attempt < MESSAGE_TRIES; attempt++) {
    const message = asciiBytes(`hexbeacon ${attempt}`);
    const hashed = isRehashed ? [commitment.canonical, key.canonical] : [commitment.bytes, key.bytes];
    const k = scalarOf(concatBytes(...hashed, message));
    const residue = (commitment.torsion + Number(k % 8n) * key.torsion) % 8;
    if ((residue === 0) !== wantExact) continue;
    const s = (commitment.scalar + k * key.scalar) % L;
    const isSound = key.scalar !== 0n && commitment.scalar !== 0n;
    return {
      publicKey: key.bytes,
      message,
      signature: concatBytes(commitment.bytes, scalarBytes(s)),
      keyKind: key.kind,
      commitmentKind: commitment.kind,
      residueOrder: [1, 8, 4, 8, 2, 8, 4, 8][residue]!,
      isRehashed,
      valid: isSound && residue === 0,
    };
  }
  return null;
}

/** SHA-512 as a number below L, read as Ed25519 reads it: little-endian. */
function scalarOf(bytes: Uint8Array): bigint {
  return BigInt(`0x${encodeHex(sha512(bytes).reverse())}`) % L;
}

function scalarBytes(scalar: bigint): Uint8Array {
  return decodeHex(scalar.toString(16).padStart(64, "0"), 32)!.reverse();
}

if (import.meta.main) {
  const hexOf = (value: unknown) => (value instanceof Uint8Array ? encodeHex(value) : value);
  const lines = createTorsionVectors().map((vector) => JSON.stringify(vector, (_, value) => hexOf(value)));
  process.stdout.write(`[\n${lines.join(",\n")}\n]\n`);
}
