/** What is told of rounds as they happen. */
import { type Static, Type } from "typebox";
import {
  Count,
  EpochNumber,
  Key,
  Name,
  object,
  orNull,
  ReasonText,
  ReportIdText,
  RoundNumber,
  TimeMs,
} from "./common.ts";
import { Epoch } from "./entities.ts";

export const RoundEvent = object(
  {
    round: RoundNumber,
    epoch: EpochNumber,
    timeMs: TimeMs,
    messages: Count,
    transactions: Count,
    beaconsClosed: Count,
  },
  "A round was executed.",
);
export type RoundEventJson = Static<typeof RoundEvent>;

export const BeaconEvent = object(
  {
    id: ReportIdText,
    hotspot: Key,
    name: Name,
    epoch: EpochNumber,
    reason: orNull(ReasonText),
    witnesses: object({ accepted: Count, unpaid: Count, refused: Count }),
  },
  "A beacon was closed; its whole evidence is at /v1/beacons/{id}.",
);
export type BeaconEventJson = Static<typeof BeaconEvent>;

const Id = Type.String({
  pattern: "^[0-9]+[.][0-9]+$",
  description: "The round and the place in it, the same on every validator: what Last-Event-ID names.",
});

/** As the fields of a server-sent event; `data` is JSON on one line. */
export const StreamEvent = Type.Union(
  [
    object({ id: Id, event: Type.Literal("round"), data: RoundEvent }),
    object({ id: Id, event: Type.Literal("beacon"), data: BeaconEvent }),
    object({ id: Id, event: Type.Literal("epoch"), data: Epoch }),
    object({ event: Type.Literal("gap"), data: object({}) }, "Events before this are no longer kept."),
  ],
  { description: "One event of the stream; its `data` comes as JSON on one line." },
);
