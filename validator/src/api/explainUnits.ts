/**
 * How the units of a report came about under score version 2: the links that made them, each the lesser of both ends' trust
 * times a quality by its length, over what they are divided by. Trust, distances and places come from the store's rows, and
 * the protocol's own functions choose and multiply. What they give is held against the stored units: where it differs, as
 * a hotspot has moved since or rows are no longer kept, nothing is told but that.
 */
import { setImmediate } from "node:timers/promises";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import { isDrawReason } from "../../../protocol/src/evidence/reasons.ts";
import { type Parameters, PPM } from "../../../protocol/src/network/parameters.ts";
import { CROWD_HALF } from "../../../protocol/src/score/crowd.ts";
import { COUNTERPARTS_FULL, pickBestLinks } from "../../../protocol/src/score/scoreV2.ts";
import { computeHotspotTrust } from "../../../protocol/src/trust/hotspotTrust.ts";
import { computeLinkValuePpm, computeQualityPpm } from "../../../protocol/src/trust/quality.ts";
import type { BeaconRow, QueryStore, ReceptionRow, WitnessRow } from "../store/store.ts";
import type { FactorsJson } from "./schemas/trust.ts";

export type UnitsStore = Pick<QueryStore, "getBeacon" | "getHotspot" | "listTrust">;

/** Three links' worth: what the sum of links is divided by at least. */
const FULL_PPM = COUNTERPARTS_FULL * PPM;

/** A hotspot as a beacon's epoch found it. */
type End = {
  readonly key: Uint8Array;
  readonly position: number;
  readonly owner: string;
  readonly latE7: number;
  readonly lngE7: number;
  readonly trustPpm: number;
  /** By what its own earnings are reckoned, see `HotspotTrust`. */
  readonly creditPpm: number;
  readonly isSuspended: boolean;
  /** It came after the last computation of trust, so that no row says what it has: all or nothing. */
  readonly isNewcomer: boolean;
};

/** `isDivided`: by what the witness had on record, which its units tell. */
type Explained = {
  readonly factors: FactorsJson;
  readonly isDivided: boolean;
  readonly computedFrom: number;
};

/** The factors of one hotspot's reports in an epoch; each end is read once. */
export class UnitsExplainer {
  readonly #store: UnitsStore;
  readonly #parameters: Parameters;
  readonly #ends = new Map<string, Promise<End | null>>();

  constructor(store: UnitsStore, parameters: Parameters) {
    this.#store = store;
    this.#parameters = parameters;
  }

  /**
   * The factors of a hotspot's beacons and witness reports of one epoch, in their order; null where they do not give what is
   * stored.
   */
  async explain(
    hotspot: Uint8Array,
    receptions: readonly ReceptionRow[],
  ): Promise<readonly (FactorsJson | null)[]> {
    const explained: (Explained | null)[] = [];
    for (const one of receptions) {
      explained.push(await this.#explainOne(hotspot, one));
      // A beacon of five hundred witnesses takes milliseconds, in which nobody else is answered.
      await setImmediate();
    }
    // All of a witness's links are divided by the same while the same trust is in force.
    const divisors = new Map<number, FactorsJson["divisor"]>();
    for (const one of explained) {
      if (one === null || !one.isDivided) continue;
      divisors.set(one.computedFrom, intersect(divisors.get(one.computedFrom), one.factors.divisor));
    }
    return explained.map((one) => {
      if (one === null || !one.isDivided) return one?.factors ?? null;
      const divisor = divisors.get(one.computedFrom)!;
      return divisor.leastPpm > divisor.mostPpm ? null : { ...one.factors, divisor };
    });
  }

  async #explainOne(hotspot: Uint8Array, one: ReceptionRow): Promise<Explained | null> {
    const row = await this.#store.getBeacon(one.beacon);
    const epoch = row?.closing?.challengeEpoch;
    if (row === null || epoch === undefined || row.truncated) return null;
    const factors = one.isHeard
      ? await this.#explainWitness(hotspot, one, row, epoch)
      : await this.#explainBeacon(hotspot, one, row, epoch);
    if (factors === null) return null;
    const isDivided = one.isHeard && one.unitsPpm !== 0;
    return { factors, isDivided, computedFrom: this.#computedFrom(epoch) };
  }

  /** The epoch from which the trust is in force that stands at an epoch's start. */
  #computedFrom(epoch: number): number {
    const { trustIntervalEpochs } = this.#parameters;
    return Math.floor(epoch / trustIntervalEpochs) * trustIntervalEpochs;
  }

  async #explainBeacon(
    hotspot: Uint8Array,
    { closedEpoch }: ReceptionRow,
    row: BeaconRow,
    epoch: number,
  ): Promise<FactorsJson | null> {
    const storedPpm = row.closing?.units?.beaconerPpm;
    const accepted = row.witnesses.filter(isAccepted);
    const own = await this.#ownEnd(hotspot, epoch, closedEpoch);
    const witnesses = await Promise.all(accepted.map(({ hotspot: key }) => this.#end(key, epoch)));
    const isKnown = (ends: readonly (End | null)[]): ends is readonly End[] =>
      ends.every((end) => end !== null);
    if (storedPpm === undefined || own === null || !isKnown(witnesses)) return null;
    return findMatching(storedPpm, (newcomerPpm) => {
      const ends = [own, ...witnesses].map((end) => withTrust(end, newcomerPpm));
      const distances = accepted.map(({ distanceM }) => distanceM!);
      const links = pickLinks(ends, distances, this.#parameters.ownerWitnessCap);
      const units = Math.floor((sumValues(links) * PPM) / FULL_PPM);
      const divisor = { leastPpm: FULL_PPM, mostPpm: FULL_PPM };
      return { units, factors: { links, candidates: accepted.length, divisor, unpaid: null } };
    });
  }

  async #explainWitness(
    hotspot: Uint8Array,
    { reportId, unitsPpm, closedEpoch }: ReceptionRow,
    row: BeaconRow,
    epoch: number,
  ): Promise<FactorsJson | null> {
    const report = row.witnesses.find(
      ({ reportId: id }) => id.index === reportId.index && equalBytes(id.envelopeId, reportId.envelopeId),
    );
    const own = await this.#ownEnd(hotspot, epoch, closedEpoch);
    const beaconer = await this.#end(row.report.hotspot, epoch);
    if (report === undefined || report.distanceM === null || own === null || beaconer === null) return null;
    const { distanceM, reason } = report;
    const unpaid = reason !== null && isDrawReason(reason) ? reason : null;
    return findMatching(unitsPpm!, (newcomerPpm) => {
      const link = presentLink(withTrust(own, newcomerPpm), withTrust(beaconer, newcomerPpm), distanceM);
      const divisor = unpaid === null ? findDivisor(link.valuePpm, unitsPpm!) : null;
      const units = unpaid !== null ? 0 : divisor === null ? null : unitsPpm!;
      const told = divisor ?? { leastPpm: FULL_PPM, mostPpm: FULL_PPM };
      return { units, factors: { links: [link], candidates: 1, divisor: told, unpaid } };
    });
  }

  /** The end that earns: whose pay was withheld, and is not when the beacon closes, has no more credit than it is trusted then. */
  async #ownEnd(key: Uint8Array, epoch: number, closedEpoch: number): Promise<End | null> {
    const own = await this.#end(key, epoch);
    if (own === null || !own.isSuspended) return own;
    const closing = await this.#end(key, closedEpoch);
    if (closing === null || closing.isSuspended) return own;
    return { ...own, creditPpm: Math.min(own.creditPpm, closing.trustPpm) };
  }

  #end(key: Uint8Array, epoch: number): Promise<End | null> {
    const id = `${encodeHex(key)} ${epoch}`;
    const known = this.#ends.get(id) ?? this.#readEnd(key, epoch);
    this.#ends.set(id, known);
    return known;
  }

  async #readEnd(key: Uint8Array, epoch: number): Promise<End | null> {
    const hotspot = await this.#store.getHotspot(key);
    if (hotspot === null || hotspot.assertion === null) return null;
    // There is a row for each computation by which it was not wholly trusted or became so.
    const [row] = (await this.#store.listTrust(key, epoch + 1, 1)).rows;
    const { graphPpm = PPM, findings = [], fromEpoch = 0 } = row ?? {};
    const paidMinPpm = this.#parameters.trustPaidMinPpm;
    const found = computeHotspotTrust(graphPpm, findings, fromEpoch, paidMinPpm);
    const { trustPpm, creditPpm, isSuspended } = found;
    const { latE7, lngE7 } = hotspot.assertion;
    return {
      key,
      position: hotspot.position,
      owner: encodeHex(hotspot.owner),
      latE7,
      lngE7,
      trustPpm,
      creditPpm,
      isSuspended,
      isNewcomer: row === undefined && hotspot.registeredEpoch >= this.#computedFrom(epoch),
    };
  }
}

/** Accepted before the draw: with no reason, or one of the draw's. */
function isAccepted({ state, reason, distanceM }: WitnessRow): boolean {
  return state === "accepted" && distanceM !== null && (reason === null || isDrawReason(reason));
}

function withTrust(end: End, newcomerPpm: number): End {
  return end.isNewcomer ? { ...end, trustPpm: newcomerPpm, creditPpm: newcomerPpm } : end;
}

type Attempt = { readonly units: number | null; readonly factors: Omit<FactorsJson, "mayEarn"> };

/**
 * The factors that give the stored units. What newcomers have is told by which of both does: all before the graph decides,
 * nothing after. Where only the stored units are nothing, too little was said of the hotspot by others, which no row keeps.
 */
function findMatching(storedPpm: number, attempt: (newcomerPpm: number) => Attempt): FactorsJson | null {
  const attempts = [PPM, 0].map(attempt);
  const matching = attempts.find(({ units }) => units === storedPpm);
  if (matching !== undefined) return { ...matching.factors, mayEarn: true };
  return storedPpm === 0 ? { ...attempts[0]!.factors, mayEarn: false } : null;
}

/** The best links of a beacon, the first end's, by the protocol's own choice. @param distancesM of the others, in order. */
function pickLinks(ends: readonly End[], distancesM: readonly number[], ownerCap: number) {
  // Equal links are taken in the order of registration.
  const order = ends
    .map(({ position }, place) => ({ position, place }))
    .sort((a, b) => a.position - b.position);
  const indexOf = (place: number): number => order.findIndex((one) => one.place === place);
  const sorted = order.map(({ place }) => ends[place]!);
  const owners = [...new Set(sorted.map(({ owner }) => owner))];
  const table = {
    trustPpm: Uint32Array.from(sorted, ({ trustPpm }) => trustPpm),
    creditPpm: Uint32Array.from(sorted, ({ creditPpm }) => creditPpm),
    standingPpm: new Float64Array(sorted.length),
  };
  const evidence = {
    beaconHotspot: Uint32Array.of(indexOf(0)),
    beaconWitnessOffset: Uint32Array.of(0, distancesM.length),
    witnessHotspot: Uint32Array.from(distancesM, (_, i) => indexOf(i + 1)),
  };
  const trusted = {
    witnessDistanceM: Uint32Array.from(distancesM),
    beaconTable: new Uint8Array(1),
    tables: [table],
    owner: Uint32Array.from(sorted, ({ owner }) => owners.indexOf(owner)),
    ownerCap,
    latE7: Int32Array.from(sorted, ({ latE7 }) => latE7),
    lngE7: Int32Array.from(sorted, ({ lngE7 }) => lngE7),
  };
  return pickBestLinks(evidence, trusted, 0).map(({ reception, witness }) =>
    presentLink(ends[0]!, sorted[witness]!, distancesM[reception]!),
  );
}

function presentLink(own: End, other: End, distanceM: number): FactorsJson["links"][number] {
  const lesserPpm = Math.min(own.creditPpm, other.trustPpm);
  return {
    counterpart: encodeDidKey(other.key),
    name: computeName(other.key),
    distanceM,
    trustPpm: own.creditPpm,
    counterpartTrustPpm: other.trustPpm,
    qualityPpm: computeQualityPpm(distanceM),
    valuePpm: computeLinkValuePpm(lesserPpm, distanceM),
  };
}

const sumValues = (links: FactorsJson["links"]): number =>
  links.reduce((sum, { valuePpm }) => sum + valuePpm, 0);

/**
 * By what a link's worth was divided to give so many units: three links' worth, or where that was more all that the witness
 * had on record, over its own trust. No row keeps that, so the units tell it: from the least to the most that gives them; null for none.
 */
function findDivisor(valuePpm: number, unitsPpm: number): FactorsJson["divisor"] | null {
  if (unitsPpm === 0) return valuePpm === 0 ? { leastPpm: FULL_PPM, mostPpm: FULL_PPM } : null;
  const leastPpm = Math.max(FULL_PPM, Math.floor((valuePpm * PPM) / (unitsPpm + 1)) + 1);
  const mostPpm = Math.floor((valuePpm * PPM) / unitsPpm);
  return leastPpm > mostPpm ? null : { leastPpm, mostPpm };
}

function intersect(
  one: FactorsJson["divisor"] | undefined,
  other: FactorsJson["divisor"],
): FactorsJson["divisor"] {
  if (one === undefined) return other;
  return {
    leastPpm: Math.max(one.leastPpm, other.leastPpm),
    mostPpm: Math.min(one.mostPpm, other.mostPpm),
  };
}

/** The crowd that gives a scale of 4 / (4 + crowd), rounded down: from the least to the most. */
export function findCrowd(scalePpm: number): FactorsJson["divisor"] {
  const halfPpm = CROWD_HALF * PPM;
  const leastPpm = Math.floor((halfPpm * PPM) / (scalePpm + 1)) + 1 - halfPpm;
  return { leastPpm: Math.max(0, leastPpm), mostPpm: Math.floor((halfPpm * PPM) / scalePpm) - halfPpm };
}
