/**
 * A signing request: what a hotspot has consented to, carried as a file to where its owner's key lies. Bodies name their
 * epoch, so it holds one consent for each of the next epochs; nothing in it is secret, and only the owner can use it.
 */
import { decodeHex, encodeHex, encodeHex0x } from "../../../../protocol/src/bytes/hex.ts";
import { decodeDidKey, encodeDidKey } from "../../../../protocol/src/crypto/didKey.ts";
import { createSigningDomains } from "../../../../protocol/src/crypto/domain.ts";
import { cellFromBigint, cellFromHex, cellToBigint, cellToHex } from "../../../../protocol/src/geo/cell.ts";
import { findRegionPlan, findRegionPlanById } from "../../../../protocol/src/radio/regions.ts";
import { verifySignature } from "../../host/verify.ts";
import type { Checked } from "../config.ts";
import { type Claim, type Consent, consentMessages, type Place, signConsent } from "./signing.ts";

/** A day of mainnet's hours: time to carry a file to another machine. */
export const REQUEST_EPOCHS = 24;
/** A request is some 10 kB. */
export const MAX_REQUEST_BYTES = 64_000;

const FORMAT = "hexbeacon-signing-request-1";

export type SigningRequest = { readonly claim: Claim; readonly consents: readonly Consent[] };

/** Consents to a claim for `REQUEST_EPOCHS` epochs from `firstEpoch` on, with the hotspot's seed. */
export function createSigningRequest(
  hotspotSeed: Uint8Array,
  claim: Claim,
  firstEpoch: number,
): SigningRequest {
  const domains = createSigningDomains(claim.networkId);
  const consents = Array.from({ length: REQUEST_EPOCHS }, (_, index) =>
    signConsent(domains, hotspotSeed, claim, firstEpoch + index),
  );
  return { claim, consents };
}

/** Writes a request as JSON. */
export function encodeSigningRequest({ claim, consents }: SigningRequest): string {
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
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

type Fields = Readonly<Record<string, unknown>>;

/** Reads a request and verifies every signature in it: a file that came from elsewhere may be anything. */
export function decodeSigningRequest(text: string): Checked<SigningRequest> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, faults: ["the request is no JSON"] };
  }
  const fields = toFields(json);
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
  return { ok: true, value: { claim, consents } };
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

function isWithin(value: unknown, bound: number): value is number {
  return Number.isSafeInteger(value) && (value as number) >= -bound && (value as number) < bound;
}

function toFields(value: unknown): Fields {
  return typeof value === "object" && value !== null ? (value as Fields) : {};
}

function toText(value: unknown): string {
  return typeof value === "string" ? value : "";
}
