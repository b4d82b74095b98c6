import { describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { createValidatorSet, fixedSets } from "../../../protocol/src/agreement/certificates.ts";
import { encodeBatch } from "../../../protocol/src/agreement/rounds.ts";
import { asciiBytes, equalBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { BatchFetcher } from "../../../validator/src/lanes/batchFetcher.ts";
import { ManualClock } from "./support/manualClock.ts";

const BODY = asciiBytes("a batch");
const DIGEST = sha256(BODY);
const set = createValidatorSet([1, 2, 3].map((fill) => new Uint8Array(32).fill(fill)));
const PEERS = set.keys.map(encodeHex);
const [A, B, C] = PEERS as [string, string, string];
/** A certificate of the batch that these seats signed, as bits. */
const certOf = (seats: number) => ({
  ...{ lane: new Uint8Array(32), seq: 1, digest: DIGEST, epoch: 0, signatures: [] },
  bitmap: Uint8Array.of(seats),
});
const turn = () => new Promise((resolve) => setImmediate(resolve));

type Answer = Uint8Array | null | "never";

/** A fetcher whose peers answer what a test says, or have all of some bodies; its disk counts how often it is asked. */
function openFetcher(answers: Record<string, Answer>, bodies: readonly Uint8Array[] = []) {
  const clock = new ManualClock(0);
  const asked: string[] = [];
  const disk = new Map<string, Uint8Array>();
  let reads = 0;
  const said: unknown[][] = [];
  const fetcher = new BatchFetcher({
    clock,
    sets: fixedSets(set),
    log: { ...createSilentLog(), error: (...words) => void said.push(words) },
    mesh: {
      connected: () => PEERS,
      fetch: (name, fetch) => {
        asked.push(name);
        const isAsked = (body: Uint8Array) =>
          fetch.type === "batch" && equalBytes(sha256(body), fetch.digest);
        const answer = answers[name] ?? bodies.find(isAsked) ?? null;
        return answer === "never" ? new Promise(() => {}) : Promise.resolve(answer);
      },
    },
    batches: {
      getBatch: async (digest) => {
        reads++;
        return disk.get(encodeHex(digest)) ?? null;
      },
      putBatch: async (digest, bytes) => void disk.set(encodeHex(digest), bytes),
    },
  });
  return { fetcher, clock, said, asked, disk, reads: () => reads };
}

describe("a batch that is missing", () => {
  test("is asked of one validator, and of another the next time", async () => {
    const { fetcher, asked, disk, reads } = openFetcher({ [A]: BODY, [B]: BODY, [C]: BODY });
    expect(await fetcher.getBatch(DIGEST)).toEqual(BODY);
    expect([asked, reads()]).toEqual([[A], 1]);
    disk.clear();
    expect(await fetcher.getBatch(DIGEST)).toEqual(BODY);
    expect(asked).toEqual([A, B]);
  });

  test("is asked of its author first, where there is one", async () => {
    const { fetcher, asked } = openFetcher({ [A]: BODY, [B]: BODY, [C]: BODY });
    expect(await fetcher.find(DIGEST, C)).toEqual(BODY);
    expect(asked).toEqual([C]);
  });

  test("is asked of those who hold it by its certificate before all others, each time of another first", async () => {
    const { fetcher, asked, disk } = openFetcher({ [A]: BODY, [B]: BODY, [C]: BODY });
    for (let turn = 0; turn < 4; turn++) {
      disk.clear();
      await fetcher.getBatch(DIGEST, certOf(0b110));
    }
    expect(new Set(asked)).toEqual(new Set([B, C]));
  });

  test("is asked of the next at once where one has nothing, or something else", async () => {
    const { fetcher, asked } = openFetcher({ [A]: null, [B]: asciiBytes("another"), [C]: BODY });
    expect(await fetcher.find(DIGEST)).toEqual(BODY);
    expect(asked).toEqual([A, B, C]);
  });

  test("is asked of the next where one is slow, and nothing is waited for longer than that", async () => {
    const { fetcher, asked, clock } = openFetcher({ [A]: "never", [B]: "never", [C]: BODY });
    const found = fetcher.find(DIGEST);
    await turn();
    expect(asked).toEqual([A]);
    clock.advance(250);
    await turn();
    expect(asked).toEqual([A, B]);
    clock.advance(250);
    expect(await found).toEqual(BODY);
    expect(asked).toEqual(PEERS);
    expect(clock.timers).toBe(0);
  });

  test("is found nowhere where nobody has it", async () => {
    const { fetcher, asked } = openFetcher({ [A]: null, [B]: null, [C]: null });
    expect(await fetcher.find(DIGEST)).toBeNull();
    expect(asked).toEqual(PEERS);
  });

  test("is counted and told of when nobody gives it for long, and no more once somebody does", async () => {
    const answers: Record<string, Answer> = { [A]: null, [B]: null, [C]: null };
    const { fetcher, clock, said } = openFetcher(answers);
    const found = fetcher.getBatch(DIGEST);
    const pass = async (milliseconds: number) => {
      for (let passed = 0; passed < milliseconds; passed += 100) {
        await turn();
        clock.advance(100);
      }
    };
    await pass(5_000);
    expect([fetcher.countMissing(), said]).toEqual([0, []]);
    await pass(20_000);
    expect(fetcher.countMissing()).toBe(1);
    expect(said).toEqual([[expect.any(String), { digest: encodeHex(DIGEST), asked: 3 }]]);
    answers[B] = BODY;
    await pass(6_000);
    expect(await found).toEqual(BODY);
    expect(fetcher.countMissing()).toBe(0);
  });

  test("that is fetched ahead comes once, and is read from the disk by whoever needs it", async () => {
    const { fetcher, asked, reads } = openFetcher({ [A]: BODY, [B]: BODY, [C]: BODY });
    const missing = { digest: DIGEST, aboveSeq: 0, cert: certOf(0b111) };
    fetcher.prefetch([missing, missing]);
    expect(await fetcher.getBatch(DIGEST)).toEqual(BODY);
    expect([asked, reads()]).toEqual([[A], 2]);
  });

  test("brings those before it along, back to what is held", async () => {
    const lane = sha256(asciiBytes("lane"));
    const bodies: Uint8Array[] = [];
    for (let seq = 1; seq <= 5; seq++) {
      const prev = seq === 1 ? new Uint8Array(32) : sha256(bodies.at(-1)!);
      bodies.push(encodeBatch({ lane, seq, prev, messages: [asciiBytes(`message ${seq}`)] }));
    }
    const { fetcher, disk } = openFetcher({}, bodies);
    fetcher.prefetch([{ digest: sha256(bodies[4]!), aboveSeq: 2, cert: certOf(0b111) }]);
    while (disk.size < 3) await turn();
    for (let i = 0; i < 10; i++) await turn();
    expect([...disk.keys()]).toEqual([4, 3, 2].map((at) => encodeHex(sha256(bodies[at]!))));
  });
});
