/** What the commands of an account have in common: its home, its network's genesis, and a session with a validator. */
import { join } from "node:path";
import type { Ed25519KeyPair } from "../../../../protocol/src/crypto/ed25519.ts";
import type { Genesis } from "../../../../protocol/src/network/genesis.ts";
import { createSystemClock } from "../../host/clock.ts";
import { isCodedError } from "../../host/codedError.ts";
import { openKeyFile } from "../../host/keystore.ts";
import { GENESIS_FILE, KEY_FILE, readGenesis } from "../config.ts";
import { ConfigErrors, type NodeIo, printLine } from "../io.ts";
import { readPassphrase } from "../passphrase.ts";
import { openSession, type Session } from "./session.ts";
import { createValidatorApi, parseApiUrl, type ValidatorApi } from "./validatorApi.ts";

/** The account's key; null where there is a fault, which is added. @param flag what a fault calls the folder. */
export async function readAccount(
  home: string | undefined,
  flag: string,
  passphraseFile: string | undefined,
  io: NodeIo,
  faults: string[],
): Promise<Ed25519KeyPair | null> {
  if (home === undefined) {
    faults.push(`${flag} must name an account's folder`);
    return null;
  }
  const flags = passphraseFile === undefined ? {} : { passphraseFile };
  try {
    return await openKeyFile(join(home, KEY_FILE), () => readPassphrase(flags, io, "the account's key"));
  } catch (error) {
    if (!isCodedError(error)) throw error;
    faults.push(error.message);
    return null;
  }
}

/** The genesis that is named, else the home's; null where there is a fault, which is added. */
export async function findGenesis(
  named: string | null | undefined,
  home: string | undefined,
  faults: string[],
): Promise<Genesis | null> {
  const path = named ?? (home === undefined ? null : join(home, GENESIS_FILE));
  if (path === null) return null;
  const genesis = await readGenesis(path);
  if (genesis.ok) return genesis.value;
  faults.push(...genesis.faults);
  if (typeof named !== "string") faults.push("--genesis names the network's file where the home has none");
  return null;
}

/** The API at an address; null where that is none, which is a fault that is added. */
export function findApi(url: string | undefined, faults: string[]): ValidatorApi | null {
  const parsed = url === undefined ? null : parseApiUrl(url);
  if (parsed !== null) return createValidatorApi(parsed);
  faults.push("--validator must be the address of a validator's API, such as http://127.0.0.1:8080");
  return null;
}

/** What tells a command where a hotspot's owner signs. */
export type OwnerFlags = {
  readonly account?: string;
  readonly validator?: string;
  readonly out?: string;
  readonly accountPassphraseFile?: string;
};

/**
 * The owner's key where it is on this machine, and the validator to ask; null where none is asked for, or where there is a
 * fault, which is added. @param api the hotspot's setting, for where no validator is named.
 */
export async function findOwner(
  { account: folder, validator, out, accountPassphraseFile }: OwnerFlags,
  api: string | null,
  io: NodeIo,
  faults: string[],
): Promise<{ readonly account: Ed25519KeyPair | null; readonly api: ValidatorApi | null }> {
  if ((folder === undefined) === (out === undefined)) {
    faults.push("either --account must name the owner's folder, or --out a file for it to sign");
  }
  const account =
    folder === undefined ? null : await readAccount(folder, "--account", accountPassphraseFile, io, faults);
  const url = validator ?? api ?? undefined;
  return { account, api: out === undefined || url !== undefined ? findApi(url, faults) : null };
}

/** A session of these parts. @throws ConfigErrors with every fault found so far, or where one of them is missing. */
export async function startSession(
  parts: { account: Ed25519KeyPair | null; genesis: Genesis | null; api: ValidatorApi | null },
  faults: readonly string[],
  io: NodeIo,
): Promise<Session> {
  const { account, genesis, api } = parts;
  if (account === null || genesis === null || api === null || faults.length > 0) {
    throw new ConfigErrors(faults);
  }
  const clock = createSystemClock();
  return await openSession(genesis, { account, api, clock, say: (line) => printLine(io, line) });
}
