/**
 * What a validator tells Prometheus of agreement: how long rounds and views take, who votes and who does not, how far
 * lanes and this validator itself are from the others. A validator is named by its seat, of which there are at most a
 * hundred; never by its key.
 */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";
import type { ValidatorSet } from "../../protocol/src/agreement/certificates.ts";
import { DROP_REASONS, type DropReason } from "../../protocol/src/agreement/drops.ts";
import { PEER_MESSAGE_TYPES, type PeerMessageType } from "../../protocol/src/agreement/peerMessages.ts";
import { decodeBitmap, type Value } from "../../protocol/src/agreement/rounds.ts";
import { MESH_REFUSALS, type MeshRefusal } from "./mesh/mesh.ts";

/** What a validator votes; a proposal is told by what its view becomes. */
export const VOTED_KINDS = ["notarize", "nullify", "finalize"] as const;
export type VotedKind = (typeof VOTED_KINDS)[number];
/** Own votes that left, and others' that came in, repetitions included. */
export const VOTE_WAYS = ["sent", "received"] as const;
export type VoteWay = (typeof VOTE_WAYS)[number];

/** Asked for when Prometheus asks. */
export type AgreementSources = {
  /** Other validators that a link stands to. */
  readonly validatorsConnected: () => number;
  /** The running epoch's set, and the own seat in it; null without one. */
  readonly seats: () => { readonly count: number; readonly quorum: number; readonly own: number | null };
  /** Rounds that others have decided and this validator has not. */
  readonly roundsBehind: () => number;
  /** Batches that execution waits for, and that nobody who can be asked has. */
  readonly batchesMissing: () => number;
  /** Epochs until others' batches are acknowledged again, since the home was lost or restored. */
  readonly ackWaitEpochs: () => number;
  /** How far the own clock is ahead of the other validators'; null where none was heard lately. */
  readonly clockOffsetMs: () => number | null;
  /** Batches of each lane beyond the last decided cut, by seat. */
  readonly laneWindows: () => readonly { readonly seat: number; readonly batches: number }[];
};

/** What an instance of agreement and the attestor report as it happens. */
export type AgreementObserver = {
  /** A round was decided after so many leaders were passed over. */
  readonly onViewChanges: (views: number) => void;
  /** A view ended, by the next one or by the decision. */
  readonly onViewEnded: (seconds: number) => void;
  /** From the own Tips to the decision. */
  readonly onRoundSettled: (seconds: number) => void;
  readonly onVote: (way: VoteWay, kind: VotedKind) => void;
  /** A validator signed what no honest one signs. */
  readonly onEvidence: () => void;
  readonly onRewardCert: () => void;
  /** Validators attested differently of one epoch. */
  readonly onSplitAttestation: () => void;
  /** The own votes are older than what others hold of this validator. */
  readonly onRestored: () => void;
  /** What another validator said had no effect on agreement, lanes or attestation. */
  readonly onDropped: (message: PeerMessageType, reason: DropReason) => void;
};

export type AgreementMetrics = AgreementObserver & {
  /** A decided value says who finalized the round before it. @param set that decided that round. */
  readonly onParticipation: (value: Pick<Value, "previousFinal">, set: ValidatorSet) => void;
  /** Something that came over the mesh went no further. */
  readonly onRefusedByMesh: (reason: MeshRefusal) => void;
};

/** On one machine a round takes tens of milliseconds; the longest view, a minute. */
const AGREEMENT_BUCKETS_SECONDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30, 60];

/** Adds the metrics to the validator's registry. */
export function createAgreementMetrics(registry: Registry, sources: AgreementSources): AgreementMetrics {
  addSources(registry, sources);
  const registers = [registry];
  const counter = (name: string, help: string) => new Counter({ name, help, registers });
  const durationOf = (name: string, help: string) =>
    new Histogram({ name, help, buckets: AGREEMENT_BUCKETS_SECONDS, registers });
  const views = counter(
    "hexbeacon_view_changes_total",
    "Views after the first that rounds needed to be decided.",
  );
  const viewSeconds = durationOf("hexbeacon_view_seconds", "Time that a view lasted.");
  const decisionSeconds = durationOf(
    "hexbeacon_round_decision_seconds",
    "Time from the own tips of a round until it is decided.",
  );
  const votes = new Counter({
    name: "hexbeacon_votes_total",
    help: "Votes sent and received, by kind.",
    labelNames: ["way", "kind"],
    registers,
  });
  for (const way of VOTE_WAYS) for (const kind of VOTED_KINDS) votes.inc({ way, kind }, 0);
  const evidence = counter(
    "hexbeacon_evidence_total",
    "Validators that were seen to contradict themselves in a round.",
  );
  const certificates = counter(
    "hexbeacon_reward_certificates_total",
    "Epochs for which a quorum attested to the same rewards.",
  );
  const splits = counter(
    "hexbeacon_split_attestations_total",
    "Epochs of which validators attested differently; must be 0.",
  );
  const restored = counter(
    "hexbeacon_votes_restored_total",
    "Times that the votes were found older than what other validators hold; nothing is signed for a while then.",
  );
  return {
    onViewChanges: (passedOver) => views.inc(passedOver),
    onViewEnded: (seconds) => viewSeconds.observe(seconds),
    onRoundSettled: (seconds) => decisionSeconds.observe(seconds),
    onVote: (way, kind) => votes.inc({ way, kind }),
    onEvidence: () => evidence.inc(),
    onRewardCert: () => certificates.inc(),
    onSplitAttestation: () => splits.inc(),
    onParticipation: createParticipationMetric(registry),
    onRestored: () => restored.inc(),
    onDropped: createDropMetric(registry),
    onRefusedByMesh: createRefusalMetric(registry),
  };
}

function createRefusalMetric(registry: Registry): AgreementMetrics["onRefusedByMesh"] {
  const refused = new Counter({
    name: "hexbeacon_mesh_refused_total",
    help: "Channels, messages and questions of the mesh that went no further, by reason.",
    labelNames: ["reason"],
    registers: [registry],
  });
  for (const reason of MESH_REFUSALS) refused.inc({ reason }, 0);
  return (reason) => refused.inc({ reason });
}

function createDropMetric(registry: Registry): AgreementMetrics["onDropped"] {
  const dropped = new Counter({
    name: "hexbeacon_agreement_dropped_total",
    help: "Messages of other validators that had no effect, by what they were and why; most are repetitions.",
    labelNames: ["message", "reason"],
    registers: [registry],
  });
  for (const message of PEER_MESSAGE_TYPES)
    for (const reason of DROP_REASONS) dropped.inc({ message, reason }, 0);
  return (message, reason) => dropped.inc({ message, reason });
}

function createParticipationMetric(registry: Registry): AgreementMetrics["onParticipation"] {
  const missed = new Counter({
    name: "hexbeacon_rounds_missed_total",
    help: "Rounds that the validator of a seat did not help to finalize, as the next round's value says.",
    labelNames: ["seat"],
    registers: [registry],
  });
  return ({ previousFinal }, set) => {
    const [certificate] = previousFinal;
    if (certificate === undefined) return;
    const present = new Set(decodeBitmap(certificate.bitmap, set.keys.length));
    for (const seat of set.keys.keys()) missed.inc({ seat }, present.has(seat) ? 0 : 1);
  };
}

function addSources(registry: Registry, sources: AgreementSources): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  gauge(
    "hexbeacon_validators_connected",
    "Other validators that a link stands to.",
    sources.validatorsConnected,
  );
  gauge("hexbeacon_validators", "Seats of the running epoch's set.", () => sources.seats().count);
  gauge(
    "hexbeacon_validators_quorum",
    "Validators that a certificate of the running epoch takes.",
    () => sources.seats().quorum,
  );
  gauge(
    "hexbeacon_validator_seat",
    "The own seat in the running epoch's set; -1 without one.",
    () => sources.seats().own ?? -1,
  );
  gauge(
    "hexbeacon_clock_offset_seconds",
    "How far this machine's clock is ahead of the median of the other validators'; NaN where none is heard.",
    () => (sources.clockOffsetMs() ?? Number.NaN) / 1_000,
  );
  gauge(
    "hexbeacon_catch_up_rounds",
    "Rounds that others have decided and this validator has not.",
    sources.roundsBehind,
  );
  gauge(
    "hexbeacon_batches_missing",
    "Batches of decided rounds that execution waits for, and that no validator gives.",
    sources.batchesMissing,
  );
  gauge(
    "hexbeacon_acknowledgement_wait_epochs",
    "Epochs to pass, the running one included, until this validator acknowledges batches, since its home was lost or restored.",
    sources.ackWaitEpochs,
  );
  new Gauge({
    name: "hexbeacon_lane_window_batches",
    help: "Batches of a seat's lane beyond the last executed cut; of the own lane, those without a certificate.",
    labelNames: ["seat"],
    registers: [registry],
    collect() {
      // Seats change from epoch to epoch; what stood for one that is gone must not stay.
      this.reset();
      for (const { seat, batches } of sources.laneWindows()) this.set({ seat }, batches);
    },
  });
}
