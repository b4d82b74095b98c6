/** A map in a place of the page, for as long as that is shown. The map's own code is loaded beside the page's. */
import type { RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { currentTheme, useTheme } from "../ui/theme.ts";
import type { MapOptions, OpenMap } from "./openMap.ts";

/** `map` is null until it is drawn, which is never where it `hasFailed`: that takes WebGL 2. */
export type MapPlace = {
  readonly place: RefObject<HTMLDivElement | null>;
  readonly map: OpenMap | null;
  readonly hasFailed: boolean;
};

const ignore = (): void => {};

/** Opens a map in `place`, and another one whenever an option has changed; it has the reader's theme. */
export function useOpenMap({
  start,
  onView = ignore,
  onPick = ignore,
}: Pick<MapOptions, "start"> & Partial<Pick<MapOptions, "onView" | "onPick">>): MapPlace {
  const place = useRef<HTMLDivElement>(null);
  const [map, setMap] = useState<OpenMap | null>(null);
  const [hasFailed, setFailed] = useState(false);
  const theme = useTheme();

  useEffect(() => {
    let opened: OpenMap | null = null;
    let isWanted = true;
    // A map whose page was left while it loaded speaks to nobody: it would rewrite the address of the page after it.
    const options: MapOptions = {
      ...{ theme: currentTheme(), start },
      onView: (view) => isWanted && onView(view),
      onPick: (cell) => isWanted && onPick(cell),
    };
    const open = async (): Promise<void> => {
      const { openMap } = await import("./openMap.ts");
      if (!isWanted) return;
      opened = await openMap(place.current!, options);
      if (isWanted) setMap(opened);
      else opened.close();
    };
    open().catch((error: unknown) => {
      console.warn("The map cannot be drawn", error);
      if (isWanted) setFailed(true);
    });
    return () => {
      isWanted = false;
      opened?.close();
    };
  }, [start, onView, onPick]);
  useEffect(() => map?.setTheme(theme), [map, theme]);
  return { place, map, hasFailed };
}
