/** `node register` and `node deregister`: a hotspot onto the network, and off it. The account that owns it signs too. */
import { Command } from "commander";
import { decodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeNetworkId, type Genesis } from "../../../protocol/src/network/genesis.ts";
import { epochOfRound } from "../../../protocol/src/network/parameters.ts";
import { createSystemClock } from "../host/clock.ts";
import { CodedError } from "../host/codedError.ts";
import { createFile } from "../host/durableFile.ts";
import { ACCOUNT_PASSPHRASE_OPTION, VALIDATOR_OPTION } from "./account/flags.ts";
import type { Claim } from "./account/signing.ts";
import { askFor, openHome, readHome } from "./home.ts";
import { type NodeIo, printLine, runAction } from "./io.ts";
import type { Resolution } from "./settings/layers.ts";
import { addSettings, findSettings, HOME_KEYS } from "./settings/options.ts";

type RegisterFlags = {
  readonly account?: string;
  readonly validator?: string;
  readonly out?: string;
  readonly accountPassphraseFile?: string;
};
type DeregisterFlags = Omit<RegisterFlags, "out"> & { readonly hotspot?: string };

/** Creates the command that registers a hotspot and asserts its place; what is done already is not done again. */
export function createRegisterCommand(io: NodeIo): Command {
  const command = new Command("register")
    .description("register a hotspot and assert its place, or write what its owner has to sign")
    .option("--account <dir>", "its owner's folder, where that is on this machine")
    .option("--out <file>", "write a request for `account sign` instead, where it is not")
    .option(...VALIDATOR_OPTION)
    .option(...ACCOUNT_PASSPHRASE_OPTION);
  return addSettings(command, HOME_KEYS).action((flags: RegisterFlags) =>
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

async function register(flags: RegisterFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  if ((flags.account === undefined) === (flags.out === undefined)) {
    faults.push("either --account must name the owner's folder, or --out a file for it to sign");
  }
  const { findApi, readAccount, startSession } = await import("./account/open.ts");
  const account =
    flags.account === undefined
      ? null
      : await readAccount(flags.account, "--account", flags.accountPassphraseFile, io, faults);
  const resolution = await findSettings(flags, io, HOME_KEYS);
  const url = findUrl(flags, resolution);
  const api = flags.out === undefined || url !== undefined ? findApi(url, faults) : null;
  const ask = askFor(resolution, io, "the hotspot's key");
  const { config, keyPair, genesis } = await openHome(resolution, faults, ask);
  const { findPlace, registerHotspot } = await import("./account/registration.ts");
  const claim: Claim = {
    networkId: computeNetworkId(genesis),
    hotspot: keyPair.publicKey,
    owner: config.owner,
    place: await findPlace(config),
  };
  if (flags.out !== undefined) {
    const { expectNetwork } = await import("./account/session.ts");
    const epoch = api === null ? estimateEpoch(genesis) : await expectNetwork(api, claim.networkId);
    return await writeRequest(flags.out, keyPair.secretSeed, claim, epoch, io);
  }
  const session = await startSession({ account, genesis, api }, faults, io);
  const { signConsent } = await import("./account/signing.ts");
  await registerHotspot(session, claim, (epoch) =>
    signConsent(session.domains, keyPair.secretSeed, claim, epoch),
  );
}

/** The epoch by the clock: the network is in it, or behind by as much as its rounds have ever been late. */
function estimateEpoch({ timeMs, parameters }: Genesis): number {
  const elapsedMs = Math.max(0, createSystemClock().nowMs() - timeMs);
  return epochOfRound(parameters, Math.floor(elapsedMs / parameters.roundMs));
}

async function writeRequest(
  path: string,
  hotspotSeed: Uint8Array,
  claim: Claim,
  firstEpoch: number,
  io: NodeIo,
): Promise<void> {
  const { createSigningRequest, encodeSigningRequest, REQUEST_EPOCHS } = await import(
    "./account/signingRequest.ts"
  );
  const request = createSigningRequest(hotspotSeed, claim, firstEpoch);
  if (!(await createFile(path, encodeSigningRequest(request), 0o644))) {
    throw new CodedError("file_exists", `${path} exists`);
  }
  printLine(io, `wrote ${path}, good for epochs ${firstEpoch} to ${firstEpoch + REQUEST_EPOCHS - 1}`);
  printLine(io, "its owner completes it with account sign; nothing in it is secret");
}

async function deregister(flags: DeregisterFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const { findApi, findGenesis, readAccount, startSession } = await import("./account/open.ts");
  const resolution = await findSettings(flags, io, HOME_KEYS);
  const { settings } = resolution;
  const account = await readAccount(flags.account, "--account", flags.accountPassphraseFile, io, faults);
  const hotspot = await findHotspot(flags.hotspot, resolution, io, faults);
  const genesis = await findGenesis(settings.genesis, settings.home ?? flags.account, faults);
  const api = findApi(findUrl(flags, resolution), faults);
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

/** The API to speak to: the one that was named for this, else the hotspot's setting. */
function findUrl(flags: { readonly validator?: string }, { settings }: Resolution): string | undefined {
  return flags.validator ?? settings.api ?? undefined;
}
