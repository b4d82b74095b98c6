/** `node register`: brings a hotspot onto the network. The account that owns it signs too. */
import { Command } from "commander";
import { computeNetworkId } from "../../../protocol/src/network/genesis.ts";
import { EPOCHS_AFTER_ASSERTION, saveFirstChallenge } from "../hotspot/firstChallenge.ts";
import { ACCOUNT_PASSPHRASE_OPTION, VALIDATOR_OPTION } from "./account/flags.ts";
import type { OwnerFlags } from "./account/open.ts";
import type { Claim } from "./account/signing.ts";
import { BINDING_KEYS, requestBinding, sendBinding } from "./bindCommand.ts";
import { findDeviceKey } from "./deviceKey.ts";
import { askFor, openHome } from "./home.ts";
import { type NodeIo, runAction } from "./io.ts";
import { addSettings, findSettings } from "./settings/options.ts";

/** Creates the command that registers a hotspot and asserts its place; what is done already is not done again. */
export function createRegisterCommand(io: NodeIo): Command {
  const command = new Command("register")
    .description("register a hotspot and assert its place, or write what its owner has to sign")
    .option("--account <dir>", "its owner's folder, where that is on this machine")
    .option("--out <file>", "write a request for `account sign` instead, where it is not")
    .option(...VALIDATOR_OPTION)
    .option(...ACCOUNT_PASSPHRASE_OPTION);
  return addSettings(command, BINDING_KEYS).action((flags: OwnerFlags) =>
    runAction(io, () => register(flags, io)),
  );
}

async function register(flags: OwnerFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const { findOwner, startSession } = await import("./account/open.ts");
  const resolution = await findSettings(flags, io, BINDING_KEYS);
  const { account, api } = await findOwner(flags, resolution.settings.api, io, faults);
  const openDevice = findDeviceKey(resolution, io, faults);
  const ask = askFor(resolution, io, "the hotspot's key");
  const { home, config, keyPair, genesis } = await openHome(resolution, faults, ask);
  const { findPlace, registerHotspot } = await import("./account/registration.ts");
  const claim: Claim = {
    networkId: computeNetworkId(genesis),
    hotspot: keyPair.publicKey,
    owner: config.owner,
    place: await findPlace(config),
  };
  const device = await openDevice?.();
  if (flags.out !== undefined) {
    const { writeRequestFile, findFirstEpoch } = await import("./account/requestFile.ts");
    const { createSigningRequest, encodeSigningRequest } = await import("./account/signingRequest.ts");
    const firstEpoch = await findFirstEpoch(genesis, claim.networkId, api);
    const binding =
      device === undefined ? null : await requestBinding(claim.networkId, keyPair, device, firstEpoch);
    const request = createSigningRequest(keyPair.secretSeed, claim, firstEpoch, binding);
    return await writeRequestFile(flags.out, encodeSigningRequest(request), firstEpoch, io);
  }
  const session = await startSession({ account, genesis, api }, faults, io);
  const { signConsent } = await import("./account/signing.ts");
  const hasRegistered = await registerHotspot(session, claim, (epoch) =>
    signConsent(session.domains, keyPair.secretSeed, claim, epoch),
  );
  if (!hasRegistered) return;
  const { epoch } = await session.api.getStatus();
  await saveFirstChallenge(home, claim.networkId, epoch + EPOCHS_AFTER_ASSERTION);
  // The device vouches for the machine from its registration on; later ones are bound by a command of their own.
  if (device !== undefined) await sendBinding(session, keyPair, device);
}
