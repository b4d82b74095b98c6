/**
 * `hexbeacon verify`: whether an account has earned what a file says, offline. It trusts the genesis file (or a pinned
 * checkpoint of its network), not whoever made the reward file.
 */
import { Command } from "commander";
import {
  createLightAnchor,
  isAnchorFresh,
  LIGHT_REASONS,
  type LightVerdict,
  verifyRewardEvidence,
} from "../../../protocol/src/agreement/lightClient.ts";
import {
  type Checkpoint,
  decodeRewardEvidence,
  MAX_REWARD_EVIDENCE_CHARS,
} from "../../../protocol/src/agreement/rewardEvidence.ts";
import { encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import type { Genesis } from "../../../protocol/src/network/genesis.ts";
import { verifySignature } from "../host/verify.ts";
import { formatTokens } from "./account/tokens.ts";
import { parseJson, readBounded, readCheckpoint } from "./boundedFiles.ts";
import { readGenesis } from "./config.ts";
import { ConfigErrors, exit, type NodeIo, printJson, printLine, runAction, useIo } from "./io.ts";

type VerifyFlags = {
  readonly genesis?: string;
  readonly reward?: string;
  readonly checkpoint?: string;
  readonly json?: boolean;
};

/** Exit status of a file that does not prove what it says; 2 is for files that cannot be read at all. */
const EXIT_REFUSED = 1;

/** Creates the command; the status is 0 where the reward is proven, 1 where it is not, 2 where a file is missing. */
export function createVerifyCommand(io: NodeIo): Command {
  const command = new Command("verify")
    .description("verify offline what an account has earned")
    .option("--genesis <file>", "the network's genesis file, which you trust")
    .option("--reward <file>", "what /v1/accounts/{id}/proof gave; - reads standard input")
    .option(
      "--checkpoint <file>",
      "a later set of validators that you trust, as /v1/epochs/{n}/checkpoint gives it",
    )
    .option("--json", "print the verdict as one JSON object")
    .action((flags: VerifyFlags) => runAction(io, () => verifyReward(flags, io)));
  return useIo(command, io);
}

async function verifyReward(flags: VerifyFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const genesis =
    flags.genesis === undefined
      ? { ok: false as const, faults: ["--genesis must name the network's genesis file"] }
      : await readGenesis(flags.genesis);
  if (!genesis.ok) faults.push(...genesis.faults);
  const checkpoint = await readCheckpoint(flags.checkpoint ?? null, "--checkpoint");
  if (!checkpoint.ok) faults.push(...checkpoint.faults);
  const text = await readBounded(flags.reward, "--reward", MAX_REWARD_EVIDENCE_CHARS, io.stdin);
  if (!text.ok) faults.push(...text.faults);
  if (!genesis.ok || !checkpoint.ok || !text.ok) throw new ConfigErrors(faults);
  const verdict = judge(text.value, genesis.value, checkpoint.value);
  if (flags.json === true) printJson(io, presentVerdict(verdict, genesis.value));
  else printVerdict(verdict, genesis.value, io);
  if (!verdict.valid) exit(io, EXIT_REFUSED);
}

function judge(text: string, genesis: Genesis, checkpoint: Checkpoint | null): LightVerdict {
  const json = parseJson(text);
  if (json === undefined) return { valid: false, reason: "malformed", detail: "it is no JSON" };
  const evidence = decodeRewardEvidence(json);
  if (!evidence.ok) return { valid: false, reason: "malformed", detail: evidence.detail };
  return verifyRewardEvidence(
    evidence.value,
    createLightAnchor(genesis, checkpoint ?? undefined),
    verifySignature,
  );
}

function presentVerdict(verdict: LightVerdict, genesis: Genesis) {
  if (!verdict.valid) return { ...verdict, explanation: LIGHT_REASONS[verdict.reason] };
  const { account, total, ...counts } = verdict.reward;
  return {
    valid: true,
    account: encodeDidKey(account),
    name: computeName(account),
    total: `${total}`,
    ...counts,
    anchorFresh: isAnchorFresh(verdict.reward, genesis),
  };
}

function printVerdict(verdict: LightVerdict, genesis: Genesis, io: NodeIo): void {
  if (!verdict.valid) {
    const { reason, detail } = verdict;
    printLine(io, `refused: ${reason}${detail === undefined ? "" : ` (${detail})`}`);
    printLine(io, LIGHT_REASONS[reason]);
    return;
  }
  const { account, total, epoch, signers, validators, setChanges, anchorAgeEpochs } = verdict.reward;
  const anchor = epoch === anchorAgeEpochs ? "genesis" : `the checkpoint of epoch ${epoch - anchorAgeEpochs}`;
  printLine(io, `valid: ${encodeDidKey(account)} (${computeName(account)})`);
  printLine(
    io,
    `earned: ${formatTokens(total)} tokens (${total} base units) up to the end of epoch ${epoch}`,
  );
  printLine(
    io,
    `attested by: ${signers} of ${validators} validators, ${setChanges} changes of the set after ${anchor}`,
  );
  if (isAnchorFresh(verdict.reward, genesis)) return;
  io.stderr.write(
    `note: ${anchor} is ${anchorAgeEpochs} epochs older than the proof; after ${genesis.parameters.unbondEpochs} ` +
      "its validators may have left with their stakes, and their keys could sign anything. " +
      "Pin a newer --checkpoint from a source that you trust.\n",
  );
}
