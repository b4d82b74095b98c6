/** An attack: who takes part, how they behave, and what is known beforehand of how it ends. */
import type { Random } from "../ether/prng.ts";
import type { City, Site } from "./city.ts";
import type { Member } from "./population.ts";
import type { Conduct } from "./runner.ts";

export type Attack = {
  readonly name: string;
  /** One sentence: what the attackers do. */
  readonly says: string;
  /**
   * Attackers and rivals, beside the honest hotspots. There is a place in the city for each attacker, the same for every
   * attack, so that what honest hotspots would take there is run once; who must assert others draws them.
   */
  readonly recruit: (places: readonly Site[], city: City, random: Random) => readonly Member[];
  readonly conduct?: Conduct | ((members: readonly Member[]) => Conduct);
  readonly corruptSeedsPpm?: number;
  /** Radios that the attackers need, by their number: what it costs them beside bonds and fees. */
  readonly radios: (count: number) => number;
  /** Why no rule catches it, where none does. It is held to `GAIN_MAX` all the same. */
  readonly uncatchable?: string;
  /** Where it takes more than `GAIN_MAX`: the most it may, after the figure in docs/truth.md, which says why. */
  readonly gainMax?: number;
};
