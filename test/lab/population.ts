/** Who is in a laboratory's network: what each hotspot asserts, where its radio really stands, and on whose side it is. */
import type { Random } from "../ether/prng.ts";
import { type City, type Site, streamOf } from "./city.ts";

/** Honest hotspots, attackers, those who only help them and are not counted, and the rival that an attack is aimed at. */
export type Side = "honest" | "attacker" | "accomplice" | "rival";

/** Several members may be fed by one, which the name tells. One that feeds many is worth a roof; others stand indoors. */
export type Radio = { readonly name: string; readonly site: Site; readonly isOnRoof?: true };

export type Member = {
  readonly name: string;
  readonly owner: string;
  readonly side: Side;
  readonly asserted: Site;
  /** Null: it has none. */
  readonly radio: Radio | null;
};

/** A member with a radio of its own where it says it stands. */
export function createHonest(name: string, site: Site, side: Side = "honest"): Member {
  return { name, owner: `owner of ${name}`, side, asserted: site, radio: { name, site } };
}

/** The honest hotspots of a city. */
export function drawHonest(city: City, count: number, seed: number): Member[] {
  const random = streamOf(seed, "honest");
  return Array.from({ length: count }, (_, i) => createHonest(`honest ${i}`, city.draw(random)));
}

/** A hotspot that asserts a place; `radio` null: it has none. */
export function createAttacker(number: number, asserted: Site, radio: Radio | null): Member {
  const name = nameAttacker(number);
  return { name, owner: `owner of ${name}`, side: "attacker", asserted, radio };
}

/** The same in every attack, and so are the surroundings that go with a name. */
export const nameAttacker = (number: number): string => `attacker ${number}`;

/**
 * What attackers are compared with: as many honest hotspots at the same asserted places, each with an owner of its own. On
 * a roof where the attackers' radio is on one: what a good antenna earns is not the attack's.
 */
export function toCounterfactual({ name, asserted, side, radio }: Member): Member {
  const honest = createHonest(name, asserted, side);
  return radio?.isOnRoof === true ? { ...honest, radio: { name, site: asserted, isOnRoof: true } } : honest;
}

/** Honest members spread over the list, to be trusted from the start; of them a share are attackers' where seeds are corrupt. */
export function chooseSeeds(members: readonly Member[], corruptPpm: number, random: Random): string[] {
  const honest = members.filter(({ side }) => side === "honest").map(({ name }) => name);
  const attackers = members.filter(({ side }) => side === "attacker").map(({ name }) => name);
  // Ten a metropolis (docs/truth.md), and more where there are many hundreds.
  const count = Math.max(10, Math.round(honest.length / 50));
  const corrupt = Math.min(attackers.length, Math.round((count * corruptPpm) / 1_000_000));
  const pick = (names: string[], wanted: number): string[] => {
    const picked: string[] = [];
    while (picked.length < wanted) picked.push(...names.splice(Math.floor(random() * names.length), 1));
    return picked;
  };
  return [...pick(honest, count - corrupt), ...pick(attackers, corrupt)];
}
