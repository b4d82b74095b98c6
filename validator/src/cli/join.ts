/** `validator join`: begins a home with the state of a pinned checkpoint, fetched from a validator that runs. */
import { ConfigErrors, type NodeIo, printLine } from "../../../node/src/cli/io.ts";
import { createSystemClock } from "../../../node/src/host/clock.ts";
import { isCodedError } from "../../../node/src/host/codedError.ts";
import { createLog } from "../../../node/src/host/log.ts";
import { createNetwork } from "../../../node/src/host/network.ts";
import type { Clock, Log, Network } from "../../../node/src/host/types.ts";
import {
  encodeFetch,
  FETCH_PROTOCOL,
  MAX_FETCH_ANSWER_BYTES,
} from "../../../protocol/src/agreement/fetches.ts";
import { decodeHex } from "../../../protocol/src/bytes/hex.ts";
import { roundsTopic } from "../../../protocol/src/wire/topics.ts";
import { createIdentity, type Identity } from "../identity.ts";
import { type Checkpoint, fetchCheckpoint, type JoinedState, refuseStore, startHome } from "../joining.ts";
import { keepGenesis, readGenesisFile, readHomeFlag, readKey } from "./configuration.ts";

export type JoinFlags = {
  readonly home?: string;
  readonly genesis?: string;
  readonly checkpoint?: string;
  readonly from?: readonly string[];
};

/** A piece of 1 MiB over a line of 1 Mbit/s takes 8 s. */
const ANSWER_TIMEOUT_MS = 20_000;

/**
 * Fetches the checkpoint from the first of the validators that has it, and makes the home's store of it.
 * @throws ConfigErrors, or CodedError "checkpoint_refused", "checkpoint_missing", "peer_unreachable" or "home_exists".
 */
export async function joinNetwork(flags: JoinFlags, io: NodeIo): Promise<void> {
  const faults: string[] = [];
  const home = readHomeFlag(flags, faults);
  const checkpoint = readCheckpoint(flags.checkpoint, faults);
  const from = flags.from ?? [];
  if (from.length === 0) faults.push("--from: name where a validator listens, as a multiaddr");
  const genesis = await readGenesisFile(flags, faults);
  const keyPair = home === "" ? null : await readKey(home, faults);
  if (faults.length > 0 || genesis === null || keyPair === null || checkpoint === null)
    throw new ConfigErrors(faults);
  await refuseStore(home);
  await keepGenesis(home, genesis);
  const identity = createIdentity(genesis, keyPair.secretSeed);
  const log = createLog({ level: "info", format: "plain", write: (line) => void io.stderr.write(line) });
  const clock = createSystemClock();
  const network = await createNetwork(
    {
      secretSeed: keyPair.secretSeed,
      listen: [],
      subscribe: [roundsTopic(identity.networkId)],
      publishOnly: [],
      maxConnections: from.length,
      role: "hotspot",
    },
    { clock, log },
  );
  try {
    const state = await fetchFromAny(from, checkpoint, identity, { network, clock, log });
    await startHome(home, identity, checkpoint, state);
  } finally {
    await network.stop();
  }
  printLine(io, `Took over the state after epoch ${checkpoint.epoch}; validator run goes on from there.`);
}

/** `EPOCH:STATEROOT`, as `/v1/epochs/EPOCH/certificate` of several validators says it. */
function readCheckpoint(text: string | undefined, faults: string[]): Checkpoint | null {
  const match = /^(\d{1,12}):(?:0x)?([0-9a-f]{64})$/.exec(text ?? "");
  const stateRoot = match === null ? null : decodeHex(match[2]!, 32);
  if (match === null || stateRoot === null) {
    faults.push("--checkpoint: must be EPOCH:STATEROOT, the root in 64 digits of hexadecimal");
    return null;
  }
  return { epoch: Number(match[1]), stateRoot };
}

/** One that does not have it, or cannot be reached, costs only the time; one that lies is named. */
async function fetchFromAny(
  from: readonly string[],
  checkpoint: Checkpoint,
  identity: Identity,
  { network, clock, log }: { readonly network: Network; readonly clock: Clock; readonly log: Log },
): Promise<JoinedState> {
  for (const [index, address] of from.entries()) {
    try {
      const { peerId } = await network.connect(address);
      const limits = { maxAnswerBytes: MAX_FETCH_ANSWER_BYTES, timeoutMs: ANSWER_TIMEOUT_MS };
      return await fetchCheckpoint(checkpoint, identity, {
        log,
        pause: (pauseMs) => new Promise((resolve) => clock.after(pauseMs, resolve)),
        fetch: (fetch) =>
          network.request(peerId, FETCH_PROTOCOL, encodeFetch(fetch), limits).catch(() => null),
      });
    } catch (error) {
      if (!isCodedError(error) || index === from.length - 1) throw error;
      log.warn("Ask the next validator", { address, error: error.message });
    }
  }
  throw new ConfigErrors(["--from: name where a validator listens, as a multiaddr"]);
}
