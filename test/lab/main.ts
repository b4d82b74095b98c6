/** The adversary laboratory: `npm run lab`. Runs attacks against the real rules and says what each one took. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { measureAir, readWitnessedCity, simulateCity } from "./air.ts";
import { ATTACKS } from "./attacks.ts";
import { openCity } from "./city.ts";
import { isWithin, measureAttack } from "./figures.ts";
import { drawProperties } from "./properties.ts";
import { AIR_HEAD, formatAirRow, formatHonestFound, formatRow, TABLE_HEAD } from "./report.ts";
import { drawCourse } from "./svg.ts";

const { values } = parseArgs({
  options: {
    attack: { type: "string", multiple: true },
    size: { type: "string", default: "200" },
    attackers: { type: "string", default: "10" },
    epochs: { type: "string", default: "112" },
    seed: { type: "string", default: "1" },
    data: { type: "string" },
    json: { type: "string" },
    plots: { type: "string" },
    properties: { type: "boolean", default: false },
    air: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const USAGE = `npm run lab -- [--attack NAME ...] [--size 200] [--attackers 10 (%)] [--epochs 112] [--seed 1]
                [--data FOLDER (real density of hotspots)] [--json FILE] [--plots FOLDER]
       npm run lab -- --properties --plots FOLDER (plots of what score version 2 promises)
       npm run lab -- --air --data FOLDER (the simulated channel beside a measured city)
Attacks: ${ATTACKS.map(({ name }) => name).join(", ")}`;

function main(): number {
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const names = values.attack ?? ATTACKS.map(({ name }) => name);
  const unknown = names.find((name) => ATTACKS.every((attack) => attack.name !== name));
  if (unknown !== undefined) {
    console.error(`There is no attack ${unknown}.\n${USAGE}`);
    return 2;
  }
  if (values.plots !== undefined) mkdirSync(values.plots, { recursive: true });
  if (values.properties) {
    for (const [name, svg] of drawProperties()) writeFileSync(join(values.plots ?? ".", name), svg);
    return 0;
  }
  if (values.air) {
    if (values.data === undefined) {
      console.error(`The measured city is in a folder of data.\n${USAGE}`);
      return 2;
    }
    compareAir(values.data);
    return 0;
  }
  const city = openCity(values.data ?? null);
  const options = {
    city,
    size: Number(values.size),
    attackersPpm: Number(values.attackers) * 10_000,
    epochs: Number(values.epochs),
    seed: Number(values.seed),
  };
  console.log(
    `${options.size} honest hotspots in ${city.name}, seed ${options.seed}, ${options.epochs} epochs\n`,
  );
  console.log(TABLE_HEAD);
  const results = [];
  for (const name of names) {
    const result = measureAttack(ATTACKS.find((attack) => attack.name === name)!, options);
    results.push(result);
    console.log(formatRow(result));
    // After each one: a long run that is ended early has lost nothing.
    if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
    if (values.plots !== undefined) {
      writeFileSync(join(values.plots, `${name}.svg`), drawCourse(result));
    }
  }
  console.log(`\n${formatHonestFound(results.at(-1)!)}`);
  const beyond = results.filter((result) => !isWithin(result));
  for (const { name, gain } of beyond)
    console.log(`\n${name} takes ${gain.toFixed(2)} times the honest share.`);
  return beyond.length === 0 ? 0 : 1;
}

/** Three draws show how far walls and shadows alone move the figures. */
const AIR_SEEDS = [1, 2, 3] as const;

function compareAir(folder: string): void {
  const measured = readWitnessedCity(folder);
  console.log(AIR_HEAD);
  console.log(formatAirRow("measured", measureAir(measured)));
  for (const seed of AIR_SEEDS) {
    console.log(formatAirRow(`simulated, seed ${seed}`, measureAir(simulateCity(measured, seed))));
  }
}

process.exitCode = main();
