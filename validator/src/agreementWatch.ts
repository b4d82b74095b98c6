/**
 * Watches agreement for the metrics, from where it meets the others: what goes out to the mesh and what comes in says
 * when a round began, which view it is in, who votes and how far everybody is. Nothing here decides anything.
 */
import type { ValidatorSet } from "../../protocol/src/agreement/certificates.ts";
import type { PeerMessage } from "../../protocol/src/agreement/peerMessages.ts";
import type { AvailabilityCert, Tips } from "../../protocol/src/agreement/rounds.ts";
import { encodeHex } from "../../protocol/src/bytes/hex.ts";
import type { AgreementObserver } from "./agreementMetrics.ts";
import { MAX_MEMBERS, type Mesh, type PeerName } from "./mesh/mesh.ts";
import { PeerClocks } from "./peerClocks.ts";
import { PeerRounds } from "./rounds/peerRounds.ts";

export type AgreementWatchModules = {
  readonly nowMs: () => number;
  readonly observer: Pick<AgreementObserver, "onViewEnded" | "onRoundSettled" | "onVote">;
};

export class AgreementWatch {
  readonly #modules: AgreementWatchModules;
  readonly #rounds = new PeerRounds();
  readonly #clocks = new PeerClocks();
  /** The newest batch that was acknowledged here, by lane. */
  readonly #acknowledged = new Map<PeerName, number>();
  #cutSeqs: ReadonlyMap<PeerName, number> = new Map();
  /** The round that was begun and is not decided; its view and when that began. */
  #current: { readonly round: number; readonly sinceMs: number } | null = null;
  #view = 1;
  #viewSinceMs = 0;

  constructor(modules: AgreementWatchModules) {
    this.#modules = modules;
  }

  /** The mesh as agreement is given it: the same, and what is sent is seen. */
  observe(mesh: Mesh): Mesh {
    return {
      broadcast: (message) => {
        this.#onSent(message);
        mesh.broadcast(message);
      },
      send: (to, message) => {
        this.#onSent(message);
        mesh.send(to, message);
      },
      fetch: mesh.fetch,
      connected: mesh.connected,
      charge: mesh.charge,
    };
  }

  /** A message came from a validator. */
  onMessage(from: PeerName, message: PeerMessage): void {
    switch (message.type) {
      case "vote":
        this.#modules.observer.onVote("received", message.vote.kind);
        this.#rounds.hear(from, message.round);
        break;
      case "tips":
        this.#onTips(from, message.signed.tips);
        break;
      case "status":
        this.#rounds.hear(from, message.status.rounds);
        break;
    }
  }

  /** A round was decided, here or by catching up. */
  onDecided(round: number): void {
    if (this.#current === null || this.#current.round > round) return;
    const { observer, nowMs } = this.#modules;
    // What was decided elsewhere while this validator was away took none of its time.
    if (this.#current.round === round) {
      observer.onViewEnded((nowMs() - this.#viewSinceMs) / 1_000);
      observer.onRoundSettled((nowMs() - this.#current.sinceMs) / 1_000);
    }
    this.#current = null;
  }

  /** The cut of an executed round: what it holds waits no more. */
  onCut(cut: readonly Pick<AvailabilityCert, "lane" | "seq">[]): void {
    this.#cutSeqs = new Map(cut.map(({ lane, seq }) => [encodeHex(lane), seq]));
  }

  /** Batches of a lane that were acknowledged here and are in no executed cut. */
  countWaiting(lane: PeerName): number {
    const acknowledged = this.#acknowledged.get(lane) ?? 0;
    return Math.max(0, acknowledged - (this.#cutSeqs.get(lane) ?? 0));
  }

  /** Rounds that at least one honest validator has decided beyond the own ones; see `PeerRounds`. */
  computeBehind(decided: number, sets: readonly Pick<ValidatorSet, "keys" | "quorum">[]): number {
    return this.#rounds.computeBehind(decided, sets);
  }

  /** How far the own clock is ahead of the other validators', in milliseconds; null where none was heard lately. */
  computeClockOffsetMs(): number | null {
    return this.#clocks.computeOffsetMs(this.#modules.nowMs());
  }

  /** Only a validator's own tips say its time: those that another one passes on have been under way for longer. */
  #onTips(from: PeerName, { round, validator, timeMs }: Tips): void {
    this.#rounds.hear(from, round);
    if (encodeHex(validator) === from) this.#clocks.hear(from, round, timeMs, this.#modules.nowMs());
  }

  #onSent(message: PeerMessage): void {
    switch (message.type) {
      case "tips":
        this.#onBegun(message.signed.tips.round);
        break;
      case "vote":
        this.#modules.observer.onVote("sent", message.vote.kind);
        break;
      case "certificate":
        this.#onCertificate(message.round, message.certificate);
        break;
      case "ack":
        this.#onAcknowledged(encodeHex(message.ack.ack.lane), message.ack.ack.seq);
    }
  }

  /** Tips are sent again at a standstill; the first ones begin the round and its first view. */
  #onBegun(round: number): void {
    if (this.#current !== null && this.#current.round >= round) return;
    const sinceMs = this.#modules.nowMs();
    this.#current = { round, sinceMs };
    this.#view = 1;
    this.#viewSinceMs = sinceMs;
  }

  /** A view is left with the certificate that ends it, which is sent at that moment (B3, B5). */
  #onCertificate(round: number, { kind, view }: { readonly kind: string; readonly view: number }): void {
    if (this.#current?.round !== round || kind === "finalize" || view < this.#view) return;
    const nowMs = this.#modules.nowMs();
    this.#modules.observer.onViewEnded((nowMs - this.#viewSinceMs) / 1_000);
    this.#view = view + 1;
    this.#viewSinceMs = nowMs;
  }

  #onAcknowledged(lane: PeerName, seq: number): void {
    const before = this.#acknowledged.get(lane);
    if (before === undefined && this.#acknowledged.size >= MAX_MEMBERS) {
      // Lanes of validators that left long ago: all of them are forgotten together.
      this.#acknowledged.clear();
    }
    if (before === undefined || before < seq) this.#acknowledged.set(lane, seq);
  }
}
