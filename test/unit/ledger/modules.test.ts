/** The faster forms that a validator brings along say exactly what the protocol's own do. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { computeSnapshotRoot, STATE_CHUNK_BYTES } from "../../../protocol/src/ledger/snapshot.ts";
import { computeLinesDigest } from "../../../protocol/src/reward/epochRecord.ts";
import { LEDGER_MODULES } from "../../../validator/src/ledgerModules.ts";
import { bytes } from "../support/arbitraries.ts";

const { createHash } = LEDGER_MODULES;

test("a state's root is the same with the validator's hash", () => {
  expect(createHash).toBeDefined();
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 * STATE_CHUNK_BYTES }), (length) => {
      const snapshot = new Uint8Array(length).fill(7);
      expect(computeSnapshotRoot(snapshot, createHash)).toEqual(computeSnapshotRoot(snapshot));
    }),
    { numRuns: 10 },
  );
});

test("an epoch's lines have the same digest with the validator's hash", () => {
  const amounts = fc.bigInt(0n, (1n << 64n) - 1n);
  const lines = fc.uniqueArray(
    fc.record({
      ...{ hotspot: bytes(32), owner: bytes(32), beaconPaid: amounts, witnessPaid: amounts },
      ...{ beaconUnitsPpm: fc.nat(), witnessUnitsPpm: fc.nat(), scalePpm: fc.nat() },
      ...{ trustPpm: fc.nat(), penalties: fc.nat(2_047), beaconWithheld: amounts, witnessWithheld: amounts },
    }),
    { maxLength: 20, selector: ({ hotspot }) => encodeHex(hotspot) },
  );
  fc.assert(
    fc.property(lines, (unsorted) => {
      const list = unsorted.toSorted((a, b) => compareBytes(a.hotspot, b.hotspot));
      expect(computeLinesDigest(list, createHash)).toEqual(computeLinesDigest(list));
    }),
  );
});
