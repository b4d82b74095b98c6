/**
 * The haversine formula in fixed-point big integers, some fifty decimals deep: the referee of `computeDistanceM`, and
 * deliberately another formula in another arithmetic.
 */
const PRECISION = 170n;
const ONE = 1n << PRECISION;
// pi to 60 decimals (OEIS A000796).
const PI = (3141592653589793238462643383279502884197169399375105820974944n * ONE) / 10n ** 60n;

const multiply = (a: bigint, b: bigint): bigint => (a * b) >> PRECISION;
const divide = (a: bigint, b: bigint): bigint => (a << PRECISION) / b;

function squareRoot(value: bigint): bigint {
  const target = value << PRECISION;
  if (target === 0n) return 0n;
  let root = 1n << BigInt((target.toString(2).length / 2 + 1) | 0);
  for (;;) {
    const next = (root + target / root) >> 1n;
    if (next >= root) return root;
    root = next;
  }
}

/** Sums x - x^3/f3 + x^5/f5 ..., each term from the one before. */
function alternatingSeries(x: bigint, ratio: (term: bigint, n: number) => bigint): bigint {
  let term = x;
  let sum = x;
  for (let n = 1; term !== 0n; n++) {
    term = -ratio(term, n);
    sum += term;
  }
  return sum;
}

function sine(x: bigint): bigint {
  const square = multiply(x, x);
  return alternatingSeries(x, (term, n) => multiply(term, square) / BigInt(2 * n * (2 * n + 1)));
}

function arctangent(x: bigint): bigint {
  // Three halvings bring any x below 0.2.
  let t = x;
  for (let i = 0; i < 3; i++) t = divide(t, ONE + squareRoot(ONE + multiply(t, t)));
  const square = multiply(t, t);
  let power = t;
  let sum = 0n;
  for (let n = 0n; power !== 0n; n++) {
    sum += (n % 2n === 0n ? power : -power) / (2n * n + 1n);
    power = multiply(power, square);
  }
  return 8n * sum;
}

const fromE7 = (e7: number): bigint => (BigInt(e7) * PI) / 1_800_000_000n;

/** Distance in metres as a double, right to its last digits. Arguments in 1e-7 degrees. */
export function bigHaversineM(
  aLatE7: number,
  aLngE7: number,
  bLatE7: number,
  bLngE7: number,
  radiusM: number,
): number {
  const halfPi = PI / 2n;
  const sinLat = sine((fromE7(aLatE7) - fromE7(bLatE7)) / 2n);
  const sinLng = sine((fromE7(aLngE7) - fromE7(bLngE7)) / 2n);
  const cosines = multiply(sine(halfPi - fromE7(aLatE7)), sine(halfPi - fromE7(bLatE7)));
  const h = multiply(sinLat, sinLat) + multiply(cosines, multiply(sinLng, sinLng));
  const angle = h >= ONE ? halfPi : arctangent(divide(squareRoot(h), squareRoot(ONE - h)));
  return (Number((2n * angle) >> 70n) / Number(ONE >> 70n)) * radiusM;
}
