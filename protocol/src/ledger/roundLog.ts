/**
 * What a round writes, gathered while it executes: the round's result for shells, and the digest over it that validators
 * compare.
 */
import { EVIDENCE_KINDS } from "../agreement/evidence.ts";
import { asciiBytes } from "../bytes/bytes.ts";
import { hashLabelled } from "../crypto/sha256.ts";
import { encodeReason } from "../evidence/reasons.ts";
import { ENVELOPE_KINDS } from "../wire/envelope.ts";
import { type Account, viewOfAccount } from "./accounts.ts";
import { ByteWriter } from "./byteWriter.ts";
import { type Hotspot, viewOfHotspot } from "./registry.ts";
import type {
  AccountView,
  ClosedBeacon,
  Conviction,
  HotspotView,
  NotExecutedReason,
  OverQuota,
  ReportId,
  ReportOutcome,
  RoundInput,
  RoundResult,
  TransactionOutcome,
  ValidatorView,
} from "./types.ts";
import { type ValidatorRecord, viewOfValidator } from "./validators.ts";

const STATE_CODES = { pending: 0, accepted: 1, refused: 2 } as const;
const KIND_CODES = { beacon: 0, witness: 1, reveal: 2 } as const;

export class RoundLog {
  readonly included: Uint8Array[] = [];
  readonly notExecuted: { id: Uint8Array; reason: NotExecutedReason }[] = [];
  readonly outcomes: ReportOutcome[] = [];
  readonly beaconsClosed: ClosedBeacon[] = [];
  readonly transactions: TransactionOutcome[] = [];
  readonly evidence: Conviction[] = [];
  readonly #overQuota = new Map<Hotspot, number>();
  readonly #hotspots = new Set<Hotspot>();
  readonly #retiredHotspots: HotspotView[] = [];
  readonly #accounts = new Set<Account>();
  readonly #validators = new Set<ValidatorRecord>();

  /** Counts a report beyond its hotspot's quota. */
  countOverQuota(hotspot: Hotspot): void {
    this.#overQuota.set(hotspot, (this.#overQuota.get(hotspot) ?? 0) + 1);
  }

  /** Notes that a hotspot's view has changed. */
  touchHotspot(hotspot: Hotspot): void {
    this.#hotspots.add(hotspot);
  }

  /** Notes the last view of a hotspot under a key that it has no more. */
  retireHotspot(view: HotspotView): void {
    this.#retiredHotspots.push(view);
  }

  /** Notes that an account's view has changed. */
  touchAccount(account: Account): void {
    this.#accounts.add(account);
  }

  /** Notes that a validator's view has changed. */
  touchValidator(validator: ValidatorRecord): void {
    this.#validators.add(validator);
  }

  /**
   * The result but for the epoch's close, of which the digest covers the record; views are taken now, after the last
   * change.
   */
  finish(
    input: RoundInput,
    epoch: number,
    digestBefore: Uint8Array,
    recordDigest: Uint8Array | null,
  ): Omit<RoundResult, "epochClose"> {
    const overQuota: OverQuota[] = [...this.#overQuota].map(([{ key }, count]) => ({ hotspot: key, count }));
    const result = {
      round: input.round,
      epoch,
      timeMs: input.timeMs,
      included: this.included,
      notExecuted: this.notExecuted,
      outcomes: this.outcomes,
      beaconsClosed: this.beaconsClosed,
      transactions: this.transactions,
      overQuota,
      hotspotsChanged: [...this.#retiredHotspots, ...[...this.#hotspots].map(viewOfHotspot)],
      accountsChanged: [...this.#accounts].map(viewOfAccount),
      validatorsChanged: [...this.#validators].map(viewOfValidator),
      evidence: this.evidence,
    };
    const writes = encodeWrites(result, recordDigest);
    return { ...result, stateDigest: hashLabelled("round", digestBefore, writes) };
  }
}

/** The round's ordered writes, canonically: every list with its length before it. What was not executed writes nothing. */
function encodeWrites(
  result: Omit<RoundResult, "stateDigest" | "epochClose">,
  recordDigest: Uint8Array | null,
): Uint8Array {
  const out = new ByteWriter();
  out.int64(result.round);
  out.int64(result.timeMs);
  out.int32(result.included.length);
  for (const id of result.included) out.bytes(id);
  out.int32(result.outcomes.length);
  for (const outcome of result.outcomes) writeOutcome(out, outcome);
  out.int32(result.beaconsClosed.length);
  for (const beacon of result.beaconsClosed) writeClosedBeacon(out, beacon);
  out.int32(result.transactions.length);
  for (const { id, kind, reason } of result.transactions) {
    out.bytes(id);
    out.uint8(ENVELOPE_KINDS[kind]);
    out.uint8(encodeReason(reason));
  }
  out.int32(result.overQuota.length);
  for (const { hotspot, count } of result.overQuota) {
    out.bytes(hotspot);
    out.int32(count);
  }
  out.int32(result.hotspotsChanged.length);
  for (const hotspot of result.hotspotsChanged) writeHotspot(out, hotspot);
  out.int32(result.accountsChanged.length);
  for (const account of result.accountsChanged) writeAccount(out, account);
  out.list(result.validatorsChanged, (validator) => writeValidator(out, validator));
  out.list(result.evidence, ({ offender, kind, slashed }) => {
    out.bytes(offender);
    out.uint8(EVIDENCE_KINDS.indexOf(kind));
    out.amount(slashed);
  });
  out.uint8(recordDigest === null ? 0 : 1);
  if (recordDigest !== null) out.bytes(recordDigest);
  return out.finish();
}

function writeReportId(out: ByteWriter, { envelopeId, index }: ReportId): void {
  out.bytes(envelopeId);
  out.uint8(index);
}

function writeOutcome(out: ByteWriter, outcome: ReportOutcome): void {
  writeReportId(out, outcome.reportId);
  out.uint8(
    KIND_CODES[outcome.kind] | (STATE_CODES[outcome.state] << 2) | (outcome.selectionPending ? 16 : 0),
  );
  out.uint8(encodeReason(outcome.reason));
  out.uint8(outcome.beacon === null ? 0 : 1);
  if (outcome.beacon !== null) writeReportId(out, outcome.beacon);
  if (outcome.distanceM !== null) out.int32(outcome.distanceM);
}

function writeClosedBeacon(out: ByteWriter, beacon: ClosedBeacon): void {
  writeReportId(out, beacon.reportId);
  out.uint8(encodeReason(beacon.reason));
  out.int32(beacon.witnessesAccepted);
  out.int32(beacon.witnessesUnpaid);
  out.int32(beacon.witnessesRefused);
}

function writeHotspot(out: ByteWriter, hotspot: HotspotView): void {
  out.bytes(hotspot.key);
  out.bytes(hotspot.owner);
  out.int64(hotspot.registeredEpoch);
  out.amount(hotspot.bond);
  const { assertion } = hotspot;
  out.uint8(assertion === null ? 0 : 1);
  if (assertion !== null) {
    out.amount(assertion.cell);
    out.int32(assertion.latE7);
    out.int32(assertion.lngE7);
    out.int32(assertion.gainCentiDbi);
    out.int32(assertion.elevationM);
    out.int64(assertion.fromEpoch);
  }
  out.int64(hotspot.lastActiveEpoch ?? -1);
  out.int64(hotspot.silentUntilEpoch ?? -1);
  out.int64(hotspot.leavingUntilEpoch ?? -1);
}

function writeValidator(out: ByteWriter, validator: ValidatorView): void {
  out.bytes(validator.key);
  out.bytes(validator.owner);
  out.amount(validator.stake);
  out.int64(validator.sinceEpoch);
  out.int64(validator.unbondingUntilEpoch ?? -1);
  out.uint8(validator.isTombstoned ? 1 : 0);
  out.list(validator.multiaddrs, (multiaddr) => {
    out.int32(multiaddr.length);
    out.bytes(asciiBytes(multiaddr));
  });
}

function writeAccount(out: ByteWriter, { key, balance, nonce, earned }: AccountView): void {
  out.bytes(key);
  out.amount(balance);
  out.int64(nonce);
  out.amount(earned);
}
