/** `account stake` against an API: what it signs, and what it leaves as it was. */
import { once } from "node:events";
import { mkdtempSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { createAccountCommand } from "../../../node/src/cli/accountCommand.ts";
import { makePrivateFolder } from "../../../node/src/host/durableFile.ts";
import { writeKeyFile } from "../../../node/src/host/keystore.ts";
import { decodeHex, encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { decodeLedgerMessage } from "../../../protocol/src/ledger/bundleDecode.ts";
import { encodeGenesisJson } from "../../../protocol/src/network/genesis.ts";
import type { Transaction } from "../../../protocol/src/wire/transactions.ts";
import { contextOf, createTestGenesis, keyNamed, OWNER } from "../validator/support/network.ts";
import { runCommand } from "./runNode.ts";

const context = contextOf(createTestGenesis(1));
const VALIDATOR = keyNamed("a validator that is staked for");
const KEPT = ["/dns4/v.example.net/tcp/4467", "/ip6/::1/tcp/4467"];

describe("account stake", () => {
  let server: Server;
  let stake: string[];
  let home: string;
  let submitted: Transaction[];
  /** What the API says of the validator; undefined where it does not know it. */
  let multiaddrs: unknown;

  beforeEach(async () => {
    const folder = mkdtempSync(join(tmpdir(), "hexbeacon-stake-"));
    home = join(folder, "account");
    const validator = join(folder, "validator");
    for (const [path, keys] of [[home, OWNER] as const, [validator, VALIDATOR] as const]) {
      await makePrivateFolder(path);
      await writeKeyFile(join(path, "key"), keys.secretSeed);
    }
    writeFileSync(join(validator, "genesis.json"), encodeGenesisJson(context.genesis));
    submitted = [];
    multiaddrs = KEPT;
    server = createServer((request, response) => {
      const answer = (status: number, body: object) => response.writeHead(status).end(JSON.stringify(body));
      const { url = "" } = request;
      if (request.method === "POST") {
        void json(request).then((body) => {
          const envelope = decodeHex((body as { envelope: string }).envelope)!;
          const message = decodeLedgerMessage(envelope, context.domains);
          if (typeof message === "string" || message.kind === "reports") return answer(400, {});
          submitted.push(message.transaction);
          return answer(202, {});
        });
      } else if (url === "/v1/status")
        answer(200, { network: { id: encodeHex0x(context.networkId) }, epoch: 3 });
      else if (url.startsWith("/v1/accounts/"))
        answer(200, { balance: `${10n ** 14n}`, earned: "0", nonce: 7 });
      else if (url.startsWith("/v1/transactions/")) answer(200, { verdict: "accepted", reason: null });
      else if (url === `/v1/validators/${encodeDidKey(VALIDATOR.publicKey)}` && multiaddrs !== undefined)
        answer(200, { multiaddrs });
      else answer(404, {});
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    stake = ["stake", "--home", home, "--for", validator, "--validator", `http://127.0.0.1:${port}`];
  });
  afterEach(() => void server.close());

  const run = (...flags: string[]) => runCommand(createAccountCommand, {}, ...stake, ...flags);

  test("adds to the stake and leaves the addresses, with the genesis that the validator's folder has", async () => {
    const { code, stdout, stderr } = await run("--amount", "5");
    expect([code, stderr]).toEqual([0, ""]);
    expect(stdout).toContain(`reached at: ${KEPT.join(", ")}\n`);
    expect(submitted).toMatchObject([{ kind: "stake", amount: 500_000_000n, nonce: 7, multiaddrs: KEPT }]);
  });

  test("changes the addresses where some are named, and has none for a newcomer", async () => {
    const named = "/ip4/192.0.2.1/tcp/4467";
    expect(await run("--address", named)).toMatchObject({ code: 0 });
    multiaddrs = undefined;
    expect((await run("--amount", "5")).stdout).toContain("reached at: no address\n");
    expect(submitted).toMatchObject([
      { amount: 0n, multiaddrs: [named] },
      { amount: 500_000_000n, multiaddrs: [] },
    ]);
  });

  test("refuses to change nothing, and addresses that are none", async () => {
    expect(await run()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("give --amount, --address or both"),
    });
    multiaddrs = ["no address"];
    expect(await run("--amount", "5")).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("no Hexbeacon"),
    });
    expect(submitted).toEqual([]);
  });

  test("takes the account's own genesis before the validator's", async () => {
    const other = { ...context.genesis, name: "another" };
    writeFileSync(join(home, "genesis.json"), encodeGenesisJson(other));
    expect(await run("--amount", "5")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("another network"),
    });
  });
});
