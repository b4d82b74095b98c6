/**
 * Forgers: one good radio feeds many members all over the city, who rewrite what it measured. What they rewrite it to is
 * what sets them apart.
 */
import { drawGaussian, type Random } from "../ether/prng.ts";
import { imagine } from "./airwaves.ts";
import type { Attack } from "./attack.ts";
import { createAttacker } from "./population.ts";
import type { Conduct, Hearing, LabView } from "./runner.ts";

type Forge = (
  hearing: Hearing & { measurement: NonNullable<Hearing["measurement"]> },
  lab: LabView,
) => {
  readonly rssiDbm: number;
  readonly snrCentiDb: number;
} | null;

const clamp = (value: number, least: number, most: number): number => Math.min(Math.max(value, least), most);
const onGrid = (snrDb: number): number => 25 * Math.round(snrDb * 4);
const between = (random: Random, least: number, most: number): number => least + (most - least) * random();

function createForgers(name: string, says: string, forge: Forge, uncatchable?: string): Attack {
  const conduct: Conduct = {
    report: (hearing, lab) => {
      const forged = forge(hearing, lab);
      if (forged === null) return null;
      const { rssiDbm, snrCentiDb } = forged;
      return { ...hearing.measurement, rssiDeciDbm: 10 * Math.round(rssiDbm), snrCentiDb };
    },
  };
  return {
    name: `forgers-${name}`,
    says,
    radios: () => 1,
    conduct,
    recruit: (places, city, random) => {
      const radio = {
        name: "shared radio",
        site: { ...city.draw(random), elevationM: 300, clutter: "open" as const },
        isOnRoof: true as const,
      };
      return places.map((asserted, i) => createAttacker(i, asserted, radio));
    },
    ...(uncatchable === undefined ? {} : { uncatchable }),
  };
}

export const FORGERS: readonly Attack[] = [
  createForgers("constant", "They report -110 dBm and -5 dB for everything.", () => ({
    rssiDbm: -110,
    snrCentiDb: -500,
  })),
  createForgers("uniform", "They draw strength and SNR evenly, each by itself.", (_, { random }) => ({
    rssiDbm: between(random, -120, -85),
    snrCentiDb: onGrid(between(random, -12, 8)),
  })),
  createForgers("shifted", "They lower the strength by 25 dB and leave the SNR.", ({ measurement }) => ({
    rssiDbm: Math.max(-144, measurement.rssiDeciDbm / 10 - 25),
    snrCentiDb: measurement.snrCentiDb,
  })),
  createForgers(
    "coupled",
    "They know the channel: strength and SNR are what would be heard where they say they stand.",
    ({ beacon, witness }, { seed, members, random }) => {
      const imagined = imagine(seed, members[beacon.sender]!, members[witness]!, beacon.frame, random);
      return imagined && { rssiDbm: imagined.rssiDeciDbm / 10, snrCentiDb: imagined.snrCentiDb };
    },
    "What they report is what honest hotspots at those places would; nothing in it is wrong but that it was not heard there.",
  ),
  createForgers(
    "middleman",
    "The known rewriting tool: strength moved and clipped to -120 to -90 dBm, SNR moved in tenths of a dB.",
    ({ measurement }, { random }) => ({
      rssiDbm: clamp(measurement.rssiDeciDbm / 10 + 10 + drawGaussian(random), -120, -90),
      snrCentiDb:
        10 * Math.round(10 * clamp(measurement.snrCentiDb / 100 + between(random, -1.5, 1), -9.9, 1.9)),
    }),
  ),
];
