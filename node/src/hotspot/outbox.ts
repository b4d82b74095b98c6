/**
 * Where reports leave: signed as one envelope, put on the disk, then handed to the submitter. The same bundle gives the
 * same envelope and id, so that saying something again after a crash says nothing new.
 */
import { type SigningDomains, signingMessage } from "../../../protocol/src/crypto/domain.ts";
import { type Ed25519KeyPair, sign } from "../../../protocol/src/crypto/ed25519.ts";
import { computeEnvelopeId, encodeEnvelope } from "../../../protocol/src/wire/envelope.ts";
import { encodeReportBundle, type ReportBundle } from "../../../protocol/src/wire/reports.ts";
import type { Clock, Log } from "../host/types.ts";
import type { Spool, SpoolEntry } from "./spool.ts";
import type { Submitter } from "./submitter.ts";

export type OutboxOptions = { readonly domains: SigningDomains; readonly keyPair: Ed25519KeyPair };
export type OutboxModules = {
  readonly spool: Spool;
  readonly submitter: Pick<Submitter, "take">;
  readonly clock: Clock;
  readonly log: Log;
};

export class Outbox {
  readonly #options: OutboxOptions;
  readonly #modules: OutboxModules;

  constructor(options: OutboxOptions, modules: OutboxModules) {
    this.#options = options;
    this.#modules = modules;
  }

  /** The id that a bundle's envelope has, whenever it is signed. */
  computeId(bundle: ReportBundle): Uint8Array {
    const { domains, keyPair } = this.#options;
    const body = encodeReportBundle(bundle);
    return computeEnvelopeId(domains, { kind: "reports", sender: keyPair.publicKey, body });
  }

  /** Signs, spools and submits a bundle. @returns its envelope's id. */
  async send(bundle: ReportBundle): Promise<Uint8Array> {
    const { spool, submitter, log } = this.#modules;
    const entry = this.#seal(bundle);
    try {
      await spool.append(entry);
    } catch (error) {
      // A full disk must not silence a hotspot that has a validator in reach: what cannot be kept is still sent.
      log.error("Could not spool a report; send it all the same", { error: String(error) });
    }
    submitter.take(entry);
    return entry.id;
  }

  #seal(bundle: ReportBundle): SpoolEntry {
    const { domains, keyPair } = this.#options;
    const body = encodeReportBundle(bundle);
    const unsigned = { kind: "reports", sender: keyPair.publicKey, body } as const;
    const signature = sign(keyPair.secretSeed, signingMessage(domains, "reports", body));
    return {
      id: computeEnvelopeId(domains, unsigned),
      epoch: bundle.epoch,
      timeMs: this.#modules.clock.nowMs(),
      envelope: encodeEnvelope({ ...unsigned, signature }),
    };
  }
}
