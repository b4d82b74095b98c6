/** What the simulation and the exploration drive: the real core, or a copy of it with a mistake. */
import type {
  createSimplex,
  recoverSimplex,
  stepSimplex,
} from "../../../protocol/src/agreement/simplex/index.ts";

export type Core = {
  readonly createSimplex: typeof createSimplex;
  readonly stepSimplex: typeof stepSimplex;
  readonly recoverSimplex: typeof recoverSimplex;
};

/** The core's folder in this checkout. */
export const CORE_URL: URL = new URL("../../../protocol/src/agreement/simplex/", import.meta.url);

/** Loads a core from its folder. @param folder a URL that ends in a slash. */
export async function loadCore(folder: URL | string): Promise<Core> {
  return (await import(new URL("index.ts", folder).href)) as Core;
}
