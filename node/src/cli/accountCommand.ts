/** `hexbeacon account`: the commands of someone who owns hotspots or stakes for a validator, wherever the account's key lies. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Command } from "commander";
import { decodeDidKey, encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import { CodedError } from "../host/codedError.ts";
import { createFile, makePrivateFolder } from "../host/durableFile.ts";
import { createKeyFile } from "../host/keystore.ts";
import type { ChangeRequest } from "./account/changeRequest.ts";
import { createAccountPart, GENESIS_OPTION, VALIDATOR_OPTION } from "./account/flags.ts";
import type { AnyRequest } from "./account/requestFile.ts";
import type { Session } from "./account/session.ts";
import { createAppealCommands } from "./appealCommands.ts";
import { type Checked, GENESIS_FILE, KEY_FILE, readGenesis } from "./config.ts";
import { ConfigErrors, type NodeIo, printJson, printLine, runAction, useIo } from "./io.ts";
import { PASSPHRASE_OPTION, readNewPassphrase } from "./passphrase.ts";
import { createStakeCommands } from "./stakeCommands.ts";

type AccountFlags = {
  readonly home?: string;
  readonly validator?: string;
  readonly genesis?: string;
  readonly passphraseFile?: string;
};
type InitFlags = AccountFlags & { readonly passphrase?: boolean };
type SignFlags = AccountFlags & { readonly request?: string };
type TransferFlags = AccountFlags & { readonly to?: string; readonly amount?: string };

/** Creates the command with its parts. @param io where they write, and how they end. */
export function createAccountCommand(io: NodeIo): Command {
  const account = useIo(new Command("account"), io).description("own hotspots, and be paid");
  const init = new Command("init")
    .description("make an account's home: its key")
    .option("--home <dir>", "folder to create")
    .option("--genesis <file>", "the network's genesis file, copied into the home")
    .option("--passphrase", "put the key under a passphrase, which every command then asks for")
    .option(...PASSPHRASE_OPTION)
    .action((flags: InitFlags) => runAction(io, () => initAccount(flags, io)));
  const info = createAccountPart("info", "say who an account is, and what it has")
    .option(...VALIDATOR_OPTION)
    .action((flags: AccountFlags) => runAction(io, () => printInfo(flags, io)));
  const sign = createAccountPart("sign", "complete what a hotspot has consented to, and send it")
    .option("--request <file>", "what `node register`, `rotate` or `bind` wrote with --out")
    .option(...VALIDATOR_OPTION)
    .option(...GENESIS_OPTION)
    .action((flags: SignFlags) => runAction(io, () => signRequest(flags, io)));
  const transfer = createAccountPart("transfer", "send tokens to another account")
    .option("--to <did>", "did:key of the account that gets them")
    .option("--amount <tokens>", "how many, such as 12 or 0.5")
    .option(...VALIDATOR_OPTION)
    .option(...GENESIS_OPTION)
    .action((flags: TransferFlags) => runAction(io, () => sendTokens(flags, io)));
  for (const part of [init, info, sign, transfer]) account.addCommand(useIo(part, io));
  for (const part of [...createStakeCommands(io), ...createAppealCommands(io)]) account.addCommand(part);
  return account;
}

async function initAccount(flags: InitFlags, io: NodeIo): Promise<void> {
  const { home, genesis: genesisFile } = flags;
  const faults: string[] = [];
  if (home === undefined) faults.push("--home must name a folder");
  const genesis = genesisFile === undefined ? null : await readGenesis(genesisFile);
  if (genesis?.ok === false) faults.push(...genesis.faults);
  if (home === undefined || faults.length > 0) throw new ConfigErrors(faults);
  const wantsPassphrase = flags.passphrase === true || flags.passphraseFile !== undefined;
  const sealing = wantsPassphrase ? { passphrase: await readNewPassphrase(flags, io) } : {};
  await makePrivateFolder(home);
  const { publicKey } = await createKeyFile(join(home, KEY_FILE), sealing);
  if (genesisFile !== undefined) {
    const path = join(home, GENESIS_FILE);
    if (!(await createFile(path, await readFile(genesisFile)))) {
      throw new CodedError("home_exists", `${path} exists: a genesis is never overwritten`);
    }
  }
  printLine(io, encodeDidKey(publicKey));
  printLine(io, computeName(publicKey));
}

async function printInfo(flags: AccountFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const { findApi, readAccount } = await import("./account/open.ts");
  const account = await readAccount(flags.home, "--home", flags.passphraseFile, io, faults);
  const api = flags.validator === undefined ? null : findApi(flags.validator, faults);
  if (account === null || faults.length > 0) throw new ConfigErrors(faults);
  const { publicKey } = account;
  const identity = { did: encodeDidKey(publicKey), name: computeName(publicKey) };
  if (api === null) return printJson(io, identity);
  // An account that was never paid is none to the network yet, and has nothing.
  const { balance, earned, nonce } = (await api.getAccount(publicKey)) ?? {
    balance: 0n,
    earned: 0n,
    nonce: 0,
  };
  printJson(io, { ...identity, balance: `${balance}`, earned: `${earned}`, nonce });
}

async function signRequest(flags: SignFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const { findApi, findGenesis, readAccount, startSession } = await import("./account/open.ts");
  const request = await readRequest(flags.request);
  if (!request.ok) faults.push(...request.faults);
  const account = await readAccount(flags.home, "--home", flags.passphraseFile, io, faults);
  const genesis = await findGenesis(flags.genesis, flags.home, faults);
  const api = findApi(flags.validator, faults);
  const session = await startSession({ account, genesis, api }, faults, io);
  if (!request.ok) throw new ConfigErrors(faults);
  if (request.value.kind === "change") return await signChangeRequest(session, request.value.request, io);
  const { claim, consents, binding } = request.value.request;
  sayHotspot(claim.hotspot, io);
  const { registerHotspot } = await import("./account/registration.ts");
  const { findConsent } = await import("./account/requestFile.ts");
  const hasRegistered = await registerHotspot(session, claim, (epoch) => findConsent(consents, epoch));
  if (hasRegistered && binding !== null) await signChangeRequest(session, binding, io);
}

async function signChangeRequest(session: Session, request: ChangeRequest, io: NodeIo): Promise<void> {
  const { change, consents } = request;
  const { describeChange, sendChange } = await import("./account/change.ts");
  const { findConsent } = await import("./account/requestFile.ts");
  const { expectRequestNetwork } = await import("./account/session.ts");
  expectRequestNetwork(session, request);
  sayHotspot(change.hotspot, io);
  printLine(io, describeChange(change));
  await sendChange(session, change, (epoch) => findConsent(consents, epoch));
}

function sayHotspot(hotspot: Uint8Array, io: NodeIo): void {
  printLine(io, `hotspot: ${encodeDidKey(hotspot)} ${computeName(hotspot)}`);
}

async function readRequest(path: string | undefined): Promise<Checked<AnyRequest>> {
  if (path === undefined) {
    return { ok: false, faults: ["--request must name a file that a command of `node` wrote with --out"] };
  }
  const { readRequestFile } = await import("./account/requestFile.ts");
  return await readRequestFile(path);
}

async function sendTokens(flags: TransferFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const { findApi, findGenesis, readAccount, startSession } = await import("./account/open.ts");
  const { formatTokens, parseTokens } = await import("./account/tokens.ts");
  const to = flags.to === undefined ? null : decodeDidKey(flags.to);
  if (to === null) faults.push("--to must be a did:key of an Ed25519 key");
  const amount = flags.amount === undefined ? null : parseTokens(flags.amount);
  if (amount === null) faults.push("--amount must be a number of tokens above 0, with at most 8 decimals");
  const account = await readAccount(flags.home, "--home", flags.passphraseFile, io, faults);
  const genesis = await findGenesis(flags.genesis, flags.home, faults);
  const api = findApi(flags.validator, faults);
  const session = await startSession({ account, genesis, api }, faults, io);
  if (to === null || amount === null) throw new ConfigErrors(faults);
  const { readStanding, sendTransaction } = await import("./account/session.ts");
  const costs = { amount, fee: session.parameters.txFee };
  const { epoch, nonce } = await readStanding(session, costs);
  const what = `transfer of ${formatTokens(amount)} tokens`;
  await sendTransaction(session, what, { kind: "transfer", epoch, nonce, to, amount });
}
