/** Those who crowd: owners of many hotspots, griefers beside a rival, and squatters in its hexagon. */
import type { Attack } from "./attack.ts";
import { type City, moveFar } from "./city.ts";
import { createHonest, type Member } from "./population.ts";

const rivalOf = (city: City, random: () => number): Member =>
  createHonest("rival", city.draw(random), "rival");

export const CROWDS: readonly Attack[] = [
  {
    name: "owner-farm",
    says: "One owner's real hotspots, all within 600 m.",
    radios: (count) => count,
    recruit: (count, city, random) => {
      const farm = city.draw(random);
      return Array.from({ length: count }, (_, i): Member => {
        const name = `farm ${i}`;
        const site = moveFar(farm, 600 * Math.sqrt(random()), random);
        return { name, owner: "farmer", side: "attacker", asserted: site, radio: { name, site } };
      });
    },
  },
  {
    name: "griefers",
    says: "Cheap real hotspots 350 to 900 m around a rival, who do not report its beacons.",
    radios: (count) => count,
    recruit: (count, city, random) => {
      const rival = rivalOf(city, random);
      const griefers = Array.from({ length: count }, (_, i): Member => {
        const name = `griefer ${i}`;
        const site = moveFar(rival.asserted, 350 + 550 * random(), random);
        return { name, owner: `owner of ${name}`, side: "attacker", asserted: site, radio: { name, site } };
      });
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
    recruit: (count, city, random) => {
      const rival = rivalOf(city, random);
      const site = moveFar(rival.asserted, 6_000, random);
      const squatters = Array.from({ length: count }, (_, i): Member => {
        const asserted = moveFar(rival.asserted, 300 * Math.sqrt(random()), random);
        const name = `squatter ${i}`;
        return {
          name,
          owner: `owner of ${name}`,
          side: "attacker",
          asserted,
          radio: { name: "squat", site },
        };
      });
      return [rival, ...squatters];
    },
  },
];
