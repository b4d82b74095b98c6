/**
 * The secrets of others' beacons that this hotspot has reported. Where a beaconer stays silent, whoever heard its beacon
 * may reveal it in the second half of the reveal window, so that its witnesses are judged all the same.
 *
 * That window is counted from the round b of the beacon report's inclusion, which a witness does not know. It knows the
 * round w of its own report's: b is at most the slot's tolerance after it, since the beacon was on air no earlier than
 * its slot, and at most `waitRounds`, or the report would not be that beacon's. The same bundle cannot come twice, so
 * there is one attempt.
 */
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { Parameters } from "../../../protocol/src/network/parameters.ts";
import type { RevealReport } from "../../../protocol/src/wire/reports.ts";
import type { Bundler } from "./bundler.ts";
import type { RoundFollower } from "./roundFollower.ts";
import type { Submitter } from "./submitter.ts";

export type HeardSecretsModules = {
  readonly follower: Pick<RoundFollower, "onRound">;
  readonly submitter: Pick<Submitter, "isFollowed" | "includedRound" | "isWaiting">;
  readonly bundler: Pick<Bundler, "addReveal">;
};

/** A beacon that was heard, and the report of it: envelope's id and index. */
type Heard = { readonly reveal: RevealReport; readonly id: Uint8Array; readonly index: number };

/**
 * From which newest certified round on, and before which, another's reveal is sent; both counted from w.
 *
 * `first` is late enough that no witness report can count any more whatever b is, or the secret would be told too soon;
 * and at least the middle of the second half for b = w, where a reveal is in time for beacon reports that came some
 * rounds before or after w. At `end` the window has passed for the last possible b.
 */
export function computeHelpRounds(parameters: Parameters): { readonly first: number; readonly end: number } {
  const { beaconToleranceRounds, waitRounds, witnessWindowRounds, revealWindowRounds } = parameters;
  const latest = Math.min(beaconToleranceRounds, waitRounds);
  const ownHalf = Math.floor(revealWindowRounds / 2);
  const middle = Math.floor((revealWindowRounds - ownHalf) / 2);
  const first = witnessWindowRounds + Math.max(latest, ownHalf + middle);
  return { first, end: latest + witnessWindowRounds + revealWindowRounds };
}

export class HeardSecrets {
  readonly #rounds: { readonly first: number; readonly end: number };
  /** Reports of two epochs: those before have long had their verdict. */
  readonly #limit: number;
  readonly #modules: HeardSecretsModules;
  /** By envelope's id and index, oldest first. */
  readonly #heard = new Map<string, Heard>();

  constructor(parameters: Parameters, modules: HeardSecretsModules) {
    this.#rounds = computeHelpRounds(parameters);
    this.#limit = 2 * parameters.reportsPerEpoch;
    this.#modules = modules;
  }

  start(): void {
    this.#modules.follower.onRound(({ round }) => this.#look(round));
  }

  /** How many beacons are kept. */
  get size(): number {
    return this.#heard.size;
  }

  /** Keeps what the reports of an envelope have heard, in the order of their indexes, from 0. */
  keep(id: Uint8Array, reveals: readonly RevealReport[]): void {
    for (const [index, reveal] of reveals.entries()) {
      this.#heard.set(`${encodeHex(id)}-${index}`, { reveal, id, index });
    }
    for (const key of this.#heard.keys()) {
      if (this.#heard.size <= this.#limit) break;
      this.#heard.delete(key);
    }
  }

  #look(newestRound: number): void {
    for (const [key, heard] of this.#heard) if (this.#isDone(heard, newestRound)) this.#heard.delete(key);
  }

  /** Reveals where it is time. @returns whether nothing more is to be done about a beacon. */
  #isDone({ reveal, id, index }: Heard, newestRound: number): boolean {
    const { submitter, bundler } = this.#modules;
    const includedRound = submitter.includedRound(id);
    if (includedRound === null) return !submitter.isFollowed(id);
    if (!submitter.isWaiting(id, index)) return true;
    if (newestRound >= includedRound + this.#rounds.end) return true;
    if (newestRound < includedRound + this.#rounds.first) return false;
    return bundler.addReveal(reveal) === null;
  }
}
