/** What end-to-end tests do as a validator's operator, with its home's own key. */
import { join } from "node:path";
import { openKeyFile } from "../../node/src/host/keystore.ts";
import { createKeyPair } from "../../protocol/src/crypto/ed25519.ts";
import { computeNetworkId } from "../../protocol/src/network/genesis.ts";
import { type AdminAnswer, askAdmin } from "../../validator/src/admin/client.ts";
import { homePaths } from "../../validator/src/home.ts";
import type { Fleet } from "../devnet/src/fleet/fleet.ts";
import { validatorName } from "../devnet/src/validators.ts";

export const homeOf = ({ folder }: Pick<Fleet, "folder">, validator: number): string =>
  join(folder, validatorName(validator));

/** Asks a validator's admin socket. */
export async function administer(
  fleet: Fleet,
  validator: number,
  method: "GET" | "PUT" | "POST" | "DELETE",
  path: string,
  order?: object,
): Promise<AdminAnswer> {
  const paths = homePaths(homeOf(fleet, validator));
  const { publicKey } = createKeyPair(fleet.world.validators[validator]!.secretSeed);
  return await askAdmin(
    {
      address: { socket: paths.adminSocket },
      target: { networkId: computeNetworkId(fleet.genesis), validator: publicKey },
      operator: await openKeyFile(paths.operatorKey),
      timeoutMs: 30_000,
    },
    method,
    `/admin/v1/${path}`,
    order,
  );
}
