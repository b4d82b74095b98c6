/**
 * The whole way from a received parcel to durable, verified reports: decoding, the connection's bucket, the verifier
 * pool, the rules of admission, the lane, its batches on disk and their votes, in the parts that a validator runs. One
 * report a signature, 64 envelopes a parcel. Once with nothing else to do, and once with rounds that execute them.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSystemClock } from "../../node/src/host/clock.ts";
import { createSilentLog } from "../../node/src/host/log.ts";
import { asciiBytes } from "../../protocol/src/bytes/bytes.ts";
import { createKeyPair } from "../../protocol/src/crypto/ed25519.ts";
import { sha256 } from "../../protocol/src/crypto/sha256.ts";
import { cellFromHex, cellToBigint } from "../../protocol/src/geo/cell.ts";
import { computeCentre } from "../../protocol/src/geo/centre.ts";
import type { Genesis } from "../../protocol/src/network/genesis.ts";
import { PRESETS } from "../../protocol/src/network/presets.ts";
import { encodeEnvelope, encodeParcel, MAX_ENVELOPES_PER_PARCEL } from "../../protocol/src/wire/envelope.ts";
import { encodeReportBundle } from "../../protocol/src/wire/reports.ts";
import { type Core, createCore } from "../../validator/src/core.ts";
import { createIdentity, type Identity } from "../../validator/src/identity.ts";
import { LEDGER_MODULES } from "../../validator/src/ledgerModules.ts";
import { recover } from "../../validator/src/recovery.ts";
import { KnownSets } from "../../validator/src/rounds/validatorSets.ts";
import { createSigner, type Signer } from "../../validator/src/signer.ts";
import { openStorage } from "../../validator/src/storage.ts";
import { createVerifierPool } from "../../validator/src/verify/verifierPool.ts";
import { SILENT_MESH } from "../unit/validator/support/silentMesh.ts";
import { atLeast, atMost, type BenchRow } from "./benchRow.ts";

const THREADS = 2;
const HOTSPOTS = 1_000;
/** Within the quota of every hotspot (256), and 4 s of work at the limit. */
const PARCELS = 640;
/** Parcels under way at once: as many connections, each waiting for its receipt. */
const CONNECTIONS = 96;
const REPORTS_PER_SECOND_MIN = 10_000;
/** What two cores have for a report at that rate: beyond it, no idle machine could reach the rate. */
const CPU_US_MAX = (THREADS * 1_000_000) / REPORTS_PER_SECOND_MIN;
/** Executing shares the main thread with admitting, so the two together are given less. */
const WITH_ROUNDS_PER_SECOND_MIN = 6_000;
const ROUND_MS = 500;

const seedOf = (name: string) => sha256(asciiBytes(`bench ${name}`));

/** About 15 s. */
export async function run(): Promise<BenchRow[]> {
  const alone = await measure(false);
  const withRounds = await measure(true);
  return [
    atLeast("parcel to durable, verified report", alone.perSecond, "reports/s", REPORTS_PER_SECOND_MIN),
    atMost("the same, CPU time of all threads for a report", alone.cpuUs, "us", CPU_US_MAX),
    atLeast("until executed, rounds running", withRounds.perSecond, "reports/s", WITH_ROUNDS_PER_SECOND_MIN),
  ];
}

type Figures = { readonly perSecond: number; readonly cpuUs: number };

/** From the first parcel handed in to the last receipt, or to the last execution. */
async function measure(withRounds: boolean): Promise<Figures> {
  const home = mkdtempSync(join(tmpdir(), "hexbeacon-bench-"));
  const genesis = createGenesis();
  const identity = createIdentity(genesis, seedOf("validator"));
  const parcels = createParcels(identity);
  const verifier = createVerifierPool({ threads: THREADS });
  await verifier.whenReady();
  const storage = await openStorage(home, identity);
  let executedReports = 0;
  const { promise: allExecuted, resolve: finish } = Promise.withResolvers<void>();
  const total = PARCELS * MAX_ENVELOPES_PER_PARCEL;
  const { genesis: _, signer, domains } = identity;
  const modules = {
    ...storage,
    genesis,
    domains,
    validator: signer.publicKey,
    ledgerModules: LEDGER_MODULES,
  };
  const log = createSilentLog();
  const recovered = await recover({ ...modules, log });
  const { votes } = storage;
  const sets = new KnownSets(genesis.parameters, { ledger: recovered.ledger, votes });
  const core = createCore(
    { ...identity, retention: { keepEpochs: 10 }, snapshotEpochs: 1 },
    {
      clock: createSystemClock(),
      log,
      storage,
      verifier,
      recovered,
      sets,
      mesh: SILENT_MESH,
      onFailure: (error) => {
        throw error;
      },
      observer: {
        onAdmitted: () => {},
        onRefused: (_kind, reason) => {
          throw new Error(`a report was refused: ${reason}`);
        },
        onBatch: () => {},
        onRoundDecided: () => {},
        onViewChanges: () => {},
        onEvidence: () => {},
        onRestored: () => {},
        onRewardCert: () => {},
        onSplitAttestation: () => {},
        onDropped: () => {},
        onRoundExecuted: ({ result }) => {
          executedReports += result.included.length;
          if (executedReports === total) finish();
        },
      },
    },
  );
  await core.catchUp();
  if (withRounds) core.agreement.start();
  const startMs = performance.now();
  const startCpu = process.cpuUsage();
  await submitAll(core, parcels);
  if (withRounds) await allExecuted;
  const elapsedMs = performance.now() - startMs;
  const { user, system } = process.cpuUsage(startCpu);
  await core.close();
  await verifier.close();
  await storage.close();
  rmSync(home, { recursive: true });
  return { perSecond: (1_000 * total) / elapsedMs, cpuUs: (user + system) / total };
}

/** Every connection submits its next parcel once it has the receipt for the one before. */
async function submitAll({ intake }: Core, parcels: readonly Uint8Array[]): Promise<void> {
  let next = 0;
  const submitInTurn = async (connection: number) => {
    while (next < parcels.length) await intake.submit(`connection ${connection}`, parcels[next++]!);
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, (_, connection) => submitInTurn(connection)));
}

function createGenesis(): Genesis {
  const cell = cellFromHex("8c2a100d2cb41ff")!;
  const owner = createKeyPair(seedOf("owner")).publicKey;
  const centre = computeCentre(cell);
  return {
    name: "bench",
    timeMs: Date.now(),
    seed: seedOf("seed"),
    parameters: { ...PRESETS.mainnet, roundMs: ROUND_MS },
    validators: [
      {
        key: createKeyPair(seedOf("validator")).publicKey,
        stake: PRESETS.mainnet.validatorStake,
        multiaddrs: [],
      },
    ],
    accounts: [],
    hotspots: Array.from({ length: HOTSPOTS }, (_, index) => ({
      key: createKeyPair(seedOf(`hotspot ${index}`)).publicKey,
      owner,
      cell: cellToBigint(cell),
      ...centre,
      gainCentiDbi: 200,
      elevationM: 10,
      region: "US915" as const,
    })),
  };
}

function createParcels({ domains }: Identity): Uint8Array[] {
  const signers = Array.from({ length: HOTSPOTS }, (_, index) =>
    createSigner(domains, seedOf(`hotspot ${index}`)),
  );
  let report = 0;
  return Array.from({ length: PARCELS }, () =>
    encodeParcel(
      Array.from({ length: MAX_ENVELOPES_PER_PARCEL }, () =>
        signReport(signers[report % HOTSPOTS]!, report++),
      ),
    ),
  );
}

function signReport(signer: Signer, salt: number): Uint8Array {
  const proof = seedOf(`proof ${salt}`);
  const measurement = {
    rssiDeciDbm: -1_050,
    rssiKind: "channel" as const,
    snrCentiDb: 250,
    freqHz: 903_900_000,
    spreadingFactor: 9,
    bandwidthHz: 125_000,
    timeMs: Date.now(),
  };
  const body = encodeReportBundle({
    epoch: 0,
    beacons: [],
    witnesses: [{ tag: proof.subarray(0, 6), proof, measurement }],
    reveals: [],
  });
  const unsigned = { kind: "reports" as const, sender: signer.publicKey, body };
  return encodeEnvelope({ ...unsigned, signature: signer.sign("reports", body) });
}
