/** The files that carry what a hotspot has consented to: written where the hotspot is, read where its owner's key lies. */
import { computeNetworkId, type Genesis } from "../../../../protocol/src/network/genesis.ts";
import { epochOfRound } from "../../../../protocol/src/network/parameters.ts";
import { createSystemClock } from "../../host/clock.ts";
import { CodedError } from "../../host/codedError.ts";
import { createFile, readFileIfAny } from "../../host/durableFile.ts";
import { parseFields } from "../../host/jsonFields.ts";
import type { Checked } from "../config.ts";
import { type NodeIo, printLine } from "../io.ts";
import type { Change } from "./change.ts";
import {
  CHANGE_FORMAT,
  type ChangeRequest,
  type ChangeSigners,
  createChangeRequest,
  decodeChangeRequest,
  encodeChangeRequest,
} from "./changeRequest.ts";
import { expectNetwork } from "./session.ts";
import { decodeSigningRequest, REQUEST_EPOCHS, type SigningRequest } from "./signingRequest.ts";
import type { ValidatorApi } from "./validatorApi.ts";

/** A request is some 10 kB, and one with a binding in it 20. */
const MAX_REQUEST_BYTES = 64_000;

/** Any request, by what it asks for. */
export type AnyRequest =
  | { readonly kind: "registration"; readonly request: SigningRequest }
  | { readonly kind: "change"; readonly request: ChangeRequest };

/** Writes a change that two keys consent to, for the owner to sign elsewhere. @throws as `writeRequestFile` does. */
export async function writeChangeRequest(
  path: string,
  change: Change,
  signers: ChangeSigners,
  { genesis, api }: { readonly genesis: Genesis; readonly api: ValidatorApi | null },
  io: NodeIo,
): Promise<void> {
  const networkId = computeNetworkId(genesis);
  const firstEpoch = await findFirstEpoch(genesis, networkId, api);
  const request = await createChangeRequest({ networkId, change }, signers, firstEpoch, REQUEST_EPOCHS);
  await writeRequestFile(path, encodeChangeRequest(request), firstEpoch, io);
}

/** The epoch from which consents are given: a validator's, else the one by the clock. */
export async function findFirstEpoch(
  genesis: Genesis,
  networkId: Uint8Array,
  api: ValidatorApi | null,
): Promise<number> {
  if (api !== null) return await expectNetwork(api, networkId);
  // The network is in it, or behind by as much as its rounds have ever been late.
  const elapsedMs = Math.max(0, createSystemClock().nowMs() - genesis.timeMs);
  return epochOfRound(genesis.parameters, Math.floor(elapsedMs / genesis.parameters.roundMs));
}

/** Writes a request where nothing is yet, and says what becomes of it. @throws CodedError "file_exists". */
export async function writeRequestFile(
  path: string,
  text: string,
  firstEpoch: number,
  io: NodeIo,
): Promise<void> {
  if (!(await createFile(path, text, 0o644))) throw new CodedError("file_exists", `${path} exists`);
  printLine(io, `wrote ${path}, good for epochs ${firstEpoch} to ${firstEpoch + REQUEST_EPOCHS - 1}`);
  printLine(io, "its owner completes it with account sign; nothing in it is secret");
}

/** The consent for an epoch; null where there is none. */
export function findConsent<T extends { readonly epoch: number }>(
  consents: readonly T[],
  epoch: number,
): T | null {
  return consents.find((consent) => consent.epoch === epoch) ?? null;
}

/** Reads a request of any kind, every signature in it verified. */
export async function readRequestFile(path: string): Promise<Checked<AnyRequest>> {
  const fault = (words: string): Checked<never> => ({ ok: false, faults: [words] });
  const bytes = await readFileIfAny(path);
  if (bytes === null) return fault(`there is no ${path}`);
  if (bytes.length > MAX_REQUEST_BYTES) return fault(`${path} is too long for a request`);
  const text = Buffer.from(bytes).toString("utf8");
  const fields = parseFields(text);
  if (fields?.format === CHANGE_FORMAT) {
    const change = decodeChangeRequest(fields, REQUEST_EPOCHS);
    return change.ok ? { ok: true, value: { kind: "change", request: change.value } } : change;
  }
  const signing = decodeSigningRequest(text);
  return signing.ok ? { ok: true, value: { kind: "registration", request: signing.value } } : signing;
}
