/** Which methods the API's paths take, so that a known path asked in the wrong way is told from an unknown one. */
import type { Routes } from "./routes/context.ts";

export type AllowedMethods = {
  /** The methods that the path of a request takes, in order; none where it has no route. */
  readonly of: (url: string) => readonly string[];
};

/** Starts to note every route that is added from here on. */
export function collectAllowedMethods(api: Routes): AllowedMethods {
  const methodsByPattern = new Map<string, { readonly path: RegExp; readonly methods: Set<string> }>();
  api.addHook("onRoute", ({ url, method }) => {
    const entry = methodsByPattern.get(url) ?? { path: createPathPattern(url), methods: new Set<string>() };
    for (const one of [method].flat()) entry.methods.add(one);
    methodsByPattern.set(url, entry);
  });
  return {
    of: (url) => {
      const path = url.split("?", 1)[0]!;
      const found = [...methodsByPattern.values()].filter((entry) => entry.path.test(path));
      return [...new Set(found.flatMap(({ methods }) => [...methods]))].sort();
    },
  };
}

/** A route's url as what its paths look like: `:id` is one part of a path, `*` is all that is left of it. */
function createPathPattern(url: string): RegExp {
  const parts = url.split("/").map((part) => {
    if (part.startsWith(":")) return "[^/]+";
    return part === "*" ? ".*" : part.replace(/[.+?^$(){}|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("/")}$`);
}
