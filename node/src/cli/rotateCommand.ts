/** `node rotate`: gives a hotspot a new key on the network and in its home; earnings, place, bond and trust stay. */
import { join } from "node:path";
import { Command } from "commander";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import type { Ed25519KeyPair } from "../../../protocol/src/crypto/ed25519.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import { readFileIfAny } from "../host/durableFile.ts";
import { lockHome } from "../host/homeLock.ts";
import { createKeyFile, openKeyFile, succeedKeyFile } from "../host/keystore.ts";
import { ACCOUNT_PASSPHRASE_OPTION, VALIDATOR_OPTION } from "./account/flags.ts";
import type { Session } from "./account/session.ts";
import { KEY_FILE } from "./files.ts";
import { askFor, openHome } from "./home.ts";
import { type NodeIo, printLine, runAction } from "./io.ts";
import { addSettings, findSettings, HOME_KEYS } from "./settings/options.ts";

type RotateFlags = {
  readonly account?: string;
  readonly validator?: string;
  readonly accountPassphraseFile?: string;
};

/** The new key, on the disk before anybody hears of it: a crash at any instant leaves a home that can go on. */
const NEXT_KEY_FILE = "key.next";
/** The key before, which the network takes nothing from any more. */
const FORMER_KEY_FILE = "key.former";

/** Creates the command; said again after an interruption, it does only what is left. */
export function createRotateCommand(io: NodeIo): Command {
  const command = new Command("rotate")
    .description("give a hotspot that is stopped a new key; earnings, place and trust stay")
    .option("--account <dir>", "its owner's folder")
    .option(...VALIDATOR_OPTION)
    .option(...ACCOUNT_PASSPHRASE_OPTION);
  return addSettings(command, HOME_KEYS).action((flags: RotateFlags) =>
    runAction(io, () => rotate(flags, io)),
  );
}

async function rotate(flags: RotateFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const { findApi, readAccount, startSession } = await import("./account/open.ts");
  const resolution = await findSettings(flags, io, HOME_KEYS);
  const account = await readAccount(flags.account, "--account", flags.accountPassphraseFile, io, faults);
  const api = findApi(flags.validator ?? resolution.settings.api ?? undefined, faults);
  // The new key goes under the passphrase of the old one.
  let passphrase: string | null = null;
  const ask = askFor(resolution, io, "the hotspot's key");
  const { home, keyPair, genesis } = await openHome(resolution, faults, async () => {
    passphrase = await ask();
    return passphrase;
  });
  const session = await startSession({ account, genesis, api }, faults, io);
  // A running hotspot would go on signing with a key that the network knows no more.
  const unlock = await lockHome(home);
  try {
    const next = await prepareNextKey(home, passphrase);
    await rotateOnNetwork(session, keyPair, next);
    const at = (name: string) => join(home, name);
    await succeedKeyFile(at(KEY_FILE), at(NEXT_KEY_FILE), at(FORMER_KEY_FILE));
    printLine(io, encodeDidKey(next.publicKey));
    printLine(io, computeName(next.publicKey));
    printLine(io, `the key before is in ${at(FORMER_KEY_FILE)}, and of no use; backups of it are neither`);
    printLine(
      io,
      "make a new backup, then start the hotspot: it is challenged again from the second epoch on",
    );
  } finally {
    await unlock();
  }
}

async function prepareNextKey(home: string, passphrase: string | null): Promise<Ed25519KeyPair> {
  const path = join(home, NEXT_KEY_FILE);
  if ((await readFileIfAny(path)) === null) {
    return await createKeyFile(path, passphrase === null ? {} : { passphrase });
  }
  return await openKeyFile(path, async () => passphrase ?? "");
}

/** Sends the rotation, unless it went through before the command was interrupted. */
async function rotateOnNetwork(session: Session, old: Ed25519KeyPair, next: Ed25519KeyPair): Promise<void> {
  const { readStanding, sendTransaction } = await import("./account/session.ts");
  const { createRotate } = await import("./account/signing.ts");
  const known = await session.api.getHotspot(next.publicKey);
  if (known !== null && known.status !== "gone") return session.say("rotation: there already");
  const { epoch, nonce } = await readStanding(session, { fee: session.parameters.txFee });
  await sendTransaction(session, "rotation", createRotate(session.domains, old, next, epoch, nonce));
}
