/**
 * `account stake` and `account unstake`: tokens locked for a validator's seat, and taken back. The account owns the stake;
 * the validator's key consents to it, so its folder is at hand when something is staked, and need not be to take it back.
 */
import { join } from "node:path";
import type { Command } from "commander";
import { decodeDidKey, encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { areStakeMultiaddrs } from "../../../protocol/src/wire/consents.ts";
import { createAccountPart, GENESIS_OPTION, VALIDATOR_OPTION } from "./account/flags.ts";
import { GENESIS_FILE } from "./config.ts";
import { ConfigErrors, type NodeIo, printLine, runAction, useIo } from "./io.ts";

type StakingFlags = {
  readonly home?: string;
  readonly for?: string;
  readonly validator?: string;
  readonly genesis?: string;
  readonly passphraseFile?: string;
};
type StakeFlags = StakingFlags & {
  readonly forPassphraseFile?: string;
  readonly amount?: string;
  readonly address?: readonly string[];
};
type UnstakeFlags = StakingFlags & { readonly of?: string };

/** Creates both commands, for `account` to take in. @param io where they write, and how they end. */
export function createStakeCommands(io: NodeIo): Command[] {
  const stake = createStakePart("stake", "lock tokens for a validator, or add to what is locked")
    .option("--for <dir>", "the validator's folder, whose key consents")
    .option("--for-passphrase-file <file>", "as --passphrase-file, for the validator's key")
    .option("--amount <tokens>", "how many; without it only the addresses change")
    .option(
      "--address <multiaddr...>",
      "where the validator is reached, such as /dns4/v.example.net/tcp/4467; without it the addresses stay",
    )
    .action((flags: StakeFlags) => runAction(io, () => stakeTokens(flags, io)));
  const unstake = createStakePart("unstake", "let a validator leave; its stake returns later")
    .option("--of <did>", "did:key of the validator")
    .action((flags: UnstakeFlags) => runAction(io, () => unstakeTokens(flags, io)));
  return [stake, unstake].map((part) => useIo(part, io));
}

function createStakePart(name: string, description: string): Command {
  return createAccountPart(name, description)
    .option(...VALIDATOR_OPTION)
    .option(...GENESIS_OPTION);
}

async function stakeTokens(flags: StakeFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const { readAccount } = await import("./account/open.ts");
  const { formatTokens, parseTokens } = await import("./account/tokens.ts");
  const amount = flags.amount === undefined ? 0n : parseTokens(flags.amount);
  if (amount === null) faults.push("--amount must be a number of tokens above 0, with at most 8 decimals");
  if (flags.amount === undefined && flags.address === undefined)
    faults.push("give --amount, --address or both: what is to change");
  if (flags.address !== undefined && !areStakeMultiaddrs(flags.address))
    faults.push("--address takes up to 4 multiaddrs of at most 128 characters, each beginning with /");
  const validator = await readAccount(flags.for, "--for", flags.forPassphraseFile, io, faults);
  const session = await openStaking(flags, faults, io);
  if (amount === null || validator === null) throw new ConfigErrors(faults);
  const { readStanding, sendTransaction } = await import("./account/session.ts");
  const { createStake } = await import("./account/signing.ts");
  const { epoch, nonce } = await readStanding(session, { stake: amount, fee: session.parameters.txFee });
  // A stake says all addresses anew: none would leave the validator with nobody to find it.
  const multiaddrs = flags.address ?? (await session.api.getAddresses(validator.publicKey)) ?? [];
  const terms = { owner: session.account.publicKey, epoch, nonce, amount, multiaddrs };
  const what = amount === 0n ? "addresses" : `stake of ${formatTokens(amount)} tokens`;
  printLine(io, `validator: ${encodeDidKey(validator.publicKey)}`);
  printLine(io, `reached at: ${multiaddrs.length === 0 ? "no address" : multiaddrs.join(", ")}`);
  await sendTransaction(session, what, createStake(session.domains, validator, terms));
  printLine(
    io,
    `it may have a seat from epoch ${epoch + 2} on, with at least ${formatTokens(session.parameters.validatorStake)} tokens`,
  );
}

async function unstakeTokens(flags: UnstakeFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const validator = flags.of === undefined ? null : decodeDidKey(flags.of);
  if (validator === null) faults.push("--of must be the did:key of a validator");
  const session = await openStaking(flags, faults, io);
  if (validator === null) throw new ConfigErrors(faults);
  const { readStanding, sendTransaction } = await import("./account/session.ts");
  const { epoch, nonce } = await readStanding(session, { fee: session.parameters.txFee });
  await sendTransaction(session, "unstake", { kind: "unstake", epoch, nonce, validator });
  printLine(io, `its stake returns ${session.parameters.unbondEpochs} epochs after its last seat`);
  printLine(io, "keep the validator running until /v1/validators shows it without one");
}

/** A session of the flags' account. @throws ConfigErrors with every fault so far. */
async function openStaking(flags: StakingFlags, faults: string[], io: NodeIo) {
  const { findApi, findGenesis, readAccount, startSession } = await import("./account/open.ts");
  const account = await readAccount(flags.home, "--home", flags.passphraseFile, io, faults);
  const genesis = await findGenesis(flags.genesis, await chooseGenesisHome(flags), faults);
  const api = findApi(flags.validator, faults);
  return await startSession({ account, genesis, api }, faults, io);
}

/** The validator's folder, which has a genesis as soon as it joins or runs, where the account's has none. */
async function chooseGenesisHome({ home, for: validator }: StakingFlags): Promise<string | undefined> {
  if (home === undefined || validator === undefined) return home;
  const { isThere } = await import("../host/durableFile.ts");
  return (await isThere(join(home, GENESIS_FILE))) ? home : validator;
}
