/**
 * What the API's thread and the validator's say to each other over their port. Everything is a plain value: it is copied
 * on the way, and comes in the order in which it was sent.
 */
import type { LogLevel } from "../../../../node/src/host/log.ts";
import type { RewardCert } from "../../../../protocol/src/agreement/attest.ts";
import type { AppealView } from "../../../../protocol/src/ledger/appeal.ts";
import type { Genesis } from "../../../../protocol/src/network/genesis.ts";
import type { ApiEvent } from "../eventHub.ts";
import {
  type MetricsPage,
  type ProvenTotal,
  REQUEST_TIMEOUT_MS,
  type SubmittedTransaction,
  type ValidatorStatus,
} from "../modules.ts";
import type { MessageTraceJson } from "../schemas/messages.ts";

/** What only the thread that agrees and executes knows, or can do. */
export type LiveValidator = {
  readonly status: () => Promise<ValidatorStatus>;
  /** The metrics of everything but the API. */
  readonly exposeMetrics: () => Promise<MetricsPage>;
  /** Keys of the validators that a link stands to, in hexadecimal. */
  readonly connections: () => Promise<readonly string[]>;
  readonly isPending: (id: Uint8Array) => Promise<boolean>;
  readonly rewardCert: (epoch: number) => Promise<RewardCert | null>;
  readonly rewardProof: (account: Uint8Array) => Promise<ProvenTotal | null>;
  readonly appeal: (hotspot: Uint8Array) => Promise<AppealView | null>;
  readonly submitTransaction: (envelope: Uint8Array) => Promise<SubmittedTransaction>;
  readonly traceMessage: (id: Uint8Array) => Promise<MessageTraceJson | null>;
};

/** Less than the 5 s after which a container's health check counts as failed, so that it hears why. */
const AT_HAND_MS = 4_000;

/** How long the API waits for an answer: what is at hand may be held up by a round's work, and no longer. */
export const ANSWER_LIMIT_MS = {
  status: AT_HAND_MS,
  exposeMetrics: AT_HAND_MS,
  connections: AT_HAND_MS,
  isPending: AT_HAND_MS,
  rewardCert: AT_HAND_MS,
  rewardProof: REQUEST_TIMEOUT_MS,
  appeal: AT_HAND_MS,
  submitTransaction: REQUEST_TIMEOUT_MS,
  traceMessage: REQUEST_TIMEOUT_MS,
} as const satisfies Readonly<Record<keyof LiveValidator, number>>;

export type Question = keyof LiveValidator;

/** What the API's thread starts with. */
export type ApiThreadOptions = {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  /** The store's file, which it reads beside the writer. */
  readonly storePath: string;
  readonly genesis: Genesis;
  readonly networkId: Uint8Array;
  readonly validator: Uint8Array;
  readonly version: string;
  readonly requestsPerMinute?: number;
  readonly corsOrigins: readonly string[];
  readonly trustProxies: readonly string[];
};

export type ToApi =
  | { readonly type: "answer"; readonly id: number; readonly value: unknown }
  | { readonly type: "failed"; readonly id: number; readonly error: string }
  /** A round is committed; these are its events. */
  | { readonly type: "round"; readonly events: readonly ApiEvent[] }
  | { readonly type: "close" };

export type FromApi =
  | {
      readonly type: "ask";
      readonly id: number;
      readonly question: Question;
      readonly given: readonly unknown[];
    }
  | { readonly type: "listening"; readonly port: number }
  /** It could not open its store or its port, and ends. */
  | { readonly type: "not_listening"; readonly error: string }
  | {
      readonly type: "log";
      readonly level: Exclude<LogLevel, "silent">;
      readonly message: string;
      readonly fields: Record<string, unknown>;
    };
