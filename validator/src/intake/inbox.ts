/**
 * What has come in and waits for the verifier: one bounded queue a kind. Work is pulled, so nothing is started that
 * cannot be finished, and an overload shows as full queues here instead of memory everywhere.
 */
import { MAX_BATCHES_IN_FLIGHT } from "../../../protocol/src/agreement/lanes/index.ts";
import { MAX_BATCH_BYTES } from "../../../protocol/src/agreement/rounds.ts";

/** Where a parcel came from. Streams are answered with receipts; gossip is not. */
export const INTAKE_KINDS = ["submission", "transactions", "reports"] as const;
export type IntakeKind = (typeof INTAKE_KINDS)[number];

/** No queue holds more bytes than the lane can have under way: what waits longer is better kept by its sender. */
export const MAX_QUEUE_BYTES = MAX_BATCHES_IN_FLIGHT * MAX_BATCH_BYTES;

type QueueRule = {
  /** Which waiting parcel is taken next. */
  readonly next: "oldest" | "newest";
  /** Which parcel gives way when the queue is full. */
  readonly drops: "arriving" | "oldest";
};

/**
 * Taken in this order. Transactions are few and all matter. A submission's sender waits for its receipt, and is told
 * to come again when there is no room. Gossiped reports are fresh or worthless, and most come by submission too.
 */
const QUEUE_RULES: Readonly<Record<IntakeKind, QueueRule>> = {
  transactions: { next: "oldest", drops: "arriving" },
  submission: { next: "oldest", drops: "arriving" },
  reports: { next: "newest", drops: "oldest" },
};
const TAKING_ORDER: readonly IntakeKind[] = ["transactions", "submission", "reports"];

export type Queued = { readonly kind: IntakeKind; readonly bytes: number };

export class Inbox<Work extends Queued> {
  readonly #queues: Readonly<Record<IntakeKind, Queue<Work>>>;
  readonly #onDropped: (work: Work) => void;

  /** @param onDropped is told of each parcel that had to give way, the arriving one included. */
  constructor(onDropped: (work: Work) => void, maxQueueBytes = MAX_QUEUE_BYTES) {
    this.#onDropped = onDropped;
    const queueOf = (kind: IntakeKind) => new Queue<Work>(QUEUE_RULES[kind], maxQueueBytes);
    this.#queues = {
      submission: queueOf("submission"),
      transactions: queueOf("transactions"),
      reports: queueOf("reports"),
    };
  }

  put(work: Work): void {
    for (const dropped of this.#queues[work.kind].put(work)) this.#onDropped(dropped);
  }

  /** The next parcel to work on, or null where none waits. */
  take(): Work | null {
    for (const kind of TAKING_ORDER) {
      const work = this.#queues[kind].take();
      if (work !== null) return work;
    }
    return null;
  }

  depth(kind: IntakeKind): { readonly parcels: number; readonly bytes: number } {
    const queue = this.#queues[kind];
    return { parcels: queue.length, bytes: queue.bytes };
  }
}

/** A double-ended queue in one array: the front moves, and the space before it is given back now and then. */
class Queue<Work extends Queued> {
  readonly #rule: QueueRule;
  readonly #maxBytes: number;
  #items: Work[] = [];
  #front = 0;
  bytes = 0;

  constructor(rule: QueueRule, maxBytes: number) {
    this.#rule = rule;
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#items.length - this.#front;
  }

  put(work: Work): Work[] {
    const dropped: Work[] = [];
    if (this.#rule.drops === "oldest") {
      while (this.length > 0 && this.bytes + work.bytes > this.#maxBytes) dropped.push(this.#shift());
    } else if (this.bytes + work.bytes > this.#maxBytes) return [work];
    this.#items.push(work);
    this.bytes += work.bytes;
    return dropped;
  }

  take(): Work | null {
    if (this.length === 0) return null;
    if (this.#rule.next === "oldest") return this.#shift();
    const work = this.#items.pop()!;
    this.bytes -= work.bytes;
    return work;
  }

  #shift(): Work {
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
