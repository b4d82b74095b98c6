/**
 * Bindings: a hotspot and the P-256 key of the secure element that stands beside it. From the epoch after the binding on
 * its beacons count only with that device's co-signature, so that a copy of the hotspot's key file cannot beacon; until
 * its owner, and nobody else, takes the device away again.
 */
import { equalBytes } from "../bytes/bytes.ts";
import type { TransactionReason } from "../evidence/reasons.ts";
import type { Cosignature } from "../wire/reports.ts";
import type { BindTransaction, UnbindTransaction } from "../wire/transactions.ts";
import type { Account } from "./accounts.ts";
import { deviceKeyAt, type Hotspot, newestDeviceKey } from "./registry.ts";
import type { RoundLog } from "./roundLog.ts";
import type { Ledger } from "./state.ts";

/**
 * Executes a binding that owner, hotspot and device have signed. Another device takes the place of the one before, without
 * its consent: it may be broken. A device stands beside one hotspot at a time.
 */
export function executeBind(
  ledger: Ledger,
  log: RoundLog,
  sender: Account,
  { hotspot: key, deviceKey }: BindTransaction,
  epoch: number,
): TransactionReason | null {
  const { registry } = ledger;
  const hotspot = registry.find(key);
  if (hotspot === null || hotspot.leaving !== null) return "not_registered";
  if (hotspot.owner !== sender.index) return "not_owner";
  const holder = registry.findByDevice(deviceKey);
  if (holder !== null && holder !== hotspot) return "device_taken";
  registry.bindDevice(hotspot, { key: deviceKey, fromEpoch: epoch + 1 }, epoch);
  log.touchHotspot(hotspot);
  return null;
}

/**
 * Executes an unbinding, for which the owner's signature is enough: the device may be lost or broken. That of the
 * hotspot's key is asked for nowhere, so that who has copied it cannot shed the device.
 */
export function executeUnbind(
  { registry }: Ledger,
  log: RoundLog,
  sender: Account,
  { hotspot: key }: UnbindTransaction,
  epoch: number,
): TransactionReason | null {
  const hotspot = registry.find(key);
  if (hotspot === null || hotspot.leaving !== null) return "not_registered";
  if (hotspot.owner !== sender.index) return "not_owner";
  if (newestDeviceKey(hotspot) === null) return "not_bound";
  registry.bindDevice(hotspot, { key: null, fromEpoch: epoch + 1 }, epoch);
  log.touchHotspot(hotspot);
  return null;
}

/**
 * Whether a beacon of an epoch has the co-signature that its hotspot's binding asks for. That it is the device's was
 * verified before the message came into a batch.
 */
export function isCosigned(hotspot: Hotspot, epoch: number, cosignature: Cosignature | undefined): boolean {
  const deviceKey = deviceKeyAt(hotspot, epoch);
  return deviceKey === null || (cosignature !== undefined && equalBytes(cosignature.deviceKey, deviceKey));
}
