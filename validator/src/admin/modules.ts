/** What the operators' interface is made of: the seams to the rest of the validator, each as narrow as its use. */
import type { LeveledLog } from "../../../node/src/host/log.ts";
import type { Clock, ConnectionView, Log } from "../../../node/src/host/types.ts";
import type { BackupSummary } from "../backup/backup.ts";
import type { Draining } from "../draining.ts";
import type { BanBook } from "./bans.ts";
import type { AdminTarget } from "./signedRequest.ts";

/** What somebody who joins must pin, and whom to ask for it. */
export type CheckpointOffer = {
  readonly epoch: number;
  readonly stateRoot: Uint8Array;
  /** Validators that attested to the root, of how many. */
  readonly signers: number;
  readonly validators: number;
  /** Where this validator is reached. */
  readonly multiaddrs: readonly string[];
};

export type AdminModules = {
  readonly clock: Pick<Clock, "nowMs" | "elapsedMs">;
  readonly log: Log;
  readonly level: Pick<LeveledLog, "level" | "setLevel">;
  readonly bans: BanBook;
  readonly connections: () => readonly ConnectionView[];
  readonly disconnect: (peerId: string) => Promise<void>;
  /** Whether a key sits among the validators about now. */
  readonly isSeated: (key: Uint8Array) => boolean;
  /** The newest epoch whose state is kept and attested to; null before there is one. */
  readonly findCheckpoint: () => Promise<CheckpointOffer | null>;
  readonly draining: Draining;
  /** Copies the home into a folder that is made for it. */
  readonly backUp: (folder: string) => Promise<BackupSummary>;
};

/** Where operators are listened to: a socket in the home, which only its owner can open, or a port on loopback. */
export type AdminEndpoint =
  | { readonly socket: string }
  | { readonly host: "127.0.0.1" | "::1"; readonly port: number };

export type AdminOptions = {
  readonly listen: AdminEndpoint;
  readonly target: AdminTarget;
  /** Public keys. */
  readonly operators: readonly Uint8Array[];
  /** The file of the audit log. */
  readonly auditFile: string;
  readonly version: string;
};
