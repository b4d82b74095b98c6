/** The operators' interface in a folder of its own, with everything else of a validator stood in for. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance, LightMyRequestResponse } from "fastify";
import type { LogLevel } from "../../../node/src/host/log.ts";
import type { ConnectionView, Log } from "../../../node/src/host/types.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import type { AuditLog } from "../../../validator/src/admin/auditLog.ts";
import { BanBook } from "../../../validator/src/admin/bans.ts";
import type { AdminModules, AdminOptions, CheckpointOffer } from "../../../validator/src/admin/modules.ts";
import { createAdminApi } from "../../../validator/src/admin/server.ts";
import { type AdminRequest, signRequest } from "../../../validator/src/admin/signedRequest.ts";
import { Draining } from "../../../validator/src/draining.ts";
import { keyNamed } from "../validator/support/network.ts";

export const OPERATOR = keyNamed("operator");
export const SEATED = keyNamed("seated");
export const HOTSPOT = keyNamed("some hotspot");
export const TARGET = { networkId: sha256(new Uint8Array(1)), validator: keyNamed("validator").publicKey };

export type AdminFixture = {
  readonly api: FastifyInstance;
  readonly audit: AuditLog;
  readonly options: AdminOptions;
  readonly modules: AdminModules;
  readonly bans: BanBook;
  readonly errors: string[];
  readonly disconnected: string[];
  readonly backups: string[];
  nowMs: number;
  level: LogLevel;
  waiting: number;
  checkpoint: CheckpointOffer | null;
  /** What a backup ends with; null where it is made. */
  failure: Error | null;
  /** An Authorization header of its own for a request. */
  readonly sign: (request: AdminRequest, by?: typeof OPERATOR) => string;
  /** Asks as the operator. */
  readonly ask: (method: string, path: string, order?: unknown) => Promise<LightMyRequestResponse>;
  readonly close: () => Promise<void>;
};

let nonces = 0;
export const nextNonce = (): Uint8Array => {
  const nonce = new Uint8Array(16);
  new DataView(nonce.buffer).setUint32(0, ++nonces);
  return nonce;
};

/** @param folder where its files are; one of its own by default. */
export async function createAdminFixture(
  folder = mkdtempSync(join(tmpdir(), "hexbeacon-admin-")),
): Promise<AdminFixture> {
  const errors: string[] = [];
  const quiet = () => undefined;
  const log: Log = {
    ...{ debug: quiet, info: quiet, warn: quiet },
    error: (message, fields) => void errors.push(`${message} ${JSON.stringify(fields)}`),
    child: () => log,
  };
  const nowMs = () => fixture.nowMs;
  const bans = new BanBook(join(folder, "bans.json"), [], nowMs);
  const connection: ConnectionView = {
    peerId: "peer of the hotspot",
    publicKey: HOTSPOT.publicKey,
    address: "/ip4/192.0.2.1/tcp/1234",
    direction: "inbound",
    openedAtMs: 1_700_000_000_000,
    score: -10.5,
  };
  const draining = new Draining(
    { defaultTimeoutMs: 1_000, pollMs: 100 },
    {
      clock: { nowMs, elapsedMs: nowMs, after: () => quiet, every: () => quiet },
      log,
      refuseMore: quiet,
      countWaiting: () => fixture.waiting,
    },
  );
  const modules: AdminModules = {
    clock: { nowMs, elapsedMs: nowMs },
    log,
    level: {
      level: () => fixture.level,
      setLevel: (level) => {
        fixture.level = level;
      },
    },
    bans,
    connections: () => [connection, { ...connection, peerId: "of another kind", publicKey: null }],
    disconnect: async (peerId) => void fixture.disconnected.push(peerId),
    isSeated: (key) => Buffer.compare(key, SEATED.publicKey) === 0,
    findCheckpoint: async () => fixture.checkpoint,
    draining,
    backUp: async (to) => {
      if (fixture.failure !== null) throw fixture.failure;
      fixture.backups.push(to);
      return { folder: to, round: 7, files: 3, bytes: 1_000, milliseconds: 5 };
    },
  };
  const options: AdminOptions = {
    listen: { socket: join(folder, "admin.sock") },
    target: TARGET,
    operators: [OPERATOR.publicKey],
    auditFile: join(folder, "audit.ndjson"),
    version: "0.0.0",
  };
  const sign: AdminFixture["sign"] = (request, by = OPERATOR) =>
    signRequest(TARGET, request, by, { timeMs: fixture.nowMs, nonce: nextNonce() });
  const fixture: AdminFixture = {
    ...{ options, modules, bans, errors },
    ...{
      disconnected: [],
      backups: [],
      nowMs: 1_700_000_100_000,
      level: "info",
      waiting: 0,
      checkpoint: null,
      failure: null,
    },
    sign,
    api: null as never,
    audit: null as never,
    ask: async (method, path, order) => {
      const payload = order === undefined ? "" : JSON.stringify(order);
      const authorization = sign({ method, path, body: Buffer.from(payload) });
      const type = order === undefined ? {} : { "content-type": "application/json" };
      return await fixture.api.inject({
        ...{ method: method as "GET", url: path, headers: { authorization, ...type } },
        ...(order === undefined ? {} : { payload }),
      });
    },
    close: async () => {
      await fixture.api.close();
      await fixture.audit.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return Object.assign(fixture, await createAdminApi(options, modules));
}
