/** The table of pages: each path of the shared list with the module that shows it, loaded when it is first asked for. */
import type { ComponentType } from "preact";
import type { ExplorerPage } from "../../src/api/explorer/pages.ts";

/** `params`: the path's, decoded; whether they mean something the API says. */
export type PageProps = { readonly params: Readonly<Record<string, string>> };

type LoadPage = () => Promise<ComponentType<PageProps>>;

const loadMap: LoadPage = async () => (await import("./pages/mapPage.tsx")).MapPage;

export const PAGES: Readonly<Record<ExplorerPage, LoadPage>> = {
  "/": loadMap,
  "/cells/:cell": loadMap,
  "/hotspots": async () => (await import("./pages/hotspotsPage.tsx")).HotspotsPage,
  "/hotspots/:id": async () => (await import("./pages/hotspotPage.tsx")).HotspotPage,
  "/accounts/:id": async () => (await import("./pages/accountPage.tsx")).AccountPage,
  "/epochs": async () => (await import("./pages/epochsPage.tsx")).EpochsPage,
  "/epochs/:epoch": async () => (await import("./pages/epochPage.tsx")).EpochPage,
  "/network": async () => (await import("./pages/networkPage.tsx")).NetworkPage,
  "/validators/:id": async () => (await import("./pages/validatorPage.tsx")).ValidatorPage,
  "/search": async () => (await import("./pages/searchPage.tsx")).SearchPage,
};
