/**
 * Accounts: balance, nonce and cumulative earnings by key. An account is opened by its first credit, by genesis or by
 * owning a hotspot, gets the next dense index and is never removed.
 */
import { byteKey } from "./byteKey.ts";
import type { AccountView } from "./types.ts";

export type Account = {
  readonly index: number;
  readonly key: Uint8Array;
  /** Base units. */
  balance: bigint;
  /** The nonce that the account's next transaction must have. */
  nonce: number;
  /** All rewards ever credited, in base units. */
  earned: bigint;
};

export class Accounts {
  readonly list: Account[] = [];
  readonly #byKey = new Map<string, Account>();

  /** The account of a key, or null where none was opened. */
  find(key: Uint8Array): Account | null {
    return this.#byKey.get(byteKey(key)) ?? null;
  }

  /** The account of a key, opened empty where there is none. */
  open(key: Uint8Array): Account {
    const mapKey = byteKey(key);
    const known = this.#byKey.get(mapKey);
    if (known !== undefined) return known;
    const account: Account = { index: this.list.length, key: key.slice(), balance: 0n, nonce: 0, earned: 0n };
    this.list.push(account);
    this.#byKey.set(mapKey, account);
    return account;
  }
}

/** What shells store and show of an account. */
export function viewOfAccount({ key, balance, nonce, earned }: Account): AccountView {
  return { key, balance, nonce, earned };
}
