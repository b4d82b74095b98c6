/**
 * Failures at the rim: disk, network, configuration. One closed table says which there are; the cause is kept. What
 * peers send is judged by returned values instead, and a bug dies by an assertion.
 */

/** Every code with the exit status that a command ends with when nothing catches it: 2 is for the operator to correct. */
export const RIM_ERRORS = {
  config_invalid: 2,
  genesis_invalid: 2,
  home_missing: 2,
  home_exists: 2,
  home_in_use: 2,
  key_missing: 2,
  key_exists: 2,
  key_malformed: 2,
  key_not_private: 2,
  key_foreign_owner: 2,
  passphrase_missing: 2,
  passphrase_unfit: 2,
  passphrase_wrong: 2,
  backup_malformed: 2,
  backup_busy: 1,
  drain_unfinished: 1,
  file_exists: 2,
  file_unreadable: 1,
  file_unwritable: 1,
  file_corrupt: 1,
  disk_full: 1,
  listen_failed: 1,
  peer_address_invalid: 2,
  peer_unreachable: 1,
  peer_not_connected: 1,
  request_refused: 1,
  request_timeout: 1,
  answer_oversized: 1,
  balance_low: 1,
  store_missing: 2,
  store_foreign: 2,
  store_schema: 2,
  store_sqlite_old: 2,
  store_conflict: 1,
  store_gap: 1,
  votes_conflict: 1,
  key_in_use: 1,
  device_key_failed: 1,
  batch_missing: 1,
  state_diverged: 1,
  checkpoint_missing: 1,
  checkpoint_refused: 1,
  stopped: 1,
} as const;

export type RimErrorCode = keyof typeof RIM_ERRORS;

/** A failure at the rim. `message` is for people and holds no secret. */
export class CodedError extends Error {
  readonly code: RimErrorCode;

  constructor(code: RimErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "CodedError";
    this.code = code;
  }

  /** The exit status of a command that ends with this. */
  get exitCode(): number {
    return RIM_ERRORS[this.code];
  }
}

/** Whether an error is a failure at the rim, and, where codes are given, one of these. */
export function isCodedError(error: unknown, ...codes: readonly RimErrorCode[]): error is CodedError {
  return error instanceof CodedError && (codes.length === 0 || codes.includes(error.code));
}

/** The system's name of a failure ("ENOENT", ...), or null where the error has none. */
export function systemCodeOf(error: unknown): string | null {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" ? code : null;
}
