/**
 * Answers that are given again as they were written, for as long as the store has no other rows: between two rounds the
 * same hotspots are asked for again and again, and finding and writing one takes longer than all that HTTP does for it.
 */

/** Three times the hotspots that the figures of the API are promised for: some 700 bytes each. */
const MAX_KEPT = 32_768;

export class PreparedTexts {
  readonly #texts = new Map<string, { readonly version: number; readonly text: string }>();

  /**
   * The text that was kept for what is asked, or undefined where there is none, or one of other rows.
   * @param asked as it stands in the path: whoever writes the same key in another way is answered anew.
   * @param version of the store, as it is now.
   */
  find(asked: string, version: number): string | undefined {
    const known = this.#texts.get(asked);
    return known?.version === version ? known.text : undefined;
  }

  /** @param version of the store, as it was before its rows were read. */
  keep(asked: string, version: number, text: string): void {
    // Old ones go only to make room: to look for them after each round would cost more than they take.
    if (this.#texts.size >= MAX_KEPT && !this.#texts.has(asked)) this.#texts.clear();
    this.#texts.set(asked, { version, text });
  }
}
