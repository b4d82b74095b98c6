/** The table of pages: each path of the shared list with the module that shows it, loaded when it is first asked for. */
import type { ComponentType } from "preact";
import type { ExplorerPage } from "../../src/api/explorer/pages.ts";

/** `params`: the path's, decoded; whether they mean something the API says. */
export type PageProps = { readonly params: Readonly<Record<string, string>> };

type LoadPage = () => Promise<ComponentType<PageProps>>;

const loadMap: LoadPage = async () => (await import("./pages/mapPage.tsx")).MapPage;
const loadNext: LoadPage = async () => (await import("./pages/comingPage.tsx")).ComingPage;

export const PAGES: Readonly<Record<ExplorerPage, LoadPage>> = {
  "/": loadMap,
  "/cells/:cell": loadMap,
  "/hotspots": loadNext,
  "/hotspots/:id": loadNext,
  "/accounts/:id": loadNext,
  "/epochs": loadNext,
  "/epochs/:epoch": loadNext,
  "/network": async () => (await import("./pages/networkPage.tsx")).NetworkPage,
  "/search": async () => (await import("./pages/searchPage.tsx")).SearchPage,
};
