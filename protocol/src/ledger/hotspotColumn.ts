/** A whole number for each hotspot by its index, an epoch or another's index; -1 where there is none. */
const LEAST_HOTSPOTS = 64;

export class HotspotColumn {
  #plusOne = new Uint32Array(LEAST_HOTSPOTS);

  get(hotspot: number): number {
    return (this.#plusOne[hotspot] ?? 0) - 1;
  }

  set(hotspot: number, value: number): void {
    if (hotspot >= this.#plusOne.length) {
      const grown = new Uint32Array(Math.max(hotspot + 1, this.#plusOne.length * 2));
      grown.set(this.#plusOne);
      this.#plusOne = grown;
    }
    this.#plusOne[hotspot] = value + 1;
  }
}
