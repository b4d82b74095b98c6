/** Rings: members who vouch for each other. They share secrets and forge what would be heard where they say they stand. */

import type { Measurement } from "../../protocol/src/wire/reports.ts";
import { drawGaussian } from "../ether/prng.ts";
import { imagine } from "./airwaves.ts";
import type { Attack } from "./attack.ts";
import { type City, moveBy, moveFar, type Site } from "./city.ts";
import { createAttacker, type Member, type Radio } from "./population.ts";
import type { Beacon, Conduct, LabView, Reception } from "./runner.ts";

/** A cellar: their beacons are heard by nobody else, nor do they hear anyone. */
const cellarOf = ({ centre }: City): Site => ({
  ...moveFar(centre, 200_000, () => 0),
  elevationM: 0,
  clutter: "urban",
});

const cellarRadio = (city: City, number: number): Radio => ({
  name: `cellar ${number}`,
  site: moveFar(cellarOf(city), 100_000 + number * 40_000, () => 0),
});

const inCellar: Attack["recruit"] = (places, city) =>
  places.map((asserted, i) => createAttacker(i, asserted, cellarRadio(city, i)));

/** As many as it takes to have three counterparts and one to spare. */
const PER_REGION = 5;

/** Each few of them 1.5 km around a place of their own, 120 km from the next; beside honest ones who are on roofs there. */
const inEmptyRegions: Attack["recruit"] = (places, city) =>
  places.map((_, i) => {
    const middle = moveBy(city.centre, 120_000 * (1 + Math.floor(i / PER_REGION)), 0);
    const turn = (2 * Math.PI * i) / PER_REGION;
    const asserted = moveBy(middle, 1_500 * Math.sin(turn), 1_500 * Math.cos(turn));
    return createAttacker(i, asserted, { ...cellarRadio(city, i), isOnRoof: true });
  });

/** Every member reports the beacons of every other one of its group; `edges` pairs with honest hotspots are real both ways. */
function createRing(
  edges: number,
  groupSize = Number.POSITIVE_INFINITY,
): (members: readonly Member[]) => Conduct {
  return (members) => {
    const ring = members.flatMap(({ side }, index) => (side === "attacker" ? [index] : []));
    const groupOf = new Map(ring.map((member, i) => [member, Math.floor(i / groupSize)]));
    const honest = members.flatMap(({ side }, index) => (side === "honest" ? [index] : []));
    const befriended = new Map<number, number[]>();
    const join = (a: number, b: number): void => {
      befriended.set(a, [...(befriended.get(a) ?? []), b]);
    };
    for (let edge = 0; edge < edges; edge++) {
      // Spread over both: an edge is a transmitter and a receiver near one honest hotspot.
      const [sybil, friend] = [ring[(edge * 7) % ring.length]!, honest[(edge * 13) % honest.length]!];
      join(sybil, friend);
      join(friend, sybil);
    }
    const hears = (beacon: Beacon, witness: number, { seed, random }: LabView): Reception[] => {
      const heard = imagine(seed, members[beacon.sender]!, members[witness]!, beacon.frame, random);
      const measurement = heard ?? imagineFaint(beacon, random);
      return [{ witness, measurement }];
    };
    return {
      invent: (beacon, lab) => {
        const isRing = members[beacon.sender]!.side === "attacker";
        const friends = (befriended.get(beacon.sender) ?? []).flatMap((witness) =>
          hears(beacon, witness, lab),
        );
        if (!isRing) return friends;
        const group = groupOf.get(beacon.sender);
        const others = ring.filter((one) => one !== beacon.sender && groupOf.get(one) === group);
        return [...friends, ...others.flatMap((witness) => hears(beacon, witness, lab))];
      },
    };
  };
}

/** Where nothing would be heard they claim a signal that is just enough. */
function imagineFaint({ frame }: Beacon, random: () => number): Measurement {
  const { freqHz, spreadingFactor, bandwidthHz, timeMs } = frame;
  const snrCentiDb = 25 * Math.round(-20 + 8 * random());
  const rssiDeciDbm = 10 * Math.round(-117 + snrCentiDb / 100 + random());
  return { rssiDeciDbm, rssiKind: "signal", snrCentiDb, freqHz, spreadingFactor, bandwidthHz, timeMs };
}

const ringOf = (edges: number): Attack => ({
  name: `ring-${edges}-edges`,
  says: `A ring of fake hotspots all over the city, tied to ${edges} honest hotspots by transmitters near them.`,
  radios: () => edges,
  recruit: inCellar,
  conduct: createRing(edges),
});

const corruptSeeds = (share: number): Attack => ({
  ...ringOf(5),
  name: `corrupt-seeds-${share}`,
  says: `A ring with 5 real edges, and ${share} % of the network's seeds among its members.`,
  corruptSeedsPpm: share * 10_000,
});

export const RINGS: readonly Attack[] = [
  ringOf(0),
  ringOf(5),
  ringOf(20),
  ringOf(60),
  corruptSeeds(10),
  corruptSeeds(30),
  {
    name: "empty-regions",
    says: "Rings of five without a radio, each alone in a region where nobody stands.",
    radios: () => 0,
    recruit: inEmptyRegions,
    conduct: createRing(0, PER_REGION),
    uncatchable: "nobody stands there who could contradict; start trust bounds what it takes",
  },
  {
    name: "attenuated-room",
    says: "Radios in one room behind attenuators: real packets, at strengths that no distance explains; no one else hears them.",
    radios: (count) => count,
    recruit: inCellar,
    conduct: (members) => {
      const room = members.flatMap(({ side }, index) => (side === "attacker" ? [index] : []));
      return {
        invent: (beacon, { members: all, random }) => {
          if (all[beacon.sender]!.side !== "attacker") return [];
          const { freqHz, spreadingFactor, bandwidthHz, timeMs, powerCentiDbm } = beacon.frame;
          return room.flatMap((witness): Reception[] => {
            if (witness === beacon.sender) return [];
            // Each pair has an attenuation of its own; the power steps and the noise are real.
            const pairDb = ((beacon.sender * 31 + witness * 17) % 20) + 118;
            const signalDbm = powerCentiDbm / 100 - pairDb + drawGaussian(random);
            const snrDb = Math.min(12, signalDbm + 118);
            if (snrDb < -9) return [];
            const rssiDeciDbm = 10 * Math.round(signalDbm);
            const snrCentiDb = 25 * Math.round(4 * snrDb);
            return [
              {
                witness,
                measurement: {
                  rssiDeciDbm,
                  rssiKind: "signal",
                  snrCentiDb,
                  freqHz,
                  spreadingFactor,
                  bandwidthHz,
                  timeMs,
                },
              },
            ];
          });
        },
      };
    },
  },
];
