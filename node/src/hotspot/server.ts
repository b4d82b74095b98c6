/** The hotspot's few pages: for people, whether it lives and can work, its metrics, its status, and what it has heard. */
import { decodeHex } from "../../../protocol/src/bytes/hex.ts";
import { createHttpServer, type HttpServer, type Reply } from "../host/http.ts";
import type { Log } from "../host/types.ts";
import type { Earnings } from "./earnings.ts";
import type { MessageLog } from "./messageLog.ts";
import type { HotspotMetrics } from "./metrics.ts";
import type { PacketLog } from "./packetLog.ts";
import { createPageRoutes } from "./page.ts";
import type { HotspotStatus } from "./status.ts";

export type HotspotServerOptions = { readonly host: string; readonly port: number };

/** What the doctor has found, and when; null where it could not be asked. */
export type Examination = {
  readonly time: string;
  readonly findings:
    | readonly {
        readonly check: string;
        readonly result: "ok" | "not_checked" | "warn" | "fail";
        readonly found: string;
        readonly advice: string | null;
      }[]
    | null;
};

export type HotspotServerModules = {
  readonly readStatus: () => HotspotStatus;
  readonly packets: PacketLog;
  readonly messages: Pick<MessageLog, "find">;
  readonly metrics: HotspotMetrics;
  readonly log: Log;
  /** What was earned; absent where no validator's API is set. */
  readonly readEarnings?: () => Promise<Earnings>;
  /** The doctor's word on the hotspot; absent where nobody can be asked for it. */
  readonly readExamination?: () => Promise<Examination>;
};

/** Creates the server; it listens from `start` on. */
export function createHotspotServer(
  options: HotspotServerOptions,
  modules: HotspotServerModules,
): HttpServer {
  const { readStatus, packets, messages, metrics, log, readEarnings, readExamination } = modules;
  return createHttpServer({
    ...options,
    routes: {
      ...createPageRoutes(),
      "/livez": () => ok({ status: "ok" }),
      "/readyz": () => {
        const { ready, problems } = readStatus();
        return { status: ready ? 200 : 503, json: { status: ready ? "ok" : "not ready", problems } };
      },
      "/metrics": async () => ({ status: 200, text: await metrics.render(), type: metrics.contentType }),
      "/v1/status": () => ok(readStatus()),
      "/v1/packets": () => ok({ packets: packets.rows() }),
      "/v1/messages": (query) => {
        const id = decodeHex(query.get("id") ?? "", 32);
        return ok({ message: id && messages.find(id) });
      },
      "/v1/earnings": async () => ok({ earnings: readEarnings === undefined ? null : await readEarnings() }),
      "/v1/doctor": async () => ok({ examination: (await readExamination?.()) ?? null }),
    },
    // Watched by other containers under a service's name; they tell how it goes, and never where it stands.
    openPaths: ["/livez", "/readyz", "/metrics"],
    onError: (error) => log.error("A page could not be made", { error: String(error) }),
  });
}

function ok(json: unknown): Reply {
  return { status: 200, json };
}
