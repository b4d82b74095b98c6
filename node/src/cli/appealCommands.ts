/**
 * `account trust` and `account appeal`: what the network holds against a hotspot and holds back of its pay, and its
 * owner's objection. An appeal is the owner's word alone, so it is said where the owner's key is, and needs nothing of the
 * hotspot's own folder.
 */
import { Command } from "commander";
import { decodeDidKey, encodeDidKey } from "../../../protocol/src/crypto/didKey.ts";
import { computeName } from "../../../protocol/src/crypto/names.ts";
import { MAX_APPEAL_EVIDENCE } from "../../../protocol/src/wire/transactions.ts";
import { CodedError } from "../host/codedError.ts";
import { createAccountPart, GENESIS_OPTION, VALIDATOR_OPTION } from "./account/flags.ts";
import type { ValidatorApi } from "./account/validatorApi.ts";
import { ConfigErrors, type NodeIo, printLine, runAction, useIo } from "./io.ts";

type TrustFlags = { readonly hotspot?: string; readonly validator?: string };
type AppealFlags = TrustFlags & {
  readonly home?: string;
  readonly genesis?: string;
  readonly passphraseFile?: string;
  readonly evidence?: readonly string[];
};

const HOTSPOT_OPTION = ["--hotspot <did>", "did:key of the hotspot"] as const;

/**
 * Counterparts that are named where the owner names none. One would do, as evidence only opens the appeal; each more could
 * be one that the record has dropped, which refuses it.
 */
const PICKED_EVIDENCE = 1;

/** Creates both commands, for `account` to take in. @param io where they write, and how they end. */
export function createAppealCommands(io: NodeIo): Command[] {
  const trust = new Command("trust")
    .description("say what is found against a hotspot, and what is held of its pay")
    .option(...HOTSPOT_OPTION)
    .option(...VALIDATOR_OPTION)
    .action((flags: TrustFlags) => runAction(io, () => printTrust(flags, io)));
  const appeal = createAccountPart("appeal", "have what was found against a hotspot judged anew")
    .option(...HOTSPOT_OPTION)
    .option(...VALIDATOR_OPTION)
    .option(...GENESIS_OPTION)
    .option(
      "--evidence <did...>",
      "hotspots that have heard it, or that it has heard; without it a validator says which",
    )
    .action((flags: AppealFlags) => runAction(io, () => appealFindings(flags, io)));
  return [trust, appeal].map((part) => useIo(part, io));
}

async function printTrust(flags: TrustFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const { findApi } = await import("./account/open.ts");
  const hotspot = readHotspot(flags.hotspot, faults);
  const api = findApi(flags.validator, faults);
  if (hotspot === null || api === null) throw new ConfigErrors(faults);
  await sayTrust(api, hotspot, io);
}

async function appealFindings(flags: AppealFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const { findApi, findGenesis, readAccount, startSession } = await import("./account/open.ts");
  const hotspot = readHotspot(flags.hotspot, faults);
  const named = readEvidence(flags.evidence ?? [], faults);
  const account = await readAccount(flags.home, "--home", flags.passphraseFile, io, faults);
  const genesis = await findGenesis(flags.genesis, flags.home, faults);
  const api = findApi(flags.validator, faults);
  const session = await startSession({ account, genesis, api }, faults, io);
  if (hotspot === null) throw new ConfigErrors(faults);
  await sayTrust(session.api, hotspot, io);
  const evidence = named.length > 0 ? named : await pickEvidence(session.api, hotspot);
  for (const key of evidence) printLine(io, `evidence: ${encodeDidKey(key)} ${computeName(key)}`);
  const { readStanding, sendTransaction } = await import("./account/session.ts");
  const { epoch, nonce } = await readStanding(session, { fee: session.parameters.txFee });
  await sendTransaction(session, "appeal", { kind: "appeal", epoch, nonce, hotspot, evidence });
  const { appeal } = await session.api.getTrust(hotspot);
  if (appeal?.isPending !== true) return await sayTrust(session.api, hotspot, io);
  const last = appeal.decidedFromEpoch - 1;
  printLine(io, `it is decided at the end of epoch ${last}; account trust then says how`);
  printLine(
    io,
    "until then the hotspot must assert no other place, antenna or region: that drops the appeal",
  );
}

async function sayTrust(api: ValidatorApi, hotspot: Uint8Array, io: NodeIo): Promise<void> {
  const { describeTrust } = await import("./account/trustWords.ts");
  printLine(io, `hotspot: ${encodeDidKey(hotspot)} ${computeName(hotspot)}`);
  const trust = await api.getTrust(hotspot);
  const { computations, appeal } = trust;
  // Only where no computation tells of it.
  const isNewcomer =
    computations.length === 0 &&
    appeal !== null &&
    (await api.isNewToTrust(hotspot, appeal.decidedFromEpoch));
  for (const line of describeTrust(trust, isNewcomer)) printLine(io, line);
}

/** Those with whom the hotspot has most receptions. @throws CodedError "request_refused" where it has none. */
async function pickEvidence(api: ValidatorApi, hotspot: Uint8Array): Promise<readonly Uint8Array[]> {
  const counterparts = await api.getCounterparts(hotspot);
  if (counterparts.length > 0) return counterparts.slice(0, PICKED_EVIDENCE);
  const words =
    "the validator knows of nobody who heard it in the last day of epochs, or whom it heard: name with --evidence who did before";
  throw new CodedError("request_refused", words);
}

function readHotspot(text: string | undefined, faults: string[]): Uint8Array | null {
  const key = text === undefined ? null : decodeDidKey(text);
  if (key === null) faults.push("--hotspot must be the did:key of a hotspot");
  return key;
}

function readEvidence(texts: readonly string[], faults: string[]): readonly Uint8Array[] {
  const keys = texts.map(decodeDidKey).filter((key) => key !== null);
  if (keys.length < texts.length || keys.length > MAX_APPEAL_EVIDENCE)
    faults.push(`--evidence takes up to ${MAX_APPEAL_EVIDENCE} did:keys of hotspots`);
  return keys;
}
