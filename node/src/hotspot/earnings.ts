/**
 * What a hotspot and its owner have earned, from a validator's API: the last epochs as that validator tells them, and the
 * account's total with a proof that is checked here, by the validators that the hotspot has followed from genesis or a
 * checkpoint, so that the total takes nobody's word.
 */
import {
  LIGHT_REASONS,
  type LightAnchor,
  verifyRewardEvidence,
} from "../../../protocol/src/agreement/lightClient.ts";
import { decodeRewardEvidence } from "../../../protocol/src/agreement/rewardEvidence.ts";
import { equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { isCodedError } from "../host/codedError.ts";
import { fetchJson } from "../host/fetchJson.ts";
import { toFields } from "../host/jsonFields.ts";
import { occasionally } from "../host/occasionally.ts";
import { readTrustAnswer } from "../host/trustAnswer.ts";
import type { Clock } from "../host/types.ts";
import { verifySignature } from "../host/verify.ts";

export type EarningsOptions = {
  /** The API's address, `http://host:port`. */
  readonly api: string;
  readonly hotspot: Uint8Array;
  readonly owner: Uint8Array;
  /** What the hotspot trusts now: asked with every proof, since it moves on with the validators. */
  readonly anchor: () => LightAnchor;
};

/** Amounts are decimal strings of base units, as everywhere outside the ledger. */
export type EarnedEpoch = {
  readonly epoch: number;
  readonly beaconPaid: string;
  readonly witnessPaid: string;
  readonly paid: string;
  /** Put into escrow instead, and paid out of it, perhaps for epochs long before. */
  readonly withheld: string;
  readonly released: string;
};
/** Why pay is withheld, and what is held of it. */
export type WithheldPay = {
  readonly isSuspended: boolean;
  readonly penalties: readonly string[];
  /** The last epoch in which each amount can be released. */
  readonly escrow: readonly { readonly amount: string; readonly untilEpoch: number }[];
  readonly isAppealed: boolean;
};
export type Earnings = {
  readonly api: string;
  /** did:key of the account that is paid. */
  readonly account: string;
  /** The newest first, as the validator tells them. */
  readonly epochs: readonly EarnedEpoch[];
  /** Null where nothing is withheld, or the validator does not say. */
  readonly withheld: WithheldPay | null;
  /** What the account has earned by the end of an epoch; null where nothing is proven. */
  readonly proven: { readonly total: string; readonly epoch: number } | null;
  /** What the proof was checked against, or why nothing is shown as proven. */
  readonly words: string;
  /** Why the validator told nothing; null where it did. */
  readonly fault: string | null;
};

/** Epochs that are shown. */
const EPOCHS = 8;
/** Asked for at most so often: epochs last longer, and the page asks every few seconds. */
const REFRESH_MS = 60_000;
const TIMEOUT_MS = 5_000;
/**
 * A proof with its certificate is some 20 kB, and every change of the validator set since the anchor adds as much. One
 * that is longer than this is for `hexbeacon verify` with a checkpoint, on a larger machine.
 */
const MAX_PROOF_BYTES = 4 * 1_048_576;
const MAX_REWARDS_BYTES = 65_536;
/** The newest computation twice: of nine reasons up to fourteen findings, each of fourteen counterparts with their reports. */
const MAX_TRUST_BYTES = 2 * 1_048_576;
const DECIMAL = /^\d{1,20}$/;

/** Reads earnings when they are asked for, once a minute at most. */
export class EarningsReader {
  /** Never rejects: what went wrong is told in the answer. */
  readonly read: () => Promise<Earnings>;

  constructor(options: EarningsOptions, modules: { readonly clock: Clock }) {
    this.read = occasionally(() => readEarnings(options), REFRESH_MS, modules.clock);
  }
}

async function readEarnings(options: EarningsOptions): Promise<Earnings> {
  const { api, owner } = options;
  const account = encodeDidKey(owner);
  try {
    const [epochs, withheld, proof] = await Promise.all([
      readEpochs(options),
      readWithheld(options),
      readProof(options),
    ]);
    return { api, account, epochs, withheld, ...proof, fault: null };
  } catch (error) {
    if (!isCodedError(error)) throw error;
    const nothing = { epochs: [], withheld: null, proven: null, words: "Nothing is proven." };
    return { api, account, ...nothing, fault: error.message };
  }
}

async function readEpochs({ api, hotspot }: EarningsOptions): Promise<readonly EarnedEpoch[]> {
  const url = new URL(`v1/hotspots/${encodeDidKey(hotspot)}/rewards`, withSlash(api));
  const { status, json } = await fetchJson(url, { timeoutMs: TIMEOUT_MS, maxBytes: MAX_REWARDS_BYTES });
  const items = status === 200 ? (json as { items?: unknown } | null)?.items : [];
  if (!Array.isArray(items)) return [];
  return items
    .map(toEpoch)
    .filter((one) => one !== null)
    .reverse()
    .slice(0, EPOCHS);
}

function toEpoch(item: Record<string, unknown> | null): EarnedEpoch | null {
  const { firstEpoch: epoch, beaconPaid, witnessPaid, paid, withheld, released } = item ?? {};
  const amounts = [beaconPaid, witnessPaid, paid, withheld, released];
  if (!Number.isSafeInteger(epoch)) return null;
  if (!amounts.every((amount) => typeof amount === "string" && DECIMAL.test(amount))) return null;
  return { epoch, beaconPaid, witnessPaid, paid, withheld, released } as EarnedEpoch;
}

async function readWithheld({ api, hotspot }: EarningsOptions): Promise<WithheldPay | null> {
  const url = new URL(`v1/hotspots/${encodeDidKey(hotspot)}/trust?limit=1`, withSlash(api));
  const limits = { timeoutMs: TIMEOUT_MS, maxBytes: MAX_TRUST_BYTES };
  const { status, json } = await fetchJson(url, limits).catch(toUnanswered);
  const trust = status === 200 ? readTrustAnswer(toFields(json)) : null;
  const { isSuspended = false, findings = [] } = trust?.computations[0] ?? {};
  if (trust === null || (!isSuspended && trust.escrow.length === 0)) return null;
  return {
    isSuspended,
    penalties: [...new Set(findings.map(({ penalty }) => penalty))],
    escrow: trust.escrow.map(({ amount, untilEpoch }) => ({ amount: `${amount}`, untilEpoch })),
    isAppealed: trust.appeal?.isPending === true,
  };
}

async function readProof({
  api,
  owner,
  anchor: readAnchor,
}: EarningsOptions): Promise<Pick<Earnings, "proven" | "words">> {
  const anchor = readAnchor();
  const { epoch: since } = anchor.checkpoint;
  const url = new URL(`v1/accounts/${encodeDidKey(owner)}/proof?since=${since}`, withSlash(api));
  const limits = { timeoutMs: TIMEOUT_MS, maxBytes: MAX_PROOF_BYTES };
  const answer = await fetchJson(url, limits).catch(toUnanswered);
  const unproven = (words: string) => ({ proven: null, words: `Not proven: ${words}` });
  if ("fault" in answer) return unproven(`${answer.fault}.`);
  const { status, json } = answer;
  if (status === 404) return { proven: null, words: "The account has earned nothing yet." };
  if (status !== 200) return unproven(`the validator gave no proof (HTTP status ${status}).`);
  const evidence = decodeRewardEvidence(json);
  if (!evidence.ok) return unproven(LIGHT_REASONS.malformed);
  const verdict = verifyRewardEvidence(evidence.value, anchor, verifySignature);
  if (!verdict.valid) return unproven(LIGHT_REASONS[verdict.reason]);
  const { account, total, epoch, signers, validators } = verdict.reward;
  // A true proof of somebody else's earnings says nothing of these.
  if (!equalBytes(account, owner)) return unproven("the proof is of another account.");
  const words = `Proof checked by the validators of epoch ${since}: signed by ${signers} of ${validators}.`;
  return { proven: { total: `${total}`, epoch }, words };
}

/** What one question came to nothing by takes nothing from what the others tell. */
function toUnanswered(error: unknown) {
  if (!isCodedError(error)) throw error;
  return { status: null, json: null, fault: error.message };
}

function withSlash(api: string): string {
  return api.endsWith("/") ? api : `${api}/`;
}
