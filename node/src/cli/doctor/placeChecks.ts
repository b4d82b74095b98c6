/** The doctor's look at place and antenna: what is asserted, and whether the concentrator can be as quiet as asked. */
import { equalBytes } from "../../../../protocol/src/bytes/bytes.ts";
import { POWER_TOLERANCE_CENTI_DB } from "../../../../protocol/src/evidence/beaconRules.ts";
import {
  computeChallengePowerCentiDbm,
  STEP_FLOOR_CENTI_DBM,
} from "../../../../protocol/src/evidence/challenge.ts";
import { cellFromBigint, cellToHex } from "../../../../protocol/src/geo/cell.ts";
import { computeDistanceM } from "../../../../protocol/src/geo/distance.ts";
import type { Genesis } from "../../../../protocol/src/network/genesis.ts";
import { PAID_DISTANCE_MIN_M } from "../../../../protocol/src/radio/gates.ts";
import { REGION_PLANS } from "../../../../protocol/src/radio/regions.ts";
import { checkFloor } from "../../hotspot/powerFloor.ts";
import type { HotspotStatus } from "../../hotspot/status.ts";
import type { HotspotAnswer } from "../account/validatorApi.ts";
import { findCell, type NodeConfig } from "../config.ts";
import { type Finding, finding } from "./finding.ts";
import type { ForwarderConfig } from "./forwarderConfig.ts";
import type { HomeView } from "./homeChecks.ts";

/** sx1302_hal's reference table for Europe goes from 12 to 27 dBm; what most concentrators are shipped with. */
const REFERENCE_LEAST_DBM = STEP_FLOOR_CENTI_DBM / 100;
const REFERENCE_MOST_DBM = 27;

/**
 * The configuration, which the hotspot transmits by, against what is asserted of it, which its reports are judged by.
 * @param registered as a validator tells it; null where none does: then genesis is all that is known, and may be past.
 */
export async function checkRegion(
  { config, publicKey, genesis }: HomeView,
  registered: Pick<HotspotAnswer, "assertion"> | null,
): Promise<Finding> {
  if (config === null || publicKey === null || genesis === null) {
    return finding("region", "not_checked", "Configuration, key and genesis are needed for it.");
  }
  const asserted = registered?.assertion ?? findGenesisAssertion(genesis, publicKey);
  if (asserted === null) {
    const found = "Genesis does not name this hotspot, so what it has asserted since is not known offline.";
    const advice = `See to it yourself that ${config.region} is the plan of the country it stands in.`;
    return finding("region", "not_checked", found, advice);
  }
  const { cell } = asserted;
  const configuredCell = cellToHex(await findCell(config));
  const differing: string[] = [];
  if (asserted.region !== config.region) differing.push(`${asserted.region}, not ${config.region}`);
  if (cell !== configuredCell) differing.push(`cell ${cell}, not ${configuredCell}`);
  if (asserted.gainCentiDbi !== config.gainCentiDbi) {
    differing.push(`${asserted.gainCentiDbi / 100} dBi, not ${config.gainCentiDbi / 100}`);
  }
  const advice = "Correct config.toml, or have its owner assert the place anew: node register.";
  if (differing.length > 0 && registered?.assertion == null) {
    const found = `Genesis says ${differing.join("; ")}; what was asserted since is not known offline.`;
    return finding("region", "warn", found, `${advice} With api set a validator is asked.`);
  }
  if (asserted.region !== config.region) {
    const found = `Asserted is ${differing.join("; ")}. Beacons go out by config.toml, and are refused.`;
    return finding("region", "fail", found, advice);
  }
  if (differing.length > 0) {
    const found = `Asserted is ${differing.join("; ")}. Beacons go out by config.toml, and are judged by the former.`;
    return finding("region", "warn", found, advice);
  }
  const found = `${config.region}, place and gain are as asserted; that the plan is the country's is not checked.`;
  return finding("region", "ok", found);
}

function findGenesisAssertion(genesis: Genesis, publicKey: Uint8Array): HotspotAnswer["assertion"] {
  const named = genesis.hotspots.find(({ key }) => equalBytes(key, publicKey));
  return named === undefined ? null : { ...named, cell: cellToHex(cellFromBigint(named.cell)!) };
}

/** Where the GPS of live forwarders has them stand, against the place that is set; nothing where none tells. */
export function checkPosition(config: NodeConfig | null, status: HotspotStatus | null): Finding[] {
  if (config === null || status === null) return [];
  return status.radio.forwarders.flatMap(({ eui, alive, stat }) => {
    const { lati, long } = stat?.values ?? {};
    // Zeros are a receiver's that knows nothing yet, or a configuration's as it was shipped.
    if (!alive || !lati || !long || Math.abs(lati) > 90 || Math.abs(long) > 180) return [];
    const [setLat, setLng, lat, lng] = [config.latitude, config.longitude, lati, long].map((degrees) =>
      Math.round(degrees * 1e7),
    );
    const distanceM = computeDistanceM(setLat!, setLng!, lat!, lng!);
    const found = `The GPS of ${eui} is ${distanceM} m from the place that is set.`;
    // GPS errs by tens of metres, and what is as near as this counts for no distance by the rules either.
    if (distanceM <= PAID_DISTANCE_MIN_M) return [finding("region", "ok", found)];
    const advice =
      "Correct the location and assert it anew: node register. Or turn fake_gps off in the forwarder's configuration.";
    return [finding("region", "warn", found, advice)];
  });
}

/**
 * Whether the concentrator can be set to what beacons ask for. A forwarder that is asked for less than its table holds
 * sends the least that it has, and says so in a warning only.
 * @param forwarder its configuration, or null: then the reference table is taken for its own.
 * @param lowestPowerDbm the setting, which the running hotspot goes by; null where it is not set.
 */
export function checkPower(
  { config, genesis }: HomeView,
  forwarder: ForwarderConfig | null,
  lowestPowerDbm: number | null,
): Finding {
  if (config === null) return finding("power", "not_checked", "A configuration is needed for it.");
  const plan = REGION_PLANS[config.region];
  const known = forwarder !== null && forwarder.powersDbm.length > 0;
  const leastDbm = known ? forwarder.powersDbm[0]! : (lowestPowerDbm ?? REFERENCE_LEAST_DBM);
  const mostDbm = known ? forwarder.powersDbm.at(-1)! : REFERENCE_MOST_DBM;
  const steps = genesis?.parameters.powerStepsDb ?? [0];
  const powers = steps.map((step) => computeChallengePowerCentiDbm(plan, config.gainCentiDbi, step) / 100);
  // Near the floor two steps ask for the same.
  const askedDbm = [...new Set(powers)];
  const gainDbi = config.gainCentiDbi / 100;
  const isAssumed = !known && lowestPowerDbm === null;
  const table = `${isAssumed ? "the reference" : "its"} power table begins at ${leastDbm} dBm`;
  const asked = `${plan.name} with ${gainDbi} dBi asks the concentrator for ${askedDbm.join(" and ")} dBm`;
  const mostGainDbi = plan.maxEirpCentiDbm / 100 - leastDbm;
  const lower = isAssumed
    ? " If its table goes lower, set antenna.lowestPowerDbm to its least rf_power: without it no beacon is sent."
    : "";

  if (forwarder !== null && forwarder.antennaGainDbi !== 0) {
    const found = `The forwarder takes ${forwarder.antennaGainDbi} dBi off again, which the hotspot has taken off already.`;
    return finding("power", "fail", found, "Set antenna_gain to 0 in the forwarder's configuration.");
  }
  if (Math.floor(plan.maxEirpCentiDbm / 100 - gainDbi) < leastDbm) {
    const found = `${asked}; ${table}, which is more than the plan allows.`;
    const advice = `Use an antenna of at most ${mostGainDbi} dBi, or a lower tx_gain_lut.${lower}`;
    return finding("power", "fail", found, advice);
  }
  const reliedOnDbm = lowestPowerDbm ?? REFERENCE_LEAST_DBM;
  if (
    reliedOnDbm !== leastDbm &&
    checkFloor(plan, config.gainCentiDbi, Math.min(...askedDbm) * 100, lowestPowerDbm)
  ) {
    const found = `${asked}; ${table}, but the hotspot goes by ${reliedOnDbm} dBm and sends no beacon.`;
    return finding("power", "fail", found, `Set antenna.lowestPowerDbm to ${leastDbm}.`);
  }
  const toleranceDb = POWER_TOLERANCE_CENTI_DB / 100;
  const unmet = askedDbm.filter((dbm) => dbm + toleranceDb < leastDbm || dbm - toleranceDb > mostDbm);
  if (unmet.length > 0) {
    const found = `${asked}; ${table}, so beacons at ${unmet.join(" and ")} dBm are refused as challenge_unmet.`;
    return finding("power", "warn", found, `Add lower entries to tx_gain_lut.${lower}`);
  }
  return finding("power", "ok", `${asked}; ${table}${isAssumed ? " (assumed)" : ""}.`);
}

/** Whether the country may ask for listening before each transmission. Only the concentrator can do it. */
export function checkListenFirst(config: NodeConfig | null, forwarder: ForwarderConfig | null): Finding {
  const plan = config && REGION_PLANS[config.region];
  if (plan === null) return finding("listen_first", "not_checked", "A configuration is needed for it.");
  if (plan.listenBeforeTalk.length === 0) {
    return finding("listen_first", "ok", `No rule to listen first is known in ${plan.name}.`);
  }
  const rules = plan.listenBeforeTalk
    .map(({ country, listenUs, thresholdCentiDbm }) => {
      return `${country}: ${listenUs / 1_000} ms below ${thresholdCentiDbm / 100} dBm`;
    })
    .join("; ");
  if (forwarder?.listensFirst === true) {
    return finding("listen_first", "ok", `The forwarder listens first, as asked for in ${rules}.`);
  }
  const advice = "Turn lbt on in the forwarder's configuration where the rule holds.";
  const result = forwarder === null ? "not_checked" : "warn";
  return finding("listen_first", result, `A transmitter must listen first in ${rules}.`, advice);
}
