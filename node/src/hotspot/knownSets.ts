/**
 * The validator sets that a hotspot judges rounds by: those of two epochs that follow each other, from genesis or a
 * checkpoint that its operator trusts, moved on by certificates. They are kept in the home, so that a restart goes on
 * where the hotspot was, and old keys that are worth nothing any more are not asked again.
 */
import { join } from "node:path";
import {
  createValidatorSet,
  type ValidatorSet,
  type ValidatorSets,
} from "../../../protocol/src/agreement/certificates.ts";
import {
  advanceCheckpoint,
  createLightAnchor,
  type LightAnchor,
  type LightReason,
} from "../../../protocol/src/agreement/lightClient.ts";
import {
  type Checkpoint,
  decodeCheckpoint,
  encodeCheckpoint,
} from "../../../protocol/src/agreement/rewardEvidence.ts";
import {
  MAX_ANSWERED_ADDRESSES,
  type SetsAnswer,
  type ValidatorAddress,
} from "../../../protocol/src/agreement/setAnswers.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { decodeDidKey, encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import type { Genesis } from "../../../protocol/src/network/genesis.ts";
import { areStakeMultiaddrs } from "../../../protocol/src/wire/consents.ts";
import { readFileIfAny, replaceFile } from "../host/durableFile.ts";
import type { Clock, Log } from "../host/types.ts";
import { verifySignature } from "../host/verify.ts";
import { MAX_VALIDATOR_LINKS } from "./validatorLinks.ts";

/** Its name in the home. */
export const VALIDATORS_FILE = "validators.json";
/** An unchanged set is written this often: a card is spared, and the checkpoint stays young. */
const KEEP_INTERVAL_MS = 3_600_000;
/** Addresses that have worked, and that no validator's word replaces: twice as many as there are links. */
const MAX_REACHED = 2 * MAX_VALIDATOR_LINKS;
/** The most that a kept file's hints can be: earlier programs wrote what had worked among them. */
const MAX_KEPT_ADDRESSES = MAX_REACHED + MAX_ANSWERED_ADDRESSES;

export type KnownSetsModules = { readonly clock: Pick<Clock, "elapsedMs">; readonly log: Log };

/** What steps led to: a newer checkpoint, the same one, or why they are refused. */
export type Taken = "advanced" | "unchanged" | LightReason;

/**
 * Begins where the home left off, or at a checkpoint or genesis where that is newer.
 * @param trusted what the operator gives; null for genesis. @throws CodedError where the home's file cannot be read.
 */
export async function openKnownSets(
  { home, genesis, trusted }: { home: string; genesis: Genesis; trusted: Checkpoint | null },
  modules: KnownSetsModules,
): Promise<KnownSets> {
  const anchor = createLightAnchor(genesis, trusted ?? undefined);
  const kept = await loadKept(home, anchor, modules.log);
  const isNewer = kept !== null && kept.checkpoint.epoch > anchor.checkpoint.epoch;
  const begun = isNewer ? { ...anchor, checkpoint: kept.checkpoint } : anchor;
  const former = isNewer ? kept.former : null;
  const { unbondEpochs } = genesis.parameters;
  const { reached, hinted } = kept ?? { reached: [], hinted: [] };
  return new KnownSets({ home, unbondEpochs, anchor: begun, former, reached, hinted }, modules);
}

/** What has worked, the last reached first, and the newest word of some validator. */
type KnownAddresses = {
  readonly reached: readonly ValidatorAddress[];
  readonly hinted: readonly ValidatorAddress[];
};

export type KnownSetsOptions = {
  readonly home: string;
  readonly unbondEpochs: number;
  readonly anchor: LightAnchor;
  /** The checkpoint that led to the anchor's; null where it begins there. */
  readonly former: Checkpoint | null;
} & KnownAddresses;

export class KnownSets implements ValidatorSets {
  readonly #options: KnownSetsOptions;
  readonly #modules: KnownSetsModules;
  readonly #callbacks = new Set<() => void>();
  #anchor: LightAnchor;
  #former: Checkpoint | null;
  #sets: readonly [ValidatorSet, ValidatorSet];
  #reached: readonly ValidatorAddress[];
  #hinted: readonly ValidatorAddress[];
  #keptAtMs = Number.NEGATIVE_INFINITY;
  /** What it began with, or has written last: a stop writes nothing that is known. */
  #kept: string;
  #keeping: Promise<void> = Promise.resolve();

  constructor(options: KnownSetsOptions, modules: KnownSetsModules) {
    this.#options = options;
    this.#modules = modules;
    this.#anchor = options.anchor;
    this.#former = options.former;
    this.#sets = createSets(options.anchor.checkpoint);
    this.#reached = options.reached;
    this.#hinted = options.hinted;
    this.#kept = this.#encode();
  }

  /** The set of an epoch; null where it is not known yet, or not any more. */
  setOf = (epoch: number): ValidatorSet | null => this.#sets[epoch - this.epoch] ?? null;

  /** The first of the two epochs whose sets are known. */
  get epoch(): number {
    return this.#anchor.checkpoint.epoch;
  }

  /**
   * What rewards are proven by: a step behind what is known, since an epoch's rewards are attested in the epoch after it,
   * with which the newest checkpoint begins.
   */
  get rewardAnchor(): LightAnchor {
    return { ...this.#anchor, checkpoint: this.#former ?? this.#anchor.checkpoint };
  }

  /** Whether a key has a seat in one of the known epochs. */
  isMember(key: Uint8Array): boolean {
    return this.#sets.some((set) => set.positionOf(key) !== undefined);
  }

  /** Where members listen, as far as is known, each address once: what has worked first. */
  addresses(): ValidatorAddress[] {
    const all = this.#ofMembers([...this.#reached, ...this.#hinted]);
    return [...new Map(all.map((address) => [address.multiaddr, address])).values()];
  }

  /** Calls back when newer sets are known. */
  onChange(callback: () => void): void {
    this.#callbacks.add(callback);
  }

  /** Follows what anybody may have answered. Nothing is taken where a step is not proven; addresses are hints. */
  take({ steps, addresses }: SetsAnswer): Taken {
    const { clock, log } = this.#modules;
    const before = this.#anchor.checkpoint;
    const advance = advanceCheckpoint(steps, this.#anchor, verifySignature);
    if (!advance.ok) return advance.reason;
    this.#hinted = addresses;
    const { checkpoint } = advance;
    if (checkpoint.epoch === before.epoch) return "unchanged";
    if (checkpoint.epoch - before.epoch > this.#options.unbondEpochs) {
      log.warn(
        "Followed validators whose stakes may have returned long ago; compare with a checkpoint that you trust",
        { from: before.epoch, to: checkpoint.epoch },
      );
    }
    this.#anchor = { ...this.#anchor, checkpoint };
    this.#former = before;
    this.#sets = createSets(checkpoint);
    const isDue = clock.elapsedMs() - this.#keptAtMs >= KEEP_INTERVAL_MS;
    if (isDue || !isSameSet(before.nextValidators, checkpoint.nextValidators)) this.#keep();
    for (const callback of this.#callbacks) callback();
    return "advanced";
  }

  /** An address has worked: a member has shown its key there. */
  noteReached(address: ValidatorAddress): void {
    const others = this.#reached.filter(({ multiaddr }) => multiaddr !== address.multiaddr);
    this.#reached = [address, ...others].slice(0, MAX_REACHED);
  }

  /** Resolves when what is known is on the disk. */
  async stop(): Promise<void> {
    this.#keep();
    await this.#keeping;
  }

  #ofMembers(addresses: readonly ValidatorAddress[]): ValidatorAddress[] {
    return addresses.filter(({ validator }) => this.isMember(validator));
  }

  #encode(): string {
    return encodeKept({
      checkpoint: this.#anchor.checkpoint,
      former: this.#former,
      reached: this.#ofMembers(this.#reached),
      hinted: this.#ofMembers(this.#hinted),
    });
  }

  #keep(): void {
    const { clock, log } = this.#modules;
    this.#keptAtMs = clock.elapsedMs();
    const kept = this.#encode();
    if (kept === this.#kept) return;
    this.#kept = kept;
    this.#keeping = this.#keeping
      .then(() => replaceFile(join(this.#options.home, VALIDATORS_FILE), kept))
      .catch((error: unknown) => log.warn("Could not keep the validators", { error: String(error) }));
  }
}

const createSets = ({ validators, nextValidators }: Checkpoint): readonly [ValidatorSet, ValidatorSet] => [
  createValidatorSet(validators),
  createValidatorSet(nextValidators),
];

const isSameSet = (a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean =>
  a.length === b.length && a.every((key, seat) => equalBytes(key, b[seat]!));

type Kept = { readonly checkpoint: Checkpoint; readonly former: Checkpoint | null } & KnownAddresses;

/** Hints stand under the name that was the only list's once: an earlier file is read, and this one by an earlier program. */
const encodeKept = ({ checkpoint, former, reached, hinted }: Kept): string =>
  `${JSON.stringify({
    checkpoint: encodeCheckpoint(checkpoint),
    former: former && encodeCheckpoint(former),
    reached: reached.map(presentAddress),
    addresses: hinted.map(presentAddress),
  })}\n`;

const presentAddress = ({ validator, multiaddr }: ValidatorAddress) => ({
  validator: encodeDidKey(validator),
  multiaddr,
});

/** What was kept; null where nothing usable is: the certificates can be asked for again. */
async function loadKept(home: string, { networkId }: LightAnchor, log: Log): Promise<Kept | null> {
  const bytes = await readFileIfAny(join(home, VALIDATORS_FILE));
  if (bytes === null) return null;
  const kept = decodeKept(Buffer.from(bytes).toString("utf8"));
  if (kept !== null && equalBytes(kept.checkpoint.networkId, networkId)) return kept;
  log.warn("Passed over the kept validators: the file is damaged, or another network's", {
    file: VALIDATORS_FILE,
  });
  return null;
}

function decodeKept(text: string): Kept | null {
  try {
    const { checkpoint, former, reached, addresses } = JSON.parse(text) as Record<string, unknown>;
    const decoded = decodeCheckpoint(checkpoint);
    if (!decoded.ok) return null;
    const before = decodeCheckpoint(former);
    return {
      checkpoint: decoded.value,
      // An earlier program kept none.
      former: before.ok ? before.value : null,
      reached: decodeAddresses(reached, MAX_REACHED),
      hinted: decodeAddresses(addresses, MAX_KEPT_ADDRESSES),
    };
  } catch {
    return null;
  }
}

/** An address that cannot be read is left out: what cannot be reached by it can be by others. */
function decodeAddresses(list: unknown, most: number): ValidatorAddress[] {
  if (!Array.isArray(list)) return [];
  return list.slice(0, most).flatMap((entry: unknown) => {
    const { validator, multiaddr } = Object(entry) as Record<string, unknown>;
    if (typeof validator !== "string" || typeof multiaddr !== "string") return [];
    const key = decodeDidKey(validator);
    return key !== null && areStakeMultiaddrs([multiaddr]) ? [{ validator: key, multiaddr }] : [];
  });
}
