/** A running validator among peers that send nonsense: each gets its reason, in the receipt and in the metrics. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { makePrivateFolder } from "../../node/src/host/durableFile.ts";
import { writeKeyFile } from "../../node/src/host/keystore.ts";
import { encodeHex0x } from "../../protocol/src/bytes/hex.ts";
import { decodeReason, type Reason } from "../../protocol/src/evidence/reasons.ts";
import { encodeGenesisJson } from "../../protocol/src/network/genesis.ts";
import { PRESETS } from "../../protocol/src/network/presets.ts";
import { decodeEnvelope, encodeEnvelope } from "../../protocol/src/wire/envelope.ts";
import { type Receipt, SUBMIT_PROTOCOL } from "../../protocol/src/wire/receipts.ts";
import { encodeReportBundle, MAX_REPORTS_PER_BUNDLE } from "../../protocol/src/wire/reports.ts";
import { reportTopic } from "../../protocol/src/wire/topics.ts";
import { MAX_TRANSACTION_BYTES } from "../../protocol/src/wire/transactions.ts";
import { homePaths } from "../../validator/src/home.ts";
import {
  type Context,
  contextOf,
  createTestGenesis,
  hotspotKey,
  keyNamed,
  OWNER,
  signEnvelope,
  signReports,
  signTransaction,
  VALIDATOR,
  witnessBundle,
} from "../unit/validator/support/network.ts";
import { createPeer, type Peer, startValidator, type ValidatorProcess } from "./validatorProcess.ts";

const FUTURE_MS = 3_600_000;
/** Epochs of 10 s: a body is admitted in its own and the next, and a test says a dozen things in one. */
const EPOCHS = { ...PRESETS.test, roundsPerEpoch: 50 } as const;

let folder: string;
let context: Context;
let peer: Peer;
let validatorPeerId: string;
let running: ValidatorProcess;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "hexbeacon-hostile-"));
  context = contextOf(createTestGenesis(3, Date.now(), EPOCHS));
  const genesisFile = join(folder, "genesis.json");
  writeFileSync(genesisFile, encodeGenesisJson(context.genesis));
  const home = join(folder, "home");
  await makePrivateFolder(home);
  await writeKeyFile(homePaths(home).key, VALIDATOR.secretSeed);
  running = await startValidator(home, genesisFile);
  peer = await createPeer(keyNamed("peer").secretSeed, context.networkId, context.domains);
  validatorPeerId = (await peer.network.connect(running.addresses.multiaddrs[0]!)).peerId;
  await peer.dial(running.addresses);
});
afterEach(async () => {
  await peer.stop();
  running.child.kill("SIGKILL");
  await running.exited;
});

const reasonsOf = (receipt: Receipt | null) => receipt?.items.map(({ reason }) => reason);
const read = async (path: string): Promise<Response> => fetch(`${running.addresses.http}${path}`);

async function countRefused(kind: "submission" | "reports", reason: Reason): Promise<number> {
  const series = `hexbeacon_messages_refused_total{kind="${kind}",reason="${reason}"} `;
  const lines = (await (await read("/metrics")).text()).split("\n");
  return Number(lines.find((line) => line.startsWith(series))?.slice(series.length));
}

function withSignature(envelope: Uint8Array, signature: Uint8Array): Uint8Array {
  const decoded = decodeEnvelope(envelope);
  if (!decoded.ok) throw new Error("no envelope");
  return encodeEnvelope({ ...decoded.envelope, signature });
}

test("every refusal is told to the sender, counted, and harms nobody", async () => {
  const { epoch } = await peer.nextRound();
  const own = (salt: number) => signReports(context, 0, epoch, salt);
  const known = own(1);
  expect(reasonsOf(await peer.submit([known]))).toEqual([null]);
  const hostile: [Reason, Uint8Array][] = [
    ["malformed", Uint8Array.of(1, 2, 3)],
    ["malformed", signEnvelope(context, hotspotKey(0), "reports", new Uint8Array(40))],
    ["oversized", signEnvelope(context, OWNER, "transfer", new Uint8Array(MAX_TRANSACTION_BYTES + 1))],
    ["unknown_kind", Uint8Array.from(own(2), (byte, at) => (at === 0 ? 99 : byte))],
    ["bad_signature", withSignature(own(3), new Uint8Array(64))],
    ["bad_signature", signReports(contextOf(createTestGenesis(2)), 0, epoch, 4)],
    ["duplicate_message", known],
    ["unknown_sender", signReports(context, 77, epoch, 5)],
    ["future_epoch", signReports(context, 0, epoch + 5, 6)],
  ];
  for (const [reason, envelope] of hostile) {
    expect([reason, reasonsOf(await peer.submit([envelope]))]).toEqual([reason, [reason]]);
  }
  for (const reason of new Set(hostile.map(([each]) => each))) {
    const expected = hostile.filter(([each]) => each === reason).length;
    expect([reason, await countRefused("submission", reason)]).toEqual([reason, expected]);
  }

  // Twice a sender's quota in one parcel, and the same message twice in one.
  const { reportsPerEpoch } = context.parameters;
  const full = Array.from({ length: (2 * reportsPerEpoch) / MAX_REPORTS_PER_BUNDLE }, (_, index) => {
    const salts = Array.from({ length: MAX_REPORTS_PER_BUNDLE }, (__, at) => 1_000 + index * 100 + at);
    const witnesses = salts.flatMap((salt) => witnessBundle(epoch, salt).witnesses);
    const bundle = { epoch, beacons: [], reveals: [], witnesses };
    return signEnvelope(context, hotspotKey(1), "reports", encodeReportBundle(bundle));
  });
  const answers = reasonsOf(await peer.submit(full))!;
  expect(answers.filter((reason) => reason === null)).toHaveLength(reportsPerEpoch / MAX_REPORTS_PER_BUNDLE);
  expect(answers.at(-1)).toBe("rate_limited");
  const twice = own(7);
  expect(reasonsOf(await peer.submit([twice, twice]))).toEqual([null, "duplicate_message"]);

  // What is no parcel at all has no receipt or one that says so; the link and the validator live on.
  for (const bytes of [new Uint8Array(0), new Uint8Array(70_000).fill(7), Uint8Array.of(255, 255)]) {
    await peer.network
      .request(validatorPeerId, SUBMIT_PROTOCOL, bytes, { maxAnswerBytes: 4_096, timeoutMs: 5_000 })
      .catch(() => null);
  }
  expect(reasonsOf(await peer.submit([own(8)]))).toEqual([null]);

  // Gossip has no receipt, but the same counters.
  await peer.network.publish(reportTopic(context.networkId, 0), Uint8Array.of(9, 9, 9));
  await peer.nextRound(async () => (await countRefused("reports", "malformed")) > 0);
  expect((await read("/readyz")).status).toBe(200);
});

test("what only execution can judge gets its reason from the receipt stream and the API", async () => {
  const { epoch } = await peer.nextRound();
  const [report] = witnessBundle(epoch, 1).witnesses;
  const measurement = { ...report!.measurement, timeMs: Date.now() + FUTURE_MS };
  const bundle = { epoch, beacons: [], reveals: [], witnesses: [{ ...report!, measurement }] };
  const receipt = await peer.submit([
    signEnvelope(context, hotspotKey(0), "reports", encodeReportBundle(bundle)),
  ]);
  expect(reasonsOf(receipt)).toEqual([null]);
  const ids = receipt!.items.map(({ id }) => id);
  await peer.nextRound(async () => (await peer.status(ids))[0]!.state === "included");
  expect((await peer.status(ids))[0]!.verdicts.map(decodeReason)).toEqual(["future_dated"]);

  const to = keyNamed("heir").publicKey;
  const transfers = [1n, 2n].map((amount) =>
    signTransaction(context, OWNER, { kind: "transfer", epoch, nonce: 0, to, amount }),
  );
  // In one parcel: after the first one's execution the second would not be admitted.
  const admitted = await peer.submit(transfers);
  expect(reasonsOf(admitted)).toEqual([null, null]);
  const transactionIds = admitted!.items.map(({ id }) => encodeHex0x(id));
  const verdictOf = async (id: string) =>
    (await (await read(`/v1/transactions/${id}`)).json()) as { verdict: string };
  await peer.nextRound(async () => (await verdictOf(transactionIds[1]!)).verdict !== "pending");
  const verdicts = await Promise.all(transactionIds.map(verdictOf));
  expect(verdicts.sort((a, b) => a.verdict.localeCompare(b.verdict))).toMatchObject([
    { verdict: "accepted", reason: null, kind: "transfer" },
    { verdict: "refused", reason: "wrong_nonce", kind: "transfer" },
  ]);
  const unknown = await read(`/v1/transactions/${encodeHex0x(new Uint8Array(32))}`);
  expect([unknown.status, unknown.headers.get("content-type")]).toEqual([
    404,
    "application/problem+json; charset=utf-8",
  ]);

  // Two epochs later the same body is out of its window.
  await peer.nextRound((announcement) => announcement.epoch >= epoch + 2);
  expect(reasonsOf(await peer.submit([signReports(context, 2, epoch, 3)]))).toEqual(["stale_epoch"]);
});
