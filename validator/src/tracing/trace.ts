/**
 * One message's way through this validator, put together from what it remembers, its store and the bodies of batches: when
 * it came, which lane and batch brought it into which round, what each report was judged, and what that paid.
 */

import { decodeBatch } from "../../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import type { SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { computeEnvelopeId, decodeEnvelope } from "../../../protocol/src/wire/envelope.ts";
import { presentActivity } from "../api/present.ts";
import type { MessageTraceJson } from "../api/schemas/messages.ts";
import type { BatchStore } from "../store/batchStore.ts";
import type { ReportRow, RoundRow, Store } from "../store/store.ts";
import type { Journeys } from "./journeys.ts";

export type TraceModules = {
  readonly store: Pick<
    Store,
    "messageStatus" | "getRound" | "listReports" | "getTransaction" | "getBeacon" | "getRewardLine"
  >;
  readonly batches: Pick<BatchStore, "getBatch">;
  readonly domains: SigningDomains;
  readonly journeys: Pick<Journeys, "find" | "timesOf">;
  readonly isPending: (id: Uint8Array) => boolean;
};

/** Bodies read for one answer: each is up to a megabyte of the one thread's time, and a round mostly has one a lane. */
const MAX_BATCHES_SEARCHED = 16;

/** @returns null where this validator knows nothing of the id. */
export async function traceMessage(id: Uint8Array, modules: TraceModules): Promise<MessageTraceJson | null> {
  const { store, journeys, isPending } = modules;
  const journey = journeys.find(id);
  const wasPending = isPending(id);
  const [status] = await store.messageStatus([id]);
  const round = status!.state === "included" ? await store.getRound(status!.round) : null;
  if (journey === null && !wasPending && round === null) return null;
  const known = { id: encodeHex0x(id), intake: journey };
  if (round === null)
    return { ...known, state: "pending", batch: null, round: null, transaction: null, reports: [] };
  const rows = await store.listReports(id);
  const transaction = await store.getTransaction(id);
  const sender = transaction?.sender ?? rows[0]?.hotspot ?? null;
  return {
    ...known,
    state: "included",
    batch: sender && (await findBatch(id, sender, round, modules)),
    round: {
      ...{ round: round.round, epoch: round.epoch, timeMs: round.timeMs },
      ...journeys.timesOf(round.round),
    },
    transaction: transaction && { kind: transaction.kind, reason: transaction.reason },
    reports: await Promise.all(rows.map((row) => traceReport(row, modules))),
  };
}

/** The batch of a round that holds the message, and whose lane it is; the first in the order of execution. */
async function findBatch(
  id: Uint8Array,
  sender: Uint8Array,
  { batchDigests, batchSpans }: RoundRow,
  { batches, domains }: TraceModules,
): Promise<MessageTraceJson["batch"]> {
  const lanes = batchSpans.flatMap(({ lane, firstSeq, lastSeq }) =>
    Array.from({ length: lastSeq - firstSeq + 1 }, (_, index) => ({ lane, seq: firstSeq + index })),
  );
  for (const [index, digest] of batchDigests.slice(0, MAX_BATCHES_SEARCHED).entries()) {
    const body = await batches.getBatch(digest);
    const batch = body && decodeBatch(body);
    if (!batch?.messages.some((bytes) => isMessage(bytes, id, sender, domains))) continue;
    const { lane, seq } = lanes[index]!;
    return { lane: encodeDidKey(lane), seq, digest: encodeHex0x(digest) };
  }
  return null;
}

/** Hashes only what names the sender: an envelope holds its key as it is. */
function isMessage(bytes: Uint8Array, id: Uint8Array, sender: Uint8Array, domains: SigningDomains): boolean {
  if (!Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).includes(Buffer.from(sender))) return false;
  const decoded = decodeEnvelope(bytes);
  return decoded.ok && equalBytes(computeEnvelopeId(domains, decoded.envelope), id);
}

/** A report with what its beacon's close made of it, and its hotspot's pay in that epoch. */
async function traceReport(
  row: ReportRow,
  { store }: TraceModules,
): Promise<MessageTraceJson["reports"][number]> {
  const beacon = row.kind === "beacon" ? row.reportId : row.beacon;
  const closing = beacon === null ? null : ((await store.getBeacon(beacon))?.closing ?? null);
  const line = closing === null ? null : await store.getRewardLine(closing.closedEpoch, row.hotspot);
  return {
    ...presentActivity(row),
    hotspot: encodeDidKey(row.hotspot),
    closed: closing && {
      epoch: closing.closedEpoch,
      round: closing.closedRound,
      beaconReason: closing.reason,
    },
    paid: line && {
      epoch: closing!.closedEpoch,
      beacons: `${line.beaconPaid}`,
      witnesses: `${line.witnessPaid}`,
      total: `${line.paid}`,
    },
  };
}
