/**
 * The explorer's files: one document for every page, and assets whose names hold a digest of their content. Nothing in it is
 * inline and nothing comes from elsewhere, which the content security policy lets the browser enforce.
 */
import { join } from "node:path";
import fastifyStatic from "@fastify/static";
import type { FastifyReply } from "fastify";
import type { Routes } from "../routes/context.ts";
import { EXPLORER_DOCUMENT, hasExplorer } from "./folder.ts";
import { EXPLORER_PAGES } from "./pages.ts";
import { CONTENT_SECURITY_POLICY } from "./policy.ts";

const ASSETS_PREFIX = "/assets/";
/** The names change with the content, so a browser need never ask again. */
const ASSET_MAX_AGE = "365d";

export type ServedExplorer = {
  /** Answers with the document, which says itself that there is no such page. */
  readonly sendMissing: (reply: FastifyReply) => FastifyReply;
};

/** @returns null where the folder holds no built explorer: the API works without. */
export async function serveExplorer(routes: Routes, folder: string): Promise<ServedExplorer | null> {
  if (!hasExplorer(folder)) return null;
  await routes.register(fastifyStatic, {
    root: join(folder, "assets"),
    prefix: ASSETS_PREFIX,
    preCompressed: true,
    index: false,
    immutable: true,
    maxAge: ASSET_MAX_AGE,
    setHeaders: setSafetyHeaders,
  });
  const sendDocument = (reply: FastifyReply): FastifyReply => {
    setSafetyHeaders(reply);
    reply.header("content-security-policy", CONTENT_SECURITY_POLICY);
    // The document names the assets of one build: it is asked for again each time, and mostly answered with 304.
    return reply.sendFile(EXPLORER_DOCUMENT, folder, { maxAge: 0, immutable: false });
  };
  for (const url of EXPLORER_PAGES)
    routes.get(url, { schema: { hide: true } }, async (_request, reply) => sendDocument(reply));
  return { sendMissing: (reply) => sendDocument(reply.code(404)) };
}

function setSafetyHeaders(reply: Pick<FastifyReply, "header">): void {
  reply.header("x-content-type-options", "nosniff");
  reply.header("referrer-policy", "no-referrer");
  reply.header("cross-origin-opener-policy", "same-origin");
}
