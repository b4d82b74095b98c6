/**
 * The status page: static files beside this one, read when they are asked for, so that they cost no memory. They show
 * what `/v1/status` and `/v1/packets` say, and have no arithmetic of their own beyond drawing.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Reply, Route } from "../host/http.ts";

const FOLDER = join(import.meta.dirname, "page");
/** Path on the server, file in the folder, media type. */
const FILES = [
  ["/", "index.html", "text/html"],
  ["/page.css", "page.css", "text/css"],
  ["/page.js", "page.js", "text/javascript"],
  ["/view.js", "view.js", "text/javascript"],
] as const;

/**
 * Nothing but its own files and its own server: the page shows what strangers transmitted. No other site may frame it,
 * and no form is ever sent.
 */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** The page's routes, for the hotspot's server. */
export function createPageRoutes(): Readonly<Record<string, Route>> {
  return Object.fromEntries(FILES.map(([path, file, type]) => [path, () => readPage(file, type)]));
}

async function readPage(file: string, type: string): Promise<Reply> {
  const headers = { "content-security-policy": CONTENT_SECURITY_POLICY, "referrer-policy": "no-referrer" };
  return { status: 200, text: await readFile(join(FOLDER, file), "utf8"), type, headers };
}
