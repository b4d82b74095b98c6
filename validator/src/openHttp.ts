/** The API's seams, tied to a running validator, and its port opened. */
import type { AddressInfo } from "node:net";
import { CodedError } from "../../node/src/host/codedError.ts";
import type { Clock, Log, Network } from "../../node/src/host/types.ts";
import { equalBytes } from "../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../protocol/src/bytes/hex.ts";
import { computeRewardProof } from "../../protocol/src/ledger/rewardTotals.ts";
import type { Ledger } from "../../protocol/src/ledger/state.ts";
import { encodeGenesisJson } from "../../protocol/src/network/genesis.ts";
import { encodeProofJson } from "../../protocol/src/reward/proofJson.ts";
import { encodeParcel } from "../../protocol/src/wire/envelope.ts";
import { createApi } from "./api/api.ts";
import type { EventHub } from "./api/eventHub.ts";
import { EXPLORER_FOLDER } from "./api/explorer/serveExplorer.ts";
import type { AgreementReader, ApiModules, SubmittedTransaction } from "./api/modules.ts";
import type { Core } from "./core.ts";
import type { Identity } from "./identity.ts";
import type { Intake } from "./intake/intake.ts";
import type { Mesh } from "./mesh/mesh.ts";
import type { ValidatorMetrics } from "./metrics.ts";
import type { KnownSets } from "./rounds/validatorSets.ts";
import type { Store } from "./store/store.ts";

export type HttpOptions = {
  readonly host: string;
  /** 0 takes a free port. */
  readonly port: number;
  readonly version: string;
  readonly requestsPerMinute?: number;
  /** Origins of pages that may read the API; none by default. */
  readonly corsOrigins?: readonly string[];
};
export type HttpModules = {
  readonly identity: Identity;
  readonly store: Store;
  readonly ledger: Ledger;
  readonly core: Core;
  readonly traceMessage: ApiModules["traceMessage"];
  /** Links to the other validators. */
  readonly mesh: Pick<Mesh, "connected">;
  readonly sets: KnownSets;
  readonly network: Network;
  readonly metrics: ValidatorMetrics;
  readonly events: EventHub;
  readonly clock: Clock;
  readonly log: Log;
};
export type OpenedHttp = { readonly url: string; readonly close: () => Promise<void> };

/** One name for all who submit by HTTP: the API's own rate limit tells them apart. */
const HTTP_CONNECTION = "http";

/** @throws CodedError "listen_failed" where the port cannot be bound. */
export async function openHttp(options: HttpOptions, modules: HttpModules): Promise<OpenedHttp> {
  const { identity, metrics, core, network, ledger } = modules;
  const { genesis, networkId, signer } = identity;
  const { requestsPerMinute, corsOrigins = [] } = options;
  const api = await createApi(
    {
      network: {
        ...{ name: genesis.name, id: networkId, parameters: genesis.parameters },
        writeGenesis: () => encodeGenesisJson(genesis),
      },
      validator: signer.publicKey,
      version: options.version,
      explorerFolder: EXPLORER_FOLDER,
      corsOrigins,
      ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
    },
    {
      store: modules.store,
      events: modules.events,
      metrics,
      clock: modules.clock,
      log: modules.log,
      exposeMetrics: metrics.expose,
      status: () => ({ peers: network.peers().length, notReady: describeUnready(modules) }),
      submitTransaction: (envelope) => submitEnvelope(core.intake, envelope),
      isPending: core.intake.isPending,
      traceMessage: modules.traceMessage,
      agreement: readAgreement(modules),
      ledger: {
        rewardProof: async (account) => {
          const proof = computeRewardProof(ledger, account);
          return proof && encodeProofJson(proof, ledger.lastClosedEpoch);
        },
      },
    },
  );
  try {
    await api.listen({ host: options.host, port: options.port });
  } catch (cause) {
    throw new CodedError("listen_failed", `cannot listen on ${options.host}:${options.port}`, cause);
  }
  const { port } = api.server.address() as AddressInfo;
  const host = options.host.includes(":") ? `[${options.host}]` : options.host;
  return { url: `http://${host}:${port}`, close: async () => api.close() };
}

/** Reward certificates as they are kept, and the links that stand now. */
function readAgreement({ identity, core, mesh }: HttpModules): AgreementReader {
  return {
    rewardCert: (epoch) => core.attestor.rewardCert(epoch),
    isConnected: (key) =>
      equalBytes(key, identity.signer.publicKey) ? null : mesh.connected().includes(encodeHex(key)),
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
  // What cannot be read has no id of its own; a receipt names it by its bytes, the API by nothing.
  const isUnread = reason === "malformed" || reason === "oversized" || reason === "unknown_kind";
  return { id: isUnread ? null : id, reason };
}
