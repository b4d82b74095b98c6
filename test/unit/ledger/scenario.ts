/** A ledger driven round by round by a test, with every outcome at hand by its report. */
import type { Evidence, LaneTip } from "../../../protocol/src/agreement/rounds.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { type Challenge, computeChallenge } from "../../../protocol/src/evidence/challenge.ts";
import { executeRound } from "../../../protocol/src/ledger/execute.ts";
import { createLedger, type Ledger } from "../../../protocol/src/ledger/state.ts";
import type {
  EpochClose,
  LedgerMessage,
  ReportOutcome,
  RoundResult,
} from "../../../protocol/src/ledger/types.ts";
import type { Genesis, GenesisHotspot } from "../../../protocol/src/network/genesis.ts";
import { epochOfRound, type Parameters } from "../../../protocol/src/network/parameters.ts";
import { REGION_PLANS } from "../../../protocol/src/radio/regions.ts";
import type { ReportBundle } from "../../../protocol/src/wire/reports.ts";
import type { Transaction } from "../../../protocol/src/wire/transactions.ts";
import {
  createGenesis,
  type HotspotOptions,
  keyOf,
  MessageMaker,
  type SentBeacon,
  sendBeacon,
  siteAt,
} from "../../sim/ledgerWorld.ts";

/** Windows that are small and all different, so that a test that mixes them up fails. */
export const WINDOWS = {
  roundsPerEpoch: 40,
  beaconIntervalEpochs: 1,
  beaconToleranceRounds: 5,
  witnessWindowRounds: 6,
  revealWindowRounds: 9,
  waitRounds: 4,
} as const;

export class Scenario {
  readonly genesis: Genesis;
  ledger: Ledger;
  readonly outcomes = new Map<string, ReportOutcome[]>();
  readonly closes: EpochClose[] = [];
  /** By how much the next rounds' times lie ahead of where they began. */
  aheadMs = 0;
  /** What the next rounds newly take of lanes. */
  lanes: LaneTip[] = [];
  readonly #maker: MessageMaker;
  readonly #due = new Map<number, LedgerMessage[]>();
  readonly #evidence = new Map<number, Evidence[]>();

  constructor(
    hotspots: readonly HotspotOptions[],
    parameters: Partial<Parameters> = {},
    validators?: readonly string[],
  ) {
    this.genesis = createGenesis(hotspots, { ...WINDOWS, ...parameters }, validators);
    this.ledger = createLedger(this.genesis);
    this.#maker = new MessageMaker(this.genesis);
  }

  /** As if hotspots of two more owners had just borne everybody out: for tests of what few have heard. */
  corroborate(): void {
    const { accounts, registry, trust, nextEpoch } = this.ledger;
    for (const { index } of registry.list) {
      for (const stranger of [0, 1])
        trust.corroboration.note(index, accounts.list.length + stranger, nextEpoch);
    }
  }

  get round(): number {
    return this.ledger.round;
  }

  hotspot(index: number): GenesisHotspot {
    return this.genesis.hotspots[index]!;
  }

  /** Puts reports into a round's cut. The bundle's epoch is that round's unless another is said. */
  at(
    round: number,
    sender: GenesisHotspot | Uint8Array,
    reports: Partial<ReportBundle>,
    epoch = epochOfRound(this.genesis.parameters, round),
  ): LedgerMessage {
    const key = sender instanceof Uint8Array ? sender : sender.key;
    return this.put(round, this.#maker.reports(key, epoch, reports));
  }

  /** Puts a transaction into a round's cut. */
  transact(round: number, sender: Uint8Array, transaction: Transaction): LedgerMessage {
    return this.put(round, this.#maker.transaction(sender, transaction));
  }

  put(round: number, message: LedgerMessage): LedgerMessage {
    if (round <= this.round) throw new Error("that round is over");
    const list = this.#due.get(round);
    if (list === undefined) this.#due.set(round, [message]);
    else list.push(message);
    return message;
  }

  /** Puts evidence into a round's value. */
  accuse(round: number, ...evidence: Evidence[]): void {
    this.#evidence.set(round, [...(this.#evidence.get(round) ?? []), ...evidence]);
  }

  /** Executes the next round. */
  step(): RoundResult {
    const round = this.round + 1;
    const timeMs = this.genesis.timeMs + round * this.genesis.parameters.roundMs + this.aheadMs;
    const messages = this.#due.get(round) ?? [];
    const participants = this.genesis.validators.map(({ key }) => key);
    const evidence = this.#evidence.get(round) ?? [];
    const input = { round, timeMs, messages, participants, evidence, lanes: this.lanes };
    const result = executeRound(this.ledger, input);
    for (const outcome of result.outcomes) {
      const key = encodeHex(outcome.reportId.envelopeId) + outcome.reportId.index;
      const list = this.outcomes.get(key);
      if (list === undefined) this.outcomes.set(key, [outcome]);
      else list.push(outcome);
    }
    if (result.epochClose !== null) this.closes.push(result.epochClose);
    return result;
  }

  /** Executes up to a round, that one included, and gives its result. */
  runTo(round: number): RoundResult {
    while (this.round < round - 1) this.step();
    return this.step();
  }

  /** Executes the rest of the epoch. */
  closeEpoch(): EpochClose {
    const closed = this.closes.length;
    while (this.closes.length === closed) this.step();
    return this.closes.at(-1)!;
  }

  /** The outcomes that a report of a message was given, oldest first, as "state reason" with "?" for a selection pending. */
  history(message: LedgerMessage, index = 0): string[] {
    return (this.outcomes.get(encodeHex(message.id) + index) ?? []).map(
      ({ state, reason, selectionPending }) =>
        [state, reason].filter((word) => word !== null).join(" ") + (selectionPending ? "?" : ""),
    );
  }

  /** A report's newest outcome. */
  last(message: LedgerMessage, index = 0): ReportOutcome {
    return this.outcomes.get(encodeHex(message.id) + index)!.at(-1)!;
  }

  challenge(hotspot: GenesisHotspot, epoch: number): Challenge {
    const seed = this.ledger.seedOf(epoch)!;
    const plan = REGION_PLANS[hotspot.region];
    return computeChallenge(this.genesis.parameters, seed, hotspot.key, epoch, plan)!;
  }

  /** The beacon that a hotspot's challenge asks for, with a secret of its own. */
  beacon(hotspot: GenesisHotspot, epoch: number, secretName = "secret"): SentBeacon {
    const challenge = this.challenge(hotspot, epoch);
    const secret = keyOf(`${secretName} ${encodeHex(hotspot.key)} ${epoch}`).slice(0, 16);
    const timeMs = this.genesis.timeMs + challenge.slotRound * this.genesis.parameters.roundMs;
    return sendBeacon(hotspot, challenge, epoch, secret, timeMs);
  }

  revealOf({ tag, secret }: SentBeacon): Pick<ReportBundle, "reveals"> {
    return { reveals: [{ tag, secret }] };
  }
}

/** So many hotspots in a row, two kilometres apart, each its own owner's. */
export function inRow(count: number): HotspotOptions[] {
  return Array.from({ length: count }, (_, i) => ({ name: `hotspot ${i}`, site: siteAt(i * 2_000, 0) }));
}

/** A genesis whose hotspots' slots in epoch 0 leave room: the n-th hotspot with a slot from 5 to 15. */
export function earlySlotted(scenario: Scenario, count: number): GenesisHotspot[] {
  const early = scenario.genesis.hotspots.filter((hotspot) => {
    const { slotRound } = scenario.challenge(hotspot, 0);
    return slotRound >= 5 && slotRound <= 15;
  });
  if (early.length < count) throw new Error("the scenario needs more hotspots");
  return early.slice(0, count);
}
