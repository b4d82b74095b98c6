/**
 * From a decided value to what execution takes: the cut's new batches, found by their digests and proven by the chain
 * that each one's `prev` makes, and their messages in the order of execution.
 */
import { CodedError } from "../../../node/src/host/codedError.ts";
import { requireSet } from "../../../protocol/src/agreement/certificates.ts";
import { computeRoundTimeMs, type LaneSpan, listLaneSpans } from "../../../protocol/src/agreement/cut.ts";
import {
  type AvailabilityCert,
  type Batch,
  decodeBatch,
  decodeBitmap,
  type Value,
} from "../../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { decodeLedgerMessage } from "../../../protocol/src/ledger/bundleDecode.ts";
import type { Ledger } from "../../../protocol/src/ledger/state.ts";
import type { LedgerMessage, RoundInput } from "../../../protocol/src/ledger/types.ts";
import { epochOfRound } from "../../../protocol/src/network/parameters.ts";
import type { BatchSpan } from "../store/store.ts";

export type RoundInputModules = {
  /** @param cert whose signers hold the batch. */
  readonly batches: {
    readonly getBatch: (digest: Uint8Array, cert?: AvailabilityCert) => Promise<Uint8Array | null>;
  };
  readonly domains: SigningDomains;
  /** The ledger between the round before and this one. */
  readonly ledger: Pick<Ledger, "setOf" | "laneEndOf" | "parameters">;
  /** Lets others have their turn between pieces of work; by default the event loop's. A simulation has its own. */
  readonly yieldTurn?: () => Promise<void>;
};

/** A round's input with the batches that it came from, and the ids of all messages in them. */
export type LoadedRound = {
  readonly input: RoundInput;
  readonly batchDigests: readonly Uint8Array[];
  readonly batchSpans: readonly BatchSpan[];
};

/**
 * Loads what a value takes in beyond the cut before it.
 * @param previousTimeMs the time of the round before, or genesis's.
 * @throws CodedError "batch_missing" or "file_corrupt" where a batch is not there whole.
 */
export async function loadRound(
  value: Value,
  previousTimeMs: number,
  modules: RoundInputModules,
): Promise<LoadedRound> {
  const batchDigests: Uint8Array[] = [];
  const batchSpans: BatchSpan[] = [];
  const messages: LedgerMessage[] = [];
  const { ledger } = modules;
  const set = requireSet(ledger, epochOfRound(ledger.parameters, value.round));
  const spans = listLaneSpans(value.cut, set, (lane) => ledger.laneEndOf(lane));
  for (const span of spans) {
    for (const { digest, batch } of await loadSpan(span, modules)) {
      batchDigests.push(digest);
      for (const bytes of batch.messages) {
        const message = decodeLedgerMessage(bytes, modules.domains);
        // Whoever acknowledged the batch had decoded it; execution is total all the same.
        if (typeof message !== "string") messages.push(message);
      }
      // A full batch is some 50 ms of decoding, which is long enough to be away from the event loop.
      await (modules.yieldTurn ?? yieldToEventLoop)();
    }
    batchSpans.push({ lane: span.lane, firstSeq: span.from.seq + 1, lastSeq: span.to.seq });
  }
  const { round, evidence } = value;
  const timeMs = computeRoundTimeMs(value.tips, previousTimeMs);
  const participants = listParticipants(value, modules);
  const lanes = spans.map(({ lane, to: { seq, digest } }) => ({ lane, seq, digest }));
  return { input: { round, timeMs, messages, participants, evidence, lanes }, batchDigests, batchSpans };
}

/** Lets timers, sockets and requests have their turn. */
export function yieldToEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

type LoadedBatch = { readonly digest: Uint8Array; readonly batch: Batch };

/**
 * Walks a lane's chain back from the certified end, so that each digest proves the one before it, down to the number at
 * which the cuts before have left the lane. What stands there need not be what the chain names: where the validator set
 * changes, an author that signs two batches under one number can have one certified by either set (`lanes.qnt` finds
 * how). It is convicted for it; its lane goes on with whichever chain is decided, and nobody stands still.
 */
async function loadSpan(span: LaneSpan, { batches }: RoundInputModules): Promise<LoadedBatch[]> {
  const loaded: LoadedBatch[] = [];
  let digest = span.to.digest;
  for (let seq = span.to.seq; seq > span.from.seq; seq--) {
    const bytes = await batches.getBatch(digest, span.to);
    if (bytes === null)
      throw new CodedError("batch_missing", `batch ${encodeHex(digest)} of a decided round is not there`);
    const batch = decodeBatch(bytes);
    const isNext = batch !== null && batch.seq === seq && equalBytes(batch.lane, span.lane);
    if (!isNext)
      throw new CodedError("batch_missing", `batch ${encodeHex(digest)} is not number ${seq} of its lane`);
    loaded.push({ digest, batch });
    digest = batch.prev;
  }
  return loaded.reverse();
}

/** Who is on record for the round before, by its final certificate: keys of that round's set. */
function listParticipants(value: Value, { ledger }: Pick<RoundInputModules, "ledger">): Uint8Array[] {
  const [final] = value.previousFinal;
  if (final === undefined) return [];
  const { keys } = requireSet(ledger, epochOfRound(ledger.parameters, final.round));
  return (decodeBitmap(final.bitmap, keys.length) ?? []).map((position) => keys[position]!);
}
