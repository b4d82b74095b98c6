/** What a validator answers on `/hexbeacon/sync/1`, to anybody and to any bytes. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import type { PeerRef, RequestHandler } from "../../../node/src/host/types.ts";
import {
  encodeSetsQuestion,
  MAX_SETS_ANSWER_BYTES,
  SETS_QUESTION_BYTES,
} from "../../../protocol/src/agreement/setAnswers.ts";
import { createSigningDomains } from "../../../protocol/src/crypto/domain.ts";
import { SYNC_PROTOCOL } from "../../../protocol/src/wire/receipts.ts";
import { openStreams } from "../../../validator/src/intake/streams.ts";
import { createTestGenesis, newKey } from "../hotspot/fakeValidator.ts";
import { MadeSets } from "../hotspot/madeSets.ts";
import { ManualClock } from "./support/manualClock.ts";

const keys = Array.from({ length: 7 }, newKey);
/** Another one of seven leaves in each epoch. */
const made = new MadeSets(createTestGenesis(keys.slice(0, 6), []), (epoch) =>
  keys.filter((_, index) => index !== epoch % 7),
);
const CLOSED = 30;

async function openSync() {
  const clock = new ManualClock(0);
  const networkId = new Uint8Array(32);
  let maxRequestBytes = 0;
  let handler: RequestHandler = async () => null;
  await openStreams(
    { networkId, domains: createSigningDomains(networkId), deadlineRounds: 1 },
    {
      network: {
        onGossip: () => undefined,
        serve: async (protocol: string, limits: { maxRequestBytes: number }, serve: RequestHandler) => {
          if (protocol !== SYNC_PROTOCOL) return;
          ({ maxRequestBytes } = limits);
          handler = serve;
        },
      } as never,
      ...{ clock, log: createSilentLog(), intake: null as never, signer: null as never },
      ...{ newestRound: () => 0, messageStatus: async () => [] },
      newestAnnouncement: () => Uint8Array.of(1),
      setsSince: (epoch, turn) => made.answer(epoch, CLOSED, turn),
    },
  );
  const from = (name: string): PeerRef => ({ peerId: name, publicKey: null });
  return { clock, maxRequestBytes, ask: (name: string, bytes: Uint8Array) => handler(from(name), bytes) };
}

test("nothing asks for the newest announcement, an epoch for what came after it", async () => {
  const { maxRequestBytes, ask } = await openSync();
  expect(maxRequestBytes).toBe(SETS_QUESTION_BYTES);
  expect(await ask("a", new Uint8Array(0))).toEqual(Uint8Array.of(1));
  const answer = await ask("a", encodeSetsQuestion(0));
  expect(answer!.length).toBeGreaterThan(1_000);
  expect(answer!.length).toBeLessThanOrEqual(MAX_SETS_ANSWER_BYTES);
});

test("sets are told a connection so often at once, and once a second after that; announcements always", async () => {
  const { clock, ask } = await openSync();
  const question = encodeSetsQuestion(CLOSED + 1);
  for (let i = 0; i < 16; i++) expect(await ask("a", question)).not.toBeNull();
  expect(await ask("a", question)).toBeNull();
  expect(await ask("b", question)).not.toBeNull();
  expect(await ask("a", new Uint8Array(0))).not.toBeNull();
  clock.advance(1_000);
  expect(await ask("a", question)).not.toBeNull();
  expect(await ask("a", question)).toBeNull();
});

test("any bytes are answered within the limit, or not at all", async () => {
  const { ask } = await openSync();
  let asker = 0;
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: SETS_QUESTION_BYTES }), async (bytes) => {
      const answer = await ask(`${asker++}`, bytes);
      if (bytes.length < SETS_QUESTION_BYTES) expect(answer).toBeNull();
      else expect(answer?.length ?? 0).toBeLessThanOrEqual(MAX_SETS_ANSWER_BYTES);
    }),
  );
});
