/** The API's thread, tied to a running validator. */
import type { Clock, Log, Network } from "../../node/src/host/types.ts";
import { viewAppeal } from "../../protocol/src/ledger/appeal.ts";
import { computeRewardProof } from "../../protocol/src/ledger/rewardTotals.ts";
import type { Ledger } from "../../protocol/src/ledger/state.ts";
import type { RoundResult } from "../../protocol/src/ledger/types.ts";
import { encodeParcel } from "../../protocol/src/wire/envelope.ts";
import { listEvents } from "./api/eventHub.ts";
import type { SubmittedTransaction } from "./api/modules.ts";
import { ApiThread } from "./api/thread/apiThread.ts";
import type { LiveValidator } from "./api/thread/messages.ts";
import type { Core } from "./core.ts";
import type { Identity } from "./identity.ts";
import type { Intake } from "./intake/intake.ts";
import type { Mesh } from "./mesh/mesh.ts";
import type { ValidatorMetrics } from "./metrics.ts";

export type HttpOptions = {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly version: string;
  readonly requestsPerMinute?: number;
  /** Origins of pages that may read the API; none by default. */
  readonly corsOrigins?: readonly string[];
  /** Addresses and networks of proxies whose X-Forwarded-For is believed; none by default. */
  readonly trustProxies?: readonly string[];
};
export type HttpModules = {
  readonly identity: Identity;
  /** The store's file: the thread opens it for itself. */
  readonly storePath: string;
  /** Calls back with every round that is executed and stored from now on. */
  readonly onRound: (listener: (result: RoundResult) => void) => void;
  readonly ledger: Ledger;
  readonly core: Core;
  readonly traceMessage: LiveValidator["traceMessage"];
  /** Links to the other validators. */
  readonly mesh: Pick<Mesh, "connected">;
  readonly network: Network;
  readonly metrics: ValidatorMetrics;
  readonly clock: Clock;
  readonly log: Log;
};
export type OpenedHttp = { readonly url: string; readonly close: () => Promise<void> };

/** One name for all who submit by HTTP: the API's own rate limit tells them apart. */
const HTTP_CONNECTION = "http";

/** @throws CodedError "listen_failed" where the port cannot be bound. */
export async function openHttp(options: HttpOptions, modules: HttpModules): Promise<OpenedHttp> {
  const { genesis, networkId, signer } = modules.identity;
  const { host, port, version, requestsPerMinute, corsOrigins = [], trustProxies = [] } = options;
  const thread = new ApiThread(
    {
      ...{ host, port, version, corsOrigins, trustProxies, genesis, networkId },
      ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
      storePath: modules.storePath,
      validator: signer.publicKey,
    },
    { live: readValidator(modules), clock: modules.clock, log: modules.log },
  );
  // Before it listens: a round that is stored between its first look at the store and then would never be shown to it.
  modules.onRound((result) => thread.publish(listEvents(result)));
  await thread.open();
  const name = host.includes(":") ? `[${host}]` : host;
  return { url: `http://${name}:${thread.port}`, close: () => thread.close() };
}

/** What the API asks of the running parts. */
function readValidator(modules: HttpModules): LiveValidator {
  const { core, network, mesh, ledger, metrics, traceMessage } = modules;
  return {
    status: async () => ({ peers: network.peers().length, notReady: describeUnready(modules) }),
    exposeMetrics: metrics.expose,
    connections: async () => mesh.connected(),
    isPending: async (id) => core.intake.isPending(id),
    rewardCert: async (epoch) => core.attestor.rewardCert(epoch),
    rewardProof: async (account) => {
      const proof = computeRewardProof(ledger, account);
      return proof && { proof, epoch: ledger.lastClosedEpoch };
    },
    appeal: async (hotspot) => viewAppeal(ledger, hotspot),
    submitTransaction: (envelope) => submitEnvelope(core.intake, envelope),
    traceMessage,
  };
}

/** Why the validator should get no traffic now, in words; null when it is well. */
function describeUnready({ core, identity, ledger }: HttpModules): string | null {
  if (core.isWithdrawn()) return "it is being drained";
  const unsigned = core.guard.describe();
  if (unsigned !== null) return unsigned;
  if (ledger.round < 0) return "no round has been executed yet";
  const missing = core.missingBatches();
  if (missing > 0) return `execution waits for ${missing} batch that no validator gives`;
  const backlog = core.executor.backlog();
  if (backlog > identity.genesis.parameters.execLagRounds / 2) return `execution is ${backlog} rounds behind`;
  return null;
}

async function submitEnvelope(intake: Intake, envelope: Uint8Array): Promise<SubmittedTransaction> {
  const [item] = await intake.submit(HTTP_CONNECTION, encodeParcel([envelope]));
  const { id, reason } = item!;
  // What was not read is named by its bytes there, or by the parcel's, neither of which the sender knows it by.
  return { id: reason === null ? id : null, reason };
}
