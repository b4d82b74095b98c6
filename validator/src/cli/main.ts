/** The one command, `hexbeacon`: what a hotspot's owner, a validator's operator and someone with a question run. */
import { HOTSPOT_PARTS, type LoadPart, QUESTION_PARTS, runProgram } from "../../../node/src/cli/program.ts";

const validator: LoadPart = async (io) => (await import("./validatorCommand.ts")).createValidatorCommand(io);

await runProgram({ ...HOTSPOT_PARTS, validator, ...QUESTION_PARTS });
