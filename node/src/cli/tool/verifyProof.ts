/**
 * `tool verify-proof`: whether a proof of what an account has earned leads to the root that it names, with nothing but
 * SHA-256. Whether a quorum stands behind that root is `hexbeacon verify`'s to say, of the same file.
 */
import { type Command, InvalidArgumentError } from "commander";
import { MAX_REWARD_EVIDENCE_CHARS } from "../../../../protocol/src/agreement/rewardEvidence.ts";
import { decodeHex, encodeHex0x } from "../../../../protocol/src/bytes/hex.ts";
import { verifyProofJson } from "../../../../protocol/src/reward/proofJson.ts";
import { printJson } from "../io.ts";
import { readJson, runTool, ToolInputError, type ToolIo } from "./toolInput.ts";

const ROOT_BYTES = 32;

/**
 * Adds the sub-command. It prints `{"valid": true, "account", "total", "epoch", "root"}`, or `{"valid": false, "reason"}`
 * and ends with status 1.
 */
export function addVerifyProofCommand(tool: Command, io: ToolIo): void {
  const command = tool.command("verify-proof");
  command
    .description("check a proof of an account's earned total")
    .option("--root <hex>", "the reward root you trust, from a certified epoch record", readRoot)
    .addHelpText(
      "after",
      "\nReads the proof as JSON, as /v1/accounts/{id}/proof gives it, from standard input.",
    )
    .action(({ root }: { root?: string }) =>
      runTool(command, async () => {
        const verdict = verifyProofJson(await readJson(io, MAX_REWARD_EVIDENCE_CHARS));
        if (verdict.valid && root !== undefined && verdict.root !== root) {
          return refuse(io, "root_not_trusted", "the proof is for another root than the one given");
        }
        if (!verdict.valid) return refuse(io, verdict.reason, verdict.detail ?? "the proof does not hold");
        printJson(io, verdict);
      }),
    );
}

function refuse(io: ToolIo, reason: string, message: string): never {
  printJson(io, { valid: false, reason });
  throw new ToolInputError(`${reason}: ${message}`);
}

function readRoot(text: string): string {
  const root = decodeHex(text, ROOT_BYTES);
  if (root === null) throw new InvalidArgumentError("It must be 32 bytes of hexadecimal.");
  return encodeHex0x(root);
}
