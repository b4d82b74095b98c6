/** Rows about validators, and certificates, as the API's JSON. */
import { encodeAttest, encodeRewardCert, type RewardCert } from "../../../protocol/src/agreement/attest.ts";
import { EVIDENCE_KINDS } from "../../../protocol/src/agreement/evidence.ts";
import { EVIDENCE_SENTENCES, encodeEvidenceJson } from "../../../protocol/src/agreement/evidenceJson.ts";
import { computeQuorum, decodeBitmap } from "../../../protocol/src/agreement/rounds.ts";
import { encodeHex0x } from "../../../protocol/src/bytes/hex.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import type { ConvictionRow, ParticipationRow, ValidatorRow } from "../store/validatorRows.ts";
import type { Led } from "./explorer/leaderIndex.ts";
import type {
  ConvictionJson,
  LedRoundsJson,
  ParticipationJson,
  RewardCertificateJson,
  StakeJson,
  VALIDATOR_STATUSES,
} from "./schemas/agreement.ts";

type ValidatorStatus = (typeof VALIDATOR_STATUSES)[number];

function computeStatus(row: ValidatorRow, isSeated: boolean): ValidatorStatus {
  if (row.isTombstoned) return "tombstoned";
  if (row.unbondingUntilEpoch !== null) return "leaving";
  if (isSeated) return "seated";
  return row.stake === 0n ? "gone" : "waiting";
}

/** @param isSeated whether it has a seat in the running epoch. */
export function presentStake(row: ValidatorRow, isSeated: boolean): StakeJson {
  return {
    id: encodeDidKey(row.key),
    name: computeName(row.key),
    owner: encodeDidKey(row.owner),
    status: computeStatus(row, isSeated),
    stake: `${row.stake}`,
    sinceEpoch: row.sinceEpoch,
    unbondingUntilEpoch: row.unbondingUntilEpoch,
    multiaddrs: [...row.multiaddrs],
  };
}

export const presentParticipation = ({ paid, ...row }: ParticipationRow): ParticipationJson => ({
  ...row,
  paid: `${paid}`,
});

export const presentLed = ({ isDecided, ...round }: Led): LedRoundsJson["items"][number] => ({
  ...round,
  decided: isDecided,
});

/** @param networkId whose domains the statements are signed under, so that a piece stands for itself. */
export function presentConviction(row: ConvictionRow, networkId: Uint8Array): ConvictionJson {
  const { offender, kind, first, second } = row;
  const evidence = { offender, kind: EVIDENCE_KINDS.indexOf(kind), first, second };
  return {
    ...encodeEvidenceJson(evidence, networkId),
    round: row.round,
    epoch: row.epoch,
    name: computeName(offender),
    sentence: EVIDENCE_SENTENCES[kind],
    slashed: `${row.slashed}`,
  };
}

/** @param keys of the set of the certificate's epoch. */
export function presentRewardCert(cert: RewardCert, keys: readonly Uint8Array[]): RewardCertificateJson {
  const { attest } = cert;
  const signers = decodeBitmap(cert.bitmap, keys.length) ?? [];
  return {
    attest: {
      epoch: attest.epoch,
      rewardRoot: encodeHex0x(attest.rewardRoot),
      stateRoot: encodeHex0x(attest.stateRoot),
      nextValidatorsHash: encodeHex0x(attest.nextValidatorsHash),
      parametersHash: encodeHex0x(attest.parametersHash),
      rulesVersion: attest.rulesVersion,
    },
    validators: keys.map(encodeDidKey),
    quorum: computeQuorum(keys.length),
    signers: signers.map((seat) => encodeDidKey(keys[seat]!)),
    signatures: cert.signatures.map(encodeHex0x),
    bytes: { certificate: encodeHex0x(encodeRewardCert(cert)), attest: encodeHex0x(encodeAttest(attest)) },
  };
}
