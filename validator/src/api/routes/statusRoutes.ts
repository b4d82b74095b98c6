/** Where the validator stands: status, the newest round, and what orchestration and Prometheus ask. */
import { Type } from "typebox";
import { encodeHex0x } from "../../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../../protocol/src/crypto/didKey.ts";
import type { ApiOptions } from "../modules.ts";
import { presentRound } from "../present.ts";
import { ApiProblem, notFound } from "../problem.ts";
import { hasTag } from "../requests.ts";
import { json, object, PROBLEMS, UNCHANGED } from "../schemas/common.ts";
import { Round, Status } from "../schemas/entities.ts";
import type { RouteContext, Routes } from "./context.ts";

export function addStatusRoutes(routes: Routes, { options, modules }: RouteContext): void {
  const { store } = modules;
  addGenesis(routes, options);
  routes.get(
    "/v1/status",
    {
      schema: {
        summary: "The network, and where this validator stands",
        tags: ["status"],
        response: { 200: json("The status.", Status), ...PROBLEMS },
      },
    },
    async () => {
      const [round, closed, oldestEpoch, hotspots, { peers, notReady }] = await Promise.all([
        store.latestRound(),
        store.latestEpoch(),
        store.oldestEpoch(),
        store.countHotspots(),
        modules.status(),
      ]);
      const { name, id, parameters } = options.network;
      return {
        network: {
          name,
          id: encodeHex0x(id),
          roundMs: parameters.roundMs,
          roundsPerEpoch: parameters.roundsPerEpoch,
        },
        validator: encodeDidKey(options.validator),
        version: options.version,
        timeMs: modules.clock.nowMs(),
        ready: notReady === null,
        notReady,
        peers,
        round: round?.round ?? null,
        roundTimeMs: round?.timeMs ?? null,
        epoch: round?.epoch ?? 0,
        closedEpoch: closed?.epoch ?? null,
        oldestEpoch,
        hotspots,
      };
    },
  );
  routes.get(
    "/v1/rounds/latest",
    {
      schema: {
        summary: "The newest finalized and executed round, with its certificate",
        tags: ["status"],
        response: { 200: json("The round.", Round), ...PROBLEMS },
      },
    },
    async () => {
      const round = await store.latestRound();
      if (round === null) throw notFound("round yet");
      return presentRound(round);
    },
  );
}

function addGenesis(routes: Routes, { network }: ApiOptions): void {
  let text: string | null = null;
  routes.get(
    "/v1/genesis",
    {
      schema: {
        summary: "The genesis file: what `hexbeacon verify --genesis` reads",
        description:
          "Its hash is the network's id, which is the entity tag. Compare that with what others whom you trust say before you believe anything that is verified with it.",
        tags: ["status"],
        response: {
          200: json("The file.", Type.Object({}, { additionalProperties: true })),
          304: UNCHANGED,
          ...PROBLEMS,
        },
      },
    },
    async (request, reply) => {
      const tag = `"${encodeHex0x(network.id)}"`;
      reply.header("etag", tag).header("cache-control", "public, no-cache");
      if (hasTag(request, tag)) return reply.code(304).send(null);
      text ??= network.writeGenesis();
      return reply.type("application/json; charset=utf-8").send(text as never);
    },
  );
}

const Alive = object({ status: Type.Literal("ok") });

/** Probes and metrics: outside the limits, so that a busy API does not look like a dead validator. */
export function addProbeRoutes(routes: Routes, { modules }: RouteContext): void {
  const config = { rateLimit: false } as const;
  const schema = { tags: ["operation"], response: { 200: json("Yes.", Alive), 503: PROBLEMS[503] } };
  routes.get("/livez", { config, schema: { ...schema, summary: "Does the process answer?" } }, async () => {
    // What counts is the thread that agrees and executes; this one answers for it.
    await modules.status();
    return { status: "ok" as const };
  });
  routes.get("/readyz", { config, schema: { ...schema, summary: "Is it ready to serve?" } }, async () => {
    const { notReady } = await modules.status();
    if (notReady !== null) throw new ApiProblem(503, notReady);
    return { status: "ok" as const };
  });
  routes.get(
    "/metrics",
    {
      config,
      schema: {
        tags: ["operation"],
        summary: "Metrics for Prometheus",
        response: {
          200: { description: "The metrics.", content: { "text/plain": { schema: Type.String() } } },
          503: PROBLEMS[503],
        },
      },
    },
    async (_request, reply) => {
      const { contentType, text } = await modules.exposeMetrics();
      return reply.header("content-type", contentType).send(text);
    },
  );
}
