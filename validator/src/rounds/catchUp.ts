/**
 * Catching up: rounds that the others decided without this validator come as values with their final certificates, in
 * order, from whoever is ahead. A certificate is all the proof it takes, so anyone may be asked.
 */
import { hash } from "node:crypto";
import type { Clock, Log } from "../../../node/src/host/types.ts";
import { checkFinalCert, type VerifySignature } from "../../../protocol/src/agreement/certificates.ts";
import {
  decodeFetchedRounds,
  encodeFetchedRounds,
  FETCHED_ROUNDS_BYTES,
  type FetchedRound,
  MAX_FETCHED_ROUNDS,
} from "../../../protocol/src/agreement/fetches.ts";
import { decodeFinalCert, decodeValue } from "../../../protocol/src/agreement/rounds.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { SigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { MAX_MEMBERS, type Mesh, type PeerName } from "../mesh/mesh.ts";
import type { RoundStore } from "../store/store.ts";
import type { Finalized } from "./agreement.ts";
import type { KnownSets } from "./validatorSets.ts";
import type { Votes } from "./votes.ts";

/** Rounds decided and not executed beyond which no more are fetched: some MiB of memory. */
const MAX_BACKLOG = 2 * MAX_FETCHED_ROUNDS;
const BACKLOG_POLL_MS = 50;
/** A thousand rounds are to be caught up with in half a minute: whoever takes longer for what it gives lets others go first. */
const PATIENCE_MS_PER_ROUND = 30;
/** A line of 8 Mbit/s is no dawdler: the largest values are close to a megabyte each, an answer with one of them late. */
const PATIENCE_BYTES_PER_MS = 1_000;
/** Rounds read for an answer at a time: four of the largest values are a few times what it takes. */
const ROUNDS_READ_AT_ONCE = 4;

export type CatchUpOptions = { readonly domains: SigningDomains };
export type CatchUpModules = {
  readonly sets: Pick<KnownSets, "setOfRound" | "lastKnownRound">;
  readonly mesh: Pick<Mesh, "fetch">;
  readonly verify: VerifySignature;
  readonly clock: Clock;
  readonly log: Log;
  /** The round after the newest decided one. */
  readonly nextRound: () => number;
  readonly backlog: () => number;
  /** Takes decided rounds, verified and in order. False where there is no more use for them. */
  readonly adopt: (rounds: readonly Finalized[]) => boolean;
};

export class CatchUp {
  readonly #options: CatchUpOptions;
  readonly #modules: CatchUpModules;
  /** Who is ahead by its own word, in the order in which they are asked. */
  readonly #claimants = new Set<PeerName>();
  #isRunning = false;
  #isStopped = false;

  constructor(options: CatchUpOptions, modules: CatchUpModules) {
    this.#options = options;
    this.#modules = modules;
  }

  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Fetches from a validator that may be ahead, and from others that may, until none of them has more. */
  from(peer: PeerName): void {
    if (this.#isStopped || this.#claimants.size >= MAX_MEMBERS) return;
    this.#claimants.add(peer);
    if (this.#isRunning) return;
    this.#isRunning = true;
    this.#run()
      .catch((error: unknown) => this.#modules.log.warn("Could not catch up", { error: String(error) }))
      .finally(() => {
        this.#claimants.clear();
        this.#isRunning = false;
      });
  }

  stop(): void {
    this.#isStopped = true;
  }

  /**
   * How many rounds a validator shows that it has decided, of those that it claims: it is asked for the certificate of the
   * last one, or of the last whose set is known here. A round that is the next one here is taken over.
   * @param claimed more than are decided here.
   * @returns 0 where it shows nothing; null where it does not answer, or nothing can be judged yet.
   */
  async show(peer: PeerName, claimed: number): Promise<number | null> {
    const { sets, mesh, nextRound, adopt } = this.#modules;
    const round = Math.min(claimed - 1, sets.lastKnownRound());
    if (round < nextRound()) return null;
    const answer = await mesh.fetch(peer, { type: "rounds", from: round });
    if (answer === null || this.#isStopped) return null;
    const [shown] = this.#verify(round, decodeFetchedRounds(answer)?.slice(0, 1) ?? []);
    if (shown === undefined) return 0;
    if (round === nextRound()) adopt([shown]);
    return round + 1;
  }

  async #run(): Promise<void> {
    for (;;) {
      await this.#untilWanted();
      const [next] = this.#claimants;
      if (next === undefined || this.#isStopped) return;
      await this.#ask(next);
    }
  }

  /** Certificates are proof only by a set that execution has fixed, two epochs ahead of itself. */
  async #untilWanted(): Promise<void> {
    const { sets, clock, nextRound, backlog } = this.#modules;
    while ((backlog() > MAX_BACKLOG || sets.setOfRound(nextRound()) === null) && !this.#isStopped)
      await new Promise<void>((resolve) => clock.after(BACKLOG_POLL_MS, resolve));
  }

  /**
   * Asks for the next rounds. Whoever gives some at a good pace is asked again; who is slow goes behind the others, and
   * who gives nothing, or what is not proven, has to claim anew: so one that dawdles costs an answer's time and no more.
   */
  async #ask(peer: PeerName): Promise<void> {
    const { sets, mesh, clock, log, nextRound, adopt } = this.#modules;
    const from = nextRound();
    const askedMs = clock.elapsedMs();
    const answer = await mesh.fetch(peer, { type: "rounds", from });
    if (this.#isStopped) return;
    const tookMs = clock.elapsedMs() - askedMs;
    const fetched = (answer && decodeFetchedRounds(answer)) ?? [];
    const rounds = this.#verify(from, fetched);
    const isTaken = rounds.length > 0 && adopt(rounds);
    const isUnproven = rounds.length < fetched.length && sets.setOfRound(from + rounds.length) !== null;
    if (isUnproven) log.warn("A validator gave rounds that are not proven", { validator: peer, from });
    const bytes = rounds.reduce((sum, { valueBytes }) => sum + valueBytes.length, 0);
    const isSlow = tookMs > rounds.length * PATIENCE_MS_PER_ROUND + bytes / PATIENCE_BYTES_PER_MS;
    if (!isTaken || isUnproven || isSlow) this.#claimants.delete(peer);
    if (isTaken && !isUnproven) this.#claimants.add(peer);
  }

  /** The rounds that are proven, from the first on. */
  #verify(from: number, fetched: readonly FetchedRound[]): Finalized[] {
    const { domains } = this.#options;
    const rounds: Finalized[] = [];
    for (const { value: valueBytes, cert: certBytes } of fetched) {
      const round = from + rounds.length;
      const set = this.#modules.sets.setOfRound(round);
      if (set === null) break;
      const value = decodeValue(valueBytes);
      const cert = decodeFinalCert(certBytes);
      if (value === null || cert === null || value.round !== round || cert.round !== round) break;
      if (hash("sha256", valueBytes, "hex") !== encodeHex(cert.value)) break;
      if (checkFinalCert(cert, set, domains, this.#modules.verify) !== null) break;
      rounds.push({ round, value, valueBytes, cert, certBytes });
    }
    return rounds;
  }
}

/**
 * Decided rounds from one on, for one who catches up: executed ones from the store, the rest from the votes. No more is
 * read than some rounds beyond the answer, whoever asks and however much there is.
 */
export async function answerRounds(
  from: number,
  { store, votes }: { store: Pick<RoundStore, "listRounds">; votes: Pick<Votes, "decidedFrom"> },
): Promise<Uint8Array> {
  const rounds: FetchedRound[] = [];
  let bytes = 0;
  const isFull = () => rounds.length === MAX_FETCHED_ROUNDS || bytes >= FETCHED_ROUNDS_BYTES;
  const take = (round: number, value: Uint8Array, cert: Uint8Array): void => {
    if (isFull() || round !== from + rounds.length) return;
    rounds.push({ value, cert });
    bytes += value.length + cert.length;
  };
  const takeAll = async (takeSome: (next: number) => Promise<void>): Promise<void> => {
    for (let before = -1; rounds.length > before && !isFull(); ) {
      before = rounds.length;
      await takeSome(from + before);
    }
  };
  await takeAll(async (next) => {
    for (const { round, value, finalCert } of await store.listRounds(next, ROUNDS_READ_AT_ONCE))
      take(round, value, finalCert);
  });
  await takeAll(async (next) => {
    for (const { round, value, cert } of votes.decidedFrom(next, ROUNDS_READ_AT_ONCE))
      take(round, value, cert);
  });
  return encodeFetchedRounds(rounds);
}
