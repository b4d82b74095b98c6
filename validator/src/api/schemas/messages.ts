/** The forms of one message's way. */
import { type Static, Type } from "typebox";
import {
  Amount,
  Count,
  EpochNumber,
  Hash,
  Key,
  object,
  oneOf,
  orNull,
  ReasonText,
  RoundNumber,
  TimeMs,
} from "./common.ts";
import { Activity } from "./entities.ts";

export const MessageTrace = object(
  {
    id: Hash,
    state: oneOf(["pending", "included"]),
    intake: orNull(
      object(
        {
          way: oneOf(["submission", "reports", "transactions"], "Submitted, or by one of gossip's topics."),
          receivedMs: TimeMs,
          admittedMs: TimeMs,
          certifiedMs: orNull(TimeMs),
        },
        "By this validator's clock, where the message came to it lately.",
      ),
    ),
    batch: orNull(
      object(
        { lane: Key, seq: Count, digest: Hash },
        "What brought it into its round; null once its body is given up.",
      ),
    ),
    round: orNull(
      object({
        round: RoundNumber,
        epoch: EpochNumber,
        timeMs: Type.Integer({ description: "The time that the validators agreed on." }),
        decidedMs: orNull(TimeMs),
        executedMs: orNull(TimeMs),
      }),
    ),
    transaction: orNull(object({ kind: Type.String(), reason: orNull(ReasonText) })),
    reports: Type.Array(
      Type.Object(
        {
          ...Activity.properties,
          hotspot: Key,
          closed: orNull(
            object({ epoch: EpochNumber, round: RoundNumber, beaconReason: orNull(ReasonText) }),
          ),
          paid: orNull(
            object(
              { epoch: EpochNumber, beacons: Amount, witnesses: Amount, total: Amount },
              "Of the hotspot, in all, in the epoch in which the beacon closed.",
            ),
          ),
        },
        { additionalProperties: false },
      ),
    ),
  },
  "One message's way through this validator. Ids are remembered for three epochs.",
);
export type MessageTraceJson = Static<typeof MessageTrace>;
