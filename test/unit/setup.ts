/**
 * The cases of every property: the same in each run, so that a change is judged by what it changed and not by luck.
 * `npm run properties` looks for others; what they find is a bug, of the property or of the code.
 */
import fc from "fast-check";

const SEED = 20_261_122;

/** A number, to run one again, or `new`. */
const { HEXBEACON_PROPERTY_SEED: given } = process.env;
if (given !== "new") fc.configureGlobal({ seed: given === undefined ? SEED : Number(given) });
