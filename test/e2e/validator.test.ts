/** A validator as its operator runs it: one process, real sockets and a real disk, also under SIGKILL. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { makePrivateFolder } from "../../node/src/host/durableFile.ts";
import { writeKeyFile } from "../../node/src/host/keystore.ts";
import { verifySignature } from "../../node/src/host/verify.ts";
import { checkFinalCert } from "../../protocol/src/agreement/certificates.ts";
import {
  decodeBatch,
  decodeSignedAnnouncement,
  encodeAnnouncement,
} from "../../protocol/src/agreement/rounds.ts";
import { encodeHex } from "../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../protocol/src/crypto/didKey.ts";
import { signingMessage } from "../../protocol/src/crypto/domain.ts";
import { decodeReason } from "../../protocol/src/evidence/reasons.ts";
import { decodeLedgerMessage } from "../../protocol/src/ledger/bundleDecode.ts";
import { encodeGenesisJson } from "../../protocol/src/network/genesis.ts";
import { encodeParcel } from "../../protocol/src/wire/envelope.ts";
import { VERDICT_PENDING } from "../../protocol/src/wire/receipts.ts";
import { reportTopic } from "../../protocol/src/wire/topics.ts";
import { homePaths } from "../../validator/src/home.ts";
import { openBatchReader } from "../../validator/src/store/batchStore.ts";
import { openSqliteStore } from "../../validator/src/store/sqliteStore/sqliteStore.ts";
import {
  type Context,
  contextOf,
  createTestGenesis,
  keyNamed,
  OWNER,
  signReports,
  signTransaction,
  VALIDATOR,
} from "../unit/validator/support/network.ts";
import {
  createPeer,
  type Peer,
  runCommand,
  startValidator,
  type ValidatorProcess,
} from "./validatorProcess.ts";

const HOTSPOTS = 8;

describe("a validator process", () => {
  let folder: string;
  let home: string;
  let genesisFile: string;
  let context: Context;
  let peer: Peer;
  let running: ValidatorProcess | null;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "hexbeacon-validator-"));
    home = join(folder, "home");
    genesisFile = join(folder, "genesis.json");
    context = contextOf(createTestGenesis(HOTSPOTS, Date.now()));
    writeFileSync(genesisFile, encodeGenesisJson(context.genesis));
    await makePrivateFolder(home);
    await writeKeyFile(homePaths(home).key, VALIDATOR.secretSeed);
    peer = await createPeer(keyNamed("peer").secretSeed, context.networkId, context.domains);
    running = null;
  });
  afterEach(async () => {
    await peer.stop();
    running?.child.kill("SIGKILL");
    await running?.exited;
  });

  async function start(): Promise<ValidatorProcess> {
    running = await startValidator(home, genesisFile);
    await peer.dial(running.addresses);
    return running;
  }

  /** Everything that finalized rounds hold, read from the home itself. */
  async function readHome(): Promise<{ ids: Set<string>; rounds: number }> {
    const paths = homePaths(home);
    const store = await openSqliteStore({ path: paths.store, networkId: context.networkId, genesis: null });
    const batches = openBatchReader(paths.batches);
    const ids = new Set<string>();
    const latest = (await store.latestRound())?.round ?? -1;
    for (let round = 0; round <= latest; round++) {
      for (const digest of (await store.getRound(round))!.batchDigests) {
        for (const message of decodeBatch((await batches.getBatch(digest))!)!.messages) {
          const decoded = decodeLedgerMessage(message, context.domains);
          if (typeof decoded !== "string") ids.add(encodeHex(decoded.id));
        }
      }
    }
    await store.close();
    return { ids, rounds: latest + 1 };
  }

  test("takes what hotspots submit and gossip to a verdict, announces rounds and replays its epochs", async () => {
    const { addresses, child, exited } = await start();
    const { epoch } = await peer.nextRound();

    const envelopes = Array.from({ length: HOTSPOTS }, (_, index) =>
      signReports(context, index, epoch, index),
    );
    const transfer = {
      kind: "transfer",
      epoch,
      nonce: 0,
      to: keyNamed("heir").publicKey,
      amount: 5n,
    } as const;
    const receipt = (await peer.submit([...envelopes, signTransaction(context, OWNER, transfer)]))!;
    expect(receipt.items.map(({ reason }) => reason)).toEqual(Array(HOTSPOTS + 1).fill(null));
    expect(receipt.deadlineRound).toBe(receipt.round + context.parameters.witnessWindowRounds);
    const again = (await peer.submit(envelopes))!;
    expect(again.items.map(({ reason }) => reason)).toEqual(Array(HOTSPOTS).fill("duplicate_message"));
    const forged = (await peer.submit([signReports(contextOf(createTestGenesis(1, 5)), 0, epoch, 99)]))!;
    expect(forged.items.map(({ reason }) => reason)).toEqual(["bad_signature"]);

    // The reports quote a tag that no beacon has, so their verdict is no_beacon once nothing can come any more.
    const ids = receipt.items.map(({ id }) => id);
    await peer.nextRound(async () => {
      const statuses = await peer.status(ids);
      return statuses.every(
        ({ state, verdicts }) => state === "included" && !verdicts.includes(VERDICT_PENDING),
      );
    });
    const statuses = await peer.status(ids);
    expect(statuses.slice(0, HOTSPOTS).map(({ verdicts }) => verdicts.map(decodeReason))).toEqual(
      Array(HOTSPOTS).fill(["no_beacon"]),
    );
    const heir = await (await fetch(`${addresses.http}/v1/accounts/${encodeDidKey(transfer.to)}`)).json();
    expect(heir).toMatchObject({ balance: "5" });

    const newest = await peer.nextRound();
    const gossiped = signReports(context, 0, newest.epoch, 1_000);
    await peer.network.publish(reportTopic(context.networkId, 0), encodeParcel([gossiped]));
    const decoded = decodeLedgerMessage(gossiped, context.domains);
    if (typeof decoded === "string") throw new Error(decoded);
    await peer.nextRound(async () => (await peer.status([decoded.id]))[0]!.state === "included");

    const signed = decodeSignedAnnouncement(await peer.newestAnnouncement())!;
    expect(
      verifySignature(
        signed.validator,
        signingMessage(context.domains, "round", encodeAnnouncement(signed.announcement)),
        signed.signature,
      ),
    ).toBe(true);
    expect(
      checkFinalCert(signed.announcement.final, context.set, context.domains, verifySignature),
    ).toBeNull();

    await peer.nextRound((announcement) => announcement.epoch >= 2);
    const beside = await runCommand(
      "validator",
      "replay",
      "--home",
      home,
      "--genesis",
      genesisFile,
      "--epoch",
      "1",
    );
    expect(JSON.parse(beside.stdout)).toMatchObject({ epoch: 1, equal: true });
    const metrics = await (await fetch(`${addresses.http}/metrics`)).text();
    expect(metrics).toMatch(/^hexbeacon_books_balanced 1$/m);
    expect(metrics).toMatch(
      /^hexbeacon_messages_refused_total\{kind="submission",reason="bad_signature"\} 1$/m,
    );

    child.kill("SIGTERM");
    const stoppingAtMs = Date.now();
    expect(await exited).toBe(0);
    expect(Date.now() - stoppingAtMs).toBeLessThan(15_000);
  });

  test("loses nothing that it acknowledged, wherever it is killed", async () => {
    const KILLS = 5;
    const acknowledged = new Set<string>();
    let salt = 0;
    let random = 12_345;
    for (let kill = 0; kill < KILLS; kill++) {
      const { child, exited } = await start();
      const { epoch } = await peer.nextRound();
      // From right after the first receipt to some rounds later, while submissions are under way.
      random = (random * 1_103_515_245 + 12_345) % 2_147_483_648;
      const killAfter = 1 + (random % 40);
      for (let sent = 0; child.signalCode === null; sent++) {
        const envelopes = Array.from({ length: 4 }, () =>
          signReports(context, salt % HOTSPOTS, epoch, salt++),
        );
        const submitted = peer.submit(envelopes).catch(() => null);
        if (sent === killAfter) child.kill("SIGKILL");
        const receipt = await submitted;
        for (const { id, reason } of receipt?.items ?? [])
          if (reason === null) acknowledged.add(encodeHex(id));
        if (receipt === null || sent > killAfter) break;
      }
      // Where no receipt came for long, it has not been killed yet.
      child.kill("SIGKILL");
      expect(await exited).toBe("SIGKILL");
    }
    const { addresses } = await start();
    const from = await peer.nextRound();
    await peer.nextRound(({ round, epoch }) => round > from.round + 1 && epoch > from.epoch);
    const metrics = await (await fetch(`${addresses.http}/metrics`)).text();
    expect(metrics).toMatch(/^hexbeacon_books_balanced 1$/m);
    running!.child.kill("SIGTERM");
    expect(await running!.exited).toBe(0);

    const { ids, rounds } = await readHome();
    expect(acknowledged.size).toBeGreaterThan(KILLS);
    expect([...acknowledged].filter((id) => !ids.has(id))).toEqual([]);
    const replayed = await runCommand(
      "validator",
      "replay",
      "--home",
      home,
      "--genesis",
      genesisFile,
      "--all",
    );
    const result = JSON.parse(replayed.stdout);
    expect(result).toMatchObject({ equal: true, differing: [] });
    expect(result.epochs.length).toBe(Math.floor(rounds / context.parameters.roundsPerEpoch));
    expect(replayed.status).toBe(0);
  });

  test("is one a home, and ends with its parent", async () => {
    const first = await start();
    await expect(startValidator(home, genesisFile)).rejects.toThrow("another process runs with this home");
    first.child.stdin!.end();
    expect(await first.exited).toBe(0);
  });

  test("says every fault of its configuration at once, with status 2", async () => {
    const wrong = [
      "--home",
      join(folder, "nowhere"),
      "--genesis",
      join(folder, "none.json"),
      "--http",
      "x",
      "--listen",
      "here",
      "--keep-epochs",
      "0",
    ];
    const { status, stderr } = await runCommand("validator", "run", ...wrong);
    expect(status).toBe(2);
    for (const word of ["key", "genesis", "--http", "--listen", "--keep-epochs"])
      expect(stderr).toContain(word);
    const usage = await runCommand("validator", "replay", "--home", home, "--genesis", genesisFile);
    expect([usage.status, usage.stderr]).toEqual([2, "error: give either --epoch N or --all\n"]);
    const nothing = await runCommand(
      "validator",
      "replay",
      "--home",
      home,
      "--genesis",
      genesisFile,
      "--epoch",
      "0",
    );
    expect(nothing.status).toBe(2);
  });
});
