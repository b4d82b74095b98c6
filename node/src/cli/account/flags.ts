/** Options of the commands that need an account or a validator's API; apart, so that naming them loads nothing of what runs. */
import { Command } from "commander";
import { PASSPHRASE_OPTION } from "../passphrase.ts";

const HOME_OPTION = ["--home <dir>", "the account's folder"] as const;

export const GENESIS_OPTION = [
  "--genesis <file>",
  "the network's genesis file, where no folder named here has it",
] as const;

export const VALIDATOR_OPTION = [
  "--validator <url>",
  "a validator's HTTP API, such as http://127.0.0.1:8080",
] as const;

export const ACCOUNT_PASSPHRASE_OPTION = [
  "--account-passphrase-file <file>",
  "as --passphrase-file, for the account's key",
] as const;

/** A part of `account` that opens the account's own folder, with the options for that. */
export function createAccountPart(name: string, description: string): Command {
  return new Command(name)
    .description(description)
    .option(...HOME_OPTION)
    .option(...PASSPHRASE_OPTION);
}
