/** What the API is made of: the seams to the rest of the validator, each as narrow as its use. */
import type { Clock, Log } from "../../../node/src/host/types.ts";
import type { RewardCert } from "../../../protocol/src/agreement/attest.ts";
import type { AdmissionReason } from "../../../protocol/src/evidence/reasons.ts";
import type { AppealView } from "../../../protocol/src/ledger/appeal.ts";
import type { Parameters } from "../../../protocol/src/network/parameters.ts";
import type { RewardProof } from "../../../protocol/src/reward/rewardProof.ts";
import type { QueryStore, RoundStore } from "../store/store.ts";
import type { ValidatorQueries } from "../store/validatorRows.ts";
import type { EventHub } from "./eventHub.ts";
import type { MessageTraceJson } from "./schemas/messages.ts";

/** What a validator says of itself at this moment. */
export type ValidatorStatus = {
  readonly peers: number;
  /** Null when ready to serve; else why not, in words. */
  readonly notReady: string | null;
};

/** What an account has earned up to the end of an epoch, with its path to that epoch's reward root. */
export type ProvenTotal = { readonly proof: RewardProof; readonly epoch: number };

/** Reads of the executed state that the store has no rows for. */
export type LedgerReader = {
  /** By the last closed epoch; null where the account has earned nothing. */
  readonly rewardProof: (account: Uint8Array) => Promise<ProvenTotal | null>;
  /** What is held of a hotspot's pay, and how it stands with appeals; null where no such hotspot stands in the state. */
  readonly appeal: (hotspot: Uint8Array) => Promise<AppealView | null>;
};

/** What the validators agreed on beyond rounds, and the links to them. */
export type AgreementReader = {
  /** An epoch's reward certificate, which never changes; null where there is none, or none is kept here. */
  readonly rewardCert: (epoch: number) => Promise<RewardCert | null>;
  /** Whether a link to a validator stands; null for this validator itself. */
  readonly isConnected: (key: Uint8Array) => Promise<boolean | null>;
};

/** Either is null: `reason` where the transaction was admitted, `id` where it was refused. */
export type SubmittedTransaction = {
  readonly id: Uint8Array | null;
  readonly reason: AdmissionReason | null;
};

/** What the API reports of itself; `route` is a pattern of the API's own or `unmatched`, so the set is closed. */
export type ApiMetrics = {
  readonly observeRequest: (route: string, method: string, status: number, seconds: number) => void;
  readonly setEventClients: (clients: number) => void;
};

/** The Prometheus page, or a part of it. */
export type MetricsPage = { readonly contentType: string; readonly text: string };

export type ApiModules = {
  readonly store: QueryStore & ValidatorQueries & Pick<RoundStore, "latestRound" | "getRound">;
  /** Counts up whenever the store may have other rows: what was read under one number may be answered again under it. */
  readonly storeVersion: () => number;
  readonly ledger: LedgerReader;
  readonly agreement: AgreementReader;
  readonly status: () => Promise<ValidatorStatus>;
  readonly events: EventHub;
  readonly metrics: ApiMetrics;
  readonly exposeMetrics: () => Promise<MetricsPage>;
  readonly submitTransaction: (envelope: Uint8Array) => Promise<SubmittedTransaction>;
  /** Whether an id was admitted here and is in no executed round yet. */
  readonly isPending: (id: Uint8Array) => Promise<boolean>;
  /** A message's way through this validator; null where it knows nothing of the id. */
  readonly traceMessage: (id: Uint8Array) => Promise<MessageTraceJson | null>;
  readonly clock: Clock;
  readonly log: Log;
};

export type ApiOptions = {
  readonly network: {
    readonly name: string;
    readonly id: Uint8Array;
    readonly parameters: Parameters;
    /** The genesis file's text, written when it is first asked for. */
    readonly writeGenesis: () => string;
  };
  readonly validator: Uint8Array;
  readonly version: string;
  /** Requests a minute and address; default `DEFAULT_REQUESTS_PER_MINUTE`. */
  readonly requestsPerMinute?: number;
  /** Above this lateness of the event loop questions get 503; default `DEFAULT_EVENT_LOOP_DELAY_MS`, 0 for never. */
  readonly maxEventLoopDelayMs?: number;
  /** A connection on which nothing moves is closed after so long; default `DEFAULT_CONNECTION_TIMEOUT_MS`. */
  readonly connectionTimeoutMs?: number;
  /** Origins whose pages may read the API; none by default. */
  readonly corsOrigins?: readonly string[];
  /** Where the built explorer lies; without it, or where none was built, only the API is served. */
  readonly explorerFolder?: string;
  /** Addresses and networks of proxies whose X-Forwarded-For is believed; none by default. */
  readonly trustProxies?: readonly string[];
};

/** Connections beside those of listeners; whoever comes when there are as many is turned away at once. */
export const MAX_ASKING_CONNECTIONS = 1_024;
/** A client has so long for a request, and the validator for an answer that takes work. */
export const REQUEST_TIMEOUT_MS = 10_000;
/** Twice the longest silence of an event stream, whose heartbeats are at most 30 s apart. */
export const DEFAULT_CONNECTION_TIMEOUT_MS = 60_000;
/** Ten a second: an explorer's page asks a handful, a collector one; a copy of everything takes pages of a thousand. */
export const DEFAULT_REQUESTS_PER_MINUTE = 600;
/** When the API's event loop is this late it has more to do than it can, or the rounds need the processors. */
export const DEFAULT_EVENT_LOOP_DELAY_MS = 3_000;
