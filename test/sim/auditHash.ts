/** What a simulation's whole history folds into: the same seed must give the same one twice. */
export class AuditHash {
  #a = 0x811c_9dc5;
  #b = 0x1234_5678;

  /** Folds in what happened at a moment, as three numbers. */
  fold(nowMs: number, what: number, who: number, more: number): void {
    let hash = Math.imul(this.#a ^ nowMs, 0x0100_0193);
    hash = Math.imul(hash ^ (what * 65_536 + who), 0x0100_0193);
    this.#a = Math.imul(hash ^ more, 0x0100_0193);
    this.#b = Math.imul(this.#b ^ (this.#a >>> 15), 0x85eb_ca6b) + (this.#a | 0);
  }

  /** 16 hexadecimal digits. */
  text(): string {
    return [this.#a, this.#b].map((word) => (word >>> 0).toString(16).padStart(8, "0")).join("");
  }
}
