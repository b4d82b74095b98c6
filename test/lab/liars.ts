/** Location liars: real radios that say they stand elsewhere; and those whose packets travel over the Internet. */
import type { Attack } from "./attack.ts";
import { moveFar } from "./city.ts";
import { createAttacker, type Member, nameAttacker } from "./population.ts";
import type { Reception } from "./runner.ts";

/** Hotspots that assert a place so many kilometres from where they stand, and report what they really hear. */
function createLiars(distanceKm: number, uncatchable?: string): Attack {
  return {
    name: `liars-${distanceKm}km`,
    says: `Real hotspots that assert a place ${distanceKm} km from where they stand, each its own.`,
    radios: (count) => count,
    recruit: (places, _city, random) =>
      places.map((asserted, i) => {
        const site = moveFar(asserted, distanceKm * 1_000, random);
        return createAttacker(i, asserted, { name: nameAttacker(i), site });
      }),
    ...(uncatchable === undefined ? {} : { uncatchable }),
  };
}

const listAttackers = (members: readonly Member[]): number[] =>
  members.flatMap(({ side }, index) => (side === "attacker" ? [index] : []));

const hasHeard = (those: readonly number[], heard: readonly Reception[]): boolean =>
  heard.some(({ witness }) => those.includes(witness));

export const LIARS: readonly Attack[] = [
  createLiars(1, "Signal, links and graph see no difference at 1 km (AUC 0.4 to 0.7 on real data)."),
  createLiars(2, "At 2 km hardly any (AUC 0.6 to 0.75); the coverage is real, two streets on."),
  createLiars(5),
  createLiars(10),
  createLiars(20),
  createLiars(100),
  {
    name: "repeater",
    says: "One radio stands in the city and sends all that it hears once more; all members assert places within 3 km of it and report what it hears.",
    radios: () => 1,
    recruit: (places, city, random) => {
      const radio = { name: "repeater", site: city.draw(random), isOnRoof: true as const };
      return places.map((_, i) =>
        createAttacker(i, moveFar(radio.site, 3_000 * Math.sqrt(random()), random), radio),
      );
    },
    conduct: (members) => {
      const fed = listAttackers(members);
      return { relay: (_beacon, heard) => (hasHeard(fed, heard) ? fed.slice(0, 1) : []) };
    },
  },
  {
    name: "wormhole",
    says: "Half of them stand 12 km away; every packet that one radio hears or sends goes over the Internet to the other, which sends it too, and to all, who report it as theirs.",
    radios: () => 2,
    recruit: (places, city, random) => {
      const near = city.draw(random);
      const ends = [near, moveFar(near, 12_000, random)] as const;
      return places.map((_, i) => {
        const asserted = moveFar(ends[i % 2]!, 2_000 * Math.sqrt(random()), random);
        return createAttacker(i, asserted, {
          name: `worm radio ${i % 2}`,
          site: ends[i % 2]!,
          isOnRoof: true,
        });
      });
    },
    conduct: (members) => {
      const worms = listAttackers(members);
      const ends = [0, 1].map((end) => worms.filter((_, i) => i % 2 === end));
      return {
        // An end that a packet has not reached sends it; strength and place are then the other's.
        relay: ({ sender }, heard) => {
          const has = (end: readonly number[]): boolean => end.includes(sender) || hasHeard(end, heard);
          return ends.some(has) ? ends.filter((end) => !has(end)).map((end) => end[0]!) : [];
        },
        // What one end's radio measured is said by all whom it does not feed: its words, at another place.
        invent: (beacon, _lab, heard) => {
          const first = heard.find(({ witness }) => worms.includes(witness));
          if (first === undefined) return [];
          const have = new Set([beacon.sender, ...heard.map(({ witness }) => witness)]);
          return worms
            .filter((witness) => !have.has(witness))
            .map((witness) => ({ witness, measurement: first.measurement }));
        },
      };
    },
  },
];
