/** Several validators in one process: real homes and cores, over a mesh in memory whose links a test can cut. */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSystemClock } from "../../../../node/src/host/clock.ts";
import { createSilentLog } from "../../../../node/src/host/log.ts";
import { verifySignature } from "../../../../node/src/host/verify.ts";
import { decodePeerMessage, encodePeerMessage } from "../../../../protocol/src/agreement/peerMessages.ts";
import type { Evidence } from "../../../../protocol/src/agreement/rounds.ts";
import { concatBytes } from "../../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../../protocol/src/bytes/hex.ts";
import type { RoundResult } from "../../../../protocol/src/ledger/types.ts";
import type { Genesis } from "../../../../protocol/src/network/genesis.ts";
import type { Parameters } from "../../../../protocol/src/network/parameters.ts";
import { PRESETS } from "../../../../protocol/src/network/presets.ts";
import { type Core, createCore } from "../../../../validator/src/core.ts";
import { createIdentity } from "../../../../validator/src/identity.ts";
import { LEDGER_MODULES } from "../../../../validator/src/ledgerModules.ts";
import type { Mesh } from "../../../../validator/src/mesh/mesh.ts";
import { recover } from "../../../../validator/src/recovery.ts";
import { KnownSets } from "../../../../validator/src/rounds/validatorSets.ts";
import { openStorage } from "../../../../validator/src/storage.ts";
import type { Store } from "../../../../validator/src/store/store.ts";
import { createTestGenesis, keyNamed } from "./network.ts";

const clock = createSystemClock();
const log = createSilentLog();

const keys = new Map<number, ReturnType<typeof keyNamed>>();
/** Asked for with every message, so that a key is made once. */
export function validatorKey(position: number): ReturnType<typeof keyNamed> {
  const key = keys.get(position) ?? keyNamed(`validator ${position}`);
  keys.set(position, key);
  return key;
}

/** Half the preset's: in one process messages need no time, and rounds are what most tests wait for. */
const ROUND_MS = 100;

/** A genesis with so many validators, on the `test` preset but for these. */
export function createGenesisOf(
  validators: number,
  hotspots: number,
  parameters: Partial<Parameters> = {},
): Genesis {
  return {
    ...createTestGenesis(hotspots, Date.now()),
    parameters: { ...PRESETS.test, roundMs: ROUND_MS, ...parameters },
    validators: Array.from({ length: validators }, (_, position) => ({
      key: validatorKey(position).publicKey,
      stake: PRESETS.test.validatorStake,
      multiaddrs: [],
    })),
  };
}

export type RunningValidator = {
  readonly core: Core;
  readonly results: RoundResult[];
  readonly failures: Error[];
  readonly viewChanges: () => number;
  readonly splits: () => number;
  /** How often its votes were found too old. */
  readonly restored: () => number;
  readonly evidence: Evidence[];
  /** Ends in good order. */
  readonly end: () => Promise<void>;
};

export class SeveralValidators {
  readonly genesis: Genesis;
  readonly #folder = mkdtempSync(join(tmpdir(), "hexbeacon-several-"));
  readonly running: (RunningValidator | null)[];
  readonly #stores: Store[] = [];
  /** Whether what `from` says reaches `to`. */
  isLinked: (from: number, to: number) => boolean = () => true;
  /** Sees every message on its way. */
  tap: (bytes: Uint8Array) => void = () => {};
  /** Against whom evidence is expected. */
  isDishonest: (key: Uint8Array) => boolean = () => false;
  /** How often a validator said that it stands still. */
  standstills = 0;
  /** Whom anybody has charged for forgeries, and for how many verifications, in order. */
  readonly charged: [name: string, verifications: number][] = [];
  #watchers = new Set<() => void>();

  constructor(genesis: Genesis) {
    this.genesis = genesis;
    this.running = genesis.validators.map(() => null);
  }

  async start(position: number): Promise<RunningValidator> {
    const identity = createIdentity(this.genesis, validatorKey(position).secretSeed);
    const storage = await openStorage(this.homeOf(position), identity);
    this.#stores[position] = storage.store;
    const validator = identity.signer.publicKey;
    const recovered = await recover({
      ...storage,
      ...identity,
      validator,
      ledgerModules: LEDGER_MODULES,
      log,
    });
    const sets = new KnownSets(this.genesis.parameters, { ledger: recovered.ledger, votes: storage.votes });
    const results: RoundResult[] = [];
    const failures: Error[] = [];
    const counts = { views: 0, splits: 0, restored: 0 };
    const evidence: Evidence[] = [];
    const core = createCore(
      { ...identity, retention: { keepEpochs: 100 }, snapshotEpochs: 2 },
      {
        clock,
        log,
        storage,
        recovered,
        mesh: this.#meshOf(position, sets),
        sets,
        verifier: {
          canAcceptWork: () => true,
          verify: async (claims) =>
            Uint8Array.from(claims, ({ publicKey, message, signature }) =>
              verifySignature(publicKey, concatBytes(...message), signature) ? 1 : 0,
            ),
        },
        observer: {
          onAdmitted: () => {},
          onRefused: () => {},
          onBatch: () => {},
          onRoundDecided: () => {},
          onRoundExecuted: ({ result }) => {
            results.push(result);
            this.#notify();
          },
          onViewChanges: (views) => {
            counts.views += views;
          },
          onEvidence: (piece) => {
            evidence.push(piece);
            if (!this.isDishonest(piece.offender))
              failures.push(new Error("evidence against an honest validator"));
          },
          onRestored: () => {
            counts.restored++;
            this.#notify();
          },
          onRewardCert: () => this.#notify(),
          onSplitAttestation: () => counts.splits++,
          onDropped: () => {},
        },
        onFailure: (error) => failures.push(error),
      },
    );
    const end = async () => {
      this.running[position] = null;
      await core.close();
      await storage.close();
    };
    const running: RunningValidator = {
      core,
      results,
      failures,
      viewChanges: () => counts.views,
      splits: () => counts.splits,
      restored: () => counts.restored,
      evidence,
      end,
    };
    this.running[position] = running;
    await core.catchUp();
    core.agreement.start();
    return running;
  }

  /** Resolves when the condition holds; looked at when a round is executed, an epoch certified, a home found old, or nothing moves. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const failed = this.running.flatMap((each) => each?.failures ?? [])[0];
        if (failed !== undefined) reject(failed);
        else if (!condition()) return;
        this.#watchers.delete(look);
        resolve();
      };
      this.#watchers.add(look);
      look();
    });
  }

  /** A validator that genesis does not name. @returns its position. */
  add(): number {
    return this.running.push(null) - 1;
  }

  store(position: number): Store {
    return this.#stores[position]!;
  }

  homeOf(position: number): string {
    return join(this.#folder, `${position}`);
  }

  /** Copies the home of one that is not running, and puts the copy back in its place later. */
  backUp(position: number): () => void {
    const home = this.homeOf(position);
    const copy = mkdtempSync(join(this.#folder, "backup-"));
    cpSync(home, copy, { recursive: true });
    return () => {
      this.empty(position);
      cpSync(copy, home, { recursive: true });
    };
  }

  /** Loses the home of one that is not running. */
  empty(position: number): void {
    rmSync(this.homeOf(position), { recursive: true });
  }

  async end(): Promise<void> {
    await Promise.all(this.running.map((each) => each?.end()));
    rmSync(this.#folder, { recursive: true });
  }

  #notify(): void {
    for (const look of [...this.#watchers]) look();
  }

  #meshOf(self: number, { seatsOf }: KnownSets): Mesh {
    const nameOf = (position: number) => encodeHex(validatorKey(position).publicKey);
    const positionOf = (name: string) => this.running.findIndex((_, position) => nameOf(position) === name);
    const others = () => [...this.running.keys()].filter((each) => each !== self);
    const deliver = (to: number, bytes: Uint8Array) => {
      this.tap(bytes);
      if (!this.isLinked(self, to)) return;
      setImmediate(() => {
        const message = decodePeerMessage(bytes, seatsOf);
        if (message === null) throw new Error("an honest validator's message does not decode");
        this.running[to]?.core.handlers.onMessage(nameOf(self), message);
      });
    };
    return {
      broadcast: (message) => {
        if (message.type === "status") {
          this.standstills++;
          this.#notify();
        }
        const bytes = encodePeerMessage(message, seatsOf);
        for (const to of others()) deliver(to, bytes);
      },
      send: (to, message) => deliver(positionOf(to), encodePeerMessage(message, seatsOf)),
      fetch: async (name, fetch) => {
        const from = positionOf(name);
        await new Promise((resolve) => setImmediate(resolve));
        if (!this.isLinked(self, from) || !this.isLinked(from, self)) return null;
        return (await this.running[from]?.core.handlers.answer(fetch, nameOf(self))) ?? null;
      },
      connected: () =>
        others()
          .filter((position) => this.running[position] !== null && this.isLinked(self, position))
          .map(nameOf),
      charge: (from, verifications) => {
        this.charged.push([from, verifications]);
        this.#notify();
      },
    };
  }
}

/** State digests by round, as hexadecimal. */
export const digestsOf = ({ results }: RunningValidator): Map<number, string> =>
  new Map(results.map(({ round, stateDigest }) => [round, encodeHex(stateDigest)]));
