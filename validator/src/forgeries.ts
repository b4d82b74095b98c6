/**
 * Lets a validator pay for what it says with a signature that is not valid: no honest one passes on what it has not
 * verified. It pays for all that was verified on the way, since a certificate is refused at its first bad signature, and
 * those before it, of validators that forge together, may be as many as f.
 */
import type { VerifySignature } from "../../protocol/src/agreement/certificates.ts";
import type { DropReason } from "../../protocol/src/agreement/drops.ts";
import type { Mesh, PeerName } from "./mesh/mesh.ts";

export class Forgeries {
  readonly #mesh: Pick<Mesh, "charge">;
  #verifications = 0;
  #isFound = false;

  constructor(mesh: Pick<Mesh, "charge">) {
    this.#mesh = mesh;
  }

  /** The same judgement as `verify`; how often it is asked is counted. */
  count(verify: VerifySignature): VerifySignature {
    return (publicKey, message, signature) => {
      this.#verifications++;
      return verify(publicKey, message, signature);
    };
  }

  /** Something that was said has no effect. */
  onDropped(reason: DropReason): void {
    if (reason === "bad_signature") this.#isFound = true;
  }

  /**
   * Takes what a validator says, and charges it where that holds a forgery. What others said before may be taken on the way,
   * when a round begins: they pay for that themselves.
   */
  hear(from: PeerName, take: () => void): void {
    const [verifications, isFound] = [this.#verifications, this.#isFound];
    this.#verifications = 0;
    this.#isFound = false;
    take();
    if (this.#isFound) this.#mesh.charge(from, Math.max(1, this.#verifications));
    this.#verifications = verifications;
    this.#isFound = isFound;
  }
}
