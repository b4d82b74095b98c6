/** The mesh of a validator that is alone. */
import type { Mesh } from "../../../../validator/src/mesh/mesh.ts";

export const SILENT_MESH: Mesh = {
  broadcast: () => {},
  send: () => {},
  fetch: async () => null,
  connected: () => [],
  charge: () => {},
};
