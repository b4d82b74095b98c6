/**
 * A change of a hotspot as a file for its owner to sign elsewhere, as `signingRequest.ts` has registrations: one consent
 * for each of the next epochs, nothing secret, and of use to the owner only.
 */
import { decodeHex, encodeHex, encodeHex0x } from "../../../../protocol/src/bytes/hex.ts";
import { decodeDidKey, encodeDidKey } from "../../../../protocol/src/crypto/didKey.ts";
import { createSigningDomains } from "../../../../protocol/src/crypto/domain.ts";
import { P256_PUBLIC_KEY_BYTES } from "../../../../protocol/src/crypto/p256Form.ts";
import { type Fields, isWithin, toFields, toText } from "../../host/jsonFields.ts";
import { verifyDeviceSignature, verifySignature } from "../../host/verify.ts";
import type { Checked } from "../config.ts";
import { type Change, type ChangeConsent, changeMessage, type KeySigner, signChange } from "./change.ts";

/** What a file of a change says it is. */
export const CHANGE_FORMAT = "hexbeacon-change-request-1";

export type ChangeRequest = {
  readonly networkId: Uint8Array;
  readonly change: Change;
  readonly consents: readonly ChangeConsent[];
};

/** Who consents beside the owner: the hotspot by its seed, and the other key. */
export type ChangeSigners = { readonly hotspotSeed: Uint8Array; readonly signWithKey: KeySigner };

/** Consents to a change for `epochs` epochs from `firstEpoch` on. */
export async function createChangeRequest(
  { networkId, change }: Omit<ChangeRequest, "consents">,
  { hotspotSeed, signWithKey }: ChangeSigners,
  firstEpoch: number,
  epochs: number,
): Promise<ChangeRequest> {
  const domains = createSigningDomains(networkId);
  const consents: ChangeConsent[] = [];
  // One after the other: a secure element does one thing at a time.
  for (let epoch = firstEpoch; epoch < firstEpoch + epochs; epoch++) {
    consents.push(await signChange(domains, change, hotspotSeed, signWithKey, epoch));
  }
  return { networkId, change, consents };
}

/** Writes a request as JSON. */
export function encodeChangeRequest(request: ChangeRequest): string {
  return `${JSON.stringify(changeRequestToJson(request), null, 2)}\n`;
}

/** A request in JSON's types, to stand by itself or inside another. */
export function changeRequestToJson({ networkId, change, consents }: ChangeRequest): Fields {
  const { kind, hotspot, key } = change;
  return {
    format: CHANGE_FORMAT,
    network: encodeHex0x(networkId),
    kind,
    hotspot: encodeDidKey(hotspot),
    key: kind === "rotate" ? encodeDidKey(key) : encodeHex(key),
    consents: consents.map(({ epoch, hotspotSignature, keySignature }) => ({
      epoch,
      hotspot: encodeHex(hotspotSignature),
      key: encodeHex(keySignature),
    })),
  };
}

/** Reads a request and verifies every signature in it. @param maxEpochs how many consents it may hold. */
export function decodeChangeRequest(fields: Fields, maxEpochs: number): Checked<ChangeRequest> {
  const networkId = decodeHex(toText(fields.network), 32);
  const change = readChange(fields);
  const consents = readConsents(fields.consents, maxEpochs);
  if (networkId === null || change === null || consents === null) {
    return { ok: false, faults: ["the request cannot be read: it is damaged"] };
  }
  const domains = createSigningDomains(networkId);
  const verifyKey = change.kind === "rotate" ? verifySignature : verifyDeviceSignature;
  const isValid = ({ epoch, hotspotSignature, keySignature }: ChangeConsent) => {
    const message = changeMessage(domains, change, epoch);
    return (
      verifySignature(change.hotspot, message, hotspotSignature) &&
      verifyKey(change.key, message, keySignature)
    );
  };
  if (!consents.every(isValid)) {
    return { ok: false, faults: ["the request has a signature that is not its key's"] };
  }
  return { ok: true, value: { networkId, change, consents } };
}

function readChange({ kind, hotspot: did, key: text }: Fields): Change | null {
  const hotspot = decodeDidKey(toText(did));
  if (kind !== "rotate" && kind !== "bind") return null;
  const key = kind === "rotate" ? decodeDidKey(toText(text)) : decodeHex(toText(text), P256_PUBLIC_KEY_BYTES);
  return hotspot === null || key === null ? null : { kind, hotspot, key };
}

function readConsents(value: unknown, maxEpochs: number): ChangeConsent[] | null {
  if (!Array.isArray(value) || value.length === 0 || value.length > maxEpochs) return null;
  const consents: ChangeConsent[] = [];
  for (const entry of value) {
    const { epoch, hotspot, key } = toFields(entry);
    const hotspotSignature = decodeHex(toText(hotspot), 64);
    const keySignature = decodeHex(toText(key), 64);
    if (hotspotSignature === null || keySignature === null) return null;
    if (!isWithin(epoch, 2 ** 53) || epoch < 0) return null;
    consents.push({ epoch, hotspotSignature, keySignature });
  }
  return consents;
}
