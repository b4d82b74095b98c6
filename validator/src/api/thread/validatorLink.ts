/** The API's end of the port: questions to the validator's thread, each with its answer or a refusal in words. */
import type { Clock } from "../../../../node/src/host/types.ts";
import type { RewardCert } from "../../../../protocol/src/agreement/attest.ts";
import { MAX_SET_STEPS } from "../../../../protocol/src/agreement/rewardEvidence.ts";
import { RecentMap } from "../../recentMap.ts";
import { MAX_ASKING_CONNECTIONS, type MetricsPage } from "../modules.ts";
import { ApiProblem } from "../problem.ts";
import { ANSWER_LIMIT_MS, type FromApi, type LiveValidator, type Question, type ToApi } from "./messages.ts";

export type ValidatorLinkModules = {
  readonly post: (message: FromApi) => void;
  readonly clock: Pick<Clock, "after" | "elapsedMs">;
};

/** As many as connections that ask: a question more would be of somebody who has others unanswered. */
export const MAX_QUESTIONS = MAX_ASKING_CONNECTIONS;

/**
 * Each trace reads and decodes up to sixteen bodies of a round's batches in the validator's thread: no more of its time
 * than one trace takes while another waits.
 */
export const MAX_TRACES = 2;
/** A trace takes milliseconds; who asks again after a second finds its place free. */
const TRACE_RETRY_S = 1;
/** The newest half of them is always there: all that the longest proof names. A hundred validators' take some 15 kB each. */
const MAX_CERTIFICATES = 2 * (MAX_SET_STEPS + 1);
/** The metrics page is written anew so often at most, however many ask: Prometheus asks every few seconds. */
const METRICS_KEPT_MS = 1_000;

type Waiting = { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void };
type Settled = Extract<ToApi, { type: "answer" | "failed" }>;

export class ValidatorLink {
  readonly #modules: ValidatorLinkModules;
  /** Questions that the validator has not answered, also those that nobody waits for any more: they are its work. */
  readonly #waiting = new Map<number, Waiting>();
  /** Answers under way that everybody who asks meanwhile is given. */
  readonly #shared = new Map<Question, Promise<unknown>>();
  /** Of the questions that the validator has not answered, those for a message's way. */
  readonly #traces = new Set<number>();
  /** The newest page, and when it came by the elapsed time. */
  #metrics: { readonly page: MetricsPage; readonly atMs: number } | null = null;
  /** By epoch: a proof names up to a thousand, and none of them ever changes. */
  readonly #certificates = new RecentMap<number, RewardCert>(MAX_CERTIFICATES);
  #nextId = 0;

  constructor(modules: ValidatorLinkModules) {
    this.#modules = modules;
  }

  /** The validator, as the API asks it. Every question may throw a 503. */
  readonly live: LiveValidator = {
    status: () => this.#share("status"),
    exposeMetrics: () => this.#exposeMetrics(),
    connections: () => this.#share("connections"),
    isPending: (id) => this.#ask("isPending", id),
    rewardCert: (epoch) => this.#askRewardCert(epoch),
    rewardProof: (account) => this.#ask("rewardProof", account),
    appeal: (hotspot) => this.#ask("appeal", hotspot),
    submitTransaction: (envelope) => this.#ask("submitTransaction", envelope),
    traceMessage: (id) => this.#ask("traceMessage", id),
  };

  /** Takes an answer that came over the port. */
  settle(message: Settled): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    this.#traces.delete(message.id);
    if (message.type === "answer") waiting?.resolve(message.value);
    else waiting?.reject(new Error(message.error));
  }

  async #exposeMetrics(): Promise<MetricsPage> {
    const { clock } = this.#modules;
    const kept = this.#metrics;
    if (kept !== null && clock.elapsedMs() - kept.atMs < METRICS_KEPT_MS) return kept.page;
    const page = await this.#share("exposeMetrics");
    this.#metrics = { page, atMs: clock.elapsedMs() };
    return page;
  }

  async #askRewardCert(epoch: number): Promise<RewardCert | null> {
    const kept = this.#certificates.get(epoch);
    if (kept !== undefined) return kept;
    const cert = await this.#ask("rewardCert", epoch);
    if (cert !== null) this.#certificates.set(epoch, cert);
    return cert;
  }

  /** One question for all who ask it before its answer is there: probes come outside the rate limits. */
  #share<Asked extends "status" | "exposeMetrics" | "connections">(
    question: Asked,
  ): ReturnType<LiveValidator[Asked]> {
    const under = this.#shared.get(question);
    if (under !== undefined) return under as ReturnType<LiveValidator[Asked]>;
    const asked = this.#ask(question);
    this.#shared.set(question, asked);
    const forget = () => this.#shared.delete(question);
    asked.then(forget, forget);
    return asked as ReturnType<LiveValidator[Asked]>;
  }

  async #ask<Asked extends Question>(
    question: Asked,
    ...given: readonly unknown[]
  ): Promise<Awaited<ReturnType<LiveValidator[Asked]>>> {
    if (this.#waiting.size >= MAX_QUESTIONS)
      throw new ApiProblem(503, "The validator has as many questions before it as it can answer; try again.");
    if (question === "traceMessage" && this.#traces.size >= MAX_TRACES) {
      const detail = `${MAX_TRACES} messages are being traced; ask again when one of them has been.`;
      throw new ApiProblem(503, detail, { retryAfterS: TRACE_RETRY_S });
    }
    const limitMs = ANSWER_LIMIT_MS[question];
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const id = this.#nextId++;
    this.#waiting.set(id, { resolve, reject });
    if (question === "traceMessage") this.#traces.add(id);
    const cancel = this.#modules.clock.after(limitMs, () => {
      reject(
        new ApiProblem(503, `The validator has not answered for ${limitMs / 1_000} s: rounds come first.`),
      );
    });
    this.#modules.post({ type: "ask", id, question, given });
    try {
      return (await promise) as Awaited<ReturnType<LiveValidator[Asked]>>;
    } finally {
      cancel();
    }
  }
}
