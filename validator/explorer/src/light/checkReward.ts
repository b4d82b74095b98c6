/**
 * The check of a reward's proof, by the protocol's own code and the network's rule of signatures, in this browser. Nothing
 * that the API says is believed: the genesis must have the pinned hash, and everything else follows from it.
 */
import {
  createLightAnchor,
  isAnchorFresh,
  LIGHT_REASONS,
  type LightVerdict,
  verifyRewardEvidence,
} from "../../../../protocol/src/agreement/lightClient.ts";
import { decodeRewardEvidence } from "../../../../protocol/src/agreement/rewardEvidence.ts";
import { encodeHex0x } from "../../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../../protocol/src/crypto/didKey.ts";
import { verifyStrict } from "../../../../protocol/src/crypto/verifyStrict.ts";
import {
  computeNetworkId,
  decodeGenesisJson,
  type Genesis,
} from "../../../../protocol/src/network/genesis.ts";

export type ReadGenesis = { readonly genesis: Genesis; readonly id: string };

/** What a genesis file is, by its content; null where it is none. */
export function readGenesis(text: string): ReadGenesis | null {
  const decoded = decodeGenesisJson(text);
  if (!decoded.ok) return null;
  return { genesis: decoded.genesis, id: encodeHex0x(computeNetworkId(decoded.genesis)) };
}

/** `total` in base units, in decimal, up to the end of `epoch`. */
export type CheckedReward =
  | {
      readonly valid: true;
      readonly total: string;
      readonly epoch: number;
      readonly signers: number;
      readonly validators: number;
      readonly setChanges: number;
      /** Epochs between genesis and the proof, and whether the network's first validators had their stakes at risk until then. */
      readonly anchorAgeEpochs: number;
      readonly isAnchorFresh: boolean;
    }
  | { readonly valid: false; readonly sentence: string };

/**
 * Checks what the API gave as the proof of an account's earnings.
 * @param genesis of which the caller knows that it is the pinned one; @param account did:key of whom the proof must be.
 */
export function checkReward(proof: unknown, genesis: Genesis, account: string): CheckedReward {
  const decoded = decodeRewardEvidence(proof);
  if (!decoded.ok) return { valid: false, sentence: `${LIGHT_REASONS.malformed} ${decoded.detail}.` };
  const verdict: LightVerdict = verifyRewardEvidence(decoded.value, createLightAnchor(genesis), verifyStrict);
  if (!verdict.valid) return { valid: false, sentence: LIGHT_REASONS[verdict.reason] };
  const { reward } = verdict;
  if (encodeDidKey(reward.account) !== account)
    return { valid: false, sentence: "The proof is of another account than this page's." };
  const { epoch, signers, validators, setChanges, anchorAgeEpochs } = reward;
  return {
    valid: true,
    total: `${reward.total}`,
    epoch,
    signers,
    validators,
    setChanges,
    anchorAgeEpochs,
    isAnchorFresh: isAnchorFresh(reward, genesis),
  };
}
