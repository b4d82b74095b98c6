/**
 * What the API's libraries do on this machine and nothing else: one route of fastify that reads a hotspot's row by its key
 * and writes it as JSON. `node plainApiServer.ts STORE` prints its URL, and ends with standard input.
 */
import { DatabaseSync } from "node:sqlite";
import { finished } from "node:stream/promises";
import Fastify from "fastify";
import { encodeHex } from "../../protocol/src/bytes/hex.ts";
import { decodeDidKey } from "../../protocol/src/crypto/didKey.ts";

const [storePath] = process.argv.slice(2) as [string];
const db = new DatabaseSync(storePath, { readOnly: true });
const read = db.prepare("SELECT key, owner, position, bond FROM hotspots WHERE key = ?");
const api = Fastify({ logger: false, forceCloseConnections: true });
api.get<{ Params: { id: string } }>("/v1/hotspots/:id", async ({ params: { id } }) => {
  const row = read.get(decodeDidKey(id)!)!;
  const { key, owner } = row as { key: Uint8Array; owner: Uint8Array };
  return { id: encodeHex(key), owner: encodeHex(owner), position: row.position, bond: `${row.bond}` };
});
process.stdout.write(`${await api.listen({ host: "127.0.0.1", port: 0 })}\n`);
await finished(process.stdin.resume());
await api.close();
db.close();
