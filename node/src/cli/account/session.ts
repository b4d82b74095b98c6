/**
 * An account at work: its key, its network and a validator that takes what it sends. A transaction is sent once, with
 * nonce and epoch as the validator tells them, and followed until it has a verdict.
 */
import { equalBytes } from "../../../../protocol/src/bytes/bytes.ts";
import { encodeHex0x } from "../../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../../protocol/src/crypto/didKey.ts";
import { createSigningDomains, type SigningDomains } from "../../../../protocol/src/crypto/domain.ts";
import type { Ed25519KeyPair } from "../../../../protocol/src/crypto/ed25519.ts";
import { computeNetworkId, type Genesis } from "../../../../protocol/src/network/genesis.ts";
import type { Parameters } from "../../../../protocol/src/network/parameters.ts";
import type { Transaction } from "../../../../protocol/src/wire/transactions.ts";
import { CodedError } from "../../host/codedError.ts";
import type { Clock } from "../../host/types.ts";
import { ConfigErrors } from "../io.ts";
import { signTransaction } from "./signing.ts";
import { formatTokens } from "./tokens.ts";
import type { ValidatorApi } from "./validatorApi.ts";
import { describeRefusal } from "./words.ts";

/** A verdict takes a few rounds; after so many something is wrong, and the transaction can be looked up by its id. */
const PATIENCE_ROUNDS = 60;
/** Rounds of the `test` preset are so short that a busy machine takes longer for a question. */
const LEAST_PATIENCE_MS = 30_000;
/** Asking more often than rounds come tells nothing new; more often than this would use up the API's allowance. */
const LEAST_POLL_MS = 500;

export type Session = {
  readonly account: Ed25519KeyPair;
  readonly networkId: Uint8Array;
  readonly domains: SigningDomains;
  readonly parameters: Parameters;
  readonly api: ValidatorApi;
  readonly clock: Clock;
  /** Tells the person what happens, a line at a time. */
  readonly say: (line: string) => void;
};

/** Where an account stands now. */
export type Standing = { readonly epoch: number; readonly nonce: number; readonly balance: bigint };

/** @throws ConfigErrors where the validator is of another network than the genesis. */
export async function openSession(
  genesis: Genesis,
  parts: Pick<Session, "account" | "api" | "clock" | "say">,
): Promise<Session> {
  const networkId = computeNetworkId(genesis);
  await expectNetwork(parts.api, networkId);
  return { ...parts, networkId, domains: createSigningDomains(networkId), parameters: genesis.parameters };
}

/** Checks that what a hotspot consented to is for a session's network. @throws ConfigErrors. */
export function expectRequestNetwork(
  { networkId }: Pick<Session, "networkId">,
  request: { readonly networkId: Uint8Array },
): void {
  if (equalBytes(request.networkId, networkId)) return;
  throw new ConfigErrors(["the request is for another network than the genesis file's"]);
}

/**
 * Checks that a validator is of this network: what is signed for one is void on another.
 * @returns the epoch it is in. @throws ConfigErrors.
 */
export async function expectNetwork(api: ValidatorApi, networkId: Uint8Array): Promise<number> {
  const status = await api.getStatus();
  if (status.networkId === encodeHex0x(networkId)) return status.epoch;
  throw new ConfigErrors(["the validator is of another network than the genesis file"]);
}

/**
 * Asks for epoch, nonce and balance, and refuses to go on with less than what is needed.
 * @param costs what has to be paid, in base units, each with its name.
 * @throws CodedError "balance_low".
 */
export async function readStanding(
  { api, account, networkId }: Session,
  costs: Readonly<Record<string, bigint>>,
): Promise<Standing> {
  const [epoch, known] = await Promise.all([
    expectNetwork(api, networkId),
    api.getAccount(account.publicKey),
  ]);
  const { nonce, balance } = known ?? { nonce: 0, balance: 0n };
  const needed = Object.values(costs).reduce((sum, cost) => sum + cost, 0n);
  if (known !== null && balance >= needed) return { epoch, nonce, balance };
  const list = Object.entries(costs)
    .filter(([, cost]) => cost > 0n)
    .map(([name, cost]) => `${name} ${formatTokens(cost)}`)
    .join(", ");
  const has =
    known === null
      ? "nothing was ever paid to the account"
      : `the account has ${formatTokens(balance)} tokens`;
  const asks =
    list === ""
      ? "so the network does not know it"
      : `and ${formatTokens(needed)} tokens are needed (${list})`;
  const words = `${has}, ${asks}: have account transfer pay to ${encodeDidKey(account.publicKey)}`;
  throw new CodedError("balance_low", words);
}

/**
 * Sends a transaction and waits for its verdict.
 * @param what names it for people, such as "registration".
 * @throws CodedError "request_refused" with the reason in words; "request_timeout" where there is no verdict in time.
 */
export async function sendTransaction(
  session: Session,
  what: string,
  transaction: Transaction,
): Promise<void> {
  const { api, say, domains, account } = session;
  const { id, envelope } = signTransaction(domains, account, transaction);
  const answer = await api.submit(envelope);
  // The same bytes give the same id: sent again after a lost answer, it is still this transaction.
  if (answer !== null && answer.refusal !== "duplicate_message") {
    throw new CodedError("request_refused", `${what} refused: ${describeRefusal(answer.refusal)}`);
  }
  say(`${what}: sent, transaction ${encodeHex0x(id)}`);
  const { verdict, reason } = await waitForVerdict(session, what, id);
  if (verdict === "refused") {
    throw new CodedError("request_refused", `${what} refused: ${describeRefusal(reason)}`);
  }
  say(`${what}: accepted`);
}

async function waitForVerdict({ api, clock, parameters }: Session, what: string, id: Uint8Array) {
  const { roundMs } = parameters;
  const deadlineMs = clock.elapsedMs() + Math.max(LEAST_PATIENCE_MS, PATIENCE_ROUNDS * roundMs);
  while (clock.elapsedMs() < deadlineMs) {
    const answer = await api.getTransaction(id);
    if (answer !== null && answer.verdict !== "pending") return answer;
    await new Promise<void>((resolve) => clock.after(Math.max(LEAST_POLL_MS, roundMs), resolve));
  }
  const place = `/v1/transactions/${encodeHex0x(id)}`;
  throw new CodedError("request_timeout", `${what}: no verdict yet; ${place} tells when there is one`);
}
