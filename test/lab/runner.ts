/**
 * Runs a network of honest hotspots and attackers through the real ledger, epoch by epoch: challenges, commits, proofs,
 * reveals, gates, caps, trust, score, split, escrow. Only the air is simulated, and signatures are not made.
 */
import { createHash } from "node:crypto";
import { asciiBytes } from "../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../protocol/src/bytes/hex.ts";
import { sha256 } from "../../protocol/src/crypto/sha256.ts";
import { computeChallenge, computeChallengePowerCentiDbm } from "../../protocol/src/evidence/challenge.ts";
import { computeCommit, computeProof, computeTag } from "../../protocol/src/evidence/commitReveal.ts";
import { executeRound } from "../../protocol/src/ledger/execute.ts";
import { createLedger, type Ledger } from "../../protocol/src/ledger/state.ts";
import type { EpochClose, LedgerMessage } from "../../protocol/src/ledger/types.ts";
import type { Genesis } from "../../protocol/src/network/genesis.ts";
import {
  checkParameterRelations,
  epochOfRound,
  type Parameters,
} from "../../protocol/src/network/parameters.ts";
import { PRESETS } from "../../protocol/src/network/presets.ts";
import { REGION_PLANS, type RegionPlan } from "../../protocol/src/radio/regions.ts";
import {
  encodeMeasurement,
  MAX_REPORTS_PER_BUNDLE,
  type Measurement,
  type RevealReport,
  type WitnessReport,
} from "../../protocol/src/wire/reports.ts";
import { createRandom, mixSeed, type Random } from "../ether/prng.ts";
import { Airwaves, type Frame, GAIN_CENTI_DBI } from "./airwaves.ts";
import { assertPlaceOf, type City } from "./city.ts";
import { chooseSeeds, type Member } from "./population.ts";

/** Mainnet epochs in one of the laboratory's: there a hotspot beacons once in six, here once in each. */
const MAINNET_EPOCHS = PRESETS.mainnet.beaconIntervalEpochs;
const scaled = (epochs: number): number => Math.ceil(epochs / MAINNET_EPOCHS);

/** Mainnet's rules at a sixth of its epochs, in short epochs: only counts of beacons matter, not of minutes. */
export const LAB_PARAMETERS: Parameters = {
  ...PRESETS.mainnet,
  roundsPerEpoch: 8,
  beaconIntervalEpochs: 1,
  beaconToleranceRounds: 2,
  witnessWindowRounds: 2,
  revealWindowRounds: 2,
  waitRounds: 2,
  reciprocityEpochs: scaled(PRESETS.mainnet.reciprocityEpochs),
  silenceEpochs: scaled(PRESETS.mainnet.silenceEpochs),
  activityEpochs: scaled(PRESETS.mainnet.activityEpochs),
  trustIntervalEpochs: scaled(PRESETS.mainnet.trustIntervalEpochs),
  trustWindowEpochs: scaled(PRESETS.mainnet.trustWindowEpochs),
  trustFromEpoch: scaled(PRESETS.mainnet.trustFromEpoch),
  penaltyEpochs: scaled(PRESETS.mainnet.penaltyEpochs),
  escrowEpochs: scaled(PRESETS.mainnet.escrowEpochs),
};

/** A beacon as it was sent. */
export type Beacon = {
  readonly sender: number;
  readonly epoch: number;
  readonly round: number;
  readonly secret: Uint8Array;
  readonly tag: Uint8Array;
  readonly frame: Frame;
  readonly powerStepDb: number;
};

/** What a member is about to report of a beacon: as its radio measured it, or null where it only has the secret. */
export type Hearing = {
  readonly beacon: Beacon;
  readonly witness: number;
  readonly measurement: Measurement | null;
};

/** What a member reports to have heard of a beacon. */
export type Reception = { readonly witness: number; readonly measurement: Measurement };

/** How attackers behave; what is left out they do as honest hotspots do. */
export type Conduct = {
  /** What an attacker reports instead of what its radio measured; null: nothing. */
  readonly report?: (hearing: Hearing & { measurement: Measurement }, lab: LabView) => Measurement | null;
  /** Members whose radios send a beacon's packet once more, as strong as it was sent: whoever hears that reports it in good faith. */
  readonly relay?: (beacon: Beacon, heard: readonly Reception[]) => readonly number[];
  /** Further receptions that attackers report, or honest hotspots that they feed otherwise. */
  readonly invent?: (beacon: Beacon, lab: LabView, heard: readonly Reception[]) => readonly Reception[];
  /** Whether attackers and accomplices keep silent about their beacons' secrets, or tell them at once. */
  readonly reveal?: "never" | "early";
  /** What an attacker makes of all that others have sent in the epoch: it is public. */
  readonly copy?: (sent: readonly SentWitness[], epoch: number, lab: LabView) => readonly CopiedReport[];
};

export type SentWitness = {
  readonly witness: number;
  readonly round: number;
  readonly report: WitnessReport;
};
export type CopiedReport = {
  readonly sender: number;
  readonly round: number;
  readonly report: WitnessReport;
};

/** What attackers know of the network. */
export type LabView = {
  readonly seed: number;
  readonly members: readonly Member[];
  readonly random: Random;
};

export type RunOptions = {
  readonly seed: number;
  readonly city: City;
  readonly members: readonly Member[];
  readonly epochs: number;
  readonly conduct: Conduct;
  readonly corruptSeedsPpm: number;
};

/** One epoch's payments in base units by member, and, where trust was computed, who was not paid and who was found against. */
export type EpochOutcome = {
  readonly paid: readonly bigint[];
  readonly withheld: readonly bigint[];
  readonly trust: {
    readonly unpaid: ReadonlySet<number>;
    readonly found: ReadonlyMap<number, readonly string[]>;
  } | null;
};

const SECRET_BYTES = 16;
const GENESIS_TIME_MS = 1_800_000_000_000;

/** Runs a network for so many epochs. The same options give the same outcome on every machine. */
export function runNetwork(options: RunOptions): EpochOutcome[] {
  return new Network(options).run();
}

class Network {
  readonly #options: RunOptions;
  readonly #ledger: Ledger;
  readonly #keys: Uint8Array[];
  readonly #memberOf: Map<string, number>;
  readonly #plan: RegionPlan;
  readonly #air: Airwaves;
  readonly #random: Random;
  readonly #view: LabView;
  readonly #due = new Map<number, LedgerMessage[]>();
  /** By tag: the reveal of a beacon whose sender is silent, for the first honest hotspot that hears it. */
  readonly #helpers = new Map<string, { round: number; reveals: RevealReport[] }>();
  /** By round and sender: witness reports that share an envelope. */
  readonly #waiting = new Map<string, WitnessReport[]>();
  #messages = 0;

  constructor(options: RunOptions) {
    this.#options = options;
    const { members, seed, city } = options;
    const [fault] = checkParameterRelations(LAB_PARAMETERS);
    if (fault !== undefined) throw new RangeError(`the laboratory's parameters: ${fault}`);
    this.#keys = members.map(({ name }) => sha256(asciiBytes(`lab ${seed} ${name}`)));
    this.#memberOf = new Map(this.#keys.map((key, member) => [encodeHex(key), member]));
    this.#plan = REGION_PLANS[city.region];
    this.#air = new Airwaves(seed, members, this.#plan.beaconFreqsHz[0]!);
    this.#random = createRandom(mixSeed(seed, "lab run"));
    this.#view = { seed, members, random: createRandom(mixSeed(seed, "attackers")) };
    this.#ledger = createLedger(this.#createGenesis(), { createHash: () => createHash("sha256") });
  }

  #createGenesis(): Genesis {
    const { members, seed, city, corruptSeedsPpm } = this.#options;
    const seeds = new Set(chooseSeeds(members, corruptSeedsPpm, createRandom(mixSeed(seed, "seeds"))));
    return {
      name: "lab",
      timeMs: GENESIS_TIME_MS,
      seed: sha256(asciiBytes(`lab seed ${seed}`)),
      parameters: LAB_PARAMETERS,
      validators: [{ key: sha256(asciiBytes("lab validator")), stake: 1n, multiaddrs: [] }],
      accounts: [],
      hotspots: members.map((member, index) => ({
        key: this.#keys[index]!,
        owner: sha256(asciiBytes(member.owner)),
        ...assertPlaceOf(member.asserted),
        gainCentiDbi: GAIN_CENTI_DBI,
        elevationM: member.asserted.elevationM,
        region: city.region,
      })),
      trustSeeds: this.#keys.filter((_, index) => seeds.has(members[index]!.name)),
    };
  }

  run(): EpochOutcome[] {
    const outcomes: EpochOutcome[] = [];
    for (let epoch = 0; epoch < this.#options.epochs; epoch++) {
      this.#sendEpoch(epoch);
      const close = this.#executeEpoch();
      outcomes.push(this.#readClose(close));
    }
    return outcomes;
  }

  #executeEpoch(): EpochClose {
    for (;;) {
      const round = this.#ledger.round + 1;
      const timeMs = GENESIS_TIME_MS + round * LAB_PARAMETERS.roundMs;
      const messages = this.#due.get(round) ?? [];
      this.#due.delete(round);
      const input = { round, timeMs, messages, participants: [], evidence: [], lanes: [] };
      const { epochClose } = executeRound(this.#ledger, input);
      if (epochClose !== null) return epochClose;
    }
  }

  #sendEpoch(epoch: number): void {
    const { members, conduct } = this.#options;
    const seed = this.#ledger.seedOf(epoch)!;
    const sent: SentWitness[] = [];
    for (const [member, key] of this.#keys.entries()) {
      const challenge = computeChallenge(LAB_PARAMETERS, seed, key, epoch, this.#plan);
      if (challenge === null || this.#air.radioOf[member] === -1) continue;
      const beacon = this.#createBeacon(member, epoch, challenge);
      const { side } = members[member]!;
      this.#sendReveal(beacon, side === "attacker" || side === "accomplice" ? conduct.reveal : undefined);
      for (const { witness, measurement } of this.#listHearings(beacon)) {
        const proof = computeProof(beacon.secret, this.#keys[witness]!, encodeMeasurement(measurement));
        const report = { tag: beacon.tag, proof, measurement };
        sent.push({ witness, round: beacon.round, report });
      }
    }
    for (const { witness, round, report } of sent) this.#pushWitness(witness, epoch, round, report);
    for (const { sender, round, report } of conduct.copy?.(sent, epoch, this.#view) ?? []) {
      this.#pushWitness(sender, epoch, round, report);
    }
    this.#flush(epoch);
  }

  #createBeacon(
    sender: number,
    epoch: number,
    challenge: NonNullable<ReturnType<typeof computeChallenge>>,
  ): Beacon {
    const secret = Uint8Array.from({ length: SECRET_BYTES }, () => Math.floor(this.#random() * 256));
    const commit = computeCommit(this.#keys[sender]!, epoch, secret);
    const { slotRound: round, freqHz, spreadingFactor, bandwidthHz, powerStepDb } = challenge;
    const frame = {
      freqHz,
      spreadingFactor,
      bandwidthHz,
      powerCentiDbm: computeChallengePowerCentiDbm(this.#plan, GAIN_CENTI_DBI, powerStepDb),
      timeMs: GENESIS_TIME_MS + round * LAB_PARAMETERS.roundMs,
    };
    this.#push(sender, epoch, round, { beacons: [{ commit, ...frame }] });
    return { sender, epoch, round, secret, tag: computeTag(commit), frame, powerStepDb };
  }

  /** The beaconer's reveal, and in the second half of the window one by a hotspot that heard it where it is missing. */
  #sendReveal({ sender, epoch, round, tag, secret }: Beacon, conduct: Conduct["reveal"]): void {
    const { witnessWindowRounds, revealWindowRounds } = LAB_PARAMETERS;
    const reveals: RevealReport[] = [{ tag, secret }];
    const windowEnd = round + witnessWindowRounds;
    if (conduct === "early") this.#push(sender, epoch, round, { reveals });
    if (conduct === undefined) this.#reveal(sender, windowEnd + 1, reveals);
    else this.#helpers.set(encodeHex(tag), { round: windowEnd + revealWindowRounds, reveals });
  }

  #listHearings(beacon: Beacon): Reception[] {
    const { conduct } = this.#options;
    const hearings = this.#transmit(beacon, beacon.sender, new Set([beacon.sender]));
    for (const relay of conduct.relay?.(beacon, hearings) ?? []) {
      // Who has the packet already does not report it again.
      const have = new Set([beacon.sender, relay, ...hearings.map(({ witness }) => witness)]);
      hearings.push(...this.#transmit(beacon, relay, have));
    }
    return [...hearings, ...(conduct.invent?.(beacon, this.#view, hearings) ?? [])];
  }

  /** What members report of a beacon's packet that the radio of one sends, but for those who have it. */
  #transmit(beacon: Beacon, from: number, have: ReadonlySet<number>): Reception[] {
    const { members, conduct } = this.#options;
    const hearings: Reception[] = [];
    const radio = this.#air.radioOf[from]!;
    for (const heard of this.#air.transmit(radio, beacon.frame, this.#random)) {
      for (const witness of this.#air.fed[heard.radio]!) {
        if (have.has(witness)) continue;
        const isAttacker = members[witness]!.side === "attacker";
        if (!isAttacker) this.#help(beacon, witness);
        const hearing = { beacon, witness, measurement: heard.measurement };
        const measurement =
          isAttacker && conduct.report !== undefined
            ? conduct.report(hearing, this.#view)
            : heard.measurement;
        if (measurement !== null) hearings.push({ witness, measurement });
      }
    }
    return hearings;
  }

  /** The first honest hotspot that heard a beacon tells its secret where the beaconer does not. */
  #help({ tag }: Beacon, witness: number): void {
    const name = encodeHex(tag);
    const helper = this.#helpers.get(name);
    if (helper === undefined) return;
    this.#helpers.delete(name);
    this.#reveal(witness, helper.round, helper.reveals);
  }

  #reveal(sender: number, round: number, reveals: RevealReport[]): void {
    this.#push(sender, epochOfRound(LAB_PARAMETERS, round), round, { reveals });
  }

  #pushWitness(sender: number, epoch: number, round: number, report: WitnessReport): void {
    const key = `${round} ${sender}`;
    const list = this.#waiting.get(key);
    if (list === undefined) this.#waiting.set(key, [report]);
    else list.push(report);
    if (this.#waiting.get(key)!.length === MAX_REPORTS_PER_BUNDLE) this.#flushOne(key, epoch);
  }

  #flushOne(key: string, epoch: number): void {
    const [round, sender] = key.split(" ").map(Number) as [number, number];
    this.#push(sender, epoch, round, { witnesses: this.#waiting.get(key)! });
    this.#waiting.delete(key);
  }

  #flush(epoch: number): void {
    for (const key of [...this.#waiting.keys()]) this.#flushOne(key, epoch);
    this.#helpers.clear();
  }

  #push(
    sender: number,
    epoch: number,
    round: number,
    reports: Partial<Extract<LedgerMessage, { kind: "reports" }>["bundle"]>,
  ): void {
    // Nothing is signed, so an id only has to be one of its own.
    const id = new Uint8Array(32);
    new DataView(id.buffer).setUint32(0, ++this.#messages);
    const bundle = { epoch, beacons: [], witnesses: [], reveals: [], ...reports };
    const message: LedgerMessage = { kind: "reports", id, sender: this.#keys[sender]!, bundle };
    const list = this.#due.get(round);
    if (list === undefined) this.#due.set(round, [message]);
    else list.push(message);
  }

  #readClose({ lines, trustRows }: EpochClose): EpochOutcome {
    const { members } = this.#options;
    const paid = new Array<bigint>(members.length).fill(0n);
    const withheld = new Array<bigint>(members.length).fill(0n);
    for (const line of lines) {
      const member = this.#memberOf.get(encodeHex(line.hotspot))!;
      paid[member] = line.beaconPaid + line.witnessPaid;
      withheld[member] = line.beaconWithheld + line.witnessWithheld;
    }
    if (trustRows === null) return { paid, withheld, trust: null };
    const unpaid = new Set<number>();
    const found = new Map<number, readonly string[]>();
    for (const { hotspot, graphPpm, isSuspended, findings } of trustRows) {
      const member = this.#memberOf.get(encodeHex(hotspot))!;
      if (isSuspended || graphPpm < LAB_PARAMETERS.trustPaidMinPpm) unpaid.add(member);
      // Of one reason there may be several, made on different days.
      if (findings.length > 0) found.set(member, [...new Set(findings.map(({ reason }) => reason))]);
    }
    return { paid, withheld, trust: { unpaid, found } };
  }
}
