/**
 * A network's validator sets, made up for each epoch, with the certificates that attest them; and what a validator of it
 * answers a hotspot, by the validator's own code.
 */
import {
  type Attest,
  computeValidatorsHash,
  type RewardCert,
  RULES_VERSION,
} from "../../../protocol/src/agreement/attest.ts";
import type { SetStep } from "../../../protocol/src/agreement/rewardEvidence.ts";
import { decodeSetsAnswer, type SetsAnswer } from "../../../protocol/src/agreement/setAnswers.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { createSigningDomains } from "../../../protocol/src/crypto/domain.ts";
import type { Ed25519KeyPair } from "../../../protocol/src/crypto/ed25519.ts";
import { computeNetworkId, type Genesis } from "../../../protocol/src/network/genesis.ts";
import { computeParametersHash } from "../../../protocol/src/network/parameters.ts";
import { answerSets, type SetHistoryModules } from "../../../validator/src/intake/setHistory.ts";
import { certifyAttest } from "../validator/support/rewardCerts.ts";

/** Who has a seat in an epoch, in order. */
export type SeatsOf = (epoch: number) => readonly Ed25519KeyPair[];

export class MadeSets {
  /** Where a validator is said to listen, by its place in the newest set. */
  multiaddrsOf: (validator: Uint8Array) => readonly string[] = () => [];
  /** Certificates that nobody has. */
  isMissing: (epoch: number) => boolean = () => false;
  readonly genesis: Genesis;
  readonly seatsOf: SeatsOf;
  readonly #networkId: Uint8Array;

  constructor(genesis: Genesis, seatsOf: SeatsOf) {
    this.genesis = genesis;
    this.seatsOf = seatsOf;
    this.#networkId = computeNetworkId(genesis);
  }

  keysOf(epoch: number): Uint8Array[] {
    return this.seatsOf(epoch).map(({ publicKey }) => publicKey);
  }

  /** What the network attests of an epoch. */
  attestOf(epoch: number, change: Partial<Attest> = {}): Attest {
    return {
      epoch,
      rewardRoot: new Uint8Array(32),
      stateRoot: new Uint8Array(32),
      nextValidatorsHash: computeValidatorsHash({ keys: this.keysOf(epoch + 2) }),
      parametersHash: computeParametersHash(this.genesis.parameters),
      rulesVersion: RULES_VERSION,
      ...change,
    };
  }

  /** A certificate that these sign, by default everyone with a seat in its epoch. */
  certify(attest: Attest, seats: readonly Ed25519KeyPair[] = this.seatsOf(attest.epoch)): RewardCert {
    return certifyAttest(createSigningDomains(this.#networkId), attest, seats);
  }

  /** The step by which an epoch's certificate attests the set two epochs on. */
  stepOf(epoch: number): SetStep {
    return { certificate: this.certify(this.attestOf(epoch)), validators: this.keysOf(epoch + 2) };
  }

  /** The encoded answer of a validator that has closed epochs up to `closed`, each with its certificate. */
  async answer(pinned: number, closed: number, turn = 0): Promise<Uint8Array | null> {
    return await answerSets(pinned, turn, this.#modules(closed));
  }

  async decodedAnswer(pinned: number, closed: number): Promise<SetsAnswer> {
    return decodeSetsAnswer((await this.answer(pinned, closed))!)!;
  }

  #modules(closed: number): SetHistoryModules {
    const differ = (epoch: number): boolean => {
      const [before, after] = [this.keysOf(epoch - 1), this.keysOf(epoch)];
      return before.length !== after.length || before.some((key, seat) => !equalBytes(key, after[seat]!));
    };
    const changes = (after: number, upTo: number) =>
      Array.from({ length: Math.max(0, upTo - after) }, (_, i) => after + 1 + i).filter(differ);
    return {
      store: {
        findSet: async (epoch) =>
          epoch > closed + 2 ? null : { fromEpoch: epoch, keys: this.keysOf(epoch) },
        listSetChanges: async (after, upTo, limit) =>
          changes(after, upTo)
            .slice(0, limit)
            .map((fromEpoch) => ({ fromEpoch, keys: this.keysOf(fromEpoch) })),
      },
      ledger: {
        lastClosedEpoch: closed,
        viewValidator: (key) =>
          ({ multiaddrs: this.multiaddrsOf(key) }) as ReturnType<
            SetHistoryModules["ledger"]["viewValidator"]
          >,
      },
      attestor: {
        rewardCert: (epoch) =>
          epoch < 0 || epoch > closed || this.isMissing(epoch) ? null : this.certify(this.attestOf(epoch)),
      },
    };
  }
}
