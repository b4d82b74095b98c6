/** A ring of honest hotspots, of which one may print the same strength whatever it hears. */
import type { EpochClose } from "../../../protocol/src/ledger/types.ts";
import type { GenesisHotspot } from "../../../protocol/src/network/genesis.ts";
import { PPM } from "../../../protocol/src/network/parameters.ts";
import type { NamedFinding, Reception } from "../../../protocol/src/trust/findingTable.ts";
import { siteAt, witnessBeacon } from "../../sim/ledgerWorld.ts";
import { type Scenario, WINDOWS } from "./scenario.ts";

const { witnessWindowRounds: W, roundsPerEpoch } = WINDOWS;

/** Ten hotspots three kilometres from a middle, each its own owner's. */
export const RING = Array.from({ length: 10 }, (_, i) => ({
  name: `hotspot ${i}`,
  site: siteAt(Math.round(3_000 * Math.cos(i * 0.628)), Math.round(3_000 * Math.sin(i * 0.628))),
}));

/** Whether a hotspot's slot in an epoch leaves room for its beacon to close in it. */
function hasRoom(scenario: Scenario, epoch: number, beaconer: GenesisHotspot): boolean {
  return scenario.challenge(beaconer, epoch).slotRound + W + 1 <= (epoch + 1) * roundsPerEpoch - 1;
}

/** Beacons a hotspot in an epoch's slot and has all others hear it, their SNRs moving as real ones do. */
function hear(scenario: Scenario, epoch: number, beaconer: GenesisHotspot, flat?: GenesisHotspot): void {
  const { slotRound } = scenario.challenge(beaconer, epoch);
  const sent = scenario.beacon(beaconer, epoch);
  scenario.at(slotRound, beaconer, { beacons: [sent.report] }, epoch);
  for (const [i, witness] of scenario.genesis.hotspots.entries()) {
    if (witness === beaconer) continue;
    const { measurement } = witnessBeacon(sent, witness);
    const swing = ((epoch * 7 + i * 3 + slotRound) % 9) - 4;
    const change =
      witness === flat
        ? { rssiDeciDbm: -1_000, snrCentiDb: 500 }
        : { rssiDeciDbm: measurement.rssiDeciDbm + 10 * swing, snrCentiDb: 500 + 100 * swing };
    scenario.at(slotRound, witness, { witnesses: [witnessBeacon(sent, witness, change)] }, epoch);
  }
  scenario.at(slotRound + W + 1, beaconer, scenario.revealOf(sent), epoch);
}

/** Has those beacon in the running epoch whose beacons close in the next one. */
export function hearLate(scenario: Scenario): void {
  const { nextEpoch: epoch } = scenario.ledger;
  for (const hotspot of scenario.genesis.hotspots)
    if (!hasRoom(scenario, epoch, hotspot)) hear(scenario, epoch, hotspot);
}

/** One epoch in which everybody whose slot leaves room beacons. */
export function runEpoch(scenario: Scenario, flat?: GenesisHotspot): EpochClose {
  const epoch = scenario.ledger.nextEpoch;
  for (const hotspot of scenario.genesis.hotspots)
    if (hasRoom(scenario, epoch, hotspot)) hear(scenario, epoch, hotspot, flat);
  return scenario.closeEpoch();
}

/** Puts findings on a hotspot as if two detectors had struck: trust falls to a sixteenth, below a tenth. */
export function strike(
  { ledger: { trust, nextEpoch: fromEpoch } }: Scenario,
  index: number,
  endsEpoch: number,
  evidence: readonly Reception[] = [],
): void {
  const finding = (reason: NamedFinding["reason"]): NamedFinding => ({
    ...{ reason, factorPpm: 250_000, madeEpoch: fromEpoch, endsEpoch, evidence },
  });
  for (const reason of ["constant_window", "snr_grid"] as const) trust.findings.add(index, finding(reason));
  const trustPpm = new Uint32Array(RING.length).fill(PPM);
  trustPpm[index] = 62_500;
  // Each has heard the nine others, at distances that are worth all; the struck one is worth what it is trusted.
  const standingPpm = new Float64Array(RING.length).fill((RING.length - 2) * PPM + 62_500);
  standingPpm[index] = (RING.length - 1) * PPM;
  trust.turn({
    ...{ fromEpoch, newcomerPpm: PPM, graphPpm: new Uint32Array(RING.length).fill(PPM) },
    ...{ beliefPpm: trustPpm, trustPpm, creditPpm: new Uint32Array(RING.length).fill(PPM), standingPpm },
  });
}
