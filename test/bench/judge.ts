/**
 * How long `tool judge` takes for 100,000 links, through its streams as on the command line, and what the arithmetic
 * beneath it costs a call.
 */
import { Readable, Writable } from "node:stream";
import { latLngToCell } from "h3-js";
import { createToolCommand } from "../../node/src/cli/tool/toolCommand.ts";
import { cellFromHex } from "../../protocol/src/geo/cell.ts";
import { computeDistanceM } from "../../protocol/src/geo/distance.ts";
import { NEIGHBOURS_MAX, writeNeighbours } from "../../protocol/src/geo/neighbours.ts";
import { computeFreeSpaceLossCentiDb } from "../../protocol/src/radio/pathLoss.ts";
import type { BenchRow } from "./benchRow.ts";

const LINKS = 100_000;
const JUDGE_MAX_S = 20;
const CALLS = 1_000_000;
const DISTANCE_MAX_US = 1;
const LOSS_MAX_US = 0.5;
const NEIGHBOURS_MIN_PER_S = 1_000_000;

/** About 3 s. */
export async function run(): Promise<BenchRow[]> {
  return [await measureJudge(), measureDistance(), measureLoss(), measureNeighbours()];
}

async function measureJudge(): Promise<BenchRow> {
  const stdin = Readable.from(createLinks());
  let printed = 0;
  const stdout = new Writable({
    write(chunk: Buffer, _, done) {
      for (const byte of chunk) if (byte === 10) printed++;
      done();
    },
  });
  const startMs = performance.now();
  await createToolCommand({ stdin, stdout, stderr: process.stderr }).parseAsync(["judge"], { from: "user" });
  const seconds = (performance.now() - startMs) / 1_000;
  if (printed !== LINKS) throw new Error(`${printed} verdicts for ${LINKS} links`);
  return atMost(`tool judge, ${LINKS} links`, seconds, "s", JUDGE_MAX_S);
}

/** Links between places, so that the distance is computed too, in chunks as a pipe brings them. */
function* createLinks(): Generator<Buffer> {
  const perChunk = 200;
  for (let first = 0; first < LINKS; first += perChunk) {
    let chunk = "";
    for (let i = first; i < first + perChunk; i++) {
      const link = {
        id: i,
        from: [45 + (i % 1_000) / 1_000, 5],
        to: [45.5, 5 + (i % 777) / 777],
        eirpDbm: 14,
        region: "EU868",
        frequencyHz: 867_500_000,
        spreadingFactor: 7 + (i % 6),
        bandwidthHz: 125_000,
        rssiDbm: -90 - (i % 40),
        rssiKind: "signal",
        snrDb: ((i % 100) - 60) / 4,
      };
      chunk += `${JSON.stringify(link)}\n`;
    }
    yield Buffer.from(chunk);
  }
}

function measureDistance(): BenchRow {
  let sum = 0;
  const us = timeCalls((i) => {
    sum += computeDistanceM(457_000_000 + i, 48_000_000, 458_000_000 - 3 * i, 49_000_000 + i);
  });
  return atMost(`distance, one call (checksum ${sum})`, us, "us", DISTANCE_MAX_US);
}

function measureLoss(): BenchRow {
  let sum = 0;
  const us = timeCalls((i) => {
    sum += computeFreeSpaceLossCentiDb(30 + i, 867_100_000 + i);
  });
  return atMost(`free-space loss, one call (checksum ${sum})`, us, "us", LOSS_MAX_US);
}

function measureNeighbours(): BenchRow {
  const count = 20_000;
  const cells = Array.from({ length: count }, (_, i) => {
    return cellFromHex(
      latLngToCell(((i * 37) % 1_800) / 10 - 90, ((i * 101) % 3_600) / 10 - 180, 4 + (i % 9)),
    )!;
  });
  const out = new Uint32Array(2 * NEIGHBOURS_MAX);
  const us = timeCalls((i) => {
    const { hi, lo } = cells[i % count]!;
    writeNeighbours(hi, lo, out, 0);
  });
  const value = 1e6 / us;
  const limit = NEIGHBOURS_MIN_PER_S;
  return {
    name: "neighbours of a cell",
    value,
    unit: "cells/s",
    limit,
    ratio: value / limit,
    ok: value >= limit,
  };
}

/** Microseconds a call, after a round that lets the compiler settle. */
function timeCalls(call: (i: number) => void): number {
  for (let i = 0; i < CALLS / 10; i++) call(i);
  const startMs = performance.now();
  for (let i = 0; i < CALLS; i++) call(i);
  return ((performance.now() - startMs) / CALLS) * 1_000;
}

function atMost(name: string, value: number, unit: string, limit: number): BenchRow {
  return { name, value, unit, limit, ratio: value / limit, ok: value <= limit };
}
