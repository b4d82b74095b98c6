/**
 * Joining a network that runs: the state of a checkpoint instead of all rounds since genesis. The operator pins an epoch
 * and its state root, as several validators' certificates say it; everything that comes over the wire is held against
 * that, so any one validator may be asked.
 */
import { createHash } from "node:crypto";
import { CodedError } from "../../node/src/host/codedError.ts";
import { isThere, makePrivateFolder } from "../../node/src/host/durableFile.ts";
import type { Log } from "../../node/src/host/types.ts";
import { verifySignature } from "../../node/src/host/verify.ts";
import { checkFinalCert, requireSet } from "../../protocol/src/agreement/certificates.ts";
import { decodeFetchedRounds, type Fetch } from "../../protocol/src/agreement/fetches.ts";
import { computeValueDigest } from "../../protocol/src/agreement/rounds.ts";
import { equalBytes } from "../../protocol/src/bytes/bytes.ts";
import { decodeLedger } from "../../protocol/src/ledger/snapshot.ts";
import type { Ledger } from "../../protocol/src/ledger/state.ts";
import {
  checkStatePiece,
  countPieces,
  readStateManifest,
  type StateManifest,
} from "../../protocol/src/ledger/stateManifest.ts";
import { epochOfRound } from "../../protocol/src/network/parameters.ts";
import { homePaths } from "./home.ts";
import type { Identity } from "./identity.ts";
import { LEDGER_MODULES } from "./ledgerModules.ts";
import { decodeDecided, type Finalized } from "./rounds/agreement.ts";
import { openVotes, type Votes } from "./rounds/votes.ts";
import { viewGenesis } from "./store/genesisViews.ts";
import { openSqliteStore } from "./store/sqliteStore/sqliteStore.ts";
import type { StoreBase } from "./store/store.ts";

/** An epoch that has closed, and the root of the state after it: 32 bytes. */
export type Checkpoint = { readonly epoch: number; readonly stateRoot: Uint8Array };

export type JoinModules = {
  /** Asks the validator that the state comes from; null where it has no answer. */
  readonly fetch: (fetch: Fetch) => Promise<Uint8Array | null>;
  /** Waits so long before it is asked again. */
  readonly pause: (pauseMs: number) => Promise<void>;
  readonly log: Log;
};

/** A checkpoint's state, and the round after which it is that. */
export type JoinedState = { readonly ledger: Ledger; readonly bytes: Uint8Array; readonly last: Finalized };

/**
 * Tries for one answer, with pauses between them that double. An answer may be lost with its connection, and who asks
 * faster than a stranger may gets none for a while: 16 s in all outlast the 10 s in which another snapshot is read.
 */
const TRIES = 6;
const FIRST_PAUSE_MS = 500;

/**
 * Fetches a checkpoint's state and its last round, and proves both.
 * @throws CodedError "checkpoint_missing" where the validator does not have it, "checkpoint_refused" where what it gave
 *   is not what was pinned.
 */
export async function fetchCheckpoint(
  { epoch, stateRoot }: Checkpoint,
  identity: Pick<Identity, "genesis" | "domains">,
  modules: JoinModules,
): Promise<JoinedState> {
  const encoded = await askUntilAnswered({ type: "manifest", epoch }, modules);
  if (encoded === null)
    throw missing(`it keeps no snapshot of epoch ${epoch}: ask another, or pin a newer epoch`);
  const manifest = readStateManifest(encoded, epoch, stateRoot);
  if (typeof manifest === "string") throw refused(`the manifest is ${manifest}`);
  const bytes = await fetchPieces(manifest, modules);
  const ledger = readLedger(bytes, epoch, identity);
  return { ledger, bytes, last: await fetchLastRound(ledger, identity, modules) };
}

/**
 * Begins a home with a checkpoint. Votes that are there stay: what this key has signed is not in any snapshot.
 * @throws CodedError "home_exists" where the home has a store already, "votes_conflict" where its votes do not go on from
 *   the checkpoint.
 */
export async function startHome(
  home: string,
  identity: Pick<Identity, "networkId" | "signer">,
  { epoch, stateRoot }: Checkpoint,
  { ledger, bytes, last }: JoinedState,
): Promise<void> {
  const paths = homePaths(home);
  await refuseStore(home);
  await makePrivateFolder(home);
  const votes = openVotes(paths.votes, {
    network: identity.networkId,
    validator: identity.signer.publicKey,
  });
  try {
    refuseGap(votes, epoch, ledger);
    votes.recordDecided([{ round: last.round, value: last.valueBytes, cert: last.certBytes }]);
    const { round, timeMs, digest } = ledger;
    const base: StoreBase = {
      round: { round, epoch, timeMs, value: last.valueBytes, finalCert: last.certBytes, stateDigest: digest },
      snapshot: { epoch, bytes, stateRoot },
      sets: [epoch, epoch + 1, epoch + 2].map((each) => ({
        epoch: each,
        keys: requireSet(ledger, each).keys,
      })),
    };
    const genesis = viewGenesis(ledger);
    const store = await openSqliteStore({ path: paths.store, networkId: identity.networkId, genesis, base });
    await store.close();
  } finally {
    votes.close();
  }
}

/** @throws CodedError "home_exists" where the home has a store: it goes on from there, and no state is put over it. */
export async function refuseStore(home: string): Promise<void> {
  const { store } = homePaths(home);
  if (await isThere(store))
    throw new CodedError("home_exists", `${store} exists: run this home, or join with another`);
}

/** Rounds that the votes know to be decided are executed from there, one after the other: none may be missing. */
function refuseGap(votes: Pick<Votes, "decidedFrom">, epoch: number, { round, parameters }: Ledger): void {
  const next = votes.decidedFrom(round + 1).find((decided, index) => decided.round !== round + 1 + index);
  if (next === undefined) return;
  const least = epochOfRound(parameters, next.round - 1);
  const text = `the home's votes go on with round ${next.round}, and the state after epoch ${epoch} ends before that`;
  throw new CodedError("votes_conflict", `${text}: pin epoch ${least} or a newer one`);
}

async function fetchPieces(manifest: StateManifest, modules: JoinModules): Promise<Uint8Array> {
  const { epoch } = manifest;
  const bytes = new Uint8Array(manifest.bytes);
  const count = countPieces(manifest);
  let at = 0;
  for (let piece = 0; piece < count; piece++) {
    const body = await fetchPiece(manifest, piece, modules);
    bytes.set(body, at);
    at += body.length;
    modules.log.info("Fetched a piece of the state", { epoch, piece: piece + 1, of: count });
  }
  return bytes;
}

async function fetchPiece(manifest: StateManifest, piece: number, modules: JoinModules): Promise<Uint8Array> {
  const body = await askUntilAnswered({ type: "piece", epoch: manifest.epoch, piece }, modules);
  if (body === null) throw missing(`piece ${piece} of the state did not come in ${TRIES} tries`);
  const fault = checkStatePiece(manifest, piece, body, () => createHash("sha256"));
  if (fault !== null) throw refused(`piece ${piece} of the state is ${fault}`);
  return body;
}

/**
 * Asks again, later and later, while there is no answer: one that is not there looks like one that is not given yet.
 * @returns null where none came in `TRIES` tries.
 */
export async function askUntilAnswered(
  asked: Fetch,
  { fetch, pause, log }: JoinModules,
): Promise<Uint8Array | null> {
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    if (attempt > 1) await pause(FIRST_PAUSE_MS * 2 ** (attempt - 2));
    const answer = await fetch(asked);
    if (answer !== null) return answer;
    log.warn("No answer came", { asked: asked.type, attempt, of: TRIES });
  }
  return null;
}

/** The bytes have the pinned root, so what does not decode was attested by a quorum of other software. */
function readLedger(bytes: Uint8Array, epoch: number, { genesis }: Pick<Identity, "genesis">): Ledger {
  let ledger: Ledger;
  try {
    ledger = decodeLedger(genesis, bytes, LEDGER_MODULES);
  } catch (cause) {
    throw refused("the state is of another network, or of another version of the rules", cause);
  }
  if (ledger.lastClosedEpoch !== epoch) throw refused(`the state is that of epoch ${ledger.lastClosedEpoch}`);
  return ledger;
}

/** The round that the state is after: the next one's value continues its cut and carries its certificate. */
async function fetchLastRound(
  ledger: Ledger,
  { domains }: Pick<Identity, "domains">,
  modules: JoinModules,
): Promise<Finalized> {
  const { round } = ledger;
  const answer = await askUntilAnswered({ type: "rounds", from: round }, modules);
  const [fetched] = (answer && decodeFetchedRounds(answer)) ?? [];
  if (fetched === undefined) throw missing(`it does not give round ${round}`);
  const last = decodeDecided({ round, ...fetched });
  if (last === null || last.cert.round !== round) throw refused(`round ${round} is malformed`);
  const set = requireSet(ledger, ledger.lastClosedEpoch);
  const isDecided = equalBytes(last.cert.value, computeValueDigest(last.valueBytes));
  const fault = isDecided ? checkFinalCert(last.cert, set, domains, verifySignature) : "another value";
  if (fault !== null) throw refused(`round ${round} is not proven decided: ${fault}`);
  return last;
}

const missing = (text: string) => new CodedError("checkpoint_missing", text);
const refused = (text: string, cause?: unknown) => new CodedError("checkpoint_refused", text, cause);
