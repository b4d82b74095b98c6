/** A leader that lacks certificates which tips name (rule B1): it asks who sent them, and waits for nobody. */
import { describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { verifySignature } from "../../../node/src/host/verify.ts";
import {
  assembleSignatures,
  createValidatorSet,
  fixedSets,
} from "../../../protocol/src/agreement/certificates.ts";
import { decodeFetch, encodeFetch, type Fetch } from "../../../protocol/src/agreement/fetches.ts";
import type { PeerMessage } from "../../../protocol/src/agreement/peerMessages.ts";
import {
  type AvailabilityCert,
  decodeValue,
  encodeAckBody,
  encodeAvailabilityCert,
  encodeTips,
  type LaneTip,
  type SignedTips,
  type Tips,
} from "../../../protocol/src/agreement/rounds.ts";
import { createEd25519Scheme } from "../../../protocol/src/agreement/simplex/index.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { AvailabilityBook } from "../../../validator/src/lanes/availability.ts";
import { RoundInstance } from "../../../validator/src/rounds/roundInstance.ts";
import { openVotes } from "../../../validator/src/rounds/votes.ts";
import { createSigner } from "../../../validator/src/signer.ts";
import { ManualClock } from "./support/manualClock.ts";
import { contextOf, createTestGenesis, keyNamed, signBody } from "./support/network.ts";
import { SILENT_MESH } from "./support/silentMesh.ts";

const network = contextOf(createTestGenesis(0));
const { domains, parameters } = network;
const keys = [0, 1, 2, 3].map((index) => keyNamed(`leader ${index}`));
const [SELF] = keys as [(typeof keys)[number]];
const set = createValidatorSet(keys.map(({ publicKey }) => publicKey));
const sets = fixedSets(set);
const nameOf = (position: number): string => encodeHex(set.keys[position]!);

/** A batch of a lane with its certificate. */
function certify(author: number, seq: number): AvailabilityCert {
  const body = { lane: set.keys[author]!, seq, digest: new Uint8Array(32).fill(seq), epoch: 0 };
  const signatures = new Map(
    [0, 1, 2].map((position) => [position, signBody(network, keys[position]!, "ack", encodeAckBody(body))]),
  );
  return { ...body, ...assembleSignatures(signatures, set) };
}

const placeOf = ({ lane, seq, digest }: AvailabilityCert): LaneTip => ({ lane, seq, digest });

const tipsNaming = (position: number, certs: readonly AvailabilityCert[]): Tips => ({
  round: 0,
  validator: set.keys[position]!,
  timeMs: 7,
  tips: certs.map(placeOf),
  executedRound: 0,
  executedDigest: new Uint8Array(32),
});

const DELAY_MS = 50;
const newVotes = () => openVotes(":memory:", { network: network.networkId, validator: SELF.publicKey });

/**
 * The leader of the first view.
 * @param held certificates by the position of who can be asked for them.
 * @param own what its own tips name, where it has made none before.
 */
function openLeader(
  held: readonly (readonly AvailabilityCert[])[],
  { votes = newVotes(), own = [] as readonly AvailabilityCert[] } = {},
) {
  const clock = new ManualClock(0);
  const asked: { readonly from: string; readonly seq: number }[] = [];
  const said: PeerMessage[] = [];
  const failures: Error[] = [];
  const onDropped = () => {};
  const availability = new AvailabilityBook(
    { sets, domains, verify: verifySignature, laneEndOf: () => ({ seq: 0 }), cut: [] },
    { onDropped },
  );
  const signer = createSigner(domains, SELF.secretSeed);
  const answer = (from: string, fetch: Fetch): Uint8Array | null => {
    if (fetch.type !== "availability") return null;
    asked.push({ from, seq: fetch.tip.seq });
    const position = set.keys.findIndex((_, index) => nameOf(index) === from);
    const cert = held[position]?.find(({ seq }) => seq === fetch.tip.seq);
    return cert === undefined ? null : encodeAvailabilityCert(cert);
  };
  const scheme = createEd25519Scheme({
    round: 0,
    set,
    domains,
    verify: verifySignature,
    sign: signer.signMessage,
  });
  const instance = new RoundInstance(
    {
      round: 0,
      config: { self: 0, validators: 4, leaders: [0, 1, 2, 3], delayMs: DELAY_MS, scheme },
      context: { round: 0, parameters, sets, domains, verify: verifySignature, previous: null },
    },
    {
      clock,
      log: createSilentLog(),
      mesh: {
        ...SILENT_MESH,
        broadcast: (message) => said.push(message),
        fetch: async (from, fetch) => answer(from, decodeFetch(encodeFetch(fetch))!),
      },
      signer,
      votes,
      availability,
      previousFinal: () => null,
      onDecided: () => {},
      listEvidence: () => [],
      onEvidence: () => {},
      onDropped,
      mayPropose: () => true,
      onFailure: (error) => failures.push(error),
    },
  );
  for (const cert of own) availability.put(cert);
  instance.start(() => tipsNaming(0, own));
  const hear = async (position: number, certs: readonly AvailabilityCert[]): Promise<void> => {
    const tips = tipsNaming(position, certs);
    const signed: SignedTips = {
      tips,
      signature: signBody(network, keys[position]!, "tips", encodeTips(tips)),
    };
    instance.onMessage(nameOf(position), { type: "tips", signed });
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const standStill = async (): Promise<void> => {
    clock.advance(2 * DELAY_MS);
    for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
  };
  const proposedCut = (): number[] | null => {
    const proposal = said.find((message) => message.type === "proposal");
    if (proposal?.value == null) return null;
    return decodeValue(proposal.value)!.cut.map(({ seq }) => seq);
  };
  return { asked, failures, availability, hear, standStill, proposedCut };
}

describe("a leader that lacks certificates which tips name", () => {
  const [first, second] = [certify(1, 3), certify(2, 5)] as const;

  test("asks who sent the tips, and proposes with what it gets", async () => {
    const { asked, hear, proposedCut, failures } = openLeader([[], [first], [first, second]]);
    await hear(1, [first]);
    await hear(2, [first, second]);
    expect(asked).toEqual([
      { from: nameOf(1), seq: 3 },
      { from: nameOf(2), seq: 5 },
    ]);
    expect([proposedCut()?.sort(), failures]).toEqual([[3, 5], []]);
  });

  test("waits for nobody where a quorum's tips need nothing", async () => {
    const { asked, hear, proposedCut } = openLeader([]);
    await hear(1, []);
    await hear(2, []);
    await hear(3, [first]);
    expect([asked, proposedCut()]).toEqual([[], []]);
  });

  test("has after a crash what its own tips name, should all have crashed and nobody else", async () => {
    const votes = newVotes();
    openLeader([], { votes, own: [first, second] });
    const { asked, hear, proposedCut } = openLeader([], { votes });
    await hear(1, [first]);
    await hear(2, [second]);
    expect([asked, proposedCut()?.sort()]).toEqual([[], [3, 5]]);
  });

  test("asks one that does not have what it names a single question, and again at a standstill", async () => {
    const lies = Array.from({ length: 40 }, (_, index) => certify(1, index + 1));
    const forged = { ...first, signatures: second.signatures };
    const held = [[], [], [forged], [second]];
    const { asked, hear, standStill, proposedCut } = openLeader(held);
    await hear(1, lies);
    await hear(1, lies);
    await hear(2, [first]);
    const questions = [
      { from: nameOf(1), seq: 1 },
      { from: nameOf(2), seq: 3 },
    ];
    expect(asked).toEqual(questions);
    // What it asked may have been lost.
    held[2] = [first];
    await standStill();
    expect(asked).toEqual([...questions, ...questions]);
    await hear(3, []);
    expect(proposedCut()).toEqual([3]);
  });
});
