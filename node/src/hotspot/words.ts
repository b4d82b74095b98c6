/**
 * What the hotspot's closed lists mean, for people: a sentence for every way in which a beacon ends, and for every failure to
 * send one. The types hold the tables to the lists.
 */
import type { BeaconEnd, BeaconPhase } from "./beaconState.ts";
import type { AttemptFailure } from "./guard.ts";

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
  no_cosignature: "The secure element did not sign its report in time.",
  power_unknown: "It was sent at a power that the forwarder did not tell, so that nobody can report it.",
};

const FAILURE_WORDS: Readonly<Record<AttemptFailure, string>> = {
  out_of_band: "The channel is outside the region's bands.",
  over_eirp: "The band allows less power than is asked for.",
  over_dwell: "The region allows no packet as long as this one on this channel now.",
  over_duty_cycle: "The band's time on air is used up; it frees itself within the hour.",
  power_floor:
    "The concentrator cannot send as quietly as this antenna and region ask; its gain table begins too high.",
  no_cosignature: "The secure element does not sign; node device-key says why.",
  floor_unknown:
    "This antenna needs less power than concentrators are known to have; set antenna.lowestPowerDbm to the least rf_power of its gain table.",
  invalid_request: "A forwarder cannot be asked for this.",
  no_forwarder: "No packet forwarder has asked for frames to send lately.",
  forwarder_changed: "Another packet forwarder took over a moment before; it is asked in the next round.",
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

/** How a beacon stands, as a sentence. */
export function describeBeaconState(state: keyof typeof BEACON_WORDS): string {
  return BEACON_WORDS[state];
}

/** Why a beacon could not be sent, as a sentence. */
export function describeFailure(failure: AttemptFailure): string {
  return FAILURE_WORDS[failure];
}
