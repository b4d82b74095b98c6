/** `hexbeacon` as a hotspot's package and container have it: without the validator. */
import { HOTSPOT_PARTS, QUESTION_PARTS, runProgram } from "./program.ts";

await runProgram({ ...HOTSPOT_PARTS, ...QUESTION_PARTS });
