/** The operators' interface, tied to a running validator; and what a drain needs of it. */
import type { LeveledLog } from "../../node/src/host/log.ts";
import type { OperatedNetwork } from "../../node/src/host/network.ts";
import type { Clock, Log } from "../../node/src/host/types.ts";
import type { BanBook } from "./admin/bans.ts";
import type { AdminEndpoint } from "./admin/modules.ts";
import { type OpenedAdmin, openAdmin } from "./admin/server.ts";
import type { Backups } from "./backup/backup.ts";
import { findCheckpoint } from "./checkpointOffer.ts";
import type { Core } from "./core.ts";
import { Draining } from "./draining.ts";
import { homePaths } from "./home.ts";
import type { Identity } from "./identity.ts";
import type { KnownSets } from "./rounds/validatorSets.ts";
import type { Store } from "./store/store.ts";

export type AdministrationOptions = {
  readonly home: string;
  readonly version: string;
  readonly listen: AdminEndpoint;
  /** Public keys of those who may administer. */
  readonly operators: readonly Uint8Array[];
};
export type AdministrationModules = {
  readonly identity: Identity;
  readonly store: Store;
  readonly core: Core;
  readonly sets: KnownSets;
  readonly network: OperatedNetwork;
  readonly bans: BanBook;
  readonly backups: Backups;
  readonly draining: Draining;
  readonly clock: Clock;
  readonly log: Log;
  readonly level: Pick<LeveledLog, "level" | "setLevel">;
};

/** Opens it. @throws as `openAdmin` does. */
export function openAdministration(
  { home, listen, operators, version }: AdministrationOptions,
  modules: AdministrationModules,
): Promise<OpenedAdmin> {
  const { identity, store, core, network, sets, bans, backups, draining, clock, log, level } = modules;
  const validator = identity.signer.publicKey;
  const target = { networkId: identity.networkId, validator };
  const { attestor } = core;
  return openAdmin(
    { listen, operators, target, auditFile: homePaths(home).audit, version },
    {
      ...{ clock, log, level, bans, draining },
      connections: network.connections.bind(network),
      disconnect: network.disconnect.bind(network),
      isSeated: sets.isMember,
      findCheckpoint: () => findCheckpoint({ validator, store, attestor, network }),
      backUp: backups.backUp,
    },
  );
}

/** What a drain waits for, in a validator that runs: receipts promise a round within the witness window. */
export function createDraining(
  { genesis }: Pick<Identity, "genesis">,
  { core, clock, log }: { readonly core: Core; readonly clock: Clock; readonly log: Log },
): Draining {
  const { roundMs, witnessWindowRounds } = genesis.parameters;
  return new Draining(
    { defaultTimeoutMs: roundMs * witnessWindowRounds + LEAST_DRAIN_MS, pollMs: roundMs / 2 },
    { clock, log, refuseMore: core.withdraw, countWaiting: core.countWaiting },
  );
}

/** On fast test networks some views may time out on the way. */
const LEAST_DRAIN_MS = 10_000;
