/**
 * The devnet's world: who there is and where, all from one seed. Keys of a devnet are derived from that seed and
 * therefore known to everyone: fit for a demonstration on one machine and for nothing else.
 */

import { latLngToCell } from "h3-js";
import { asciiBytes, uint64Bytes } from "../../../protocol/src/bytes/bytes.ts";
import { createKeyPair, type Ed25519KeyPair } from "../../../protocol/src/crypto/ed25519.ts";
import { hashLabelled } from "../../../protocol/src/crypto/sha256.ts";
import { cellFromHex, cellToBigint } from "../../../protocol/src/geo/cell.ts";
import { computeCentre } from "../../../protocol/src/geo/centre.ts";
import type { Genesis, GenesisHotspot } from "../../../protocol/src/network/genesis.ts";
import { BASE_UNITS_PER_TOKEN } from "../../../protocol/src/network/parameters.ts";
import { PRESETS, type PresetName } from "../../../protocol/src/network/presets.ts";
import { createRandom } from "../../ether/prng.ts";
import { choosePlaces, type Place } from "./places.ts";

export type DevnetHotspot = {
  readonly index: number;
  readonly keys: Ed25519KeyPair;
  readonly owner: Ed25519KeyPair;
  readonly place: Place;
  /** The 8 bytes by which its packet forwarder names itself, as 16 hexadecimal digits. */
  readonly eui: string;
  readonly gainCentiDbi: number;
  /** As asserted in genesis: the cell of the place, and that cell's centre. */
  readonly asserted: GenesisHotspot;
};

export type World = {
  readonly seed: number;
  readonly validators: readonly Ed25519KeyPair[];
  readonly hotspots: readonly DevnetHotspot[];
};

/** Ordinary antennas of the trade: a stub, a 3 dBi and a 5.8 dBi fibreglass. */
const GAINS_CENTI_DBI = [120, 300, 580] as const;
const LOCATION_RESOLUTION = 12;
/** Hotspots an owner: two for every second one, so that the cap on an owner's witnesses has something to cut. */
const HOTSPOTS_PER_OWNERS = 3 / 2;

const deriveKeys = (seed: number, role: string, index: number): Ed25519KeyPair =>
  createKeyPair(hashLabelled("devnet-key", uint64Bytes(seed), uint64Bytes(index), asciiBytes(role)));

/** Makes the world of a seed: the same seed and count give the same keys, places and antennas. */
export function createWorld(seed: number, count: number, validatorCount = 1): World {
  const random = createRandom(seed);
  const places = choosePlaces(count, random);
  const owners = Math.max(1, Math.ceil(count / HOTSPOTS_PER_OWNERS));
  const hotspots = places.map((place, index): DevnetHotspot => {
    const keys = deriveKeys(seed, "hotspot", index);
    const owner = deriveKeys(seed, "owner", index % owners);
    const gainCentiDbi = GAINS_CENTI_DBI[Math.floor(random() * GAINS_CENTI_DBI.length)]!;
    const cell = cellFromHex(latLngToCell(place.lat, place.lng, LOCATION_RESOLUTION))!;
    const asserted: GenesisHotspot = {
      key: keys.publicKey,
      owner: owner.publicKey,
      cell: cellToBigint(cell),
      ...computeCentre(cell),
      gainCentiDbi,
      elevationM: place.elevationM,
      region: place.region,
    };
    return { index, keys, owner, place, eui: euiOf(index), gainCentiDbi, asserted };
  });
  const validators = Array.from({ length: validatorCount }, (_, index) =>
    deriveKeys(seed, "validator", index),
  );
  return { seed, validators, hotspots };
}

/** A locally administered EUI (its second lowest bit is set), so that it can never be a real concentrator's. */
const euiOf = (index: number): string => `02feed00${index.toString(16).padStart(8, "0")}`;

/**
 * The genesis of a world.
 * @param timeMs when round 0 may begin.
 * @param addresses where each validator listens; none where nobody has to know.
 */
export function createGenesis(
  world: World,
  preset: PresetName,
  timeMs: number,
  addresses: readonly string[] = [],
): Genesis {
  const parameters = PRESETS[preset];
  const owners = new Map(world.hotspots.map((hotspot) => [hotspot.eui, hotspot.owner.publicKey]));
  const accounts = new Map([...owners.values()].map((key) => [key.join(), key]));
  return {
    name: `hexbeacon-${preset}-${world.seed}`,
    timeMs,
    seed: hashLabelled("devnet-seed", uint64Bytes(world.seed)),
    parameters,
    validators: world.validators.map(({ publicKey }, index) => ({
      key: publicKey,
      stake: parameters.validatorStake,
      multiaddrs: addresses.slice(index, index + 1),
    })),
    accounts: [...accounts.values()].map((key) => ({ key, balance: 100n * BASE_UNITS_PER_TOKEN })),
    hotspots: world.hotspots.map((hotspot) => hotspot.asserted),
  };
}
