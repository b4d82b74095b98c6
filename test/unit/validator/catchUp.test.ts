/** Catching up from several: who dawdles or has nothing costs an answer's time, and those who give go on giving. */
import { hash } from "node:crypto";
import { expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { assembleSignatures } from "../../../protocol/src/agreement/certificates.ts";
import { encodeFetchedRounds, MAX_FETCHED_ROUNDS } from "../../../protocol/src/agreement/fetches.ts";
import { type Evidence, encodeFinalCert, encodeValue } from "../../../protocol/src/agreement/rounds.ts";
import { CatchUp } from "../../../validator/src/rounds/catchUp.ts";
import { ManualClock } from "./support/manualClock.ts";
import { contextOf, createTestGenesis } from "./support/network.ts";

const { set, domains } = contextOf(createTestGenesis(1));
const TIMEOUT_MS = 5_000;
const LAN_MS = 20;

/** Certified as far as anybody asks: signatures count as valid here. */
const makeRounds = (count: number, evidence: Evidence[]) =>
  Array.from({ length: count }, (_, round) => makeRound(round, evidence));

function makeRound(round: number, evidence: Evidence[]) {
  const value = encodeValue({ round, tips: [], cut: [], previousFinal: [], evidence });
  const signatures = assembleSignatures(new Map([[0, new Uint8Array(64)]]), set);
  const digest = hash("sha256", value, "buffer");
  return { value, cert: encodeFinalCert({ round, view: 1, value: digest, ...signatures }) };
}

const ROUNDS = makeRounds(1_000, []);
/** Values of 56 kB. */
const LARGE_ROUNDS = makeRounds(
  20,
  [1, 2, 3, 4].map((offender) => ({
    ...{ offender: new Uint8Array(32).fill(offender), kind: 0 },
    ...{ first: new Uint8Array(7_000), second: new Uint8Array(7_000) },
  })),
);

type Answer = { readonly afterMs: number; readonly rounds: number; readonly isForged?: boolean };

/** One that is behind, with peers that answer as the table says; the virtual time that passes is the result. */
async function catchUp(
  claims: readonly string[],
  peers: Readonly<Record<string, () => Answer>>,
  all = ROUNDS,
) {
  const clock = new ManualClock(0);
  const asked: string[] = [];
  let decided = 0;
  const catching = new CatchUp(
    { domains },
    {
      sets: { setOfRound: () => set, lastKnownRound: () => all.length },
      mesh: {
        fetch: async (peer, fetch) => {
          asked.push(peer);
          const { afterMs, rounds, isForged = false } = peers[peer]!();
          const from = fetch.type === "rounds" ? fetch.from : 0;
          const given = all.slice(from, from + rounds);
          await new Promise<void>((resolve) => clock.after(Math.min(afterMs, TIMEOUT_MS), resolve));
          if (afterMs > TIMEOUT_MS) return null;
          return encodeFetchedRounds(isForged ? given.map(({ cert }) => ({ value: cert, cert })) : given);
        },
      },
      verify: () => true,
      clock,
      log: createSilentLog(),
      nextRound: () => decided,
      backlog: () => 0,
      adopt: (rounds) => {
        decided += rounds.length;
        return true;
      },
    },
  );
  for (const peer of claims) catching.from(peer);
  while (catching.isRunning) {
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(LAN_MS);
  }
  return { decided, asked, tookMs: clock.nowMs() };
}

const honest = () => ({ afterMs: LAN_MS, rounds: MAX_FETCHED_ROUNDS });

test("one that gives a round every five seconds holds nobody up, though it spoke first", async () => {
  const dawdler = () => ({ afterMs: 4_900, rounds: 1 });
  const { decided, tookMs } = await catchUp(["x", "a", "b"], { x: dawdler, a: honest, b: honest });
  expect(decided).toBe(ROUNDS.length);
  expect(tookMs).toBeLessThan(2 * TIMEOUT_MS + 1_000);
});

test("whoever gives at a good pace is asked until it has no more, and then the others whether they have", async () => {
  const { decided, asked } = await catchUp(["a", "b", "a"], { a: honest, b: honest });
  const questions = Math.ceil(ROUNDS.length / MAX_FETCHED_ROUNDS) + 1;
  expect(asked).toEqual([...new Array(questions).fill("a"), "b"]);
  expect(decided).toBe(ROUNDS.length);
});

test.each<[string, Answer]>([
  ["is silent", { afterMs: 60_000, rounds: 1 }],
  ["has nothing", { afterMs: LAN_MS, rounds: 0 }],
  ["forges", { afterMs: LAN_MS, rounds: 2, isForged: true }],
])("one that %s is asked once for what it claims", async (_, answer) => {
  const { decided, asked } = await catchUp(["x", "a"], { x: () => answer, a: honest });
  expect(asked.filter((peer) => peer === "x")).toEqual(["x"]);
  expect(decided).toBe(ROUNDS.length);
});

test("remembers no more claims than there can be members", async () => {
  const names = Array.from({ length: 1_000 }, (_, index) => `${index}`);
  const silent = () => ({ afterMs: LAN_MS, rounds: 0 });
  const { asked } = await catchUp(names, Object.fromEntries(names.map((name) => [name, silent])));
  expect(asked).toHaveLength(200);
});

test("whoever needs longer because its rounds are large is no dawdler", async () => {
  const large = () => ({ afterMs: 4 * LAN_MS, rounds: 1 });
  const { asked } = await catchUp(["a", "b"], { a: large, b: large }, LARGE_ROUNDS);
  expect(asked).toEqual([...new Array(LARGE_ROUNDS.length + 1).fill("a"), "b"]);
});
