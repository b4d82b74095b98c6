/**
 * A three-word name for a key, such as `brisk-amber-otter`, so that people can speak of a hotspot. Sixteen million
 * names are few enough that two keys can share one, or that somebody looks for a key with another's name: a name is
 * shown beside the `did:key` and never identifies anything by itself.
 */
import { hashLabelled } from "./sha256.ts";
import { ANIMALS, COLOURS, QUALITIES } from "./words.ts";

/**
 * The name of an Ed25519 public key (32 bytes): the first three bytes of H("name", key) pick a quality, a colour and
 * an animal.
 */
export function computeName(publicKey: Uint8Array): string {
  const hash = hashLabelled("name", publicKey);
  return `${QUALITIES[hash[0]!]}-${COLOURS[hash[1]!]}-${ANIMALS[hash[2]!]}`;
}
