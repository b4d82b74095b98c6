/** Escrow: whatever is withheld, released and returned, it gives back what it was given, whole and in order. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { computeEscrowEnd, Escrow, type EscrowEntry } from "../../../protocol/src/ledger/escrow.ts";
import { PPM } from "../../../protocol/src/network/parameters.ts";
import { PRESET_NAMES, PRESETS } from "../../../protocol/src/network/presets.ts";

const withheld = fc.record({
  ...{
    hotspot: fc.nat(5),
    owner: fc.nat(2),
    wait: fc.nat(2),
    beacons: fc.bigInt(0n, 9n),
    witnesses: fc.bigInt(0n, 9n),
  },
});
const event = fc.oneof(
  { weight: 6, arbitrary: withheld },
  { weight: 1, arbitrary: fc.record({ release: fc.nat(5), sharePpm: fc.integer({ min: 1, max: PPM }) }) },
  { weight: 1, arbitrary: fc.record({ expire: fc.integer({ min: 0, max: 3 }) }) },
);

test("holds one entry a hotspot, owner and end, and no base unit is lost or found", () => {
  fc.assert(
    fc.property(fc.array(event, { maxLength: 80 }), (events) => {
      const escrow = new Escrow();
      let model: EscrowEntry[] = [];
      let untilEpoch = 10;
      for (const one of events) {
        if ("release" in one) {
          // Nothing that is held has ended: an epoch's end takes that out before anything is released.
          const epoch = Math.min(...model.map((entry) => entry.untilEpoch), untilEpoch);
          const part = (amount: bigint): bigint => (amount * BigInt(one.sharePpm)) / BigInt(PPM);
          const taken = model.filter(({ hotspot }) => hotspot === one.release);
          const released = taken.map((entry) => ({
            ...{ ...entry, beacons: part(entry.beacons), witnesses: part(entry.witnesses) },
          }));
          const rest = new Map<number, EscrowEntry>();
          for (const [i, { owner, ...entry }] of taken.entries()) {
            const before = rest.get(owner) ?? {
              ...entry,
              owner,
              untilEpoch: epoch,
              beacons: 0n,
              witnesses: 0n,
            };
            const beacons = before.beacons + entry.beacons - released[i]!.beacons;
            const witnesses = before.witnesses + entry.witnesses - released[i]!.witnesses;
            if (beacons + witnesses > 0n) rest.set(owner, { ...before, beacons, witnesses });
          }
          model = [...rest.values(), ...model.filter(({ hotspot }) => hotspot !== one.release)];
          expect(escrow.release(new Map([[one.release, one.sharePpm]]), epoch)).toEqual(
            released.filter(({ beacons, witnesses }) => beacons + witnesses > 0n),
          );
        } else if ("expire" in one) {
          const taken = model.filter((entry) => entry.untilEpoch < untilEpoch - one.expire);
          model = model.filter((entry) => entry.untilEpoch >= untilEpoch - one.expire);
          expect(escrow.expire(untilEpoch - one.expire)).toEqual(taken);
        } else {
          const { hotspot, owner, wait, beacons, witnesses } = one;
          untilEpoch += wait;
          escrow.withhold(hotspot, owner, { beacons, witnesses }, untilEpoch);
          const known = model.find(
            (entry) => entry.hotspot === hotspot && entry.owner === owner && entry.untilEpoch === untilEpoch,
          );
          if (known === undefined) model.push({ hotspot, owner, untilEpoch, beacons, witnesses });
          else
            Object.assign(known, {
              beacons: known.beacons + beacons,
              witnesses: known.witnesses + witnesses,
            });
        }
        expect(escrow.entries).toEqual(model);
        for (let hotspot = 0; hotspot < 6; hotspot++) {
          expect(escrow.holdsFor(hotspot)).toBe(model.some((entry) => entry.hotspot === hotspot));
        }
      }
      expect(escrow.total).toBe(model.reduce((sum, { beacons, witnesses }) => sum + beacons + witnesses, 0n));
    }),
  );
});

test.each(PRESET_NAMES)(
  "on %s whatever is released was earned in an epoch that the record still holds",
  (name) => {
    const { trustIntervalEpochs, trustWindowEpochs } = PRESETS[name];
    for (let epoch = 0; epoch < 4 * trustWindowEpochs; epoch++) {
      // The last computation that may release it is made at the end of an interval, for the epoch after.
      const ends = computeEscrowEnd(PRESETS[name], epoch) + 1;
      const lastEpoch = Math.floor(ends / trustIntervalEpochs) * trustIntervalEpochs;
      // Of the record the running window is kept and the one before.
      const oldestKept = (Math.floor(lastEpoch / trustWindowEpochs) - 1) * trustWindowEpochs;
      expect(oldestKept).toBeLessThanOrEqual(epoch);
    }
  },
);
