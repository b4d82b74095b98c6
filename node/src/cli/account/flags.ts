/** Options of the commands that need an account or a validator's API; apart, so that naming them loads nothing else. */

export const VALIDATOR_OPTION = [
  "--validator <url>",
  "a validator's HTTP API, such as http://127.0.0.1:8080",
] as const;

export const ACCOUNT_PASSPHRASE_OPTION = [
  "--account-passphrase-file <file>",
  "as --passphrase-file, for the account's key",
] as const;
