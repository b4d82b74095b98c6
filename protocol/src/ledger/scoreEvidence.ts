/** The epoch's evidence as the score reads it: dense indexes, typed arrays, and for version 2 the trust it is weighed by. */
import type { Evidence, ScoreInput } from "../score/score.ts";
import type { TrustedEvidence } from "../score/scoreV2.ts";
import { placeAt } from "./registry.ts";
import type { AcceptedWitness, SelectedBeacon } from "./selection.ts";
import type { Ledger } from "./state.ts";

/** Every hotspot's place in force at the start of an epoch; zeros where nothing is asserted. */
export type Places = Pick<Evidence, "hotspotCount" | "cellHi" | "cellLo"> & {
  readonly isAsserted: Uint8Array;
  readonly latE7: Int32Array;
  readonly lngE7: Int32Array;
};

export function listPlaces({ registry }: Ledger, epoch: number): Places {
  const hotspotCount = registry.list.length;
  const places = {
    hotspotCount,
    cellHi: new Uint32Array(hotspotCount),
    cellLo: new Uint32Array(hotspotCount),
    latE7: new Int32Array(hotspotCount),
    lngE7: new Int32Array(hotspotCount),
    isAsserted: new Uint8Array(hotspotCount),
  };
  for (const hotspot of registry.list) {
    const place = placeAt(hotspot, epoch);
    if (place === null) continue;
    const { index } = hotspot;
    places.cellHi[index] = place.cellHi;
    places.cellLo[index] = place.cellLo;
    places.latE7[index] = place.latE7;
    places.lngE7[index] = place.lngE7;
    places.isAsserted[index] = 1;
  }
  return places;
}

/** Each hotspot's owner, as an account's index. */
export function listOwners({ registry }: Ledger): Uint32Array {
  return Uint32Array.from(registry.list, ({ owner }) => owner);
}

/** Beacons with the witnesses that `witnessesOf` picks; those with none are left out. */
export function createEvidence(
  { registry }: Ledger,
  { cellHi, cellLo }: Places,
  beacons: readonly SelectedBeacon[],
  witnessesOf: (beacon: SelectedBeacon) => readonly number[],
): Evidence {
  const counted = beacons.filter((beacon) => witnessesOf(beacon).length > 0);
  const beaconHotspot = Uint32Array.from(counted, ({ hotspot }) => hotspot);
  const beaconWitnessOffset = new Uint32Array(counted.length + 1);
  for (const [i, beacon] of counted.entries()) {
    beaconWitnessOffset[i + 1] = beaconWitnessOffset[i]! + witnessesOf(beacon).length;
  }
  const witnessHotspot = new Uint32Array(beaconWitnessOffset[counted.length]!);
  for (const [i, beacon] of counted.entries())
    witnessHotspot.set(witnessesOf(beacon), beaconWitnessOffset[i]);
  const hotspotCount = registry.list.length;
  return { hotspotCount, cellHi, cellLo, beaconHotspot, beaconWitnessOffset, witnessHotspot };
}

/**
 * What the coverage map shows: reports that nothing speaks against but a cap, between hotspots that are both trusted enough
 * to be paid. Else whoever invents hotspots would draw a map of what nobody covers.
 */
export function createCoverageEvidence(
  ledger: Ledger,
  places: Places,
  selected: readonly SelectedBeacon[],
): Evidence {
  const { trust } = ledger;
  const covering = new Map(
    selected.map((beacon) => {
      const { hotspot, challengeEpoch, accepted } = beacon;
      const isShown = ({ witness }: AcceptedWitness): boolean =>
        trust.isTrusted(hotspot, challengeEpoch) && trust.isTrusted(witness, challengeEpoch);
      return [beacon, accepted.filter(isShown).map(({ witness }) => witness)];
    }),
  );
  return createEvidence(ledger, places, selected, (beacon) => covering.get(beacon)!);
}

/** What version 1 scores: beacons with their drawn witnesses. */
export function createScoreInputV1(
  ledger: Ledger,
  places: Places,
  selected: readonly SelectedBeacon[],
  epoch: number,
): ScoreInput {
  const evidence = createEvidence(ledger, places, selected, ({ paid }) => paid);
  return { ...evidence, active: listActive(ledger, epoch) };
}

/** What version 2 scores: beacons with all accepted witnesses, and the trust at the start of each beacon's own epoch. */
export function createScoreInputV2(
  ledger: Ledger,
  places: Places,
  selected: readonly SelectedBeacon[],
  epoch: number,
): ScoreInput {
  const { trust, parameters } = ledger;
  const counted = selected.filter(({ accepted }) => accepted.length > 0);
  const evidence = createEvidence(ledger, places, counted, ({ accepted }) =>
    accepted.map(({ witness }) => witness),
  );
  const count = evidence.hotspotCount;
  const accepted = counted.flatMap((beacon) => beacon.accepted);
  const now = ledger.registry.list.map(({ index }) => trust.trustAt(index, epoch));
  const trusted: TrustedEvidence = {
    witnessDistanceM: Uint32Array.from(accepted, ({ distanceM }) => distanceM),
    witnessIsPaid: Uint8Array.from(accepted, ({ isPaid }) => (isPaid ? 1 : 0)),
    beaconTable: Uint8Array.from(counted, ({ challengeEpoch }) => trust.generationAt(challengeEpoch)),
    tables: trust.generations.map((generation) => trust.tableOf(generation, epoch, count)),
    crowdPpm: Uint32Array.from(now, ({ beliefPpm, trustPpm }) =>
      beliefPpm < parameters.trustPaidMinPpm ? 0 : trustPpm,
    ),
    withheldPpm: Uint32Array.from(now, ({ isSuspended, creditPpm }) => (isSuspended ? creditPpm : 0)),
    isTwoSided: listTwoSided(ledger, epoch),
    isCorroborated: listCorroborated(ledger, epoch),
    owner: listOwners(ledger),
    ownerCap: parameters.ownerWitnessCap,
    latE7: places.latE7,
    lngE7: places.lngE7,
  };
  return { ...evidence, active: listActive(ledger, epoch), trusted };
}

function listActive({ registry, parameters }: Ledger, epoch: number): Uint8Array {
  const active = new Uint8Array(registry.list.length);
  for (const { index, lastActiveEpoch } of registry.list) {
    if (lastActiveEpoch !== null && lastActiveEpoch > epoch - parameters.activityEpochs) active[index] = 1;
  }
  return active;
}

/** Who has heard a trusted hotspot and been heard by one within `reciprocityEpochs`, or is younger than that. */
function listTwoSided({ registry, parameters, trust }: Ledger, epoch: number): Uint8Array {
  const since = epoch - parameters.reciprocityEpochs;
  return Uint8Array.from(registry.list, ({ index, registeredEpoch }) =>
    registeredEpoch > since || (trust.heard.get(index) >= since && trust.heardBy.get(index) >= since) ? 1 : 0,
  );
}

/** Whom hotspots of two other owners have borne out within `reciprocityEpochs`, however young it is. */
function listCorroborated({ registry, parameters, trust }: Ledger, epoch: number): Uint8Array {
  const since = epoch - parameters.reciprocityEpochs;
  return Uint8Array.from(registry.list, ({ index }) => (trust.corroboration.isSince(index, since) ? 1 : 0));
}
