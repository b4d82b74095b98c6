/** Location liars: real radios that say they stand elsewhere; and those whose packets travel over the Internet. */
import type { Attack } from "./attack.ts";
import { moveFar } from "./city.ts";
import type { Member } from "./population.ts";

const INDOORS = { elevationM: 0, clutter: "urban" as const };

/** Hotspots that assert a place so many kilometres from where they stand, and report what they really hear. */
function createLiars(distanceKm: number, uncatchable?: string): Attack {
  return {
    name: `liars-${distanceKm}km`,
    says: `Real hotspots that assert a place ${distanceKm} km from where they stand, each its own.`,
    radios: (count) => count,
    recruit: (count, city, random) =>
      Array.from({ length: count }, (_, i): Member => {
        const name = `liar ${i}`;
        const asserted = city.draw(random);
        const site = moveFar(asserted, distanceKm * 1_000, random);
        return { name, owner: `owner of ${name}`, side: "attacker", asserted, radio: { name, site } };
      }),
    ...(uncatchable === undefined ? {} : { uncatchable }),
  };
}

/** One radio at a place, and the members around it that say they have heard what it heard. */
const around =
  (count: number, reachM: number, name: string): Attack["recruit"] =>
  (_, city, random) => {
    const site = city.draw(random);
    return Array.from({ length: count }, (_unused, i): Member => {
      const asserted = moveFar(site, reachM * Math.sqrt(random()), random);
      return {
        name: `${name} ${i}`,
        owner: `${name} owner ${i}`,
        side: "attacker",
        asserted,
        radio: { name, site },
      };
    });
  };

export const LIARS: readonly Attack[] = [
  createLiars(1, "Signal, links and graph see no difference at 1 km (AUC 0.4 to 0.7 on real data)."),
  createLiars(2, "At 2 km hardly any (AUC 0.6 to 0.75); the coverage is real, two streets on."),
  createLiars(5),
  createLiars(10),
  createLiars(20),
  createLiars(100),
  {
    name: "repeater",
    says: "One radio stands in the city; all members assert places within 3 km of it and report what it hears.",
    radios: () => 1,
    recruit: (count, city, random) => around(count, 3_000, "repeater")(count, city, random),
  },
  {
    name: "wormhole",
    says: "Half of them stand 12 km away; every packet that one radio hears goes over the Internet to all, who report it as theirs.",
    radios: () => 2,
    recruit: (count, city, random) => {
      const near = city.draw(random);
      const ends = [near, moveFar(near, 12_000, random)] as const;
      return Array.from({ length: count }, (_, i): Member => {
        const asserted = moveFar(ends[i % 2]!, 2_000 * Math.sqrt(random()), random);
        const name = `worm ${i}`;
        const radio = { name: `worm radio ${i % 2}`, site: { ...ends[i % 2]!, ...INDOORS } };
        return { name, owner: `owner of ${name}`, side: "attacker", asserted, radio };
      });
    },
    conduct: (members) => {
      const worms = members.flatMap(({ side }, index) => (side === "attacker" ? [index] : []));
      return {
        // The other end's packets arrive as this one's own measured them: its radio's words, at another place.
        invent: (beacon, { members: all, random }) => {
          if (all[beacon.sender]!.side === "attacker" || random() < 0.5) return [];
          return worms.slice(0, worms.length >> 1).map((witness) => ({
            witness,
            measurement: {
              ...{ rssiDeciDbm: -10 * Math.round(100 + 15 * random()), rssiKind: "signal" as const },
              snrCentiDb: 25 * Math.round(24 * random() - 16),
              ...{ freqHz: beacon.frame.freqHz, spreadingFactor: beacon.frame.spreadingFactor },
              ...{ bandwidthHz: beacon.frame.bandwidthHz, timeMs: beacon.frame.timeMs },
            },
          }));
        },
      };
    },
  },
];
