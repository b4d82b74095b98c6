/** Networks for score version 2: hotspots at metres east and north of a place, with trust, owners and beacons. */
import { latLngToCell } from "h3-js";
import { computeDistanceM } from "../../../protocol/src/geo/distance.ts";
import { PPM } from "../../../protocol/src/network/parameters.ts";
import type { ScoreInput } from "../../../protocol/src/score/score.ts";
import { computeStandingPartPpm } from "../../../protocol/src/trust/quality.ts";
import { createEvidence, type Link } from "./evidence.ts";

export type TrustedHotspot = {
  readonly eastM: number;
  readonly northM: number;
  /** Default: whole trust, an owner of its own, two-sided, borne out. */
  readonly trustPpm?: number;
  readonly creditPpm?: number;
  /** Default: by what the links say that it has heard. */
  readonly standingPpm?: number;
  readonly owner?: number;
  readonly isTwoSided?: boolean;
  readonly isCorroborated?: boolean;
};

export type TrustedNetworkOptions = {
  /** Of all witnesses in the order of the links, whether they were drawn; default: all. */
  readonly isPaid?: (witness: number, position: number) => boolean;
  /** The least that is paid: who has less crowds nobody. */
  readonly paidMinPpm?: number;
};

/** A degree is 111,195 m, and at 48.2 degrees of latitude a degree of longitude two thirds of that. */
export function placeOf({
  eastM,
  northM,
}: Pick<TrustedHotspot, "eastM" | "northM">): [lat: number, lng: number] {
  return [48.2 + northM / 111_195, 16.37 + eastM / (111_195 * 0.66653)];
}

/** What version 2 scores of these hotspots and beacons; all are active, all trust is of one generation. */
export function createTrustedInput(
  hotspots: readonly TrustedHotspot[],
  links: readonly Link[],
  { isPaid = () => true, paidMinPpm = 100_000 }: TrustedNetworkOptions = {},
): ScoreInput {
  const places = hotspots.map(placeOf);
  const evidence = createEvidence(
    places.map(([lat, lng]) => latLngToCell(lat, lng, 12)),
    links,
  );
  const latE7 = Int32Array.from(places, ([lat]) => Math.round(lat * 1e7));
  const lngE7 = Int32Array.from(places, ([, lng]) => Math.round(lng * 1e7));
  const distanceM = (a: number, b: number): number =>
    computeDistanceM(latE7[a]!, lngE7[a]!, latE7[b]!, lngE7[b]!);
  const trustPpm = Uint32Array.from(hotspots, (one) => one.trustPpm ?? PPM);
  const creditPpm = Uint32Array.from(hotspots, (one) => one.creditPpm ?? one.trustPpm ?? PPM);
  const sumStandingPpm = (hotspot: number): number =>
    [...new Set(links.flatMap(([beaconer, list]) => (list.includes(hotspot) ? [beaconer] : [])))].reduce(
      (sum, other) =>
        sum + computeStandingPartPpm(creditPpm[hotspot]!, trustPpm[other]!, distanceM(hotspot, other)),
      0,
    );
  const standingPpm = Float64Array.from(hotspots, (one, i) => one.standingPpm ?? sumStandingPpm(i));
  const table = { trustPpm, creditPpm, standingPpm };
  const witnesses = links.flatMap(([, list]) => list);
  return {
    ...evidence,
    active: new Uint8Array(hotspots.length).fill(1),
    trusted: {
      witnessDistanceM: Uint32Array.from(
        links.flatMap(([beaconer, list]) => list.map((w) => distanceM(beaconer, w))),
      ),
      witnessIsPaid: Uint8Array.from(witnesses, (witness, position) => (isPaid(witness, position) ? 1 : 0)),
      beaconTable: new Uint8Array(links.length),
      tables: [table],
      crowdPpm: trustPpm.map((ppm) => (ppm < paidMinPpm ? 0 : ppm)),
      isTwoSided: Uint8Array.from(hotspots, (one) => ((one.isTwoSided ?? true) ? 1 : 0)),
      isCorroborated: Uint8Array.from(hotspots, (one) => ((one.isCorroborated ?? true) ? 1 : 0)),
      owner: Uint32Array.from(hotspots, (one, hotspot) => one.owner ?? 1_000 + hotspot),
      ownerCap: 2,
      latE7,
      lngE7,
    },
  };
}
