/** What operators can ask and order. Who asked is known, and is in the audit log, before any of this runs. */
import type { FastifyRequest } from "fastify";
import { Type } from "typebox";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import { ApiProblem, badField, notFound } from "../api/problem.ts";
import { readKey } from "../api/requests.ts";
import type { Routes } from "../api/routes/context.ts";
import { json, KeyInput, object, PROBLEMS } from "../api/schemas/common.ts";
import { type AuditLine, checkAuditLog } from "./auditLog.ts";
import type { Ban } from "./bans.ts";
import type { AdminModules, AdminOptions } from "./modules.ts";
import * as forms from "./schemas.ts";

/** The refusals that any request may get. */
const REFUSED = {
  ...PROBLEMS,
  401: { ...PROBLEMS[400], description: "The request is not signed by an operator, or not fresh." },
  409: { ...PROBLEMS[400], description: "What is asked for contradicts what is." },
  415: { ...PROBLEMS[400], description: "The body is no JSON." },
};

export type AdminRouteOptions = Pick<AdminOptions, "target" | "auditFile"> & {
  /** Who signed a request that is being carried out. */
  readonly operatorOf: (request: FastifyRequest) => Uint8Array;
};

export function addAdminRoutes(routes: Routes, options: AdminRouteOptions, modules: AdminModules): void {
  addPeerRoutes(routes, options, modules);
  addProcessRoutes(routes, options, modules);
  addAuditRoute(routes, options);
}

function addPeerRoutes(
  routes: Routes,
  { target, operatorOf }: AdminRouteOptions,
  { clock, bans, connections, disconnect, isSeated }: AdminModules,
): void {
  const Params = object({ peer: KeyInput });
  routes.get(
    "/admin/v1/peers",
    {
      schema: { summary: "Who is connected", response: { 200: json("The peers.", forms.Peers), ...REFUSED } },
    },
    async () => ({
      items: connections().map(({ peerId, publicKey, address, direction, openedAtMs, score }) => ({
        ...{ peerId, address, direction, score },
        peer: publicKey && encodeDidKey(publicKey),
        name: publicKey && computeName(publicKey),
        connectedMs: Math.max(0, clock.nowMs() - openedAtMs),
        seated: publicKey !== null && isSeated(publicKey),
      })),
    }),
  );
  routes.get(
    "/admin/v1/bans",
    {
      schema: { summary: "Who is banned", response: { 200: json("Bans in force.", forms.Bans), ...REFUSED } },
    },
    async () => ({ items: bans.list().map(presentBan) }),
  );
  routes.put(
    "/admin/v1/bans/:peer",
    {
      schema: {
        summary: "Ban a peer: its connections end, and it gets none until the ban does",
        params: Params,
        body: forms.BanOrder,
        response: { 200: json("The ban.", forms.Ban), ...REFUSED },
      },
    },
    async (request) => {
      const peer = readKey("peer", request.params.peer);
      const { reason, seconds, force = false } = request.body;
      if (equalBytes(peer, target.validator)) throw badField("peer", "is this validator itself");
      if (isSeated(peer) && !force)
        throw new ApiProblem(
          409,
          "That is a validator with a seat: without its links this one may miss decisions. Say force.",
        );
      const sinceMs = clock.nowMs();
      const untilMs = seconds === undefined ? null : sinceMs + seconds * 1_000;
      const ban = { peer, reason, sinceMs, untilMs, operator: operatorOf(request) };
      await bans.put(ban);
      const links = connections().filter(({ publicKey }) => publicKey && equalBytes(publicKey, peer));
      for (const { peerId } of links) await disconnect(peerId);
      return presentBan(ban);
    },
  );
  routes.delete(
    "/admin/v1/bans/:peer",
    {
      schema: {
        summary: "Lift a ban",
        params: Params,
        response: { 200: json("Whether there was one.", forms.Lifted), ...REFUSED },
      },
    },
    async (request) => {
      const peer = readKey("peer", request.params.peer);
      const wasBanned = bans.isBanned(peer);
      await bans.remove(peer);
      return { wasBanned };
    },
  );
}

const presentBan = ({ peer, operator, ...ban }: Ban) => ({
  ...ban,
  peer: encodeDidKey(peer),
  name: computeName(peer),
  operator: encodeDidKey(operator),
});

function addProcessRoutes(
  routes: Routes,
  { target }: AdminRouteOptions,
  { log, level, findCheckpoint, draining, backUp }: AdminModules,
): void {
  const levelResponse = { 200: json("The level.", forms.Level), ...REFUSED };
  routes.get(
    "/admin/v1/log-level",
    { schema: { summary: "What is logged", response: levelResponse } },
    async () => ({
      level: level.level(),
    }),
  );
  routes.put(
    "/admin/v1/log-level",
    { schema: { summary: "Log more or less from now on", body: forms.Level, response: levelResponse } },
    async ({ body }) => {
      level.setLevel(body.level);
      log.info("Changed the log's level", { level: body.level });
      return { level: level.level() };
    },
  );
  routes.get(
    "/admin/v1/checkpoint",
    {
      schema: {
        summary: "What somebody who joins pins",
        response: { 200: json("The newest.", forms.CheckpointForm), ...REFUSED },
      },
    },
    async () => {
      const offer = await findCheckpoint();
      if (offer === null) throw notFound("checkpoint yet: no epoch has closed whose state is attested to");
      const { epoch, signers, validators, multiaddrs } = offer;
      const stateRoot = encodeHex0x(offer.stateRoot);
      const networkId = encodeHex0x(target.networkId);
      const checkpoint = `${epoch}:${stateRoot}`;
      return { ...{ checkpoint, epoch, stateRoot, signers, validators, networkId }, from: [...multiaddrs] };
    },
  );
  routes.post(
    "/admin/v1/drain",
    {
      schema: {
        summary: "Take nothing more, finish what was acknowledged, and end",
        body: forms.DrainOrder,
        response: { 202: json("It has begun.", forms.DrainForm), ...REFUSED },
      },
    },
    async ({ body: { seconds } }, reply) => {
      draining.begin(seconds === undefined ? null : seconds * 1_000);
      return reply.code(202).send(draining.describe());
    },
  );
  routes.post(
    "/admin/v1/backup",
    {
      schema: {
        summary: "Copy the home while it runs, without its keys",
        body: forms.BackupOrder,
        response: { 200: json("What was copied.", forms.BackupForm), ...REFUSED },
      },
    },
    async ({ body: { folder } }) => backUp(folder),
  );
}

function addAuditRoute(routes: Routes, { auditFile }: AdminRouteOptions): void {
  routes.get(
    "/admin/v1/audit",
    {
      schema: {
        summary: "The newest lines of the audit log, and whether its chain is whole",
        querystring: object({
          limit: Type.Integer({ minimum: 1, maximum: forms.MAX_AUDIT_LINES, default: 100 }),
        }),
        response: { 200: json("The lines, oldest first.", forms.Audit), ...REFUSED },
      },
    },
    async ({ query: { limit } }) => {
      const items: AuditLine[] = [];
      const { state } = await checkAuditLog(auditFile, (line) => {
        items.push(line);
        if (items.length > limit) items.shift();
      });
      return { ...state, items };
    },
  );
}
