/**
 * Keys as texts, each computed once: base58 and a hash for the name cost more than finding a row in the store, and the
 * same hotspots and owners are asked for again and again.
 */
import { decodeDidKey, encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import { keyOfBytes } from "../bytesKey.ts";

/** A key's two texts. */
export type KeyTexts = { readonly did: string; readonly name: string };

/** Twice the hotspots that the figures of the API are promised for, and their owners: some 400 bytes each. */
const MAX_KEPT = 32_768;
const textsByKey = new Map<string, KeyTexts>();
const keysByDid = new Map<string, Uint8Array>();

/** The texts of an Ed25519 key. */
export function textsOf(key: Uint8Array): KeyTexts {
  const index = keyOfBytes(key);
  const known = textsByKey.get(index);
  if (known !== undefined) return known;
  const texts = { did: encodeDidKey(key), name: computeName(key) };
  if (textsByKey.size >= MAX_KEPT) {
    textsByKey.clear();
    keysByDid.clear();
  }
  textsByKey.set(index, texts);
  keysByDid.set(texts.did, key);
  return texts;
}

export const didOf = (key: Uint8Array): string => textsOf(key).did;
export const nameOf = (key: Uint8Array): string => textsOf(key).name;

/** As `decodeDidKey`; the bytes may be others' too and must stay as they are. */
export const keyOfDid = (text: string): Uint8Array | null => keysByDid.get(text) ?? decodeDidKey(text);
