/**
 * Leaves WebAssembly out of the bundle: V8's machinery for it takes megabytes that stay, for a cipher and a hash that Node
 * has in OpenSSL anyhow.
 */
import { join } from "node:path";
import type { Plugin } from "esbuild";

/** What stands in for a package, in a file of its own. */
const STAND_INS: Readonly<Record<string, string>> = {
  "@chainsafe/as-chacha20poly1305": "chacha20poly1305.ts",
  "@chainsafe/as-sha256": "sha256.ts",
};

/** Creates the plugin for esbuild. */
export function withoutWasm(): Plugin {
  return {
    name: "without-wasm",
    setup: ({ onResolve }) => {
      onResolve({ filter: /^@chainsafe\/as-/ }, ({ path }) => {
        const file = STAND_INS[path];
        return file === undefined ? null : { path: join(import.meta.dirname, "standIns", file) };
      });
    },
  };
}
