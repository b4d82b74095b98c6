/**
 * What proves a reward to someone who trusts no server: the way from the account's total to the epoch's reward root, the
 * certificate by which a quorum vouches for that root, and the changes of the validator set on the way there. As JSON it
 * is the answer of `/v1/accounts/{id}/proof` and the file that `hexbeacon verify` reads.
 */
import { decodeHex, encodeHex, encodeHex0x } from "../bytes/hex.ts";
import { decodeDidKey, encodeDidKey } from "../crypto/didKey.ts";
import { NETWORK_ID_BYTES } from "../crypto/domain.ts";
import { MAX_VALIDATORS } from "../network/parameters.ts";
import { decodeProofJson, encodeProofJson, type RewardProofJson } from "../reward/proofJson.ts";
import type { RewardProof } from "../reward/rewardProof.ts";
import { decodeRewardCert, encodeRewardCert, MAX_REWARD_CERT_BYTES, type RewardCert } from "./attest.ts";

/**
 * A change of the validator set: the certificate of epoch c attests the hash of the set of epoch c + 2, and `validators`
 * are that set's keys in the order of their seats.
 */
export type SetStep = { readonly certificate: RewardCert; readonly validators: readonly Uint8Array[] };

/** `certificate`: of the proof's epoch; null where there was none yet when the proof was given out. */
export type RewardEvidence = {
  readonly networkId: Uint8Array;
  readonly proof: RewardProof;
  readonly epoch: number;
  readonly certificate: RewardCert | null;
  /** The changes of the set up to the proof's epoch, ascending. */
  readonly setHistory: readonly SetStep[];
};

/**
 * Where trust begins. A set is fixed two epochs ahead, so two sets are pinned: `validators` is the set of `epoch`,
 * `nextValidators` that of the epoch after it; every later one follows from certificates of those two.
 */
export type Checkpoint = {
  readonly networkId: Uint8Array;
  readonly epoch: number;
  readonly validators: readonly Uint8Array[];
  readonly nextValidators: readonly Uint8Array[];
};

/** Keys as did:key, certificates as their SSZ encoding in 0x-hexadecimal. */
export type SetStepJson = { readonly certificate: string; readonly validators: readonly string[] };
export type RewardEvidenceJson = RewardProofJson & {
  readonly networkId: string;
  readonly certificate: string | null;
  readonly setHistory: readonly SetStepJson[];
};
export type CheckpointJson = {
  readonly networkId: string;
  readonly epoch: number;
  readonly validators: readonly string[];
  readonly nextValidators: readonly string[];
};

/**
 * Changes of the set in one proof. A checkpoint is to be no older than the unbonding time, 720 epochs of mainnet, in
 * which the set can change no more often; a longer walk is done in parts, from checkpoint to checkpoint.
 */
export const MAX_SET_STEPS = 1_024;

/** A did:key and its quotation marks, in characters. */
const KEY_CHARS = 64;
/** The longest file: every step with the largest certificate and the largest set, and 16 kB for the proof itself. */
export const MAX_REWARD_EVIDENCE_CHARS =
  (MAX_SET_STEPS + 1) * (2 * MAX_REWARD_CERT_BYTES + MAX_VALIDATORS * KEY_CHARS + 256) + 16_384;
export const MAX_CHECKPOINT_CHARS = 2 * MAX_VALIDATORS * KEY_CHARS + 1_024;

/** What was read, or what is wrong with it, in words. */
export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly detail: string };

type Fields = Readonly<Record<string, unknown>>;

/** Writes the evidence as JSON. */
export function encodeRewardEvidence(evidence: RewardEvidence): RewardEvidenceJson {
  const { networkId, proof, epoch, certificate, setHistory } = evidence;
  return {
    ...encodeProofJson(proof, epoch),
    networkId: encodeHex0x(networkId),
    certificate: certificate && encodeHex0x(encodeRewardCert(certificate)),
    setHistory: setHistory.map((step) => ({
      certificate: encodeHex0x(encodeRewardCert(step.certificate)),
      validators: step.validators.map(encodeDidKey),
    })),
  };
}

/** Reads evidence from parsed JSON of any shape; fields it does not know are left alone. */
export function decodeRewardEvidence(json: unknown): Read<RewardEvidence> {
  const decoded = decodeProofJson(json);
  if ("fault" in decoded) return malformed(decoded.detail);
  const { networkId: id, certificate: given, setHistory: steps } = json as Fields;
  const networkId = readHash(id);
  if (networkId === null) return malformed("networkId must be 32 bytes of 0x-hexadecimal");
  const certificate = given === null ? null : readCertificate(given);
  if (given !== null && certificate === null) return malformed("certificate must be a reward certificate");
  if (!Array.isArray(steps) || steps.length > MAX_SET_STEPS) {
    return malformed(`setHistory must be a list of at most ${MAX_SET_STEPS} changes`);
  }
  const setHistory: SetStep[] = [];
  for (const [index, step] of steps.entries()) {
    const fields: Fields = isObject(step) ? step : {};
    const stepCertificate = readCertificate(fields.certificate);
    const validators = readKeys(fields.validators);
    if (stepCertificate === null || validators === null) {
      return malformed(`setHistory[${index}] must have a certificate and the keys of a set`);
    }
    setHistory.push({ certificate: stepCertificate, validators });
  }
  return { ok: true, value: { ...decoded, networkId, certificate, setHistory } };
}

/** Writes a checkpoint as JSON. */
export function encodeCheckpoint({
  networkId,
  epoch,
  validators,
  nextValidators,
}: Checkpoint): CheckpointJson {
  return {
    networkId: encodeHex0x(networkId),
    epoch,
    validators: validators.map(encodeDidKey),
    nextValidators: nextValidators.map(encodeDidKey),
  };
}

/** Reads a checkpoint from parsed JSON of any shape. */
export function decodeCheckpoint(json: unknown): Read<Checkpoint> {
  const fields: Fields = isObject(json) ? json : {};
  const networkId = readHash(fields.networkId);
  if (networkId === null) return malformed("networkId must be 32 bytes of 0x-hexadecimal");
  const { epoch } = fields;
  if (typeof epoch !== "number" || !Number.isSafeInteger(epoch) || epoch < 0) {
    return malformed("epoch must be a whole number");
  }
  const validators = readKeys(fields.validators);
  const nextValidators = readKeys(fields.nextValidators);
  if (validators === null || nextValidators === null) {
    return malformed(`validators and nextValidators must be lists of 1 to ${MAX_VALIDATORS} different keys`);
  }
  return { ok: true, value: { networkId, epoch, validators, nextValidators } };
}

const malformed = (detail: string): { readonly ok: false; readonly detail: string } => ({
  ok: false,
  detail,
});

const isObject = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const readHash = (text: unknown): Uint8Array | null =>
  typeof text === "string" && text.startsWith("0x") ? decodeHex(text, NETWORK_ID_BYTES) : null;

function readCertificate(text: unknown): RewardCert | null {
  // Longer text is not even made bytes of.
  if (typeof text !== "string" || !text.startsWith("0x") || text.length > 2 + 2 * MAX_REWARD_CERT_BYTES) {
    return null;
  }
  const bytes = decodeHex(text);
  return bytes && decodeRewardCert(bytes);
}

/** A set's keys: a key that stood twice would count twice towards a quorum. */
function readKeys(list: unknown): Uint8Array[] | null {
  if (!Array.isArray(list) || list.length === 0 || list.length > MAX_VALIDATORS) return null;
  const keys = list.map((text) => (typeof text === "string" ? decodeDidKey(text) : null));
  if (new Set(keys.map((key) => key && encodeHex(key))).size !== keys.length) return null;
  return keys.every((key) => key !== null) ? keys : null;
}
