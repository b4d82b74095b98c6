/**
 * What the ledger knows of trust: the history of links, the trust in force and the one before it, the findings behind
 * it, whom trusted hotspots have lately heard and borne out, and whose owners have appealed. Trust is computed at the end of every
 * `trustIntervalEpochs`th epoch (`trustClose.ts`) and is in force from the next one on; a beacon is judged by the trust
 * at the start of its own epoch, which closes at most two epochs later: so two generations are kept, and no more.
 */
import { GENESIS_REGISTRATION_EPOCH } from "../network/genesis.ts";
import { type Parameters, PPM } from "../network/parameters.ts";
import type { TrustTable } from "../score/scoreV2.ts";
import { FindingTable } from "../trust/findingTable.ts";
import { type HotspotTrust, isSuspendedFromPay } from "../trust/hotspotTrust.ts";
import { TrustHistory } from "../trust/trustHistory.ts";
import { Corroboration } from "./corroboration.ts";
import { HotspotColumn } from "./hotspotColumn.ts";
import type { Hotspot } from "./registry.ts";

/** Trust of all hotspots that there were when it was computed, by index. */
export type TrustGeneration = {
  /** In force from the start of this epoch. */
  readonly fromEpoch: number;
  /** What hotspots have that came later: all, while the graph does not decide, and then nothing. */
  readonly newcomerPpm: number;
  /** See `HotspotTrust`. */
  readonly graphPpm: Uint32Array;
  readonly beliefPpm: Uint32Array;
  readonly trustPpm: Uint32Array;
  readonly creditPpm: Uint32Array;
  readonly standingPpm: Float64Array;
};

export class TrustBook {
  readonly #paidMinPpm: number;
  readonly history: TrustHistory;
  /** Oldest first; one or two. */
  generations: TrustGeneration[];
  /** Those in force, by hotspot's index. */
  findings = new FindingTable();
  /** Hotspots whose findings are to be judged anew at the next computation. */
  readonly appealed = new Set<number>();
  /** Hotspots that were forgotten while something stood against them: the last epoch in which they cannot appeal. */
  readonly barredUntil = new Map<number, number>();
  /** Indexes of hotspots, the longest serving first. */
  seeds: number[] = [];
  /** By index: the newest epoch plus one in which a trusted hotspot was validly heard by it, and in which one heard it. */
  readonly heard = new HotspotColumn();
  readonly heardBy = new HotspotColumn();
  readonly corroboration = new Corroboration();

  constructor({ trustPaidMinPpm, trustWindowEpochs }: Parameters, history?: TrustHistory) {
    this.#paidMinPpm = trustPaidMinPpm;
    this.history = history ?? new TrustHistory(trustWindowEpochs);
    this.generations = [
      {
        ...{ fromEpoch: GENESIS_REGISTRATION_EPOCH, newcomerPpm: PPM },
        ...{ graphPpm: new Uint32Array(), beliefPpm: new Uint32Array(), trustPpm: new Uint32Array() },
        ...{ creditPpm: new Uint32Array(), standingPpm: new Float64Array() },
      },
    ];
  }

  /** The place in `generations` of the one in force at the start of an epoch. */
  generationAt(epoch: number): number {
    const newest = this.generations.findLastIndex(({ fromEpoch }) => fromEpoch <= epoch);
    return Math.max(newest, 0);
  }

  /** A hotspot's trust at the start of an epoch. */
  trustAt(hotspot: number, epoch: number): HotspotTrust {
    return this.#trustIn(this.generations[this.generationAt(epoch)]!, hotspot);
  }

  /** Whether a hotspot is believed at the start of an epoch as much as is paid, whatever the caps leave of its trust. */
  isTrusted(hotspot: number, epoch: number): boolean {
    return this.trustAt(hotspot, epoch).beliefPpm >= this.#paidMinPpm;
  }

  /**
   * A generation as the score reads it for beacons that close in an epoch, for so many hotspots. Whose pay was withheld and is
   * not any more has no more credit by it than it is trusted now: what it would have had is neither withheld nor due.
   */
  tableOf(generation: TrustGeneration, epoch: number, count: number): TrustTable {
    const { trustPpm, creditPpm, standingPpm, newcomerPpm } = generation;
    const table = {
      trustPpm: new Uint32Array(count).fill(newcomerPpm),
      creditPpm: new Uint32Array(count).fill(newcomerPpm),
      standingPpm: new Float64Array(count),
    };
    table.trustPpm.set(trustPpm);
    table.creditPpm.set(creditPpm);
    table.standingPpm.set(standingPpm);
    const closing = this.generations[this.generationAt(epoch)]!;
    if (closing === generation) return table;
    for (const hotspot of trustPpm.keys()) {
      if (!this.#trustIn(generation, hotspot).isSuspended) continue;
      const now = this.#trustIn(closing, hotspot);
      if (!now.isSuspended) table.creditPpm[hotspot] = Math.min(creditPpm[hotspot]!, now.trustPpm);
    }
    return table;
  }

  #trustIn(generation: TrustGeneration, hotspot: number): HotspotTrust {
    const { newcomerPpm } = generation;
    const graphPpm = generation.graphPpm[hotspot] ?? newcomerPpm;
    const beliefPpm = generation.beliefPpm[hotspot] ?? newcomerPpm;
    return {
      ...{ graphPpm, beliefPpm },
      trustPpm: generation.trustPpm[hotspot] ?? newcomerPpm,
      creditPpm: generation.creditPpm[hotspot] ?? newcomerPpm,
      isSuspended: isSuspendedFromPay(graphPpm, beliefPpm, this.#paidMinPpm),
    };
  }

  /** Adds a newly computed generation; the one before it stays, and no other. */
  turn(generation: TrustGeneration): void {
    this.generations = [...this.generations.slice(-1), generation];
  }

  /**
   * Forgets what was heard of and by a hotspot: it stands elsewhere, has another antenna, owner or key. A seed that does
   * so is none any more, and an appeal goes with the record that was to decide it. Findings stay until they end, or moving
   * would be a way out.
   */
  forget({ index }: Pick<Hotspot, "index">): void {
    this.history.forget(index);
    this.appealed.delete(index);
    this.heard.set(index, -1);
    this.heardBy.set(index, -1);
    this.corroboration.forget(index);
    this.seeds = this.seeds.filter((seed) => seed !== index);
  }
}
