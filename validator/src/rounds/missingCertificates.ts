/**
 * What a leader does about tips whose certificates it lacks (rule B1): it asks who sent them, and waits for nobody. An
 * honest sender has a certificate of everything that its tips name.
 */
import {
  decodeAvailabilityCert,
  type LaneTip,
  type SignedTips,
} from "../../../protocol/src/agreement/rounds.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { AvailabilityBook } from "../lanes/availability.ts";
import type { Mesh, PeerName } from "../mesh/mesh.ts";

export type MissingCertificatesModules = {
  readonly mesh: Pick<Mesh, "fetch">;
  readonly availability: Pick<AvailabilityBook, "certificateOf" | "put">;
  /** The round's. */
  readonly epoch: number;
  /** A certificate came that tips waited for. */
  readonly onFound: () => void;
};

export class MissingCertificates {
  readonly #modules: MissingCertificatesModules;
  /** Each sender is asked once until a standstill: one that does not have what it names costs a single question. */
  readonly #asked = new Set<PeerName>();

  constructor(modules: MissingCertificatesModules) {
    this.#modules = modules;
  }

  /** Asks the sender of these tips, unless it was asked since the last standstill. @param tips that lack a certificate. */
  ask({ tips: { validator } }: SignedTips, tips: readonly LaneTip[]): void {
    const sender = encodeHex(validator);
    if (tips.length === 0 || this.#asked.has(sender)) return;
    this.#asked.add(sender);
    void this.#askFor(sender, tips);
  }

  /** Nothing was decided for a while: what was asked may have been lost on its way. */
  onStandstill(): void {
    this.#asked.clear();
  }

  /** One certificate after the other, until one does not come. */
  async #askFor(sender: PeerName, tips: readonly LaneTip[]): Promise<void> {
    const { mesh, availability, epoch, onFound } = this.#modules;
    for (const tip of tips) {
      // Meanwhile it may have come from its author or with another's tips.
      if (availability.certificateOf(tip, epoch) !== null) continue;
      const bytes = await mesh.fetch(sender, { type: "availability", tip });
      const cert = bytes && decodeAvailabilityCert(bytes);
      if (cert !== null) availability.put(cert);
      if (availability.certificateOf(tip, epoch) === null) return;
      onFound();
    }
  }
}
