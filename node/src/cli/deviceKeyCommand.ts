/** `node device-key`: shows the device key that a secure element holds, and has it sign to prove that it can. */
import { randomBytes } from "node:crypto";
import { Command } from "commander";
import { encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { DEVICE_KEY_SETTINGS, findDeviceKey, NO_DEVICE_KEY } from "./deviceKey.ts";
import { ConfigErrors, type NodeIo, printJson, runAction } from "./io.ts";
import { addSettings, findSettings } from "./settings/options.ts";

/** Creates the command; it prints one JSON object. */
export function createDeviceKeyCommand(io: NodeIo): Command {
  const command = new Command("device-key").description("show the secure element's key, and have it sign");
  return addSettings(command, ["home", ...DEVICE_KEY_SETTINGS]).action(
    (flags: Readonly<Record<string, unknown>>) => runAction(io, () => showDeviceKey(flags, io)),
  );
}

async function showDeviceKey(flags: Readonly<Record<string, unknown>>, io: NodeIo): Promise<void> {
  const resolution = await findSettings(flags, io, ["home", ...DEVICE_KEY_SETTINGS]);
  const { settings } = resolution;
  const faults = resolution.faults.filter(({ inFile }) => !inFile).map(({ words }) => words);
  const open = findDeviceKey(resolution, io, faults);
  if (open === null && faults.length === 0) faults.push(NO_DEVICE_KEY);
  if (open === null || faults.length > 0) throw new ConfigErrors(faults);
  const key = await open();
  const started = performance.now();
  await key.sign(randomBytes(32));
  const signMs = Math.round(performance.now() - started);
  const { "deviceKey.token": token, "deviceKey.id": id } = settings;
  printJson(io, { publicKey: encodeHex0x(key.publicKey), token, id, signMs });
}
