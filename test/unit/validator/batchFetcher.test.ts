import { describe, expect, test } from "vitest";
import { createSilentLog } from "../../../node/src/host/log.ts";
import { asciiBytes } from "../../../protocol/src/bytes/bytes.ts";
import { encodeHex } from "../../../protocol/src/bytes/hex.ts";
import { sha256 } from "../../../protocol/src/crypto/sha256.ts";
import { BatchFetcher } from "../../../validator/src/lanes/batchFetcher.ts";
import { ManualClock } from "./support/manualClock.ts";

const BODY = asciiBytes("a batch");
const DIGEST = sha256(BODY);
const PEERS = ["a", "b", "c"];
const turn = () => new Promise((resolve) => setImmediate(resolve));

type Answer = Uint8Array | null | "never";

/** A fetcher whose peers answer what a test says, and a disk that counts how often it is asked. */
function openFetcher(answers: Record<string, Answer>) {
  const clock = new ManualClock(0);
  const asked: string[] = [];
  const disk = new Map<string, Uint8Array>();
  let reads = 0;
  const said: unknown[][] = [];
  const fetcher = new BatchFetcher({
    clock,
    log: { ...createSilentLog(), error: (...words) => void said.push(words) },
    mesh: {
      connected: () => PEERS,
      fetch: (name) => {
        asked.push(name);
        const answer = answers[name]!;
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
    const { fetcher, asked, disk, reads } = openFetcher({ a: BODY, b: BODY, c: BODY });
    expect(await fetcher.getBatch(DIGEST)).toEqual(BODY);
    expect([asked, reads()]).toEqual([["a"], 1]);
    disk.clear();
    expect(await fetcher.getBatch(DIGEST)).toEqual(BODY);
    expect(asked).toEqual(["a", "b"]);
  });

  test("is asked of its author first, where there is one", async () => {
    const { fetcher, asked } = openFetcher({ a: BODY, b: BODY, c: BODY });
    expect(await fetcher.find(DIGEST, "c")).toEqual(BODY);
    expect(asked).toEqual(["c"]);
  });

  test("is asked of the next at once where one has nothing, or something else", async () => {
    const { fetcher, asked } = openFetcher({ a: null, b: asciiBytes("another"), c: BODY });
    expect(await fetcher.find(DIGEST)).toEqual(BODY);
    expect(asked).toEqual(["a", "b", "c"]);
  });

  test("is asked of the next where one is slow, and nothing is waited for longer than that", async () => {
    const { fetcher, asked, clock } = openFetcher({ a: "never", b: "never", c: BODY });
    const found = fetcher.find(DIGEST);
    await turn();
    expect(asked).toEqual(["a"]);
    clock.advance(250);
    await turn();
    expect(asked).toEqual(["a", "b"]);
    clock.advance(250);
    expect(await found).toEqual(BODY);
    expect(asked).toEqual(PEERS);
    expect(clock.timers).toBe(0);
  });

  test("is found nowhere where nobody has it", async () => {
    const { fetcher, asked } = openFetcher({ a: null, b: null, c: null });
    expect(await fetcher.find(DIGEST)).toBeNull();
    expect(asked).toEqual(PEERS);
  });

  test("is counted and told of when nobody gives it for long, and no more once somebody does", async () => {
    const answers: Record<string, Answer> = { a: null, b: null, c: null };
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
    answers.b = BODY;
    await pass(6_000);
    expect(await found).toEqual(BODY);
    expect(fetcher.countMissing()).toBe(0);
  });

  test("that is fetched ahead comes once, and is read from the disk by whoever needs it", async () => {
    const { fetcher, asked, reads } = openFetcher({ a: BODY, b: BODY, c: BODY });
    fetcher.prefetch([DIGEST, DIGEST]);
    expect(await fetcher.getBatch(DIGEST)).toEqual(BODY);
    expect([asked, reads()]).toEqual([["a"], 2]);
  });
});
