/**
 * A whole network of honest and cheating hotspots on an ideal radio, round by round, against the ledger: reproducible
 * from a seed, with its history folded into one audit hash. Runs as a program too: `node test/sim/ledger.ts [seed]`.
 */
import { encodeHex } from "../../protocol/src/bytes/hex.ts";
import { sha256 } from "../../protocol/src/crypto/sha256.ts";
import { computeChallenge } from "../../protocol/src/evidence/challenge.ts";
import { computeDistanceM } from "../../protocol/src/geo/distance.ts";
import { computeBooks } from "../../protocol/src/ledger/books.ts";
import { executeRound } from "../../protocol/src/ledger/execute.ts";
import { createLedger, type Ledger } from "../../protocol/src/ledger/state.ts";
import {
  type EpochClose,
  type LedgerMessage,
  POOL_NAMES,
  type ReportId,
  type RoundInput,
  type RoundResult,
} from "../../protocol/src/ledger/types.ts";
import type { Genesis, GenesisHotspot } from "../../protocol/src/network/genesis.ts";
import { epochOfRound, type Parameters } from "../../protocol/src/network/parameters.ts";
import { REGION_PLANS } from "../../protocol/src/radio/regions.ts";
import { countReports, type ReportBundle } from "../../protocol/src/wire/reports.ts";
import {
  createGenesis,
  MessageMaker,
  type SentBeacon,
  sendBeacon,
  siteAt,
  witnessBeacon,
} from "./ledgerWorld.ts";
import { Prng } from "./prng.ts";

/** How a hotspot behaves; whatever else it does, it witnesses what is in range. */
export const BEHAVIOURS = [
  "honest",
  "copycat",
  "early",
  "silent",
  "replayer",
  "duplicator",
  "forger",
  "flooder",
] as const;
export type Behaviour = (typeof BEHAVIOURS)[number];

export type SimulationOptions = {
  readonly seed: number;
  readonly hotspots: number;
  readonly epochs: number;
  /** One in so many hotspots cheats, in turn by each behaviour; 0: nobody. */
  readonly cheatOneIn: number;
  readonly parameters?: Partial<Parameters>;
};

/** Hotspots hear each other over this distance. */
const RANGE_M = 6_000;

export class LedgerSimulation {
  readonly genesis: Genesis;
  readonly ledger: Ledger;
  readonly closes: EpochClose[] = [];
  readonly behaviours: ReadonlyMap<string, Behaviour>;
  /** Every outcome that was given, by report. */
  readonly audit = new ReportAudit();
  hash: Uint8Array = new Uint8Array(32);
  /** What the last round was executed with. */
  lastInput: RoundInput | null = null;
  /** Reports of honest witnesses about honest beacons, in time: nobody else's doings may have them refused. */
  readonly owed: string[] = [];
  readonly #prng: Prng;
  readonly #maker: MessageMaker;
  readonly #inRange: Map<GenesisHotspot, GenesisHotspot[]>;
  /** Messages by the round in whose cut they will be. */
  readonly #due = new Map<number, LedgerMessage[]>();
  #sent: LedgerMessage[] = [];

  constructor(options: SimulationOptions) {
    this.#prng = new Prng(options.seed);
    const prng = this.#prng;
    const sites = Array.from({ length: options.hotspots }, (_, i) => ({
      name: `hotspot ${i}`,
      // Four in ten hotspots are one owner's, who comes over the cap.
      owner: i % 10 < 4 ? "fleet" : `owner ${i}`,
      site: siteAt(prng.below(14_000) - 7_000, prng.below(14_000) - 7_000),
      gainCentiDbi: prng.pick([120, 300, 580]),
    }));
    this.genesis = createGenesis(sites, options.parameters);
    this.ledger = createLedger(this.genesis);
    this.#maker = new MessageMaker(this.genesis);
    const { hotspots } = this.genesis;
    const cheats = BEHAVIOURS.filter((behaviour) => behaviour !== "honest");
    this.behaviours = new Map(
      hotspots.map(({ key }, i) => {
        const cheating = options.cheatOneIn > 0 && i % options.cheatOneIn === 0;
        return [encodeHex(key), cheating ? cheats[(i / options.cheatOneIn) % cheats.length]! : "honest"];
      }),
    );
    this.#inRange = new Map(
      hotspots.map((a) => [a, hotspots.filter((b) => a !== b && distance(a, b) <= RANGE_M)]),
    );
  }

  /** Runs so many epochs; then, without new beacons, until every window has passed. */
  run(epochs: number): void {
    const { roundsPerEpoch } = this.genesis.parameters;
    while (this.ledger.round + 1 < epochs * roundsPerEpoch) this.step(true);
    for (let i = 0; i < 4 * roundsPerEpoch; i++) this.step(false);
  }

  /** One round. */
  step(withBeacons: boolean): RoundResult {
    const round = this.ledger.round + 1;
    if (withBeacons) for (const hotspot of this.genesis.hotspots) this.#act(hotspot, round);
    const messages = this.#prng.shuffle(this.#due.get(round) ?? []);
    this.#due.delete(round);
    const timeMs = this.genesis.timeMs + round * this.genesis.parameters.roundMs;
    const participants = this.genesis.validators.map(({ key }) => key);
    const input = { round, timeMs, messages, participants, evidence: [], lanes: [] };
    this.lastInput = input;
    const result = executeRound(this.ledger, input);
    this.#sent = [...messages, ...this.#sent].slice(0, 200);
    this.audit.note(messages, result);
    this.hash = sha256(this.hash, result.stateDigest);
    if (result.epochClose !== null) {
      this.closes.push(result.epochClose);
      this.hash = sha256(this.hash, result.epochClose.stateRoot, result.epochClose.recordDigest);
      assertClose(this.ledger, this.closes);
    }
    return result;
  }

  #act(hotspot: GenesisHotspot, round: number): void {
    const { parameters } = this.genesis;
    const behaviour = this.#behaviourOf(hotspot);
    const epoch = epochOfRound(parameters, round);
    const seed = this.ledger.seedOf(epoch)!;
    const challenge = computeChallenge(parameters, seed, hotspot.key, epoch, REGION_PLANS[hotspot.region]);
    if (behaviour === "replayer" && this.#sent.length > 0) this.#send(round, this.#prng.pick(this.#sent));
    if (behaviour === "flooder") this.#flood(hotspot, round);
    if (challenge === null || challenge.slotRound !== round) return;
    const timeMs = this.genesis.timeMs + round * parameters.roundMs;
    const beacon = sendBeacon(hotspot, challenge, epoch, this.#prng.bytes(16), timeMs);
    const included = round + this.#prng.below(parameters.beaconToleranceRounds + 1);
    this.#report(hotspot, epoch, included, { beacons: [beacon.report] });
    this.#reveal(beacon, behaviour, included);
    for (const witness of this.#inRange.get(hotspot)!) this.#witness(beacon, witness, round);
  }

  #witness(beacon: SentBeacon, witness: GenesisHotspot, round: number): void {
    const { parameters } = this.genesis;
    const behaviour = this.#behaviourOf(witness);
    const included = round + this.#prng.below(parameters.witnessWindowRounds + 1);
    const report = witnessBeacon(beacon, witness);
    const message = this.#report(witness, beacon.epoch, included, { witnesses: [report] });
    const beaconer = this.#behaviourOf(beacon.hotspot);
    if (behaviour === "honest" && beaconer === "honest")
      this.owed.push(auditKey({ envelopeId: message.id, index: 0 }));
    if (behaviour === "duplicator")
      this.#report(witness, beacon.epoch, included + 1, { witnesses: [report, report] });
    if (behaviour === "copycat") {
      // A commit of its own under the tag it heard, and a report under that tag that nothing can prove.
      const commit = this.#prng.bytes(32);
      commit.set(beacon.tag);
      this.#report(witness, beacon.epoch, included, { beacons: [{ ...beacon.report, commit }] });
      this.#report(witness, beacon.epoch, included, {
        witnesses: [{ ...report, proof: this.#prng.bytes(32) }],
      });
    }
    if (behaviour === "forger") {
      const measurement = { ...report.measurement, rssiDeciDbm: -300 };
      this.#report(witness, beacon.epoch, included, { witnesses: [{ ...report, measurement }] });
    }
  }

  #reveal(beacon: SentBeacon, behaviour: Behaviour, included: number): void {
    const { parameters } = this.genesis;
    const reveals = [{ tag: beacon.tag, secret: beacon.secret }];
    const windowEnd = included + parameters.witnessWindowRounds;
    const report = (round: number, sender = beacon.hotspot) =>
      this.#report(sender, epochOfRound(parameters, round), round, { reveals });
    if (behaviour === "silent") return;
    if (behaviour === "early") report(included + 1);
    // A witness may reveal in the second half, and is refused in the first. One that floods has no quota left to help,
    // and one that was refused cannot help with the same bundle again: it would be the same message.
    const helpers = this.#inRange
      .get(beacon.hotspot)!
      .filter((hotspot) => this.#behaviourOf(hotspot) !== "flooder");
    const [helper, hasty] = helpers;
    if (this.#prng.oneIn(8) && helper !== undefined)
      report(windowEnd + parameters.revealWindowRounds, helper);
    else report(windowEnd + 1 + this.#prng.below(Math.floor(parameters.revealWindowRounds / 2)));
    if (this.#prng.oneIn(8) && hasty !== undefined) report(windowEnd + 1, hasty);
  }

  #behaviourOf({ key }: GenesisHotspot): Behaviour {
    return this.behaviours.get(encodeHex(key))!;
  }

  #flood(hotspot: GenesisHotspot, round: number): void {
    const epoch = epochOfRound(this.genesis.parameters, round);
    const witnesses = Array.from({ length: 16 }, () => ({
      tag: this.#prng.bytes(6),
      proof: this.#prng.bytes(32),
      measurement: {
        rssiDeciDbm: -1_000,
        rssiKind: "signal" as const,
        snrCentiDb: 500,
        freqHz: 868_100_000,
        spreadingFactor: 9,
        bandwidthHz: 125_000,
        timeMs: 0,
      },
    }));
    this.#report(hotspot, epoch, round, { witnesses });
  }

  #report(
    sender: GenesisHotspot,
    epoch: number,
    round: number,
    reports: Partial<Omit<ReportBundle, "epoch">>,
  ): LedgerMessage {
    const message = this.#maker.reports(sender.key, epoch, reports);
    this.#send(round, message);
    return message;
  }

  #send(round: number, message: LedgerMessage): void {
    const list = this.#due.get(round);
    if (list === undefined) this.#due.set(round, [message]);
    else list.push(message);
  }
}

function distance(a: GenesisHotspot, b: GenesisHotspot): number {
  return computeDistanceM(a.latE7, a.lngE7, b.latE7, b.lngE7);
}

/** Emitted + carried in = paid + carried out; what is carried in is what was carried out before; and all books balance. */
function assertClose(ledger: Ledger, closes: readonly EpochClose[]): void {
  const close = closes.at(-1)!;
  const before = closes.at(-2);
  for (const name of POOL_NAMES) {
    const { emitted, carriedIn, paid, carriedOut } = close.pools[name];
    if (emitted + carriedIn !== paid + carriedOut) throw new Error(`pool ${name} of epoch ${close.epoch}`);
    if (carriedIn !== (before?.pools[name].carriedOut ?? 0n))
      throw new Error(`carry of ${name} into ${close.epoch}`);
  }
  const paid = close.lines.reduce((sum, line) => sum + line.beaconPaid + line.witnessPaid, 0n);
  if (paid !== close.pools.beacons.paid + close.pools.witnesses.paid) throw new Error("lines do not add up");
  if (!computeBooks(ledger).isBalanced) throw new Error("books do not balance");
}

const auditKey = ({ envelopeId, index }: ReportId): string => `${encodeHex(envelopeId)}-${index}`;

/** Follows every report to its verdict: exactly one last outcome, or a place in its hotspot's surplus. */
export class ReportAudit {
  /** Reports that were executed and have no last outcome yet. */
  readonly open = new Set<string>();
  readonly final = new Map<string, string>();
  readonly faults: string[] = [];
  executed = 0;
  overQuota = 0;

  note(messages: readonly LedgerMessage[], result: RoundResult): void {
    const byId = new Map(messages.map((message) => [encodeHex(message.id), message]));
    for (const id of result.included) {
      const message = byId.get(encodeHex(id))!;
      if (message.kind === "reports") this.executed += countReports(message.bundle);
    }
    for (const { count } of result.overQuota) this.overQuota += count;
    for (const outcome of result.outcomes) {
      const key = auditKey(outcome.reportId);
      if (this.final.has(key)) this.faults.push(`an outcome after the last one: ${key}`);
      const isLast = outcome.state !== "pending" && !outcome.selectionPending;
      if (!isLast) {
        this.open.add(key);
        continue;
      }
      this.open.delete(key);
      this.final.set(key, outcome.reason ?? "accepted");
    }
  }

  /** How often each last reason was given. */
  counts(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const reason of this.final.values()) counts[reason] = (counts[reason] ?? 0) + 1;
    return counts;
  }
}

/** Runs a simulation to its end. */
export function simulateLedger(options: SimulationOptions): LedgerSimulation {
  const simulation = new LedgerSimulation(options);
  simulation.run(options.epochs);
  return simulation;
}

if (import.meta.main) {
  const seed = Number(process.argv[2] ?? 1);
  const { hash, audit, closes } = simulateLedger({ seed, hotspots: 60, epochs: 25, cheatOneIn: 4 });
  console.log(`audit hash ${encodeHex(hash)}`);
  console.log(
    `${audit.executed} reports, ${audit.overQuota} over quota, ${audit.open.size} open, faults:`,
    audit.faults,
  );
  console.log(audit.counts());
  for (const { epoch, pools, beaconsClosed, witnessesAccepted } of closes) {
    console.log(epoch, beaconsClosed, witnessesAccepted, pools.beacons.paid, pools.witnesses.paid);
  }
}
