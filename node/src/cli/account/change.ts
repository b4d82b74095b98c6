/**
 * Changes of a registered hotspot to which two keys consent beside its owner: another key of its own (`rotate`), or a
 * device to stand beside it (`bind`).
 */
import { encodeDidKey } from "../../../../protocol/src/crypto/didKey.ts";
import { type SigningDomains, signingMessage } from "../../../../protocol/src/crypto/domain.ts";
import { sign } from "../../../../protocol/src/crypto/ed25519.ts";
import { encodeBinding, encodeRotation } from "../../../../protocol/src/wire/consents.ts";
import type { BindTransaction, RotateTransaction } from "../../../../protocol/src/wire/transactions.ts";
import { ConfigErrors } from "../io.ts";
import { readStanding, type Session, sendTransaction } from "./session.ts";

/** `key`: the new key (32 bytes), or the device's (33). */
export type Change = {
  readonly kind: "rotate" | "bind";
  readonly hotspot: Uint8Array;
  readonly key: Uint8Array;
};

/** Both keys' signatures (64 bytes each) for one epoch. */
export type ChangeConsent = {
  readonly epoch: number;
  readonly hotspotSignature: Uint8Array;
  readonly keySignature: Uint8Array;
};

/** How the other key signs: at once, or in a device. */
export type KeySigner = (message: Uint8Array) => Uint8Array | Promise<Uint8Array>;

/** What people call a change. */
const CHANGE_WORDS = { rotate: "rotation", bind: "binding" } as const;

/** The bytes that both keys sign for an epoch. */
export function changeMessage(
  domains: SigningDomains,
  { kind, hotspot, key }: Change,
  epoch: number,
): Uint8Array {
  return kind === "rotate"
    ? signingMessage(domains, "rotation", encodeRotation({ hotspot, newKey: key, epoch }))
    : signingMessage(domains, "binding", encodeBinding({ hotspot, deviceKey: key, epoch }));
}

/** Consents to a change for one epoch. @param hotspotSeed of the key that the hotspot has. */
export async function signChange(
  domains: SigningDomains,
  change: Change,
  hotspotSeed: Uint8Array,
  signWithKey: KeySigner,
  epoch: number,
): Promise<ChangeConsent> {
  const message = changeMessage(domains, change, epoch);
  return { epoch, hotspotSignature: sign(hotspotSeed, message), keySignature: await signWithKey(message) };
}

/** The transaction that a consent allows. */
export function createChange(
  { kind, hotspot, key }: Change,
  { epoch, hotspotSignature, keySignature }: ChangeConsent,
  nonce: number,
): RotateTransaction | BindTransaction {
  const common = { epoch, nonce, hotspot, hotspotSignature };
  return kind === "rotate"
    ? { kind, ...common, newKey: key, newSignature: keySignature }
    : { kind, ...common, deviceKey: key, deviceSignature: keySignature };
}

/**
 * Sends a change as the hotspot's owner, unless it is a rotation that is through already, and says its verdict.
 * @param consents the consent for an epoch; null where there is none.
 * @throws ConfigErrors where there is no consent; CodedError "balance_low", "request_refused", "request_timeout".
 */
export async function sendChange(
  session: Session,
  change: Change,
  consents: (epoch: number) => Promise<ChangeConsent> | ChangeConsent | null,
): Promise<void> {
  const what = CHANGE_WORDS[change.kind];
  if (await isRotated(session, change)) return session.say(`${what}: there already`);
  const { epoch, nonce } = await readStanding(session, { fee: session.parameters.txFee });
  const consent = await consents(epoch);
  if (consent === null) throw new ConfigErrors([missingConsent(epoch)]);
  await sendTransaction(session, what, createChange(change, consent, nonce));
}

/** Why a request does not serve any more. */
export function missingConsent(epoch: number): string {
  return `the request holds no consent for epoch ${epoch}, which the network is in: make a new one`;
}

/** Whether the network has a hotspot under the new key of a rotation. */
export async function isRotated({ api }: Pick<Session, "api">, { kind, key }: Change): Promise<boolean> {
  if (kind !== "rotate") return false;
  const known = await api.getHotspot(key);
  return known !== null && known.status !== "gone";
}

/** A change in words, for who is asked to sign it. */
export function describeChange({ kind, key }: Change): string {
  return kind === "rotate"
    ? `takes the key ${encodeDidKey(key)}`
    : `is bound to the device key ${Buffer.from(key).toString("hex")}`;
}
