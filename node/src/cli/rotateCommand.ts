/** `node rotate`: gives a hotspot a new key on the network and in its home; earnings, place, bond and trust stay. */
import { join } from "node:path";
import { Command } from "commander";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { type Ed25519KeyPair, sign } from "../../../protocol/src/crypto/ed25519.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import { computeNetworkId, type Genesis } from "../../../protocol/src/network/genesis.ts";
import { CodedError } from "../host/codedError.ts";
import { readFileIfAny } from "../host/durableFile.ts";
import { KEY_FILE } from "../host/homeFiles.ts";
import { lockHome } from "../host/homeLock.ts";
import { createKeyFile, openKeyFile, succeedKeyFile } from "../host/keystore.ts";
import { EPOCHS_AFTER_ROTATION, saveFirstChallenge } from "../hotspot/firstChallenge.ts";
import type { Change } from "./account/change.ts";
import type { ChangeSigners } from "./account/changeRequest.ts";
import { ACCOUNT_PASSPHRASE_OPTION, VALIDATOR_OPTION } from "./account/flags.ts";
import type { OwnerFlags } from "./account/open.ts";
import type { ValidatorApi } from "./account/validatorApi.ts";
import { askFor, openHome } from "./home.ts";
import { ConfigErrors, type NodeIo, printLine, runAction } from "./io.ts";
import { addSettings, findSettings, HOME_KEYS } from "./settings/options.ts";

/** The new key, on the disk before anybody hears of it: a crash at any instant leaves a home that can go on. */
const NEXT_KEY_FILE = "key.next";
/** The key before, which the network takes nothing from any more. */
const FORMER_KEY_FILE = "key.former";

/** Creates the command; said again after an interruption, or when the owner has signed, it does only what is left. */
export function createRotateCommand(io: NodeIo): Command {
  const command = new Command("rotate")
    .description("give a hotspot that is stopped a new key; earnings, place and trust stay")
    .option("--account <dir>", "its owner's folder, where that is on this machine")
    .option("--out <file>", "write a request for `account sign` instead; then say the command without both")
    .option(...VALIDATOR_OPTION)
    .option(...ACCOUNT_PASSPHRASE_OPTION);
  return addSettings(command, HOME_KEYS).action((flags: OwnerFlags) =>
    runAction(io, () => rotate(flags, io)),
  );
}

async function rotate(flags: OwnerFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const { findApi, findOwner } = await import("./account/open.ts");
  const resolution = await findSettings(flags, io, HOME_KEYS);
  const url = resolution.settings.api;
  // With neither, what the owner has signed elsewhere is brought to its end here.
  const isSignedElsewhere = flags.account === undefined && flags.out === undefined;
  const { account, api } = isSignedElsewhere
    ? { account: null, api: findApi(flags.validator ?? url ?? undefined, faults) }
    : await findOwner(flags, url, io, faults);
  // The new key goes under the passphrase of the old one.
  let passphrase: string | null = null;
  const ask = askFor(resolution, io, "the hotspot's key");
  const { home, keyPair, genesis } = await openHome(resolution, faults, async () => {
    passphrase = await ask();
    return passphrase;
  });
  // A running hotspot would go on signing with a key that the network knows no more.
  const unlock = lockHome(home);
  try {
    const next = await findNextKey(home, passphrase, isSignedElsewhere);
    const change: Change = { kind: "rotate", hotspot: keyPair.publicKey, key: next.publicKey };
    const signers: ChangeSigners = {
      hotspotSeed: keyPair.secretSeed,
      signWithKey: (message) => sign(next.secretSeed, message),
    };
    if (flags.out !== undefined) {
      const { writeChangeRequest } = await import("./account/requestFile.ts");
      await writeChangeRequest(flags.out, change, signers, { genesis, api }, io);
      return sayWhatFollows(home, io);
    }
    if (isSignedElsewhere) await expectRotated(genesis, change, api!);
    else await sendRotation({ account, genesis, api }, change, signers, faults, io);
    // It was rotated in this epoch or before.
    const { epoch } = await api!.getStatus();
    await saveFirstChallenge(home, computeNetworkId(genesis), epoch + EPOCHS_AFTER_ROTATION);
    await takeNextKey(home, next, io);
  } finally {
    unlock();
  }
}

/** The key that the hotspot is to have: the one that was made before, else a new one. */
async function findNextKey(
  home: string,
  passphrase: string | null,
  mustExist: boolean,
): Promise<Ed25519KeyPair> {
  const path = join(home, NEXT_KEY_FILE);
  if ((await readFileIfAny(path)) !== null) return await openKeyFile(path, async () => passphrase ?? "");
  if (mustExist) {
    throw new ConfigErrors(["--account must name the owner's folder, or --out a file for it to sign"]);
  }
  return await createKeyFile(path, passphrase === null ? {} : { passphrase });
}

/** From the owner's signature on the hotspot is the new key's alone, which lies in this home and nowhere else. */
function sayWhatFollows(home: string, io: NodeIo): void {
  const path = join(home, NEXT_KEY_FILE);
  printLine(io, `before that, copy ${path} off this machine: then it is the hotspot's only key`);
  printLine(io, "when that is done, say node rotate again, without --out, and start the hotspot");
}

/** Sends the rotation, unless it went through before the command was interrupted. */
async function sendRotation(
  parts: { account: Ed25519KeyPair | null; genesis: Genesis; api: ValidatorApi | null },
  change: Change,
  { hotspotSeed, signWithKey }: ChangeSigners,
  faults: readonly string[],
  io: NodeIo,
): Promise<void> {
  const { startSession } = await import("./account/open.ts");
  const { sendChange, signChange } = await import("./account/change.ts");
  const session = await startSession(parts, faults, io);
  await sendChange(session, change, (epoch) =>
    signChange(session.domains, change, hotspotSeed, signWithKey, epoch),
  );
}

/** @throws CodedError "request_refused" where the network does not know the new key yet. */
async function expectRotated(genesis: Genesis, change: Change, api: ValidatorApi): Promise<void> {
  const { isRotated } = await import("./account/change.ts");
  const { expectNetwork } = await import("./account/session.ts");
  await expectNetwork(api, computeNetworkId(genesis));
  if (await isRotated({ api }, change)) return;
  const words =
    "the network does not know the new key yet: its owner completes the request with account sign";
  throw new CodedError("request_refused", words);
}

/** Puts the new key into the home, in the place of the one before. */
async function takeNextKey(home: string, { publicKey }: Ed25519KeyPair, io: NodeIo): Promise<void> {
  const at = (name: string) => join(home, name);
  await succeedKeyFile(at(KEY_FILE), at(NEXT_KEY_FILE), at(FORMER_KEY_FILE));
  printLine(io, encodeDidKey(publicKey));
  printLine(io, computeName(publicKey));
  printLine(io, `the key before is in ${at(FORMER_KEY_FILE)}, and of no use; backups of it are neither`);
  printLine(io, "make a new backup, then start the hotspot: it is challenged again from the second epoch on");
}
