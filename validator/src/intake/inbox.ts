/**
 * What has come in and waits for the verifier: one bounded queue a kind. Work is pulled, so nothing is started that
 * cannot be finished, and an overload shows as full queues here instead of memory everywhere. Kinds have shares, and the
 * connections of a kind take turns: nobody who brings much keeps another waiting.
 */
import { MAX_BATCHES_IN_FLIGHT } from "../../../protocol/src/agreement/lanes/index.ts";
import { MAX_BATCH_BYTES } from "../../../protocol/src/agreement/rounds.ts";

/** Where a parcel came from. Streams are answered with receipts; gossip is not. */
export const INTAKE_KINDS = ["submission", "transactions", "reports"] as const;
export type IntakeKind = (typeof INTAKE_KINDS)[number];

/** No queue holds more bytes than the lane can have under way: what waits longer is better kept by its sender. */
export const MAX_QUEUE_BYTES = MAX_BATCHES_IN_FLIGHT * MAX_BATCH_BYTES;

type QueueRule = {
  /** Which waiting parcel of a connection is taken next. The other end gives way when the queue is full. */
  readonly next: "oldest" | "newest";
  /** Its part of the bytes that are taken while other kinds wait too. */
  readonly weight: number;
};

/**
 * Half for submissions: they bring nearly all there is, and their senders wait for a receipt, or are told to come again
 * when there is no room. A quarter each for gossip, which some validator has as a submission too. All transactions
 * matter, so they keep their order; gossiped reports are fresh or worthless. A kind that brings less than its share, as
 * transactions do, waits for one parcel at most.
 */
const QUEUE_RULES: Readonly<Record<IntakeKind, QueueRule>> = {
  submission: { next: "oldest", weight: 2 },
  transactions: { next: "oldest", weight: 1 },
  reports: { next: "newest", weight: 1 },
};

export type Queued = { readonly kind: IntakeKind; readonly connection: string; readonly bytes: number };

/**
 * Shares by start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM 1996): a kind's clock advances by the bytes that it is
 * served over its weight, the kind that is furthest behind is next, and one that had nothing to do saves nothing up.
 */
export class Inbox<Work extends Queued> {
  readonly #queues: Readonly<Record<IntakeKind, Queue<Work>>>;
  readonly #clocks: Record<IntakeKind, number> = { submission: 0, transactions: 0, reports: 0 };
  readonly #onDropped: (work: Work) => void;
  /** The clock of the kind that was served last. */
  #now = 0;

  /** @param onDropped is told of each parcel that had to give way, perhaps the arriving one. */
  constructor(onDropped: (work: Work) => void, maxQueueBytes = MAX_QUEUE_BYTES) {
    this.#onDropped = onDropped;
    const queueOf = (kind: IntakeKind) => new Queue<Work>(QUEUE_RULES[kind].next, maxQueueBytes);
    this.#queues = {
      submission: queueOf("submission"),
      transactions: queueOf("transactions"),
      reports: queueOf("reports"),
    };
  }

  put(work: Work): void {
    const queue = this.#queues[work.kind];
    if (queue.length === 0) this.#clocks[work.kind] = Math.max(this.#clocks[work.kind], this.#now);
    for (const dropped of queue.put(work)) this.#onDropped(dropped);
  }

  /** The next parcel to work on, or null where none waits. */
  take(): Work | null {
    const [kind] = INTAKE_KINDS.filter((each) => this.#queues[each].length > 0).sort(
      (a, b) => this.#clocks[a] - this.#clocks[b],
    );
    if (kind === undefined) return null;
    const work = this.#queues[kind].take();
    this.#now = this.#clocks[kind];
    this.#clocks[kind] += work.bytes / QUEUE_RULES[kind].weight;
    return work;
  }

  depth(kind: IntakeKind): { readonly parcels: number; readonly bytes: number } {
    const queue = this.#queues[kind];
    return { parcels: queue.length, bytes: queue.bytes };
  }
}

/** What waits of one kind, by connection; in the order in which their turns come. */
class Queue<Work extends Queued> {
  readonly #next: QueueRule["next"];
  readonly #maxBytes: number;
  readonly #connections = new Map<string, Deque<Work>>();
  length = 0;
  bytes = 0;

  constructor(next: QueueRule["next"], maxBytes: number) {
    this.#next = next;
    this.#maxBytes = maxBytes;
  }

  /** @returns what had to give way: of the connection that has the most waiting, so that it crowds out only itself. */
  put(work: Work): Work[] {
    const own = this.#connections.get(work.connection) ?? new Deque<Work>();
    this.#connections.set(work.connection, own);
    own.push(work);
    this.length++;
    this.bytes += work.bytes;
    const dropped: Work[] = [];
    while (this.bytes > this.#maxBytes) dropped.push(this.#drop(work.connection));
    return dropped;
  }

  /** Of the connection whose turn it is; there is one. */
  take(): Work {
    const connection = this.#connections.keys().next().value!;
    const waiting = this.#connections.get(connection)!;
    // Taken out, and back in at the end while it has more.
    this.#connections.delete(connection);
    const work = this.#next === "oldest" ? waiting.shift() : waiting.pop();
    this.#forget(work);
    if (waiting.length > 0) this.#connections.set(connection, waiting);
    return work;
  }

  #drop(arriving: string): Work {
    let largest = arriving;
    const bytesOf = (connection: string) => this.#connections.get(connection)?.bytes ?? 0;
    for (const connection of this.#connections.keys())
      if (bytesOf(connection) > bytesOf(largest)) largest = connection;
    const waiting = this.#connections.get(largest)!;
    const work = this.#next === "oldest" ? waiting.pop() : waiting.shift();
    this.#forget(work);
    if (waiting.length === 0) this.#connections.delete(largest);
    return work;
  }

  #forget(work: Work): void {
    this.length--;
    this.bytes -= work.bytes;
  }
}

/** A double-ended queue in one array: the front moves, and the space before it is given back now and then. */
class Deque<Work extends Queued> {
  #items: Work[] = [];
  #front = 0;
  bytes = 0;

  get length(): number {
    return this.#items.length - this.#front;
  }

  push(work: Work): void {
    this.#items.push(work);
    this.bytes += work.bytes;
  }

  /** Takes the newest; there is one. */
  pop(): Work {
    const work = this.#items.pop()!;
    this.bytes -= work.bytes;
    return work;
  }

  /** Takes the oldest; there is one. */
  shift(): Work {
    const work = this.#items[this.#front]!;
    this.#front++;
    this.bytes -= work.bytes;
    if (this.#front * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#front);
      this.#front = 0;
    }
    return work;
  }
}
