/** A small laboratory as a gate: `npm run lab` runs every attack on larger cities. */
import { describe, expect, test } from "vitest";
import { ATTACKS } from "../../lab/attacks.ts";
import { openCity, streamOf } from "../../lab/city.ts";
import { type AttackResult, GAIN_MAX, isWithin, measureAttack, runAttack } from "../../lab/figures.ts";
import { drawHonest } from "../../lab/population.ts";
import { type Conduct, LAB_PARAMETERS, runNetwork } from "../../lab/runner.ts";
import { drawCourse } from "../../lab/svg.ts";

/** What rests on no trust shows at once. */
const SHORT_EPOCHS = 6;
/** One window with the graph in force, which figures are of, after those in which its evidence was gathered. */
const EPOCHS = LAB_PARAMETERS.trustFromEpoch + LAB_PARAMETERS.trustWindowEpochs;

const OPTIONS = { city: openCity(null), size: 30, attackersPpm: 200_000, epochs: EPOCHS, seed: 3 };
/** Half a second to a second each, as the honest in their stead have mostly run already. */
const CHEAP = [
  "ring-5-edges",
  "corrupt-seeds-30",
  "attenuated-room",
  "liars-20km",
  "liars-100km",
  "forgers-middleman",
  "forgers-uniform",
  "forgers-shifted",
  "owner-farm",
];
const attackOf = (name: string) => ATTACKS.find((attack) => attack.name === name)!;
const measure = (name: string): AttackResult => measureAttack(attackOf(name), OPTIONS);

describe("the laboratory", () => {
  test("has an attack of each name once", () => {
    expect(new Set(ATTACKS.map(({ name }) => name)).size).toBe(ATTACKS.length);
  });

  test("holds every attack to 1.2 times the honest share, also those that no rule catches, but for one that is named", () => {
    const beyond = ATTACKS.filter((attack) => attack.gainMax !== undefined);
    expect(beyond.map(({ name }) => name)).toEqual(["hex-squatters"]);
    expect(isWithin({ gain: 1.3, gainMax: GAIN_MAX })).toBe(false);
    expect(measureAttack(attackOf("liars-1km"), { ...OPTIONS, epochs: SHORT_EPOCHS }).gainMax).toBe(GAIN_MAX);
  });

  test.for(["repeater", "wormhole"])("%s: honest hotspots report what is sent once more", (name) => {
    const { city, seed } = OPTIONS;
    const attack = attackOf(name);
    const recruits = attack.recruit(Array(8).fill(city.centre), city, streamOf(seed, name));
    const members = [...drawHonest(city, 20, seed), ...recruits];
    const honest = new Set(members.flatMap(({ side }, index) => (side === "honest" ? [index] : [])));
    const conduct = typeof attack.conduct === "function" ? attack.conduct(members) : {};
    const countHonestReports = ({ relay = () => [] }: Conduct): number => {
      let reports = 0;
      const copy: Conduct["copy"] = (sent) => {
        reports += sent.filter(({ witness }) => honest.has(witness)).length;
        return [];
      };
      runNetwork({ seed, city, members, epochs: 2, conduct: { relay, copy }, corruptSeedsPpm: 0 });
      return reports;
    };
    expect(countHonestReports(conduct)).toBeGreaterThan(1.1 * countHonestReports({}));
  });

  test.for(["copycats", "replayers"])("%s take nothing", (name) => {
    const { members, outcomes } = runAttack(attackOf(name), { ...OPTIONS, epochs: SHORT_EPOCHS });
    const attackers = members.flatMap(({ side }, index) => (side === "attacker" ? [index] : []));
    expect(attackers.length).toBeGreaterThan(0);
    let paid = 0n;
    for (const outcome of outcomes) {
      for (const member of attackers) expect(outcome.paid[member]! + outcome.withheld[member]!).toBe(0n);
      paid += outcome.paid.reduce((sum, amount) => sum + amount, 0n);
    }
    expect(paid).toBeGreaterThan(0n);
  });

  test("early revealers take nothing once they are to be heard as well as to hear", () => {
    expect(measure("early-revealers").shareOfRewards).toBe(0);
  });

  test("who reports one value for everything is found at once, and hardly paid", () => {
    const result = measure("forgers-constant");
    expect(result.halfCaughtDay).toBe(1);
    expect(result.gain).toBeLessThan(0.1);
    expect(result.honestUnpaid).toBeLessThanOrEqual(result.honestUnpaidWithout);
  });

  test("a ring without an edge to the honest takes nothing once the graph decides, and gives a plot", () => {
    const result = measure("ring-0-edges");
    expect(result.course.at(-1)!.share).toBe(0);
    expect(isWithin(result)).toBe(true);
    expect(drawCourse(result)).toContain("ring-0-edges");
  });

  test.for(CHEAP)("%s take no more than honest hotspots there would", (name) => {
    const result = measure(name);
    expect(result.counterfactualShare).toBeGreaterThan(0);
    expect(isWithin(result)).toBe(true);
  });

  test("rings that claim empty regions take a small part of what as many hotspots would", () => {
    const result = measure("empty-regions");
    expect(result.shareOfRewards).toBeLessThan(result.shareOfHotspots / 4);
  });
});
