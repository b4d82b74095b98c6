import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { askAdmin } from "../../../validator/src/admin/client.ts";
import { OPERATOR, TARGET } from "./adminFixture.ts";

let server: Server | null = null;
afterEach(() => {
  server?.close();
});

describe("an operator's command", () => {
  test("says in words that a validator went away in the middle of its answer", async () => {
    server = createServer((_request, response) => {
      response.writeHead(200, { "content-length": 100 });
      response.write("{", () => response.destroy());
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const options = { address: { url }, target: TARGET, operator: OPERATOR, timeoutMs: 10_000 };
    await expect(askAdmin(options, "GET", "/admin/v1/peers")).rejects.toMatchObject({
      ...{ code: "peer_unreachable", message: expect.stringContaining(url.origin) },
    });
  });
});
