/** The adversary laboratory: `npm run lab`. Runs attacks against the real rules and says what each one took. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ATTACKS } from "./attacks.ts";
import { openCity } from "./city.ts";
import { measureAttack } from "./figures.ts";
import { drawProperties } from "./properties.ts";
import { formatRow, isWithin, TABLE_HEAD } from "./report.ts";
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
    help: { type: "boolean", default: false },
  },
});

const USAGE = `npm run lab -- [--attack NAME ...] [--size 200] [--attackers 10 (%)] [--epochs 112] [--seed 1]
                [--data FOLDER (real density of hotspots)] [--json FILE] [--plots FOLDER]
       npm run lab -- --properties --plots FOLDER (plots of what score version 2 promises)
Attacks: ${ATTACKS.map(({ name }) => name).join(", ")}`;

function main(): number {
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const unknown = values.attack?.find((name) => ATTACKS.every((attack) => attack.name !== name));
  if (unknown !== undefined) {
    console.error(`There is no attack ${unknown}.\n${USAGE}`);
    return 2;
  }
  if (values.plots !== undefined) mkdirSync(values.plots, { recursive: true });
  if (values.properties) {
    for (const [name, svg] of drawProperties()) writeFileSync(join(values.plots ?? ".", name), svg);
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
  for (const attack of ATTACKS) {
    if (values.attack !== undefined && !values.attack.includes(attack.name)) continue;
    const result = measureAttack(attack, options);
    results.push(result);
    console.log(formatRow(result));
    if (values.plots !== undefined) {
      writeFileSync(join(values.plots, `${attack.name}.svg`), drawCourse(result));
    }
  }
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
  const beyond = results.filter((result) => !isWithin(result));
  for (const { name, gain } of beyond)
    console.log(`\n${name} takes ${gain.toFixed(2)} times the honest share.`);
  return beyond.length === 0 ? 0 : 1;
}

process.exitCode = main();
