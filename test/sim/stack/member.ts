/**
 * One simulated validator through all of its lives: the real core over a simulated disk, clock and mesh. A life ends
 * with a power cut, and nothing that it left behind has any effect.
 */
import { createSilentLog } from "../../../node/src/host/log.ts";
import { decodeRewardCert } from "../../../protocol/src/agreement/attest.ts";
import type { Cut } from "../../../protocol/src/agreement/cut.ts";
import type { Fetch } from "../../../protocol/src/agreement/fetches.ts";
import type { PeerMessage } from "../../../protocol/src/agreement/peerMessages.ts";
import { decodeValue, type Evidence, type Value } from "../../../protocol/src/agreement/rounds.ts";
import { concatBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { type Core, createCore } from "../../../validator/src/core.ts";
import type { ExecutedRound } from "../../../validator/src/execution/executor.ts";
import { LEDGER_MODULES } from "../../../validator/src/ledgerModules.ts";
import type { Mesh, PeerName } from "../../../validator/src/mesh/mesh.ts";
import { recover } from "../../../validator/src/recovery.ts";
import { KnownSets } from "../../../validator/src/rounds/validatorSets.ts";
import type { DecidedRound, Votes } from "../../../validator/src/rounds/votes.ts";
import { viewGenesis } from "../../../validator/src/store/genesisViews.ts";
import { Disk, type DiskMistake } from "./disk.ts";
import type { StackNetwork } from "./genesis.ts";
import { createCheapSigner, verifyCheaply } from "./signatures.ts";
import { createSkewedClock, type VirtualTime } from "./virtualTime.ts";
import type { StackWatch } from "./watch.ts";

const log = createSilentLog();
/** Decided values by their encodings, which members hand to each other: each is decoded once. */
const decodedValues = new WeakMap<Uint8Array, Value>();

export type MemberOptions = {
  readonly self: number;
  readonly network: StackNetwork;
  /** Watched as an honest validator; a twin or one with a lying mouth is not. */
  readonly isHonest: boolean;
  readonly clockOffsetMs: number;
  readonly clockPpt: number;
  readonly mistake: DiskMistake;
};
export type MemberWorld = {
  readonly time: VirtualTime;
  readonly watch: StackWatch;
  readonly below: (choices: number) => number;
  readonly syncMs: () => number;
  /** Whether the power goes in the middle of this write. */
  readonly cutsPower: (method: keyof Votes) => boolean;
  /** What the member says; `to` null for all. */
  readonly send: (from: Member, to: PeerName | null, message: PeerMessage) => void;
  readonly fetch: (from: Member, to: PeerName, fetch: Fetch) => Promise<Uint8Array | null>;
  readonly connected: (from: Member) => readonly PeerName[];
  /** An honest member knows an epoch's set. */
  readonly onSet: (member: Member, epoch: number, keys: readonly Uint8Array[]) => void;
  readonly onExecuted: (member: Member, executed: ExecutedRound) => void;
  /** An honest member decided a round. */
  readonly onDecided: (round: number) => void;
  /** An honest member found evidence or took it over from another; and one is being told of some. */
  readonly onEvidence: (member: Member, evidence: Evidence) => void;
  readonly onTold: (member: Member, evidence: Evidence) => void;
  /** Whether the member lost its home. */
  readonly mayBeRestored: (member: Member) => boolean;
  /** The member went down, in whatever way, and must be started again. */
  readonly onDown: (member: Member) => void;
};

export class Member {
  readonly self: number;
  readonly name: PeerName;
  readonly disk: Disk;
  readonly isHonest: boolean;
  readonly #options: MemberOptions;
  readonly #world: MemberWorld;
  core: Core | null = null;
  #sets: KnownSets | null = null;
  /** Counts its lives; rises when the power is cut. */
  life = 0;
  isUp = false;
  executedRound = -1;
  /** The cut of the newest round that it decided. */
  cut: Cut = [];
  /** Epochs that it keeps a certificate of. */
  readonly rewardCerts = new Set<number>();

  constructor(options: MemberOptions, world: MemberWorld) {
    const { self, network, isHonest, mistake } = options;
    this.self = self;
    this.isHonest = isHonest;
    this.#options = options;
    this.#world = world;
    const key = network.keys[self]!;
    this.name = encodeHex(key);
    const start = network.genesisLedger;
    this.disk = new Disk(
      {
        binding: { network: network.networkId, validator: key },
        genesis: viewGenesis(start),
        mistake,
      },
      {
        below: world.below,
        syncMs: world.syncMs,
        after: (delayMs, callback) => world.time.after(delayMs, callback),
        cutsPower: world.cutsPower,
        onPowerCut: () => this.crash(),
        onVotes: (method, args) => this.#onVotes(method, args),
      },
    );
  }

  /** Whether it keeps a link to another: the mesh has one to whoever has a seat about now, and refuses everybody else. */
  wants({ self }: Member): boolean {
    return this.#sets?.isMember(this.#options.network.keys[self]!) ?? false;
  }

  /** Begins a life from what the disk holds. */
  async start(): Promise<void> {
    const life = ++this.life;
    this.isUp = true;
    try {
      await this.#live(life);
    } catch (error) {
      this.#fail(life, error);
    }
  }

  /** Cuts the power, now. */
  crash(): void {
    if (!this.isUp) return;
    this.isUp = false;
    this.life++;
    this.core = null;
    this.disk.crash();
    this.#world.onDown(this);
  }

  receive(from: PeerName, message: PeerMessage): void {
    const { life } = this;
    const isHeard = this.core !== null;
    try {
      this.core?.handlers.onMessage(from, message);
      // Where the power went in the middle of it, nothing was heard.
      if (message.type === "evidence" && isHeard && life === this.life)
        this.#world.onTold(this, message.evidence);
    } catch (error) {
      this.#fail(life, error);
    }
  }

  /** Ends for good. */
  end(): void {
    this.crash();
    this.disk.close();
  }

  async answer(from: PeerName, fetch: Fetch): Promise<Uint8Array | null> {
    return (await this.core?.handlers.answer(fetch, from)) ?? null;
  }

  async #live(life: number): Promise<void> {
    const { network, self, clockOffsetMs, clockPpt } = this.#options;
    const { time, syncMs } = this.#world;
    const isAlive = () => this.life === life;
    const opened = await this.disk.open();
    const storage = { ...opened, freeBytes: async () => 2 ** 40, close: async () => {} };
    const { genesis, domains } = network;
    const publicKey = network.keys[self]!;
    const signer = createCheapSigner(domains, publicKey);
    const yieldTurn = () =>
      new Promise<void>((resolve) => time.after(this.#world.below(2), () => isAlive() && resolve()));
    const recovered = await recover({
      ...storage,
      genesis,
      domains,
      validator: publicKey,
      ledgerModules: LEDGER_MODULES,
      log,
      yieldTurn,
    });
    if (!isAlive()) return;
    this.executedRound = recovered.ledger.round;
    const sets = new KnownSets(genesis.parameters, { ledger: recovered.ledger, votes: storage.votes });
    this.#sets = sets;
    const offsetMs = genesis.timeMs + clockOffsetMs;
    const core = createCore(
      { genesis, domains, signer, retention: { keepEpochs: 100 }, snapshotEpochs: 2 },
      {
        clock: createSkewedClock(time, { offsetMs, ppt: clockPpt }, isAlive),
        log,
        storage,
        recovered,
        sets,
        mesh: this.#meshOf(isAlive),
        verify: verifyCheaply,
        yieldTurn,
        verifier: {
          canAcceptWork: () => true,
          verify: async (claims) => {
            await new Promise<void>((resolve) => time.after(syncMs() >> 2, () => isAlive() && resolve()));
            return Uint8Array.from(claims, ({ publicKey: key, message, signature }) =>
              verifyCheaply(key, concatBytes(...message), signature) ? 1 : 0,
            );
          },
        },
        observer: this.#observer(life),
        onFailure: (error) => this.#fail(life, error),
      },
    );
    this.core = core;
    await core.catchUp();
    if (isAlive()) core.agreement.start();
  }

  #observer(life: number) {
    const { watch, onEvidence, onExecuted, mayBeRestored } = this.#world;
    return {
      onAdmitted: () => {},
      onRefused: () => {},
      onBatch: () => {},
      onRoundDecided: () => {},
      onRoundExecuted: (executed: ExecutedRound) => {
        if (life !== this.life) return;
        const { round, stateDigest } = executed.result;
        this.executedRound = round;
        if (this.isHonest) watch.onExecuted(this.self, round, stateDigest);
        onExecuted(this, executed);
      },
      onViewChanges: () => {},
      onEvidence: (evidence: Evidence) => {
        if (life === this.life) onEvidence(this, evidence);
      },
      onRewardCert: () => {},
      onSplitAttestation: () => {},
      onDropped: () => {},
      // A simulated disk loses nothing that was durable, so only who lost its home finds its votes older than its word.
      onRestored: () =>
        this.isHonest &&
        !mayBeRestored(this) &&
        watch.report("failed", `validator ${this.self} thinks it was restored`),
    };
  }

  #meshOf(isAlive: () => boolean): Mesh {
    const { send, fetch, connected } = this.#world;
    return {
      broadcast: (message) => isAlive() && send(this, null, message),
      send: (to, message) => isAlive() && send(this, to, message),
      fetch: (from, what) => (isAlive() ? fetch(this, from, what) : new Promise<never>(() => {})),
      connected: () => (isAlive() ? connected(this) : []),
      charge: () => {},
    } as Mesh;
  }

  #onVotes(method: keyof Votes, args: readonly unknown[]): void {
    const { watch } = this.#world;
    if (method === "recordRewardCert") {
      const [epoch, bytes] = args as [number, Uint8Array];
      this.rewardCerts.add(epoch);
      if (this.isHonest) watch.onRewardCert(this.self, decodeRewardCert(bytes)!.attest);
    }
    if (!this.isHonest) return;
    if (method === "recordValidatorSet")
      this.#world.onSet(this, ...(args as [number, readonly Uint8Array[]]));
    if (method !== "recordDecided") return;
    for (const { round, value } of args[0] as DecidedRound[]) {
      const { cut, evidence } = decodeOnce(value);
      this.cut = cut;
      watch.onDecided(this.self, round, value);
      this.#world.onDecided(round);
      for (const { offender } of evidence) watch.onConvicted(this.self, offender);
    }
  }

  /** A life that is over may fail as it likes; a living honest validator may not. */
  #fail(life: number, error: unknown): void {
    if (life !== this.life) return;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    if (this.isHonest) this.#world.watch.report("failed", `validator ${this.self}: ${text}`);
    else this.crash();
  }
}

function decodeOnce(encoded: Uint8Array): Value {
  const value = decodedValues.get(encoded) ?? decodeValue(encoded)!;
  decodedValues.set(encoded, value);
  return value;
}
