/** The address of an API as a reader or a link gives it. */

/** `address` is without a slash at its end; `why` ends a sentence that begins with what was given. */
export type ReadAddress =
  | { readonly ok: true; readonly address: string }
  | { readonly ok: false; readonly why: string };

/** Browsers take these over http from a page that came over https (W3C, Secure Contexts, 3.1). */
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/**
 * Judges an address, which anybody can have put into a link.
 * @param pageProtocol that by which the explorer came, e.g. "https:".
 */
export function readApiAddress(text: string, pageProtocol: string): ReadAddress {
  const refuse = (why: string): ReadAddress => ({ ok: false, why });
  const url = URL.parse(text.trim());
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:"))
    return refuse("is no http or https address");
  if (url.username !== "" || url.password !== "") return refuse("has a name or a password in it");
  if (url.search !== "" || url.hash !== "") return refuse("has more than a host and a path");
  if (pageProtocol === "https:" && url.protocol === "http:" && !LOOPBACK.test(url.hostname))
    return refuse("is no https address, and a page that came over https may ask no other");
  return { ok: true, address: `${url.origin}${url.pathname.replace(/\/+$/, "")}` };
}
