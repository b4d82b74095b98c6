/** `tool verify-evidence`: whether a piece of evidence convicts a validator, offline, whoever shows it. */
import type { Command } from "commander";
import {
  EVIDENCE_SENTENCES,
  MAX_EVIDENCE_CHARS,
  verifyEvidenceJson,
} from "../../../../protocol/src/agreement/evidenceJson.ts";
import { encodeDidKey } from "../../../../protocol/src/crypto/didKey.ts";
import { createSigningDomains } from "../../../../protocol/src/crypto/domain.ts";
import { computeName } from "../../../../protocol/src/crypto/names.ts";
import { computeNetworkId, type Genesis } from "../../../../protocol/src/network/genesis.ts";
import { verifySignature } from "../../host/verify.ts";
import { readGenesis } from "../config.ts";
import { printJson } from "../io.ts";
import { readJson, runTool, ToolInputError, type ToolIo } from "./toolInput.ts";

/**
 * Adds the sub-command. It prints `{"valid": true, "offender", "name", "kind", "sentence"}`, or
 * `{"valid": false, "reason"}` and ends with status 1.
 */
export function addVerifyEvidenceCommand(tool: Command, io: ToolIo): void {
  const command = tool.command("verify-evidence");
  command
    .description("check evidence against a validator")
    .requiredOption("--genesis <file>", "the genesis file of the network that it is about")
    .addHelpText("after", "\nReads one piece as JSON, as /v1/evidence lists them, from standard input.")
    .action(({ genesis: path }: { genesis: string }) =>
      runTool(command, async () => {
        const networkId = computeNetworkId(await requireGenesis(path));
        const modules = { domains: createSigningDomains(networkId), verify: verifySignature };
        const verdict = verifyEvidenceJson(await readJson(io, MAX_EVIDENCE_CHARS), networkId, modules);
        if (!verdict.valid) {
          const { reason, detail } = verdict;
          printJson(io, { valid: false, reason });
          throw new ToolInputError(`${reason}: ${detail ?? "the evidence convicts nobody"}`);
        }
        const { offender, kind } = verdict;
        printJson(io, {
          valid: true,
          offender: encodeDidKey(offender),
          name: computeName(offender),
          kind,
          sentence: EVIDENCE_SENTENCES[kind],
        });
      }),
    );
}

async function requireGenesis(path: string): Promise<Genesis> {
  const read = await readGenesis(path);
  if (!read.ok) throw new ToolInputError(read.faults.join("; "));
  return read.value;
}
