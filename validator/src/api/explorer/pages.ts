/**
 * The explorer's pages by their paths, as fastify writes them. The server answers each with the explorer's document, and the
 * explorer's table of pages (validator/explorer/src/pages.tsx) has an entry for each: one list, so that no page is
 * without a route and none a dead link after a reload.
 */
export const EXPLORER_PAGES = [
  "/",
  "/cells/:cell",
  "/hotspots",
  "/hotspots/:id",
  "/accounts/:id",
  "/epochs",
  "/epochs/:epoch",
  "/network",
  "/validators/:id",
  "/search",
] as const;

export type ExplorerPage = (typeof EXPLORER_PAGES)[number];
