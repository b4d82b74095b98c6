/** The doctor's look at a home: configuration, key, network and beacons, each by itself, so that one fault hides no other. */
import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { encodeDidKey } from "../../../../protocol/src/crypto/didKey.ts";
import { ED25519_PUBLIC_KEY_BYTES } from "../../../../protocol/src/crypto/ed25519.ts";
import { computeName } from "../../../../protocol/src/crypto/names.ts";
import type { Genesis } from "../../../../protocol/src/network/genesis.ts";
import { isCodedError } from "../../host/codedError.ts";
import { isThere } from "../../host/durableFile.ts";
import { KEY_FILE } from "../../host/homeFiles.ts";
import { type AskPassphrase, openKeyFile } from "../../host/keystore.ts";
import { BEACON_STATE_FILE, DAMAGED_SUFFIX, loadBeaconState } from "../../hotspot/beaconState.ts";
import { type Checked, type NodeConfig, readGenesis } from "../config.ts";
import { type Finding, finding } from "./finding.ts";

/** What the home says, null where it does not. */
export type HomeView = {
  readonly config: NodeConfig | null;
  readonly publicKey: Uint8Array | null;
  readonly genesis: Genesis | null;
};

/** Looks at the four files of a home. @param config what its settings say, or all that is wrong with them. */
export async function checkHome(
  { home, config, genesisFile }: HomeFiles,
  askPassphrase: AskPassphrase,
): Promise<{ readonly view: HomeView; readonly findings: readonly Finding[] }> {
  const configuration = judgeConfiguration(config);
  const key = await checkKey(home, askPassphrase);
  const genesis = await checkGenesis(genesisFile);
  return {
    view: { config: configuration.value, publicKey: key.value, genesis: genesis.value },
    findings: [configuration.finding, key.finding, genesis.finding, await checkBeacons(home, key.value)],
  };
}

type HomeFiles = {
  readonly home: string;
  readonly config: Checked<NodeConfig>;
  readonly genesisFile: string;
};
type Judged<T> = { readonly value: T | null; readonly finding: Finding };

function judgeConfiguration(config: Checked<NodeConfig>): Judged<NodeConfig> {
  if (config.ok) {
    const { region, latitude, longitude, gainCentiDbi } = config.value;
    const found = `${region} at ${latitude}, ${longitude} with ${gainCentiDbi / 100} dBi.`;
    return { value: config.value, finding: finding("configuration", "ok", found) };
  }
  const found = `${config.faults.join("; ")}.`;
  const advice = "Correct what it names; `config --print` shows what is in force, and from where.";
  return { value: null, finding: finding("configuration", "fail", found, advice) };
}

async function checkKey(home: string, askPassphrase: AskPassphrase): Promise<Judged<Uint8Array>> {
  try {
    const { publicKey } = await openKeyFile(join(home, KEY_FILE), askPassphrase);
    const found = `${computeName(publicKey)}, ${encodeDidKey(publicKey)}, readable by its owner only.`;
    return { value: publicKey, finding: finding("key", "ok", found) };
  } catch (error) {
    if (!isCodedError(error)) throw error;
    if (error.code === "passphrase_missing") {
      const advice = "Give the passphrase with --passphrase-file to have it opened.";
      return { value: null, finding: finding("key", "not_checked", `${error.message}.`, advice) };
    }
    const advice = {
      key_missing: "Make a home with init, or bring one back with restore.",
      key_not_private: "Run chmod 600 on it; if others could have read it, take a new key.",
      key_foreign_owner: "Run this as the hotspot's user, or give that user the file.",
      key_malformed: "Bring the key back with restore.",
    }[error.code as string];
    return { value: null, finding: finding("key", "fail", `${error.message}.`, advice ?? null) };
  }
}

async function checkGenesis(path: string): Promise<Judged<Genesis>> {
  const genesis = await readGenesis(path);
  if (genesis.ok) {
    const { name, validators } = genesis.value;
    const found = `The network is ${name}; its genesis names ${validators.length} validators.`;
    return { value: genesis.value, finding: finding("genesis", "ok", found) };
  }
  const shown = genesis.faults.slice(0, 3).join("; ");
  const advice = "Put the network's genesis file there, or name it with --genesis.";
  return { value: null, finding: finding("genesis", "fail", `${shown}.`, advice) };
}

/** Whether the record of own beacons is whole, without which none may be sent for a while. */
async function checkBeacons(home: string, publicKey: Uint8Array | null): Promise<Finding> {
  const judge = (result: "warn" | "fail", found: string, advice: string) =>
    finding("beacons", result, found, advice);
  try {
    // The key matters only to records of before commitments were kept.
    const state = await loadBeaconState(home, publicKey ?? new Uint8Array(ED25519_PUBLIC_KEY_BYTES));
    if (state === null) {
      const found = `${BEACON_STATE_FILE} is damaged, so which beacons were sent is not known.`;
      return judge("warn", found, "The hotspot sets it aside, and beacons again in the next epoch but one.");
    }
    if (await isThere(join(home, `${BEACON_STATE_FILE}${DAMAGED_SUFFIX}`))) {
      const found = `${BEACON_STATE_FILE} was damaged once, and is kept as ${BEACON_STATE_FILE}${DAMAGED_SUFFIX}.`;
      return judge("warn", found, "Cards that damage files fail soon: make a backup. Then remove that file.");
    }
    return finding("beacons", "ok", `The record of own beacons is whole, and has ${state.beacons.length}.`);
  } catch (error) {
    if (!isCodedError(error)) throw error;
    return judge("fail", `${error.message}.`, "Run this as the hotspot's user.");
  }
}

/** Whether this user may write into the home: beacons and reports must be on the disk before they are sent. */
export async function isWritable(home: string): Promise<boolean> {
  return await access(home, constants.W_OK | constants.X_OK).then(
    () => true,
    () => false,
  );
}
