/** Those who crowd: owners of many hotspots, griefers beside a rival, and squatters in its hexagon. */
import type { Attack } from "./attack.ts";
import { type City, moveFar } from "./city.ts";
import { createAttacker, createHonest, type Member, nameAttacker } from "./population.ts";

const rivalOf = (city: City, random: () => number): Member =>
  createHonest("rival", city.draw(random), "rival");

export const CROWDS: readonly Attack[] = [
  {
    name: "owner-farm",
    says: "One owner's real hotspots, all within 600 m.",
    radios: (count) => count,
    recruit: (places, city, random) => {
      const farm = city.draw(random);
      return places.map((_, i) => {
        const site = moveFar(farm, 600 * Math.sqrt(random()), random);
        return { ...createHonest(nameAttacker(i), site, "attacker"), owner: "farmer" };
      });
    },
  },
  {
    name: "griefers",
    says: "Cheap real hotspots 350 to 900 m around a rival, who do not report its beacons.",
    radios: (count) => count,
    recruit: (places, city, random) => {
      const rival = rivalOf(city, random);
      const griefers = places.map((_, i) =>
        createHonest(nameAttacker(i), moveFar(rival.asserted, 350 + 550 * random(), random), "attacker"),
      );
      return [rival, ...griefers];
    },
    conduct: {
      report: ({ beacon, measurement }, { members }) =>
        members[beacon.sender]!.side === "rival" ? null : measurement,
    },
  },
  {
    name: "hex-squatters",
    says: "Hotspots that assert a rival's hexagon, and stand together 6 km away around one radio.",
    radios: () => 1,
    recruit: (places, city, random) => {
      const rival = rivalOf(city, random);
      const radio = { name: "squat", site: moveFar(rival.asserted, 6_000, random), isOnRoof: true as const };
      const squatters = places.map((_, i) =>
        createAttacker(i, moveFar(rival.asserted, 300 * Math.sqrt(random()), random), radio),
      );
      return [rival, ...squatters];
    },
    // The honest they are held against, on roofs in one hexagon, have `unexplained_rssi`, which is false: 1.99 measured.
    gainMax: 2.1,
  },
];
