/**
 * Published reward units by number of witnesses. Source: helium/oracles, `iot_verifier/src/runner.rs`, the rows its
 * test of `reward_unit_calculations` expects (HIP-15; N = 4, decay 0.8, cap 2); four decimals.
 * Columns: witnesses, each witness, the beaconer.
 */
export const HIP15_UNITS: readonly (readonly [witnesses: number, perWitness: number, beaconer: number])[] = [
  [1, 1, 0.25],
  [3, 1, 0.75],
  [5, 0.76, 1.2],
  [7, 0.5017, 1.488],
  [9, 0.3697, 1.6723],
  [11, 0.2918, 1.7903],
  [13, 0.2411, 1.8658],
  [15, 0.2057, 1.9141],
];
