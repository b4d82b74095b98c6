/**
 * The second score: coverage by trust. A link is worth the lesser of both ends' trust times a quality by its length. A
 * beacon is worth what its three best witnesses are; a reception is worth its link over all that the witness has on record,
 * three links' worth at least: so three counterparts that are trusted as much as it is give all there is for it, which is its
 * own trust, wherever they stand, and more of them never less. What crowds around a hotspot scales both down. docs/truth.md has the properties and their proofs.
 */
import { computeDistanceM } from "../geo/distance.ts";
import { PPM } from "../network/parameters.ts";
import { computeLinkValuePpm } from "../trust/quality.ts";
import { computeCrowdScalesPpm } from "./crowd.ts";
import type { ScoreInput, ScoreOutput } from "./score.ts";

/** Distinct trusted counterparts that make coverage whole: three receivers are what locating a sender takes. */
export const COUNTERPARTS_FULL = 3;
/** Witnesses nearer to each other than this hear the same: one of them counts (HIP-136's resolution-11 disk of 8). */
export const DIVERSITY_M = 350;
/** Of latitude, 1e-7 degrees: 355 m, so that who differs by as much stands apart whatever the longitude. */
const APART_LAT_E7 = 32_000;

/** Trust of all hotspots as it is in force from some epoch on; arrays by dense index, parts per million. */
export type TrustTable = {
  readonly trustPpm: Uint32Array;
  /** By what a hotspot's own earnings are reckoned: its trust, but for one suspended from pay what the graph gives it. */
  readonly creditPpm: Uint32Array;
  /** The worth of all counterparts on record that it has heard, over its own credit (`computeStandingPartPpm`). */
  readonly standingPpm: Float64Array;
};

/** What version 2 asks for beyond version 1. Witnesses are all that were accepted, drawn or not. */
export type TrustedEvidence = {
  /** Parallel to `witnessHotspot`. */
  readonly witnessDistanceM: Uint32Array;
  /** Parallel to `witnessHotspot`: 1 for the drawn ones, who share the witnesses' pool. */
  readonly witnessIsPaid: Uint8Array;
  /** For each beacon which of `tables` was in force at the start of its own epoch. */
  readonly beaconTable: Uint8Array;
  readonly tables: readonly TrustTable[];
  /** Trust at the start of the closing epoch, 0 below the paying threshold: what crowds. */
  readonly crowdPpm: Uint32Array;
  /** Credit then of those whose pay is withheld, 0 for others: they crowd each other, and nobody else. */
  readonly withheldPpm?: Uint32Array;
  /** 1 for hotspots that trusted ones have lately heard and that have heard trusted ones, and for young ones. */
  readonly isTwoSided: Uint8Array;
  /** 1 for hotspots that trusted ones of two other owners have lately borne out: nobody is paid on one's word alone. */
  readonly isCorroborated: Uint8Array;
  readonly owner: Uint32Array;
  /** Hotspots of one owner that count for a beacon, the beaconer among them. */
  readonly ownerCap: number;
  readonly latE7: Int32Array;
  readonly lngE7: Int32Array;
};

/** Version 2's output also says what each beacon and each reception was worth, for the evidence's page. */
export type DetailedUnits = {
  readonly beaconUnitsPpm: Uint32Array;
  /** Parallel to `witnessHotspot`. */
  readonly receptionUnitsPpm: Uint32Array;
};

/** Scores an epoch. Order of beacons and of witnesses has no influence. */
export function computeScoreV2(input: ScoreInput): ScoreOutput {
  const { trusted } = input;
  if (trusted === undefined) throw new RangeError("Version 2 cannot score without trust");
  const { hotspotCount, beaconHotspot, beaconWitnessOffset, witnessHotspot } = input;
  const beaconUnitsPpm = new Float64Array(hotspotCount);
  const witnessUnitsPpm = new Float64Array(hotspotCount);
  const detail = {
    beaconUnitsPpm: new Uint32Array(beaconHotspot.length),
    receptionUnitsPpm: new Uint32Array(witnessHotspot.length),
  };
  for (let beacon = 0; beacon < beaconHotspot.length; beacon++) {
    const units = computeBeaconUnitsPpm(input, trusted, beacon);
    detail.beaconUnitsPpm[beacon] = units;
    beaconUnitsPpm[beaconHotspot[beacon]!]! += units;
    for (let i = beaconWitnessOffset[beacon]!; i < beaconWitnessOffset[beacon + 1]!; i++) {
      if (trusted.witnessIsPaid[i] !== 1) continue;
      const reception = computeReceptionUnitsPpm(input, trusted, beacon, i);
      detail.receptionUnitsPpm[i] = reception;
      witnessUnitsPpm[witnessHotspot[i]!]! += reception;
    }
  }
  const members = listMembers(input, beaconUnitsPpm, witnessUnitsPpm);
  const { crowdPpm: trustPpm, withheldPpm = new Uint32Array(hotspotCount) } = trusted;
  const crowd = { cellHi: input.cellHi, cellLo: input.cellLo, trustPpm, withheldPpm };
  const scalePpm = computeCrowdScalesPpm(crowd, members);
  return {
    version: 2,
    scalePpm,
    beaconUnitsPpm,
    witnessUnitsPpm,
    beaconShares: beaconUnitsPpm.map((units, hotspot) => units * scalePpm[hotspot]!),
    witnessShares: witnessUnitsPpm.map((units, hotspot) => units * scalePpm[hotspot]!),
    detail,
  };
}

/** What a beacon earns its sender: a third of the sum of its best links, in parts per million rounded down. */
function computeBeaconUnitsPpm(input: ScoreInput, trusted: TrustedEvidence, beacon: number): number {
  if (!mayEarn(trusted, input.beaconHotspot[beacon]!)) return 0;
  const sum = pickBestLinks(input, trusted, beacon).reduce((total, { value }) => total + value, 0);
  return Math.floor(sum / COUNTERPARTS_FULL);
}

/** What of the evidence tells a beacon's best links. */
type BeaconLinks = Pick<ScoreInput, "beaconHotspot" | "beaconWitnessOffset" | "witnessHotspot">;
type LinkTrust = Pick<TrustedEvidence, "witnessDistanceM" | "beaconTable" | "tables"> &
  Pick<TrustedEvidence, "owner" | "ownerCap" | "latE7" | "lngE7">;
/** A beacon's link with a witness: its place in `witnessHotspot`, and its worth in parts per million. */
type BeaconLink = { readonly reception: number; readonly witness: number; readonly value: number };

/**
 * A beacon's three best links, or as many as there are, the best first. Of witnesses within 350 m of each other the best
 * counts, and of each owner as many as its cap has places. They are chosen among all accepted ones, drawn or not: with the
 * draw's alone, one more witness could push out a better one.
 */
export function pickBestLinks(
  { beaconHotspot, beaconWitnessOffset, witnessHotspot }: BeaconLinks,
  trusted: LinkTrust,
  beacon: number,
): readonly BeaconLink[] {
  const beaconer = beaconHotspot[beacon]!;
  const { trustPpm, creditPpm } = trusted.tables[trusted.beaconTable[beacon]!]!;
  const links: BeaconLink[] = [];
  for (let i = beaconWitnessOffset[beacon]!; i < beaconWitnessOffset[beacon + 1]!; i++) {
    const witness = witnessHotspot[i]!;
    const lesser = Math.min(creditPpm[beaconer]!, trustPpm[witness]!);
    const value = computeLinkValuePpm(lesser, trusted.witnessDistanceM[i]!);
    links.push({ reception: i, witness, value });
  }
  links.sort((a, b) => b.value - a.value || a.witness - b.witness);
  const taken: BeaconLink[] = [];
  for (const link of links) {
    if (taken.length === COUNTERPARTS_FULL) break;
    if (isDiverse(trusted, beaconer, taken, link.witness)) taken.push(link);
  }
  return taken;
}

/** Whether others' words say enough of a hotspot, whatever this beacon or reception is worth. */
const mayEarn = ({ isTwoSided, isCorroborated }: TrustedEvidence, hotspot: number): boolean =>
  isTwoSided[hotspot] === 1 && isCorroborated[hotspot] === 1;

/** Whether a witness hears anything else than those taken: it stands apart, and its owner has a place left. */
function isDiverse(
  { owner, ownerCap, latE7, lngE7 }: LinkTrust,
  beaconer: number,
  taken: readonly BeaconLink[],
  witness: number,
): boolean {
  let sameOwner = owner[beaconer] === owner[witness] ? 1 : 0;
  for (const { witness: other } of taken) {
    if (owner[other] === owner[witness]) sameOwner++;
    if (isNear(latE7, lngE7, other, witness)) return false;
  }
  return sameOwner < ownerCap;
}

/** Whether two hotspots stand within `DIVERSITY_M` of each other. */
export function isNear(latE7: Int32Array, lngE7: Int32Array, a: number, b: number): boolean {
  // Most stand apart by their latitudes alone.
  if (Math.abs(latE7[a]! - latE7[b]!) >= APART_LAT_E7) return false;
  return computeDistanceM(latE7[a]!, lngE7[a]!, latE7[b]!, lngE7[b]!) < DIVERSITY_M;
}

/**
 * What a reception earns its witness: the link's worth over its standing, which is all that it has on record by its own
 * credit, or over three whole links where that is less. A rural witness with three counterparts thus earns as much an
 * interval as one with fifty, and either no more than its own credit.
 */
function computeReceptionUnitsPpm(
  { beaconHotspot, witnessHotspot }: ScoreInput,
  trusted: TrustedEvidence,
  beacon: number,
  reception: number,
): number {
  const witness = witnessHotspot[reception]!;
  if (!mayEarn(trusted, witness)) return 0;
  const { trustPpm, creditPpm, standingPpm } = trusted.tables[trusted.beaconTable[beacon]!]!;
  const lesser = Math.min(creditPpm[witness]!, trustPpm[beaconHotspot[beacon]!]!);
  const value = computeLinkValuePpm(lesser, trusted.witnessDistanceM[reception]!);
  return Math.floor((value * PPM) / Math.max(COUNTERPARTS_FULL * PPM, standingPpm[witness]!));
}

/** Those whose scale is asked for, and those who crowd: active or paid in this epoch. */
function listMembers(
  { hotspotCount, active, cellHi }: ScoreInput,
  beaconUnitsPpm: Float64Array,
  witnessUnitsPpm: Float64Array,
): Uint32Array {
  const members = new Uint32Array(hotspotCount);
  let count = 0;
  for (let hotspot = 0; hotspot < hotspotCount; hotspot++) {
    const isPaid = beaconUnitsPpm[hotspot]! + witnessUnitsPpm[hotspot]! > 0;
    if (cellHi[hotspot] !== 0 && (active[hotspot] === 1 || isPaid)) members[count++] = hotspot;
  }
  return members.slice(0, count);
}
