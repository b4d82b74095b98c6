/**
 * What tests of the ledger stand on: a genesis with hotspots at real places, messages as they come out of a batch, and
 * an ideal radio that gives every reception a plausible strength.
 */
import { latLngToCell } from "h3-js";
import { asciiBytes } from "../../protocol/src/bytes/bytes.ts";
import { createSigningDomains } from "../../protocol/src/crypto/domain.ts";
import { sha256 } from "../../protocol/src/crypto/sha256.ts";
import { type Challenge, computeChallengePowerCentiDbm } from "../../protocol/src/evidence/challenge.ts";
import { computeCommit, computeProof, computeTag } from "../../protocol/src/evidence/commitReveal.ts";
import { cellFromHex, cellToBigint } from "../../protocol/src/geo/cell.ts";
import { computeCentre } from "../../protocol/src/geo/centre.ts";
import { computeDistanceM } from "../../protocol/src/geo/distance.ts";
import type { LedgerMessage } from "../../protocol/src/ledger/types.ts";
import { computeNetworkId, type Genesis, type GenesisHotspot } from "../../protocol/src/network/genesis.ts";
import type { Parameters } from "../../protocol/src/network/parameters.ts";
import { PRESETS } from "../../protocol/src/network/presets.ts";
import { computeFreeSpaceLossCentiDb } from "../../protocol/src/radio/pathLoss.ts";
import { REGION_PLANS, type RegionName } from "../../protocol/src/radio/regions.ts";
import { computeEnvelopeId } from "../../protocol/src/wire/envelope.ts";
import {
  type BeaconReport,
  encodeMeasurement,
  encodeReportBundle,
  type Measurement,
  type ReportBundle,
  type WitnessReport,
} from "../../protocol/src/wire/reports.ts";
import { encodeTransaction, type Transaction } from "../../protocol/src/wire/transactions.ts";

/** A key that is a name's hash: execution checks no signature, so nobody needs the secret. */
export const keyOf = (name: string): Uint8Array => sha256(asciiBytes(name));

export type Site = { readonly latE7: number; readonly lngE7: number };

/** A place on land near Berlin, so many metres east and north of its centre (a degree is 111,195 m; flat enough here). */
export function siteAt(eastM: number, northM: number): Site {
  return {
    latE7: Math.round((52.52 + northM / 111_195) * 1e7),
    lngE7: Math.round((13.405 + eastM / (111_195 * 0.6085)) * 1e7),
  };
}

/** The place as an assertion has it: the resolution-12 cell around it and that cell's centre. */
export function assertedAt({ latE7, lngE7 }: Site): Pick<GenesisHotspot, "cell" | "latE7" | "lngE7"> {
  const cell = cellFromHex(latLngToCell(latE7 / 1e7, lngE7 / 1e7, 12))!;
  return { cell: cellToBigint(cell), ...computeCentre(cell) };
}

export type HotspotOptions = {
  readonly name: string;
  readonly owner?: string;
  readonly site: Site;
  readonly gainCentiDbi?: number;
  readonly region?: RegionName;
};

export function genesisHotspot(options: HotspotOptions): GenesisHotspot {
  return {
    key: keyOf(options.name),
    owner: keyOf(options.owner ?? `owner of ${options.name}`),
    ...assertedAt(options.site),
    gainCentiDbi: options.gainCentiDbi ?? 300,
    elevationM: 20,
    region: options.region ?? "EU868",
  };
}

/**
 * A genesis of one validator (or those of these names), one rich account ("bank") and these hotspots, on the `test`
 * preset.
 */
export function createGenesis(
  hotspots: readonly HotspotOptions[],
  parameters: Partial<Parameters> = {},
  validators: readonly string[] = ["validator"],
): Genesis {
  return {
    name: "ledger-test",
    timeMs: 1_800_000_000_000,
    seed: keyOf("seed 0"),
    parameters: { ...PRESETS.test, ...parameters },
    validators: validators.map((name) => ({
      ...{ key: keyOf(name), stake: 1_000_000_000_000n, multiaddrs: [] },
    })),
    accounts: [{ key: keyOf("bank"), balance: 1_000_000_000_000n }],
    hotspots: hotspots.map(genesisHotspot),
  };
}

/** Makes messages as they come out of a batch, ids and all. */
export class MessageMaker {
  readonly #domains;

  constructor(genesis: Genesis) {
    this.#domains = createSigningDomains(computeNetworkId(genesis));
  }

  reports(sender: Uint8Array, epoch: number, reports: Partial<Omit<ReportBundle, "epoch">>): LedgerMessage {
    const bundle = { epoch, beacons: [], witnesses: [], reveals: [], ...reports };
    const kind = "reports";
    const id = computeEnvelopeId(this.#domains, { kind, sender, body: encodeReportBundle(bundle) });
    return { kind, id, sender, bundle };
  }

  transaction(sender: Uint8Array, transaction: Transaction): LedgerMessage {
    const { kind } = transaction;
    const id = computeEnvelopeId(this.#domains, { kind, sender, body: encodeTransaction(transaction) });
    return { kind, id, sender, transaction };
  }
}

/** A beacon as its hotspot knows it. */
export type SentBeacon = {
  readonly hotspot: GenesisHotspot;
  readonly epoch: number;
  readonly secret: Uint8Array;
  readonly tag: Uint8Array;
  readonly report: BeaconReport;
};

/** Sends what a challenge asks for, to the letter. */
export function sendBeacon(
  hotspot: GenesisHotspot,
  challenge: Challenge,
  epoch: number,
  secret: Uint8Array,
  timeMs: number,
): SentBeacon {
  const commit = computeCommit(hotspot.key, epoch, secret);
  const plan = REGION_PLANS[hotspot.region];
  const report = {
    commit,
    freqHz: challenge.freqHz,
    spreadingFactor: challenge.spreadingFactor,
    bandwidthHz: challenge.bandwidthHz,
    powerCentiDbm: computeChallengePowerCentiDbm(plan, hotspot.gainCentiDbi, challenge.powerStepDb),
    timeMs,
  };
  return { hotspot, epoch, secret, tag: computeTag(commit), report };
}

/** What a hotspot hears of a beacon over free space and 10 dB of buildings, at 5 dB of SNR. */
export function measureBeacon(beacon: SentBeacon, witness: Site & { gainCentiDbi: number }): Measurement {
  const { hotspot, report } = beacon;
  const distanceM = computeDistanceM(hotspot.latE7, hotspot.lngE7, witness.latE7, witness.lngE7);
  const lossCentiDb = computeFreeSpaceLossCentiDb(Math.max(distanceM, 30), report.freqHz) + 1_000;
  const rssiCentiDbm = report.powerCentiDbm + hotspot.gainCentiDbi + witness.gainCentiDbi - lossCentiDb;
  return {
    rssiDeciDbm: Math.max(Math.floor(rssiCentiDbm / 10), -1_190),
    rssiKind: "channel",
    snrCentiDb: 500,
    freqHz: report.freqHz,
    spreadingFactor: report.spreadingFactor,
    bandwidthHz: report.bandwidthHz,
    timeMs: report.timeMs,
  };
}

/** A witness report with the proof that only one who holds the secret can make. */
export function witnessBeacon(
  beacon: SentBeacon,
  witness: GenesisHotspot,
  change: Partial<Measurement> = {},
): WitnessReport {
  const measurement = { ...measureBeacon(beacon, witness), ...change };
  return {
    tag: beacon.tag,
    proof: computeProof(beacon.secret, witness.key, encodeMeasurement(measurement)),
    measurement,
  };
}
