/**
 * Sine, cosine and arctangent from + - * / and square root alone. The language leaves the last bit of `Math.sin` and
 * its kin to the host; these five operations IEEE 754 defines to the last bit (and every engine takes its square root
 * from the processor), so all machines agree.
 *
 * That holds only if each operation is rounded by itself and in the order written: an implementation must not fuse a
 * multiplication and an addition (FMA contraction), re-associate, or compute in wider registers.
 */

/** Half of 1e-7 degrees: the unit of angle here, so that half of any difference of two coordinates is an integer. */
export const HALF_E7_PER_DEGREE = 20_000_000;
const EIGHTH_TURN = 45 * HALF_E7_PER_DEGREE;
const QUARTER_TURN = 90 * HALF_E7_PER_DEGREE;
const HALF_TURN = 180 * HALF_E7_PER_DEGREE;
const FULL_TURN = 360 * HALF_E7_PER_DEGREE;

// Math.PI is a constant of the language: the double nearest pi.
const RADIANS_PER_HALF_E7 = Math.PI / HALF_TURN;

// The Taylor series, lowest power first. An eighth of a turn is the largest argument: there the first term left out is
// 5e-17 of the sum for the sine (x^17/17!), and 3e-18 for the cosine (x^18/18!).
const SINE_TERMS = [
  1,
  -1 / 6,
  1 / 120,
  -1 / 5_040,
  1 / 362_880,
  -1 / 39_916_800,
  1 / 6_227_020_800,
  -1 / 1_307_674_368_000,
];
const COSINE_TERMS = [
  1,
  -1 / 2,
  1 / 24,
  -1 / 720,
  1 / 40_320,
  -1 / 3_628_800,
  1 / 479_001_600,
  -1 / 87_178_291_200,
  1 / 20_922_789_888_000,
];
// At tan(pi/16), the largest argument, the first term left out (t^25/25) is 6e-18 of the sum.
const ARCTANGENT_TERMS = [
  1,
  -1 / 3,
  1 / 5,
  -1 / 7,
  1 / 9,
  -1 / 11,
  1 / 13,
  -1 / 15,
  1 / 17,
  -1 / 19,
  1 / 21,
  -1 / 23,
];

/** Horner's scheme in x: terms[0] + x * (terms[1] + x * ...). */
function evaluate(terms: readonly number[], x: number): number {
  let sum = 0;
  for (let i = terms.length - 1; i >= 0; i--) sum = sum * x + terms[i]!;
  return sum;
}

/** The sine of an angle in halves of 1e-7 degrees (an integer), within 3e-16. */
export function computeSine(angleHalfE7: number): number {
  // The angle is folded as an integer, so that only the polynomial rounds.
  let angle = angleHalfE7 % FULL_TURN;
  let sign = 1;
  if (angle < 0) {
    angle = -angle;
    sign = -1;
  }
  if (angle > HALF_TURN) {
    angle = FULL_TURN - angle;
    sign = -sign;
  }
  if (angle > QUARTER_TURN) angle = HALF_TURN - angle;
  if (angle > EIGHTH_TURN) {
    const x = (QUARTER_TURN - angle) * RADIANS_PER_HALF_E7;
    return sign * evaluate(COSINE_TERMS, x * x);
  }
  const x = angle * RADIANS_PER_HALF_E7;
  return sign * (x * evaluate(SINE_TERMS, x * x));
}

/** The cosine of an angle in halves of 1e-7 degrees (an integer), within 3e-16. */
export function computeCosine(angleHalfE7: number): number {
  return computeSine(QUARTER_TURN - (angleHalfE7 % FULL_TURN));
}

/**
 * The angle, 0 to a quarter turn in radians, whose sine and cosine are in the ratio of two non-negative numbers that
 * are not both 0. Accurate over the whole range, which an arcsine is not near a quarter turn.
 */
export function computeAngle(sine: number, cosine: number): number {
  const flip = sine > cosine;
  const tangent = flip ? cosine / sine : sine / cosine;
  // tan(a / 2) = tan a / (1 + sqrt(1 + tan^2 a)), twice: at most an eighth of a turn comes down to a thirty-second.
  const half = tangent / (1 + Math.sqrt(1 + tangent * tangent));
  const quarter = half / (1 + Math.sqrt(1 + half * half));
  const angle = 4 * (quarter * evaluate(ARCTANGENT_TERMS, quarter * quarter));
  return flip ? Math.PI / 2 - angle : angle;
}
