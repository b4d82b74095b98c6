/** Lanes: batches, acknowledgements and availability certificates (rules A2 to A5), what shells and simulations use. */
export {
  type AuthorEffect,
  type AuthorEvent,
  type AuthorState,
  createAuthor,
  mayTakeOn,
  nextPlace,
  stepAuthor,
} from "./author.ts";
export {
  type AvailabilityState,
  certificateOf,
  createAvailability,
  listNewest,
  stepAvailability,
} from "./availability.ts";
export type { LaneConfig, Place } from "./config.ts";
export {
  createGather,
  type GatherEffect,
  type GatherEvent,
  type GatherState,
  stepGather,
} from "./gather.ts";
export { listHolders, orderAsked } from "./holders.ts";
export {
  MAX_BATCHES_IN_FLIGHT,
  MAX_CERTIFIED_AHEAD,
  MAX_UNCUT_BATCHES,
  RESENT_AT_ONCE,
} from "./limits.ts";
export {
  createPeerLane,
  type Held,
  type Offer,
  type PeerLaneEffect,
  type PeerLaneEvent,
  type PeerLaneState,
  stepPeerLane,
} from "./peerLane.ts";
