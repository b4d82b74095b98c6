/** The device key that the settings name, for the commands that use it and for the running hotspot. */
import type { DeviceKey } from "../host/deviceKey.ts";
import type { NodeIo } from "./io.ts";
import { readSecretFile } from "./passphrase.ts";
import type { Resolution } from "./settings/layers.ts";
import type { SettingKey } from "./settings/settings.ts";

export const DEVICE_KEY_SETTINGS = [
  "deviceKey.module",
  "deviceKey.token",
  "deviceKey.id",
  "deviceKey.pinFile",
] as const satisfies readonly SettingKey[];

/** What a command says that cannot do without one. */
export const NO_DEVICE_KEY =
  "no device key is configured: --device-key-module, --device-key-token and --device-key-pin-file";

/** Opens the key: throws CodedError "device_key_failed" while the token is not there. */
export type OpenDeviceKey = () => Promise<DeviceKey>;

/** How to open the device key; null where none is set. One that is set in part is a fault, which is added. */
export function findDeviceKey(
  { settings }: Pick<Resolution, "settings">,
  io: NodeIo,
  faults: string[],
): OpenDeviceKey | null {
  const { "deviceKey.module": module, "deviceKey.token": token, "deviceKey.pinFile": pinFile } = settings;
  if (module === null && token === null && pinFile === null) return null;
  if (module === null) faults.push("--device-key-module must name the secure element's PKCS#11 library");
  if (token === null) faults.push("--device-key-token must name the token that holds the key");
  if (pinFile === null) faults.push("--device-key-pin-file must name a file with the token's PIN");
  if (module === null || token === null || pinFile === null) return null;
  const id = settings["deviceKey.id"];
  const readPin = () => readSecretFile(pinFile);
  // The tool's libraries find their own configuration by the environment.
  const env = io.env ?? process.env;
  return async () => {
    // Few hotspots have one, and the curve's arithmetic takes memory.
    const { openPkcs11DeviceKey } = await import("../host/deviceKey.ts");
    return await openPkcs11DeviceKey({ module, token, id, readPin, env });
  };
}
