/** Every attack that the laboratory knows, in the order of docs/truth.md. */
import type { Attack } from "./attack.ts";
import { CROWDS } from "./crowds.ts";
import { FORGERS } from "./forgers.ts";
import { GOSSIPERS } from "./gossipers.ts";
import { LIARS } from "./liars.ts";
import { RINGS } from "./rings.ts";

export const ATTACKS: readonly Attack[] = [...LIARS, ...FORGERS, ...GOSSIPERS, ...RINGS, ...CROWDS];
