/** `node bind`: has a hotspot's secure element stand beside it, so that a copy of its key file cannot beacon. */
import { Command } from "commander";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import type { Ed25519KeyPair } from "../../../protocol/src/crypto/ed25519.ts";
import type { DeviceKey } from "../host/deviceKey.ts";
import type { Change } from "./account/change.ts";
import type { ChangeRequest, ChangeSigners } from "./account/changeRequest.ts";
import { ACCOUNT_PASSPHRASE_OPTION, VALIDATOR_OPTION } from "./account/flags.ts";
import type { OwnerFlags } from "./account/open.ts";
import type { Session } from "./account/session.ts";
import { DEVICE_KEY_SETTINGS, findDeviceKey, NO_DEVICE_KEY } from "./deviceKey.ts";
import { askFor, openHome } from "./home.ts";
import { type NodeIo, printLine, runAction } from "./io.ts";
import { addSettings, findSettings, HOME_KEYS } from "./settings/options.ts";

/** The settings of commands that may bind a device. */
export const BINDING_KEYS = [...HOME_KEYS, ...DEVICE_KEY_SETTINGS] as const;

/** Creates the command. */
export function createBindCommand(io: NodeIo): Command {
  const command = new Command("bind")
    .description("bind the secure element to the hotspot: its beacons then need both keys")
    .option("--account <dir>", "its owner's folder, where that is on this machine")
    .option("--out <file>", "write a request for `account sign` instead, where it is not")
    .option(...VALIDATOR_OPTION)
    .option(...ACCOUNT_PASSPHRASE_OPTION);
  return addSettings(command, BINDING_KEYS).action((flags: OwnerFlags) =>
    runAction(io, () => bind(flags, io)),
  );
}

async function bind(flags: OwnerFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const { findOwner, startSession } = await import("./account/open.ts");
  const resolution = await findSettings(flags, io, BINDING_KEYS);
  const { account, api } = await findOwner(flags, resolution.settings.api, io, faults);
  const openDevice = findDeviceKey(resolution, io, faults);
  if (openDevice === null && faults.length === 0) faults.push(NO_DEVICE_KEY);
  const ask = askFor(resolution, io, "the hotspot's key");
  const { keyPair, genesis } = await openHome(resolution, faults, ask);
  const device = await openDevice!();
  printLine(io, `device key: ${encodeHex(device.publicKey)}`);
  if (flags.out !== undefined) {
    const { writeChangeRequest } = await import("./account/requestFile.ts");
    const [change, signers] = [bindingOf(keyPair, device), signersOf(keyPair, device)];
    return await writeChangeRequest(flags.out, change, signers, { genesis, api }, io);
  }
  await sendBinding(await startSession({ account, genesis, api }, faults, io), keyPair, device);
}

function bindingOf({ publicKey: hotspot }: Ed25519KeyPair, { publicKey: key }: DeviceKey): Change {
  return { kind: "bind", hotspot, key };
}

function signersOf({ secretSeed }: Ed25519KeyPair, { sign }: DeviceKey): ChangeSigners {
  return { hotspotSeed: secretSeed, signWithKey: sign };
}

/** What hotspot and device consent to, for the owner to sign elsewhere. */
export async function requestBinding(
  networkId: Uint8Array,
  keyPair: Ed25519KeyPair,
  device: DeviceKey,
  firstEpoch: number,
): Promise<ChangeRequest> {
  const { createChangeRequest } = await import("./account/changeRequest.ts");
  const { REQUEST_EPOCHS } = await import("./account/signingRequest.ts");
  const [change, signers] = [bindingOf(keyPair, device), signersOf(keyPair, device)];
  return await createChangeRequest({ networkId, change }, signers, firstEpoch, REQUEST_EPOCHS);
}

/** Binds a device as the hotspot's owner, and says the verdict. */
export async function sendBinding(
  session: Session,
  keyPair: Ed25519KeyPair,
  device: DeviceKey,
): Promise<void> {
  const { sendChange, signChange } = await import("./account/change.ts");
  const change = bindingOf(keyPair, device);
  await sendChange(session, change, (epoch) =>
    signChange(session.domains, change, keyPair.secretSeed, device.sign, epoch),
  );
  session.say("from the next epoch on its beacons need the device: keep deviceKey set for node run");
}
