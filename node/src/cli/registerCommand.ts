/** `node register` and `node deregister`: a hotspot onto the network, and off it. The account that owns it signs too. */
import { Command } from "commander";
import { decodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeNetworkId } from "../../../protocol/src/network/genesis.ts";
import { EPOCHS_AFTER_ASSERTION, saveFirstChallenge } from "../hotspot/firstChallenge.ts";
import { ACCOUNT_PASSPHRASE_OPTION, VALIDATOR_OPTION } from "./account/flags.ts";
import type { OwnerFlags } from "./account/open.ts";
import type { Claim } from "./account/signing.ts";
import { BINDING_KEYS, requestBinding, sendBinding } from "./bindCommand.ts";
import { findDeviceKey } from "./deviceKey.ts";
import { askFor, openHome, readHome } from "./home.ts";
import { type NodeIo, printLine, runAction } from "./io.ts";
import type { Resolution } from "./settings/layers.ts";
import { addSettings, findSettings, HOME_KEYS } from "./settings/options.ts";

type DeregisterFlags = Omit<OwnerFlags, "out"> & { readonly hotspot?: string };

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

/** Creates the command that ends a registration; a hotspot that is lost is named by its did:key. */
export function createDeregisterCommand(io: NodeIo): Command {
  const command = new Command("deregister")
    .description("end a hotspot's registration; its bond returns later")
    .option("--hotspot <did>", "its did:key, where its folder is lost")
    .option("--account <dir>", "its owner's folder")
    .option(...VALIDATOR_OPTION)
    .option(...ACCOUNT_PASSPHRASE_OPTION);
  return addSettings(command, HOME_KEYS).action((flags: DeregisterFlags) =>
    runAction(io, () => deregister(flags, io)),
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
  await saveFirstChallenge(home, (await session.api.getStatus()).epoch + EPOCHS_AFTER_ASSERTION);
  // The device vouches for the machine from its registration on; later ones are bound by a command of their own.
  if (device !== undefined) await sendBinding(session, keyPair, device);
}

async function deregister(flags: DeregisterFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const { findApi, findGenesis, readAccount, startSession } = await import("./account/open.ts");
  const resolution = await findSettings(flags, io, HOME_KEYS);
  const { settings } = resolution;
  const account = await readAccount(flags.account, "--account", flags.accountPassphraseFile, io, faults);
  const hotspot = await findHotspot(flags.hotspot, resolution, io, faults);
  const genesis = await findGenesis(settings.genesis, settings.home ?? flags.account, faults);
  const api = findApi(flags.validator ?? settings.api ?? undefined, faults);
  const session = await startSession({ account, genesis, api }, faults, io);
  const { readStanding, sendTransaction } = await import("./account/session.ts");
  const { epoch, nonce } = await readStanding(session, { fee: session.parameters.txFee });
  const transaction = { kind: "deregister", epoch, nonce, hotspot: hotspot! } as const;
  await sendTransaction(session, "deregistration", transaction);
  printLine(io, `its bond returns after ${session.parameters.unbondEpochs} epochs`);
}

/** Whom to deregister; null where there is a fault, which is added. */
async function findHotspot(
  named: string | undefined,
  resolution: Resolution,
  io: NodeIo,
  faults: string[],
): Promise<Uint8Array | null> {
  const { home } = resolution.settings;
  const isHomeNamed = resolution.origins.home.kind === "flag";
  if (named === undefined ? home === null : isHomeNamed) {
    faults.push("either --home must name the hotspot's folder, or --hotspot its did:key");
    return null;
  }
  if (named !== undefined) {
    const key = decodeDidKey(named);
    if (key === null) faults.push("--hotspot must be a did:key of an Ed25519 key");
    return key;
  }
  const opened = await readHome(resolution, faults, askFor(resolution, io, "the hotspot's key"));
  return opened?.keyPair.publicKey ?? null;
}
