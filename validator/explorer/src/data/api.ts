/**
 * The API that the explorer shows. A validator's explorer asks its own origin; a static site asks the API that it was built
 * for, or, where it was built for any, the one that the reader named: by `?api=`, which this browser then keeps.
 */
import { readApiAddress } from "./apiAddress.ts";
import { createAsk } from "./ask.ts";
import { keep, readKept } from "./kept.ts";

const STORED = "hexbeacon-api";
const PARAMETER = "api";

export type ApiChoice = {
  /** Where the API is, without `/v1`; empty for the explorer's own origin. */
  readonly base: string;
  /** Whether the reader may name another. */
  readonly isOpen: boolean;
  /** The address that was named and is none, with the reason. */
  readonly refused: { readonly text: string; readonly why: string } | null;
};

function readChoice(): ApiChoice {
  const built = document.querySelector<HTMLMetaElement>('meta[name="hexbeacon-api"]');
  const fallback = (built?.content ?? "").replace(/\/+$/, "");
  if (built?.dataset.open === undefined) return { base: fallback, isOpen: false, refused: null };
  const { protocol, pathname, hash, search } = window.location;
  const kept = readApiAddress(readKept(STORED) ?? "", protocol);
  const base = kept.ok ? kept.address : fallback;
  const query = new URLSearchParams(search);
  const text = query.get(PARAMETER);
  if (text === null) return { base, isOpen: true, refused: null };
  const named = readApiAddress(text, protocol);
  if (!named.ok) return { base, isOpen: true, refused: { text, why: named.why } };
  // Once it is kept the address of the page is again only that of the page.
  if (keep(STORED, named.address)) {
    query.delete(PARAMETER);
    history.replaceState(null, "", `${pathname}${query.size === 0 ? "" : `?${query}`}${hash}`);
  }
  return { base: named.address, isOpen: true, refused: null };
}

export const API: ApiChoice = readChoice();

/** A path of the API, with its query where it has one, as an address. Parts of a path are encoded by whoever puts it together. */
export const apiUrl = (path: string): string => `${API.base}${path}`;

export const askApi = createAsk(API.base);
