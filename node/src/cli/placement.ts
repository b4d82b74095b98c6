/** Where and with what a hotspot stands, as the daemon takes it from its home. */
import type { Log } from "../host/types.ts";
import type { Placement } from "../hotspot/placement.ts";
import { findCell, type NodeConfig } from "./config.ts";

/**
 * The placement to transmit by: the configuration's, since that is what its owner asserts, and reports are judged by what
 * was asserted last. Genesis only says how it began.
 * @param named genesis's placement, or null. Its cell saves projecting the place (6 MB) while the rest is the same: the
 * cell decides no more than the gossip topic, and every validator hears them all.
 */
export async function choosePlacement(
  config: NodeConfig,
  named: Placement | null,
  log: Pick<Log, "warn">,
): Promise<Placement> {
  const { region, gainCentiDbi } = config;
  if (named !== null) {
    if (named.region === region && named.gainCentiDbi === gainCentiDbi) return named;
    log.warn("Go by the configuration, which is not as genesis has it: it must have been asserted since", {
      region,
      gainDbi: gainCentiDbi / 100,
      genesisRegion: named.region,
      genesisGainDbi: named.gainCentiDbi / 100,
    });
  }
  return { region, gainCentiDbi, cell: await findCell(config) };
}
