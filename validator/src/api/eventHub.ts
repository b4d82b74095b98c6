/**
 * What happens, for those who listen: rounds, epochs and closed beacons as server-sent events. An event's id is its
 * round and its place in it, the same on every validator and after every restart, so a listener who comes back names
 * the last one it has and gets the rest, as long as that one is still kept.
 */
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import type { RoundResult } from "../../../protocol/src/ledger/types.ts";
import { presentEpoch, presentReportId } from "./present.ts";

export const EVENT_TYPES = ["beacon", "round", "epoch"] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** `data`: JSON on one line. */
export type ApiEvent = { readonly id: string; readonly type: EventType; readonly data: string };

/** Enough for a browser that was away for minutes of devnet or mainnet; some 300 bytes each. */
export const EVENTS_KEPT = 1_024;
/** A listener costs a connection and a buffer, and every event is written to each. */
export const MAX_LISTENERS = 64;

export class EventHub {
  readonly #kept: ApiEvent[] = [];
  readonly #listeners = new Set<(event: ApiEvent) => void>();

  /** Tells every listener of a round that has been committed. */
  publish(result: RoundResult): void {
    for (const event of listEvents(result)) {
      this.#kept.push(event);
      if (this.#kept.length > EVENTS_KEPT) this.#kept.shift();
      for (const listener of this.#listeners) listener(event);
    }
  }

  /** @returns a way to stop listening, or null where there are listeners enough. */
  subscribe(listener: (event: ApiEvent) => void): (() => void) | null {
    if (this.#listeners.size >= MAX_LISTENERS) return null;
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** The events after one that is still kept; null where it is not, so that the listener knows of the gap. */
  since(id: string): readonly ApiEvent[] | null {
    const place = this.#kept.findIndex((event) => event.id === id);
    return place === -1 ? null : this.#kept.slice(place + 1);
  }
}

function listEvents(result: RoundResult): ApiEvent[] {
  const beacons = result.beaconsClosed.map((beacon) => ({
    type: "beacon" as const,
    json: {
      id: presentReportId(beacon.reportId),
      hotspot: encodeDidKey(beacon.hotspot),
      name: computeName(beacon.hotspot),
      epoch: beacon.closedEpoch,
      reason: beacon.reason,
      witnesses: {
        accepted: beacon.witnessesAccepted,
        unpaid: beacon.witnessesUnpaid,
        refused: beacon.witnessesRefused,
      },
    },
  }));
  const round = {
    type: "round" as const,
    json: {
      round: result.round,
      epoch: result.epoch,
      timeMs: result.timeMs,
      messages: result.included.length,
      transactions: result.transactions.length,
      beaconsClosed: result.beaconsClosed.length,
    },
  };
  const epochs =
    result.epochClose === null ? [] : [{ type: "epoch" as const, json: presentEpoch(result.epochClose) }];
  return [...beacons, round, ...epochs].map(({ type, json }, place) => ({
    id: `${result.round}.${place}`,
    type,
    data: JSON.stringify(json),
  }));
}
