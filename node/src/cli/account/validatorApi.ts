/**
 * A validator's HTTP API, as the commands of an account ask it. What it answers is a stranger's: its size is bounded,
 * and every field is checked before it is used.
 */
import { encodeHex, encodeHex0x } from "../../../../protocol/src/bytes/hex.ts";
import { decodeDidKey, encodeDidKey } from "../../../../protocol/src/crypto/didKey.ts";
import { parseAmount } from "../../../../protocol/src/network/parameters.ts";
import { areStakeMultiaddrs } from "../../../../protocol/src/wire/consents.ts";
import { CodedError } from "../../host/codedError.ts";
import { fetchJson } from "../../host/fetchJson.ts";
import { type Fields, toFields, toText } from "../../host/jsonFields.ts";
import { readTrustAnswer, type TrustAnswer } from "../../host/trustAnswer.ts";

/** Longer than a validator takes to say that it cannot answer: its words tell more than silence does. */
const TIMEOUT_MS = 15_000;
/** All answers but those on trust and links are one object of fixed fields, below 2 kB. */
const MAX_ANSWER_BYTES = 64_000;
/** A computation of trust has some 130 findings at most, each of fourteen counterparts with their reports; a link is 250 bytes. */
const MAX_LIST_BYTES = 8 * 1_048_576;
/** Back to an appeal that was decided: an escrow lasts for less. */
const TRUST_COMPUTATIONS = 8;

/** An account as the ledger has it; amounts in base units. */
export type AccountAnswer = {
  readonly balance: bigint;
  readonly earned: bigint;
  readonly nonce: number;
};
/** A hotspot as the ledger has it. `cell` is the text that h3 prints. */
export type HotspotAnswer = {
  readonly owner: string;
  readonly status: string;
  readonly leavingUntilEpoch: number | null;
  readonly assertion: {
    readonly cell: string;
    readonly gainCentiDbi: number;
    readonly elevationM: number;
    readonly region: string;
  } | null;
  /** The secure element whose signature its beacons need: 33 bytes in hexadecimal. Null also where the validator does not say. */
  readonly device: { readonly key: string; readonly fromEpoch: number } | null;
};
export type TransactionAnswer = {
  readonly verdict: "pending" | "accepted" | "refused";
  readonly reason: string | null;
};

export type ValidatorApi = {
  /** The network's id in hexadecimal with 0x, and the epoch of the newest round. */
  readonly getStatus: () => Promise<{ readonly networkId: string; readonly epoch: number }>;
  /** Null where nothing was ever paid to the key. */
  readonly getAccount: (key: Uint8Array) => Promise<AccountAnswer | null>;
  /** Null where the key was never registered. */
  readonly getHotspot: (key: Uint8Array) => Promise<HotspotAnswer | null>;
  /** @throws CodedError "request_refused" where the validator does not know the hotspot. */
  readonly getTrust: (key: Uint8Array) => Promise<TrustAnswer>;
  /** Whether a hotspot came after the computation of trust before the next one, which is in force from `nextEpoch` on. */
  readonly isNewToTrust: (key: Uint8Array, nextEpoch: number) => Promise<boolean>;
  /** Whom a hotspot lately heard or was heard by, most receptions first. */
  readonly getCounterparts: (key: Uint8Array) => Promise<readonly Uint8Array[]>;
  /** Where a validator is reached, as its stake says; null where nobody ever staked for the key. */
  readonly getAddresses: (key: Uint8Array) => Promise<readonly string[] | null>;
  /** Null where the validator does not know the transaction. */
  readonly getTransaction: (id: Uint8Array) => Promise<TransactionAnswer | null>;
  /** Submits an encoded envelope. @returns null where it was admitted, else why not. */
  readonly submit: (envelope: Uint8Array) => Promise<{ readonly refusal: string } | null>;
};

/** The address of an API, http or https; null where it is none. */
export function parseApiUrl(text: string): URL | null {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return null;
  const url = new URL(text);
  if (url.search !== "" || url.hash !== "") return null;
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url;
}

/**
 * Asks the API at an address. Its methods throw CodedError "peer_unreachable" where nobody answers, "answer_oversized",
 * and "request_refused" where the answer is none of this API.
 */
export function createValidatorApi(base: URL): ValidatorApi {
  const get = (path: string) => ask(base, path);
  return {
    getStatus: async () => {
      const fields = expectFound(await get("v1/status"));
      const { id } = toFields(fields.network);
      return { networkId: readText(id), epoch: readCount(fields.epoch) };
    },
    getAccount: async (key) => {
      const fields = readFound(await get(`v1/accounts/${encodeDidKey(key)}`));
      if (fields === null) return null;
      const { balance, earned, nonce } = fields;
      return { balance: readAmount(balance), earned: readAmount(earned), nonce: readCount(nonce) };
    },
    getHotspot: async (key) => {
      const fields = readFound(await get(`v1/hotspots/${encodeDidKey(key)}`));
      return fields === null ? null : readHotspot(fields);
    },
    getTrust: async (key) => {
      const path = `v1/hotspots/${encodeDidKey(key)}/trust?limit=${TRUST_COMPUTATIONS}`;
      const fields = readFound(await ask(base, path, undefined, MAX_LIST_BYTES));
      if (fields === null) throw new CodedError("request_refused", "the network does not know this hotspot");
      return readTrustAnswer(fields) ?? refuseForeign();
    },
    isNewToTrust: async (key, nextEpoch) => {
      const [hotspot, penalties] = await Promise.all(
        [`v1/hotspots/${encodeDidKey(key)}`, "v1/trust/penalties"].map(get),
      );
      const { registeredEpoch } = expectFound(hotspot!);
      const { intervalEpochs } = expectFound(penalties!);
      return readNumber(registeredEpoch) >= nextEpoch - readCount(intervalEpochs);
    },
    getCounterparts: async (key) => {
      const path = `v1/hotspots/${encodeDidKey(key)}/links`;
      const { items } = expectFound(await ask(base, path, undefined, MAX_LIST_BYTES));
      if (!Array.isArray(items)) throw foreign();
      return items.map((item) => decodeDidKey(toText(toFields(item).hotspot)) ?? refuseForeign());
    },
    getAddresses: async (key) => {
      const fields = readFound(await get(`v1/validators/${encodeDidKey(key)}`));
      return fields === null ? null : readAddresses(fields.multiaddrs);
    },
    getTransaction: async (id) => {
      const fields = readFound(await get(`v1/transactions/${encodeHex0x(id)}`));
      if (fields === null) return null;
      const { verdict, reason } = fields;
      if (verdict !== "pending" && verdict !== "accepted" && verdict !== "refused") throw foreign();
      return { verdict, reason: reason === null ? null : readText(reason) };
    },
    submit: async (envelope) => {
      const { status, fields } = await ask(base, "v1/transactions", { envelope: encodeHex(envelope) });
      if (status === 202) return null;
      if (fields.reason === undefined) throw unexpected(status);
      return { refusal: readText(fields.reason) };
    },
  };
}

type Answer = { readonly status: number; readonly fields: Fields };

async function ask(base: URL, path: string, body?: Fields, maxBytes = MAX_ANSWER_BYTES): Promise<Answer> {
  const limits = { timeoutMs: TIMEOUT_MS, maxBytes };
  const { status, json } = await fetchJson(new URL(path, base), limits, body);
  return { status, fields: toFields(json) };
}

function readHotspot({ owner, status, leavingUntilEpoch, assertion, device = null }: Fields): HotspotAnswer {
  const place = toFields(assertion);
  const { key, fromEpoch } = toFields(device);
  return {
    owner: readText(owner),
    status: readText(status),
    leavingUntilEpoch: leavingUntilEpoch === null ? null : readCount(leavingUntilEpoch),
    assertion:
      assertion === null
        ? null
        : {
            cell: readText(place.cell),
            gainCentiDbi: Math.round(readNumber(place.gainDbi) * 100),
            elevationM: readNumber(place.elevationM),
            region: readText(place.region),
          },
    device:
      device === null ? null : { key: readText(key).replace(/^0x/, ""), fromEpoch: readCount(fromEpoch) },
  };
}

function readAddresses(value: unknown): readonly string[] {
  if (!Array.isArray(value)) throw foreign();
  const multiaddrs = value.map(readText);
  if (!areStakeMultiaddrs(multiaddrs)) throw foreign();
  return multiaddrs;
}

function expectFound({ status, fields }: Answer): Fields {
  if (status !== 200) throw unexpected(status);
  return fields;
}

function readFound(answer: Answer): Fields | null {
  return answer.status === 404 ? null : expectFound(answer);
}

function readText(value: unknown): string {
  if (typeof value !== "string") throw foreign();
  return value;
}

function readNumber(value: unknown): number {
  if (typeof value !== "number") throw foreign();
  return value;
}

function readCount(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0) throw foreign();
  return value as number;
}

function readAmount(value: unknown): bigint {
  const amount = parseAmount(value);
  if (amount === null) throw foreign();
  return amount;
}

function foreign(): CodedError {
  return new CodedError("request_refused", "what answers there is no Hexbeacon validator's API");
}

function refuseForeign(): never {
  throw foreign();
}

function unexpected(status: number): CodedError {
  const words = status === 429 ? "too many requests: wait a minute" : "the validator could not answer";
  return new CodedError("request_refused", `${words} (HTTP status ${status})`);
}
