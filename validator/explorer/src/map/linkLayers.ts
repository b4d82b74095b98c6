/** A hotspot with those whom it hears, as points and lines for the map. */
import type { Layer } from "@deck.gl/core";
import { LineLayer, ScatterplotLayer } from "@deck.gl/layers";
import type { Theme } from "../ui/theme.ts";
import type { Colour } from "./colours.ts";
import type { Box } from "./viewport.ts";

export type Place = { readonly latitude: number; readonly longitude: number };
export type Linked = {
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly heard: number;
  readonly heardBy: number;
};

const COLOURS: Readonly<Record<Theme, { own: Colour; other: Colour; both: Colour; one: Colour }>> = {
  light: { own: [11, 107, 73], other: [26, 33, 30], both: [11, 107, 73], one: [138, 86, 0] },
  dark: { own: [95, 211, 162], other: [230, 235, 232], both: [95, 211, 162], one: [227, 176, 75] },
};
const RADIUS_PX = 6;

const placed = (links: readonly Linked[]): (Place & Linked)[] =>
  links.filter((link): link is Place & Linked => link.latitude !== null && link.longitude !== null);

/** Links that go both ways and those that go one way differ in colour; the table says it in words. */
export function createLinkLayers(own: Place, links: readonly Linked[], theme: Theme): Layer[] {
  const { both, one, own: ownColour, other } = COLOURS[theme];
  const at = ({ longitude, latitude }: Place): [number, number] => [longitude, latitude];
  const shown = placed(links);
  return [
    new LineLayer({
      id: "links",
      data: shown,
      getSourcePosition: () => at(own),
      getTargetPosition: at,
      getColor: ({ heard, heardBy }) => [...(heard > 0 && heardBy > 0 ? both : one), 190],
      getWidth: 2,
    }),
    new ScatterplotLayer<Place & { readonly isOwn: boolean }>({
      id: "hotspots",
      data: [...shown.map((link) => ({ ...link, isOwn: false })), { ...own, isOwn: true }],
      getPosition: at,
      getRadius: ({ isOwn }) => (isOwn ? RADIUS_PX + 2 : RADIUS_PX),
      radiusUnits: "pixels",
      getFillColor: ({ isOwn }) => [...(isOwn ? ownColour : other)],
    }),
  ];
}

/** What holds all of them. */
export function boundsOf(own: Place, links: readonly Linked[]): Box {
  const all: readonly Place[] = [own, ...placed(links)];
  const [lats, lngs] = [all.map(({ latitude }) => latitude), all.map(({ longitude }) => longitude)];
  return {
    west: Math.min(...lngs),
    south: Math.min(...lats),
    east: Math.max(...lngs),
    north: Math.max(...lats),
  };
}
