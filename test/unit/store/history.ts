/**
 * A made-up history of a small network, from a seed: rounds whose results have every form that execution gives, without
 * executing anything. Stores and the API are tested on it.
 */

import { asciiBytes, uint64Bytes } from "../../../protocol/src/bytes/bytes.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import type { Reason } from "../../../protocol/src/evidence/reasons.ts";
import type {
  AccountView,
  ClosedBeacon,
  Conviction,
  EpochClose,
  HotspotView,
  ReportOutcome,
  RoundResult,
  TrustRow,
  ValidatorView,
} from "../../../protocol/src/ledger/types.ts";
import type { PoolBooks } from "../../../protocol/src/reward/pools.ts";
import { cellAtResolution } from "../../../validator/src/store/cellRange.ts";
import type { GenesisViews, RoundCommit, Snapshot } from "../../../validator/src/store/store.ts";

export const ROUNDS_PER_EPOCH = 6;
/** The first epoch begins an hour before a month does, so that buckets by day and month have an edge inside. */
export const START_TIME_MS = Date.UTC(2026, 9, 31, 23);
/** An epoch takes an hour here: rounds are far apart, which no store minds. */
const EPOCH_MS = 3_600_000;
const HOTSPOTS = 9;
const WITNESSES = 4;

/** 32 bytes that a label stands for. */
export const named = (label: string): Uint8Array => sha256(asciiBytes(label));

export type History = {
  readonly genesis: GenesisViews;
  readonly commits: readonly { readonly commit: RoundCommit; readonly snapshot?: Snapshot }[];
};

/** Numbers from a seed: the n-th is a hash of the seed and n. */
function createDraw(seed: string): (below: number) => number {
  let n = 0;
  return (below) => {
    const hash = sha256(asciiBytes(seed), uint64Bytes(n++));
    return new DataView(hash.buffer, hash.byteOffset).getUint32(0) % below;
  };
}

/** Resolution-12 cells of one part of Lyon and one of Detroit. */
const CELLS = [
  0x8c1f90d24a1a5ffn,
  0x8c1f90d24a1b9ffn,
  0x8c1f90d25c2d3ffn,
  0x8c2ab2d83a6c1ffn,
  0x8c2ab2d83b0e5ffn,
];

function createHotspot(index: number): HotspotView {
  const cell = CELLS[index % CELLS.length]!;
  return {
    key: named(`hotspot ${index}`),
    owner: named(`owner ${index % 3}`),
    registeredEpoch: -2,
    bond: 1_000_000_000n,
    assertion:
      index === HOTSPOTS - 1
        ? null
        : {
            cell,
            latE7: 457_600_000 + index,
            lngE7: -48_300_000,
            gainCentiDbi: 120,
            elevationM: -3,
            region: "EU868",
            fromEpoch: -2,
          },
    // The first has a device from the start.
    device: index === 0 ? { key: Uint8Array.of(2, ...named("device")), fromEpoch: 1 } : null,
    lastActiveEpoch: null,
    silentUntilEpoch: null,
    leavingUntilEpoch: null,
  };
}

const account = (index: number, balance: bigint, earned: bigint): AccountView => ({
  key: named(`owner ${index}`),
  balance,
  nonce: index,
  earned,
});

const validatorKey = (index: number): Uint8Array => named(`validator ${index}`);

function createValidator(index: number, change: Partial<ValidatorView> = {}): ValidatorView {
  return {
    key: validatorKey(index),
    owner: validatorKey(index),
    stake: (1n << 63n) + BigInt(index),
    sinceEpoch: 0,
    unbondingUntilEpoch: null,
    isTombstoned: false,
    multiaddrs: [`/ip4/127.0.0.1/tcp/${index}`, "/dns4/validator.example.net/tcp/4467"],
    ...change,
  };
}

/** A fourth validator comes in epoch 2, and in epoch 4 the second has left. */
function seatsOf(epoch: number): Uint8Array[] {
  const seats = epoch < 2 ? [2, 0, 1] : epoch < 4 ? [2, 0, 1, 3] : [2, 0, 3];
  return seats.map(validatorKey);
}

/** Who stakes, leaves and is convicted in a round. */
function listStaked(round: number): ValidatorView[] {
  if (round === 1) return [createValidator(3, { owner: named("owner 2"), sinceEpoch: 0, stake: 7n })];
  if (round === 13) return [createValidator(1, { unbondingUntilEpoch: 12 })];
  if (round === 15) return [createValidator(1, { unbondingUntilEpoch: 12, isTombstoned: true, stake: 3n })];
  return [];
}

function listConvicted(round: number): Conviction[] {
  const piece = (offender: number, slashed: bigint): Conviction => ({
    offender: validatorKey(offender),
    kind: offender === 1 ? "double_attest" : "double_notarize",
    slashed,
    first: asciiBytes(`first ${round}`),
    second: asciiBytes(`second ${round}`),
  });
  if (round === 15) return [piece(1, (1n << 63n) - 2n), piece(0, 1n)];
  return round === 16 ? [piece(2, 0n)] : [];
}

/** Makes the history of `epochs` whole epochs and two rounds of the next. */
export function createHistory(seed: string, epochs: number): History {
  const draw = createDraw(seed);
  const hotspots = Array.from({ length: HOTSPOTS }, (_, index) => createHotspot(index));
  // The last account's balance is beyond a signed 64-bit integer, as a genesis may have it.
  const genesis = {
    hotspots,
    accounts: [account(0, 5n, 0n), account(1, (1n << 64n) - 1n, 0n)],
    validators: [0, 1, 2].map((index) => createValidator(index)),
    seats: seatsOf(0),
  };
  const commits: { commit: RoundCommit; snapshot?: Snapshot }[] = [];
  let open: ReportOutcome[] = [];
  let closedInEpoch: ClosedBeacon[] = [];
  let accepted: ReportOutcome[] = [];
  for (let round = 0; round < epochs * ROUNDS_PER_EPOCH + 2; round++) {
    const epoch = Math.floor(round / ROUNDS_PER_EPOCH);
    const timeMs = START_TIME_MS + (round * EPOCH_MS) / ROUNDS_PER_EPOCH;
    const isLast = round % ROUNDS_PER_EPOCH === ROUNDS_PER_EPOCH - 1;
    // What was heard in the round before gets its verdict; then new beacons, each with its witnesses.
    const closing = closeBeacons(open, epoch, round, draw);
    closedInEpoch.push(...closing.beacons);
    accepted.push(...closing.outcomes.filter((o) => o.selectionPending));
    const heard = isLast ? [] : hear(hotspots, epoch, round, timeMs, draw);
    const selected = isLast ? accepted.map((o, i): ReportOutcome => select(o, i)) : [];
    const transfer = named(`${seed} transfer ${round}`);
    const included = [
      ...new Map(heard.map((o) => [o.reportId.envelopeId, o.reportId.envelopeId])).keys(),
      transfer,
    ];
    const result: RoundResult = {
      round,
      epoch,
      timeMs,
      included,
      outcomes: [...heard, ...closing.outcomes, ...selected],
      beaconsClosed: closing.beacons,
      transactions: [
        {
          id: transfer,
          sender: named("owner 0"),
          kind: "transfer",
          reason: draw(3) === 0 ? "wrong_nonce" : null,
        },
      ],
      notExecuted: [],
      overQuota: draw(4) === 0 ? [{ hotspot: hotspots[0]!.key, count: 2 }] : [],
      hotspotsChanged:
        heard.length === 0 ? [] : [{ ...hotspots[draw(HOTSPOTS - 1)]!, lastActiveEpoch: epoch }],
      validatorsChanged: listStaked(round),
      evidence: listConvicted(round),
      accountsChanged: isLast ? [account(draw(3), 7_000n + BigInt(round), BigInt(round))] : [],
      epochClose: isLast ? closeEpoch(seed, epoch, hotspots, closedInEpoch, draw) : null,
      stateDigest: named(`${seed} state ${round}`),
    };
    const commit: RoundCommit = {
      value: asciiBytes(`${seed} value ${round}`),
      finalCert: asciiBytes(`certificate ${round}`),
      result,
      batchDigests: [named(`${seed} batch ${round}/1`), named(`${seed} batch ${round}/2`)],
      batchSpans: [{ lane: named("lane"), firstSeq: 2 * round + 1, lastSeq: 2 * round + 2 }],
    };
    commits.push(isLast ? { commit, snapshot: createSnapshot(seed, epoch) } : { commit });
    open = heard;
    if (isLast) {
      closedInEpoch = [];
      accepted = [];
    }
  }
  return { genesis, commits };
}

const createSnapshot = (seed: string, epoch: number): Snapshot => ({
  epoch,
  bytes: asciiBytes(`${seed} snapshot ${epoch}`),
  stateRoot: named(`${seed} root ${epoch}`),
});

/** One bundle with a beacon and a reveal, and one bundle a witness. */
function hear(
  hotspots: readonly HotspotView[],
  epoch: number,
  round: number,
  timeMs: number,
  draw: (below: number) => number,
): ReportOutcome[] {
  const beaconer = hotspots[draw(HOTSPOTS - 1)]!;
  const envelopeId = named(`beacon ${round}`);
  const base = {
    includedRound: round,
    state: "pending",
    reason: null,
    selectionPending: false,
    beacon: null,
  } as const;
  const nothing = {
    beaconReport: null,
    measurement: null,
    distanceM: null,
    ceilingCentiDbm: null,
    unitsPpm: null,
  };
  const report = {
    commit: named(`commit ${round}`),
    freqHz: 868_100_000,
    spreadingFactor: 9,
    bandwidthHz: 125_000,
    powerCentiDbm: 1_400,
    timeMs,
  };
  const outcomes: ReportOutcome[] = [
    {
      ...base,
      ...nothing,
      reportId: { envelopeId, index: 0 },
      hotspot: beaconer.key,
      kind: "beacon",
      beaconReport: report,
    },
    {
      ...base,
      ...nothing,
      reportId: { envelopeId, index: 2 },
      hotspot: beaconer.key,
      kind: "reveal",
      state: "refused",
      reason: "unknown_beacon",
    },
  ];
  for (let i = 0; i < WITNESSES; i++) {
    outcomes.push({
      ...base,
      ...nothing,
      reportId: { envelopeId: named(`witness ${round}/${i}`), index: draw(16) },
      hotspot: hotspots[(draw(HOTSPOTS) + i) % HOTSPOTS]!.key,
      kind: "witness",
      measurement: {
        rssiDeciDbm: -900 - draw(300),
        rssiKind: draw(2) === 0 ? "signal" : "channel",
        snrCentiDb: draw(30) * 25 - 300,
        freqHz: report.freqHz,
        spreadingFactor: report.spreadingFactor,
        bandwidthHz: report.bandwidthHz,
        timeMs: timeMs + epoch,
      },
    });
  }
  return outcomes;
}

const WITNESS_VERDICTS: readonly (Reason | null)[] = [
  null,
  null,
  "too_close",
  "rssi_above_ceiling",
  "proof_mismatch",
];

function closeBeacons(
  open: readonly ReportOutcome[],
  epoch: number,
  round: number,
  draw: (below: number) => number,
) {
  const beacon = open.find((o) => o.kind === "beacon");
  if (beacon === undefined) return { beacons: [], outcomes: [] };
  const outcomes: ReportOutcome[] = [{ ...beacon, state: "accepted", beacon: beacon.reportId }];
  for (const witness of open.filter((o) => o.kind === "witness")) {
    const reason = WITNESS_VERDICTS[draw(WITNESS_VERDICTS.length)]!;
    const isRefused = reason === "rssi_above_ceiling" || reason === "proof_mismatch";
    outcomes.push({
      ...witness,
      state: isRefused ? "refused" : "accepted",
      reason,
      selectionPending: reason === null,
      beacon: reason === "proof_mismatch" ? null : beacon.reportId,
      distanceM: reason === "proof_mismatch" ? null : 300 + draw(9_000),
      ceilingCentiDbm: reason === "proof_mismatch" ? null : -6_000 - draw(2_000),
    });
  }
  const closed: ClosedBeacon = {
    reportId: beacon.reportId,
    hotspot: beacon.hotspot,
    challengeEpoch: epoch,
    closedEpoch: epoch,
    includedRound: beacon.includedRound,
    closedRound: round,
    reason: null,
    report: beacon.beaconReport!,
    eirpCentiDbm: 1_520,
    secret: named(`secret ${round}`).slice(0, 16),
    witnessesAccepted: 2,
    witnessesUnpaid: 1,
    witnessesRefused: 1,
  };
  return { beacons: [closed], outcomes };
}

/** The cap refuses every third of the accepted ones. */
function select(outcome: ReportOutcome, index: number): ReportOutcome {
  const isDrawn = index % 3 !== 2;
  const reason = isDrawn ? null : "over_witness_cap";
  return { ...outcome, selectionPending: false, reason, unitsPpm: isDrawn ? 300_000 + index : 0 };
}

/** A hotspot's trust from the next epoch on; the first hotspot's is whole again. */
function trustRow(
  hotspot: Uint8Array,
  hotspots: readonly HotspotView[],
  epoch: number,
  index: number,
): TrustRow {
  const finding = {
    reason: "constant_window",
    factorPpm: 250_000,
    madeEpoch: epoch + 1,
    endsEpoch: epoch + 9,
    evidence: [{ counterpart: hotspots.at(-1)!.key, heardEpoch: epoch, heardByEpoch: -1 }],
  } as const;
  return {
    hotspot,
    fromEpoch: epoch + 1,
    graphPpm: 300_000,
    trustPpm: index === 0 ? 1_000_000 : 75_000,
    isSuspended: index > 0,
    isAppealed: index === 0,
    findings: index === 0 ? [] : [finding],
  };
}

/** What an epoch pays, and over what, so that a line's amounts follow from its units and its scale. */
const EMITTED = { beacons: 12n, witnesses: 48n } as const;
const SHARES = { beacons: 1_000_000n * EMITTED.beacons, witnesses: EMITTED.witnesses } as const;

/** A line of an epoch: a few base units for beacons, thousands of tokens for witnesses, each at times withheld in part. */
function drawLine({ key, owner }: HotspotView, draw: (below: number) => number): EpochClose["lines"][number] {
  const halvings = draw(3);
  const paid = { beacons: draw(3), witnesses: draw(3) * 100_000 };
  const withheld = { beacons: draw(2), witnesses: draw(2) * 7 };
  return {
    ...{ hotspot: key, owner },
    beaconUnitsPpm: (paid.beacons + withheld.beacons) << halvings,
    witnessUnitsPpm: (paid.witnesses + withheld.witnesses) << halvings,
    scalePpm: 1_000_000 >> halvings,
    beaconPaid: BigInt(paid.beacons),
    witnessPaid: BigInt(paid.witnesses) * 1_000_000n,
    trustPpm: draw(1_000_001),
    penalties: draw(2_048),
    beaconWithheld: BigInt(withheld.beacons),
    witnessWithheld: BigInt(withheld.witnesses) * 1_000_000n,
  };
}

function closeEpoch(
  seed: string,
  epoch: number,
  hotspots: readonly HotspotView[],
  beacons: readonly ClosedBeacon[],
  draw: (below: number) => number,
): EpochClose {
  const books = (emitted: bigint): PoolBooks => ({ emitted, carriedIn: 4n, paid: emitted, carriedOut: 4n });
  const resolution8 = [...new Set(CELLS.map((cell) => cellAtResolution(cell, 8)))].sort((a, b) =>
    a < b ? -1 : 1,
  );
  return {
    epoch,
    firstRound: epoch * ROUNDS_PER_EPOCH,
    lastRound: (epoch + 1) * ROUNDS_PER_EPOCH - 1,
    startTimeMs: START_TIME_MS + epoch * EPOCH_MS,
    endTimeMs: START_TIME_MS + (epoch + 1) * EPOCH_MS,
    seed: named(`${seed} seed ${epoch}`),
    nextSeed: named(`${seed} seed ${epoch + 1}`),
    nextValidators: seatsOf(epoch + 2),
    shares: SHARES,
    escrow: { carriedIn: 3n, withheld: 5n, released: 1n, returned: 2n, carriedOut: 5n },
    trustRows:
      epoch % 2 === 0 ? null : hotspots.slice(0, 3).map((h, i) => trustRow(h.key, hotspots, epoch, i)),
    // One that no computation gave under its key.
    renamedTrust: epoch % 2 === 0 ? [trustRow(hotspots[3]!.key, hotspots, epoch, 0)] : [],
    releases: epoch === 0 ? [] : [{ hotspot: hotspots[epoch % 3]!.key, owner: named("owner 2"), amount: 1n }],
    pools: {
      beacons: books(EMITTED.beacons),
      witnesses: books(EMITTED.witnesses),
      data: books(0n),
      validators: books((1n << 62n) - 1n),
    },
    lines: hotspots.filter(() => draw(3) > 0).map((hotspot) => drawLine(hotspot, draw)),
    validatorsPaid: seatsOf(epoch).map((key, seat) => ({
      key,
      rounds: draw(ROUNDS_PER_EPOCH + 1),
      amount: seat === 0 ? (1n << 62n) - 1n : 0n,
    })),
    beaconUnits: beacons.map((b) => ({
      reportId: b.reportId,
      paidWitnesses: 2,
      perWitnessPpm: 900_000,
      beaconerPpm: 700_000,
    })),
    coverage: resolution8.map((cell, index) => ({
      cell,
      hotspots: [index, index + 1],
      counterparts: draw(4),
      coveragePpm: draw(1_000_001),
    })),
    beaconsClosed: beacons.length,
    witnessesAccepted: 2 * beacons.length,
    witnessesUnpaid: { too_close: 1 },
    witnessesRefused: { rssi_above_ceiling: 1 + draw(3), proof_mismatch: draw(3) },
    beaconsRefused: {},
    accounts: 2,
    record: asciiBytes(`${seed} record ${epoch}`),
    recordDigest: named(`${seed} record ${epoch}`),
    inputsDigest: named(`${seed} inputs ${epoch}`),
    rewardRoot: named(`${seed} rewards ${epoch}`),
    stateRoot: named(`${seed} root ${epoch}`),
  };
}
