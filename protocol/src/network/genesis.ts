/**
 * The genesis file: what a network starts from. People write and read it as JSON; its SSZ encoding is hashed into the
 * network id, so two files that say the same have the same id whatever their spaces.
 */
import { ByteListType, ContainerType, ListCompositeType } from "@chainsafe/ssz";
import { asciiBytes } from "../bytes/bytes.ts";
import { decodeHex, encodeHex, encodeHex0x } from "../bytes/hex.ts";
import { decodeDidKey, encodeDidKey } from "../crypto/didKey.ts";
import { sha256 } from "../crypto/sha256.ts";
import { cellFromHex, resolutionOf } from "../geo/cell.ts";
import { REGION_PLANS, type RegionName } from "../radio/regions.ts";
import { Bytes32, fromInt16, fromInt32, Uint8, Uint16, Uint32, Uint64, UintBig64 } from "../wire/ssz.ts";
import {
  decodeParametersJson,
  encodeParametersJson,
  MAX_VALIDATORS,
  type Parameters,
  ParametersSsz,
  parseAmount,
} from "./parameters.ts";

/** Genesis hotspots count as registered since this epoch, so that the first epochs can challenge them and pay. */
export const GENESIS_REGISTRATION_EPOCH = -2;

const MAX_MULTIADDRS = 8;
const MAX_MULTIADDR_BYTES = 256;
const MAX_NAME_BYTES = 64;
/** Genesis is read whole into memory; a million entries are some 300 MB of JSON and more than any start needs. */
const MAX_ENTRIES = 1_000_000;
/** Ten a metropolis for a hundred of them; those who stake name more later. */
export const MAX_TRUST_SEEDS = 1_000;

/** Parameters bound all emission by 2^62, so with this no amount ever leaves 64 bits. */
export const MAX_GENESIS_TOTAL = (1n << 63n) - 1n;

export type GenesisValidator = {
  readonly key: Uint8Array;
  readonly stake: bigint;
  readonly multiaddrs: readonly string[];
};
export type GenesisAccount = { readonly key: Uint8Array; readonly balance: bigint };
export type GenesisHotspot = {
  readonly key: Uint8Array;
  readonly owner: Uint8Array;
  readonly cell: bigint;
  readonly latE7: number;
  readonly lngE7: number;
  readonly gainCentiDbi: number;
  readonly elevationM: number;
  readonly region: RegionName;
};
/** `timeMs`: Unix time at which round 0 may begin. `seed`: seed(0), 32 bytes. */
export type Genesis = {
  readonly name: string;
  readonly timeMs: number;
  readonly seed: Uint8Array;
  readonly parameters: Parameters;
  readonly validators: readonly GenesisValidator[];
  readonly accounts: readonly GenesisAccount[];
  readonly hotspots: readonly GenesisHotspot[];
  /** Keys of genesis hotspots from which trust walks; left out or none: the graph decides nothing on this network. */
  readonly trustSeeds?: readonly Uint8Array[];
};

const GenesisSsz = new ContainerType(
  {
    name: new ByteListType(MAX_NAME_BYTES),
    timeMs: Uint64,
    seed: Bytes32,
    parameters: ParametersSsz,
    validators: new ListCompositeType(
      new ContainerType({
        key: Bytes32,
        stake: UintBig64,
        multiaddrs: new ListCompositeType(new ByteListType(MAX_MULTIADDR_BYTES), MAX_MULTIADDRS),
      }),
      MAX_VALIDATORS,
    ),
    accounts: new ListCompositeType(new ContainerType({ key: Bytes32, balance: UintBig64 }), MAX_ENTRIES),
    hotspots: new ListCompositeType(
      new ContainerType({
        key: Bytes32,
        owner: Bytes32,
        cell: UintBig64,
        latE7: Uint32,
        lngE7: Uint32,
        gainCentiDbi: Uint16,
        elevationM: Uint16,
        region: Uint8,
      }),
      MAX_ENTRIES,
    ),
    trustSeeds: new ListCompositeType(Bytes32, MAX_TRUST_SEEDS),
  },
  { typeName: "Genesis" },
);

/** The network id: SHA-256 of the genesis's SSZ encoding, 32 bytes. */
export function computeNetworkId(genesis: Genesis): Uint8Array {
  return sha256(
    GenesisSsz.serialize({
      name: asciiBytes(genesis.name),
      timeMs: genesis.timeMs,
      seed: genesis.seed,
      parameters: { ...genesis.parameters, powerStepsDb: [...genesis.parameters.powerStepsDb] },
      validators: genesis.validators.map((v) => ({ ...v, multiaddrs: v.multiaddrs.map(asciiBytes) })),
      accounts: genesis.accounts as GenesisAccount[],
      hotspots: genesis.hotspots.map((h) => ({
        ...h,
        latE7: fromInt32(h.latE7),
        lngE7: fromInt32(h.lngE7),
        gainCentiDbi: fromInt16(h.gainCentiDbi),
        elevationM: fromInt16(h.elevationM),
        region: REGION_PLANS[h.region].id,
      })),
      trustSeeds: (genesis.trustSeeds ?? []) as Uint8Array[],
    }),
  );
}

/** All balances and stakes, in base units. */
export function computeGenesisTotal({
  accounts,
  validators,
}: Pick<Genesis, "accounts" | "validators">): bigint {
  const staked = validators.reduce((sum, { stake }) => sum + stake, 0n);
  return accounts.reduce((sum, { balance }) => sum + balance, staked);
}

/** Writes a genesis file: JSON with keys as did:key, amounts as decimal strings, cells as H3 hexadecimal. */
export function encodeGenesisJson(genesis: Genesis): string {
  const json = {
    name: genesis.name,
    timeMs: genesis.timeMs,
    seed: encodeHex0x(genesis.seed),
    parameters: encodeParametersJson(genesis.parameters),
    validators: genesis.validators.map((v) => ({
      key: encodeDidKey(v.key),
      stake: v.stake.toString(),
      multiaddrs: v.multiaddrs,
    })),
    accounts: genesis.accounts.map((a) => ({ key: encodeDidKey(a.key), balance: a.balance.toString() })),
    hotspots: genesis.hotspots.map((h) => ({
      key: encodeDidKey(h.key),
      owner: encodeDidKey(h.owner),
      cell: h.cell.toString(16),
      latE7: h.latE7,
      lngE7: h.lngE7,
      gainCdbi: h.gainCentiDbi,
      elevationM: h.elevationM,
      region: h.region,
    })),
    ...(genesis.trustSeeds === undefined ? {} : { trustSeeds: genesis.trustSeeds.map(encodeDidKey) }),
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

/** A genesis read from JSON, or every fault found in it, in words. */
export type DecodedGenesis =
  | { readonly ok: true; readonly genesis: Genesis }
  | { readonly ok: false; readonly errors: readonly string[] };

type Fields = Record<string, unknown>;

/** Reads a genesis file; faults are reported all at once (at most 50 of them). */
export function decodeGenesisJson(text: string): DecodedGenesis {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { ok: false, errors: ["genesis: is not JSON"] };
  }
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    return { ok: false, errors: ["genesis: must be a JSON object"] };
  }
  const given = json as Fields;
  const errors: string[] = [];
  const name = given.name;
  // The name is hashed and shown in terminals and pages, so it stays plain printable ASCII.
  const nameFits = typeof name === "string" && /^[\x21-\x7e]([\x20-\x7e]{0,62}[\x21-\x7e])?$/.test(name);
  if (!nameFits) errors.push("name: must be 1 to 64 printable ASCII characters");
  const timeMs = readInteger(given, "timeMs", 0, Number.MAX_SAFE_INTEGER, "", errors);
  const seed = typeof given.seed === "string" ? decodeHex(given.seed, 32) : null;
  if (seed === null) errors.push("seed: must be 32 bytes of hexadecimal");
  const parameters = decodeParametersJson(given.parameters, errors);
  const validators = readList(given, "validators", MAX_VALIDATORS, errors, readValidator);
  if (validators.length === 0) errors.push("validators: at least one is needed");
  const accounts = readList(given, "accounts", MAX_ENTRIES, errors, readAccount);
  const hotspots = readList(given, "hotspots", MAX_ENTRIES, errors, readHotspot);
  reportDuplicates("validators", validators, errors);
  reportSmallStakes(validators, parameters, errors);
  if (computeGenesisTotal({ accounts, validators }) > MAX_GENESIS_TOTAL)
    errors.push("accounts, validators: balances and stakes together must stay below 2^63 base units");
  reportDuplicates("accounts", accounts, errors);
  reportDuplicates("hotspots", hotspots, errors);
  const trustSeeds = readTrustSeeds(given, hotspots, errors);
  if (errors.length > 0) return { ok: false, errors: errors.slice(0, 50) };
  return {
    ok: true,
    genesis: {
      name: name as string,
      timeMs,
      seed: seed!,
      parameters: parameters!,
      validators,
      accounts,
      hotspots,
      ...(trustSeeds.length > 0 ? { trustSeeds } : {}),
    },
  };
}

/** Seeds of trust, which are hotspots of the same file. */
function readTrustSeeds(given: Fields, hotspots: readonly GenesisHotspot[], errors: string[]): Uint8Array[] {
  if (given.trustSeeds === undefined) return [];
  const list = given.trustSeeds;
  if (!Array.isArray(list) || list.length > MAX_TRUST_SEEDS) {
    errors.push(`trustSeeds: must be a list of at most ${MAX_TRUST_SEEDS}`);
    return [];
  }
  const known = new Set(hotspots.map(({ key }) => encodeHex(key)));
  const seeds: Uint8Array[] = [];
  for (const [index, text] of list.entries()) {
    const key = typeof text === "string" ? decodeDidKey(text) : null;
    // Each once: a key that was taken is not known a second time.
    if (key !== null && known.delete(encodeHex(key))) seeds.push(key);
    else errors.push(`trustSeeds[${index}]: must be the did:key of one of the hotspots, each once`);
  }
  return seeds;
}

function readList<T>(
  given: Fields,
  field: string,
  limit: number,
  errors: string[],
  read: (entry: Fields, path: string, errors: string[]) => T,
): T[] {
  const list = given[field];
  if (!Array.isArray(list) || list.length > limit) {
    errors.push(`${field}: must be a list of at most ${limit}`);
    return [];
  }
  return list.map((entry, index) => {
    const path = `${field}[${index}]`;
    const isObject = typeof entry === "object" && entry !== null;
    if (!isObject) errors.push(`${path}: must be an object`);
    return read(isObject ? (entry as Fields) : {}, path, errors);
  });
}

function readKey(entry: Fields, field: string, path: string, errors: string[]): Uint8Array {
  const key = typeof entry[field] === "string" ? decodeDidKey(entry[field]) : null;
  if (key === null) errors.push(`${path}.${field}: must be a did:key of an Ed25519 key`);
  return key ?? new Uint8Array(32);
}

function readInteger(
  entry: Fields,
  field: string,
  least: number,
  most: number,
  path: string,
  errors: string[],
): number {
  const value = entry[field];
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= least && value <= most)
    return value;
  errors.push(`${path === "" ? "" : `${path}.`}${field}: must be a whole number from ${least} to ${most}`);
  return least;
}

function readAmount(entry: Fields, field: string, path: string, errors: string[]): bigint {
  const amount = parseAmount(entry[field]);
  if (amount === null) errors.push(`${path}.${field}: must be a decimal string of base units`);
  return amount ?? 0n;
}

function readValidator(entry: Fields, path: string, errors: string[]): GenesisValidator {
  const multiaddrs = entry.multiaddrs;
  const fits =
    Array.isArray(multiaddrs) &&
    multiaddrs.length <= MAX_MULTIADDRS &&
    multiaddrs.every(
      (text) =>
        typeof text === "string" && /^\/[\x21-\x7e]+$/.test(text) && text.length <= MAX_MULTIADDR_BYTES,
    );
  if (!fits) errors.push(`${path}.multiaddrs: must be a list of at most ${MAX_MULTIADDRS} multiaddrs`);
  return {
    key: readKey(entry, "key", path, errors),
    stake: readAmount(entry, "stake", path, errors),
    multiaddrs: fits ? (multiaddrs as string[]) : [],
  };
}

function readAccount(entry: Fields, path: string, errors: string[]): GenesisAccount {
  return { key: readKey(entry, "key", path, errors), balance: readAmount(entry, "balance", path, errors) };
}

function readHotspot(entry: Fields, path: string, errors: string[]): GenesisHotspot {
  const cellText = entry.cell;
  const cell = typeof cellText === "string" ? cellFromHex(cellText) : null;
  if (cell === null || resolutionOf(cell) !== 12)
    errors.push(`${path}.cell: must be an H3 cell of resolution 12`);
  const region = entry.region;
  const regionFits = typeof region === "string" && Object.hasOwn(REGION_PLANS, region);
  if (!regionFits) errors.push(`${path}.region: must be one of ${Object.keys(REGION_PLANS).join(", ")}`);
  return {
    key: readKey(entry, "key", path, errors),
    owner: readKey(entry, "owner", path, errors),
    cell: cell === null ? 0n : (BigInt(cell.hi) << 32n) | BigInt(cell.lo),
    latE7: readInteger(entry, "latE7", -900_000_000, 900_000_000, path, errors),
    lngE7: readInteger(entry, "lngE7", -1_800_000_000, 1_800_000_000, path, errors),
    gainCentiDbi: readInteger(entry, "gainCdbi", -1_000, 3_000, path, errors),
    elevationM: readInteger(entry, "elevationM", -500, 10_000, path, errors),
    region: regionFits ? (region as RegionName) : "EU868",
  };
}

/** A validator that could not have a seat by its stake would lose genesis's as soon as seats are filled anew. */
function reportSmallStakes(
  validators: readonly GenesisValidator[],
  parameters: Parameters | null,
  errors: string[],
): void {
  for (const [index, { stake }] of validators.entries()) {
    if (parameters !== null && stake < parameters.validatorStake)
      errors.push(`validators[${index}].stake: must be at least parameters.validatorStake`);
  }
}

function reportDuplicates(
  field: string,
  entries: readonly { readonly key: Uint8Array }[],
  errors: string[],
): void {
  const seen = new Set<string>();
  for (const [index, { key }] of entries.entries()) {
    const text = encodeHex(key);
    if (seen.has(text)) errors.push(`${field}[${index}].key: occurs twice`);
    seen.add(text);
  }
}
