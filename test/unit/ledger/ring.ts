/** A ring of honest hotspots, of which one may print the same strength whatever it hears. */
import type { EpochClose } from "../../../protocol/src/ledger/types.ts";
import type { GenesisHotspot } from "../../../protocol/src/network/genesis.ts";
import { siteAt, witnessBeacon } from "../../sim/ledgerWorld.ts";
import { type Scenario, WINDOWS } from "./scenario.ts";

const { witnessWindowRounds: W, roundsPerEpoch } = WINDOWS;

/** Ten hotspots three kilometres from a middle, each its own owner's. */
export const RING = Array.from({ length: 10 }, (_, i) => ({
  name: `hotspot ${i}`,
  site: siteAt(Math.round(3_000 * Math.cos(i * 0.628)), Math.round(3_000 * Math.sin(i * 0.628))),
}));

/** Beacons a hotspot in an epoch's slot and has all others hear it, their SNRs moving as real ones do. */
function hear(scenario: Scenario, epoch: number, beaconer: GenesisHotspot, flat?: GenesisHotspot): boolean {
  const { slotRound } = scenario.challenge(beaconer, epoch);
  if (slotRound + W + 1 > (epoch + 1) * roundsPerEpoch - 1) return false;
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
  return true;
}

/** One epoch in which everybody whose slot leaves room beacons. */
export function runEpoch(scenario: Scenario, flat?: GenesisHotspot): EpochClose {
  const epoch = scenario.ledger.nextEpoch;
  for (const hotspot of scenario.genesis.hotspots) hear(scenario, epoch, hotspot, flat);
  return scenario.closeEpoch();
}
