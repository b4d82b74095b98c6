/**
 * What an operator signs. The signature covers network, validator, method, path with query, body, time and a nonce, so a
 * request is good for one validator, once, for a minute. Its domain begins unlike those of the network's messages
 * (`hexbeacon/<kind>/`), so no admin request is ever anything else, whichever key signs it.
 */
import { createHash } from "node:crypto";
import { asciiBytes, concatBytes } from "../../../protocol/src/bytes/bytes.ts";
import { decodeHex, encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { decodeDidKey, encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { sign } from "../../../protocol/src/crypto/ed25519.ts";

const DOMAIN = asciiBytes("hexbeacon-admin/1/");
const SCHEME = "Hexbeacon";
export const NONCE_BYTES = 16;

/** A request as both ends see it. */
export type AdminRequest = {
  readonly method: string;
  /** Path and query, as they stand in the request line. */
  readonly path: string;
  /** The body's exact bytes; empty where there is none. */
  readonly body: Uint8Array;
};
/** Whose validator it is for: the network's id and the validator's key, 32 bytes each. */
export type AdminTarget = { readonly networkId: Uint8Array; readonly validator: Uint8Array };
/** Who asks, when, and for which one time. */
export type Credentials = {
  readonly operator: Uint8Array;
  readonly timeMs: number;
  readonly nonce: Uint8Array;
  readonly signature: Uint8Array;
};

const sha256 = (bytes: Uint8Array): Uint8Array => createHash("sha256").update(bytes).digest();

/** The bytes that are signed: every part has a fixed length, so no two requests share them. */
export function encodeSignedRequest(
  { networkId, validator }: AdminTarget,
  { method, path, body }: AdminRequest,
  { timeMs, nonce }: Pick<Credentials, "timeMs" | "nonce">,
): Uint8Array {
  const time = new Uint8Array(8);
  new DataView(time.buffer).setBigUint64(0, BigInt(timeMs));
  const line = sha256(Buffer.from(`${method} ${path}`, "utf8"));
  return concatBytes(DOMAIN, networkId, validator, line, sha256(body), time, nonce);
}

/** Signs a request. @returns its Authorization header. */
export function signRequest(
  target: AdminTarget,
  request: AdminRequest,
  by: { readonly publicKey: Uint8Array; readonly secretSeed: Uint8Array },
  once: Pick<Credentials, "timeMs" | "nonce">,
): string {
  const signature = sign(by.secretSeed, encodeSignedRequest(target, request, once));
  const parts = [encodeDidKey(by.publicKey), once.timeMs, encodeHex(once.nonce), encodeHex(signature)];
  return `${SCHEME} ${parts.join(" ")}`;
}

/** Reads an Authorization header; null where it is not of this form. */
export function readCredentials(header: string): Credentials | null {
  const match = /^Hexbeacon (did:key:\w{48}) (\d{1,15}) ([0-9a-f]{32}) ([0-9a-f]{128})$/.exec(header);
  const operator = match === null ? null : decodeDidKey(match[1]!);
  if (match === null || operator === null) return null;
  const timeMs = Number(match[2]);
  return { operator, timeMs, nonce: decodeHex(match[3]!)!, signature: decodeHex(match[4]!)! };
}
