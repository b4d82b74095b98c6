/** The forms of the operators' interface. */
import { Type } from "typebox";
import { LOG_LEVELS } from "../../../node/src/host/log.ts";
import { Count, Hash, Key, Name, object, oneOf, orNull, TimeMs } from "../api/schemas/common.ts";
import { AUDIT_EVENTS } from "./auditLog.ts";
import { MAX_BAN_REASON_CHARS } from "./bans.ts";

/** Ten years: longer ones are meant for ever. */
const MAX_BAN_SECONDS = 315_360_000;
/** As long as an operator may wish to wait; the default is the window in which acknowledged messages must be in. */
const MAX_DRAIN_SECONDS = 86_400;
const MAX_PATH_CHARS = 1_024;
/** Lines in one answer: some 300 bytes each. */
export const MAX_AUDIT_LINES = 1_000;

export const Ban = object({
  peer: Key,
  name: Name,
  reason: Type.String(),
  sinceMs: TimeMs,
  untilMs: orNull(TimeMs),
  operator: Key,
});
export const BanOrder = object({
  reason: Type.String({
    minLength: 1,
    maxLength: MAX_BAN_REASON_CHARS,
    description: "For whoever asks later.",
  }),
  seconds: Type.Optional(
    Type.Integer({ minimum: 1, maximum: MAX_BAN_SECONDS, description: "How long; for ever without it." }),
  ),
  force: Type.Optional(
    Type.Boolean({ description: "Ban a validator too: without its links this one may miss decisions." }),
  ),
});
export const Bans = object({ items: Type.Array(Ban) });
export const Lifted = object({ wasBanned: Type.Boolean() });

export const Peers = object({
  items: Type.Array(
    object({
      peerId: Type.String(),
      peer: orNull(Key),
      name: orNull(Name),
      address: Type.String({ description: "A multiaddr." }),
      direction: oneOf(["inbound", "outbound"]),
      connectedMs: Count,
      score: Type.Number({ description: "What gossip thinks of it; below 0 it has misbehaved lately." }),
      seated: Type.Boolean(),
    }),
  ),
});

export const Level = object({ level: oneOf([...LOG_LEVELS]) });

export const CheckpointForm = object({
  checkpoint: Type.String({ description: "What `validator join --checkpoint` takes." }),
  epoch: Count,
  stateRoot: Hash,
  signers: Count,
  validators: Count,
  networkId: Hash,
  from: Type.Array(Type.String(), { description: "What `validator join --from` takes." }),
});

export const DrainOrder = object({
  seconds: Type.Optional(Type.Integer({ minimum: 1, maximum: MAX_DRAIN_SECONDS })),
});
export const DrainForm = object({
  draining: Type.Boolean(),
  untilMs: orNull(TimeMs),
  batchesWaiting: Count,
});

export const BackupOrder = object({
  folder: Type.String({
    minLength: 2,
    maxLength: MAX_PATH_CHARS,
    pattern: "^/",
    description: "An absolute path on the validator's machine; the folder is made.",
  }),
});
export const BackupForm = object({
  folder: Type.String(),
  round: orNull(Count),
  files: Count,
  bytes: Count,
  milliseconds: Count,
});

export const Audit = object({
  lines: Count,
  head: Type.String({ pattern: "^[0-9a-f]{64}$", description: "The hash of the newest line." }),
  brokenAt: orNull(Count),
  items: Type.Array(
    Type.Object(
      {
        seq: Type.Number(),
        time: Type.String(),
        event: oneOf([...AUDIT_EVENTS]),
        operator: orNull(Type.String()),
        request: Type.String(),
        previous: Type.String(),
      },
      // What else an event tells differs from event to event.
      { additionalProperties: true, description: "A line as it stands in the file." },
    ),
  ),
});
