/**
 * A signing request: what a hotspot has consented to, carried as a file to where its owner's key lies. Bodies name their
 * epoch, so it holds one consent for each of the next epochs; nothing in it is secret, and only the owner can use it.
 */
import { equalBytes } from "../../../../protocol/src/bytes/bytes.ts";
import { decodeHex, encodeHex, encodeHex0x } from "../../../../protocol/src/bytes/hex.ts";
import { decodeDidKey, encodeDidKey } from "../../../../protocol/src/crypto/didKey.ts";
import { createSigningDomains } from "../../../../protocol/src/crypto/domain.ts";
import { cellFromBigint, cellFromHex, cellToBigint, cellToHex } from "../../../../protocol/src/geo/cell.ts";
import { findRegionPlan, findRegionPlanById } from "../../../../protocol/src/radio/regions.ts";
import { type Fields, isWithin, parseFields, toFields, toText } from "../../host/jsonFields.ts";
import { verifySignature } from "../../host/verify.ts";
import type { Checked } from "../config.ts";
import { type ChangeRequest, changeRequestToJson, decodeChangeRequest } from "./changeRequest.ts";
import { type Claim, type Consent, consentMessages, type Place, signConsent } from "./signing.ts";

/** A day of mainnet's hours: time to carry a file to another machine. */
export const REQUEST_EPOCHS = 24;
const FORMAT = "hexbeacon-signing-request-1";

/** `binding`: to the device that is to stand beside the hotspot from its registration on, where it has one. */
export type SigningRequest = {
  readonly claim: Claim;
  readonly consents: readonly Consent[];
  readonly binding: ChangeRequest | null;
};

/** Consents to a claim for `REQUEST_EPOCHS` epochs from `firstEpoch` on, with the hotspot's seed. */
export function createSigningRequest(
  hotspotSeed: Uint8Array,
  claim: Claim,
  firstEpoch: number,
  binding: ChangeRequest | null = null,
): SigningRequest {
  const domains = createSigningDomains(claim.networkId);
  const consents = Array.from({ length: REQUEST_EPOCHS }, (_, index) =>
    signConsent(domains, hotspotSeed, claim, firstEpoch + index),
  );
  return { claim, consents, binding };
}

/** Writes a request as JSON. */
export function encodeSigningRequest({ claim, consents, binding }: SigningRequest): string {
  const { cell, region, ...numbers } = claim.place;
  const json = {
    format: FORMAT,
    network: encodeHex0x(claim.networkId),
    hotspot: encodeDidKey(claim.hotspot),
    owner: encodeDidKey(claim.owner),
    place: {
      cell: cellToHex(cellFromBigint(cell)!),
      ...numbers,
      region: findRegionPlanById(region)!.name,
    },
    consents: consents.map(({ epoch, registration, assertion }) => ({
      epoch,
      registration: encodeHex(registration),
      assertion: encodeHex(assertion),
    })),
    ...(binding === null ? {} : { binding: changeRequestToJson(binding) }),
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

/** Reads a request and verifies every signature in it: a file that came from elsewhere may be anything. */
export function decodeSigningRequest(text: string): Checked<SigningRequest> {
  const fields = parseFields(text);
  if (fields === null) return { ok: false, faults: ["the request is no JSON"] };
  if (fields.format !== FORMAT) return { ok: false, faults: [`the request is no ${FORMAT}`] };
  const networkId = decodeHex(toText(fields.network), 32);
  const hotspot = decodeDidKey(toText(fields.hotspot));
  const owner = decodeDidKey(toText(fields.owner));
  const place = readPlace(toFields(fields.place));
  const consents = readConsents(fields.consents);
  if (networkId === null || hotspot === null || owner === null || place === null || consents === null) {
    return { ok: false, faults: ["the request cannot be read: it is damaged"] };
  }
  const claim = { networkId, hotspot, owner, place };
  if (!consents.every((consent) => isConsentValid(claim, consent))) {
    return { ok: false, faults: ["the request has a signature that is not its hotspot's"] };
  }
  if (fields.binding === undefined) return { ok: true, value: { claim, consents, binding: null } };
  const binding = decodeChangeRequest(toFields(fields.binding), REQUEST_EPOCHS);
  if (!binding.ok) return binding;
  const { kind, hotspot: bound } = binding.value.change;
  if (kind !== "bind" || !equalBytes(bound, hotspot) || !equalBytes(binding.value.networkId, networkId)) {
    return { ok: false, faults: ["the request binds a device to another hotspot than it registers"] };
  }
  return { ok: true, value: { claim, consents, binding: binding.value } };
}

function isConsentValid(claim: Claim, consent: Consent): boolean {
  const messages = consentMessages(createSigningDomains(claim.networkId), claim, consent.epoch);
  return (
    verifySignature(claim.hotspot, messages.registration, consent.registration) &&
    verifySignature(claim.hotspot, messages.assertion, consent.assertion)
  );
}

function readPlace(fields: Fields): Place | null {
  const cell = cellFromHex(toText(fields.cell));
  const plan = findRegionPlan(toText(fields.region));
  const { latE7, lngE7, gainCentiDbi, elevationM } = fields;
  // The wire's own widths: what lies beyond could not be encoded. Whether it may be asserted is execution's to say.
  const fits =
    isWithin(latE7, 2 ** 31) &&
    isWithin(lngE7, 2 ** 31) &&
    isWithin(gainCentiDbi, 2 ** 15) &&
    isWithin(elevationM, 2 ** 15);
  if (cell === null || plan === null || !fits) return null;
  return { cell: cellToBigint(cell), latE7, lngE7, gainCentiDbi, elevationM, region: plan.id };
}

function readConsents(value: unknown): Consent[] | null {
  if (!Array.isArray(value) || value.length === 0 || value.length > REQUEST_EPOCHS) return null;
  const consents: Consent[] = [];
  for (const entry of value) {
    const fields = toFields(entry);
    const registration = decodeHex(toText(fields.registration), 64);
    const assertion = decodeHex(toText(fields.assertion), 64);
    const { epoch } = fields;
    if (registration === null || assertion === null || !isWithin(epoch, 2 ** 53) || epoch < 0) return null;
    consents.push({ epoch, registration, assertion });
  }
  return consents;
}
