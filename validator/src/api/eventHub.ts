/**
 * What happens, for those who listen: rounds, epochs and closed beacons as server-sent events. An event's id is its
 * round and its place in it, the same on every validator and after every restart, so a listener who comes back names
 * the last one it has and gets the rest, as long as that one is still kept.
 */
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import type { ClosedBeacon, RoundResult } from "../../../protocol/src/ledger/types.ts";
import { presentEpoch, presentReportId } from "./present.ts";
import type { BeaconEventJson, RoundEventJson } from "./schemas/events.ts";

export const EVENT_TYPES = ["beacon", "round", "epoch"] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** `data`: JSON on one line. */
export type ApiEvent = { readonly id: string; readonly type: EventType; readonly data: string };

/** Enough for a browser that was away for minutes of devnet or mainnet; some 300 bytes each. */
export const EVENTS_KEPT = 1_024;
/** A listener costs a connection, some 20 kB of memory and a write a round: this many, a twentieth of a processor. */
export const MAX_LISTENERS = 10_240;
/** Listeners told before others have their turn: a write takes some 10 us, and agreement must not wait for thousands. */
const LISTENERS_PER_TURN = 256;

/** Events as server-sent events (WHATWG HTML, "Server-sent events"). */
export const writeEvents = (events: readonly ApiEvent[]): string =>
  events.map(({ id, type, data }) => `id: ${id}\nevent: ${type}\ndata: ${data}\n\n`).join("");

/** Says that events in between are no longer kept. */
export const GAP = "event: gap\ndata: {}\n\n";

/** Takes events as they go over the wire: all of a round at once, and of several rounds where it was not asked before. */
export type SendEvents = (text: Buffer) => void;
/** `next`: the number of the first event that it has not been told, counted from the first ever published. */
type Listener = { readonly send: SendEvents; next: number };

/** All that was kept when so many had been published. `startAfter`: where the text goes on after an event, by its id. */
type History = {
  readonly published: number;
  readonly bytes: Buffer;
  readonly startAfter: ReadonlyMap<string, number>;
};

export class EventHub {
  readonly #kept: ApiEvent[] = [];
  readonly #listeners = new Set<Listener>();
  #published = 0;
  #isTelling = false;
  /** What is owed to whoever was told everything before `from`: nearly all listeners share it. */
  #text = { from: 0, to: 0, bytes: Buffer.alloc(0) };
  #history: History = { published: 0, bytes: Buffer.alloc(0), startAfter: new Map() };

  /** Tells every listener the events of a round that has been committed, the first ones at once. */
  publish(events: readonly ApiEvent[]): void {
    for (const event of events) {
      this.#kept.push(event);
      this.#published++;
    }
    if (!this.#isTelling) this.#tell();
  }

  /** @returns a way to stop listening, or null where there are listeners enough. */
  subscribe(send: SendEvents): (() => void) | null {
    if (this.#listeners.size >= MAX_LISTENERS) return null;
    const listener = { send, next: this.#published };
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Events published since the start. */
  get published(): number {
    return this.#published;
  }

  /**
   * The events after one that is still kept, as they go over the wire; null where it is not, so that the listener knows of
   * the gap. All who ask between two rounds are given parts of the same bytes: thousands who come back and do not read
   * cost no more than one.
   */
  since(id: string): Buffer | null {
    if (this.#history.published !== this.#published) this.#history = this.#writeHistory();
    const start = this.#history.startAfter.get(id);
    return start === undefined ? null : this.#history.bytes.subarray(start);
  }

  #writeHistory(): History {
    const texts = this.#kept.map((event) => Buffer.from(writeEvents([event])));
    const startAfter = new Map<string, number>();
    let start = 0;
    for (const [place, { length }] of texts.entries()) {
      start += length;
      startAfter.set(this.#kept[place]!.id, start);
    }
    return { published: this.#published, bytes: Buffer.concat(texts), startAfter };
  }

  /** Goes round the listeners until all have everything; what is published meanwhile goes out with the next round. */
  #tell(): void {
    const round = [...this.#listeners].filter(({ next }) => next < this.#published);
    this.#isTelling = round.length > 0;
    let place = 0;
    const tellSome = (): void => {
      const end = Math.min(place + LISTENERS_PER_TURN, round.length);
      for (; place < end; place++) {
        const listener = round[place]!;
        if (!this.#listeners.has(listener)) continue;
        const bytes = this.#textFrom(listener.next);
        listener.next = this.#published;
        listener.send(bytes);
      }
      if (place < round.length) return void setImmediate(tellSome);
      // Only now, so that a round of more events than are kept reaches everybody whole.
      this.#kept.splice(0, Math.max(0, this.#kept.length - EVENTS_KEPT));
      if (this.#isTelling) this.#tell();
    };
    tellSome();
  }

  #textFrom(from: number): Buffer {
    const to = this.#published;
    if (this.#text.from !== from || this.#text.to !== to) {
      const missed = this.#kept.slice(-(to - from));
      // Where more was published while all were told than is kept, whoever was first has a gap.
      const gap = missed.length < to - from ? GAP : "";
      this.#text = { from, to, bytes: Buffer.from(gap + writeEvents(missed)) };
    }
    return this.#text.bytes;
  }
}

/** What is told of a round. */
export function listEvents(result: RoundResult): ApiEvent[] {
  const told: { readonly type: EventType; readonly json: object }[] = [
    ...result.beaconsClosed.map((beacon) => ({ type: "beacon" as const, json: presentClosing(beacon) })),
    { type: "round", json: presentExecuted(result) },
  ];
  if (result.epochClose !== null) told.push({ type: "epoch", json: presentEpoch(result.epochClose) });
  return told.map(({ type, json }, place) => ({
    id: `${result.round}.${place}`,
    type,
    data: JSON.stringify(json),
  }));
}

const presentClosing = (beacon: ClosedBeacon): BeaconEventJson => ({
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
});

const presentExecuted = (result: RoundResult): RoundEventJson => ({
  round: result.round,
  epoch: result.epoch,
  timeMs: result.timeMs,
  messages: result.included.length,
  transactions: result.transactions.length,
  beaconsClosed: result.beaconsClosed.length,
});
