/** The API that the explorer shows, by where it is. */
import { createAsk } from "./ask.ts";

/** Where the API is: the explorer's own origin, or what a static build was made for. */
const API_BASE = (
  document.querySelector<HTMLMetaElement>('meta[name="hexbeacon-api"]')?.content ?? ""
).replace(/\/+$/, "");

/** A path of the API, with its query where it has one, as an address. Parts of a path are encoded by whoever puts it together. */
export const apiUrl = (path: string): string => `${API_BASE}${path}`;

export const askApi = createAsk(API_BASE);
