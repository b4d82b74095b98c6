/**
 * What a hotspot remembers of its own beacons and of its time on air, in one small file that is replaced whole. It is on
 * the disk before anything it speaks of happens, so that no crash can make a hotspot beacon twice.
 */
import { join } from "node:path";
import { decodeHex, encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { NETWORK_ID_BYTES } from "../../../protocol/src/crypto/domain.ts";
import { P256_PUBLIC_KEY_BYTES, P256_SIGNATURE_BYTES } from "../../../protocol/src/crypto/p256Form.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { computeCommit } from "../../../protocol/src/evidence/commitReveal.ts";
import type { Transmission } from "../../../protocol/src/radio/dutyCycle.ts";
import { SECRET_BYTES } from "../../../protocol/src/radio/frame.ts";
import type { Cosignature } from "../../../protocol/src/wire/reports.ts";
import { CodedError } from "../host/codedError.ts";
import { copyFileDurably, readFileIfAny, replaceFile } from "../host/durableFile.ts";
import type { PowerFloor } from "./powerFloor.ts";

/**
 * `armed`: the secret exists and a transmission may have begun; `sent`: the concentrator took it; `reported`: its report
 * is spooled; `revealed`: its reveal is; `ended`: nothing more is to be done, for the reason in `end`.
 */
export const BEACON_PHASES = ["armed", "sent", "reported", "revealed", "ended"] as const;
export type BeaconPhase = (typeof BEACON_PHASES)[number];

/** How a beacon ended. `refused` is with a verdict of the network, which the verdicts show. */
export const BEACON_ENDS = [
  "complete",
  "missed",
  "interrupted",
  "refused",
  "reveal_missed",
  "no_cosignature",
  "power_unknown",
] as const;
export type BeaconEnd = (typeof BEACON_ENDS)[number];

export type BeaconRecord = {
  /** The epoch whose challenge it answers; at most one record an epoch. */
  readonly epoch: number;
  readonly slotRound: number;
  readonly freqHz: number;
  readonly spreadingFactor: number;
  readonly bandwidthHz: number;
  readonly secret: Uint8Array;
  /** Of the key that it was made with: the hotspot may have another one when it reveals. */
  readonly commit: Uint8Array;
  readonly phase: BeaconPhase;
  readonly attempts: number;
  /** Conducted power really used, and when; null before it was sent. */
  readonly powerCentiDbm: number | null;
  readonly timeMs: number | null;
  /** What the device that is bound to the hotspot has signed of it; null before, and where there is none. */
  readonly cosignature: Cosignature | null;
  /** The newest certified round when the report was submitted; it cannot have been included in that one. */
  readonly submitRound: number | null;
  readonly includedRound: number | null;
  /** The epoch of the reveal's bundle. */
  readonly revealEpoch: number | null;
  readonly end: BeaconEnd | null;
};
export type BeaconState = {
  /** Whose epochs the beacons are of; null where that is not known: files of before it was kept do not say. */
  readonly networkId: Uint8Array | null;
  readonly beacons: readonly BeaconRecord[];
  readonly transmissions: readonly Transmission[];
  readonly powerFloors: readonly PowerFloor[];
};

/** Its name in the home. */
export const BEACON_STATE_FILE = "beacons.json";
const STATE_VERSION = 1;
/** Where a damaged one is kept for people, beside it. */
export const DAMAGED_SUFFIX = ".damaged";
/** The present beacon and those whose reveal is still to come reach back two epochs; one more is for the status. */
export const BEACONS_KEPT = 4;

/**
 * Loads the state; an absent file is the empty state. Null where it is damaged: it is written whole or not at all, so
 * that is a failing disk or an editor's slip, and what was sent nobody knows any more.
 * @param hotspot its key (32 bytes), by which beacons were made that have no commit on record.
 * @throws CodedError "file_unreadable".
 */
export async function loadBeaconState(home: string, hotspot: Uint8Array): Promise<BeaconState | null> {
  const bytes = await readFileIfAny(join(home, BEACON_STATE_FILE));
  if (bytes === null) return { networkId: null, beacons: [], transmissions: [], powerFloors: [] };
  return parseState(Buffer.from(bytes).toString("utf8"), hotspot);
}

/** Writes the state durably. */
export async function saveBeaconState(home: string, state: BeaconState): Promise<void> {
  const json = {
    version: STATE_VERSION,
    network: state.networkId && encodeHex(state.networkId),
    beacons: state.beacons.map((b) => ({
      ...b,
      secret: encodeHex(b.secret),
      commit: encodeHex(b.commit),
      cosignature: b.cosignature && {
        deviceKey: encodeHex(b.cosignature.deviceKey),
        signature: encodeHex(b.cosignature.signature),
      },
    })),
    transmissions: state.transmissions,
    powerFloors: state.powerFloors,
  };
  await replaceFile(join(home, BEACON_STATE_FILE), sealJson(JSON.stringify(json)));
}

/** Copies a damaged file aside, for people; the next that is written takes its place. */
export async function keepDamagedState(home: string): Promise<void> {
  const path = join(home, BEACON_STATE_FILE);
  try {
    await copyFileDurably(path, `${path}${DAMAGED_SUFFIX}`);
  } catch (cause) {
    throw new CodedError("file_unwritable", `cannot write ${path}${DAMAGED_SUFFIX}`, cause);
  }
}

/** The checksum is the last of the object's fields, and of the text before it. */
const SEAL = /^(.*),"checksum":"([0-9a-f]{64})"\}\n$/s;

function sealJson(text: string): string {
  return `${text.slice(0, -1)},"checksum":"${computeChecksum(text)}"}\n`;
}

const computeChecksum = (text: string): string => encodeHex(sha256(Buffer.from(text)));

const COMMIT_BYTES = 32;

type Json = Record<string, unknown>;

function parseState(text: string, hotspot: Uint8Array): BeaconState | null {
  let json: Json;
  try {
    json = JSON.parse(text) as Json;
  } catch {
    return null;
  }
  if (typeof json !== "object" || json === null || json.version !== STATE_VERSION) return null;
  // Files of before there was a checksum have none.
  const sealed = SEAL.exec(text);
  if (sealed === null ? "checksum" in json : computeChecksum(`${sealed[1]}}`) !== sealed[2]) return null;
  // Files of before floors, and the network, were kept have none.
  const { network = null, beacons, transmissions, powerFloors = [] } = json;
  const networkId = typeof network === "string" ? decodeHex(network, NETWORK_ID_BYTES) : null;
  if (networkId === null && network !== null) return null;
  if (!Array.isArray(beacons) || !Array.isArray(transmissions) || !Array.isArray(powerFloors)) return null;
  const records = beacons.map((beacon) => parseBeacon(beacon, hotspot));
  if (records.includes(null) || !transmissions.every(isTransmission)) return null;
  if (!powerFloors.every(isPowerFloor)) return null;
  return { networkId, beacons: records as BeaconRecord[], transmissions, powerFloors };
}

function parseBeacon(json: Json, hotspot: Uint8Array): BeaconRecord | null {
  const numbers = ["epoch", "slotRound", "freqHz", "spreadingFactor", "bandwidthHz", "attempts"];
  const optional = ["powerCentiDbm", "timeMs", "submitRound", "includedRound", "revealEpoch"];
  if (typeof json !== "object" || json === null) return null;
  if (!numbers.every((field) => Number.isSafeInteger(json[field]))) return null;
  if (!optional.every((field) => json[field] === null || Number.isSafeInteger(json[field]))) return null;
  if (!BEACON_PHASES.includes(json.phase as BeaconPhase)) return null;
  if (json.end !== null && !BEACON_ENDS.includes(json.end as BeaconEnd)) return null;
  const secret = typeof json.secret === "string" ? decodeHex(json.secret, SECRET_BYTES) : null;
  // Files of before devices could be bound have none.
  const cosignature = json.cosignature == null ? null : parseCosignature(json.cosignature);
  if (secret === null || cosignature === undefined) return null;
  const commit =
    typeof json.commit === "string"
      ? decodeHex(json.commit, COMMIT_BYTES)
      : computeCommit(hotspot, json.epoch as number, secret);
  return commit === null ? null : ({ ...json, secret, commit, cosignature } as BeaconRecord);
}

/** Undefined where it cannot be understood. */
function parseCosignature(json: unknown): Cosignature | undefined {
  const { deviceKey: key, signature: signed } = json as Json;
  const deviceKey = typeof key === "string" ? decodeHex(key, P256_PUBLIC_KEY_BYTES) : null;
  const signature = typeof signed === "string" ? decodeHex(signed, P256_SIGNATURE_BYTES) : null;
  return deviceKey === null || signature === null ? undefined : { deviceKey, signature };
}

function isTransmission(json: unknown): json is Transmission {
  if (typeof json !== "object" || json === null) return false;
  const fields = json as Json;
  return ["freqHz", "startMs", "airtimeUs", "eirpCentiDbm"].every((field) => Number.isFinite(fields[field]));
}

function isPowerFloor(json: unknown): json is PowerFloor {
  if (typeof json !== "object" || json === null) return false;
  const { forwarder, lowestPowerDbm } = json as Json;
  return typeof forwarder === "string" && Number.isSafeInteger(lowestPowerDbm);
}
