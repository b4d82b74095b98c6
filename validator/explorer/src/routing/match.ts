/** Which page a path is, and its parameters. */
import { EXPLORER_PAGES, type ExplorerPage } from "../../../src/api/explorer/pages.ts";

export type Match = { readonly page: ExplorerPage; readonly params: Readonly<Record<string, string>> };

/** Null where there is no such page. */
export function matchPath(path: string): Match | null {
  const parts = path.replace(/\/+$/, "").split("/");
  for (const page of EXPLORER_PAGES) {
    const params = matchParts(page === "/" ? [""] : page.split("/"), parts);
    if (params !== null) return { page, params };
  }
  return null;
}

function matchParts(pattern: readonly string[], parts: readonly string[]): Record<string, string> | null {
  if (pattern.length !== parts.length) return null;
  const params: Record<string, string> = {};
  for (const [index, piece] of pattern.entries()) {
    const part = parts[index]!;
    if (piece.startsWith(":")) {
      const value = decodePart(part);
      if (value === null || value === "") return null;
      params[piece.slice(1)] = value;
    } else if (piece !== part) return null;
  }
  return params;
}

function decodePart(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
