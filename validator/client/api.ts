/**
 * What the API takes and gives, written by `npm run generate:client` from its schemas: change those, not this. An amount is
 * a decimal string of base units. Answers may have fields that are not here yet.
 */

export type Account = {
  readonly id: string;
  readonly name: string;
  readonly balance: string;
  readonly earned: string;
  readonly nonce: number;
};

/** What an account earned in the epochs that began within a period: by the `lines` of its hotspots, as a validator, and by release from escrow; `earned` is all of it. */
export type AccountBucket = {
  readonly period: string;
  readonly startTimeMs: number;
  readonly firstEpoch: number;
  readonly lastEpoch: number;
  readonly epochs: number;
  readonly lines: number;
  readonly beaconPaid: string;
  readonly witnessPaid: string;
  readonly validatorPaid: string;
  readonly released: string;
  readonly earned: string;
};

export type AccountRewards = {
  readonly from: number;
  readonly to: number;
  readonly zone: string;
  readonly total: {
    readonly lines: number;
    readonly beaconPaid: string;
    readonly witnessPaid: string;
    readonly validatorPaid: string;
    readonly released: string;
    readonly earned: string;
  };
  readonly items: readonly AccountBucket[];
};

export type Activity = {
  readonly id: string;
  readonly kind: "beacon" | "witness" | "reveal";
  readonly includedRound: number;
  readonly verdict: "pending" | "accepted" | "refused";
  readonly reason: string | null;
  readonly selectionPending: boolean;
  readonly beacon: string | null;
  readonly distanceM: number | null;
  readonly ceilingDbm: number | null;
  readonly measurement: Measurement | null;
  readonly unitsPpm: number | null;
  readonly report: BeaconReport | null;
};

export type Beacon = {
  readonly id: string;
  readonly hotspot: string;
  readonly name: string;
  readonly includedRound: number;
  readonly verdict: "pending" | "accepted" | "refused";
  readonly reason: string | null;
  readonly report: BeaconReport | null;
  readonly scalePpm: number | null;
  readonly closing: {
    readonly challengeEpoch: number;
    readonly closedEpoch: number;
    readonly closedRound: number;
    readonly eirpDbm: number;
    readonly secret: string | null;
    readonly witnesses: { readonly accepted: number; readonly unpaid: number; readonly refused: number };
    readonly units: {
      readonly paidWitnesses: number;
      readonly perWitnessPpm: number;
      readonly beaconerPpm: number;
    } | null;
  } | null;
  readonly witnesses: readonly Witness[];
  readonly truncated: boolean;
};

/** A beacon was closed; its whole evidence is at /v1/beacons/{id}. */
export type BeaconEvent = {
  readonly id: string;
  readonly hotspot: string;
  readonly name: string;
  readonly epoch: number;
  readonly reason: string | null;
  readonly witnesses: { readonly accepted: number; readonly unpaid: number; readonly refused: number };
};

export type BeaconReport = {
  readonly commit: string;
  readonly frequencyHz: number;
  readonly spreadingFactor: number;
  readonly bandwidthHz: number;
  readonly powerDbm: number;
  readonly timeMs: number;
};

/** The sets of an epoch and of the next: what `hexbeacon verify --checkpoint` begins from, if you trust who gave it. */
export type Checkpoint = {
  readonly networkId: string;
  readonly epoch: number;
  readonly validators: readonly string[];
  readonly nextValidators: readonly string[];
};

/** Two signed statements that no honest validator signs both: what `hexbeacon tool verify-evidence` reads. */
export type Conviction = {
  readonly networkId: string;
  readonly round: number;
  readonly epoch: number;
  readonly offender: string;
  readonly name: string;
  readonly kind:
    | "double_notarize"
    | "double_finalize"
    | "nullify_and_finalize"
    | "notarize_and_finalize"
    | "double_propose"
    | "double_tips"
    | "double_batch"
    | "double_ack"
    | "double_attest";
  readonly sentence: string;
  readonly slashed: string;
  readonly first: string;
  readonly second: string;
};

export type CoverageCell = {
  readonly cell: string;
  readonly cells: number;
  readonly hotspots: number;
  readonly counterpartsMax: number;
  readonly coveragePpmMax: number;
};

/** A closed epoch. In every pool emitted + carriedIn = paid + carriedOut, where what is withheld is paid into escrow; in escrow carriedIn + withheld = released + returned + carriedOut. */
export type Epoch = {
  readonly epoch: number;
  readonly firstRound: number;
  readonly lastRound: number;
  readonly startTimeMs: number;
  readonly endTimeMs: number;
  readonly seed: string;
  readonly nextSeed: string;
  readonly pools: {
    readonly beacons: {
      readonly emitted: string;
      readonly carriedIn: string;
      readonly paid: string;
      readonly carriedOut: string;
    };
    readonly witnesses: {
      readonly emitted: string;
      readonly carriedIn: string;
      readonly paid: string;
      readonly carriedOut: string;
    };
    readonly data: {
      readonly emitted: string;
      readonly carriedIn: string;
      readonly paid: string;
      readonly carriedOut: string;
    };
    readonly validators: {
      readonly emitted: string;
      readonly carriedIn: string;
      readonly paid: string;
      readonly carriedOut: string;
    };
  };
  readonly beacons: { readonly closed: number; readonly refused: ReasonCounts };
  readonly witnesses: {
    readonly accepted: number;
    readonly unpaid: ReasonCounts;
    readonly refused: ReasonCounts;
  };
  readonly validators: readonly { readonly id: string; readonly name: string; readonly paid: string }[];
  readonly accounts: number;
  readonly record: string;
  readonly recordDigest: string;
  readonly inputsDigest: string;
  readonly rewardRoot: string;
  readonly stateRoot: string;
  readonly escrow: {
    readonly carriedIn: string;
    readonly withheld: string;
    readonly released: string;
    readonly returned: string;
    readonly carriedOut: string;
  };
};

export type Explanation = {
  readonly hotspot: string;
  readonly name: string;
  readonly owner: string;
  readonly epoch: number;
  readonly scoreVersion: number;
  readonly trustPpm: number;
  readonly suspended: boolean;
  readonly penalties: readonly (
    | "distance_profile"
    | "edge_implausible"
    | "constant_window"
    | "unexplained_rssi"
    | "floor_window"
    | "snr_grid"
    | "distance_insensitive"
    | "missing_reverse"
    | "power_insensitive"
    | "owner_cap"
    | "place_cap"
  )[];
  readonly beacons: {
    readonly unitsPpm: number;
    readonly scalePpm: number;
    readonly share: string;
    readonly shares: string;
    readonly poolPaid: string;
    readonly quotient: string;
    readonly remainderUnit: number;
    readonly amount: string;
    readonly withheld: boolean;
  };
  readonly witnesses: {
    readonly unitsPpm: number;
    readonly scalePpm: number;
    readonly share: string;
    readonly shares: string;
    readonly poolPaid: string;
    readonly quotient: string;
    readonly remainderUnit: number;
    readonly amount: string;
    readonly withheld: boolean;
  };
  readonly crowd: { readonly leastPpm: number; readonly mostPpm: number } | null;
  readonly reports: readonly {
    readonly id: string;
    readonly kind: "beacon" | "witness";
    readonly unitsPpm: number;
    readonly factors: {
      readonly links: readonly {
        readonly counterpart: string;
        readonly name: string;
        readonly distanceM: number;
        readonly trustPpm: number;
        readonly counterpartTrustPpm: number;
        readonly qualityPpm: number;
        readonly valuePpm: number;
      }[];
      readonly candidates: number;
      readonly divisor: { readonly leastPpm: number; readonly mostPpm: number };
      readonly unpaid: "over_owner_cap" | "over_witness_cap" | "over_place_cap" | null;
      readonly mayEarn: boolean;
    } | null;
    readonly missing: string | null;
  }[];
  readonly complete: boolean;
  readonly paid: string;
  readonly withheld: string;
};

export type Hotspot = {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly status: "active" | "idle" | "silent" | "unasserted" | "leaving" | "gone";
  readonly registeredEpoch: number;
  readonly bond: string;
  readonly assertion: {
    readonly cell: string;
    readonly latitude: number;
    readonly longitude: number;
    readonly gainDbi: number;
    readonly elevationM: number;
    readonly region: string;
    readonly fromEpoch: number;
  } | null;
  readonly device: { readonly key: string; readonly fromEpoch: number } | null;
  readonly lastActiveEpoch: number | null;
  readonly silentUntilEpoch: number | null;
  readonly leavingUntilEpoch: number | null;
};

export type HotspotRewards = {
  readonly from: number;
  readonly to: number;
  readonly zone: string;
  readonly total: {
    readonly beaconPaid: string;
    readonly witnessPaid: string;
    readonly paid: string;
    readonly withheld: string;
    readonly released: string;
    readonly earned: string;
  };
  readonly items: readonly RewardBucket[];
};

/** The newest rounds of which a validator led a view, newest first. */
export type LedRounds = {
  readonly items: readonly {
    readonly round: number;
    readonly epoch: number;
    readonly timeMs: number;
    readonly view: number;
    readonly decided: boolean;
  }[];
};

export type Link = {
  readonly hotspot: string;
  readonly name: string;
  readonly cell: string | null;
  readonly latitude: number | null;
  readonly longitude: number | null;
  readonly heard: number;
  readonly heardBy: number;
  readonly lastEpoch: number;
  readonly beacon: string;
};

/** Who a hotspot heard, and who heard it, by valid reports of beacons that closed since an epoch; `beacon` is the newest of them. */
export type Links = { readonly fromEpoch: number; readonly items: readonly Link[] };

export type MapCell = {
  readonly cell: string;
  readonly cells: number;
  readonly gaps: number;
  readonly hotspots: number;
  readonly counterpartsMax: number;
  readonly coveragePpm: number;
  readonly paid: string;
};

/** Cells with hotspots in them. `cells` counts those of resolution 8, of which `gaps` are not wholly covered; `coveragePpm` is their mean, `hotspots` stand there now and earned `paid` in the epoch. `resolution` is coarser than asked where there are too many. `bounds` hold everything. */
export type MapView = {
  readonly epoch: number | null;
  readonly resolution: number;
  readonly bounds: {
    readonly west: number;
    readonly south: number;
    readonly east: number;
    readonly north: number;
  } | null;
  readonly items: readonly MapCell[];
};

export type Measurement = {
  readonly rssiDbm: number;
  readonly rssiKind: "channel" | "signal";
  readonly snrDb: number;
  readonly frequencyHz: number;
  readonly spreadingFactor: number;
  readonly bandwidthHz: number;
  readonly timeMs: number;
};

/** One message's way through this validator. Ids are remembered for three epochs. */
export type MessageTrace = {
  readonly id: string;
  readonly state: "pending" | "included";
  readonly intake: {
    readonly way: "submission" | "reports" | "transactions";
    readonly receivedMs: number;
    readonly admittedMs: number;
    readonly certifiedMs: number | null;
  } | null;
  readonly batch: { readonly lane: string; readonly seq: number; readonly digest: string } | null;
  readonly round: {
    readonly round: number;
    readonly epoch: number;
    readonly timeMs: number;
    readonly decidedMs: number | null;
    readonly executedMs: number | null;
  } | null;
  readonly transaction: { readonly kind: string; readonly reason: string | null } | null;
  readonly reports: readonly {
    readonly id: string;
    readonly kind: "beacon" | "witness" | "reveal";
    readonly includedRound: number;
    readonly verdict: "pending" | "accepted" | "refused";
    readonly reason: string | null;
    readonly selectionPending: boolean;
    readonly beacon: string | null;
    readonly distanceM: number | null;
    readonly ceilingDbm: number | null;
    readonly measurement: Measurement | null;
    readonly unitsPpm: number | null;
    readonly report: BeaconReport | null;
    readonly hotspot: string;
    readonly closed: {
      readonly epoch: number;
      readonly round: number;
      readonly beaconReason: string | null;
    } | null;
    readonly paid: {
      readonly epoch: number;
      readonly beacons: string;
      readonly witnesses: string;
      readonly total: string;
    } | null;
  }[];
};

/** What a validator did with a seat: it helped to finalize `rounds` of the epoch's `epochRounds`. */
export type Participation = {
  readonly epoch: number;
  readonly seat: number;
  readonly rounds: number;
  readonly epochRounds: number;
  readonly paid: string;
};

export type Penalties = {
  readonly paidMinPpm: number;
  readonly intervalEpochs: number;
  readonly penaltyEpochs: number;
  readonly escrowEpochs: number;
  readonly items: readonly {
    readonly number: number;
    readonly penalty:
      | "distance_profile"
      | "edge_implausible"
      | "constant_window"
      | "unexplained_rssi"
      | "floor_window"
      | "snr_grid"
      | "distance_insensitive"
      | "missing_reverse"
      | "power_insensitive"
      | "owner_cap"
      | "place_cap";
    readonly asks: string;
    readonly unit: string;
    readonly begins: number;
    readonly largest: number;
    readonly leastFactorPpm: number;
    readonly source: string;
  }[];
};

/** What went wrong (RFC 9457). `errors` names the fields of the request that are at fault. */
export type Problem = {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly reason?: string;
  readonly errors?: readonly { readonly field: string; readonly message: string }[];
};

/** That an account has earned `total` up to the end of `epoch`: what `hexbeacon verify` reads. `certificate` is null for the moment between an epoch's end and its certificate. */
export type Proof = {
  readonly account: string;
  readonly total: string;
  readonly epoch: number;
  readonly index: number;
  readonly leafCount: number;
  readonly branch: readonly string[];
  readonly root: string;
  readonly networkId: string;
  readonly certificate: string | null;
  readonly setHistory: readonly { readonly certificate: string; readonly validators: readonly string[] }[];
};

/** How many, by reason; reasons that did not occur are left out. */
export type ReasonCounts = Readonly<Record<string, number>>;

/** What a hotspot earned in the epochs that began within a period; `scalePpm` only where that is one epoch. `paid` is of the pools, `withheld` was put into escrow instead, `released` came out of it, perhaps for older epochs; `earned` is `paid` and `released`. */
export type RewardBucket = {
  readonly period: string;
  readonly startTimeMs: number;
  readonly firstEpoch: number;
  readonly lastEpoch: number;
  readonly epochs: number;
  readonly beaconUnitsPpm: number;
  readonly witnessUnitsPpm: number;
  readonly scalePpm: number | null;
  readonly beaconPaid: string;
  readonly witnessPaid: string;
  readonly paid: string;
  readonly withheld: string;
  readonly released: string;
  readonly earned: string;
};

/** That a quorum of the epoch's validators computed the same rewards. */
export type RewardCertificate = {
  readonly attest: {
    readonly epoch: number;
    readonly rewardRoot: string;
    readonly stateRoot: string;
    readonly nextValidatorsHash: string;
    readonly parametersHash: string;
    readonly rulesVersion: number;
  };
  readonly validators: readonly string[];
  readonly quorum: number;
  readonly signers: readonly string[];
  readonly signatures: readonly string[];
  readonly bytes: { readonly certificate: string; readonly attest: string };
};

export type RewardLine = {
  readonly rank: number;
  readonly hotspot: string;
  readonly name: string;
  readonly owner: string;
  readonly beaconUnitsPpm: number;
  readonly witnessUnitsPpm: number;
  readonly scalePpm: number;
  readonly beaconPaid: string;
  readonly witnessPaid: string;
  readonly paid: string;
  readonly trustPpm: number;
  readonly beaconWithheld: string;
  readonly witnessWithheld: string;
};

export type Round = {
  readonly round: number;
  readonly epoch: number;
  readonly timeMs: number;
  readonly value: string;
  readonly finalCert: string;
  readonly stateDigest: string;
  readonly batches: readonly string[];
  readonly messages: number;
  readonly reports: number;
  readonly transactions: number;
  readonly beaconsClosed: number;
};

/** A round was executed. */
export type RoundEvent = {
  readonly round: number;
  readonly epoch: number;
  readonly timeMs: number;
  readonly messages: number;
  readonly transactions: number;
  readonly beaconsClosed: number;
};

/** What a text may mean. Names are not unique; keys are. */
export type SearchResults = {
  readonly items: readonly {
    readonly kind: "hotspot" | "account" | "validator" | "cell";
    readonly id: string;
    readonly name: string | null;
  }[];
};

/** A validator on record, with a seat or without. */
export type Stake = {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly status: "seated" | "waiting" | "leaving" | "gone" | "tombstoned";
  readonly stake: string;
  readonly sinceEpoch: number;
  readonly unbondingUntilEpoch: number | null;
  readonly multiaddrs: readonly string[];
};

export type Status = {
  readonly network: {
    readonly name: string;
    readonly id: string;
    readonly roundMs: number;
    readonly roundsPerEpoch: number;
  };
  readonly validator: string;
  readonly version: string;
  readonly timeMs: number;
  readonly ready: boolean;
  readonly notReady: string | null;
  readonly peers: number;
  readonly round: number | null;
  readonly roundTimeMs: number | null;
  readonly epoch: number;
  readonly closedEpoch: number | null;
  readonly oldestEpoch: number | null;
  readonly hotspots: number;
};

/** What became of a transaction. While it is pending, kind, type, sender and round are null; kind is also null where type says what came after bind. */
export type Transaction = {
  readonly id: string;
  readonly verdict: "pending" | "accepted" | "refused";
  readonly reason: string | null;
  readonly kind:
    | "register"
    | "assert"
    | "transfer"
    | "deregister"
    | "stake"
    | "unstake"
    | "appeal"
    | "rotate"
    | "bind"
    | null;
  readonly type: string | null;
  readonly sender: string | null;
  readonly round: number | null;
};

export type TrustHistory = {
  readonly hotspot: string;
  readonly name: string;
  readonly paidMinPpm: number;
  readonly current: TrustState | null;
  readonly held: string;
  readonly escrow: readonly {
    readonly owner: string;
    readonly amount: string;
    readonly untilEpoch: number;
  }[];
  readonly appeal: {
    readonly pending: boolean;
    readonly decidedFromEpoch: number;
    readonly barredUntilEpoch: number | null;
  } | null;
  readonly items: readonly TrustState[];
  readonly next: string | null;
};

/** A hotspot's trust from an epoch on: what the graph gives, times the lowest factor of each penalty found. */
export type TrustState = {
  readonly fromEpoch: number;
  readonly graphPpm: number;
  readonly trustPpm: number;
  readonly suspended: boolean;
  readonly appealed: boolean;
  readonly findings: readonly {
    readonly penalty:
      | "distance_profile"
      | "edge_implausible"
      | "constant_window"
      | "unexplained_rssi"
      | "floor_window"
      | "snr_grid"
      | "distance_insensitive"
      | "missing_reverse"
      | "power_insensitive"
      | "owner_cap"
      | "place_cap";
    readonly factorPpm: number;
    readonly madeEpoch: number;
    readonly endsEpoch: number;
    readonly evidence: readonly {
      readonly counterpart: string;
      readonly name: string;
      readonly heardEpoch: number | null;
      readonly heardByEpoch: number | null;
      readonly reports: readonly string[];
    }[];
  }[];
};

/** A validator: what it has at stake, where it sits, what it did and was paid, and what was found against it. */
export type Validator = {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly status: "seated" | "waiting" | "leaving" | "gone" | "tombstoned";
  readonly stake: string;
  readonly sinceEpoch: number;
  readonly unbondingUntilEpoch: number | null;
  readonly multiaddrs: readonly string[];
  readonly connected: boolean | null;
  readonly seats: readonly { readonly epoch: number; readonly seat: number | null }[];
  readonly participation: readonly Participation[];
  readonly evidence: readonly Conviction[];
};

export type ValidatorSeat = {
  readonly seat: number;
  readonly id: string;
  readonly name: string;
  readonly stake: string;
  readonly multiaddrs: readonly string[];
  readonly connected: boolean | null;
};

export type Validators = {
  readonly epoch: number;
  readonly fromEpoch: number;
  readonly quorum: number;
  readonly items: readonly ValidatorSeat[];
};

export type Witness = {
  readonly id: string;
  readonly kind: "beacon" | "witness" | "reveal";
  readonly includedRound: number;
  readonly verdict: "pending" | "accepted" | "refused";
  readonly reason: string | null;
  readonly selectionPending: boolean;
  readonly beacon: string | null;
  readonly distanceM: number | null;
  readonly ceilingDbm: number | null;
  readonly measurement: Measurement | null;
  readonly unitsPpm: number | null;
  readonly hotspot: string;
  readonly name: string;
  readonly scalePpm: number | null;
};

/** What is read, by path. */
export type Gets = {
  /** Does the process answer? */
  readonly "/livez": { readonly json: { readonly status: "ok" } };
  /** Metrics for Prometheus */
  readonly "/metrics": { readonly text: string };
  /** Is it ready to serve? */
  readonly "/readyz": { readonly json: { readonly status: "ok" } };
  /** An account: its balance, and all that it ever earned */
  readonly "/v1/accounts/{id}": { readonly path: { readonly id: string }; readonly json: Account };
  /** Proof of what an account earned up to the last closed epoch, with all that verifies it */
  readonly "/v1/accounts/{id}/proof": {
    readonly path: { readonly id: string };
    readonly query: { readonly since?: string | undefined };
    readonly json: Proof;
  };
  /** What an account earned over a range of epochs, by epoch, day or month */
  readonly "/v1/accounts/{id}/rewards": {
    readonly path: { readonly id: string };
    readonly query: {
      readonly from?: number | undefined;
      readonly to?: number | undefined;
      readonly bucket?: "epoch" | "day" | "month" | undefined;
      readonly zone?: string | undefined;
      readonly format?: "json" | "csv" | undefined;
    };
    readonly json: AccountRewards;
    readonly csv: string;
  };
  /** A beacon with the whole evidence: who heard it, how well, and what was made of it */
  readonly "/v1/beacons/{id}": { readonly path: { readonly id: string }; readonly json: Beacon };
  /** A cell: its coverage and its hotspots */
  readonly "/v1/cells/{cell}": {
    readonly path: { readonly cell: string };
    readonly json: {
      readonly cell: string;
      readonly resolution: number;
      readonly epoch: number | null;
      readonly coverage: CoverageCell | null;
      readonly hotspots: readonly Hotspot[];
      readonly next: string | null;
    };
  };
  /** The coverage map of an epoch as GeoJSON */
  readonly "/v1/coverage": {
    readonly query: {
      readonly resolution?: number | undefined;
      readonly cell?: string | undefined;
      readonly epoch?: number | undefined;
      readonly limit?: number | undefined;
      readonly cursor?: string | undefined;
    };
    readonly json: {
      readonly type: "FeatureCollection";
      readonly epoch: number;
      readonly resolution: number;
      readonly features: readonly {
        readonly type: "Feature";
        readonly id: string;
        readonly geometry: {
          readonly type: "Polygon";
          readonly coordinates: readonly (readonly (readonly number[])[])[];
        };
        readonly properties: CoverageCell;
      }[];
      readonly next: string | null;
    };
  };
  /** Closed epochs, newest first */
  readonly "/v1/epochs": {
    readonly query: { readonly limit?: number | undefined; readonly cursor?: string | undefined };
    readonly json: { readonly items: readonly Epoch[]; readonly next: string | null };
  };
  /** A closed epoch: its books, counts and roots */
  readonly "/v1/epochs/{epoch}": { readonly path: { readonly epoch: string }; readonly json: Epoch };
  /** An epoch's reward certificate: a quorum's word for its roots */
  readonly "/v1/epochs/{epoch}/certificate": {
    readonly path: { readonly epoch: string };
    readonly json: RewardCertificate;
  };
  /** The validator sets to begin light verification from */
  readonly "/v1/epochs/{epoch}/checkpoint": {
    readonly path: { readonly epoch: string };
    readonly json: Checkpoint;
  };
  /** What an epoch paid, hotspot by hotspot, the best paid first */
  readonly "/v1/epochs/{epoch}/rewards": {
    readonly path: { readonly epoch: string };
    readonly query: {
      readonly limit?: number | undefined;
      readonly cursor?: string | undefined;
      readonly format?: "json" | "csv" | undefined;
    };
    readonly json: { readonly items: readonly RewardLine[]; readonly next: string | null };
    readonly csv: string;
  };
  /** What happens, as it happens: rounds, epochs and closed beacons */
  readonly "/v1/events": {
    readonly events:
      | { readonly id: string; readonly event: "round"; readonly data: RoundEvent }
      | { readonly id: string; readonly event: "beacon"; readonly data: BeaconEvent }
      | { readonly id: string; readonly event: "epoch"; readonly data: Epoch }
      | { readonly event: "gap"; readonly data: Readonly<Record<string, unknown>> };
  };
  /** Evidence that convicted validators, newest first */
  readonly "/v1/evidence": {
    readonly query: {
      readonly offender?: string | undefined;
      readonly limit?: number | undefined;
      readonly cursor?: string | undefined;
    };
    readonly json: { readonly items: readonly Conviction[]; readonly next: string | null };
  };
  /** Every reward line from an epoch on, as newline-delimited JSON */
  readonly "/v1/export/rewards": {
    readonly query: { readonly fromEpoch: number; readonly toEpoch?: number | undefined };
    readonly lines:
      | {
          readonly type: "reward";
          readonly epoch: number;
          readonly rank: number;
          readonly hotspot: string;
          readonly name: string;
          readonly owner: string;
          readonly beaconUnitsPpm: number;
          readonly witnessUnitsPpm: number;
          readonly scalePpm: number;
          readonly beaconPaid: string;
          readonly witnessPaid: string;
          readonly paid: string;
          readonly trustPpm: number;
          readonly beaconWithheld: string;
          readonly witnessWithheld: string;
        }
      | {
          readonly type: "epoch";
          readonly epoch: number;
          readonly startTimeMs: number;
          readonly endTimeMs: number;
          readonly lines: number;
          readonly paid: string;
          readonly recordDigest: string;
        };
  };
  /** The genesis file: what `hexbeacon verify --genesis` reads */
  readonly "/v1/genesis": { readonly json: Readonly<Record<string, unknown>> };
  /** Hotspots, by owner, cell and status */
  readonly "/v1/hotspots": {
    readonly query: {
      readonly owner?: string | undefined;
      readonly cell?: string | undefined;
      readonly status?: "active" | "idle" | "silent" | "unasserted" | "leaving" | "gone" | undefined;
      readonly limit?: number | undefined;
      readonly cursor?: string | undefined;
    };
    readonly json: { readonly items: readonly Hotspot[]; readonly next: string | null };
  };
  /** A hotspot */
  readonly "/v1/hotspots/{id}": { readonly path: { readonly id: string }; readonly json: Hotspot };
  /** A hotspot's own reports, newest first, each with its verdict and reason */
  readonly "/v1/hotspots/{id}/activity": {
    readonly path: { readonly id: string };
    readonly query: { readonly limit?: number | undefined; readonly cursor?: string | undefined };
    readonly json: {
      readonly items: readonly Activity[];
      readonly next: string | null;
      readonly trust: TrustState | null;
    };
  };
  /** Who a hotspot heard lately, and who heard it */
  readonly "/v1/hotspots/{id}/links": { readonly path: { readonly id: string }; readonly json: Links };
  /** What a hotspot earned over a range of epochs, by epoch, day or month */
  readonly "/v1/hotspots/{id}/rewards": {
    readonly path: { readonly id: string };
    readonly query: {
      readonly from?: number | undefined;
      readonly to?: number | undefined;
      readonly bucket?: "epoch" | "day" | "month" | undefined;
      readonly zone?: string | undefined;
      readonly format?: "json" | "csv" | undefined;
    };
    readonly json: HotspotRewards;
    readonly csv: string;
  };
  /** A hotspot's reward of an epoch, every factor multiplied out to the base unit */
  readonly "/v1/hotspots/{id}/rewards/{epoch}/explain": {
    readonly path: { readonly id: string; readonly epoch: string };
    readonly json: Explanation;
  };
  /** A hotspot's trust, newest first: findings, evidence, and when they end */
  readonly "/v1/hotspots/{id}/trust": {
    readonly path: { readonly id: string };
    readonly query: { readonly limit?: number | undefined; readonly cursor?: string | undefined };
    readonly json: TrustHistory;
  };
  /** The map's cells within a box, at a resolution or a coarser one */
  readonly "/v1/map": {
    readonly query: {
      readonly resolution?: number | undefined;
      readonly west?: number | undefined;
      readonly south?: number | undefined;
      readonly east?: number | undefined;
      readonly north?: number | undefined;
    };
    readonly json: MapView;
  };
  /** A message's way from intake to verdict and pay, with times */
  readonly "/v1/messages/{id}": { readonly path: { readonly id: string }; readonly json: MessageTrace };
  /** The newest finalized and executed round, with its certificate */
  readonly "/v1/rounds/latest": { readonly json: Round };
  /** A finalized and executed round, with its certificate */
  readonly "/v1/rounds/{round}": { readonly path: { readonly round: string }; readonly json: Round };
  /** Hotspots, accounts, validators and cells by name, key or index */
  readonly "/v1/search": { readonly query: { readonly q: string }; readonly json: SearchResults };
  /** Everyone who ever staked as a validator, in the order of the first time */
  readonly "/v1/stakes": {
    readonly query: { readonly limit?: number | undefined; readonly cursor?: string | undefined };
    readonly json: { readonly items: readonly Stake[]; readonly next: string | null };
  };
  /** The network, and where this validator stands */
  readonly "/v1/status": { readonly json: Status };
  /** What became of a transaction */
  readonly "/v1/transactions/{id}": { readonly path: { readonly id: string }; readonly json: Transaction };
  /** Every penalty that there is: what it asks, its thresholds and their source */
  readonly "/v1/trust/penalties": { readonly json: Penalties };
  /** The validator set of an epoch, in the order of its seats */
  readonly "/v1/validators": {
    readonly query: { readonly epoch?: string | undefined };
    readonly json: Validators;
  };
  /** A validator: its stake, seats, participation, pay, and evidence against it */
  readonly "/v1/validators/{id}": { readonly path: { readonly id: string }; readonly json: Validator };
  /** What a validator did in its seats and was paid, newest epoch first */
  readonly "/v1/validators/{id}/participation": {
    readonly path: { readonly id: string };
    readonly query: { readonly limit?: number | undefined; readonly cursor?: string | undefined };
    readonly json: { readonly items: readonly Participation[]; readonly next: string | null };
  };
  /** The newest rounds that a validator led, or in which it was passed over */
  readonly "/v1/validators/{id}/rounds": { readonly path: { readonly id: string }; readonly json: LedRounds };
};

/** What is sent, by path. */
export type Posts = {
  /** Submit a signed transaction */
  readonly "/v1/transactions": {
    readonly body: { readonly envelope: string };
    readonly json: { readonly id: string };
  };
};
