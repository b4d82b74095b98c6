/** A validator as a process of its own, and a peer that submits to it over libp2p, for the end-to-end tests. */
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { expect } from "vitest";
import { createSystemClock } from "../../node/src/host/clock.ts";
import { createSilentLog } from "../../node/src/host/log.ts";
import { createNetwork } from "../../node/src/host/network.ts";
import type { Network } from "../../node/src/host/types.ts";
import { verifySignature } from "../../node/src/host/verify.ts";
import { decodeSignedAnnouncement, type RoundAnnouncement } from "../../protocol/src/agreement/rounds.ts";
import { type SigningDomains, signingMessage } from "../../protocol/src/crypto/domain.ts";
import { encodeParcel } from "../../protocol/src/wire/envelope.ts";
import {
  decodeReceipt,
  decodeSignedReceipt,
  decodeStatusAnswer,
  encodeStatusQuery,
  type MessageStatus,
  RECEIPT_PROTOCOL,
  type Receipt,
  SIGNED_RECEIPT_MAX_BYTES,
  STATUS_ANSWER_MAX_BYTES,
  SUBMIT_PROTOCOL,
  SYNC_PROTOCOL,
} from "../../protocol/src/wire/receipts.ts";
import { reportTopic, roundsTopic } from "../../protocol/src/wire/topics.ts";
import type { ValidatorAddresses } from "../../validator/src/validator.ts";

const COMMAND = fileURLToPath(new URL("../../validator/src/cli/main.ts", import.meta.url));

export type ValidatorProcess = {
  readonly addresses: ValidatorAddresses;
  readonly child: ChildProcess;
  /** The exit status, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals | null>;
  readonly stderr: () => string;
};

/** Starts `validator run` and waits until it is ready. Rejects with what it said where it ends before. */
export async function startValidator(
  home: string,
  genesisFile: string,
  flags: readonly string[] = [],
): Promise<ValidatorProcess> {
  const listen = ["--listen", "/ip4/127.0.0.1/tcp/0", "--http", "127.0.0.1:0"];
  const fixed = ["--home", home, "--genesis", genesisFile, "--ready-json", "--exit-with-parent"];
  const child = spawn(process.execPath, [COMMAND, "validator", "run", ...fixed, ...listen, ...flags], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-20_000);
  });
  const exited = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.once("exit", (code, signal) => resolve(code ?? signal));
  });
  const lines = createInterface({ input: child.stdout });
  const addresses = await Promise.race([
    new Promise<ValidatorAddresses>((resolve) => lines.once("line", (line) => resolve(JSON.parse(line)))),
    exited.then((status): never => {
      throw new Error(`the validator ended (${status}) before it was ready:\n${said}`);
    }),
  ]);
  return { addresses, child, exited, stderr: () => said };
}

/** Runs one command to its end. */
export async function runCommand(
  ...words: readonly string[]
): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const child = spawn(process.execPath, [COMMAND, ...words], { stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { status, stdout, stderr };
}

/** Runs one command that must succeed and complain of nothing; resolves with what it says. */
export async function runToSuccess(...words: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await runCommand(...words);
  expect([status, stderr]).toEqual([0, ""]);
  return stdout;
}

/** A hotspot's side of the wire. */
export type Peer = {
  readonly network: Network;
  readonly dial: (addresses: ValidatorAddresses) => Promise<void>;
  /** Submits and returns the verified receipt; null where there was none. */
  readonly submit: (envelopes: readonly Uint8Array[]) => Promise<Receipt | null>;
  readonly status: (ids: readonly Uint8Array[]) => Promise<MessageStatus[]>;
  readonly newestAnnouncement: () => Promise<Uint8Array>;
  /** Resolves with the first announcement that satisfies the condition, as gossip brings them. */
  readonly nextRound: (
    condition?: (announcement: RoundAnnouncement) => boolean | Promise<boolean>,
  ) => Promise<RoundAnnouncement>;
  readonly stop: () => Promise<void>;
};

export async function createPeer(
  secretSeed: Uint8Array,
  networkId: Uint8Array,
  domains: SigningDomains,
): Promise<Peer> {
  const network = await createNetwork(
    {
      secretSeed,
      listen: [],
      subscribe: [roundsTopic(networkId)],
      publishOnly: [reportTopic(networkId, 0)],
      maxConnections: 8,
      role: "hotspot",
    },
    { clock: createSystemClock(), log: createSilentLog() },
  );
  const watchers = new Set<(announcement: RoundAnnouncement) => void>();
  network.onGossip(roundsTopic(networkId), (_, data) => {
    const signed = decodeSignedAnnouncement(data);
    if (signed === null) return "reject";
    for (const watcher of watchers) watcher(signed.announcement);
    return "accept";
  });
  let validator = "";
  const request = (protocol: string, body: Uint8Array, maxAnswerBytes: number) =>
    network.request(validator, protocol, body, { maxAnswerBytes, timeoutMs: 5_000 });
  return {
    network,
    dial: async ({ multiaddrs }) => {
      validator = (await network.connect(multiaddrs[0]!)).peerId;
    },
    submit: async (envelopes) => {
      const signed = decodeSignedReceipt(
        await request(SUBMIT_PROTOCOL, encodeParcel(envelopes), SIGNED_RECEIPT_MAX_BYTES),
      );
      const isValid =
        signed !== null &&
        verifySignature(signed.signer, signingMessage(domains, "receipt", signed.body), signed.signature);
      return isValid ? decodeReceipt(signed.body) : null;
    },
    status: async (ids) =>
      decodeStatusAnswer(await request(RECEIPT_PROTOCOL, encodeStatusQuery(ids), STATUS_ANSWER_MAX_BYTES))!,
    newestAnnouncement: () => request(SYNC_PROTOCOL, new Uint8Array(0), 16_384),
    nextRound: (condition = () => true) =>
      new Promise((resolve, reject) => {
        const watcher = async (announcement: RoundAnnouncement) => {
          try {
            if (!(await condition(announcement))) return;
            watchers.delete(watcher);
            resolve(announcement);
          } catch (error) {
            watchers.delete(watcher);
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        };
        watchers.add(watcher);
      }),
    stop: () => network.stop(),
  };
}
