/**
 * Finds hotspots, validators and the owners of both by the three words that their keys are called by. Names follow from keys and
 * nobody ever leaves the registries' orders, so each search reads only who has come since the one before.
 */
import { setImmediate } from "node:timers/promises";
import { equalBytes } from "../../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../../protocol/src/bytes/hex.ts";
import { computeName } from "../../../../protocol/src/crypto/names.ts";
import type { HotspotCursor, QueryStore } from "../../store/store.ts";
import type { ValidatorQueries } from "../../store/validatorRows.ts";

/** Rows between two turns of the event loop: a hash and a few strings each. */
const ROWS_PER_TURN = 250;

export type NamedKey = {
  readonly kind: "hotspot" | "account" | "validator";
  readonly name: string;
  readonly key: Uint8Array;
};
type NameStore = Pick<QueryStore, "listHotspots"> & Pick<ValidatorQueries, "listValidators">;

export class NameIndex {
  readonly #store: NameStore;
  readonly #named: NamedKey[] = [];
  readonly #owners = new Set<string>();
  #position = -1;
  #validatorPosition = 0;
  #reading: Promise<void> = Promise.resolve();

  constructor(store: NameStore) {
    this.#store = store;
  }

  /** Whose names hold `text` (lower case, words parted by dashes): the same first, then those that begin with it. */
  async find(text: string, limit: number): Promise<NamedKey[]> {
    // One after another, so that none is read twice.
    this.#reading = this.#reading.catch(() => {}).then(() => this.#readNew());
    await this.#reading;
    const same: NamedKey[] = [];
    const begun: NamedKey[] = [];
    const held: NamedKey[] = [];
    for (const named of this.#named) {
      const { name } = named;
      if (!name.includes(text)) continue;
      const group = name === text ? same : name.startsWith(text) ? begun : held;
      // One letter is in nearly every name: no group needs more than are told in all.
      if (group.length < limit) group.push(named);
    }
    return [...same, ...begun, ...held].slice(0, limit);
  }

  async #readNew(): Promise<void> {
    await this.#readValidators();
    for (let isMore = true; isMore; ) {
      const after: HotspotCursor | null =
        this.#position < 0 ? null : { cell: null, position: this.#position };
      const { rows, next } = await this.#store.listHotspots({}, after, ROWS_PER_TURN);
      for (const { key, owner, position } of rows) {
        this.#add("hotspot", key);
        this.#addOwner(owner);
        this.#position = position;
      }
      isMore = next !== null;
      if (isMore) await setImmediate();
    }
  }

  async #readValidators(): Promise<void> {
    for (let isMore = true; isMore; ) {
      const { rows, next } = await this.#store.listValidators(this.#validatorPosition, ROWS_PER_TURN);
      for (const { key, owner, position } of rows) {
        this.#add("validator", key);
        // A validator of genesis is its own account: under its name whoever searches means the validator.
        if (!equalBytes(owner, key)) this.#addOwner(owner);
        this.#validatorPosition = position;
      }
      isMore = next !== null;
      if (isMore) await setImmediate();
    }
  }

  #addOwner(key: Uint8Array): void {
    const hex = encodeHex(key);
    if (this.#owners.has(hex)) return;
    this.#owners.add(hex);
    this.#add("account", key);
  }

  #add(kind: NamedKey["kind"], key: Uint8Array): void {
    this.#named.push({ kind, name: computeName(key), key });
  }
}
