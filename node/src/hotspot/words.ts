/**
 * What the closed lists mean, for people: a sentence for every reason of a verdict, for every way in which a beacon ends,
 * and for every failure to send one. The types hold the tables to the lists.
 */
import { isUnpaidReason, type Reason } from "../../../protocol/src/evidence/reasons.ts";
import type { AttemptFailure } from "./beaconer.ts";
import type { BeaconEnd, BeaconPhase } from "./beaconState.ts";

const REASON_WORDS: Readonly<Record<Reason, string>> = {
  oversized: "the message was longer than its kind may be",
  malformed: "the message could not be read",
  unknown_kind: "the validator does not know this kind of message",
  bad_signature: "the signature is not this hotspot's",
  bad_cosignature: "the secure element's signature is missing or wrong",
  stale_epoch: "it came after its epoch could still count it",
  future_epoch: "it names an epoch that has not begun",
  unknown_sender: "the network does not know this hotspot",
  duplicate_message: "the same message was there already",
  rate_limited: "this hotspot sent more than its share",
  busy: "the validator had no room",
  centre_off_cell: "the asserted point is not its cell's centre",
  unknown_hotspot: "this hotspot is not registered",
  not_asserted: "no place is asserted, or not since long enough",
  suspended: "this hotspot is suspended",
  over_quota: "it was beyond the reports that count in an epoch",
  future_dated: "its time lies ahead of the network's: the clock is wrong",
  not_challenged: "no beacon was asked for in this epoch",
  out_of_slot: "it came outside its slot",
  duplicate_beacon: "this epoch's beacon was there already",
  region_violated: "channel or data rate are not the region's",
  challenge_unmet: "it was not sent as asked: channel, data rate or power",
  over_eirp: "power and antenna together are more than the region allows",
  never_revealed: "the beacon's secret was never revealed",
  no_witness: "nobody witnessed it",
  waiting_full: "too many reports were waiting for a beacon",
  no_beacon: "no beacon with this tag was reported",
  beacon_refused: "the beacon was refused",
  proof_mismatch: "the proof does not fit the beacon's secret",
  self_witness: "it was this hotspot's own beacon",
  duplicate_witness: "this beacon was witnessed already",
  late: "it came after the beacon's window",
  region_mismatch: "the beaconer is in another region",
  frequency_mismatch: "it was heard on another channel than it was sent on",
  data_rate_mismatch: "it was heard at another data rate than it was sent at",
  rssi_out_of_range: "no receiver measures such a strength",
  snr_out_of_range: "no receiver measures such a signal-to-noise ratio",
  snr_off_grid: "no receiver prints such a signal-to-noise ratio",
  snr_below_demodulation: "nothing can be received so far below the noise",
  rssi_below_noise: "strength and signal-to-noise ratio leave less noise than there is",
  rssi_above_ceiling: "it is stronger than the distance allows",
  too_close: "the two are closer than 300 m",
  too_far: "the two are more than 100 km apart",
  not_reciprocal: "the other one has never heard this hotspot",
  below_trust: "this hotspot's trust is too low",
  over_owner_cap: "this owner's hotspots are over the cap",
  over_witness_cap: "others were drawn among its many witnesses",
  over_place_cap: "another witness within 350 m of it was drawn",
  unknown_beacon: "there is no such beacon",
  early_reveal: "the reveal came before the window had closed",
  not_beaconer: "it was not this hotspot's to reveal",
  reveal_mismatch: "the secret does not fit the beacon",
  already_revealed: "it had been revealed already",
  wrong_nonce: "the transaction is out of turn",
  insufficient_balance: "the account has too little",
  already_registered: "the hotspot is registered already",
  not_registered: "the hotspot is not registered",
  not_owner: "the account does not own the hotspot",
  invalid_location: "the place is none that can be asserted",
  epoch_mismatch: "the transaction was made for another epoch",
  not_validator: "nothing is staked for this validator",
  stake_too_small: "a seat asks for a larger stake",
  tombstoned: "the validator was convicted and never has a seat again",
  not_penalised: "no finding stands against the hotspot, and nothing of it is withheld",
  no_evidence: "a hotspot that was named as evidence has no link with this one on record",
  rotated_lately: "the hotspot's key was changed in this epoch or one of the two before",
  not_cosigned: "the device that is bound to this hotspot did not sign it too",
  device_taken: "the device is bound to another hotspot",
};

const BEACON_WORDS: Readonly<Record<Exclude<BeaconPhase, "ended"> | BeaconEnd, string>> = {
  armed: "It is about to be sent.",
  sent: "The concentrator has taken it; its report follows.",
  reported: "It is reported, and is revealed when its window has closed.",
  revealed: "It is revealed; its verdicts follow.",
  complete: "Sent, reported and revealed.",
  missed: "It could not be sent in its slot.",
  interrupted: "The hotspot stopped while it was being sent, so it was not sent again.",
  refused: "The network refused its report.",
  reveal_missed: "Its secret could not be revealed in time.",
};

const FAILURE_WORDS: Readonly<Record<AttemptFailure, string>> = {
  out_of_band: "The channel is outside the region's bands.",
  over_eirp: "The band allows less power than is asked for.",
  over_dwell: "The region allows no packet as long as this one on this channel now.",
  over_duty_cycle: "The band's time on air is used up; it frees itself within the hour.",
  power_floor:
    "The concentrator cannot send as quietly as this antenna and region ask; its gain table begins too high.",
  invalid_request: "A forwarder cannot be asked for this.",
  no_forwarder: "No packet forwarder has asked for frames to send lately.",
  busy: "The concentrator was still sending.",
  no_answer: "The forwarder never answered; it is silent about what it does not understand.",
  aborted: "The hotspot was stopping.",
  radio_stopped: "The radio is not open.",
  socket_error: "The system did not send the datagram.",
  too_late: "The concentrator took it for too late.",
  too_early: "The concentrator took it for too early.",
  collision_packet: "Another packet was queued for that moment.",
  collision_beacon: "A gateway's own beacon was due at that moment.",
  tx_freq: "The concentrator is not set up for this channel.",
  tx_power: "The concentrator cannot be set to this power.",
  gps_unlocked: "The concentrator waits for GPS.",
  channel_busy: "Listening first, the concentrator found the channel taken.",
  send_failed: "The concentrator could not send it.",
  power_unknown: "The forwarder changed the power and did not say to what.",
  answer_unknown: "The forwarder answered what nobody understands.",
};

/** What became of a report that has a verdict, as a sentence. @param reason null: accepted. */
export function describeVerdict(reason: Reason | null): string {
  if (reason === null) return "Accepted.";
  const words = REASON_WORDS[reason];
  return isUnpaidReason(reason) ? `Valid but not paid: ${words}.` : `Refused: ${words}.`;
}

/** How a beacon stands, as a sentence. */
export function describeBeaconState(state: keyof typeof BEACON_WORDS): string {
  return BEACON_WORDS[state];
}

/** Why a beacon could not be sent, as a sentence. */
export function describeFailure(failure: AttemptFailure): string {
  return FAILURE_WORDS[failure];
}
