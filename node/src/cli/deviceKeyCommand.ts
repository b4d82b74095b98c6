/** `node device-key`: shows the device key that a secure element holds, and has it sign to prove that it can. */
import { randomBytes } from "node:crypto";
import { Command } from "commander";
import { encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { openPkcs11DeviceKey } from "../host/deviceKey.ts";
import { ConfigErrors, type NodeIo, printJson, runAction } from "./io.ts";
import { readSecretFile } from "./passphrase.ts";
import { addSettings, findSettings } from "./settings/options.ts";
import type { SettingKey } from "./settings/settings.ts";

const KEYS = [
  "deviceKey.module",
  "deviceKey.token",
  "deviceKey.id",
  "deviceKey.pinFile",
] as const satisfies readonly SettingKey[];

/** Creates the command; it prints one JSON object. */
export function createDeviceKeyCommand(io: NodeIo): Command {
  const command = new Command("device-key").description("show the secure element's key, and have it sign");
  return addSettings(command, ["home", ...KEYS]).action((flags: Readonly<Record<string, unknown>>) =>
    runAction(io, () => showDeviceKey(flags, io)),
  );
}

async function showDeviceKey(flags: Readonly<Record<string, unknown>>, io: NodeIo): Promise<void> {
  const resolution = await findSettings(flags, io, ["home", ...KEYS]);
  const { settings } = resolution;
  const faults = resolution.faults.filter(({ inFile }) => !inFile).map(({ words }) => words);
  const { "deviceKey.module": module, "deviceKey.token": token, "deviceKey.pinFile": pinFile } = settings;
  if (module === null) faults.push("--device-key-module must name the secure element's PKCS#11 library");
  if (token === null) faults.push("--device-key-token must name the token that holds the key");
  if (pinFile === null) faults.push("--device-key-pin-file must name a file with the token's PIN");
  if (module === null || token === null || pinFile === null || faults.length > 0) {
    throw new ConfigErrors(faults);
  }
  const id = settings["deviceKey.id"];
  const readPin = () => readSecretFile(pinFile);
  // The tool's libraries find their own configuration by the environment.
  const env = io.env ?? process.env;
  const key = await openPkcs11DeviceKey({ module, token, id, readPin, env });
  const started = performance.now();
  await key.sign(randomBytes(32));
  const signMs = Math.round(performance.now() - started);
  printJson(io, { publicKey: encodeHex0x(key.publicKey), token, id, signMs });
}
