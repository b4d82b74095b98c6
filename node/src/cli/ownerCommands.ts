/**
 * `node deregister` and `node unbind`: what a hotspot's owner says alone, also of one whose folder, key or secure element
 * is lost. So neither needs the hotspot, and both can be said where the owner's key is.
 */
import { Command } from "commander";
import { decodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { ACCOUNT_PASSPHRASE_OPTION, VALIDATOR_OPTION } from "./account/flags.ts";
import type { OwnerFlags } from "./account/open.ts";
import type { Session } from "./account/session.ts";
import { askFor, readHome } from "./home.ts";
import { type NodeIo, runAction } from "./io.ts";
import type { Resolution } from "./settings/layers.ts";
import { addSettings, findSettings, HOME_KEYS } from "./settings/options.ts";

type Flags = Omit<OwnerFlags, "out"> & { readonly hotspot?: string };

/** What an owner says of a hotspot, what it is called, and what is to be known when it is through. */
type Statement = {
  readonly kind: "deregister" | "unbind";
  readonly description: string;
  readonly noun: string;
  readonly after: (session: Session) => string;
};

const DEREGISTRATION: Statement = {
  kind: "deregister",
  description: "end a hotspot's registration; its bond returns later",
  noun: "deregistration",
  after: ({ parameters }) => `its bond returns after ${parameters.unbondEpochs} epochs`,
};
const UNBINDING: Statement = {
  kind: "unbind",
  description: "take a hotspot's secure element away, which is lost or broken",
  noun: "unbinding",
  after: () => "from the next epoch on its beacons need the hotspot's key alone",
};

/** Creates the command that ends a registration. */
export function createDeregisterCommand(io: NodeIo): Command {
  return createOwnerCommand(DEREGISTRATION, io);
}

/** Creates the command that takes the device away again. */
export function createUnbindCommand(io: NodeIo): Command {
  return createOwnerCommand(UNBINDING, io);
}

function createOwnerCommand(statement: Statement, io: NodeIo): Command {
  const command = new Command(statement.kind)
    .description(statement.description)
    .option("--hotspot <did>", "its did:key, where its folder is lost or elsewhere")
    .option("--account <dir>", "its owner's folder")
    .option(...VALIDATOR_OPTION)
    .option(...ACCOUNT_PASSPHRASE_OPTION);
  return addSettings(command, HOME_KEYS).action((flags: Flags) =>
    runAction(io, () => sendStatement(statement, flags, io)),
  );
}

async function sendStatement({ kind, noun, after }: Statement, flags: Flags, io: NodeIo): Promise<void> {
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
  await sendTransaction(session, noun, { kind, epoch, nonce, hotspot: hotspot! });
  session.say(after(session));
}

/** Of whom it is said; null where there is a fault, which is added. */
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
