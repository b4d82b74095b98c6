/**
 * What a simulated validator's words are worth, judged with an eye on everybody's disk: whether an acknowledgement keeps
 * what it promises, a certificate is signed by a quorum and its batch durable, and evidence convicts nobody honest.
 */
import { checkRewardCert } from "../../../protocol/src/agreement/attest.ts";
import {
  checkAvailabilityCert,
  createValidatorSet,
  type ValidatorSet,
} from "../../../protocol/src/agreement/certificates.ts";
import { LANE_START } from "../../../protocol/src/agreement/cut.ts";
import { checkEvidence, evidenceKindOf } from "../../../protocol/src/agreement/evidence.ts";
import type { PeerMessage } from "../../../protocol/src/agreement/peerMessages.ts";
import {
  type AvailabilityCert,
  type Batch,
  decodeBatch,
  type Evidence,
  type LaneTip,
  type Value,
} from "../../../protocol/src/agreement/rounds.ts";
import { concatBytes, equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { decodeCandidate } from "../../../validator/src/intake/candidate.ts";
import type { StackNetwork } from "./genesis.ts";
import type { Member } from "./member.ts";
import { verifyCheaply } from "./signatures.ts";
import { StackWatch } from "./watch.ts";

export type JudgeModules = {
  readonly network: StackNetwork;
  readonly isHonest: (position: number) => boolean;
  readonly honest: () => readonly Member[];
  /** Who loses its home, and with it what it had acknowledged; null where nobody does. */
  readonly homeless: number | null;
};

/** A batch's place, and whether all its messages pass the checks of A3. */
type JudgedBatch = Pick<Batch, "seq" | "prev"> & { readonly isChecked: boolean };

export class Judge {
  readonly watch: StackWatch;
  readonly #modules: JudgeModules;
  /** By epoch, as the honest know them; and by what a set is told from others, the positions of its members. */
  readonly #sets = new Map<number, ValidatorSet>();
  readonly #setNames = new Map<number, string>();
  /** By key. */
  readonly #positions: ReadonlyMap<string, number>;
  /** By digest, what is known of batches that were acknowledged. */
  readonly #batches = new Map<string, JudgedBatch>();
  /** Certificates that were found to be proven: most are said again and again. */
  readonly #proven = new WeakSet<object>();

  constructor(modules: JudgeModules) {
    this.#modules = modules;
    this.#positions = new Map(modules.network.keys.map((key, position) => [encodeHex(key), position]));
    this.watch = new StackWatch({
      isHonest: modules.isHonest,
      nameSet: (epoch) => this.#setNames.get(epoch)!,
      isProven: (message) => this.#isProven(message),
      countHolders: (cert) => this.#countHolders(cert),
    });
  }

  setOf(epoch: number): ValidatorSet | null {
    return this.#sets.get(epoch) ?? null;
  }

  onSet({ self }: Member, epoch: number, keys: readonly Uint8Array[]): void {
    this.watch.onSet(self, epoch, keys);
    this.#sets.set(epoch, createValidatorSet(keys));
    this.#setNames.set(epoch, keys.map((key) => this.#positionOf(key)).join());
  }

  onSaid(from: Member, message: PeerMessage): void {
    this.watch.onSaid(from.self, message);
    if (message.type === "ack" && from.isHonest) this.#judgeAck(from, message.ack.ack);
  }

  /** An honest member is told of evidence: what is none is nothing to it. */
  onTold({ self, isHonest }: Member, piece: Evidence): void {
    const { domains } = this.#modules.network;
    if (isHonest && checkEvidence(piece, { domains, verify: verifyCheaply }) === null)
      this.watch.onTold(self, piece.offender);
  }

  /** A value that an honest member executed. */
  onValue({ self }: Member, { cut, evidence }: Value): void {
    for (const cert of cut) this.watch.onCertified(cert);
    for (const piece of evidence) {
      const reason = checkEvidence(piece, { domains: this.#modules.network.domains, verify: verifyCheaply });
      const offender = this.#positionOf(piece.offender);
      if (reason === null) this.watch.onEvidence(self, offender, evidenceKindOf(piece)!);
      else this.watch.report("honest_accused", `validator ${self} executed evidence that is none: ${reason}`);
    }
  }

  /** What an honest acknowledgement promises (A3): all from the last cut on is durable, chained, and was checked. */
  #judgeAck(from: Member, { lane, seq, digest }: LaneTip): void {
    const cut = from.cut.find((entry) => equalBytes(entry.lane, lane)) ?? { seq: 0, digest: LANE_START };
    const blame = (what: string): void => {
      this.watch.report("false_acknowledgement", `validator ${from.self}: ${what}`);
    };
    let next = digest;
    for (let number = seq; number > cut.seq; number--) {
      const batch = this.#judgeBatch(next, from.disk.read(next));
      if (batch === null) {
        blame(`batch ${number} of ${seq} is not on its disk`);
        return;
      }
      if (batch.seq !== number || !batch.isChecked)
        blame(`batch ${number} of ${seq} is not what was to be checked`);
      next = batch.prev;
    }
    if (seq > cut.seq && !equalBytes(next, cut.digest)) blame(`batch ${seq} does not follow the cut`);
  }

  /** Of every batch once, whoever acknowledges it; null where it is not there, or none. */
  #judgeBatch(digest: Uint8Array, body: Uint8Array | null): JudgedBatch | null {
    if (body === null) return null;
    const name = encodeHex(digest);
    const known = this.#batches.get(name);
    if (known !== undefined) return known;
    const batch = decodeBatch(body);
    if (batch === null) return null;
    const isChecked = batch.messages.every((bytes) => this.#isChecked(bytes));
    const judged = { seq: batch.seq, prev: batch.prev, isChecked };
    this.#batches.set(name, judged);
    return judged;
  }

  #isChecked(bytes: Uint8Array): boolean {
    const item = decodeCandidate(bytes, this.#modules.network.domains);
    return (
      item.ok &&
      item.candidate.claims.every(({ publicKey, message, signature }) =>
        verifyCheaply(publicKey, concatBytes(...message), signature),
      )
    );
  }

  #isProven(message: PeerMessage): boolean {
    const { domains } = this.#modules.network;
    if (message.type !== "availability" && message.type !== "rewardCert") return true;
    if (this.#proven.has(message.cert)) return true;
    const epoch = message.type === "availability" ? message.cert.epoch : message.cert.attest.epoch;
    const set = this.setOf(epoch)!;
    const reason =
      message.type === "availability"
        ? checkAvailabilityCert(message.cert, set, domains, verifyCheaply)
        : checkRewardCert(message.cert, set, domains, verifyCheaply);
    if (reason === null) this.#proven.add(message.cert);
    return reason === null;
  }

  /** At least f + 1 honest validators: a quorum of the set without the bad ones in it, and without who loses its home. */
  #countHolders({ digest, epoch }: AvailabilityCert): { held: number; needed: number } {
    const { keys, quorum } = this.setOf(epoch)!;
    const { isHonest, homeless } = this.#modules;
    const bad = keys.map((key) => this.#positionOf(key)).filter((p) => !isHonest(p) || p === homeless);
    const held = this.#modules.honest().filter(({ disk }) => disk.holds(digest)).length;
    return { held, needed: quorum - bad.length };
  }

  #positionOf(key: Uint8Array): number {
    return this.#positions.get(encodeHex(key)) ?? -1;
  }
}
