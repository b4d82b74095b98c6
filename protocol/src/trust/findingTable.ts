/**
 * Findings by hotspot, packed into columns: with fourteen references each as objects, those of a network in which every
 * second hotspot is found against would take as much memory as the history that they were made from.
 */
import { PENALTY_REASONS, type PenaltyReason } from "./finding.ts";

/**
 * One piece of evidence: a counterpart, with the newest epochs in which the hotspot validly heard it and was heard by it
 * (-1: never on record). A hotspot sends at most one beacon an epoch, so with both keys that names the reports.
 */
export type Reception = {
  readonly counterpart: number;
  readonly heardEpoch: number;
  readonly heardByEpoch: number;
};

/** A finding with its evidence by name; `madeEpoch`: from whose start it is in force. */
export type NamedFinding = {
  readonly reason: PenaltyReason;
  readonly factorPpm: number;
  readonly madeEpoch: number;
  readonly endsEpoch: number;
  readonly evidence: readonly Reception[];
};

/** Findings by hotspot, in the order of `PENALTY_REASONS`, of one reason the oldest first; a hotspot without any has no entry. */
export type Findings = Iterable<readonly [number, readonly NamedFinding[]]> &
  Pick<ReadonlyMap<number, readonly NamedFinding[]>, "get" | "has" | "size">;

/** Columns of a finding: the hotspot's finding before it (-1: none), its own, and where its evidence begins and ends. */
const [BEFORE, REASON, FACTOR, MADE, ENDS, FIRST, END] = [0, 1, 2, 3, 4, 5, 6] as const;
const WIDTH = END + 1;
const REFERENCE_WIDTH = 3;

export class FindingTable implements Findings {
  /** By hotspot: its newest finding plus one; 0: none. */
  #newest = new Uint32Array(64);
  #columns = new Float64Array(64 * WIDTH);
  #evidence = new Int32Array(64 * REFERENCE_WIDTH);
  #findings = 0;
  #references = 0;
  #hotspots = 0;

  /** Hotspots with findings. */
  get size(): number {
    return this.#hotspots;
  }

  /** Adds a finding against a hotspot, which has none of the same reason made in the same epoch. */
  add(hotspot: number, finding: NamedFinding): void {
    this.#newest = makeRoom(this.#newest, hotspot + 1);
    this.#columns = makeRoom(this.#columns, (this.#findings + 1) * WIDTH);
    const before = this.#newest[hotspot]! - 1;
    if (before === -1) this.#hotspots++;
    this.#write(this.#findings, before, finding);
    this.#newest[hotspot] = ++this.#findings;
  }

  has(hotspot: number): boolean {
    return (this.#newest[hotspot] ?? 0) > 0;
  }

  get(hotspot: number): readonly NamedFinding[] | undefined {
    if (!this.has(hotspot)) return undefined;
    const found: { number: number; finding: NamedFinding }[] = [];
    for (let at = this.#newest[hotspot]! - 1; at !== -1; at = this.#columns[at * WIDTH + BEFORE]!) {
      found.push({ number: this.#columns[at * WIDTH + REASON]!, finding: this.#read(at) });
    }
    found.sort((a, b) => a.number - b.number || a.finding.madeEpoch - b.finding.madeEpoch);
    return found.map(({ finding }) => finding);
  }

  /** Hotspots ascending. */
  *[Symbol.iterator](): Generator<readonly [number, readonly NamedFinding[]]> {
    for (let hotspot = 0; hotspot < this.#newest.length; hotspot++) {
      const found = this.get(hotspot);
      if (found !== undefined) yield [hotspot, found];
    }
  }

  #write(
    at: number,
    before: number,
    { reason, factorPpm, madeEpoch, endsEpoch, evidence }: NamedFinding,
  ): void {
    this.#evidence = makeRoom(this.#evidence, (this.#references + evidence.length) * REFERENCE_WIDTH);
    const first = this.#references;
    for (const { counterpart, heardEpoch, heardByEpoch } of evidence) {
      const to = this.#references++ * REFERENCE_WIDTH;
      this.#evidence[to] = counterpart;
      this.#evidence[to + 1] = heardEpoch;
      this.#evidence[to + 2] = heardByEpoch;
    }
    const number = PENALTY_REASONS.indexOf(reason);
    const row = [before, number, factorPpm, madeEpoch, endsEpoch, first, this.#references];
    this.#columns.set(row, at * WIDTH);
  }

  #read(at: number): NamedFinding {
    const column = (name: number): number => this.#columns[at * WIDTH + name]!;
    const evidence: Reception[] = [];
    for (let from = column(FIRST) * REFERENCE_WIDTH; from < column(END) * REFERENCE_WIDTH; ) {
      const [counterpart, heardEpoch] = [this.#evidence[from++]!, this.#evidence[from++]!];
      evidence.push({ counterpart, heardEpoch, heardByEpoch: this.#evidence[from++]! });
    }
    return {
      reason: PENALTY_REASONS[column(REASON)]!,
      factorPpm: column(FACTOR),
      evidence,
      endsEpoch: column(ENDS),
      madeEpoch: column(MADE),
    };
  }
}

/** The column itself where it is long enough, else one half as long again with the same beginning. */
function makeRoom<Column extends Uint32Array | Int32Array | Float64Array>(
  column: Column,
  length: number,
): Column {
  if (length <= column.length) return column;
  const Same = column.constructor as new (length: number) => Column;
  const grown = new Same(Math.max(length, Math.ceil(column.length * 1.5)));
  grown.set(column);
  return grown;
}
