/**
 * A store as a year of use leaves it, for the benchmarks of the API: every hotspot with a line in every epoch, made
 * without executing anything. One round an epoch is enough, since what is asked for are epochs and lines.
 */
import { latLngToCell } from "h3-js";
import { asciiBytes, uint64Bytes } from "../../protocol/src/bytes/bytes.ts";
import { sha256 } from "../../protocol/src/crypto/sha256.ts";
import type { EpochClose, HotspotView, RoundResult } from "../../protocol/src/ledger/types.ts";
import { BASE_UNITS_PER_TOKEN } from "../../protocol/src/network/parameters.ts";
import { openSqliteStore } from "../../validator/src/store/sqliteStore/sqliteStore.ts";
import { createRandom } from "./population.ts";

export const API_NETWORK_ID = sha256(asciiBytes("api bench"));
const START_TIME_MS = Date.UTC(2026, 9, 1);
const EPOCH_MS = 3_600_000;
/** A square of Europe, which a few hundred cells of resolution 7 and thousands of resolution 8 cover. */
const PLACE = { south: 44, west: 2, degrees: 3 } as const;

export const apiHotspotKey = (n: number): Uint8Array => sha256(asciiBytes("api hotspot"), uint64Bytes(n));
const ownerKey = (n: number): Uint8Array => sha256(asciiBytes("api owner"), uint64Bytes(n % 1_000));
const digest = (label: string, n: number): Uint8Array => sha256(asciiBytes(label), uint64Bytes(n));

function createHotspots(count: number): HotspotView[] {
  const random = createRandom(1);
  return Array.from({ length: count }, (_, n): HotspotView => {
    const [lat, lng] = [
      PLACE.south + random() * PLACE.degrees,
      PLACE.west + random() * PLACE.degrees,
    ] as const;
    return {
      key: apiHotspotKey(n),
      owner: ownerKey(n),
      registeredEpoch: -2,
      bond: 50n * BASE_UNITS_PER_TOKEN,
      assertion: {
        cell: BigInt(`0x${latLngToCell(lat, lng, 12)}`),
        latE7: Math.round(lat * 1e7),
        lngE7: Math.round(lng * 1e7),
        gainCentiDbi: 300,
        elevationM: 12,
        region: "EU868",
        fromEpoch: -2,
      },
      device: null,
      lastActiveEpoch: null,
      silentUntilEpoch: null,
      leavingUntilEpoch: null,
    };
  });
}

const books = (paid: bigint) => ({ emitted: paid, carriedIn: 0n, paid, carriedOut: 0n });

function closeEpoch(epoch: number, hotspots: readonly HotspotView[], isLast: boolean): EpochClose {
  const lines = hotspots.map(({ key, owner }, n) => ({
    hotspot: key,
    owner,
    beaconUnitsPpm: 2_400_000,
    witnessUnitsPpm: 100_000 + ((n * 7_919 + epoch * 104_729) % 4_000_000),
    scalePpm: 1_000_000,
    beaconPaid: 1_200_000n,
    witnessPaid: BigInt(1_000_000 + ((n * 7_919 + epoch * 104_729) % 9_000_000)),
    trustPpm: 1_000_000,
    penalties: 0,
    beaconWithheld: 0n,
    witnessWithheld: 0n,
  }));
  const paid = lines.reduce((sum, line) => sum + line.beaconPaid + line.witnessPaid, 0n);
  return {
    epoch,
    firstRound: epoch,
    lastRound: epoch,
    startTimeMs: START_TIME_MS + epoch * EPOCH_MS,
    endTimeMs: START_TIME_MS + (epoch + 1) * EPOCH_MS,
    seed: digest("seed", epoch),
    nextSeed: digest("seed", epoch + 1),
    pools: { beacons: books(paid), witnesses: books(0n), data: books(0n), validators: books(0n) },
    escrow: { carriedIn: 0n, withheld: 0n, released: 0n, returned: 0n, carriedOut: 0n },
    shares: { beacons: 1n, witnesses: 1n },
    trustRows: null,
    renamedTrust: [],
    releases: [],
    lines,
    validatorsPaid: [],
    beaconUnits: [],
    // Of older epochs the map is pruned; one is what the map's route reads.
    coverage: isLast ? coverageOf(hotspots) : [],
    beaconsClosed: hotspots.length,
    witnessesAccepted: 8 * hotspots.length,
    witnessesUnpaid: {},
    witnessesRefused: {},
    beaconsRefused: {},
    accounts: 1_000,
    nextValidators: [],
    record: new Uint8Array(0),
    recordDigest: digest("record", epoch),
    inputsDigest: digest("inputs", epoch),
    rewardRoot: digest("reward root", epoch),
    stateRoot: digest("state root", epoch),
  };
}

function coverageOf(hotspots: readonly HotspotView[]): EpochClose["coverage"] {
  const standing = new Map<string, number[]>();
  for (const [index, { assertion }] of hotspots.entries()) {
    const cell = latLngToCell(assertion!.latE7 / 1e7, assertion!.lngE7 / 1e7, 8);
    standing.set(cell, [...(standing.get(cell) ?? []), index]);
  }
  return [...standing]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([cell, here]) => ({
      cell: BigInt(`0x${cell}`),
      hotspots: here,
      counterparts: 5,
      coveragePpm: 1_000_000,
    }));
}

/** A round in which nothing happens. */
export const apiRound = (round: number): RoundResult => ({
  round,
  epoch: 0,
  timeMs: START_TIME_MS + round * EPOCH_MS,
  included: [],
  notExecuted: [],
  outcomes: [],
  beaconsClosed: [],
  transactions: [],
  overQuota: [],
  hotspotsChanged: [],
  accountsChanged: [],
  validatorsChanged: [],
  evidence: [],
  epochClose: null,
  stateDigest: digest("state", round),
});

/** Makes the store of so many hotspots and closed epochs: 10,000 and 500 are 5,000,000 lines and take a minute. */
export async function makeApiStore(path: string, hotspots: number, epochs: number): Promise<void> {
  const views = createHotspots(hotspots);
  const accounts = Array.from({ length: 1_000 }, (_, n) => ({
    key: ownerKey(n),
    balance: 5n * BASE_UNITS_PER_TOKEN,
    nonce: n,
    earned: 5n * BASE_UNITS_PER_TOKEN,
  }));
  const genesis = { hotspots: views, accounts, validators: [], seats: [] };
  const store = await openSqliteStore({ path, networkId: API_NETWORK_ID, genesis });
  for (let epoch = 0; epoch < epochs; epoch++) {
    const result = { ...apiRound(epoch), epoch, epochClose: closeEpoch(epoch, views, epoch === epochs - 1) };
    const value = uint64Bytes(epoch);
    await store.commitRound({ value, finalCert: value, result, batchDigests: [], batchSpans: [] });
  }
  await store.close();
}
